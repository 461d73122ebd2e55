//! Windows that share alarms, people who switch them, and a process that dies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    api::window_alarms::{Silenced, SwitchState},
    maintenance_window::{
        alarms::Ledger,
        world::{Cloud, REGION, World, december},
    },
    plan::Revisit,
};

const NAMES: [&str; 3] = ["web-a", "web-b", "db"];

/// Windows over one CloudWatch, and one watch that may lag.
struct Windows {
    worlds: Vec<World>,
    cloud: Cloud,
    /// What the watch shows of each.
    shown: Vec<Option<Silenced>>,
    now: Timestamp,
}

impl Windows {
    /// One for each opening of that day, from a minute to a minute after midnight.
    fn new(openings: &[(u16, u16)], counts: bool) -> Self {
        let world = |(from, until): &(u16, u16)| {
            let (at, minutes) = (format!("{:02}:{:02}", from / 60, from % 60), until - from);
            World::new(
                &format!(
                    "timeZone: Etc/UTC\nschedules: [{{name: a, once: '2026-12-06T{at}', duration: {minutes}m}}]\nalarms: {{mode: Toggle, namePrefixes: [web-], names: [db]}}"
                ),
                "06T00:00",
            )
        };
        let mut cloud = Cloud::of(&NAMES);
        cloud.switches.counts = counts;
        let worlds: Vec<World> = openings.iter().map(world).collect();
        let shown = worlds.iter().map(|_| None).collect();
        Self { worlds, cloud, shown, now: december("06T00:00") }
    }

    fn published(&self, index: usize) -> Option<&Silenced> {
        self.worlds[index].status.as_ref()?.silenced.as_ref()
    }

    /// The watch follows one window.
    fn follow(&mut self, index: usize) {
        self.shown[index] = self.published(index).cloned();
    }

    /// Lets one window do something with what there is.
    fn with(&mut self, index: usize, act: impl FnOnce(&mut World)) {
        let ledgers = self.shown.iter().enumerate().filter_map(|(other, silenced)| {
            Some(Ledger::of(silenced.as_ref()?, REGION, other == index))
        });
        let world = &mut self.worlds[index];
        world.watch = Some(ledgers.collect());
        world.now = self.now;
        std::mem::swap(&mut world.cloud, &mut self.cloud);
        act(world);
        std::mem::swap(&mut world.cloud, &mut self.cloud);
    }

    /// Passes of one window, as long as it has something to do at once.
    fn passes(&mut self, index: usize) -> Option<Timestamp> {
        for _ in 0..12 {
            let mut revisit = Revisit::Now;
            self.with(index, |world| revisit = world.pass().revisit);
            self.check();
            self.follow(index);
            if let Revisit::At(then) = revisit {
                return Some(then);
            }
        }
        None
    }

    /// All windows, every second, up to a minute after midnight.
    fn until(&mut self, minute: i64) {
        let end = december("06T00:00") + SignedDuration::from_mins(minute);
        while self.now < end {
            let mut next = end;
            for index in 0..self.worlds.len() {
                next = next.min(self.passes(index).expect("no end of passes"));
            }
            self.now = next.max(self.now + SignedDuration::from_secs(1));
        }
        self.now = end;
        for index in 0..self.worlds.len() {
            self.passes(index);
        }
    }

    fn off(&self) -> Vec<&str> {
        self.cloud.switches.off.iter().map(String::as_str).collect()
    }

    fn holds(&self, name: &str, state: impl Fn(SwitchState) -> bool) -> bool {
        (0..self.worlds.len()).filter_map(|index| self.published(index)).any(|silenced| {
            let alarms = silenced.regions.iter().flat_map(|region| &region.alarms);
            alarms.into_iter().any(|alarm| alarm.name == name && state(alarm.state))
        })
    }

    /// What we switched off is in a ledger, whatever happened.
    #[track_caller]
    fn check(&self) {
        for name in &self.cloud.switches.ours {
            assert!(self.holds(name, SwitchState::is_ours), "{name} is off, and in no ledger");
        }
    }
}

#[test]
fn alarms_of_two_windows_stay_off_until_the_last_one_closes() {
    let all = ["db", "web-a", "web-b"];
    for openings in [[(60, 120), (90, 150)], [(60, 150), (90, 120)], [(90, 150), (60, 120)]] {
        for counts in [true, false] {
            let mut windows = Windows::new(&openings, counts);
            windows.until(61);
            assert_eq!(windows.off(), all);
            for minute in [91, 119, 121, 149] {
                windows.until(minute);
                assert_eq!(windows.off(), all, "{openings:?} at {minute}");
            }
            windows.until(152);
            assert_eq!(windows.off(), [""; 0], "{openings:?}");
            let offs = windows.cloud.switches.calls.iter().filter(|(what, _)| *what == "off");
            assert_eq!(offs.count(), 1, "once for both");
            assert!(windows.worlds.iter().all(|world| !world.facts.finalizer));
        }
    }
}

