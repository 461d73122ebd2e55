//! The status as users read it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{
    decide::{AUDIT, Plan, Report},
    memory::{Canary, Flight, Memory},
};
use crate::{
    api::{
        analysis::{MetricStatus, Verdict},
        canary_rollout::{
            AliasStatus, CanaryRolloutStatus, CanaryVersion, Phase, PreflightFinding, Severity,
            StableVersion, StepStatus,
        },
        fit::Fit as _,
    },
    error::{Remedy, clean, without_request},
    status::conditions::{self, Readiness, Statement},
};

mod notes;
#[cfg(test)]
mod tests;

pub use notes::notes;

/// Failed passes in a row after which a failure that may mend itself is told.
const FAILURES_TOLD: u32 = 3;

/// How a pass went.
#[derive(Debug)]
pub struct Attempt {
    /// The plan, if there was enough to make one.
    pub plan: Option<Plan>,
    /// What stopped the pass, if something did.
    pub failure: Option<Failure>,
    /// Region and account, once they are resolved.
    pub place: Option<(String, String)>,
}

/// What stopped a pass.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Who must move next.
    pub remedy: Remedy,
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
    /// How many passes in a row failed, this one included.
    pub in_a_row: u32,
}

/// Builds the status after a pass.
#[must_use]
pub fn summarize(
    old: Option<&CanaryRolloutStatus>,
    generation: Option<i64>,
    attempt: &Attempt,
    now: Timestamp,
) -> CanaryRolloutStatus {
    let old = old.cloned().unwrap_or_default();
    let mut status = match &attempt.plan {
        Some(plan) if plan.unread.is_some() => as_told(&old, planned(&old, plan, generation, now)),
        Some(plan) => planned(&old, plan, generation, now),
        None => old.clone(),
    };
    if let Some((region, account)) = &attempt.place {
        status.region = Some(region.clone());
        status.account_id = Some(account.clone());
    }
    if let Some(failure) = &attempt.failure {
        tell_failure(&mut status, &old, failure, generation, now);
    }
    status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    status.fit();
    status
}

fn planned(
    old: &CanaryRolloutStatus,
    plan: &Plan,
    generation: Option<i64>,
    now: Timestamp,
) -> CanaryRolloutStatus {
    let Plan {
        memory,
        report,
        actions: _,
        finalizer: _,
        notes: _,
        revisit: _,
        needs: _,
        spared: _,
        findings: _,
        not_after: _,
        unread: _,
        ahead,
    } = plan;
    let Memory {
        revision,
        stable,
        canary,
        flight,
        publishing,
        pruned,
        ignored_alarms,
        paused_at,
        history,
        last_action,
        answered,
        checks,
        conflict,
        put_backs,
    } = memory.clone();
    let told = statements(&old.conditions, memory, report);
    CanaryRolloutStatus {
        observed_generation: generation,
        region: old.region.clone(),
        account_id: old.account_id.clone(),
        phase: Some(report.phase),
        message: Some(clean(&report.message)),
        revision,
        stable: stable.map(|version| StableVersion { version }),
        canary: canary.map(|canary| version(canary, report, old)),
        publishing: publishing.map(Into::into),
        pruned,
        step: flight.as_ref().map(|flight| step(flight, report)),
        steps: flight.as_ref().map(|flight| flight.steps.to_api()).unwrap_or_default(),
        held: flight.as_ref().and_then(|flight| flight.held.clone()),
        analysis: analysis(old, memory),
        ending: flight.and_then(|flight| flight.ending),
        checks,
        ignored_alarms,
        paused_at: paused_at.map(Time),
        conflict,
        put_backs,
        alias: report.alias_revision.clone().map(|revision_id| AliasStatus { revision_id }),
        history,
        notices: old.notices.clone(),
        notice_failures: old.notice_failures.clone(),
        happened: old.happened.clone(),
        preflight: preflight(old, plan),
        plan: ahead.iter().map(|line| clean(line)).collect(),
        last_action,
        answered,
        conditions: conditions::merge(&old.conditions, told, generation, now),
    }
}

/// What was told stays where a rule lacked something; what is remembered does not.
fn as_told(old: &CanaryRolloutStatus, planned: CanaryRolloutStatus) -> CanaryRolloutStatus {
    let same = |new: &StepStatus, old: &StepStatus| {
        (new.index, &new.entered_at) == (old.index, &old.entered_at)
    };
    let step = planned.step.map(|new| match &old.step {
        Some(old) if same(&new, old) => StepStatus { hold_until: old.hold_until.clone(), ..new },
        Some(_) | None => new,
    });
    CanaryRolloutStatus {
        observed_generation: old.observed_generation,
        phase: old.phase,
        message: old.message.clone(),
        preflight: old.preflight.clone(),
        plan: old.plan.clone(),
        conditions: old.conditions.clone(),
        step,
        ..planned
    }
}

