//! Scenarios of windows that switch alarms off, and on again.

use groundcrew::{
    api::{
        maintenance_window::{Extend, MaintenanceWindowSpec, Outcome},
        window_alarms::{AlarmMode, Alarms},
    },
    facts::cloudwatch::AlarmState,
};

use super::{
    SECOND, WEEKLY, apply, once,
    quiet::{
        CANCELLED, COMPLETED, Ends, alarms, choosing, many, opened, prepares, scenario, urgent,
    },
    weekly,
};
use crate::{
    scenarios::{Scenario, minutes},
    script::{Edit, Rule, always, rule},
    world::{State, windows::WindowEdit},
};

/// How a scenario ends: its window, and the alarms that are off then.
pub type Left = (Scenario, Ends, &'static [&'static str]);

/// Off before, by a person.
pub(super) const BEFORE: &[&str] = &["db-0"];

fn switching(names: &[&str], prefixes: &[&str]) -> Option<Alarms> {
    Some(Alarms { mode: Some(AlarmMode::Toggle), ..choosing(names, prefixes) })
}

/// A window that keeps `red` and all alarms `db-…` switched off while it is open.
pub(super) fn toggling(time: &str, minutes: u64) -> MaintenanceWindowSpec {
    MaintenanceWindowSpec { alarms: switching(&["red"], &["db-"]), ..once(time, minutes) }
}

/// Open from 14:15 to 14:21; each run begins at 14:13:20.
fn usual() -> MaintenanceWindowSpec {
    toggling("14:15", 6)
}

/// One alarm more than for windows that mute, which a person had switched off.
pub(super) fn with(spec: MaintenanceWindowSpec, state: &mut State) {
    alarms(state);
    state.has_alarms(["db-0".to_owned()]);
    state.switch_alarm("db-0", false);
    state.create_window(WEEKLY, spec);
}

/// The same, where CloudWatch tells when an alarm was switched.
fn told(state: &mut State) {
    state.cloudwatch.alarms.switching_configures = true;
    with(usual(), state);
}

/// The usual window and a second one, which has `red` and `other`.
fn both(time: &str, minutes: u64, state: &mut State) {
    with(usual(), state);
    let alarms = switching(&["red", "other"], &[]);
    state.create_window(SECOND, MaintenanceWindowSpec { alarms, ..toggling(time, minutes) });
}

/// A scenario that ends soon after the window.
pub(super) fn short(
    name: &'static str,
    prepare: fn(&mut State),
    rules: fn() -> Vec<Rule>,
    ends: Ends,
    off: &'static [&'static str],
) -> Left {
    let (scenario, ends) = scenario(name, prepare, rules, ends);
    (Scenario { lasts: minutes(16), ..scenario }, ends, off)
}

/// The usual window, and what people do.
fn played(name: &'static str, rules: fn() -> Vec<Rule>, ends: Ends) -> Left {
    short(name, |state| with(usual(), state), rules, ends, BEFORE)
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    ending().into_iter().map(|(scenario, ..)| scenario).collect()
}

/// All of them, with how they end.
pub fn ending() -> Vec<Left> {
    let mut all = opening();
    all.extend(away());
    all.extend(ended());
    all.extend(edited());
    all.extend(of_alarms());
    all.extend(refused());
    all
}

fn opening() -> Vec<Left> {
    vec![
        played("toggle-window", Vec::new, COMPLETED),
        short(
            "toggle-window-extended",
            |state| {
                let extend = Some(Extend { max: "30m".parse().expect("a duration") });
                with(MaintenanceWindowSpec { extend, ..toggling("14:15", 3) }, state);
            },
            || vec![weekly(opened, 60, WindowEdit::Extend("3m", 1))],
            COMPLETED,
            BEFORE,
        ),
        short(
            "toggle-windows-share-alarms",
            |state| both("14:17", 6, state),
            Vec::new,
            COMPLETED,
            BEFORE,
        ),
        short(
            "toggle-window-begins-as-another-ends",
            |state| both("14:21", 2, state),
            Vec::new,
            COMPLETED,
            BEFORE,
        ),
        short(
            "toggle-and-mute-share-alarms",
            |state| {
                with(usual(), state);
                let alarms = Some(choosing(&["red", "other"], &[]));
                state.create_window(SECOND, MaintenanceWindowSpec { alarms, ..once("14:16", 3) });
            },
            Vec::new,
            COMPLETED,
            BEFORE,
        ),
    ]
}

fn away() -> Vec<Left> {
    vec![
        played(
            "toggle-window-away-over-it",
            || vec![rule(always, 60, Edit::Away(450))],
            Some(&[Outcome::Missed]),
        ),
        played(
            "toggle-window-away-over-the-start",
            || vec![rule(always, 60, Edit::Away(180))],
            COMPLETED,
        ),
        played(
            "toggle-window-away-over-the-end",
            || vec![rule(opened, 60, Edit::Away(400))],
            COMPLETED,
        ),
    ]
}

