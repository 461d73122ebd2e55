//! How ready a window is in each phase, how much its status holds, and what it keeps quiet where.

use crate::{
    api::{
        check::CheckVerdict,
        maintenance_window::{MaintenanceWindowSpec, Phase},
    },
    maintenance_window::world::{Cloud, WEEKLY, World, spec},
};

const PRE: &str = "preChecks: [{name: api, http: {url: 'https://a.example'}}]\n";
const ALARMS: &str = "alarms: {namePrefixes: [api-]}\n";

/// Which of the three conditions hold.
fn holding(world: &World) -> Vec<&str> {
    let told = world.told().conditions.iter().filter(|condition| condition.status == "True");
    let kinds = told.map(|condition| condition.type_.as_str());
    kinds.filter(|kind| ["Ready", "Reconciling", "Stalled"].contains(kind)).collect()
}

#[track_caller]
fn check(world: &World, phase: Phase, expected: &[&str]) {
    assert_eq!(world.told().phase, Some(phase), "{:?}", world.told().message);
    assert_eq!(holding(world), expected);
}

fn suspend(world: &mut World, on: bool) {
    world.edit(|spec| spec.suspend = Some(on));
    world.passes();
}

#[test]
fn each_phase_says_how_ready_a_window_is() {
    let mut world = World::new(&format!("{WEEKLY}{ALARMS}"), "05T12:00");
    world.cloud = Cloud::of(&["api-5xx"]);
    world.passes();
    check(&world, Phase::Scheduled, &["Ready"]);
    world.at("06T00:56");
    check(&world, Phase::Preparing, &["Reconciling"]);
    world.until("06T01:01");
    check(&world, Phase::Open, &["Ready"]);

    let after = "postChecks: [{name: api, http: {url: 'https://a.example'}}]\npostCheckFor: 1h\n";
    let mut world = World::new(&format!("{WEEKLY}{PRE}{after}"), "05T12:00");
    world.checks.insert("api", (CheckVerdict::Failed, "answers 503"));
    world.until("06T01:01");
    check(&world, Phase::Blocked, &["Stalled"]);
    world.checks.clear();
    world.until("06T03:01");
    check(&world, Phase::Verifying, &["Ready"]);

    let mut world = World::weekly();
    world.edit(|spec| spec.time_zone = "Mars/Olympus".into());
    world.passes();
    check(&world, Phase::Invalid, &["Stalled"]);
}

#[test]
fn a_suspended_window_is_as_ready_as_it_was() {
    let mut world = World::weekly();
    suspend(&mut world, true);
    check(&world, Phase::Suspended, &["Ready"]);

    let mut world = World::new(&format!("{WEEKLY}{PRE}"), "05T12:00");
    world.checks.insert("api", (CheckVerdict::Failed, "answers 503"));
    world.until("06T01:01");
    check(&world, Phase::Blocked, &["Stalled"]);
    suspend(&mut world, true);
    check(&world, Phase::Suspended, &[]);
    suspend(&mut world, false);
    check(&world, Phase::Blocked, &["Stalled"]);
}

#[test]
fn five_openings_to_come_and_ten_that_were_are_told() {
    let hourly = "{timeZone: Etc/UTC, schedules: [{name: a, cron: '0 * * * *', duration: 10m}]}";
    let mut world = World::new(hourly, "01T00:30");
    for hour in 1..=12 {
        world.at(&format!("01T{hour:02}:00"));
        world.at(&format!("01T{hour:02}:10"));
    }
    let status = world.told();
    let ids = |hours: Vec<i32>| -> Vec<String> {
        hours.iter().map(|hour| format!("a-20261201T{hour:02}00Z")).collect()
    };
    let upcoming: Vec<String> = status.upcoming.iter().map(|next| next.id.clone()).collect();
    let history: Vec<String> = status.history.iter().map(|entry| entry.id.clone()).collect();
    assert_eq!((upcoming, history), (ids((13..18).collect()), ids((3..13).rev().collect())));
}

/// What CloudWatch was told while it was open.
fn quieted(change: impl FnOnce(&mut MaintenanceWindowSpec)) -> usize {
    let mut world = World::new(&format!("{WEEKLY}{ALARMS}"), "06T00:50");
    world.cloud = Cloud::of(&["api-5xx"]);
    world.edit(change);
    world.until("06T01:01");
    assert_eq!(world.told().phase, Some(Phase::Open), "{:?}", world.told().message);
    world.cloud.rules.len()
}

#[test]
fn with_mode_none_no_alarm_is_quiet() {
    assert_eq!(quieted(|_| {}), 1);
    let none = spec("{timeZone: X, alarms: {mode: None, namePrefixes: [api-]}}").alarms;
    assert_eq!(quieted(|spec| spec.alarms = none), 0);
}
