//! A plan: plain data that says what to tell, and when to look again.

use std::fmt;

use jiff::Timestamp;

use crate::{
    api::{
        maintenance_window::{Gate, Phase},
        window_alarms::SwitchedAlarm,
    },
    facts::mute_rules::{NewMuteRule, OwnMuteRule},
    maintenance_window::{
        alarms::Question,
        checks,
        memory::Memory,
        metrics::Wanted,
        tasks::{TaskQuestion, TaskStep},
    },
    notify::post::{AHEAD, Letter},
    time::{Opening, Zone, moments},
};

pub use crate::plan::{Note, Revisit, Unread};

/// What a pass does and says.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to remember.
    pub memory: Memory,
    /// What to tell.
    pub report: Report,
    /// What the objects that obey are told.
    pub gate: Gate,
    /// The openings to come, the next one first.
    pub upcoming: Vec<Opening>,
    /// The time zone of the spec; none when it has none that works.
    pub zone: Option<Zone>,
    /// In Audit: what would happen, in order.
    pub ahead: Vec<String>,
    /// Writes to AWS, in order.
    pub actions: Vec<Action>,
    /// What is done about a task, after these; then it is decided once more.
    pub task: Option<TaskStep>,
    /// What is begun next, once this plan is published: among the intents of this process.
    pub intends: Option<String>,
    /// What has to be known first: then it is decided again.
    pub asks: Option<Ask>,
    /// Whether deletion of the object must wait for us: for what is left to undo, or to tell.
    pub finalizer: bool,
    /// Things to tell once, beyond what the status shows.
    pub notes: Vec<Note>,
    /// What keeps something from being done: it is told, and tried again.
    pub trouble: Option<Unread>,
    /// What the condition AlarmsSilenced says; none where no alarm is to be quiet.
    pub silenced: Option<(bool, &'static str, String)>,
    /// Notices that go out once this is published.
    pub letters: Vec<Letter>,
    /// What the condition ChecksPassed says; none where there are no checks.
    pub checked: Option<(bool, &'static str, String)>,
    /// When to look again.
    pub revisit: Revisit,
}

impl Plan {
    /// Whether it tells of a gate that is open, and at `now` it is to be closed: it was decided upon
    /// long before.
    #[must_use]
    pub fn is_outdated(&self, now: Timestamp) -> bool {
        let until = self.gate.until.as_ref().filter(|_| self.gate.open);
        until.is_some_and(|until| until.0 <= now)
    }
}

/// What a decision has to know first. Each fills one part of the facts, which was empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Alarms and mute rules: `Facts::alarms`.
    Alarms(Question),
    /// Checks: `Facts::checks`.
    Checks(checks::Question),
    /// A task: `Facts::task`.
    Task(Box<TaskQuestion>),
    /// Metrics: `Facts::metrics`.
    Metrics(Vec<Wanted>),
}

/// A write to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a mute rule.
    PutMuteRule {
        /// Region of the alarms.
        region: String,
        /// The rule.
        rule: NewMuteRule,
    },
    /// Take a mute rule away.
    DeleteMuteRule {
        /// Its region.
        region: String,
        /// Its name.
        rule: OwnMuteRule,
    },
    /// Switch off the actions of those that act.
    SwitchOff {
        /// Region of the alarms.
        region: String,
        /// Their names, at most 100.
        alarms: Vec<String>,
        /// It is not done any more from then on.
        until: Timestamp,
    },
    /// Switch on the actions of those that are as they were left.
    SwitchOn {
        /// Region of the alarms.
        region: String,
        /// The alarms, at most 100.
        alarms: Vec<SwitchedAlarm>,
    },
}

impl Action {
    /// Where it is done.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::PutMuteRule { region, .. }
            | Self::DeleteMuteRule { region, .. }
            | Self::SwitchOff { region, .. }
            | Self::SwitchOn { region, .. } => region,
        }
    }

    /// Whether alarms are heard again by it.
    #[must_use]
    pub fn brings_back(&self) -> bool {
        match self {
            Self::DeleteMuteRule { .. } | Self::SwitchOn { .. } => true,
            Self::PutMuteRule { .. } | Self::SwitchOff { .. } => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutMuteRule { region, rule } => {
                let (from, duration) = rule.schedule();
                let (name, count) = (rule.name.as_str(), rule.alarms.len());
                write!(
                    f,
                    "PutAlarmMuteRule {name} in {region}: {count} alarms, {from} for {duration}"
                )
            }
            Self::DeleteMuteRule { region, rule } => {
                write!(f, "DeleteAlarmMuteRule {} in {region}", rule.as_str())
            }
            Self::SwitchOff { region, alarms, .. } => {
                write!(f, "DisableAlarmActions in {region}: {} alarms", alarms.len())
            }
            Self::SwitchOn { region, alarms } => {
                write!(f, "EnableAlarmActions in {region}: {} alarms", alarms.len())
            }
        }
    }
}

impl Plan {
    /// The same with what another plan does: but for its alarms, what that one tells is left out.
    pub(super) fn doing(self, other: Self) -> Self {
        let Self { memory, actions, asks, notes, trouble, silenced, revisit, .. } = other;
        Self { memory, actions, asks, notes, trouble, silenced, revisit, ..self }
    }

    /// The next opening, close or blackout, where it is so near that nothing slow is begun before.
    pub(super) fn change_ahead(&self, now: Timestamp) -> Option<Timestamp> {
        let gate = &self.gate;
        let changes = [&gate.until, &gate.closes].into_iter().flatten().map(|end| end.0);
        let blackout = gate.blackout.iter().flat_map(|dark| [dark.from.0, dark.until.0]);
        let opens = self.upcoming.iter().map(|opening| opening.opens_at);
        let closes = self.memory.current.iter().map(|current| current.closes_at);
        let soon = now..=moments::after(now, AHEAD);
        let changes = changes.chain(blackout).chain(opens).chain(closes);
        changes.filter(|at| *at > now && soon.contains(at)).min()
    }
}

/// What the status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The phase.
    pub phase: Phase,
    /// Why, in CamelCase: the reason of the conditions.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}
