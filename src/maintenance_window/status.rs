//! The status as users read it. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{
    decide::{Plan, ROUND_FAILED, Report, broken},
    memory::{Current, Memory},
    notices::Book,
};
use crate::{
    api::{
        duration::Duration,
        fit::Fit as _,
        maintenance_window::{
            CurrentOpening, FrozenSpec, MaintenanceWindowStatus, OpeningPart, OpeningStatus,
            Outcome, Phase, WindowHistoryEntry,
        },
        window_alarms::Silenced,
        window_tasks::TaskState,
    },
    error::{Remedy, clean},
    notify::due::{Ledger, news},
    plan::Note,
    status::conditions::{self, Readiness, Statement},
    time::{Opening, Zone},
};

/// Builds the status after a pass. `zone` is that of the spec; none when it has none that works.
#[must_use]
pub fn summarize(
    old: Option<&MaintenanceWindowStatus>,
    generation: Option<i64>,
    plan: &Plan,
    now: Timestamp,
) -> MaintenanceWindowStatus {
    let before: &[Condition] = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    let Plan { memory, report, gate, upcoming, ahead, zone, silenced, checked, .. } = plan;
    let Memory {
        promised: _,
        current,
        silenced: quiet,
        book: Book { ledger, endings, moved, foreseen: _ },
        before: pre_checks,
        after: post_checks,
        measuring,
        skipped,
        history,
        last_action,
        answered,
    } = memory.clone();
    let upcoming = upcoming.iter().zip(zone.iter().cycle());
    let upcoming: Vec<OpeningStatus> =
        upcoming.map(|(opening, zone)| opening_status(opening, zone)).collect();
    let message = clean(&report.message);
    let mut told = match stuck(plan).or_else(|| readiness(report)) {
        Some(readiness) => conditions::readiness(readiness, report.reason, &message),
        None => conditions::suspended(before, &message),
    };
    told.push(Statement {
        kind: "Open",
        holds: gate.open,
        reason: gate.reason.as_str().into(),
        message: clean(&gate.message),
    });
    let own = [("AlarmsSilenced", silenced), ("ChecksPassed", checked)];
    told.extend(own.into_iter().filter_map(|(kind, said)| {
        let (holds, reason, message) = said.as_ref()?;
        Some(Statement { kind, holds: *holds, reason: (*reason).into(), message: clean(message) })
    }));
    told.extend(ledger.statement());
    let mut status = MaintenanceWindowStatus {
        observed_generation: generation,
        region: old.and_then(|old| old.region.clone()),
        account_id: old.and_then(|old| old.account_id.clone()),
        phase: Some(report.phase),
        message: Some(message),
        gate: Some(gate.clone()),
        next: upcoming.first().cloned(),
        upcoming,
        current: current.map(|current| current_opening(current, quiet.as_ref())),
        silenced: quiet,
        notices: ledger.sent,
        notice_failures: ledger.failing,
        endings,
        moved,
        pre_checks,
        post_checks,
        measuring,
        skipped,
        history,
        plan: ahead.iter().map(|line| clean(line)).collect(),
        last_action,
        answered,
        conditions: conditions::merge(before, told, generation, now),
    };
    status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    status.fit();
    status
}

/// How ready it is while alarms cannot be brought back; none otherwise.
fn stuck(plan: &Plan) -> Option<Readiness> {
    let ends = plan.memory.silenced.as_ref().is_some_and(Silenced::is_ending)
        || plan.report.reason == "Restoring";
    let trouble = plan.trouble.as_ref().filter(|_| ends)?;
    Some(match trouble.remedy {
        Remedy::AwaitEdit => Readiness::Stalled,
        Remedy::Retry | Remedy::Later | Remedy::NextTurn => Readiness::Reconciling,
    })
}

