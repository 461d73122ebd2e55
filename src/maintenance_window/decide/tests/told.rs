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
