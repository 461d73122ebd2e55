//! The facts of a pass beside its memory, with the questions that every rule asks.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    Facts,
    checks::{self, Standing},
    gate,
    plan::{Plan, Report, Revisit},
    silence::{self, MUTE_LEAD},
    tasks,
};
use crate::{
    api::{
        duration::Duration,
        fit::UPCOMING_MAX,
        maintenance_window::{Outcome, Phase, WindowHistoryEntry},
        window_alarms::Silenced,
        window_checks::WindowCheck,
        window_tasks::TaskStatus,
    },
    maintenance_window::{
        memory::{Current, Memory},
        window::Window,
    },
    time::{Opening, SearchFailed, moments},
};

/// How often a window is looked at although nothing is due: the system's clock may have been set.
const RECHECK: SignedDuration = SignedDuration::from_secs(5 * 60);
/// An opening is late only after this: a restart takes some seconds.
const LATE: SignedDuration = SignedDuration::from_secs(60);

pub(super) struct Situation<'a> {
    pub(super) facts: &'a Facts,
    pub(super) memory: Memory,
    pub(super) now: Timestamp,
    /// Whether it was published that what is open closes.
    pub(super) closing_told: bool,
}

impl<'a> Situation<'a> {
    pub(super) fn new(facts: &'a Facts, memory: Memory, now: Timestamp) -> Self {
        let current = memory.current.as_ref();
        let closing_told = current.is_some_and(|current| current.closing.is_some());
        Self { facts, memory, now, closing_told }
    }

