//! What a window remembers between passes: the part of the status that decisions read.

use jiff::{SignedDuration, Timestamp};

use super::{notices::Book, window::Window};
use crate::api::{
    duration::Duration,
    fit::{ACTION_MAX, ANSWERED_MAX, Fit, SKIPPED_MAX, WINDOW_HISTORY_MAX, cut},
    maintenance_window::{
        Closing, CurrentOpening, MaintenanceWindowSpec, MaintenanceWindowStatus, SkippedOpening,
        WindowHistoryEntry,
    },
    shared::LastAction,
    window_alarms::Silenced,
    window_checks::{Checking, WindowCheck},
    window_metrics::{Measuring, WindowMetricStatus},
    window_tasks::TaskStatus,
};
use crate::time::{Held, moments};

/// What a window remembers.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The opening that was told to come next.
    pub promised: Option<Promised>,
    /// What is open.
    pub current: Option<Current>,
    /// The alarms that are quiet, or are about to be.
    pub silenced: Option<Silenced>,
    /// What people were told.
    pub book: Book,
    /// The pre-checks of the next opening.
    pub before: Option<Checking>,
    /// The post-checks of the last opening, while they are watched.
    pub after: Option<Checking>,
    /// What is still to be read of metrics.
    pub measuring: Option<Measuring>,
    /// Openings to come that a person skipped.
    pub skipped: Vec<SkippedOpening>,
    /// How the last openings went, newest first.
    pub history: Vec<WindowHistoryEntry>,
    /// How the last verb ended.
    pub last_action: Option<LastAction>,
    /// Verbs that were answered, newest first.
    pub answered: Vec<String>,
}

/// An opening that people were told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Its id.
    pub id: String,
    /// When it was to open.
    pub opens_at: Timestamp,
}

/// What is open, with the spec that it opened with.
#[derive(Clone, Debug)]
pub struct Current {
    /// Its id.
    pub id: String,
    /// What each schedule has of it.
    pub parts: Vec<Part>,
    /// When it was to open.
    pub opens_at: Timestamp,
    /// When it closes, extensions included.
    pub closes_at: Timestamp,
    /// How much of it was pushed.
    pub extended_by: Duration,
    /// When it opened.
    pub opened_at: Timestamp,
    /// What its pre-checks said.
    pub checks: Vec<WindowCheck>,
    /// Why it closes; none while it does not.
    pub closing: Option<Closing>,
    /// Its tasks, in order; those that are not listed have not begun.
    pub tasks: Vec<TaskStatus>,
    /// What is known of its metrics.
    pub metrics: Vec<WindowMetricStatus>,
    /// The spec that it opened with.
    pub spec: Box<MaintenanceWindowSpec>,
    /// The same, parsed.
    pub window: Window,
}

/// A part of an opening that one schedule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the schedule.
    pub schedule: String,
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Current {
    /// How far the close may still be pushed: within `extend.max`, and not into a blackout that it
    /// opened with.
    #[must_use]
    pub fn room(&self) -> SignedDuration {
        let left = self.window.extend_max.saturating_sub(self.extended_by.signed());
        let light = self.next_blackout().map(|dark| dark.from.duration_since(self.closes_at));
        light.map_or(left, |light| light.min(left)).max(SignedDuration::ZERO)
    }

    /// The blackout that it opened with and that it may not be pushed into.
    #[must_use]
    pub fn next_blackout(&self) -> Option<Held<'_>> {
        let calendar = &self.window.calendar;
        calendar.blackout_at(self.closes_at).or_else(|| calendar.next_blackout(self.closes_at))
    }

    /// Pushes the close.
    pub fn push(&mut self, by: SignedDuration) {
        let before = self.closes_at;
        let secs = u64::try_from(by.as_secs()).unwrap_or_default();
        self.closes_at = moments::after(before, by);
        self.extended_by = Duration::from_secs(self.extended_by.as_secs().saturating_add(secs));
        // What lasted to the end lasts to the new one.
        let closes_at = self.closes_at;
        self.parts.iter_mut().filter(|part| part.until == before).for_each(|part| {
            part.until = closes_at;
        });
    }
}

impl Memory {
    /// Reads the memory out of a status. An opening whose spec makes no sense any more is forgotten:
    /// nothing is open then.
    #[must_use]
    pub fn recall(status: Option<&MaintenanceWindowStatus>) -> Self {
        let Some(status) = status else { return Self::default() };
        Self {
            promised: status
                .next
                .as_ref()
                .map(|next| Promised { id: next.id.clone(), opens_at: next.opens_at.0 }),
            current: status.current.as_ref().and_then(current),
            silenced: status.silenced.clone(),
            book: Book::recall(status),
            before: status.pre_checks.clone(),
            after: status.post_checks.clone(),
            measuring: status.measuring.clone(),
            skipped: status.skipped.clone(),
            history: status.history.clone(),
            last_action: status.last_action.clone(),
            answered: status.answered.clone(),
        }
    }

    /// Whether an opening was dealt with, or is.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.current.as_ref().is_some_and(|current| current.id == id)
            || self.history.iter().any(|entry| entry.id == id)
    }

    /// Whether a person skipped an opening.
    #[must_use]
    pub fn skips(&self, id: &str) -> bool {
        self.skipped.iter().any(|skipped| skipped.id == id)
    }

    /// Writes the end of an opening into the history. Where that is full, the oldest goes that nothing
    /// opens again: it has passed, or stands among those that are skipped.
    pub fn remember(&mut self, entry: WindowHistoryEntry, now: Timestamp) {
        self.history.insert(0, entry);
        while self.history.len() > WINDOW_HISTORY_MAX {
            let passed = |entry: &WindowHistoryEntry| entry.closes_at.0 <= now;
            let spare = self.history.iter().rposition(|one| passed(one) || self.skips(&one.id));
            self.history.remove(spare.unwrap_or(WINDOW_HISTORY_MAX));
        }
    }
}

fn current(status: &CurrentOpening) -> Option<Current> {
    let window = Window::parse(&status.spec.0).ok()?;
    let parts = status.parts.iter().map(|part| Part {
        schedule: part.schedule.clone(),
        from: part.from.0,
        until: part.until.0,
    });
    Some(Current {
        id: status.id.clone(),
        parts: parts.collect(),
        opens_at: status.opens_at.0,
        closes_at: status.closes_at.0,
        extended_by: status.extended_by.unwrap_or_default(),
        opened_at: status.opened_at.0,
        checks: status.checks.clone(),
        closing: status.closing.clone(),
        tasks: status.tasks.clone(),
        metrics: status.metrics.clone(),
        spec: status.spec.0.clone(),
        window,
    })
}

/// What is decided is what is remembered: a text that the status has cut would else differ from its
/// own memory at each pass.
impl Fit for Memory {
    fn fit(&mut self) {
        let Self {
            promised: _,
            current,
            silenced: _,
            book,
            before,
            after,
            measuring,
            skipped,
            history,
            last_action,
            answered,
        } = self;
        if let Some(current) = current {
            current.closing.fit();
            current.checks.fit();
            current.tasks.fit();
            current.metrics.fit();
        }
        book.fit();
        before.fit();
        after.fit();
        measuring.fit();
        skipped.truncate(SKIPPED_MAX);
        history.truncate(WINDOW_HISTORY_MAX);
        history.fit();
        last_action.fit();
        answered.truncate(ANSWERED_MAX);
        answered.iter_mut().for_each(|value| cut(value, ACTION_MAX));
    }
}
