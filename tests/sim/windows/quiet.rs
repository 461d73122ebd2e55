//! Scenarios of windows that keep alarms quiet.

use groundcrew::{
    api::{
        canary_rollout::WindowGate,
        maintenance_window::{Emergency, Extend, MaintenanceWindowSpec, Outcome, Phase},
        shared::Mode,
        window_alarms::Alarms,
    },
    facts::cloudwatch::AlarmState,
};

use super::{PROMOTED, SECOND, WEEKLY, apply, gated, once, weekly};
use crate::{
    scenarios::{self, End, Scenario, minutes},
    script::{Edit, Rule, View, always, rule},
    world::{State, windows::WindowEdit},
};

/// How the window of a scenario ends: the outcomes of its openings, the first one first; none where it
/// is gone.
pub type Ends = Option<&'static [Outcome]>;

pub const COMPLETED: Ends = Some(&[Outcome::Completed]);
pub(super) const CANCELLED: Ends = Some(&[Outcome::Cancelled]);

/// These alarms are quiet.
pub fn choosing(names: &[&str], prefixes: &[&str]) -> Alarms {
    let list = |all: &[&str]| {
        let all: Vec<String> = all.iter().map(|one| (*one).to_owned()).collect();
        Some(all).filter(|all| !all.is_empty())
    };
    Alarms { names: list(names), name_prefixes: list(prefixes), ..Alarms::default() }
}

/// A window that keeps `red` and all alarms `db-…` quiet while it is open.
pub(super) fn quiet(time: &str, minutes: u64) -> MaintenanceWindowSpec {
    let alarms = Some(choosing(&["red"], &["db-"]));
    MaintenanceWindowSpec { alarms, ..once(time, minutes) }
}

/// Open from 14:20 to 14:28; each run begins at 14:13:20.
fn usual() -> MaintenanceWindowSpec {
    quiet("14:20", 8)
}

/// Two alarms, one that nobody chooses, and a composite one that looks at the first.
pub(super) fn alarms(state: &mut State) {
    state.has_alarms(["red", "db-1", "other"].map(str::to_owned));
    state.has_composite("all", "ALARM(red) OR ALARM(other)");
}

pub(super) fn with(spec: MaintenanceWindowSpec, state: &mut State) {
    alarms(state);
    state.create_window(WEEKLY, spec);
}

/// Its mute rules are about to be there.
pub fn prepares(view: &View<'_>) -> bool {
    view.window()
        .is_some_and(|status| status.phase == Some(Phase::Preparing) && status.silenced.is_some())
}

pub fn opened(view: &View<'_>) -> bool {
    view.window().is_some_and(|status| status.current.is_some())
}

pub fn over(view: &View<'_>) -> bool {
    view.window().is_some_and(|status| !status.history.is_empty())
}

/// A scenario of half an hour without any rollout.
pub(super) fn scenario(
    name: &'static str,
    prepare: fn(&mut State),
    rules: fn() -> Vec<Rule>,
    ends: Ends,
) -> (Scenario, Ends) {
    let lasts = minutes(30);
    (Scenario { lasts, ..scenarios::scenario(name, prepare, rules, End::Gone("42")) }, ends)
}

/// The usual window, and what people do.
pub fn played(name: &'static str, rules: fn() -> Vec<Rule>, ends: Ends) -> (Scenario, Ends) {
    scenario(name, |state| with(usual(), state), rules, ends)
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    ending().into_iter().map(|(scenario, _)| scenario).collect()
}

/// All of them, with how their windows end.
pub fn ending() -> Vec<(Scenario, Ends)> {
    let mut all = opening();
    all.extend(away());
    all.extend(ended());
    all.extend(edited());
    all.extend(of_alarms());
    all.extend(refused());
    all
}

fn opening() -> Vec<(Scenario, Ends)> {
    vec![
        played("quiet-window", Vec::new, COMPLETED),
        scenario(
            "quiet-window-at-once",
            |state| with(quiet("14:10", 15), state),
            Vec::new,
            COMPLETED,
        ),
        scenario(
            "quiet-window-extended",
            |state| {
                let extend = Some(Extend { max: "30m".parse().expect("a duration") });
                with(MaintenanceWindowSpec { extend, ..usual() }, state);
            },
            || vec![weekly(opened, 90, WindowEdit::Extend("5m", 1))],
            COMPLETED,
        ),
        scenario(
            "quiet-windows-share-alarms",
            |state| {
                with(usual(), state);
                let alarms = Some(choosing(&["red"], &[]));
                state.create_window(SECOND, MaintenanceWindowSpec { alarms, ..quiet("14:24", 10) });
            },
            Vec::new,
            COMPLETED,
        ),
        for_a_rollout(),
    ]
}

