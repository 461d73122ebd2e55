//! Binding a verb to what is there now: the revision, and the step where the verb names one.

use super::{Request, Verb};
use crate::api::canary_rollout::{CanaryRolloutStatus, Phase};

/// What a verb is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Revision.
    pub revision: String,
    /// Index of the step, from 0, for verbs that name one.
    pub step: Option<usize>,
}

/// Why a verb cannot be bound. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// The status names no revision yet.
    #[error(
        "no revision is known yet: the operator has not found a release to work on{}; wait until \
         the status names a revision, and ask again",
        quoted(.0)
    )]
    NoRevision(String),
    /// The verb names a step, and there is none.
    #[error("nothing is in flight, so there is no step to {verb}: it is {phase}{}", quoted(.message))]
    NoStep {
        /// The verb.
        verb: Verb,
        /// The phase.
        phase: &'static str,
        /// The status's message; empty when there is none.
        message: String,
    },
    /// The composed annotation would be refused.
    #[error("{0}")]
    Malformed(String),
}

fn quoted(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

/// Binds a verb to what the status says is current; `revision` takes the place of the status's.
///
/// # Errors
///
/// [`Unbound`] when the status has nothing that the verb could be for.
pub fn bind(
    verb: Verb,
    status: Option<&CanaryRolloutStatus>,
    revision: Option<&str>,
) -> Result<Target, Unbound> {
    let message = || status.and_then(|status| status.message.clone()).unwrap_or_default();
    let current = || status.and_then(|status| status.revision.clone());
    let revision = revision.map(str::to_owned).or_else(current);
    let revision = revision.ok_or_else(|| Unbound::NoRevision(message()))?;
    if !verb.names_step() {
        return Ok(Target { revision, step: None });
    }
    let step = status.and_then(|status| status.step.as_ref());
    let step = step.and_then(|step| usize::try_from(step.index).ok());
    let phase = status.and_then(|status| status.phase).unwrap_or(Phase::Pending).as_str();
    match step {
        Some(step) => Ok(Target { revision, step: Some(step) }),
        None => Err(Unbound::NoStep { verb, phase, message: message() }),
    }
}

impl Target {
    /// The value of the annotation; the nonce makes the same words a new request.
    ///
    /// # Errors
    ///
    /// [`Unbound::Malformed`] when the operator would not understand it.
    pub fn compose(&self, verb: Verb, nonce: &str) -> Result<String, Unbound> {
        let step = self.step.map_or_else(String::new, |step| format!("/{step}"));
        let value = format!("{verb}@{}{step}#{nonce}", self.revision);
        let parsed = Request::parse(&value).map_err(Unbound::Malformed)?;
        if parsed.revision() == self.revision && parsed.step().ok() == self.step {
            Ok(value)
        } else {
            Err(Unbound::Malformed(format!("{:?} is no revision", self.revision)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::canary_rollout::StepStatus;

    fn flying(index: i32) -> CanaryRolloutStatus {
        let step = StepStatus { index, count: 3, ..StepStatus::default() };
        CanaryRolloutStatus {
            phase: Some(Phase::Progressing),
            revision: Some("9f2c1a".into()),
            step: Some(step),
            ..CanaryRolloutStatus::default()
        }
    }

    #[track_caller]
    fn check(
        verb: Verb,
        status: Option<&CanaryRolloutStatus>,
        revision: Option<&str>,
        expected: Result<&str, &str>,
    ) {
        let bound = bind(verb, status, revision).and_then(|target| target.compose(verb, "n1"));
        let seen = bound.map_err(|error| error.to_string());
        assert_eq!(seen.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_verb_is_bound_to_the_current_revision_and_step() {
        let status = flying(2);
        check(Verb::Promote, Some(&status), None, Ok("promote@9f2c1a/2#n1"));
        check(Verb::SkipStep, Some(&status), None, Ok("skip-step@9f2c1a/2#n1"));
        for verb in
            [Verb::PromoteFull, Verb::Abort, Verb::Rollback, Verb::Retry, Verb::Pause, Verb::Resume]
        {
            check(verb, Some(&status), None, Ok(&format!("{verb}@9f2c1a#n1")));
        }
    }

    #[test]
    fn a_pinned_revision_takes_the_place_of_the_current_one() {
        check(Verb::Abort, Some(&flying(0)), Some("abc"), Ok("abort@abc#n1"));
        check(Verb::Abort, None, Some("abc"), Ok("abort@abc#n1"));
        check(Verb::Promote, Some(&flying(1)), Some("abc"), Ok("promote@abc/1#n1"));
    }

    #[test]
    fn what_cannot_be_bound_says_why() {
        check(
            Verb::Abort,
            None,
            None,
            Err("no revision is known yet: the operator has not found a release to work on; wait \
                 until the status names a revision, and ask again"),
        );
        let healthy = CanaryRolloutStatus {
            phase: Some(Phase::Healthy),
            message: Some("alias live serves version 2".into()),
            step: None,
            ..flying(0)
        };
        check(
            Verb::Promote,
            Some(&healthy),
            None,
            Err("nothing is in flight, so there is no step to promote: it is Healthy (alias live \
                 serves version 2)"),
        );
    }

    #[test]
    fn a_revision_that_would_be_read_as_something_else_is_refused() {
        for revision in ["a/1", "a#b", &"x".repeat(300)] {
            assert!(
                bind(Verb::Abort, None, Some(revision)).unwrap().compose(Verb::Abort, "n").is_err()
            );
        }
        let target = bind(Verb::Promote, Some(&flying(1)), Some("a/0")).unwrap();
        assert!(target.compose(Verb::Promote, "n").is_err());
    }
}
