//! M1 to M6 of alarms that are switched off: those of the operator come back, those of people stay as
//! they are, and a ledger tells of each before it is off.

use std::collections::BTreeMap;

use groundcrew::{
    api::maintenance_window::MaintenanceWindowStatus, aws::port::alarms::ACTION_NAMES_MAX,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Found, lease,
    ledgers::{Entry, Ledger, open},
    windows::Windows,
};
use crate::history::AlarmsSwitched;

/// How long a pass takes from its look at the clock to its last call.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// The same where something goes wrong.
const SLOW: SignedDuration = SignedDuration::from_secs(20);
/// How soon it is seen that a person switched an alarm: a recheck.
const SEEN: SignedDuration = SignedDuration::from_secs(5 * 60 + 35);
/// How soon an alarm is off again that another window switched on at its end, and how soon that is told.
const TAKEN_OVER: SignedDuration = SignedDuration::from_secs(35);
/// How soon an alarm acts that nobody wants off any more, where nothing goes wrong.
const UNDONE: SignedDuration = SignedDuration::from_secs(15);

/// How alarms are switched, and what windows say of it.
#[derive(Debug, Default)]
pub struct Toggled {
    alarms: BTreeMap<String, Switch>,
    /// By `namespace/name` of the window.
    ledgers: BTreeMap<String, Ledger>,
    /// When people last deleted an alarm of this name.
    deleted: BTreeMap<String, Timestamp>,
    /// When a person last emptied the status of a window.
    emptied: BTreeMap<String, Timestamp>,
    /// When the operator last switched something, or a ledger changed.
    moved: Option<Timestamp>,
}

/// One alarm.
#[derive(Debug)]
struct Switch {
    on: bool,
    since: Timestamp,
    /// It is off because of the operator.
    ours: bool,
    /// When a person last switched it, or put it again.
    touched: Option<Timestamp>,
    /// CloudWatch tells of that.
    told: bool,
    /// When it was last switched on again, after it was off because of the operator.
    freed: Option<Timestamp>,
    /// Nothing tells of it: a person emptied the status, or let it be.
    lost: bool,
    /// Since when nobody wants it off.
    unwanted: Option<Timestamp>,
}

impl Switch {
    fn made(now: Timestamp, touched: Option<Timestamp>) -> Self {
        Self {
            on: true,
            since: now,
            ours: false,
            touched,
            told: true,
            freed: None,
            lost: false,
            unwanted: None,
        }
    }

    fn turn(&mut self, now: Timestamp, on: bool, ours: bool) {
        if on {
            self.freed = self.ours.then_some(now);
        } else if ours {
            self.freed = None;
        }
        (self.on, self.ours, self.since) = (on, ours && !on, now);
        (self.lost, self.unwanted) = (false, None);
    }

    fn is_ours(&self) -> bool {
        !self.on && self.ours
    }
}

impl Toggled {
    /// There is a new alarm. One that was there just before looks like one that was switched on.
    pub fn made(&mut self, now: Timestamp, name: &str) {
        let before = self.deleted.get(name).filter(|at| now < **at + SEEN);
        let touched = before.map(|_| now);
        self.alarms.entry(name.to_owned()).or_insert_with(|| Switch::made(now, touched));
    }

    /// An alarm is gone.
    pub fn taken(&mut self, now: Timestamp, name: &str) {
        self.alarms.remove(name);
        self.deleted.insert(name.to_owned(), now);
    }

    /// A person switched an alarm, or put it again.
    pub fn put(&mut self, now: Timestamp, name: &str, on: bool, told: bool) {
        if let Some(switch) = self.alarms.get_mut(name) {
            switch.turn(now, on, false);
            (switch.touched, switch.told) = (Some(now), told);
        }
    }

    /// Nothing tells any more of what a window switched off.
    pub fn lose(&mut self, now: Timestamp, key: &str) {
        let Some(ledger) = self.ledgers.remove(key) else { return };
        self.emptied.insert(key.to_owned(), now);
        for name in ledger.alarms.keys() {
            let held = self.holders(name).next().is_some();
            if let Some(switch) = self.alarms.get_mut(name).filter(|_| !held) {
                switch.lost = true;
            }
        }
    }

    /// Whether the status of a window may tell something new.
    pub fn has_news(&self, now: Timestamp, key: &str) -> bool {
        let mut entries = self.ledgers.get(key).into_iter().flat_map(|one| one.alarms.values());
        entries.any(|entry| !entry.off)
            || self.moved.is_some_and(|at| at <= now && now < at + TAKEN_OVER)
    }

    /// Whether an alarm does not act, whoever switched it, or did not lately.
    pub fn is_off(&self, name: &str, since: Timestamp) -> bool {
        self.alarms.get(name).is_none_or(|switch| !switch.on || since < switch.since)
    }

