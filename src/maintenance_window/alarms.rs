//! What is asked and known of the alarms that a window silences.

use std::collections::BTreeMap;

use crate::{
    facts::mute_rules::{MuteRule, OwnMuteRule},
    plan::Unread,
};

/// The kind, as tags name it.
pub const KIND: &str = "MaintenanceWindow";

/// Which alarms a spec names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// By their names.
    pub names: Vec<String>,
    /// By the start of their names.
    pub prefixes: Vec<String>,
    /// But not those whose names start so.
    pub excluded: Vec<String>,
    /// In these regions; empty: that of the window.
    pub regions: Vec<String>,
}

/// What a decision needs to know of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The alarms that these choose, with the composite alarms that would fire through.
    pub choice: Option<Choice>,
    /// Whether that is only to be told: what cannot be read is left out then.
    pub told_only: bool,
    /// Mute rules, by region: as they are now, not as they were lately.
    pub rules: BTreeMap<String, Vec<OwnMuteRule>>,
    /// Whether rules of this window are looked for that nobody knows of.
    pub strays: bool,
}

/// The answer.
pub type AlarmFacts = Result<Vec<RegionFacts>, Unread>;

/// What AWS says of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionFacts {
    /// The region.
    pub region: String,
    /// Names of the alarms that are chosen, sorted, each once.
    pub chosen: Vec<String>,
    /// Those of them that are in ALARM.
    pub firing: Vec<String>,
    /// Names and prefixes that choose nothing.
    pub missing: Vec<String>,
    /// The rules that were asked for, as far as they exist.
    pub rules: BTreeMap<OwnMuteRule, MuteRule>,
    /// Rules of this window that its status does not know.
    pub strays: Vec<OwnMuteRule>,
}
