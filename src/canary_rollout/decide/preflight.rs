//! What speaks against a rollout, told all at once before it starts.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Facts,
    idle::served_lately,
    plan::{Plan, Revisit},
    release::{Unusable, Wanted, tell, why},
    situation::{FLIGHT_POLL, Situation},
};
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{PREFLIGHT_MAX, Phase, PreflightFinding, Severity},
        fit::IGNORED_ALARMS_MAX,
    },
    canary_rollout::memory::Memory,
    error::clean,
    facts::{
        codedeploy::{AliasDeployment, Stage},
        lambda::{FunctionState, FunctionVersion},
        runtimes,
    },
};

/// How long before its deprecation a runtime is worth a warning: time for a release or two.
const RUNTIME_NOTICE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is read before a rollout starts, and only then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preflight {
    /// The version that is to be released; none where it is not known.
    pub new: Option<FunctionVersion>,
    /// The version that the alias serves; none where it is not known.
    pub stable: Option<FunctionVersion>,
    /// Why the version that the alias serves could not be read; none where it could.
    pub unread: Option<String>,
    /// Invocations lately; none where CloudWatch did not tell.
    pub traffic: Option<Traffic>,
    /// Deployments of CodeDeploy to the alias lately, newest first; none where they were not read.
    pub deployments: Vec<AliasDeployment>,
    /// Why they were not read.
    pub deployments_unread: Option<String>,
}

/// Invocations of the last hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Of the function, however it was called.
    pub function: f64,
    /// Through the alias.
    pub alias: f64,
}

/// Reason of the plan of a pass that has not looked yet: it is never published.
pub const UNCHECKED: &str = "Preflight";

/// Something that speaks against a rollout.
struct Found {
    /// Whether it keeps the rollout from starting.
    effect: Effect,
    reason: &'static str,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing starts until a person changes something.
    Stops,
    /// Nothing starts until it is over.
    Delays,
    /// It is told.
    Warns,
}

impl Found {
    fn stops(reason: &'static str, message: String) -> Self {
        Self { effect: Effect::Stops, reason, message }
    }

    fn warns(reason: &'static str, message: String) -> Self {
        Self { effect: Effect::Warns, reason, message }
    }

    fn told(self) -> PreflightFinding {
        let severity = match self.effect {
            Effect::Stops | Effect::Delays => Severity::Blocking,
            Effect::Warns => Severity::Warning,
        };
        PreflightFinding { severity, reason: self.reason.into(), message: self.message }
    }
}

/// What follows from a look.
pub(super) struct Cleared {
    /// Alarms that fire and are ignored until they are OK.
    pub(super) ignored_alarms: Vec<String>,
    /// What does not keep the rollout from starting.
    pub(super) warnings: Vec<PreflightFinding>,
}

/// Whether a release was served so lately that nothing closes the way back to it.
#[must_use]
pub fn is_way_back(facts: &Facts, memory: &Memory, now: Timestamp) -> bool {
    let situation = Situation::new(facts, memory.clone(), now);
    facts.wanted.as_ref().is_ok_and(|wanted| served_lately(&situation, wanted))
}

/// Whether a rollout may start.
///
/// # Errors
///
/// The plan that tells why not.
pub(super) fn check(situation: &Situation<'_>, wanted: &Wanted) -> Result<Cleared, Box<Plan>> {
    let Some(preflight) = &situation.facts.preflight else {
        let message = format!("looks at version {} before it starts", wanted.version);
        let report = situation.report(Phase::Pending, UNCHECKED, message);
        return Err(Box::new(situation.plan(report, Revisit::Now)));
    };
    // A way back must be open while the alarm fires that is the reason for it.
    let lately = served_lately(situation, wanted);
    let (mut found, ignored_alarms) = alarms(situation, lately);
    let mixes = !lately && wanted.steps.weight_at(wanted.steps.len()) > 0;
    found.extend(unread(situation, preflight));
    found.extend(stable_failed(situation, preflight));
    found.extend(versions(situation, preflight, mixes));
    found.extend(traffic(situation, preflight));
    found.extend(codedeploy(situation, preflight));
    match blocked(situation, found, &format!("version {}", wanted.version)) {
        Ok(warnings) => Ok(Cleared { ignored_alarms, warnings }),
        Err(plan) => Err(plan),
    }
}

