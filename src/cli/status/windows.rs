//! MaintenanceWindows as they are shown.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::{
    Shown,
    details::{conditions, head, last_action, list, plan, time},
    table::none,
};
use crate::{
    api::{
        maintenance_window::{
            CurrentOpening, Gate, MaintenanceWindow, MaintenanceWindowStatus, OpeningStatus, Phase,
            WindowHistoryEntry,
        },
        window_alarms::Silenced,
        window_checks::{Purpose, WindowCheck},
        window_tasks::{TaskState, TaskStatus},
    },
    cli::{
        table::section,
        terminal::{Terminal, Tone},
    },
    error::one_line,
    time::Zone,
};

/// Most alarms that are named one by one.
const NAMED_MAX: usize = 10;
/// The phase of a window that the operator never looked at.
const NO_PHASE: &str = "-";

impl Shown for MaintenanceWindow {
    const PREFIX: &'static str = "mw/";
    const HEADER: &'static [&'static str] = &["PHASE", "NEXT", "CLOSES", "MESSAGE"];

    fn cells(&self, _: Timestamp) -> Vec<String> {
        let status = self.status.as_ref();
        let next = status.and_then(|status| status.next.as_ref());
        let current = status.and_then(|status| status.current.as_ref());
        vec![
            self.phase().0.to_owned(),
            next.map_or_else(none, |next| next.local.clone()),
            current.map_or_else(none, |current| current.closes.clone()),
            self.message().unwrap_or("not looked at yet").to_owned(),
        ]
    }

    fn phase(&self) -> (&'static str, String) {
        let phase = self.status.as_ref().and_then(|status| status.phase);
        (phase.map_or(NO_PHASE, Phase::as_str), String::new())
    }

    fn tone(phase: &str) -> Option<Tone> {
        serde_json::from_value(phase.into()).ok().map(tone)
    }

    fn message(&self) -> Option<&str> {
        self.status.as_ref()?.message.as_deref()
    }

    fn status(&self) -> Value {
        json!(self.status)
    }

    fn details(&self, _: Timestamp, terminal: Terminal) -> String {
        render(self, terminal)
    }
}

/// The colour of a phase.
fn tone(phase: Phase) -> Tone {
    match phase {
        Phase::Open => Tone::Good,
        Phase::Scheduled => Tone::Faint,
        Phase::Announced | Phase::Preparing | Phase::Verifying => Tone::Busy,
        Phase::Suspended => Tone::Asks,
        Phase::Blocked | Phase::Invalid => Tone::Bad,
    }
}

/// Everything that a person wants to know of one window.
fn render(object: &MaintenanceWindow, terminal: Terminal) -> String {
    let meta = &object.metadata;
    let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
    let name = format!("{}/{}", namespace.unwrap_or_default(), name.unwrap_or_default());
    let default = MaintenanceWindowStatus::default();
    let status = object.status.as_ref().unwrap_or(&default);
    let word = status
        .phase
        .map_or_else(|| NO_PHASE.to_owned(), |phase| terminal.paint(phase.as_str(), tone(phase)));
    let outdated = status.observed_generation != object.metadata.generation;
    let mut text = head(&name, &word, status.message.as_deref(), outdated, terminal);
    list(&mut text, &facts(object, status));
    checks(&mut text, status, terminal);
    plan(&mut text, &status.plan, terminal);
    tasks(&mut text, status, terminal);
    upcoming(&mut text, status, terminal);
    history(&mut text, status, terminal);
    let message = status.message.as_deref().unwrap_or_default();
    conditions(&mut text, &status.conditions, message, &["Open"], terminal);
    text
}

fn facts(
    object: &MaintenanceWindow,
    status: &MaintenanceWindowStatus,
) -> Vec<(&'static str, String)> {
    // One that no time zone fits is Invalid, and has no times of its own.
    let zone = Zone::parse(&object.spec.time_zone).unwrap_or_else(|_| Zone::utc());
    let mut facts = vec![("Zone", object.spec.time_zone.clone())];
    if object.spec.purpose == Some(Purpose::Routine) {
        facts
            .push(("Purpose", "Routine: a round of checks and tasks; its gate never opens".into()));
    }
    facts.extend(object.spec.emergency.as_ref().map(|emergency| {
        let windows = emergency.stands_for.join(", ");
        let text =
            format!("for {windows}: {}, asked for by {}", emergency.reason, emergency.requested_by);
        ("Emergency", text)
    }));
    facts.extend(status.gate.as_ref().map(|gate| ("Gate", told(gate, &zone))));
    facts.extend(status.gate.as_ref().and_then(|gate| gate.blackout.as_ref()).map(|dark| {
        let (from, until) = (zone.told(dark.from.0), zone.told(dark.until.0));
        ("Blackout", format!("{} from {from} until {until}", dark.name))
    }));
    facts.extend(status.current.as_ref().map(|current| ("Current", opened(current, &zone))));
    facts.extend(status.silenced.as_ref().and_then(switched).map(|text| ("Alarms", text)));
    for skipped in &status.skipped {
        facts.push(("Skipped", skipped.id.clone()));
    }
    facts.extend(status.last_action.as_ref().map(last_action));
    facts
}