    /// Whether an alarm may act although a window that opened then is to keep it off: a person said so,
    /// or another window has just ended.
    pub fn may_act(&self, name: &str, opened: Timestamp, now: Timestamp) -> bool {
        self.alarms.get(name).is_none_or(|switch| {
            let handed = switch.freed == Some(switch.since) && now < switch.since + TAKEN_OVER;
            let wanted = switch.touched.is_some_and(|at| opened <= at);
            !switch.on || wanted || handed
        })
    }

    /// Whether it must be seen by now that an alarm acts which is told to be off.
    pub fn sounds(&self, name: &str, now: Timestamp) -> bool {
        self.alarms.get(name).is_some_and(|switch| {
            let by_person = switch.touched == Some(switch.since);
            switch.on && switch.since + if by_person { SEEN } else { TAKEN_OVER } < now
        })
    }

    /// The windows that say that they have to switch an alarm on.
    fn holders(&self, name: &str) -> impl Iterator<Item = (&String, &Ledger, &Entry)> {
        let ledgers = self.ledgers.iter();
        ledgers.filter_map(move |(key, ledger)| Some((key, ledger, ledger.alarms.get(name)?)))
    }

    /// The operator sent DisableAlarmActions or EnableAlarmActions.
    pub fn switched(&mut self, now: Timestamp, windows: &Windows, act: &AlarmsSwitched) -> Found {
        let mut found = lease(act.leads);
        if !(1..=ACTION_NAMES_MAX).contains(&act.alarms.len()) {
            found.push(("M6", format!("{} switches {} alarms", act.by, act.alarms.len())));
        }
        if !act.on && !act.late {
            found.extend(self.unprepared(now, windows, act));
        }
        if !act.taken {
            return found;
        }
        self.moved = Some(now);
        for name in &act.alarms {
            if act.on {
                found.extend(self.not_to_act(now, windows, name, act));
            }
            if let Some(switch) = self.alarms.get_mut(name).filter(|switch| switch.on != act.on) {
                switch.turn(now, act.on, true);
            }
        }
        let key = window_of(&act.by);
        let emptied = self.emptied.get(key).is_some_and(|at| now < *at + SLOW);
        let stuck = self.unheld();
        found.extend(stuck.into_iter().filter(|_| !emptied));
        found
    }

    /// What an alarm needs before it is switched off: the status that tells of it, the finalizer, and an
    /// opening.
    fn unprepared(&self, now: Timestamp, windows: &Windows, act: &AlarmsSwitched) -> Found {
        let mut found = Found::new();
        let AlarmsSwitched { by, alarms, .. } = act;
        let key = window_of(by);
        if !act.finalized {
            found.push(("G1", format!("{by} switches {alarms:?} off without a finalizer")));
        }
        let ledger = self.ledgers.get(key).filter(|ledger| !ledger.ending);
        let intended = |name: &String| {
            ledger.and_then(|ledger| ledger.alarms.get(name)).is_some_and(|entry| !entry.off)
        };
        // A person emptied it while the call was on its way.
        let emptied = self.emptied.get(key).is_some_and(|at| now < *at + SLACK);
        if !emptied && !alarms.iter().all(intended) {
            found.push(("Ledger", format!("{by} switches {alarms:?} off, it tells {ledger:?}")));
        }
        if let Some(ledger) = ledger {
            let past = windows.all.get(key);
            let span = past.and_then(|past| past.planned.span(&ledger.occurrence, now));
            if !span.is_some_and(|(opens, closes)| opens - SLACK <= now && now < closes) {
                found.push(("M4", format!("{by} switches {alarms:?} off, it opens {span:?}")));
            }
        }
        found
    }

    /// M2 and M3: what a person switched off stays so, and what another window keeps off.
    fn not_to_act(
        &self,
        now: Timestamp,
        windows: &Windows,
        name: &str,
        act: &AlarmsSwitched,
    ) -> Option<(&'static str, String)> {
        let switch = self.alarms.get(name).filter(|switch| !switch.on)?;
        let (key, slack) = (window_of(&act.by), windows.slack(now, &act.by));
        if !switch.ours {
            let entry = self.ledgers.get(key).and_then(|ledger| ledger.alarms.get(name));
            let excused = self.is_untellable(now, windows, switch, entry, slack)
                || act.late && now < switch.since + SLOW;
            let why = || format!("{} switches {name} on, which a person switched off", act.by);
            return (!excused).then(|| ("M2", why()));
        }
        let troubled = |key: &str| windows.troubled(now, key);
        let mut others = self.holders(name).filter(|(other, ledger, entry)| {
            let past = windows.all.get(*other);
            let wanted =
                past.is_some_and(|past| past.planned.awaits(&ledger.occurrence, now, true));
            let seen = entry.since + slack + SLACK < now;
            *other != key && !ledger.ending && wanted && seen && !troubled(other)
        });
        let other = others.next().filter(|_| !act.late && !troubled(key));
        other.map(|(other, ..)| ("M3", format!("{} switches {name} on, {other} has it", act.by)))
    }