    /// The window as its spec is now; none when that cannot work.
    pub(super) fn window(&self) -> Option<&'a Window> {
        self.facts.window.as_ref().ok()
    }

    /// What should be open now, and was not dealt with.
    pub(super) fn due(&self) -> Option<Opening> {
        // What the calendar cannot tell is told by a rule of its own.
        let opening = self.window()?.calendar.open_at(self.now).ok()??;
        let dealt_with = self.memory.knows(&opening.id) || self.memory.skips(&opening.id);
        (!dealt_with).then_some(opening)
    }

    /// The next openings that are not skipped; the first may have been due for a while.
    ///
    /// # Errors
    ///
    /// [`SearchFailed`] when the calendar cannot tell.
    pub(super) fn upcoming(&self) -> Result<Vec<Opening>, SearchFailed> {
        let Some(window) = self.window() else { return Ok(Vec::new()) };
        let asked = UPCOMING_MAX.saturating_add(self.memory.skipped.len());
        let mut found = window.calendar.upcoming(self.now, asked)?;
        found.retain(|opening| !self.memory.skips(&opening.id));
        let mut all: Vec<Opening> = self.due().into_iter().chain(found).collect();
        all.truncate(UPCOMING_MAX);
        Ok(all)
    }

    /// The opening that is due, or comes next.
    pub(super) fn coming(&self) -> Option<Opening> {
        self.upcoming().ok()?.into_iter().next()
    }

    /// Whether nothing but the time keeps it from opening.
    pub(super) fn may_open(&self) -> bool {
        self.facts.may_open()
    }

    /// The phase while nothing is open.
    pub(super) fn resting_phase(&self) -> Phase {
        match &self.facts.window {
            Err(_) => Phase::Invalid,
            Ok(_) if self.facts.suspended() => Phase::Suspended,
            Ok(_) if self.memory.after.is_some() => Phase::Verifying,
            Ok(_) => Phase::Scheduled,
        }
    }

    /// Whether it is too late to open it, and why.
    pub(super) fn too_late(&self, window: &Window, opening: &Opening) -> Option<String> {
        let left = opening.closes_at.duration_since(self.now);
        let late = self.now.duration_since(opening.opens_at) > LATE;
        let kept = || self.kept(window, opening);
        let only = |least: &str| {
            let left = SignedDuration::from_secs(left.as_secs());
            let kept = kept().map(|why| format!("; {why}")).unwrap_or_default();
            format!("only {left:#} were left when it could open, and {least}{kept}")
        };
        match window.min_remaining {
            _ if left <= SignedDuration::ZERO && self.closing_told => {
                Some("the one before it had not closed: its alarms did not come back".into())
            }
            _ if left <= SignedDuration::ZERO => Some(kept().unwrap_or_else(|| unopened(window))),
            Some(least) if late && left < least => {
                Some(only(&format!("lateOpen.minRemaining is {least:#}")))
            }
            None if late && left <= window.cutoff => {
                Some(only(&format!("cutoff is {:#}", window.cutoff)))
            }
            Some(_) | None => None,
        }
    }

    /// What kept an opening closed, in a sentence: another one, or its pre-checks.
    fn kept(&self, window: &Window, opening: &Opening) -> Option<String> {
        let other = self.memory.current.as_ref().filter(|current| current.id != opening.id);
        let other = other.map(|open| {
            format!(
                "{} was open until {}",
                open.id,
                open.window.calendar.zone().told(open.closes_at)
            )
        });
        other.or_else(|| self.kept_closed(window, opening))
    }

    /// Which of its pre-checks kept an opening closed, in a sentence.
    fn kept_closed(&self, window: &Window, opening: &Opening) -> Option<String> {
        let known = self.memory.before.as_ref();
        known.filter(|known| known.occurrence == opening.id)?;
        match checks::keeps_closed(self, window, opening)? {
            Standing::Broken(words) => Some(format!("its pre-checks did not hold: {words}")),
            Standing::Pending => Some("its pre-checks did not end in time".to_owned()),
            Standing::Hold => None,
        }
    }

    /// How an opening ends that it is too late for: a round whose checks kept it has failed.
    pub(super) fn missed(&self, window: &Window, opening: &Opening) -> Outcome {
        let failed = window.routine && self.kept_closed(window, opening).is_some();
        if failed { Outcome::Failed } else { Outcome::Missed }
    }

    pub(super) fn entry(
        &self,
        opening: &Opening,
        outcome: Outcome,
        message: String,
    ) -> WindowHistoryEntry {
        WindowHistoryEntry {
            id: opening.id.clone(),
            opens_at: Time(opening.opens_at),
            closes_at: Time(opening.closes_at),
            opened_at: None,
            closed_at: None,
            outcome,
            message,
            extended_by: None,
            alarms: None,
            checks: self.checks_of(&opening.id),
            tasks: Vec::new(),
            metrics: Vec::new(),
            still_in_alarm: Vec::new(),
        }
    }

    /// What the pre-checks of an opening said that is not open.
    fn checks_of(&self, opening: &str) -> Vec<WindowCheck> {
        let known = self.memory.before.as_ref().filter(|known| known.occurrence == opening);
        known.map(|known| known.results.clone()).unwrap_or_default()
    }

    /// How what is open ended.
    pub(super) fn ended(&self, current: &Current, outcome: Outcome, message: String) -> Memory {
        let (outcome, message) = tasks::outcome(current, outcome, message);
        let mut memory = self.memory.clone();
        memory.current = None;
        let entry = WindowHistoryEntry {
            id: current.id.clone(),
            opens_at: Time(current.opens_at),
            closes_at: Time(current.closes_at),
            opened_at: Some(Time(current.opened_at)),
            closed_at: Some(Time(moments::stamp(self.now))),
            outcome,
            message,
            extended_by: Some(current.extended_by).filter(|by| *by > Duration::ZERO),
            alarms: self.memory.silenced.as_ref().map(Silenced::count),
            checks: current.checks.clone(),
            // What AWS calls it is of use while it runs.
            tasks: tasks::listed(current)
                .into_iter()
                .map(|task| TaskStatus { intent: None, id: None, ..task })
                .collect(),
            metrics: current.metrics.clone(),
            still_in_alarm: silence::still_firing(self.facts.alarms.as_ref()),
        };
        memory.remember(entry, self.now);
        memory
    }

    /// A plan that tells this, and looks again when something changes by itself.
    pub(super) fn plan(&self, phase: Phase, reason: &'static str, message: String) -> Plan {
        let upcoming = self.upcoming().unwrap_or_default();
        let gate = gate::gate(self, phase, &message);
        let ends = [&gate.until, &gate.closes].into_iter().flatten().map(|end| end.0);
        let blackout = gate.blackout.iter().flat_map(|dark| [dark.from.0, dark.until.0]);
        // What is due and does not open is over at its close.
        let next = upcoming.first().into_iter();
        let next = next.flat_map(|opening| [opening.opens_at, opening.closes_at]);
        let skipped = self.memory.skipped.iter().map(|skipped| skipped.until.0);
        let recheck = moments::after(self.now, RECHECK);
        let opens = upcoming.first().map(|opening| opening.opens_at);
        let mutes = self.window().filter(|window| window.mutes()).and(opens);
        let mutes = mutes.map(|opens| moments::before(opens, MUTE_LEAD));
        let closes = self.memory.current.as_ref().map(|current| current.closes_at);
        let changes = ends.chain(closes).chain(blackout).chain(next).chain(skipped).chain(mutes);
        let changes = changes.chain(checks::next(self));
        let changes = changes.filter(|moment| *moment > self.now);
        let revisit = Revisit::At(changes.min().map_or(recheck, |moment| moment.min(recheck)));
        Plan {
            memory: self.memory.clone(),
            report: Report { phase, reason, message },
            gate,
            upcoming,
            zone: self.window().map(|window| window.calendar.zone().clone()),
            ahead: Vec::new(),
            actions: Vec::new(),
            asks: None,
            task: None,
            intends: None,
            finalizer: false,
            notes: Vec::new(),
            trouble: None,
            silenced: silence::told(self),
            letters: Vec::new(),
            checked: checks::told(self),
            revisit,
        }
    }
}

/// Why nothing opened a window from the start of an opening to its end, as far as that is known then.
fn unopened(window: &Window) -> String {
    let away = "the operator was away from its start to its end";
    if window.alarms.is_some() && window.emergency.is_none() {
        format!("{away}, or its alarms could not be made quiet")
    } else {
        away.to_owned()
    }
}