/// A release that cannot be served, with everything else that speaks against it as far as it is
/// known. In flight it starts nothing, so nothing else matters.
pub(super) fn unusable(situation: &Situation<'_>, unusable: &Unusable) -> Plan {
    let mut plan = tell(situation, unusable);
    if situation.memory.flight.is_some() {
        return plan;
    }
    let effect = if unusable.phase == Phase::Invalid { Effect::Stops } else { Effect::Delays };
    let (reason, message) = (unusable.reason, unusable.message.clone());
    let mut found = vec![Found { effect, reason, message }];
    if situation.facts.alarms.is_some() {
        found.extend(alarms(situation, false).0);
    }
    let alone = found.len() == 1;
    if let Err(told) = blocked(situation, found, "the release") {
        plan.findings = told.findings;
        // What it says alone it says in its own words.
        if !alone {
            plan.report = told.report;
        }
    }
    plan
}

/// The warnings, or the plan that tells what keeps the release from starting.
fn blocked(
    situation: &Situation<'_>,
    found: Vec<Found>,
    release: &str,
) -> Result<Vec<PreflightFinding>, Box<Plan>> {
    let (warnings, blocking): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| found.effect == Effect::Warns);
    let Some(first) = blocking.first() else {
        return Ok(warnings.into_iter().map(Found::told).take(PREFLIGHT_MAX).collect());
    };
    let alike = blocking.iter().all(|found| found.reason == first.reason);
    let reason = if alike { first.reason } else { "PreflightFailed" };
    let words: Vec<&str> = blocking.iter().map(|found| found.message.as_str()).collect();
    let words = match words.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{} reasons: {}", several.len(), several.join("; ")),
    };
    let (phase, message) = match blocking.iter().any(|found| found.effect == Effect::Stops) {
        true if blocking.len() == 1 => (Phase::Invalid, words),
        true => (Phase::Invalid, format!("{release} cannot start for {words}")),
        false => (Phase::Pending, format!("waits to start: {words}")),
    };
    let report = situation.report(phase, reason, message);
    let mut plan = situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL)));
    let findings = blocking.into_iter().chain(warnings).map(Found::told);
    plan.findings = Some(findings.take(PREFLIGHT_MAX).collect());
    Err(Box::new(plan))
}

/// What the alarms say, and which of them are ignored at first.
fn alarms(situation: &Situation<'_>, lately: bool) -> (Vec<Found>, Vec<String>) {
    let terms = situation.facts.terms.as_ref();
    let Some(alarms) = terms.and_then(|terms| terms.criteria.alarms.as_ref()) else {
        return (Vec::new(), Vec::new());
    };
    // What cannot be told apart from an alarm that fires must not close the way back, either.
    let effect = |effect| if lately { Effect::Warns } else { effect };
    let unreadable = |message: String| {
        let effect = effect(Effect::Delays);
        // One that may fire already is no news afterwards.
        let ignored = if lately { alarms.names.clone() } else { Vec::new() };
        (vec![Found { effect, reason: "AlarmsUnreadable", message }], ignored)
    };
    let report = match &situation.facts.alarms {
        Some(Ok(report)) => report,
        Some(Err(why)) => return unreadable(format!("the alarms cannot be read: {why}")),
        None => return unreadable("the alarms were not read".into()),
    };
    let missing = report.missing.iter().map(|name| {
        let message = format!(
            "there is no alarm {name}: create it, or correct spec.analysis.alarms; a missing alarm would never fire"
        );
        Found { effect: effect(Effect::Stops), reason: "AlarmNotFound", message }
    });
    let blocks = alarms.already_firing == AlreadyFiring::Block && !lately;
    let count = report.firing.len();
    // One that is left out of those that are ignored would take the release back at once.
    let many = (!blocks && count > IGNORED_ALARMS_MAX).then(|| {
        let message = format!(
            "{count} alarms are in ALARM, and at most {IGNORED_ALARMS_MAX} can be ignored: name fewer in spec.analysis.alarms"
        );
        Found { effect: Effect::Delays, reason: "AlarmAlreadyFiring", message }
    });
    let firing = report.firing.iter().filter(|_| blocks).map(|name| {
        let message = format!(
            "alarm {name} is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore"
        );
        Found { effect: Effect::Delays, reason: "AlarmAlreadyFiring", message }
    });
    (missing.chain(firing).chain(many).collect(), report.firing.clone())
}

