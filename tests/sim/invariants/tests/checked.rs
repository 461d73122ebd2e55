//! Windows that open once their pre-checks hold.

use groundcrew::{
    api::{
        check::{AlarmsCheck, Check, RdsCheck},
        maintenance_window::{Emergency, MaintenanceWindowSpec},
        window_checks::{OnPreCheckFailure, Purpose},
    },
    facts::cloudwatch::{Alarm, AlarmState},
};

use super::{
    windows::{Act, CLOSES, OPENS, open, play, window},
    *,
};

/// The database is available, and `red` is not in ALARM.
fn checks() -> Vec<Check> {
    let rds = RdsCheck { instance: Some("prod-db".into()), cluster: None };
    let names = Some(vec!["red".to_owned()]);
    let alarms = AlarmsCheck { names, ..AlarmsCheck::default() };
    let database = Check { name: "database".into(), rds: Some(rds), ..Check::default() };
    vec![database, Check { name: "quiet".into(), alarms: Some(alarms), ..Check::default() }]
}

fn opens(change: impl FnOnce(&mut MaintenanceWindowSpec)) -> Vec<(i64, Act)> {
    let mut object = window();
    object.spec.pre_checks = Some(checks());
    change(&mut object.spec);
    let mut status = open(CLOSES);
    *status.current.as_mut().unwrap().spec.0 = object.spec.clone();
    vec![(1, Act::Person(object)), (OPENS, Act::Tells(status))]
}

fn database(status: &str) -> Act {
    Act::Happens(Event::DatabaseRead(status.into()))
}

fn red(state: AlarmState) -> Act {
    Act::Happens(Event::AlarmsRead(vec![Alarm { name: "red".into(), state }]))
}

/// These are read before it opens.
#[track_caller]
fn follow(
    acts: Vec<(i64, Act)>,
    change: impl FnOnce(&mut MaintenanceWindowSpec),
    expected: &[&str],
) {
    play(acts.into_iter().chain(opens(change)).collect(), expected);
}

#[test]
fn a_window_opens_only_while_its_pre_checks_hold() {
    let good = || vec![(9, database("available")), (9, red(AlarmState::Ok))];
    let then = |second, act| good().into_iter().chain([(second, act)]).collect();
    follow(good(), |_| {}, &[]);
    follow(Vec::new(), |_| {}, &["Checked", "Checked"]);
    follow(vec![(9, database("available"))], |_| {}, &["Checked"]);
    follow(then(20, database("stopped")), |_| {}, &["Checked"]);
    follow(then(20, red(AlarmState::Alarm)), |_| {}, &["Checked"]);
    // It holds again.
    follow(
        vec![(8, database("stopped")), (9, database("available")), (9, red(AlarmState::Ok))],
        |_| {},
        &[],
    );
    // So many may fire.
    let one = |spec: &mut MaintenanceWindowSpec| {
        let mut alarms = spec.pre_checks.iter_mut().flatten().filter_map(|one| one.alarms.as_mut());
        alarms.next().unwrap().max_in_alarm = Some(1);
    };
    follow(then(20, red(AlarmState::Alarm)), one, &[]);
}

#[test]
fn what_was_read_long_ago_or_not_answered_says_nothing() {
    let early = -21 * 60 + OPENS;
    for (second, expected) in [(early, [].as_slice()), (early - 1, &["Checked", "Checked"])] {
        let read = vec![(second, database("available")), (second, red(AlarmState::Ok))];
        let made = Act::Person(window());
        follow([(second, made)].into_iter().chain(read).collect(), |_| {}, expected);
    }
    let good = || [(9, database("available")), (9, red(AlarmState::Ok))];
    let then = |acts: Vec<(i64, Act)>| good().into_iter().chain(acts).collect();
    for what in ["DescribeDBInstances prod-db", "DescribeAlarms"] {
        follow(then(vec![(20, Act::Unread(what))]), |_| {}, &["Checked"]);
        let again = match what {
            "DescribeAlarms" => red(AlarmState::Ok),
            _ => database("available"),
        };
        follow(then(vec![(20, Act::Unread(what)), (30, again)]), |_| {}, &[]);
    }
    follow(then(vec![(20, Act::Unread("DescribeServices backend"))]), |_| {}, &[]);
}

#[test]
fn checks_that_do_not_block_keep_nothing_closed() {
    let proceeds = |spec: &mut MaintenanceWindowSpec| {
        spec.on_pre_check_failure = Some(OnPreCheckFailure::Proceed);
    };
    follow(Vec::new(), proceeds, &[]);
    let emergency = |spec: &mut MaintenanceWindowSpec| spec.emergency = Some(Emergency::default());
    follow(Vec::new(), emergency, &[]);
}

#[test]
fn the_gate_of_a_round_never_opens() {
    let good = vec![(9, database("available")), (9, red(AlarmState::Ok))];
    follow(good, |spec| spec.purpose = Some(Purpose::Routine), &["Checked"]);
}
