//! What the status of a window tells of its alarms, and what a mute rule needs before it is put.

use std::collections::BTreeMap;

use groundcrew::{
    api::{
        FINALIZER,
        maintenance_window::{CurrentOpening, MaintenanceWindow, MaintenanceWindowStatus},
        window_alarms::{AlarmMode, SilencedRegion, SilencedRule, SwitchState},
    },
    facts::mute_rules::{NewMuteRule, OwnMuteRule},
    names::Owner,
};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::Found;
use crate::world::CLUSTER;

/// The alarms that a window says it has to switch on.
#[derive(Debug, Default)]
pub struct Ledger {
    pub occurrence: String,
    pub ending: bool,
    pub alarms: BTreeMap<String, Entry>,
}

/// One of them.
#[derive(Debug)]
pub struct Entry {
    /// Whether it was read to be off, or is only to be.
    pub off: bool,
    /// Since when it is there.
    pub since: Timestamp,
}

impl Ledger {
    /// What a status says, after another one.
    pub fn of(now: Timestamp, status: &MaintenanceWindowStatus, old: &Self) -> Self {
        let Some(silenced) = status.silenced.as_ref().filter(|_| toggles(status)) else {
            return Self::default();
        };
        let alarms = silenced.regions.iter().flat_map(|region| &region.alarms);
        let entries = alarms.filter(|alarm| alarm.state.is_ours()).map(|alarm| {
            let since = old.alarms.get(&alarm.name).map_or(now, |old| old.since);
            (alarm.name.clone(), Entry { off: alarm.state == SwitchState::Off, since })
        });
        Self {
            occurrence: silenced.occurrence.clone(),
            ending: silenced.is_ending(),
            alarms: entries.collect(),
        }
    }

    /// Whether both say the same.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |entry: &Self| {
            let alarms = entry.alarms.iter().map(|(name, entry)| (name.clone(), entry.off));
            (entry.occurrence.clone(), entry.ending, alarms.collect::<Vec<_>>())
        };
        said(self) == said(other)
    }
}

/// What is open, and does not close.
pub fn open(status: &MaintenanceWindowStatus) -> Option<&CurrentOpening> {
    status.current.as_ref().filter(|current| current.closing.is_none())
}

pub fn is_silenced(status: &MaintenanceWindowStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|one| one.type_ == "AlarmsSilenced" && one.status == "True")
}

fn regions(status: &MaintenanceWindowStatus) -> impl Iterator<Item = &SilencedRegion> {
    status.silenced.iter().flat_map(|silenced| &silenced.regions)
}

fn rules(status: &MaintenanceWindowStatus) -> impl Iterator<Item = &SilencedRule> {
    regions(status).flat_map(|region| &region.rules)
}

/// Whether alarms are switched off by a window, or muted.
pub fn toggles(status: &MaintenanceWindowStatus) -> bool {
    status.silenced.as_ref().is_some_and(|silenced| silenced.mode == AlarmMode::Toggle)
}

/// Alarms that a status tells to be quiet, or about to be.
pub fn ledger(status: &MaintenanceWindowStatus) -> impl Iterator<Item = &String> {
    let switched = regions(status).flat_map(|region| &region.alarms);
    let switched = switched.filter(|alarm| alarm.state.is_ours()).map(|alarm| &alarm.name);
    rules(status).flat_map(|rule| &rule.alarms).chain(switched)
}

/// Whether the status of a window tells of a rule as it is put.
pub fn is_told(rule: &NewMuteRule, window: Option<&MaintenanceWindow>) -> bool {
    let status = window.and_then(|window| window.status.as_ref());
    status.into_iter().flat_map(rules).any(|told| {
        told.name == rule.name.as_str()
            && told.alarms == rule.alarms
            && told.from.0 == rule.starts_at
            && told.until.0 == rule.starts_at + rule.duration
    })
}

/// What a rule needs before it is put: the status that tells of it, the finalizer, and time.
pub fn unprepared(now: Timestamp, rule: &NewMuteRule, window: Option<&MaintenanceWindow>) -> Found {
    let mut found = Found::new();
    let finalized = window
        .is_some_and(|window| window.finalizers().iter().any(|finalizer| finalizer == FINALIZER));
    if !finalized {
        found.push(("G1", format!("{rule:?} is put without a finalizer")));
    }
    if !is_told(rule, window) {
        found.push(("Ledger", format!("{rule:?} is put, and no status tells of it")));
    }
    if rule.starts_at <= now {
        found.push(("M4", format!("{rule:?} is put at {now}, after its begin")));
    }
    found
}

/// G4: only rules of the window itself are written.
pub fn foreign(by: &str, name: &str) -> Option<(&'static str, String)> {
    let (namespace, window) = by.strip_prefix("window ")?.split_once('/')?;
    let (namespace, window) = (namespace.to_owned(), window.to_owned());
    let owner = Owner { cluster: CLUSTER.to_owned(), namespace, name: window };
    let own = OwnMuteRule::found(CLUSTER, name).is_some_and(|rule| rule.is_of(&owner));
    (!own).then(|| ("G4", format!("{by} wrote the rule {name}")))
}