/// The version that the alias serves cannot be read, which keeps nothing from going back.
fn unread(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let why = preflight.unread.as_ref()?;
    let version = &situation.facts.alias.as_ref()?.version;
    let message = format!("version {version}, which is left, cannot be read: {why}");
    Some(Found::warns("StableUnreadable", message))
}

/// Lambda cannot run the version that the alias serves. A release may be what mends that, so it goes on.
fn stable_failed(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let stable = preflight.stable.as_ref().filter(|one| one.state == FunctionState::Failed)?;
    let (version, alias) = (&stable.version, &situation.facts.alias_name);
    let why = why(&stable.state_reason);
    let message = format!(
        "version {version}, which alias {alias} serves, is Failed in Lambda: {why}; a rollback would go back to a version that Lambda cannot run"
    );
    Some(Found::warns("StableCannotRun", message))
}

/// What the two versions have that does not go together. `mixes`: both share the alias by weight.
fn versions(situation: &Situation<'_>, preflight: &Preflight, mixes: bool) -> Vec<Found> {
    let (Some(new), Some(stable)) = (&preflight.new, &preflight.stable) else { return Vec::new() };
    let both = format!("versions {} and {}", stable.version, new.version);
    let way = "publish the version with the same one, or release it without steps (preset AllAtOnce): Lambda lets them share no alias";
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
    let (old, now) = (architecture(stable), architecture(new));
    if old != now {
        let message = format!("{both} run on {old} and {now}: their durations do not compare");
        found.push(Found::warns("ArchitectureDiffers", message));
    }
    found.extend(runtime(situation, new));
    found.extend(stack(situation, new));
    found
}

/// Lambda tells the architecture only where it is not the first one that there was.
fn architecture(version: &FunctionVersion) -> &str {
    version.architectures.first().map_or("x86_64", String::as_str)
}

fn runtime(situation: &Situation<'_>, new: &FunctionVersion) -> Option<Found> {
    let runtime = new.runtime.as_ref()?;
    let day = runtimes::deprecated_on(runtime)?;
    let soon = situation.later(RUNTIME_NOTICE).to_zoned(TimeZone::UTC).date();
    let message = format!(
        "version {} has the runtime {runtime}, which AWS deprecates on {day}; after that it runs on, but cannot be updated for long",
        new.version
    );
    (day <= soon).then(|| Found::warns("RuntimeDeprecated", message))
}

fn stack(situation: &Situation<'_>, new: &FunctionVersion) -> Option<Found> {
    let stack = new.stack.as_ref()?;
    let (function, alias) = (&situation.facts.function, &situation.facts.alias_name);
    let message = format!(
        "function {function} belongs to the CloudFormation stack {stack}: if its template names alias {alias}, too, a deployment moves the alias"
    );
    Some(Found::warns("ManagedByCloudFormation", message))
}

fn traffic(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let Traffic { function, alias } = preflight.traffic?;
    let name = &situation.facts.alias_name;
    let message = format!(
        "{} was called in the last hour, but never through alias {name}: callers that do not name the alias get nothing of a release",
        situation.facts.function
    );
    (function > 0.0 && alias <= 0.0).then(|| Found::warns("AliasWithoutTraffic", message))
}

/// What CodeDeploy does to the alias now, else what it did last.
fn codedeploy(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let alias = &situation.facts.alias_name;
    let deployments = &preflight.deployments;
    let moving = deployments.iter().find(|one| one.stage == Stage::UnderWay);
    let one = moving.or(deployments.first())?;
    let (id, application) = (clean(&one.id), clean(&one.application));
    let group = one.group.as_ref().map(|group| format!(", deployment group {}", clean(group)));
    let group = group.unwrap_or_default();
    let whose = format!("deployment {id} of CodeDeploy (application {application}{group})");
    if moving.is_some() {
        let message = format!(
            "{whose} moves alias {alias} now: this starts once that is over; aws deploy stop-deployment --deployment-id {id} ends it sooner"
        );
        return Some(Found { effect: Effect::Delays, reason: "CodeDeployInProgress", message });
    }
    let day = one.created.to_zoned(TimeZone::UTC).date();
    let message = format!(
        "{whose} was made for alias {alias} on {day}: the next one moves the alias, too; take DeploymentPreference out of the template, or delete the deployment group"
    );
    Some(Found::warns("ManagedByCodeDeploy", message))
}
