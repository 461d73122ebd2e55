//! The annotation `groundcrew.dev/action`: `<verb>@<target>[#<nonce>]`, parsed and composed.

pub mod answers;
mod bind;
pub mod windows;

use std::fmt;

pub use bind::{Target, Unbound, bind};

/// Longest value that is looked at; the API allows more in an annotation than any verb needs.
const VALUE_MAX: usize = 256;

/// What a person asks of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Approve, or end a hold early. Target: `<revision>/<stepIndex>`.
    Promote,
    /// Leave a step. Target: `<revision>/<stepIndex>`.
    SkipStep,
    /// To 100 at once. Target: `<revision>`.
    PromoteFull,
    /// Back to stable. Target: `<revision>`.
    Abort,
    /// Back to the version promoted before, when baking or healthy. Target: `<revision>`.
    Rollback,
    /// Try a revision again that went back. Target: `<revision>`.
    Retry,
    /// Stay at the current weight. Target: `<revision>`.
    Pause,
    /// Go on. Target: `<revision>`.
    Resume,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 8] = [
        Self::Promote,
        Self::SkipStep,
        Self::PromoteFull,
        Self::Abort,
        Self::Rollback,
        Self::Retry,
        Self::Pause,
        Self::Resume,
    ];

    /// The word in the annotation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::SkipStep => "skip-step",
            Self::PromoteFull => "promote-full",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
            Self::Retry => "retry",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// Whether the target names a step beside the revision.
    #[must_use]
    pub const fn names_step(self) -> bool {
        matches!(self, Self::Promote | Self::SkipStep)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A parsed annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb.
    pub verb: Verb,
    target: &'a str,
}

impl<'a> Request<'a> {
    /// Parses the value of the annotation.
    ///
    /// # Errors
    ///
    /// A sentence for the person who wrote it.
    pub fn parse(value: &'a str) -> Result<Self, String> {
        if value.len() > VALUE_MAX {
            return Err(format!("a verb is at most {VALUE_MAX} characters long"));
        }
        let (verb, target) = value
            .split_once('@')
            .ok_or("write <verb>@<revision>, for example abort@9f2c1a".to_owned())?;
        let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb).ok_or_else(|| {
            let known: Vec<_> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
            format!("there is no verb {verb:?}; there are {}", known.join(", "))
        })?;
        let target = without_nonce(target);
        let request = Self { verb, target };
        match target.split_once('/') {
            Some(_) if !verb.names_step() => {
                Err(format!("{verb} takes a revision alone: write {verb}@<revision>"))
            }
            Some(_) => request.step().map(|_| request),
            None if verb.names_step() => {
                Err(format!("{verb} names a step: write {verb}@<revision>/<stepIndex>"))
            }
            None if target.is_empty() => {
                Err(format!("{verb} names a revision: write {verb}@<revision>"))
            }
            None => Ok(request),
        }
    }

    /// The revision that it is for.
    #[must_use]
    pub fn revision(&self) -> &'a str {
        self.target.split_once('/').map_or(self.target, |(revision, _)| revision)
    }

    /// The step that it is for.
    ///
    /// # Errors
    ///
    /// A sentence when the target names none.
    pub fn step(&self) -> Result<usize, String> {
        let step = self.target.split_once('/').and_then(|(_, step)| step.parse().ok());
        step.ok_or_else(|| {
            format!("write {}@<revision>/<stepIndex>, steps count from 0", self.verb)
        })
    }
}

fn without_nonce(target: &str) -> &str {
    target.split_once('#').map_or(target, |(target, _)| target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &str, expected: Result<(Verb, &str, Option<usize>), &str>) {
        let parsed = Request::parse(value);
        let seen = parsed.as_ref().map(|r| (r.verb, r.revision(), r.step().ok()));
        assert_eq!(seen, expected.map_err(str::to_owned).as_ref().map(|x| *x), "{value:?}");
    }

    #[test]
    fn a_verb_names_its_target_and_a_nonce_is_ignored() {
        check("abort@9f2c1a", Ok((Verb::Abort, "9f2c1a", None)));
        check("promote@9f2c1a/2#x1", Ok((Verb::Promote, "9f2c1a", Some(2))));
        check("skip-step@9f2c1a/0", Ok((Verb::SkipStep, "9f2c1a", Some(0))));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_right_form() {
        check("abort", Err("write <verb>@<revision>, for example abort@9f2c1a"));
        check("promote@9f2c1a", Err("promote names a step: write promote@<revision>/<stepIndex>"));
        check("promote@9f2c1a/x", Err("write promote@<revision>/<stepIndex>, steps count from 0"));
        check("abort@9f2c1a/1", Err("abort takes a revision alone: write abort@<revision>"));
        check(
            "explode@1",
            Err(
                "there is no verb \"explode\"; there are promote, skip-step, promote-full, abort, rollback, retry, pause, resume",
            ),
        );
        check(&"x".repeat(257), Err("a verb is at most 256 characters long"));
    }

    proptest! {
        #[test]
        fn any_value_is_parsed_or_refused(value in ".{0,300}") {
            let _ = Request::parse(&value);
        }
    }
}
