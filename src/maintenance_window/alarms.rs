//! What is asked and known of the alarms that a window silences.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    api::window_alarms::{AlarmMode, Silenced, SwitchedAlarm},
    facts::mute_rules::{MuteRule, OwnMuteRule},
    plan::Unread,
};

/// The kind, as tags name it.
pub const KIND: &str = "MaintenanceWindow";

/// Which alarms a spec names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// How they are made quiet.
    pub mode: AlarmMode,
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
    /// Whether these and the chosen alarms act, by region: as they are now. None: that is not asked.
    pub switched: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Whether a region that cannot be read keeps nothing from being said of the others: it is among the
    /// answers, as [`RegionFacts::unread`]. For what brings alarms back.
    pub apart: bool,
}

impl Question {
    /// The regions that it is about beside those of the choice.
    pub fn regions(&self) -> impl Iterator<Item = &String> {
        self.rules.keys().chain(self.switched.iter().flat_map(BTreeMap::keys))
    }
}

/// The answer.
pub type AlarmFacts = Result<Vec<RegionFacts>, Unread>;

/// What AWS says of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionFacts {
    /// The region.
    pub region: String,
    /// Why nothing else of it could be read.
    pub unread: Option<Unread>,
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
    /// The alarms whose switches were asked for, as far as they exist.
    pub switches: BTreeMap<String, Switch>,
    /// What windows of this account hold in this region, read from the watch after the switches.
    pub ledgers: Vec<Ledger>,
}

/// The regions that could not be read, and why the first of them could not; none where all were.
#[must_use]
pub fn unread(found: &[RegionFacts]) -> Option<(String, &Unread)> {
    let all =
        found.iter().filter_map(|facts| Some((facts.region.as_str(), facts.unread.as_ref()?)));
    let (regions, why): (Vec<&str>, Vec<&Unread>) = all.unzip();
    Some((regions.join(", "), why.first()?))
}

/// Whether an alarm acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Whether its actions are switched on.
    pub on: bool,
    /// Whether it is in ALARM.
    pub firing: bool,
    /// When it was last configured, to the microsecond; none where CloudWatch does not say.
    pub configured_at: Option<Timestamp>,
}

/// What a window says that it switched off in a region, as the watch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Whether it is that of the window which asks.
    pub own: bool,
    /// Whether it switches all of it on.
    pub ending: bool,
    /// Its alarms.
    pub alarms: BTreeMap<String, SwitchedAlarm>,
}

impl Ledger {
    /// The part of a ledger that is about a region.
    #[must_use]
    pub fn of(silenced: &Silenced, region: &str, own: bool) -> Self {
        let here = silenced.regions.iter().filter(|silenced| silenced.region == region);
        let alarms = here.flat_map(|silenced| &silenced.alarms);
        Self {
            own,
            ending: silenced.is_ending(),
            alarms: alarms.map(|alarm| (alarm.name.clone(), alarm.clone())).collect(),
        }
    }
}