/// The gate opens once the alarms have their rules.
fn for_a_rollout() -> (Scenario, Ends) {
    let (scenario, ends) = scenario(
        "quiet-window-for-a-rollout",
        |state| {
            with(quiet("14:20", 20), state);
            state.create_object(gated(WindowGate::default()));
        },
        Vec::new,
        COMPLETED,
    );
    (Scenario { lasts: minutes(40), ends: PROMOTED, ..scenario }, ends)
}

fn away() -> Vec<(Scenario, Ends)> {
    vec![
        played(
            "quiet-window-away-over-it",
            || vec![rule(always, 30, Edit::Away(1_200))],
            Some(&[Outcome::Missed]),
        ),
        played(
            "quiet-window-away-after-preparing",
            || vec![rule(prepares, 60, Edit::Away(1_200))],
            Some(&[Outcome::Missed]),
        ),
        played(
            "quiet-window-away-over-the-start",
            || vec![rule(prepares, 60, Edit::Away(360))],
            COMPLETED,
        ),
        played(
            "quiet-window-away-over-the-end",
            || vec![rule(opened, 60, Edit::Away(600))],
            COMPLETED,
        ),
    ]
}

fn ended() -> Vec<(Scenario, Ends)> {
    vec![
        played(
            "quiet-window-closed-by-a-person",
            || {
                vec![
                    rule(opened, 30, Edit::Alarm("red", AlarmState::Alarm)),
                    weekly(always, 60, WindowEdit::Close(1)),
                ]
            },
            COMPLETED,
        ),
        played(
            "quiet-window-skipped-while-preparing",
            || vec![weekly(prepares, 60, WindowEdit::Skip(1))],
            CANCELLED,
        ),
        played(
            "quiet-window-suspended-while-preparing",
            || {
                vec![
                    weekly(prepares, 60, WindowEdit::Suspend(true)),
                    weekly(always, 60, WindowEdit::Suspend(false)),
                ]
            },
            COMPLETED,
        ),
        played(
            "quiet-window-suspended-in-flight",
            || vec![weekly(opened, 60, WindowEdit::Suspend(true))],
            CANCELLED,
        ),
        played(
            "quiet-window-in-audit-in-flight",
            || vec![weekly(opened, 60, WindowEdit::Mode(Mode::Audit))],
            CANCELLED,
        ),
        played(
            "quiet-window-deleted-while-preparing",
            || vec![weekly(prepares, 60, WindowEdit::Delete)],
            None,
        ),
        played(
            "quiet-window-deleted-in-flight",
            || vec![weekly(opened, 60, WindowEdit::Delete)],
            None,
        ),
        played("quiet-window-abandoned", || vec![weekly(opened, 60, WindowEdit::Abandon)], None),
        played(
            "quiet-window-deleted-and-made-again",
            || vec![weekly(opened, 60, WindowEdit::Delete), weekly(always, 60, apply(usual()))],
            COMPLETED,
        ),
    ]
}

fn edited() -> Vec<(Scenario, Ends)> {
    vec![
        played(
            "quiet-window-chooses-others-while-preparing",
            || vec![weekly(prepares, 60, apply(others()))],
            COMPLETED,
        ),
        played(
            "quiet-window-chooses-others-in-flight",
            || vec![weekly(opened, 60, apply(others()))],
            COMPLETED,
        ),
        played(
            "quiet-window-moved-while-preparing",
            || vec![weekly(prepares, 60, apply(quiet("14:27", 5)))],
            COMPLETED,
        ),
        played(
            "quiet-window-without-alarms-while-preparing",
            || vec![weekly(prepares, 60, apply(once("14:20", 8)))],
            COMPLETED,
        ),
        played(
            "quiet-window-loses-its-status",
            || vec![weekly(opened, 90, WindowEdit::WipeStatus)],
            COMPLETED,
        ),
    ]
}

