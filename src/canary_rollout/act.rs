//! Carries out a plan's writes, in order, stopping at the first error. Makes no choices.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    decide::{Action, Answer, Purpose},
    error::Error,
};
use crate::{
    aws::{
        self, Class,
        hub::{AliasKey, Hub},
        limits::Priority,
        port::Lambda as _,
        session::{CallContext, Session},
    },
    context::terms,
    facts::lambda::Alias,
};

/// What writes need to know of where they happen.
pub struct Place<'a> {
    /// Calls to the account and region.
    pub session: &'a Arc<Session>,
    /// Shared answers: each write puts there what Lambda answered.
    pub hub: &'a Hub,
    /// The alias.
    pub key: &'a AliasKey,
    /// Namespace, for fairness between namespaces.
    pub namespace: &'a str,
    /// The pass's time.
    pub now: Timestamp,
    /// Nothing goes forward after this.
    pub not_after: Option<Timestamp>,
}

/// Carries out the writes, and leaves the answers in `answers`, in the same order.
///
/// # Errors
///
/// The first failure. What the hub knew of the alias is forgotten when moving it failed, because the
/// write may have been applied all the same.
pub async fn act(
    actions: &[Action],
    place: &Place<'_>,
    answers: &mut Vec<Answer>,
) -> Result<(), Error> {
    for action in actions {
        answers.push(carry_out(action, place).await?);
        tracing::info!(action = %action, "carried out");
    }
    Ok(())
}

async fn carry_out(action: &Action, place: &Place<'_>) -> Result<Answer, Error> {
    let lambda = |priority| place.session.lambda(terms(priority, place.namespace));
    let forward = || {
        let context = terms(Priority::Advance, place.namespace);
        place.session.lambda(CallContext { not_after: place.not_after, ..context })
    };
    let unmoved = |source| Error::MoveAlias { alias: place.key.alias.clone(), source };
    let unpublished = |source| Error::Publish { function: place.key.function.clone(), source };
    match action {
        Action::CreateAlias { function, alias, version, description } => {
            moved(place, forward().create_alias(function, alias, version, description).await)
                .map_err(unmoved)
        }
        Action::UpdateAlias { change, purpose } => {
            let lambda = match purpose {
                Purpose::Undo => lambda(Priority::Undo),
                Purpose::Advance | Purpose::Initialize => forward(),
            };
            moved(place, lambda.update_alias(change).await).map_err(unmoved)
        }
        Action::UpdateFunctionCode(change) => {
            let answer = forward().update_function_code(change).await;
            answer.map(Answer::CodeReplaced).map_err(unpublished)
        }
        Action::UpdateFunctionConfiguration(change) => {
            let answer = forward().update_function_configuration(change).await;
            answer.map(|_| Answer::Changed).map_err(unpublished)
        }
        Action::PublishVersion(publication) => {
            let answer = forward().publish_version(publication).await;
            answer.map(Answer::Published).map_err(unpublished)
        }
        Action::DeleteVersion(surplus) => {
            let answer = lambda(Priority::Drift).delete_version(surplus).await;
            answer
                .map(|()| Answer::Changed)
                .map_err(|source| Error::Prune { version: surplus.version(), source })
        }
        Action::Invoke { function, version, smoke } => {
            let patience = Duration::from_secs(smoke.max_duration.as_secs());
            let answer =
                lambda(Priority::Work).invoke(function, version, &smoke.payload, patience).await;
            answer
                .map(Answer::Invoked)
                .map_err(|source| Error::Invoke { version: version.clone(), source })
        }
    }
}

/// What a write to the alias was answered, for all who ask of it.
fn moved(place: &Place<'_>, answer: Result<Alias, aws::Error>) -> Result<Answer, aws::Error> {
    match answer {
        Ok(alias) => {
            place.hub.wrote(place.key, alias, place.now);
            Ok(Answer::Changed)
        }
        Err(error) => {
            // What was not sent changed nothing.
            if error.class != Class::NoTurn {
                place.hub.forget(place.key);
            }
            Err(error)
        }
    }
}
