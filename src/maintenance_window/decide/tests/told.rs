//! What is told of alarms is so when it is told, also while rules are made or taken away.

use super::alarms::{names, quiet, silenced};
use crate::{
    api::maintenance_window::Phase,
    facts::kubernetes::ActionRequest,
    maintenance_window::world::{TWO, WEEKLY, World, december},
};

fn is_told_quiet(world: &World) -> bool {
    silenced(world).is_some_and(|(told, _)| told == "True")
}

#[test]
fn alarms_are_not_told_quiet_while_a_new_one_sounds() {
    let mut world = quiet("");
    world.until("06T01:00");
    assert!(is_told_quiet(&world));
    world.cloud.alarms.insert("web-new".into(), false);
    world.now = december("06T01:05");
    world.pass();
    let told = silenced(&world).unwrap();
    assert_eq!(told.1, "4 alarms will be quiet for weekly-20261206T0100Z");
    assert!(!is_told_quiet(&world));
    world.passes();
    assert!(!is_told_quiet(&world));
    world.until("06T01:07");
    assert!(is_told_quiet(&world));
}

#[test]
fn alarms_are_not_told_quiet_once_their_rules_are_taken_away() {
    let mut world = quiet("");
    world.until("06T01:30");
    assert!(is_told_quiet(&world));
    world.facts.request =
        Some(ActionRequest { value: "close@weekly-20261206T0100Z".into(), by: String::new() });
    for _ in 0..6 {
        world.pass();
        let now = world.now.to_string();
        assert!(!is_told_quiet(&world) || names(&world, &now[8..16]).len() == 3);
    }
    assert_eq!(world.history()[0].1, "Completed");
    assert_eq!(silenced(&world), None);
}

#[test]
fn a_rule_that_would_begin_at_once_is_put_for_the_next_minute() {
    let mut world = quiet("");
    world.now = december("06T00:55");
    world.pass();
    assert!(world.told().silenced.is_some() && world.cloud.rules.is_empty());
    world.now = "2026-12-06T00:59:51Z".parse().unwrap();
    world.passes();
    let begins = world.cloud.rules.values().map(|rule| rule.starts_at.to_string());
    assert_eq!(begins.collect::<Vec<_>>(), ["2026-12-06T01:01:00Z"]);
}

#[test]
fn what_its_alarms_kept_closed_to_the_end_is_not_blamed_on_the_operator_alone() {
    let mut world = quiet("");
    world.cloud.denied = true;
    world.until("06T03:01");
    let (_, outcome, why) = &world.history()[0];
    assert_eq!(*outcome, "Missed");
    assert!(why.ends_with("or its alarms could not be made quiet"), "{why}");
}

#[test]
fn a_rule_is_tagged_with_whose_it_is() {
    let mut world = quiet("");
    world.until("06T00:57");
    let tags: Vec<String> = world
        .cloud
        .rules
        .values()
        .flat_map(|rule| rule.tags.iter().map(|(key, value)| format!("{key}={value}")))
        .collect();
    let expected = [
        "groundcrew.dev/cluster=prod",
        "groundcrew.dev/namespace=flightdata",
        "groundcrew.dev/kind=MaintenanceWindow",
        "groundcrew.dev/name=weekly",
        "groundcrew.dev/uid=u-1",
    ];
    assert_eq!(tags, expected);
}

#[test]
fn what_an_extension_covered_is_not_blamed_on_the_operator() {
    let mut world = World::new(TWO, "05T12:00");
    world.until("06T02:00");
    world.ask("extend=2h@weekly-20261206T0100Z");
    world.until("06T04:01");
    let id = "second-20261206T0330Z".to_owned();
    let why = "weekly-20261206T0100Z was open until Sun 6 Dec 2026 06:00 CET";
    assert_eq!(world.history(), [(id, "Missed", why.into())]);
}

#[test]
fn what_was_left_is_told_in_whole_seconds() {
    let mut world = World::new(&format!("{WEEKLY}lateOpen: {{minRemaining: 30m}}"), "05T12:00");
    world.passes();
    world.now = "2026-12-06T02:31:00.123456789Z".parse().unwrap();
    world.passes();
    let why = "only 28m 59s were left when it could open, and lateOpen.minRemaining is 30m";
    assert_eq!(world.history()[0].2, why);
}

#[test]
fn an_emergency_is_not_told_to_wait_for_its_alarms() {
    let yaml = "
timeZone: Etc/UTC
schedules: [{name: fix, once: '2026-12-05T13:00', duration: 2h}]
emergency: {reason: r, requestedBy: jane, for: [weekly]}
alarms: {names: [db]}
";
    let mut world = World::new(yaml, "05T12:00");
    world.cloud.denied = true;
    world.until("05T12:57");
    let told = world.told().message.clone().unwrap();
    assert!(told.ends_with("it opens Sat 5 Dec 2026 13:00–15:00 UTC all the same"), "{told}");
    world.until("05T13:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn a_window_without_schedules_is_not_told_to_be_open_when_it_is_not() {
    for (more, before) in [
        ("suspend: true", "suspended: set spec.suspend to false to let it open; "),
        ("mode: Audit", "in Audit: the gate stays closed; "),
    ] {
        let mut world = World::new(&format!("timeZone: Etc/UTC\nalways: true\n{more}"), "05T12:00");
        world.passes();
        let told = world.told().message.clone().unwrap();
        assert_eq!(told, format!("{before}without schedules it would always be open"));
    }
}

#[test]
fn an_opening_that_takes_no_work_is_told_so_before_it_opens() {
    let told = |cutoff: &str| {
        let mut world = World::new(&format!("{WEEKLY}cutoff: {cutoff}"), "05T12:00");
        world.passes();
        world.told().message.clone().unwrap()
    };
    let opens = "opens Sun 6 Dec 2026 02:00–04:00 CET";
    assert_eq!(told("119m"), opens);
    let words = "and takes no new work: it lasts 2h, and cutoff is 2h";
    assert_eq!(told("2h"), format!("{opens}, {words}"));
}