fn of_alarms() -> Vec<(Scenario, Ends)> {
    vec![
        // Long enough that what is new is found in time, also when it opens a minute late.
        scenario(
            "alarm-deleted-before-and-made-while-quiet",
            |state| with(quiet("14:20", 13), state),
            || {
                vec![
                    rule(prepares, 0, Edit::AlarmDeleted("db-1")),
                    rule(opened, 60, Edit::AlarmMade("db-1")),
                ]
            },
            COMPLETED,
        ),
        played(
            "alarm-made-while-quiet",
            || {
                vec![
                    rule(opened, 10, Edit::AlarmMade("db-2")),
                    rule(always, 10, Edit::AlarmDeleted("red")),
                ]
            },
            COMPLETED,
        ),
        played(
            "alarm-switched-off-by-a-person",
            || {
                vec![
                    rule(prepares, 60, Edit::AlarmSwitched("db-1", false)),
                    rule(opened, 60, Edit::AlarmSwitched("red", false)),
                ]
            },
            COMPLETED,
        ),
        scenario(
            "three-batches-of-alarms",
            |state| {
                many(state);
                state.create_window(WEEKLY, usual());
            },
            || vec![weekly(opened, 60, WindowEdit::Close(1))],
            COMPLETED,
        ),
        scenario(
            "three-batches-of-alarms-and-room-for-one",
            |state| {
                many(state);
                state.cloudwatch.alarms.rules_max = Some(1);
                state.create_window(WEEKLY, usual());
            },
            || vec![rule(prepares, 150, Edit::RulesMax(9))],
            COMPLETED,
        ),
    ]
}

/// 201 alarms, in three batches.
pub(super) fn many(state: &mut State) {
    state.has_alarms((0..201).map(|number| format!("db-{number:03}")));
}

/// The same as an emergency.
pub(super) fn urgent(spec: MaintenanceWindowSpec) -> MaintenanceWindowSpec {
    let (reason, requested_by) = ("it is broken".into(), "ops".into());
    let emergency = Emergency { reason, requested_by, stands_for: vec![WEEKLY.into()] };
    MaintenanceWindowSpec { emergency: Some(emergency), ..spec }
}

fn others() -> MaintenanceWindowSpec {
    MaintenanceWindowSpec { alarms: Some(choosing(&["other"], &[])), ..usual() }
}

fn refused() -> Vec<(Scenario, Ends)> {
    vec![
        played(
            "quiet-window-denied-for-long",
            || {
                vec![
                    rule(always, 0, Edit::Deny("PutAlarmMuteRule")),
                    rule(always, 520, Edit::Allow("PutAlarmMuteRule")),
                ]
            },
            COMPLETED,
        ),
        played(
            "quiet-window-throttled-for-long",
            || {
                vec![
                    rule(always, 0, Edit::Throttle("PutAlarmMuteRule")),
                    rule(always, 520, Edit::Allow("PutAlarmMuteRule")),
                ]
            },
            COMPLETED,
        ),
        played(
            "quiet-window-never-allowed",
            || vec![rule(always, 0, Edit::Deny("DescribeAlarms in full"))],
            Some(&[Outcome::Missed]),
        ),
        played(
            "quiet-window-cannot-be-undone-for-long",
            || {
                vec![
                    rule(opened, 30, Edit::Deny("DeleteAlarmMuteRule")),
                    weekly(always, 30, WindowEdit::Close(1)),
                    rule(always, 200, Edit::Allow("DeleteAlarmMuteRule")),
                ]
            },
            COMPLETED,
        ),
        played(
            "quiet-window-cannot-be-read-back",
            || {
                vec![
                    rule(opened, 30, Edit::Deny("GetAlarmMuteRule")),
                    rule(over, 60, Edit::Allow("GetAlarmMuteRule")),
                ]
            },
            COMPLETED,
        ),
        scenario(
            "emergency-does-not-wait-for-quiet",
            |state| {
                with(urgent(quiet("14:12", 15)), state);
            },
            || {
                vec![
                    rule(always, 0, Edit::Deny("PutAlarmMuteRule")),
                    rule(always, 300, Edit::Allow("PutAlarmMuteRule")),
                ]
            },
            COMPLETED,
        ),
    ]
}
