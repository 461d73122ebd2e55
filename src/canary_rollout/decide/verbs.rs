//! A person's word, as an annotation: bound to a revision, acted on once, answered in the status.

use super::{audit, gone, position::Position, situation::Situation, window};
use crate::{
    api::canary_rollout::{Ending, Outcome},
    canary_rollout::{
        memory::{Canary, Flight, Memory},
        rollout::{Step, Steps},
    },
    verbs::{Request, Verb, answers},
};

/// Answers a verb that was not answered yet.
pub(super) fn answer(situation: &mut Situation<'_>) {
    let Some(request) = &situation.facts.request else { return };
    let Memory { last_action, answered, .. } = &situation.memory;
    let Some(asked) = answers::asked(request, last_action.as_ref(), answered) else { return };
    let outcome = asked.and_then(|()| carry_out(situation, &request.value, &request.by));
    let Memory { last_action, answered, .. } = &mut situation.memory;
    answers::keep(request, outcome, situation.now, last_action, answered);
}

/// Changes the memory as the verb says.
///
/// # Errors
///
/// A sentence that says why it was refused; the memory is unchanged then.
fn carry_out(situation: &mut Situation<'_>, value: &str, by: &str) -> Result<String, String> {
    let request = Request::parse(value)?;
    let revision = situation.memory.revision.clone().unwrap_or_default();
    if request.revision() != revision {
        return Err(format!(
            "{} is for revision {}; the current one is {}",
            request.verb,
            request.revision(),
            if revision.is_empty() { "not known yet" } else { &revision }
        ));
    }
    match request.verb {
        Verb::Retry => return retry(situation),
        Verb::Abort => return abort(situation, by),
        Verb::Rollback => return rollback(situation, by),
        Verb::Promote | Verb::SkipStep | Verb::PromoteFull | Verb::Pause | Verb::Resume => {}
    }
    if situation.facts.suspended {
        return Err("the rollout is suspended; set spec.suspend to false first".into());
    }
    if audit::is_on(situation) {
        return Err("the rollout is in Audit; set spec.mode to Enforce first".into());
    }
    if request.verb == Verb::PromoteFull
        && let Some(why) = window::refuses_promotion(situation)
    {
        return Err(why);
    }
    let at = situation.stamp();
    let memory = &mut situation.memory;
    let Some(flight) = memory.flight.as_mut().filter(|flight| flight.ending.is_none()) else {
        return Err(format!("{} needs a rollout in flight; there is none", request.verb));
    };
    match request.verb {
        Verb::Promote | Verb::SkipStep => leave_step(flight, &request),
        Verb::PromoteFull => {
            let message = "promoted in full by a person".to_owned();
            memory.end(Outcome::Promoted, "PromotedInFull", message);
            memory.paused_at = None;
            Ok("the remaining steps are skipped".into())
        }
        Verb::Pause => {
            memory.paused_at = Some(at);
            Ok("paused at the current weight".into())
        }
        Verb::Resume => {
            memory.paused_at = None;
            if flight.held.take().is_some() {
                // Fresh evidence: what failed before is forgotten.
                let (steps, index) = (flight.steps.clone(), flight.index);
                *flight = Flight { entered_at: Some(at), ..Flight::before(steps, index) };
            }
            Ok("goes on".into())
        }
        Verb::Retry | Verb::Abort | Verb::Rollback => {
            Err(format!("{} was answered before", request.verb))
        }
    }
}

fn leave_step(flight: &mut Flight, request: &Request<'_>) -> Result<String, String> {
    let asked = request.step()?;
    if asked != flight.index {
        return Err(format!(
            "{} is for step {asked}; the rollout is at step {}",
            request.verb, flight.index
        ));
    }
    let Some(step) = flight.steps.get(flight.index) else {
        return Err("all steps are behind".into());
    };
    if flight.entered_at.is_none() {
        return Err(format!(
            "step {asked} was not entered yet; ask again when it is, with a new #nonce"
        ));
    }
    let approval = matches!(step, Step::Approve { .. });
    *flight = Flight::before(flight.steps.clone(), flight.index.saturating_add(1));
    Ok(if approval { format!("step {asked} approved") } else { format!("step {asked} left early") })
}

