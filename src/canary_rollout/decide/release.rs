//! Which release the spec asks for, and whether it can be released at all.

use super::{
    plan::{Plan, Revisit},
    preflight,
    situation::{FLIGHT_POLL, PENDING_POLL, Situation},
    unread::{self, Unread},
};
use crate::{
    api::{canary_rollout::Phase, duration::Duration},
    canary_rollout::rollout::{InvalidSpec, Release, Rollout, Source, Steps},
    facts::lambda::{FunctionState, FunctionVersion, LastUpdate, Snapshot},
};

/// What Lambda says about the release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// `$LATEST`; none when it was not asked for, or there is no such function.
    pub latest: Option<FunctionVersion>,
    /// The version.
    pub version: VersionFact,
}

/// What Lambda says about the version of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionFact {
    /// There is none yet, or it is gone.
    #[default]
    Missing,
    /// It exists.
    Found(Box<FunctionVersion>),
    /// It is in flight: it was read when its rollout started, and published code never changes.
    InFlight {
        /// Version number.
        version: String,
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
    /// Whether it is what `$LATEST` holds, which may change at any time.
    pub follows_latest: bool,
    /// How it gets there.
    pub steps: Steps,
}

/// Why a rollout cannot start yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unready {
    /// There is nothing to release.
    Unusable(Unusable),
    /// The release is no version yet.
    Unpublished(Box<Draft>),
    /// It could not be read.
    Unread(Unread),
}

impl From<Unread> for Unready {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<Unusable> for Unready {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(unusable)
    }
}

/// Why there is nothing to release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// `Invalid`, or a phase that time alone may end.
    pub phase: Phase,
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence, with what to do.
    pub message: String,
}

/// A release that is to be published first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Revision that it becomes.
    pub revision: String,
    /// What it is made of.
    pub release: Release,
    /// How it gets to everybody once it is a version.
    pub steps: Steps,
}

/// Judges the release of a spec by what Lambda says about it.
///
/// # Errors
///
/// [`Unready`] when the spec cannot work, or the version is missing, not ready, or another one than
/// `codeSha256` says; or when it must be published first.
pub fn wanted(
    rollout: Result<&Rollout, &InvalidSpec>,
    facts: &ReleaseFacts,
) -> Result<Wanted, Unready> {
    let rollout = rollout.map_err(|error| stuck("InvalidSpec", error.to_string()))?;
    let (function, release) = (&rollout.function, &rollout.release);
    let (version, code_sha256, timeout) = match &facts.version {
        VersionFact::InFlight { version, code_sha256 } => (version, code_sha256, None),
        VersionFact::Found(found) => {
            if release.source == Source::Latest {
                held(function, release, facts.latest.as_ref())?;
            }
            ready(function, release, found)?;
            let timeout = Duration::from_secs(found.timeout_secs);
            (&found.version, &found.code_sha256, Some(timeout))
        }
        VersionFact::Missing => return Err(missing(rollout, facts.latest.as_ref())),
    };
    guard(&format!("version {version} of {function}"), release, code_sha256)?;
    let latest = facts.latest.as_ref().filter(|_| release.source == Source::Latest);
    Ok(Wanted {
        revision: release.revision(code_sha256, latest),
        version: version.clone(),
        code_sha256: code_sha256.clone(),
        timeout,
        follows_latest: release.source == Source::Latest,
        steps: rollout.steps.clone(),
    })
}

/// There is no version of the release: it is published, or it is a mistake.
fn missing(rollout: &Rollout, latest: Option<&FunctionVersion>) -> Unready {
    let Rollout { function, release, steps, .. } = rollout;
    let version = match &release.source {
        Source::Version(version) => {
            let message = format!(
                "function {function} has no version {version}; publish it or correct spec.release.version"
            );
            return stuck("VersionNotFound", message).into();
        }
        Source::Latest | Source::Code(_) => latest,
    };
    let Some(latest) = version else {
        let message = format!("there is no function {function}; create it, or correct the name");
        return stuck("FunctionNotFound", message).into();
    };
    let code_sha256 = &latest.code_sha256;
    let revision = match release.source {
        Source::Latest => match held(function, release, Some(latest)) {
            Ok(()) => release.revision(code_sha256, Some(latest)),
            Err(unusable) => return unusable.into(),
        },
        Source::Version(_) | Source::Code(_) => release.revision(code_sha256, None),
    };
    let (release, steps) = (release.clone(), steps.clone());
    Unready::Unpublished(Box::new(Draft { revision, release, steps }))
}