fn version(canary: Canary, report: &Report, old: &CanaryRolloutStatus) -> CanaryVersion {
    let known = old.canary.as_ref().map_or(0, |canary| canary.weight);
    let weight = report.weight.unwrap_or(known);
    let Canary { version, code_sha256, timeout, started_at } = canary;
    CanaryVersion { version, code_sha256, timeout, weight, started_at: Time(started_at) }
}

/// What the metrics say. How it was when it ended stays to be looked at until the next release starts.
fn analysis(old: &CanaryRolloutStatus, memory: &Memory) -> Vec<MetricStatus> {
    match &memory.flight {
        Some(flight) => flight.analysis.clone(),
        None if old.revision == memory.revision => old.analysis.clone(),
        None => Vec::new(),
    }
}

/// What speaks against the release. What was told before it was published, and before the start, stays
/// to be looked at until the end.
fn preflight(old: &CanaryRolloutStatus, plan: &Plan) -> Vec<PreflightFinding> {
    let Memory { revision, flight, publishing, .. } = &plan.memory;
    // Beside a flight it is the next release that is published.
    let published = publishing.as_ref().is_some_and(|publishing| {
        revision.as_ref().is_none_or(|revision| *revision == publishing.revision)
    });
    let stays = old.revision == *revision && (flight.is_some() || published);
    let cleaned = |finding: &PreflightFinding| PreflightFinding {
        message: clean(&finding.message),
        ..finding.clone()
    };
    match &plan.findings {
        Some(findings) => findings.iter().map(cleaned).collect(),
        None if stays => {
            let warnings = old.preflight.iter().filter(|one| one.severity == Severity::Warning);
            warnings.cloned().collect()
        }
        None => Vec::new(),
    }
}

/// Where the rollout stands.
fn step(flight: &Flight, report: &Report) -> StepStatus {
    let (index, count) = (flight.index, flight.steps.len());
    StepStatus {
        index: index.try_into().unwrap_or(i32::MAX),
        count: count.try_into().unwrap_or(i32::MAX),
        display: display(flight),
        entered_at: flight.entered_at.map(Time),
        invocations: flight.through.map(|_| flight.invocations),
        through: flight.through.map(Time),
        counted: flight.counted.clone(),
        hold_until: report.hold_until.map(Time),
        smoke: flight.smoke.clone(),
    }
}

/// The conditions that a report means.
fn statements(old: &[Condition], memory: &Memory, report: &Report) -> Vec<Statement> {
    let mut all = match readiness(report.phase) {
        Some(readiness) => conditions::readiness(readiness, report.reason, &clean(&report.message)),
        None => conditions::suspended(old, &clean(&report.message)),
    };
    all.push(progressing(memory, report));
    all.extend(memory.flight.as_ref().and_then(analysis_passing));
    all.push(alias_in_sync(report));
    all.extend(report.window.as_ref().map(|window| Statement {
        kind: "WindowOpen",
        holds: window.open,
        reason: window.reason.into(),
        message: clean(&window.message),
    }));
    all
}

/// Whether a release is on its way, and where it is.
fn progressing(memory: &Memory, report: &Report) -> Statement {
    let (Some(flight), Some(canary)) = (&memory.flight, &memory.canary) else {
        let message = "nothing is in flight".into();
        return Statement { kind: "Progressing", holds: false, reason: "Idle".into(), message };
    };
    let (version, stable) = (&canary.version, memory.stable.as_deref().unwrap_or_default());
    let step = display(flight);
    let (reason, message) = match (report.phase, &flight.ending) {
        (
            Phase::Suspended
            | Phase::Conflict
            | Phase::Invalid
            | Phase::Pending
            | Phase::Publishing,
            None,
        ) => (report.reason, format!("version {version} waits at step {step}: see Ready")),
        (_, _) if report.reason == AUDIT => {
            (AUDIT, format!("version {version} waits at step {step}: see Ready"))
        }
        (_, Some(ending)) if ending.goes_back() => {
            ("GoingBack", format!("the alias goes back to version {stable}"))
        }
        (_, Some(_)) => ("Promoting", format!("the alias moves to version {version} alone")),
        (_, None) if memory.paused_at.is_some() => {
            ("Paused", format!("version {version} waits at step {step} until it is resumed"))
        }
        (_, None) => {
            ("InFlight", format!("version {version} takes the place of {stable}, step {step}"))
        }
    };
    Statement { kind: "Progressing", holds: true, reason: reason.into(), message }
}

