//! M1 to M8 of alarms: they are quiet for openings of windows, and for nothing else; what makes them
//! quiet was written down before, and goes away soon after it is wanted no more.

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::{
    api::{
        ABANDON_ANNOTATION,
        maintenance_window::{CurrentOpening, MaintenanceWindow, MaintenanceWindowStatus},
        window_alarms::{AlarmMode, Alarms as Choice},
    },
    names::muter,
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{
    Found, lease,
    ledgers::{foreign, is_silenced, is_told, ledger, open, toggles, unprepared},
    planned::LEAD,
    toggled::Toggled,
    windows::Windows,
};
use crate::{history::RulePut, world::kubernetes::key};

/// How long a pass takes from its look at the clock to its last call.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// How soon it is told that a rule mutes, and how soon that alarms were made or deleted.
const RULE_TOLD: SignedDuration = SignedDuration::from_secs(32);
const ALARM_TOLD: SignedDuration = SignedDuration::from_secs(5 * 60 + 35);
/// How soon a rule is tried again that CloudWatch did not take.
const REFUSED: SignedDuration = SignedDuration::from_secs(165);
/// Rules begin at whole minutes, a quarter of one after they are decided upon at the earliest.
const WHOLE_MINUTES: SignedDuration = SignedDuration::from_secs(120);
/// How old what is known of alarms may be when a window opens.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(60);
/// How soon a new alarm is quiet, where nothing goes wrong: a recheck, and a whole minute.
const NEWS: SignedDuration = SignedDuration::from_secs(7 * 60);
/// How soon a rule goes that is wanted no more, where nothing goes wrong.
const UNDONE: SignedDuration = SignedDuration::from_secs(15);

/// What is quiet, as CloudWatch has it.
#[derive(Debug, Default)]
pub struct Silence {
    /// Rules that the operator put.
    rules: BTreeMap<String, Rule>,
    alarms: BTreeMap<String, Alarm>,
    /// What was told to sound that should be quiet.
    told: BTreeSet<String>,
    /// When people last made or deleted alarms.
    edited: Option<Timestamp>,
    /// When CloudWatch last did not take a rule of a window.
    refused: BTreeMap<String, Timestamp>,
    /// What is switched off.
    pub toggled: Toggled,
}

#[derive(Debug, PartialEq, Eq)]
struct Rule {
    /// As `namespace/name`.
    window: String,
    occurrence: String,
    alarms: BTreeSet<String>,
    from: Timestamp,
    until: Timestamp,
    /// Nothing tells of it: it came late, a person emptied the status, or let it be.
    lost: bool,
    /// Since when it is wanted no more.
    unwanted: Option<Timestamp>,
}

#[derive(Debug)]
struct Alarm {
    since: Timestamp,
    /// Of a composite alarm.
    rule: Option<String>,
}

impl Rule {
    fn mutes(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

impl Silence {
    /// There is a new alarm.
    pub fn made(&mut self, now: Timestamp, name: &str, rule: Option<&String>) -> Found {
        self.alarms.insert(name.to_owned(), Alarm { since: now, rule: rule.cloned() });
        self.toggled.made(now, name);
        // Composite alarms that look at it may be chosen from now on.
        let looks = |rule: &String| rule.contains(&format!("({name})"));
        let composites = self.alarms.values_mut();
        let composites = composites.filter(|alarm| alarm.rule.as_ref().is_some_and(looks));
        composites.for_each(|alarm| alarm.since = now);
        self.edited = Some(now);
        Found::new()
    }

    /// An alarm is gone.
    pub fn taken(&mut self, now: Timestamp, name: &str) -> Found {
        self.alarms.remove(name);
        self.toggled.taken(now, name);
        self.edited = Some(now);
        Found::new()
    }

    /// A person switched an alarm, or put it again.
    pub fn person_put(&mut self, now: Timestamp, name: &str, on: bool, told: bool) -> Found {
        self.toggled.put(now, name, on, told);
        self.edited = Some(now);
        Found::new()
    }

    /// Whether there is something that the status of a window tells now: a rule begins, alarms were
    /// made or deleted, or CloudWatch does not take a rule.
    pub fn has_news(&self, now: Timestamp, key: &str) -> bool {
        let since = |at: Timestamp, span: SignedDuration| at <= now && now < at + span;
        let mut rules = self.rules.values().filter(|rule| rule.window == key);
        rules.any(|rule| since(rule.from, RULE_TOLD))
            || self.edited.is_some_and(|at| since(at, ALARM_TOLD))
            || self.refused.get(key).is_some_and(|at| since(*at, REFUSED))
            || self.toggled.has_news(now, key)
    }

    /// Nothing tells any more of what a window made quiet.
    pub fn lose(&mut self, now: Timestamp, key: &str) {
        self.rules.values_mut().filter(|rule| rule.window == key).for_each(|rule| rule.lost = true);
        self.toggled.lose(now, key);
    }

    /// Rules that nothing tells of, and until when they mute.
    pub fn lost(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let lost = self.rules.iter().filter(|(_, rule)| rule.lost);
        lost.map(|(name, rule)| (name.as_str(), rule.until))
    }

    /// Whether rules mute an alarm.
    fn is_muted(&self, alarm: &str, at: Timestamp) -> bool {
        let mut muting = self.rules.values().filter(|rule| rule.mutes(at));
        muting.any(|rule| rule.alarms.contains(alarm))
    }

    /// Whether a rule keeps an alarm quiet until then, now or soon.
    fn is_covered(&self, alarm: &str, from: Timestamp, until: Timestamp) -> bool {
        let mut rules = self.rules.values();
        rules.any(|rule| rule.from <= from && rule.until >= until && rule.alarms.contains(alarm))
    }

    /// The alarms of a choice, and the composite alarms that look at them.
    fn chosen(&self, choice: &Choice) -> BTreeSet<&str> {
        if choice.mode == Some(AlarmMode::None) {
            return BTreeSet::new();
        }
        let starts = |list: &Option<Vec<String>>, name: &str| {
            list.iter().flatten().any(|prefix| name.starts_with(prefix.as_str()))
        };
        let named = |name: &str| choice.names.iter().flatten().any(|one| one == name);
        let excluded = |name: &str| starts(&choice.exclude_prefixes, name);
        let prefixed = |name: &str| starts(&choice.name_prefixes, name) && !excluded(name);
        let wanted = |name: &str| named(name) || prefixed(name);
        let mut all: BTreeSet<&str> =
            self.alarms.keys().map(String::as_str).filter(|name| wanted(name)).collect();
        let composites = || {
            let rules = self.alarms.iter().filter_map(|(name, alarm)| {
                alarm.rule.as_ref().map(|rule| (name.as_str(), rule.as_str()))
            });
            rules.filter(|(name, _)| !excluded(name))
        };
        // One may look at another.
        for _ in composites() {
            for (name, rule) in composites() {
                if all.iter().any(|child| rule.contains(&format!("({child})"))) {
                    all.insert(name);
                }
            }
        }
        all
    }

    /// The operator sent PutAlarmMuteRule.
    pub fn put(&mut self, now: Timestamp, windows: &Windows, put: &RulePut) -> Found {
        let RulePut { by, rule, window, taken, leads, late } = put;
        let mut found = lease(*leads);
        let (name, key) = (rule.name.as_str(), by.strip_prefix("window ").unwrap_or_default());
        found.extend(foreign(by, name));
        let new = Rule {
            window: key.to_owned(),
            occurrence: muter(name).map(|muter| muter.occurrence).unwrap_or_default(),
            alarms: rule.alarms.iter().cloned().collect(),
            from: rule.starts_at,
            until: rule.starts_at + rule.duration,
            lost: *late && !is_told(rule, window.as_ref()),
            unwanted: None,
        };
        // What was sent before it was told may still arrive.
        if !late {
            found.extend(unprepared(now, rule, window.as_ref()));
        }
        let span = windows.all.get(key).and_then(|past| past.planned.span(&new.occurrence, now));
        let within = |(opens, closes): (Timestamp, Timestamp)| {
            opens <= new.from && new.until <= closes && opens - LEAD - SLACK <= now
        };
        let stepped = windows.stepped.is_some_and(|until| now < until);
        if !span.is_some_and(within) && !stepped {
            found.push(("M4", format!("{new:?} is put at {now}, the opening is {span:?}")));
        }
        if !taken {
            self.refused.insert(key.to_owned(), now);
            return found;
        }
        let old = self.rules.get(name).filter(|old| old.mutes(now));
        let same =
            |old: &Rule| (&old.alarms, old.from, old.until) == (&new.alarms, new.from, new.until);
        if let Some(old) = old.filter(|old| !same(old) && !old.lost) {
            found.push(("M5", format!("{old:?} mutes, and became {new:?}")));
        }
        self.rules.insert(name.to_owned(), new);
        found
    }

    /// The operator deleted a rule, there or not.
    pub fn deleted(&mut self, by: &str, name: &str, leads: bool) -> Found {
        self.rules.remove(name);
        lease(leads).into_iter().chain(foreign(by, name)).collect()
    }

    /// The operator took its finalizer from a window.
    pub fn let_go(&mut self, now: Timestamp, window: &MaintenanceWindow) -> Found {
        let key = key(window);
        let left = self.left(now, &key, None);
        let abandoned = window.annotations().contains_key(ABANDON_ANNOTATION);
        let mut found = self.toggled.let_go(now, &key, abandoned);
        self.lose(now, &key);
        if let Some(left) = left.filter(|_| !abandoned) {
            found.push(("G3", format!("the finalizer left {key}, {left} stayed")));
        }
        found
    }

    /// A rule of a window that mutes, or will.
    fn left(&self, now: Timestamp, key: &str, occurrence: Option<&str>) -> Option<String> {
        let mut rules = self.rules.iter().filter(|(_, rule)| rule.window == key && !rule.lost);
        let left = rules.find(|(_, rule)| {
            now < rule.until && occurrence.is_none_or(|occurrence| occurrence == rule.occurrence)
        });
        left.map(|(name, _)| name.clone())
    }

    /// The operator applied the status of a window.
    pub fn applied(
        &mut self,
        now: Timestamp,
        windows: &Windows,
        (before, after): (&MaintenanceWindow, &MaintenanceWindow),
    ) -> Found {
        let (key, old) = (key(after), before.status.as_ref());
        let Some(status) = after.status.as_ref().filter(|status| Some(*status) != old) else {
            return Found::new();
        };
        let mut found = Found::new();
        let known = |id: &str| old.is_some_and(|old| old.history.iter().any(|one| one.id == id));
        for entry in status.history.iter().filter(|one| one.opened_at.is_some() && !known(&one.id))
        {
            if let Some(left) = self.left(now, &key, Some(&entry.id)) {
                found.push(("M1", format!("{} is told to be over, and {left} is there", entry.id)));
            }
        }
        let abandoned = after.annotations().contains_key(ABANDON_ANNOTATION);
        found.extend(self.toggled.applied(now, windows, &key, (status, abandoned)));
        if is_silenced(status) {
            let lately = now - windows.slack(now, &format!("window {key}"));
            let quiet = |alarm: &str, at| match toggles(status) {
                true => self.toggled.is_off(alarm, at),
                false => self.is_muted(alarm, at),
            };
            let sounds = |alarm: &&String| !quiet(alarm, now) && !quiet(alarm, lately);
            let sounding: Vec<&String> = ledger(status).filter(sounds).collect();
            if !sounding.is_empty() {
                found.push(("Told", format!("{key} tells of quiet, and {sounding:?} sound")));
            }
        }
        let opens = open(status).filter(|one| {
            let before = old.and_then(|old| old.current.as_ref());
            before.is_none_or(|before| before.id != one.id) && one.spec.0.emergency.is_none()
        });
        found.extend(opens.and_then(|current| self.opens_loudly(now, &key, current)));
        found
    }

    /// A window opens once there is a rule for each of its alarms, or they are off.
    fn opens_loudly(
        &self,
        now: Timestamp,
        key: &str,
        current: &CurrentOpening,
    ) -> Option<(&'static str, String)> {
        let closes = current.closes_at.0;
        let choice = current.spec.0.alarms.as_ref()?;
        let (chosen, opens) = (self.chosen(choice), current.opens_at.0);
        let from = now.max(opens) + WHOLE_MINUTES;
        let quiet = |alarm: &str| match choice.mode {
            Some(AlarmMode::Toggle) => self.toggled.may_act(alarm, opens, now),
            Some(AlarmMode::Mute | AlarmMode::None) | None => {
                from >= closes || self.is_covered(alarm, from, closes)
            }
        };
        let loud = |alarm: &&str| {
            let known = self.alarms.get(*alarm).is_some_and(|one| one.since + KNOWN_FOR < now);
            known && !quiet(alarm)
        };
        let loud: Vec<&str> = chosen.into_iter().filter(loud).collect();
        (!loud.is_empty()).then(|| ("Loud", format!("{key} opens, and {loud:?} will sound")))
    }

    /// What should be quiet by now and is not, and the other way round.
    pub fn overdue(&mut self, now: Timestamp, windows: &Windows) -> Found {
        let Some(leads) = windows.leads else { return Found::new() };
        let mut found = self.unwanted(now, windows, leads);
        found.extend(self.toggled.overdue(now, windows, leads));
        let mut told = std::mem::take(&mut self.told);
        for (key, past) in &windows.all {
            let Some(status) = past.status.as_ref().filter(|_| !windows.troubled(now, key)) else {
                continue;
            };
            let Some(current) = open(status) else { continue };
            let closes = current.closes_at.0;
            if now + WHOLE_MINUTES >= closes || !past.planned.awaits(&current.id, now, true) {
                continue;
            }
            for alarm in self.loud(now, leads, status, current) {
                if told.insert(format!("{key} {} {alarm}", current.id)) {
                    found.push(("Loud", format!("{alarm} sounds while {} is open", current.id)));
                }
            }
        }
        self.told = told;
        found
    }

    /// The alarms that should be quiet for an opening, and are not.
    fn loud<'a>(
        &'a self,
        now: Timestamp,
        leads: Timestamp,
        status: &'a MaintenanceWindowStatus,
        current: &'a CurrentOpening,
    ) -> Vec<&'a str> {
        let told_quiet = ledger(status).map(String::as_str).filter(|_| is_silenced(status));
        let choice = current.spec.0.alarms.as_ref();
        let chosen = choice.map(|choice| self.chosen(choice)).unwrap_or_default();
        let opened = current.opened_at.0;
        let long = |alarm: &str| {
            let since = self.alarms.get(alarm).map_or(now, |alarm| alarm.since);
            since.max(opened).max(leads) + NEWS < now
        };
        if toggles(status) {
            let told = told_quiet.filter(|alarm| self.toggled.sounds(alarm, now));
            let opens = current.opens_at.0;
            let acts = |alarm: &&str| long(alarm) && !self.toggled.may_act(alarm, opens, now);
            told.chain(chosen.into_iter().filter(acts)).collect()
        } else {
            let soon = |alarm: &str| self.is_covered(alarm, now + WHOLE_MINUTES, now + NEWS);
            let told = told_quiet.filter(|alarm| !soon(alarm));
            let due = told.chain(chosen.into_iter().filter(|alarm| long(alarm)));
            due.filter(|alarm| !self.is_muted(alarm, now)).collect()
        }
    }

    /// M1: rules of what is over, or will not be.
    fn unwanted(&mut self, now: Timestamp, windows: &Windows, leads: Timestamp) -> Found {
        let mut found = Found::new();
        for (name, rule) in &mut self.rules {
            let Some(past) = windows.all.get(&rule.window) else { continue };
            let current = past.status.as_ref().and_then(open);
            let is_open = current.is_some_and(|current| current.id == rule.occurrence);
            if past.planned.awaits(&rule.occurrence, now, is_open) {
                rule.unwanted = None;
                continue;
            }
            let since = *rule.unwanted.get_or_insert(now);
            let late = since.max(leads) + UNDONE < now && !windows.troubled(now, &rule.window);
            if late && now < rule.until && !rule.lost {
                found.push((
                    "M1",
                    format!("{name} mutes until {}, and nobody wants it", rule.until),
                ));
                rule.lost = true;
            }
        }
        found
    }
}
