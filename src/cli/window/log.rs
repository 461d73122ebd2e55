//! The openings of a window as Markdown. Nothing of it needs another tool than a ticket has: headings,
//! tables and lists.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use crate::{
    api::{
        duration::Duration,
        maintenance_window::{CurrentOpening, MaintenanceWindow, WindowHistoryEntry},
        window_checks::{Purpose, WindowCheck, WindowStage},
        window_metrics::{Measuring, MetricDue, WindowMetricStatus},
        window_tasks::TaskStatus,
    },
    error::clean,
    time::Zone,
};

/// How the openings of a window went.
pub(super) struct Log {
    namespace: String,
    name: String,
    zone: Zone,
    /// Why there is one, and who asked for it, where it is for an emergency.
    emergency: Option<String>,
    /// Whether it is a round, whose gate never opens.
    routine: bool,
    /// Whether it is open at all times but in blackouts, and so never opens.
    always: bool,
    /// Newest first.
    pub(super) openings: Vec<Opening>,
}

/// How one opening went, or goes.
pub(super) struct Opening {
    id: String,
    /// `Completed`, or that it is open.
    outcome: &'static str,
    /// Why, in a sentence; empty where there is nothing to say.
    message: String,
    opens_at: Timestamp,
    closes_at: Timestamp,
    extended_by: Option<Duration>,
    opened_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    alarms: Option<i32>,
    still_in_alarm: Vec<String>,
    checks: Vec<WindowCheck>,
    tasks: Vec<TaskStatus>,
    metrics: Vec<WindowMetricStatus>,
    /// Numbers of these that are still to be read.
    left: Vec<MetricDue>,
}

impl Log {
    /// What the status of a window says.
    pub(super) fn of(window: &MaintenanceWindow) -> Self {
        let status = window.status.as_ref();
        let current = status.and_then(|status| status.current.as_ref());
        let history = status.map(|status| status.history.as_slice()).unwrap_or_default();
        let openings = current.map(Opening::current).into_iter();
        let measuring = status.and_then(|status| status.measuring.as_ref());
        let openings = openings.chain(history.iter().map(Opening::past));
        Self {
            namespace: window.namespace().unwrap_or_default(),
            name: window.name_any(),
            // One that no time zone fits is Invalid; what it did before is told in UTC.
            zone: Zone::parse(&window.spec.time_zone).unwrap_or_else(|_| Zone::utc()),
            emergency: window.spec.emergency.as_ref().map(|emergency| {
                format!("{}, asked for by {}", emergency.reason, emergency.requested_by)
            }),
            routine: window.spec.purpose == Some(Purpose::Routine),
            always: window.spec.always == Some(true),
            openings: openings.map(|opening| opening.awaiting(measuring)).collect(),
        }
    }

    /// Leaves out all but one opening.
    ///
    /// # Errors
    ///
    /// The ids of those that there are, when it is none of them; nothing is left out then.
    pub(super) fn keep(&mut self, id: &str) -> Result<(), Vec<String>> {
        if !self.openings.iter().any(|opening| opening.id == id) {
            return Err(self.openings.iter().map(|opening| opening.id.clone()).collect());
        }
        self.openings.retain(|opening| opening.id == id);
        Ok(())
    }

    /// As Markdown.
    pub(super) fn render(&self) -> String {
        let Self { namespace, name, zone, emergency, routine, always, openings } = self;
        let mut text =
            format!("# Maintenance log of {}\n", escaped(&format!("{namespace}/{name}")));
        if let Some(emergency) = emergency {
            let _ = writeln!(text, "\nFor an emergency: {}.", escaped(emergency));
        }
        if *routine {
            let _ = writeln!(text, "\nIt is a round of checks and tasks: its gate never opens.");
        }
        if openings.is_empty() {
            let none = match always {
                true => {
                    "Without schedules it is open at all times but in blackouts: there are no openings."
                }
                false => "It has not opened yet.",
            };
            let _ = writeln!(text, "\n{none}");
        }
        for opening in openings {
            opening.render(&mut text, zone);
        }
        text
    }
}

impl Opening {
    fn current(current: &CurrentOpening) -> Self {
        let closing = current.closing.as_ref();
        Self {
            id: current.id.clone(),
            outcome: if closing.is_some() { "closing" } else { "open" },
            message: closing.map(|closing| closing.message.clone()).unwrap_or_default(),
            opens_at: current.opens_at.0,
            closes_at: current.closes_at.0,
            extended_by: current.extended_by,
            opened_at: Some(current.opened_at.0),
            closed_at: None,
            alarms: current.alarms,
            still_in_alarm: Vec::new(),
            checks: current.checks.clone(),
            tasks: current.tasks.clone(),
            metrics: current.metrics.clone(),
            left: Vec::new(),
        }
    }

    fn past(entry: &WindowHistoryEntry) -> Self {
        Self {
            id: entry.id.clone(),
            outcome: entry.outcome.as_str(),
            message: entry.message.clone(),
            opens_at: entry.opens_at.0,
            closes_at: entry.closes_at.0,
            extended_by: entry.extended_by,
            opened_at: entry.opened_at.as_ref().map(|at| at.0),
            closed_at: entry.closed_at.as_ref().map(|at| at.0),
            alarms: entry.alarms,
            still_in_alarm: entry.still_in_alarm.clone(),
            checks: entry.checks.clone(),
            tasks: entry.tasks.clone(),
            metrics: entry.metrics.clone(),
            left: Vec::new(),
        }
    }