/// The status with what became of notices.
#[must_use]
pub fn recorded(
    status: &MaintenanceWindowStatus,
    ledger: Ledger,
    now: Timestamp,
) -> MaintenanceWindowStatus {
    let mut new = status.clone();
    let (old, generation) = (&status.conditions, status.observed_generation);
    let stated = ledger.statement();
    conditions::restate(&mut new.conditions, old, "Notified", stated, generation, now);
    let Ledger { sent, failing } = ledger;
    (new.notices, new.notice_failures) = (sent, failing);
    new
}

/// How ready a phase is; none when that stays as it was.
fn readiness(report: &Report) -> Option<Readiness> {
    match report.phase {
        // A round that failed is for a person to look at.
        _ if report.reason == ROUND_FAILED => Some(Readiness::Stalled),
        Phase::Scheduled | Phase::Announced | Phase::Open | Phase::Verifying => {
            Some(Readiness::Ready)
        }
        Phase::Preparing => Some(Readiness::Reconciling),
        Phase::Blocked | Phase::Invalid => Some(Readiness::Stalled),
        Phase::Suspended => None,
    }
}

fn opening_status(opening: &Opening, zone: &Zone) -> OpeningStatus {
    OpeningStatus {
        id: opening.id.clone(),
        schedules: opening.schedules().into_iter().map(str::to_owned).collect(),
        opens_at: Time(opening.opens_at),
        closes_at: Time(opening.closes_at),
        local: opening.local(zone),
        note: opening.note.clone(),
    }
}

fn current_opening(current: Current, quiet: Option<&Silenced>) -> CurrentOpening {
    let Current {
        id,
        parts,
        opens_at,
        closes_at,
        extended_by,
        opened_at,
        checks,
        closing,
        tasks,
        metrics,
        spec,
        window,
    } = current;
    let alarms = quiet.filter(|quiet| quiet.occurrence == id).map(Silenced::count);
    let parts = parts.into_iter().map(|part| OpeningPart {
        schedule: part.schedule,
        from: Time(part.from),
        until: Time(part.until),
    });
    CurrentOpening {
        id,
        parts: parts.collect(),
        opens_at: Time(opens_at),
        closes_at: Time(closes_at),
        closes: window.calendar.zone().told(closes_at),
        extended_by: Some(extended_by).filter(|by| *by > Duration::ZERO),
        opened_at: Time(opened_at),
        alarms,
        checks,
        closing,
        tasks,
        metrics,
        spec: FrozenSpec(spec),
    }
}

/// What people are told beside the object, once: transitions between two statuses.
#[must_use]
pub fn notes(old: Option<&MaintenanceWindowStatus>, new: &MaintenanceWindowStatus) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut tell = |warning, reason, message| notes.push(Note { warning, reason, message });
    let message = new.message.clone().unwrap_or_default();
    let phase = |status: &MaintenanceWindowStatus| status.phase.unwrap_or_default();
    if old.map(phase) != Some(phase(new)) {
        match phase(new) {
            Phase::Open => tell(false, "Opened", message),
            Phase::Suspended => tell(false, "Suspended", message),
            Phase::Invalid => tell(true, "Invalid", message),
            Phase::Blocked => tell(true, "Blocked", message),
            Phase::Scheduled | Phase::Announced | Phase::Preparing | Phase::Verifying => {}
        }
    }
    announced(old, new).for_each(|message| tell(false, "Announced", message));
    if left_off(new) && !old.is_some_and(left_off) {
        tell(true, "NotRestored", new.message.clone().unwrap_or_default());
    }
    for (warning, reason, message) in task_notes(old, new) {
        tell(warning, reason, message);
    }
    let known = old.map(|old| old.history.as_slice()).unwrap_or_default();
    let is_known = |id: &str| known.iter().any(|entry| entry.id == id);
    for entry in new.history.iter().rev().filter(|entry| !is_known(&entry.id)) {
        let text = format!("{}: {}", entry.id, entry.message);
        match entry.outcome {
            Outcome::Completed => tell(false, "Closed", text),
            Outcome::Cancelled => tell(false, "Cancelled", text),
            Outcome::Missed => tell(true, "Missed", text),
            Outcome::Failed => tell(true, failure(entry), text),
        }
    }
    for entry in new.history.iter().filter(|entry| entry.outcome == Outcome::Failed) {
        let held = |one: &&WindowHistoryEntry| one.id == entry.id && one.outcome != entry.outcome;
        if known.iter().any(|one| held(&one)) {
            tell(true, "ChecksFailed", format!("{}: {}", entry.id, entry.message));
        }
    }
    let failed = |status: &MaintenanceWindowStatus| {
        status.pre_checks.as_ref().filter(|checks| checks.failed_since.is_some()).cloned()
    };
    if let (Some(checks), None) = (failed(new), old.and_then(failed))
        && let Some(words) = broken(&checks.results)
    {
        tell(true, "ChecksFailed", format!("{}: {words}", checks.occurrence));
    }
    if let Some(action) = &new.last_action
        && old.and_then(|old| old.last_action.as_ref()) != Some(action)
    {
        let text = format!("{}: {:?}: {}", action.value, action.result, action.message);
        tell(false, "ActionAnswered", text);
    }
    let failed = old.map(|old| old.notice_failures.as_slice()).unwrap_or_default();
    notes.extend(news(failed, &new.notice_failures));
    notes
}