#[test]
fn of_two_windows_that_close_at_once_one_switches_on() {
    let mut windows = Windows::new(&[(60, 120), (60, 120)], true);
    windows.until(123);
    assert_eq!(windows.off(), [""; 0]);
    assert_eq!(windows.cloud.switches.calls, [("off", 3), ("on", 3)], "once for both");
    assert!(windows.worlds.iter().all(|world| world.told().silenced.is_none()));
}

#[test]
fn a_window_waits_until_the_watch_shows_that_it_ends() {
    let mut windows = Windows::new(&[(60, 120), (60, 120)], true);
    windows.until(119);
    windows.now = december("06T02:00");
    // The watch shows both as open: neither may leave its alarms to the other one.
    for _ in 0..10 {
        for index in 0..2 {
            windows.with(index, |world| drop(world.pass()));
            windows.check();
        }
        windows.now += SignedDuration::from_secs(2);
    }
    assert_eq!(windows.off().len(), 3);
    windows.follow(0);
    windows.follow(1);
    windows.until(122);
    assert_eq!(windows.off(), [""; 0]);
}

#[test]
fn a_window_that_ends_leaves_nothing_to_one_that_ends() {
    let mut windows = Windows::new(&[(60, 120), (60, 120)], true);
    windows.until(119);
    windows.now = december("06T02:00");
    for round in 0..8 {
        for index in 0..2 {
            windows.with(index, |world| drop(world.pass()));
            windows.check();
            // From then on the watch shows both as ending, and lags.
            if round < 2 {
                windows.follow(index);
            }
        }
        windows.now += SignedDuration::from_secs(2);
    }
    assert_eq!(windows.off(), [""; 0]);
}

#[test]
fn what_another_window_only_intends_is_not_taken_over() {
    let mut windows = Windows::new(&[(5, 65), (40, 100)], true);
    windows.now = december("06T00:05");
    for _ in 0..3 {
        windows.with(0, |world| drop(world.pass()));
        if windows.off().is_empty() {
            windows.follow(0);
        }
    }
    // The watch shows no more than the intent: not that somebody switched an alarm on and off since.
    assert_eq!(windows.off(), ["db", "web-a", "web-b"]);
    windows.with(0, |world| drop(world.pass()));
    for on in [true, false] {
        windows.cloud.switches.person("db", on);
    }
    windows.now = december("06T00:40");
    windows.with(1, |world| drop(world.pass()));
    assert!(windows.published(1).is_none_or(|silenced| silenced.alarms().is_empty()));
    windows.until(110);
    assert_eq!(windows.off(), ["db"]);
}

#[test]
fn a_window_that_opens_when_another_one_closes_has_its_alarms_off() {
    let mut windows = Windows::new(&[(60, 120), (120, 180)], true);
    windows.until(122);
    assert_eq!(windows.off(), ["db", "web-a", "web-b"]);
    windows.until(179);
    assert_eq!(windows.off(), ["db", "web-a", "web-b"]);
    windows.until(182);
    assert_eq!(windows.off(), [""; 0]);
}

#[test]
fn a_window_that_cannot_end_keeps_the_next_one_neither_closed_nor_fooled() {
    let mut windows = Windows::new(&[(60, 120), (120, 180)], true);
    windows.until(119);
    windows.with(0, |world| world.cloud.denied = true);
    windows.now = december("06T02:00");
    windows.passes(0);
    windows.with(0, |world| world.cloud.denied = false);
    // The first one is away; the second one opens over what it left.
    windows.passes(1);
    assert!(windows.worlds[1].told().gate.as_ref().unwrap().open);
    assert_eq!(windows.off().len(), 3);
    windows.until(150);
    assert_eq!(windows.off(), ["db", "web-a", "web-b"]);
    windows.until(182);
    assert_eq!(windows.off(), [""; 0]);
}