    /// With what is still to be read of it.
    fn awaiting(mut self, measuring: Option<&Measuring>) -> Self {
        let own = measuring.filter(|measuring| measuring.occurrence == self.id);
        self.left = own.map(|measuring| measuring.left.clone()).unwrap_or_default();
        self
    }

    fn render(&self, text: &mut String, zone: &Zone) {
        let _ = writeln!(text, "\n## {}: {}\n", escaped(&self.id), self.outcome);
        if !self.message.is_empty() {
            let _ = writeln!(text, "Why: {}.\n", escaped(&self.message));
        }
        // The same twice helps nobody.
        let utc_alone = zone.abbreviation(self.opens_at) == "UTC";
        let (heads, line) = match utc_alone {
            true => (String::new(), "|---|---|"),
            false => (format!(" {} |", zone.name()), "|---|---|---|"),
        };
        let _ = writeln!(text, "| |{heads} UTC |\n{line}");
        let extended = self.extended_by.map(|by| format!(", extended by {by}")).unwrap_or_default();
        let moments = [
            ("To open".to_owned(), Some(self.opens_at)),
            ("Opened".to_owned(), self.opened_at),
            (format!("To close{extended}"), Some(self.closes_at)),
            ("Closed".to_owned(), self.closed_at),
        ];
        for (what, at) in moments {
            let Some(at) = at else { continue };
            let local = if utc_alone { String::new() } else { format!(" {} |", zone.told(at)) };
            let _ = writeln!(text, "| {what} |{local} {} |", utc(at));
        }
        let mut lines = Vec::new();
        if let Some((opened, closed)) = self.opened_at.zip(self.closed_at) {
            let seconds = closed.duration_since(opened).as_secs();
            let open = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            lines.push(format!("Open for {open}"));
        }
        let verb = if self.closed_at.is_some() { "were" } else { "are" };
        lines.extend(self.alarms.map(|count| format!("Alarms that {verb} quiet: {count}")));
        if !self.still_in_alarm.is_empty() {
            let names: Vec<String> = self.still_in_alarm.iter().map(|name| code(name)).collect();
            lines.push(format!("Still in ALARM at the close: {}", names.join(", ")));
        }
        if !lines.is_empty() {
            text.push('\n');
        }
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
        tasks(text, &self.tasks, zone);
        checks(text, &self.checks);
        self.metrics(text, zone);
    }

    /// What its metrics were before it and after it, or when they are read.
    fn metrics(&self, text: &mut String, zone: &Zone) {
        if self.metrics.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n| Metric | Before | After | Message |\n|---|---|---|---|");
        for WindowMetricStatus { name, before, after, message } in &self.metrics {
            let told = |number: &Option<String>, stage: WindowStage| {
                let due = self.left.iter().find(|due| due.name == *name && due.stage == stage);
                match (number, due) {
                    (Some(number), _) => escaped(number),
                    (None, Some(due)) => format!("read {}", zone.told(due.due_at.0)),
                    (None, None) => "–".to_owned(),
                }
            };
            let before = told(before, WindowStage::BeforeOpening);
            let after = told(after, WindowStage::AfterClose);
            let message = message.as_deref().map(escaped).unwrap_or_default();
            let _ = writeln!(text, "| {} | {before} | {after} | {message} |", escaped(name));
        }
    }
}

/// What became of its tasks, or how far they are.
fn tasks(text: &mut String, tasks: &[TaskStatus], zone: &Zone) {
    if tasks.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n| Task | State | Began | Ended | Message |\n|---|---|---|---|---|");
    for TaskStatus { name, state, started_at, ended_at, message, .. } in tasks {
        let told = |at: &Option<Time>| at.as_ref().map(|at| zone.told(at.0)).unwrap_or_default();
        let (name, state, message) = (escaped(name), state.as_str(), escaped(message));
        let (began, ended) = (told(started_at), told(ended_at));
        let _ = writeln!(text, "| {name} | {state} | {began} | {ended} | {message} |");
    }
}

/// What its checks said last.
fn checks(text: &mut String, checks: &[WindowCheck]) {
    if checks.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n| Check | Ran | Verdict | Message |\n|---|---|---|---|");
    for WindowCheck { name, stage, verdict, message, .. } in checks {
        let (name, verdict, message) = (escaped(name), verdict.as_str(), escaped(message));
        let _ = writeln!(text, "| {name} | {} | {verdict} | {message} |", stage.told());
    }
}

/// `2026-12-06 01:00:04 UTC`.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Text of people and peers, which Markdown is to show as it is, in one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in clean(text).chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&')
        {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A name as code, whatever it has in it.
fn code(name: &str) -> String {
    let name = clean(name);
    let longest = name.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 {
        return format!("`{name}`");
    }
    // Longer than any fence in the name; the spaces are not shown.
    let fence = "`".repeat(longest.saturating_add(1));
    format!("{fence} {name} {fence}")
}
