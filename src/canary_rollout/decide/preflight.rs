//! What speaks against a rollout, told all at once: before its release is published, and before it
//! starts.

mod versions;

use jiff::{Timestamp, tz::TimeZone};

pub use versions::Coming;

use super::{
    Facts, checks,
    idle::served_lately,
    plan::{Plan, Revisit},
    publish::describe,
    release::{Draft, Unready, Unusable, Wanted, tell},
    situation::{FLIGHT_POLL, Situation},
};
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{PREFLIGHT_MAX, Phase, PreflightFinding, Severity},
        fit::IGNORED_ALARMS_MAX,
    },
    canary_rollout::{memory::Memory, rollout::Steps},
    error::clean,
    facts::{
        codedeploy::{AliasDeployment, Stage},
        lambda::FunctionVersion,
        scaling::ScalableTarget,
    },
};

/// What is read before a rollout starts or its release is published, and only then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preflight {
    /// The version that is to be released; none where nothing is known of it.
    pub new: Option<Coming>,
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
    /// How Application Auto Scaling scales the provisioned concurrency of the alias, where both
    /// versions are to share it; none where it does not, or was not read.
    pub scaling: Option<ScalableTarget>,
    /// Why it was not read.
    pub scaling_unread: Option<String>,
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
    asked(facts).is_some_and(|(revision, _)| served_lately(&situation, revision))
}

/// Whether the release shares the alias with the version that it follows.
#[must_use]
pub fn mixes(facts: &Facts, memory: &Memory, now: Timestamp) -> bool {
    let situation = Situation::new(facts, memory.clone(), now);
    asked(facts).is_some_and(|(revision, steps)| shared(&situation, revision, steps))
}

/// Revision and steps of the release that may start, or is to be published.
fn asked(facts: &Facts) -> Option<(&str, &Steps)> {
    match &facts.wanted {
        Ok(wanted) => Some((wanted.revision.as_str(), &wanted.steps)),
        Err(Unready::Unpublished(draft)) => Some((draft.revision.as_str(), &draft.steps)),
        Err(Unready::Unusable(_) | Unready::Unread(_)) => None,
    }
}

fn shared(situation: &Situation<'_>, revision: &str, steps: &Steps) -> bool {
    steps.mix() && !served_lately(situation, revision)
}

/// Whether a rollout may start. Where it may not, what its checks say is told, too, if it is `checked`.
///
/// # Errors
///
/// The plan that tells why not.
pub(super) fn before_start(
    situation: &Situation<'_>,
    wanted: &Wanted,
    checked: bool,
) -> Result<Cleared, Box<Plan>> {
    let release = format!("version {}", wanted.version);
    let Some(preflight) = &situation.facts.preflight else {
        return Err(unchecked(situation, format!("looks at {release} before it starts")));
    };
    let (mut found, ignored_alarms) = look(situation, preflight, &wanted.revision, &wanted.steps);
    let stays = checked && found.iter().any(|found| found.effect != Effect::Warns);
    let waiting = if stays { checks::beside(situation) } else { None };
    if let Some(waiting) = &waiting {
        found.extend(waiting.broken.iter().map(|(reason, message)| Found {
            effect: Effect::Delays,
            reason,
            message: message.clone(),
        }));
    }
    match (blocked(situation, found, &release), waiting) {
        (Ok(warnings), _) => Ok(Cleared { ignored_alarms, warnings }),
        (Err(plan), Some(waiting)) => Err(Box::new(waiting.told(*plan))),
        (Err(plan), None) => Err(plan),
    }
}

/// Whether a release may be published: the warnings. What is known only of a version is left for the
/// start.
///
/// # Errors
///
/// The plan that tells why not.
pub(super) fn before_publishing(
    situation: &Situation<'_>,
    draft: &Draft,
) -> Result<Vec<PreflightFinding>, Box<Plan>> {
    let Some(preflight) = &situation.facts.preflight else {
        let release = describe(&draft.release);
        return Err(unchecked(situation, format!("looks at {release} before it is published")));
    };
    let (found, _) = look(situation, preflight, &draft.revision, &draft.steps);
    blocked(situation, found, "the release")
}

fn unchecked(situation: &Situation<'_>, message: String) -> Box<Plan> {
    let report = situation.report(Phase::Pending, UNCHECKED, message);
    Box::new(situation.plan(report, Revisit::Now))
}

/// What speaks against a release, and the alarms that are ignored at first.
fn look(
    situation: &Situation<'_>,
    preflight: &Preflight,
    revision: &str,
    steps: &Steps,
) -> (Vec<Found>, Vec<String>) {
    // A way back must be open while the alarm fires that is the reason for it.
    let lately = served_lately(situation, revision);
    let (mut found, ignored_alarms) = alarms(situation, lately);
    found.extend(versions::unread(situation, preflight));
    found.extend(versions::stable_failed(situation, preflight));
    let mixes = shared(situation, revision, steps);
    found.extend(versions::compare(situation, preflight, mixes));
    found.extend(traffic(situation, preflight));
    found.extend(codedeploy(situation, preflight));
    found.extend(scaling(situation, preflight));
    (found, ignored_alarms)
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
    if alone && unusable.phase == Phase::Publishing {
        // It was looked at before: what was told then stays while Lambda is at work.
        return plan;
    }
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

/// Lambda refuses what Application Auto Scaling asks for while the alias has weights.
fn scaling(situation: &Situation<'_>, preflight: &Preflight) -> Option<Found> {
    let ScalableTarget { least, most, .. } = preflight.scaling.as_ref()?;
    let alias = &situation.facts.alias_name;
    let message = format!(
        "Application Auto Scaling keeps the provisioned concurrency of alias {alias} between {least} and {most}, and cannot change it while the alias has weights; raise it before the release, or release without steps (preset AllAtOnce)"
    );
    Some(Found::warns("ManagedByAutoScaling", message))
}
