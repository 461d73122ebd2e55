//! Scenarios of windows with checks before the opening and after the close.

use groundcrew::{
    api::{
        check::{AlarmsCheck, Check},
        duration::Duration,
        maintenance_window::{MaintenanceWindowSpec, Outcome},
        window_checks::{OnPreCheckFailure, Purpose},
    },
    facts::cloudwatch::AlarmState,
};

use super::{
    SECOND, WEEKLY, once,
    quiet::{COMPLETED, Ends, scenario},
};
use crate::{
    checks,
    scenarios::{Scenario, minutes},
    script::{Edit, Rule, View, always, rule},
    world::State,
};

const FAILED: Ends = Some(&[Outcome::Failed]);
pub(super) const MISSED: Ends = Some(&[Outcome::Missed]);

/// The database is available. It is asked again where one answer is refused.
fn database() -> Option<Vec<Check>> {
    let again = |check| Check { retries: Some(2), ..check };
    checks::database().map(|checks| checks.into_iter().map(again).collect())
}

/// Open from 14:16 to 14:20, with the database as pre-check; each run begins at 14:13:20.
fn usual() -> MaintenanceWindowSpec {
    MaintenanceWindowSpec { pre_checks: database(), ..once("14:16", 4) }
}

/// A round at 14:16 with the database before and after.
fn round() -> MaintenanceWindowSpec {
    let purpose = Some(Purpose::Routine);
    MaintenanceWindowSpec { purpose, post_checks: database(), ..usual() }
}

/// Post-checks that are watched for two minutes.
fn watched() -> MaintenanceWindowSpec {
    let post_check_for = Some(Duration::from_secs(120));
    MaintenanceWindowSpec { post_checks: database(), post_check_for, ..once("14:15", 2) }
}

/// The database, and an alarm.
fn both() -> MaintenanceWindowSpec {
    let names = Some(vec!["red".to_owned()]);
    let alarms = Some(AlarmsCheck { names, ..AlarmsCheck::default() });
    let mut spec = usual();
    let check = Check { name: "quiet".into(), alarms, ..Check::default() };
    spec.pre_checks.iter_mut().for_each(|checks| checks.push(check.clone()));
    spec
}

/// The database is down.
fn stopped(spec: MaintenanceWindowSpec, state: &mut State) {
    state.databases.instance = "stopped";
    state.create_window(WEEKLY, spec);
}

/// A round, and a window that needs credentials earlier: a round is over with the first look.
fn rounded(state: &mut State) {
    state.create_window(WEEKLY, round());
    state.create_window(SECOND, usual());
}

fn short(
    name: &'static str,
    prepare: fn(&mut State),
    rules: fn() -> Vec<Rule>,
    ends: Ends,
) -> (Scenario, Ends) {
    let (scenario, ends) = scenario(name, prepare, rules, ends);
    (Scenario { lasts: minutes(15), ..scenario }, ends)
}

/// Its post-checks are watched.
fn verifies(view: &View<'_>) -> bool {
    view.window().is_some_and(|status| status.post_checks.is_some())
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    ending().into_iter().map(|(scenario, _)| scenario).collect()
}

/// All of them, with how their windows end.
pub fn ending() -> Vec<(Scenario, Ends)> {
    let mut all = before();
    all.extend(after());
    all.extend(rounds());
    all
}

fn before() -> Vec<(Scenario, Ends)> {
    vec![
        short(
            "pre-checks-hold",
            |state| {
                state.has_alarms(["red".to_owned()]);
                state.create_window(WEEKLY, both());
            },
            Vec::new,
            COMPLETED,
        ),
        short("pre-check-never-holds", |state| stopped(usual(), state), Vec::new, MISSED),
        // It held at first; it is looked at again every five minutes.
        short(
            "pre-check-fails-before-the-opening-and-holds-later",
            |state| {
                state.has_alarms(["red".to_owned()]);
                let schedules = once("14:20", 4).schedules;
                state.create_window(WEEKLY, MaintenanceWindowSpec { schedules, ..both() });
            },
            || {
                vec![
                    rule(always, 60, Edit::Alarm("red", AlarmState::Alarm)),
                    rule(always, 380, Edit::Alarm("red", AlarmState::Ok)),
                ]
            },
            COMPLETED,
        ),
        short(
            "pre-check-fails-and-it-opens-all-the-same",
            |state| {
                let on_pre_check_failure = Some(OnPreCheckFailure::Proceed);
                stopped(MaintenanceWindowSpec { on_pre_check_failure, ..usual() }, state);
            },
            Vec::new,
            COMPLETED,
        ),
        short(
            "pre-checks-begin-a-minute-before",
            |state| {
                let pre_check_lead = Some(Duration::from_secs(60));
                stopped(MaintenanceWindowSpec { pre_check_lead, ..usual() }, state);
            },
            || vec![rule(always, 60, Edit::Database("available"))],
            COMPLETED,
        ),
        short(
            "away-over-the-pre-checks",
            |state| {
                let pre_check_lead = Some(Duration::from_secs(60));
                let spec = MaintenanceWindowSpec { pre_check_lead, ..usual() };
                state.create_window(WEEKLY, spec);
            },
            || vec![rule(always, 60, Edit::Away(150))],
            COMPLETED,
        ),
    ]
}

fn after() -> Vec<(Scenario, Ends)> {
    vec![
        short(
            "post-checks-of-a-window-hold",
            |state| state.create_window(WEEKLY, watched()),
            Vec::new,
            COMPLETED,
        ),
        short(
            "post-check-of-a-window-fails-at-last",
            |state| state.create_window(WEEKLY, watched()),
            || vec![rule(verifies, 60, Edit::Database("storage-full"))],
            FAILED,
        ),
    ]
}

fn rounds() -> Vec<(Scenario, Ends)> {
    let stopped = |state: &mut State| {
        rounded(state);
        state.databases.instance = "stopped";
    };
    vec![
        short("round-of-checks", rounded, Vec::new, COMPLETED),
        short("round-of-checks-fails", stopped, Vec::new, FAILED),
    ]
}