/// Whether what `$LATEST` holds is known, and what the guard says.
fn held(
    function: &str,
    release: &Release,
    latest: Option<&FunctionVersion>,
) -> Result<(), Unusable> {
    let Some(latest) = latest else { return Ok(()) };
    if latest.last_update == LastUpdate::InProgress || latest.state == FunctionState::Pending {
        let message = format!("waits for Lambda to finish the update of $LATEST of {function}");
        let (phase, reason) = (Phase::Publishing, "UpdateInProgress");
        return Err(Unusable { phase, reason, message });
    }
    if latest.last_update == LastUpdate::Failed && release.settings.are_those_of(latest) {
        return Err(update_failed(function, latest));
    }
    if !latest.environment_readable {
        let message = format!(
            "Lambda does not show the environment variables of {function} to this role, so a change of theirs would be missed; allow it kms:Decrypt with the function's key"
        );
        return Err(stuck("EnvironmentUnreadable", message));
    }
    guard(&format!("$LATEST of {function}"), release, &latest.code_sha256)
}

/// The last update of `$LATEST` failed.
pub(super) fn update_failed(function: &str, latest: &FunctionVersion) -> Unusable {
    let why = why(&latest.last_update_reason);
    let message = format!(
        "the last update of $LATEST of {function} failed: {why}; mend it and update the function again"
    );
    stuck("UpdateFailed", message)
}

/// Whether code is what `spec.release.codeSha256` says.
pub(super) fn guard(what: &str, release: &Release, code_sha256: &str) -> Result<(), Unusable> {
    if release.code_sha256.as_ref().is_none_or(|sha| sha == code_sha256) {
        return Ok(());
    }
    let message =
        format!("{what} has CodeSha256 {code_sha256}, not the one in spec.release.codeSha256");
    Err(stuck("CodeSha256Mismatch", message))
}

fn stuck(reason: &'static str, message: String) -> Unusable {
    Unusable { phase: Phase::Invalid, reason, message }
}

/// Lambda's reason in a sentence.
pub(super) fn why(reason: &str) -> &str {
    if reason.is_empty() { "no reason given" } else { reason }
}

/// Whether Lambda can run a version.
pub(super) fn ready(
    function: &str,
    release: &Release,
    found: &FunctionVersion,
) -> Result<(), Unusable> {
    let version = &found.version;
    let why = why(&found.state_reason);
    let pending = |message| {
        let phase = match release.source {
            Source::Version(_) => Phase::Pending,
            Source::Latest | Source::Code(_) => Phase::Publishing,
        };
        Err(Unusable { phase, reason: "VersionPending", message })
    };
    match (&found.state, found.snapshot) {
        (FunctionState::Active, Snapshot::Pending)
        | (FunctionState::Pending, Snapshot::Pending) => {
            pending(format!("SnapStart takes the snapshot of version {version} of {function}"))
        }
        (FunctionState::Pending, Snapshot::NotWanted | Snapshot::Ready) => {
            pending(format!("version {version} of {function} is still Pending in Lambda"))
        }
        (FunctionState::Active, Snapshot::NotWanted | Snapshot::Ready)
        | (FunctionState::Inactive, _) => Ok(()),
        (FunctionState::Failed, _) => {
            let message = format!("version {version} of {function} is Failed in Lambda: {why}");
            Err(stuck("VersionFailed", message))
        }
        (FunctionState::Other(state), _) => {
            let message = format!("version {version} of {function} is {state} in Lambda: {why}");
            Err(stuck("VersionNotReady", message))
        }
    }
}

/// Rule: nothing can be released. What is in flight stays where it is.
pub(super) fn unusable(situation: &Situation<'_>) -> Option<Plan> {
    match situation.facts.wanted.as_ref().err()? {
        Unready::Unusable(unusable) => Some(preflight::unusable(situation, unusable)),
        Unready::Unread(unread) => Some(unread::stay(situation, unread)),
        Unready::Unpublished(_) => None,
    }
}

/// The plan that tells why a release cannot be served yet.
pub(super) fn tell(situation: &Situation<'_>, unusable: &Unusable) -> Plan {
    let poll = if unusable.phase == Phase::Invalid { FLIGHT_POLL } else { PENDING_POLL };
    let message = situation.beside_flight(unusable.message.clone());
    let report = situation.report(unusable.phase, unusable.reason, message);
    situation.plan(report, Revisit::At(situation.later(poll)))
}