fn abort(situation: &mut Situation<'_>, by: &str) -> Result<String, String> {
    let memory = &mut situation.memory;
    let Some(flight) = &memory.flight else {
        return Err("abort needs a rollout in flight; there is none".into());
    };
    if flight.ending.as_ref().is_some_and(Ending::goes_back) {
        return Err("the alias is already going back".into());
    }
    let message =
        if by.is_empty() { "aborted by a person".to_owned() } else { format!("aborted by {by}") };
    memory.end(Outcome::Aborted, "AbortedByUser", message);
    memory.paused_at = None;
    Ok("the alias goes back to the stable version".into())
}

/// Takes a release back that serves everybody: while it bakes to the stable version, afterwards to
/// the version that was promoted before.
fn rollback(situation: &mut Situation<'_>, by: &str) -> Result<String, String> {
    let at = situation.stamp();
    let memory = &mut situation.memory;
    let message = match by {
        "" => "rolled back by a person".to_owned(),
        by => format!("rolled back by {by}"),
    };
    match &memory.flight {
        Some(flight) if flight.is_baking() && flight.ending.is_none() => {}
        Some(_) => return Err("the release does not serve everybody yet; use abort".into()),
        None => {
            let served = memory.concluded().filter(|entry| entry.outcome.serves());
            let Some(served) = served.cloned() else {
                return Err("the alias is back at the stable version already".into());
            };
            let (version, code_sha256) = (served.version, served.code_sha256);
            let Some(before) = served.stable else {
                return Err(format!("no version is known that served before {version}"));
            };
            memory.stable = Some(before);
            memory.canary = Some(Canary { version, code_sha256, timeout: None, started_at: at });
            memory.flight = Some(Flight::before(Steps::default(), 0));
        }
    }
    let stable = memory.stable.clone().unwrap_or_default();
    memory.end(Outcome::Aborted, "RolledBackByUser", message);
    memory.paused_at = None;
    Ok(format!("the alias goes back to version {stable}"))
}

/// Forgets how the revision ended, or that the alias was elsewhere: it is tried from where the
/// alias is now.
fn retry(situation: &mut Situation<'_>) -> Result<String, String> {
    match may_retry(situation)? {
        Retry::Revision => {}
        Retry::Flight => {
            let message = "someone else moved the alias, and a person accepted it";
            situation.memory = situation.conclude(Outcome::Aborted, "AliasMoved", message);
        }
        Retry::NoWayBack(message) => {
            situation.memory = situation.conclude(Outcome::Aborted, gone::REASON, &message);
        }
    }
    let memory = &mut situation.memory;
    (memory.revision, memory.stable, memory.canary) = (None, None, None);
    memory.publishing = None;
    Ok("starts again from where the alias is".into())
}

/// What is tried again.
enum Retry {
    /// A revision that ended.
    Revision,
    /// A rollout in flight whose alias is elsewhere.
    Flight,
    /// One that cannot go back, and in what words it ends.
    NoWayBack(String),
}

fn may_retry(situation: &Situation<'_>) -> Result<Retry, String> {
    let alias = situation.facts.alias.as_ref();
    let weighted = alias.is_some_and(|alias| !alias.weights.is_empty());
    let Some(flight) = &situation.memory.flight else {
        let failed = situation
            .memory
            .concluded()
            .is_some_and(|entry| matches!(entry.outcome, Outcome::RolledBack | Outcome::Aborted));
        let moved = alias.map(|alias| &alias.version) != situation.memory.stable.as_ref();
        let publishing = situation.memory.publishing.is_some();
        return match (weighted, failed || moved || publishing) {
            (true, _) => Err("the alias carries weights; remove them first".into()),
            (false, true) => Ok(Retry::Revision),
            (false, false) => {
                Err("the release was not rolled back or aborted; there is nothing to retry".into())
            }
        };
    };
    if let Some((stable, alias)) = gone::missing(situation) {
        let served = &alias.version;
        return Ok(Retry::NoWayBack(format!(
            "version {stable} does not exist, and a person accepted version {served}"
        )));
    }
    if flight.ending.as_ref().is_some_and(Ending::goes_back) {
        return Err("the alias is going back; ask again when it is there, with a new #nonce".into());
    }
    let canary = situation.memory.canary.as_ref().map(|canary| &canary.version);
    let moved = alias.is_none_or(|alias| {
        let promoted = flight.ending.is_some() && canary == Some(&alias.version) && !weighted;
        let position = Position::of(situation, flight, alias);
        !promoted && matches!(position, Position::Elsewhere | Position::Marked(_))
    });
    match (moved, weighted) {
        (false, _) => Err("the rollout is in flight; there is nothing to retry".into()),
        (true, true) => Err("the alias carries weights; remove them first, or abort".into()),
        (true, false) => Ok(Retry::Flight),
    }
}
