//! Which release the spec asks for, and whether it can be released at all.

use super::{
    plan::{Plan, Revisit},
    situation::{FLIGHT_POLL, PENDING_POLL, Situation},
};
use crate::{
    api::{canary_rollout::Phase, duration::Duration},
    canary_rollout::rollout::{InvalidSpec, Rollout, Steps},
    facts::lambda::{FunctionState, FunctionVersion},
    names,
};

/// What Lambda says about the version that the spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseFact {
    /// There is no such version.
    Missing,
    /// It exists.
    Found(FunctionVersion),
    /// It is in flight: it was read when its rollout started, and published code never changes.
    InFlight {
        /// Its CodeSha256.
        code_sha256: String,
    },
}

/// A release that can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Hash of CodeSha256 and version.
    pub revision: String,
    /// Version number.
    pub version: String,
    /// Its CodeSha256.
    pub code_sha256: String,
    /// The function's timeout in this version, where it is known.
    pub timeout: Option<Duration>,
    /// How it gets there.
    pub steps: Steps,
}

/// Why there is nothing to release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Whether time alone may mend it.
    pub pending: bool,
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence, with what to do.
    pub message: String,
}

/// Judges the release of a spec by what Lambda says about it.
///
/// # Errors
///
/// [`Unusable`] when the spec cannot work, or the version is missing, not ready, or another one
/// than `codeSha256` says.
pub fn wanted(
    rollout: Result<&Rollout, &InvalidSpec>,
    fact: &ReleaseFact,
) -> Result<Wanted, Unusable> {
    let rollout = rollout.map_err(|error| stuck("InvalidSpec", error.to_string()))?;
    let (function, version) = (&rollout.function, &rollout.release.version);
    let (code_sha256, timeout) = match fact {
        ReleaseFact::InFlight { code_sha256 } => (code_sha256, None),
        ReleaseFact::Found(found) => {
            ready(function, found)?;
            (&found.code_sha256, Some(Duration::from_secs(found.timeout_secs)))
        }
        ReleaseFact::Missing => {
            let message = format!(
                "function {function} has no version {version}; publish it or correct spec.release.version"
            );
            return Err(stuck("VersionNotFound", message));
        }
    };
    if rollout.release.code_sha256.as_ref().is_some_and(|sha| sha != code_sha256) {
        let message = format!(
            "version {version} of {function} has CodeSha256 {}, not the one in spec.release.codeSha256",
            code_sha256
        );
        return Err(stuck("CodeSha256Mismatch", message));
    }
    Ok(Wanted {
        revision: names::revision(&[code_sha256, "", version]),
        version: version.clone(),
        code_sha256: code_sha256.clone(),
        timeout,
        steps: rollout.steps.clone(),
    })
}

fn stuck(reason: &'static str, message: String) -> Unusable {
    Unusable { pending: false, reason, message }
}

/// Whether Lambda can run a version.
fn ready(function: &str, found: &FunctionVersion) -> Result<(), Unusable> {
    let version = &found.version;
    let why = if found.state_reason.is_empty() { "no reason given" } else { &found.state_reason };
    match &found.state {
        FunctionState::Active | FunctionState::Inactive => Ok(()),
        FunctionState::Pending => {
            let message = format!("version {version} of {function} is still Pending in Lambda");
            Err(Unusable { pending: true, reason: "VersionPending", message })
        }
        FunctionState::Failed => {
            let message = format!("version {version} of {function} is Failed in Lambda: {why}");
            Err(stuck("VersionFailed", message))
        }
        FunctionState::Other(state) => {
            let message = format!("version {version} of {function} is {state} in Lambda: {why}");
            Err(stuck("VersionNotReady", message))
        }
    }
}

/// Rule: nothing can be released. What is in flight stays where it is.
pub(super) fn unusable(situation: &Situation<'_>) -> Option<Plan> {
    let unusable = situation.facts.wanted.as_ref().err()?;
    let (phase, poll) = if unusable.pending {
        (Phase::Pending, PENDING_POLL)
    } else {
        (Phase::Invalid, FLIGHT_POLL)
    };
    let mut message = unusable.message.clone();
    if let (Some(canary), Some(weight)) = (situation.flying(), situation.weight()) {
        message = format!("{message}; version {} stays at {weight}%", canary.version);
    }
    let report = situation.report(phase, unusable.reason, message);
    Some(situation.plan(report, Revisit::At(situation.later(poll))))
}