/// What happens.
#[derive(Clone, Debug)]
enum Turn {
    Seconds(i64),
    Pass(usize),
    Dies(usize, usize),
    /// The object is published, and its finalizer not.
    Bare(usize),
    Follow(usize),
    Denied(bool),
    Flip(&'static str),
    Configure(&'static str),
    Remake(&'static str),
    Suspend(usize, bool),
}

fn turn() -> impl Strategy<Value = Turn> {
    let name = || select(NAMES.to_vec());
    prop_oneof![
        4 => (1_i64..900).prop_map(Turn::Seconds),
        14 => (0..3_usize).prop_map(Turn::Pass),
        3 => (0..3_usize, 0..3_usize).prop_map(|(index, writes)| Turn::Dies(index, writes)),
        1 => (0..3_usize).prop_map(Turn::Bare),
        8 => (0..3_usize).prop_map(Turn::Follow),
        1 => any::<bool>().prop_map(Turn::Denied),
        2 => name().prop_map(Turn::Flip),
        1 => name().prop_map(Turn::Configure),
        1 => name().prop_map(Turn::Remake),
        1 => (0..3_usize, any::<bool>()).prop_map(|(index, on)| Turn::Suspend(index, on)),
    ]
}

/// What people said of the alarms.
#[derive(Default)]
struct People {
    /// Whether each is to act, by who said it last.
    said: BTreeMap<&'static str, bool>,
    /// Those where nobody can tell who switched them off.
    unclear: BTreeSet<&'static str>,
}

impl People {
    fn flip(&mut self, windows: &mut Windows, name: &'static str) {
        let on = windows.cloud.switches.off.contains(name);
        // Between our word and our call it could be us, and without a trace it never happened.
        let intended = windows.holds(name, |state| state == SwitchState::Intended);
        if !on && (intended || !windows.cloud.switches.counts) {
            self.unclear.insert(name);
        }
        windows.cloud.switches.person(name, on);
        self.said.insert(name, on);
    }

    /// What is off is as it was switched off; changed by somebody, it is theirs.
    fn configure(&mut self, windows: &mut Windows, name: &'static str) {
        let off = windows.cloud.switches.off.contains(name);
        windows.cloud.switches.configure(name);
        if off && windows.cloud.switches.ours.remove(name) {
            self.unclear.insert(name);
        }
    }
}

fn take(windows: &mut Windows, people: &mut People, turn: &Turn) {
    match turn {
        Turn::Seconds(seconds) => windows.now += SignedDuration::from_secs(*seconds),
        Turn::Pass(index) => windows.with(*index, |world| drop(world.pass())),
        Turn::Dies(index, writes) => windows.with(*index, |world| world.dies(*writes)),
        Turn::Bare(index) => windows.with(*index, |world| {
            let finalizer = world.facts.finalizer;
            world.pass();
            world.facts.finalizer &= finalizer;
        }),
        Turn::Follow(index) => windows.follow(*index),
        Turn::Denied(on) => windows.cloud.denied = *on,
        Turn::Flip(name) => people.flip(windows, name),
        Turn::Configure(name) => people.configure(windows, name),
        Turn::Remake(name) => {
            windows.cloud.switches.person(name, true);
            windows.cloud.switches.configure(name);
            people.said.insert(name, true);
        }
        Turn::Suspend(index, on) => {
            windows.with(*index, |world| world.edit(|spec| spec.suspend = Some(*on)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever people do and wherever the process dies: what we switched off is always in a ledger, and
    /// in the end each alarm is as somebody left it, or as it was.
    #[test]
    fn every_alarm_comes_back_and_none_that_a_person_switched_off(
        first in vec(any::<bool>(), NAMES.len()),
        counts in any::<bool>(),
        turns in vec(turn(), 1..120),
    ) {
        let mut windows = Windows::new(&[(5, 65), (10, 80), (40, 100)], counts);
        let mut people = People::default();
        for (name, on) in NAMES.into_iter().zip(first) {
            windows.cloud.switches.person(name, on);
            people.said.insert(name, on);
        }
        for turn in &turns {
            take(&mut windows, &mut people, turn);
            windows.check();
        }
        windows.cloud.denied = false;
        for index in 0..3 {
            windows.with(index, |world| world.edit(|spec| spec.suspend = Some(true)));
            windows.follow(index);
        }
        windows.now += SignedDuration::from_mins(1);
        let end = windows.now.duration_since(december("06T00:00")).as_mins() + 2;
        windows.until(end);
        for world in &windows.worlds {
            prop_assert!(world.told().silenced.is_none() && !world.facts.finalizer);
        }
        for (name, on) in &people.said {
            let acts = !windows.cloud.switches.off.contains(*name);
            prop_assert!(acts == *on || people.unclear.contains(name), "{name}: acts {acts}, said {on}");
        }
    }
}