fn ended() -> Vec<Left> {
    vec![
        played(
            "toggle-window-closed-by-a-person",
            || {
                vec![
                    rule(opened, 30, Edit::Alarm("red", AlarmState::Alarm)),
                    weekly(always, 60, WindowEdit::Close(1)),
                ]
            },
            COMPLETED,
        ),
        played(
            "toggle-window-skipped-while-preparing",
            || {
                vec![
                    rule(always, 0, Edit::Deny("DisableAlarmActions")),
                    weekly(prepares, 30, WindowEdit::Skip(1)),
                    rule(always, 60, Edit::Allow("DisableAlarmActions")),
                ]
            },
            CANCELLED,
        ),
        played(
            "toggle-window-deleted-in-flight",
            || vec![weekly(opened, 60, WindowEdit::Delete)],
            None,
        ),
        short(
            "toggle-window-abandoned",
            |state| with(usual(), state),
            || vec![weekly(opened, 60, WindowEdit::Abandon)],
            None,
            &["all", "db-0", "db-1", "red"],
        ),
    ]
}

fn edited() -> Vec<Left> {
    vec![
        played(
            "toggle-window-mutes-others-from-now-on",
            || {
                let others = Some(choosing(&["other"], &[]));
                let others = MaintenanceWindowSpec { alarms: others, ..usual() };
                vec![weekly(opened, 60, apply(others))]
            },
            COMPLETED,
        ),
        // What was off stays off: nothing in AWS tells that it was because of the window.
        short(
            "toggle-window-loses-its-status",
            |state| with(usual(), state),
            || vec![weekly(opened, 60, WindowEdit::WipeStatus)],
            COMPLETED,
            &["all", "db-0", "db-1", "red"],
        ),
    ]
}

fn of_alarms() -> Vec<Left> {
    vec![
        played(
            "alarms-made-and-deleted-while-off",
            || {
                vec![
                    rule(opened, 120, Edit::AlarmDeleted("db-1")),
                    rule(always, 20, Edit::AlarmMade("db-1")),
                    rule(always, 20, Edit::AlarmMade("db-2")),
                    rule(always, 20, Edit::AlarmDeleted("red")),
                ]
            },
            COMPLETED,
        ),
        played(
            "alarms-switched-by-a-person-while-off",
            || {
                vec![
                    rule(opened, 120, Edit::AlarmSwitched("red", true)),
                    rule(always, 20, Edit::AlarmSwitched("db-0", true)),
                    rule(always, 20, Edit::AlarmSwitched("db-0", false)),
                ]
            },
            COMPLETED,
        ),
        short(
            "alarm-put-again-while-off",
            |state| with(usual(), state),
            || vec![rule(opened, 120, Edit::AlarmMadeOff("red"))],
            COMPLETED,
            &["db-0", "red"],
        ),
        short(
            "alarm-switched-on-and-off-where-it-is-told",
            told,
            || {
                vec![
                    rule(opened, 120, Edit::AlarmSwitched("red", true)),
                    rule(always, 20, Edit::AlarmSwitched("red", false)),
                ]
            },
            COMPLETED,
            &["db-0", "red"],
        ),
    ]
}

fn refused() -> Vec<Left> {
    vec![
        short(
            "second-of-three-calls-refused",
            |state| {
                many(state);
                let alarms = switching(&[], &["db-"]);
                state.create_window(WEEKLY, MaintenanceWindowSpec { alarms, ..usual() });
            },
            || {
                vec![
                    rule(always, 0, Edit::Deny("DisableAlarmActions db-100")),
                    rule(prepares, 20, Edit::Allow("DisableAlarmActions db-100")),
                    weekly(opened, 30, WindowEdit::Close(1)),
                ]
            },
            COMPLETED,
            &[],
        ),
        played(
            "toggle-window-cannot-be-undone-for-long",
            || {
                vec![
                    rule(opened, 30, Edit::Deny("EnableAlarmActions")),
                    weekly(always, 30, WindowEdit::Close(1)),
                    rule(always, 100, Edit::Allow("EnableAlarmActions")),
                ]
            },
            COMPLETED,
        ),
        short(
            "emergency-does-not-wait-for-switches",
            |state| {
                with(urgent(toggling("14:12", 8)), state);
            },
            || {
                vec![
                    rule(always, 0, Edit::Deny("DisableAlarmActions")),
                    rule(always, 150, Edit::Allow("DisableAlarmActions")),
                ]
            },
            COMPLETED,
            BEFORE,
        ),
    ]
}
