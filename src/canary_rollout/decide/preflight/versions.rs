//! What two versions have that does not go together, also while the new one is not published yet.

use jiff::{SignedDuration, tz::TimeZone};

use super::{Found, Preflight};
use crate::{
    canary_rollout::{
        decide::{
            Facts, Unready, VersionFact,
            release::{Draft, why},
            situation::Situation,
        },
        rollout::Source,
    },
    facts::{
        lambda::{FunctionState, FunctionVersion},
        runtimes,
    },
};

/// How long before its deprecation a runtime is worth a warning: time for a release or two.
const RUNTIME_NOTICE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is known of the version that is to be released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// ARN of the execution role.
    pub role: String,
    /// ARN of the dead-letter queue or topic.
    pub dead_letter_target: Option<String>,
    /// Instruction set in Lambda's word; none where the release may bring another one.
    pub architecture: Option<String>,
    /// Runtime in Lambda's word; none for images, and where the release may bring another one.
    pub runtime: Option<String>,
    /// CloudFormation stack that the function belongs to, where that is told.
    pub stack: Option<String>,
}

impl Coming {
    /// What is known of the release: of its version, else of what it will be published from.
    #[must_use]
    pub fn known(version: &VersionFact, facts: &Facts) -> Option<Self> {
        match (version, &facts.wanted, &facts.latest) {
            (VersionFact::Found(found), _, _) => Some(Self::from(&**found)),
            (VersionFact::Missing, Err(Unready::Unpublished(draft)), Some(latest)) => {
                Some(Self::of_draft(draft, latest))
            }
            (VersionFact::Missing | VersionFact::InFlight { .. }, _, _) => None,
        }
    }

    /// Code and settings are put in force before it is published; everything else is taken from
    /// `$LATEST`.
    fn of_draft(draft: &Draft, latest: &FunctionVersion) -> Self {
        let configured = draft.release.settings.runtime.clone();
        let held = Self::from(latest);
        match &draft.release.source {
            Source::Code(_) => Self { architecture: None, runtime: configured, ..held },
            Source::Version(_) | Source::Latest => {
                Self { runtime: configured.or(held.runtime), ..held }
            }
        }
    }
}

impl From<&FunctionVersion> for Coming {
    fn from(version: &FunctionVersion) -> Self {
        Self {
            role: version.role.clone(),
            dead_letter_target: version.dead_letter_target.clone(),
            architecture: Some(architecture(version).to_owned()),
            runtime: version.runtime.clone(),
            stack: version.stack.clone(),
        }
    }
}

/// Lambda tells the architecture only where it is not the first one that there was.
fn architecture(version: &FunctionVersion) -> &str {
    version.architectures.first().map_or("x86_64", String::as_str)
}

/// The version that the alias serves cannot be read, which keeps nothing from going back.
pub(super) fn unread(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let why = preflight.unread.as_ref()?;
    let version = &situation.facts.alias.as_ref()?.version;
    let message = format!("version {version}, which is left, cannot be read: {why}");
    Some(Found::warns("StableUnreadable", message))
}

/// Lambda cannot run the version that the alias serves. A release may be what mends that, so it goes on.
pub(super) fn stable_failed(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let stable = preflight.stable.as_ref().filter(|one| one.state == FunctionState::Failed)?;
    let (version, alias) = (&stable.version, &situation.facts.alias_name);
    let why = why(&stable.state_reason);
    let message = format!(
        "version {version}, which alias {alias} serves, is Failed in Lambda: {why}; a rollback would go back to a version that Lambda cannot run"
    );
    Some(Found::warns("StableCannotRun", message))
}

/// What the release and the version that it follows have that does not go together. `mixes`: both
/// share the alias by weight.
pub(super) fn compare(situation: &Situation<'_>, preflight: &Preflight, mixes: bool) -> Vec<Found> {
    let (Some(new), Some(stable)) = (&preflight.new, &preflight.stable) else { return Vec::new() };
    let both = format!("version {} and the release", stable.version);
    let way = "publish it with the same one, or release it without steps (preset AllAtOnce): Lambda lets them share no alias";
    let mut found = Vec::new();
    if mixes && new.role != stable.role {
        let (old, new) = (&stable.role, &new.role);
        let message = format!("{both} have different execution roles, {old} and {new}: {way}");
        found.push(Found::stops("RoleMismatch", message));
    }
    if mixes && new.dead_letter_target != stable.dead_letter_target {
        let name = |target: &Option<String>| target.clone().unwrap_or_else(|| "none".into());
        let (old, new) = (name(&stable.dead_letter_target), name(&new.dead_letter_target));
        let message = format!("{both} have different dead-letter queues, {old} and {new}: {way}");
        found.push(Found::stops("DeadLetterMismatch", message));
    }
    let old = architecture(stable);
    if let Some(now) = new.architecture.as_ref().filter(|now| *now != old) {
        let message = format!("{both} run on {old} and {now}: their durations do not compare");
        found.push(Found::warns("ArchitectureDiffers", message));
    }
    found.extend(runtime(situation, new));
    found.extend(stack(situation, new));
    found
}

fn runtime(situation: &Situation<'_>, new: &Coming) -> Option<Found> {
    let runtime = new.runtime.as_ref()?;
    let day = runtimes::deprecated_on(runtime)?;
    let soon = situation.later(RUNTIME_NOTICE).to_zoned(TimeZone::UTC).date();
    let message = format!(
        "the release has the runtime {runtime}, which AWS deprecates on {day}; after that it runs on, but cannot be updated for long"
    );
    (day <= soon).then(|| Found::warns("RuntimeDeprecated", message))
}

fn stack(situation: &Situation<'_>, new: &Coming) -> Option<Found> {
    let stack = new.stack.as_ref()?;
    let (function, alias) = (&situation.facts.function, &situation.facts.alias_name);
    let message = format!(
        "function {function} belongs to the CloudFormation stack {stack}: if its template names alias {alias}, too, a deployment moves the alias"
    );
    Some(Found::warns("ManagedByCloudFormation", message))
}