    /// Whether nobody can tell that a person switched an alarm off: it looks as it would if the operator
    /// had, or it happened right before.
    fn is_untellable(
        &self,
        now: Timestamp,
        windows: &Windows,
        switch: &Switch,
        entry: Option<&Entry>,
        slack: SignedDuration,
    ) -> bool {
        let since = switch.since;
        let intended = entry.is_some_and(|entry| !entry.off && entry.since <= since + slack);
        let unseen = switch.freed.is_some_and(|freed| {
            since < freed + SEEN || windows.leads.is_none_or(|leads| freed < leads)
        });
        intended || (unseen && !switch.told) || now <= since + slack
    }

    /// The operator applied the status of a window.
    pub fn applied(
        &mut self,
        now: Timestamp,
        windows: &Windows,
        key: &str,
        (status, abandoned): (&MaintenanceWindowStatus, bool),
    ) -> Found {
        if abandoned {
            self.lose(now, key);
        }
        let old = self.ledgers.remove(key).unwrap_or_default();
        let new = Ledger::of(now, status, &old);
        let mut found = Found::new();
        let before = now - windows.slack(now, &format!("window {key}"));
        for name in new.alarms.keys().filter(|name| !old.alarms.contains_key(*name)) {
            let theirs = self.alarms.get(name).filter(|one| !one.on && !one.ours);
            let known = theirs.is_some_and(|one| one.since < before && one.freed.is_none());
            if known && self.holders(name).next().is_none() {
                found.push(("M2", format!("{key} takes {name}, which a person switched off")));
            }
        }
        // M6: what was done is told, and no more.
        let was_off = |name: &String| old.alarms.get(name).is_some_and(|entry| entry.off);
        for (name, _) in new.alarms.iter().filter(|(name, entry)| entry.off && !was_off(name)) {
            if !self.is_off(name, before) {
                found.push(("M6", format!("{key} tells that {name} is off, and it acts")));
            }
        }
        if !new.says_the_same(&old) {
            self.moved = Some(now);
        }
        if !new.alarms.is_empty() {
            self.ledgers.insert(key.to_owned(), new);
        }
        found.extend(self.unheld());
        found
    }

    /// The operator took its finalizer from a window.
    pub fn let_go(&mut self, now: Timestamp, key: &str, abandoned: bool) -> Found {
        let left: Vec<&String> = self.ledgers.get(key).map_or_else(Vec::new, |ledger| {
            let stays = |name: &&String| {
                self.alarms.get(*name).is_some_and(Switch::is_ours)
                    && self.holders(name).all(|(other, ..)| other == key)
            };
            ledger.alarms.keys().filter(stays).collect()
        });
        let found = match left.is_empty() || abandoned {
            true => Found::new(),
            false => vec![("G3", format!("the finalizer left {key}, {left:?} stayed off"))],
        };
        self.lose(now, key);
        found
    }

    /// M1: what is off because of the operator, and no window tells of.
    fn unheld(&mut self) -> Found {
        let mut found = Found::new();
        let ledgers = &self.ledgers;
        for (name, switch) in self.alarms.iter_mut().filter(|(_, switch)| switch.is_ours()) {
            if ledgers.values().any(|ledger| ledger.alarms.contains_key(name)) {
                switch.lost = false;
            } else if !std::mem::replace(&mut switch.lost, true) {
                found.push(("M1", format!("{name} is off, and no ledger tells of it")));
            }
        }
        found
    }

    /// M1: what stays off, and is wanted so no more.
    pub fn overdue(&mut self, now: Timestamp, windows: &Windows, leads: Timestamp) -> Found {
        let mut found = Found::new();
        let wanted = |(key, ledger): (&String, &Ledger)| {
            let wanted = windows.all.get(key).is_none_or(|past| {
                let current = past.status.as_ref().and_then(open);
                let open = current.is_some_and(|current| current.id == ledger.occurrence);
                past.planned.awaits(&ledger.occurrence, now, open)
            });
            (key.clone(), (wanted, windows.troubled(now, key)))
        };
        let windows: BTreeMap<String, (bool, bool)> = self.ledgers.iter().map(wanted).collect();
        let ledgers = &self.ledgers;
        for (name, switch) in self.alarms.iter_mut().filter(|(_, one)| one.is_ours() && !one.lost) {
            let holders = ledgers.iter().filter(|(_, ledger)| ledger.alarms.contains_key(name));
            let holders: Vec<_> = holders.filter_map(|(key, _)| windows.get(key)).collect();
            if holders.iter().any(|(wanted, _)| *wanted) {
                switch.unwanted = None;
                continue;
            }
            let since = *switch.unwanted.get_or_insert(now);
            let troubled = holders.iter().any(|(_, troubled)| *troubled);
            if since.max(leads) + UNDONE < now && !troubled {
                found.push(("M1", format!("{name} is off, and nobody wants it")));
                switch.lost = true;
            }
        }
        found
    }
}

fn window_of(by: &str) -> &str {
    by.strip_prefix("window ").unwrap_or_default()
}
