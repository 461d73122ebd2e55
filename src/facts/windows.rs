//! What the MaintenanceWindows of a namespace say to the objects that obey them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::window_alarms::Silenced;

/// A window, as its object and status tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowFact {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is a Routine: its gate never opens, and no selector sees it.
    pub routine: bool,
    /// Windows whose gates it opens, where it is an emergency.
    pub emergency_for: Vec<String>,
    /// What its status says; none before the first look.
    pub gate: Option<GateFact>,
    /// Whether that speaks of the spec as it is now.
    pub current: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The next opening in words; none when there is none to come.
    pub next: Option<String>,
}

/// A window's gate, as its status says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateFact {
    /// How it stands.
    pub state: GateState,
    /// Why, in a sentence.
    pub message: String,
    /// New work is accepted until then; none where there is no end.
    pub until: Option<Timestamp>,
    /// When what is open closes; none where there is no end.
    pub closes: Option<Timestamp>,
    /// The schedules that are open: name, start, and the end of new work.
    pub schedules: Vec<(String, Timestamp, Timestamp)>,
    /// The blackout that holds, or comes next: its name, start, and the first moment after it.
    pub blackout: Option<(String, Timestamp, Timestamp)>,
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GateState {
    /// Work may start.
    Open,
    /// Not now.
    #[default]
    Closed,
    /// The window is suspended.
    Suspended,
    /// The window cannot work.
    Invalid,
}

/// The alarms that a window makes quiet, as its status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietFact {
    /// The window's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The account of the alarms, once it was looked at.
    pub account: Option<String>,
    /// What it makes quiet.
    pub silenced: Silenced,
}