/// What the metrics say together, with their numbers; none where nothing is measured.
fn analysis_passing(flight: &Flight) -> Option<Statement> {
    let entries = &flight.analysis;
    let worst = [Verdict::Failing, Verdict::NoData, Verdict::Waiting]
        .into_iter()
        .find(|verdict| entries.iter().any(|entry| entry.verdict == *verdict));
    let described = entries.iter().map(|entry| {
        let value = entry.canary.as_ref().and_then(|canary| canary.value.as_deref());
        format!("{} {} (limit {})", entry.name, value.unwrap_or("no data"), entry.limit)
    });
    (!entries.is_empty()).then(|| Statement {
        kind: "AnalysisPassing",
        holds: worst.is_none(),
        reason: worst.unwrap_or(Verdict::Passing).as_str().into(),
        message: clean(&described.collect::<Vec<_>>().join(", ")),
    })
}

fn alias_in_sync(report: &Report) -> Statement {
    let (reason, message) = match (&report.difference, &report.alias_revision) {
        (Some(difference), _) => (report.reason, clean(difference)),
        (None, Some(_)) => ("AsLeft", "the alias is as it was left".into()),
        (None, None) => ("NoAlias", "there is no alias yet".into()),
    };
    let holds = report.difference.is_none();
    Statement { kind: "AliasInSync", holds, reason: reason.into(), message }
}

/// A step for people: 2/4.
fn display(flight: &Flight) -> String {
    let count = flight.steps.len();
    format!("{}/{count}", flight.index.saturating_add(1).min(count))
}

/// Readiness of a phase; none: the last one stays.
fn readiness(phase: Phase) -> Option<Readiness> {
    match phase {
        Phase::Healthy => Some(Readiness::Ready),
        Phase::Pending
        | Phase::Publishing
        | Phase::Smoke
        | Phase::Progressing
        | Phase::WaitingApproval
        | Phase::WaitingWindow
        | Phase::WaitingData
        | Phase::Promoting
        | Phase::Baking
        | Phase::RollingBack => Some(Readiness::Reconciling),
        Phase::RolledBack | Phase::Aborted | Phase::Held | Phase::Conflict | Phase::Invalid => {
            Some(Readiness::Stalled)
        }
        Phase::Suspended => None,
    }
}

fn tell_failure(
    status: &mut CanaryRolloutStatus,
    old: &CanaryRolloutStatus,
    failure: &Failure,
    generation: Option<i64>,
    now: Timestamp,
) {
    let stuck = failure.remedy == Remedy::AwaitEdit;
    let early = !stuck && failure.in_a_row < FAILURES_TOLD;
    if early || failure.remedy == Remedy::NextTurn {
        return;
    }
    // The same failure again, with another request id, is no news.
    let news =
        old.message.as_deref().map(without_request) != Some(without_request(&failure.message));
    let message = match (&old.message, news) {
        (Some(told), false) => told.clone(),
        (_, _) => clean(&failure.message),
    };
    status.message = Some(message.clone());
    status.phase = Some(status.phase.unwrap_or_default());
    let kept = |kind: &str| status.conditions.iter().find(|c| c.type_ == kind).cloned();
    let beside = ["Progressing", "AnalysisPassing", "AliasInSync", "WindowOpen"].map(kept);
    let ready = kept("Ready").is_some_and(|ready| ready.status == "True");
    let mut statements = if stuck {
        // Everything that could be judged of this generation was judged.
        status.observed_generation = generation;
        conditions::readiness(Readiness::Stalled, failure.reason, &message)
    } else {
        conditions::readiness(Readiness::Reconciling, failure.reason, &message)
    };
    if ready && !stuck {
        // What cannot be looked at now was as it should be when it was: that stays.
        statements.retain(|statement| statement.kind != "Ready");
    }
    let told = conditions::merge(&old.conditions, statements, generation, now);
    let kept_ready = if ready && !stuck { kept("Ready") } else { None };
    let beside = beside.into_iter().flatten();
    status.conditions = told.into_iter().chain(kept_ready).chain(beside).collect();
}
