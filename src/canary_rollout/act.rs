//! Carries out a plan's writes, in order, stopping at the first error. Makes no choices.

use std::sync::Arc;

use jiff::Timestamp;

use super::decide::{Action, Purpose};
use crate::{
    aws::{
        Error,
        hub::{AliasKey, Hub},
        limits::Priority,
        port::Lambda as _,
        session::Session,
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
}

/// Carries out the writes.
///
/// # Errors
///
/// The first failure; what the hub knew of the alias is forgotten then, because the write may have
/// been applied all the same.
pub async fn act(actions: &[Action], place: &Place<'_>) -> Result<(), Error> {
    for action in actions {
        let answer = carry_out(action, place).await;
        match answer {
            Ok(alias) => place.hub.wrote(place.key, alias, place.now),
            Err(error) => {
                place.hub.forget(place.key);
                return Err(error);
            }
        }
        tracing::info!(action = %action, "carried out");
    }
    Ok(())
}

async fn carry_out(action: &Action, place: &Place<'_>) -> Result<Alias, Error> {
    let lambda = |priority| place.session.lambda(terms(priority, place.namespace));
    match action {
        Action::CreateAlias { function, alias, version } => {
            lambda(Priority::Work).create_alias(function, alias, version, "").await
        }
        Action::UpdateAlias { change, purpose } => {
            let priority = match purpose {
                Purpose::Undo => Priority::Undo,
                Purpose::Advance => Priority::Work,
            };
            lambda(priority).update_alias(change).await
        }
    }
}