/// What the gate says, but for the sentence that stands on top.
fn told(gate: &Gate, zone: &Zone) -> String {
    let word = if gate.open { "open for new work" } else { "closed for new work" };
    let until = gate.until.as_ref().filter(|_| gate.open);
    let until = until.map(|until| format!(" until {}", zone.told(until.0))).unwrap_or_default();
    let reason = gate.reason.as_str();
    if gate.open { format!("{word}{until}") } else { format!("{word} ({reason})") }
}

fn opened(current: &CurrentOpening, zone: &Zone) -> String {
    let CurrentOpening { id, closes, opened_at, extended_by, closing, .. } = current;
    let extended = extended_by.map(|by| format!(", extended by {by}")).unwrap_or_default();
    let closing = closing.as_ref().map(|c| format!(", closing: {}", c.message)).unwrap_or_default();
    format!("{id}, open since {}, closes {closes}{extended}{closing}", zone.told(opened_at.0))
}

/// The alarms that the window has off, where it switches them; the condition tells of the others.
fn switched(silenced: &Silenced) -> Option<String> {
    let all = silenced.regions.iter().flat_map(|region| &region.alarms);
    let ours: Vec<&str> =
        all.filter(|alarm| alarm.state.is_ours()).map(|alarm| alarm.name.as_str()).collect();
    let word = if silenced.is_ending() { "being switched on" } else { "switched off" };
    let mut names = ours.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    if let more @ 1.. = ours.len().saturating_sub(NAMED_MAX) {
        names = format!("{names} and {more} more");
    }
    (!ours.is_empty()).then(|| format!("{word} ({}): {names}", ours.len()))
}

/// What the checks said last: those that are looked at now, else those of the last opening.
fn checks(text: &mut String, status: &MaintenanceWindowStatus, terminal: Terminal) {
    let under_way = status.pre_checks.iter().chain(&status.post_checks);
    let mut shown: Vec<&WindowCheck> = under_way.flat_map(|known| &known.results).collect();
    if shown.is_empty() {
        let open = status.current.as_ref().map(|open| &open.checks);
        let last = status.history.first().map(|last| &last.checks);
        shown.extend(open.or(last).into_iter().flatten());
    }
    let row = |check: &&WindowCheck| {
        vec![
            check.name.clone(),
            check.stage.told().to_owned(),
            check.verdict.as_str().to_owned(),
            check.message.clone(),
        ]
    };
    let header = ["CHECK", "RAN", "VERDICT", "MESSAGE"];
    let rows: Vec<_> = shown.iter().map(row).collect();
    section(text, "Checks", &header, &rows, None, terminal);
}

/// The tasks of what is open; else those of the last opening that had some.
fn tasks(text: &mut String, status: &MaintenanceWindowStatus, terminal: Terminal) {
    let current = status.current.as_ref();
    let last = || {
        let entry = status.history.iter().find(|entry| !entry.tasks.is_empty())?;
        Some((entry.id.as_str(), entry.tasks.as_slice()))
    };
    let open = current.map(|current| (current.id.as_str(), current.tasks.as_slice()));
    let Some((id, tasks)) = open.filter(|(_, tasks)| !tasks.is_empty()).or_else(last) else {
        return;
    };
    let row = |task: &TaskStatus| {
        vec![
            task.name.clone(),
            task.state.as_str().to_owned(),
            moment(task.started_at.as_ref()),
            moment(task.ended_at.as_ref()),
            if task.message.is_empty() { none() } else { task.message.clone() },
        ]
    };
    let header = ["TASK", "STATE", "STARTED", "ENDED", "MESSAGE"];
    let rows: Vec<_> = tasks.iter().map(row).collect();
    let state = Some((1, task_tone as fn(&str) -> _));
    section(text, &format!("Tasks of {}", one_line(id)), &header, &rows, state, terminal);
}

fn moment(at: Option<&Time>) -> String {
    at.map_or_else(none, |at| time(at.0))
}

fn task_tone(word: &str) -> Option<Tone> {
    Some(match serde_json::from_value(word.into()).ok()? {
        TaskState::Pending | TaskState::Skipped => Tone::Faint,
        TaskState::Running => Tone::Busy,
        TaskState::Succeeded => Tone::Good,
        TaskState::Failed | TaskState::Cancelled | TaskState::Unknown => Tone::Bad,
    })
}

fn upcoming(text: &mut String, status: &MaintenanceWindowStatus, terminal: Terminal) {
    let row = |opening: &OpeningStatus| {
        vec![
            opening.local.clone(),
            time(opening.opens_at.0),
            opening.schedules.join(","),
            opening.id.clone(),
            if opening.note.is_empty() { none() } else { opening.note.clone() },
        ]
    };
    let header = ["LOCAL TIME", "UTC", "SCHEDULES", "ID", "NOTE"];
    let rows: Vec<_> = status.upcoming.iter().map(row).collect();
    section(text, "Next openings", &header, &rows, None, terminal);
}

fn history(text: &mut String, status: &MaintenanceWindowStatus, terminal: Terminal) {
    let row = |entry: &WindowHistoryEntry| {
        vec![
            entry.id.clone(),
            entry.outcome.as_str().to_owned(),
            moment(entry.opened_at.as_ref()),
            moment(entry.closed_at.as_ref()),
            entry.message.clone(),
        ]
    };
    let header = ["OPENING", "OUTCOME", "OPENED", "CLOSED", "MESSAGE"];
    let rows: Vec<_> = status.history.iter().map(row).collect();
    section(text, "History", &header, &rows, None, terminal);
}