/// The openings to come that people were told of for the first time, and by which channels.
fn announced<'s>(
    old: Option<&'s MaintenanceWindowStatus>,
    new: &'s MaintenanceWindowStatus,
) -> impl Iterator<Item = String> + 's {
    let channels = |status: &'s MaintenanceWindowStatus, id: &str| -> BTreeSet<&'s str> {
        let sent = status.notices.iter();
        let sent = sent.filter(|sent| sent.occurrence == id && sent.revoked_at.is_none());
        sent.map(|sent| sent.channel.as_str()).collect()
    };
    new.upcoming.iter().filter_map(move |OpeningStatus { id, local, .. }| {
        let known = old.is_some_and(|old| !channels(old, id).is_empty());
        let told: Vec<&str> = channels(new, id).into_iter().collect();
        let is_news = !known && !told.is_empty();
        is_news.then(|| format!("{id}, {local}: announced to {}", told.join(", ")))
    })
}

/// Whether alarms that should be switched on cannot be.
fn left_off(status: &MaintenanceWindowStatus) -> bool {
    let ending = status.silenced.as_ref().is_some_and(Silenced::is_ending);
    let fails = |told: &Condition| told.type_ == "AlarmsSilenced" && told.reason != "Restoring";
    ending && status.conditions.iter().any(fails)
}

/// Why it failed: the Event's reason.
fn failure(entry: &WindowHistoryEntry) -> &'static str {
    let tasks = entry.tasks.iter().any(|task| task.state.failed());
    if tasks { "Failed" } else { "ChecksFailed" }
}

/// What became of tasks.
fn task_notes(
    old: Option<&MaintenanceWindowStatus>,
    new: &MaintenanceWindowStatus,
) -> Vec<(bool, &'static str, String)> {
    let Some(current) = &new.current else { return Vec::new() };
    let before = old.and_then(|old| old.current.as_ref()).filter(|old| old.id == current.id);
    let before = before.map(|before| before.tasks.as_slice()).unwrap_or_default();
    let was = |name: &str| {
        before.iter().find(|task| task.name == name).map(|task| task.state).unwrap_or_default()
    };
    let changed = current.tasks.iter().filter(|task| was(&task.name) != task.state);
    let told = changed.filter_map(|task| {
        let (warning, reason) = match task.state {
            TaskState::Pending => return None,
            TaskState::Running => (false, "TaskStarted"),
            TaskState::Succeeded => (false, "TaskSucceeded"),
            TaskState::Failed => (true, "TaskFailed"),
            TaskState::Skipped => (true, "TaskSkipped"),
            TaskState::Cancelled => (true, "TaskCancelled"),
            TaskState::Unknown => (true, "TaskUnknown"),
        };
        Some((warning, reason, format!("{}: task {}: {}", current.id, task.name, task.message)))
    });
    told.collect()
}
