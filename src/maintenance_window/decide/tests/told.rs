//! What is told of alarms is so when it is told, also while rules are made or taken away.

use super::alarms::{names, quiet, silenced};
use crate::{
    facts::kubernetes::ActionRequest,
    maintenance_window::world::{World, december},
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
