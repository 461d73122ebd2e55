//! Whether the alarms act, and who said so last.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    api::window_alarms::SwitchedAlarm,
    maintenance_window::{
        alarms::{Ledger, Question, Switch},
        decide::is_as_left,
    },
};

/// Most names of one call.
const NAMES_MAX: usize = 100;

/// How alarms are switched; one that is not told of acts.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    /// Those that are off.
    pub off: BTreeSet<String>,
    /// Those of them that the operator switched off.
    pub ours: BTreeSet<String>,
    /// When they were last configured.
    configured: BTreeMap<String, Timestamp>,
    /// Whether switching counts as configuring: AWS does not say.
    pub counts: bool,
    /// Configurations so far.
    changes: i64,
    /// What the watch shows.
    pub ledgers: Vec<Ledger>,
    /// Calls, with how many alarms each.
    pub calls: Vec<(&'static str, usize)>,
}

impl Switches {
    pub fn switch(&self, name: &str, firing: bool) -> Switch {
        let configured_at = self.configured.get(name).copied();
        Switch { on: !self.off.contains(name), firing, configured_at }
    }

    pub(super) fn answer(
        &self,
        question: &Question,
        region: &str,
        chosen: &BTreeSet<String>,
        alarms: &BTreeMap<String, bool>,
    ) -> (BTreeMap<String, Switch>, Option<Vec<String>>) {
        let Some(switched) = &question.switched else { return Default::default() };
        let asked: BTreeSet<&String> =
            switched.get(region).into_iter().flatten().chain(chosen).collect();
        let there = asked.into_iter().filter_map(|name| Some((name, alarms.get(name)?)));
        let found: BTreeMap<_, _> =
            there.map(|(name, firing)| (name.clone(), self.switch(name, *firing))).collect();
        let firing = found.iter().filter(|(_, switch)| switch.firing);
        let firing = firing.map(|(name, _)| name.clone()).collect();
        (found, Some(firing))
    }

    pub(super) fn switch_off(&mut self, names: &[String], alarms: &BTreeMap<String, bool>) {
        assert!((1..=NAMES_MAX).contains(&names.len()));
        self.calls.push(("off", names.len()));
        for name in names.iter().filter(|name| alarms.contains_key(*name)) {
            if self.off.insert(name.clone()) {
                self.ours.insert(name.clone());
                self.changed(name);
            }
        }
    }

    pub(super) fn switch_on(&mut self, alarms: &[SwitchedAlarm]) {
        assert!((1..=NAMES_MAX).contains(&alarms.len()));
        self.calls.push(("on", alarms.len()));
        for alarm in alarms {
            if is_as_left(alarm, &self.switch(&alarm.name, false)) {
                self.off.remove(&alarm.name);
                self.ours.remove(&alarm.name);
                self.changed(&alarm.name);
            }
        }
    }

    /// A person switches an alarm.
    pub fn person(&mut self, name: &str, on: bool) {
        self.ours.remove(name);
        if on {
            self.off.remove(name)
        } else {
            self.off.insert(name.to_owned())
        };
        self.changed(name);
    }

    /// A person configures an alarm, or makes it anew.
    pub fn configure(&mut self, name: &str) {
        self.changes += 1;
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(self.changes);
        self.configured.insert(name.to_owned(), at);
    }

    fn changed(&mut self, name: &str) {
        if self.counts {
            self.configure(name);
        }
    }
}
