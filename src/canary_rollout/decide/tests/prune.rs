use std::collections::BTreeSet;

use super::check;
use crate::{
    api::canary_rollout::Outcome,
    canary_rollout::{
        decide::pruning_is_due,
        world::{World, owner},
    },
    facts::surplus::{ListedVersion, Surplus},
    names,
};

/// Version 43 serves; these older versions of ours may go, of which one is kept.
fn healthy(older: &[u64]) -> World {
    World::concluded(Outcome::Promoted, "StepsCompleted").with(|world| {
        let listed = |version: &u64| ListedVersion {
            version: version.to_string(),
            description: names::published(&owner(), "older"),
        };
        let listed: Vec<_> = older.iter().map(listed).collect();
        let terms = (&owner(), "43", 1);
        let function = "flightdata-processor";
        world.facts.surplus = Some(Surplus::of(function, &listed, terms, &BTreeSet::new()));
    })
}

fn due(world: &World) -> bool {
    pruning_is_due(&world.memory(), world.facts.alias.as_ref().unwrap())
}

#[test]
fn old_versions_go_one_by_one_once_the_release_serves_and_that_is_written_down() {
    let message = "Healthy Promoted: alias production serves version 43";
    check(
        &healthy(&[40, 41, 42]),
        &[message, "DeleteFunction flightdata-processor version 40", "now"],
    );
    let mut world = healthy(&[42]);
    assert!(due(&world));
    let plan = check(&world, &[message, "now"]);
    assert_eq!(plan.memory.pruned, plan.memory.revision);
    world.publish(&plan);
    assert!(!due(&world), "once for each release");
    check(&world, &[message, "01:59:00"]);
}

#[test]
fn nothing_goes_before_a_release_serves_or_while_it_is_suspended() {
    assert!(!due(&World::flying(0, Some("01:44:00"))));
    assert!(!due(&World::concluded(Outcome::RolledBack, "ErrorRate")));
    let moved = healthy(&[]).with(|world| world.alias_is("43", &[("42", 0.1)], ""));
    assert!(!due(&moved));
    let world = healthy(&[40, 41]).with(|world| world.facts.suspended = true);
    assert_eq!(world.plan().actions, []);
    let mut world = healthy(&[40, 41]);
    world.facts.surplus = None;
    assert_eq!(world.plan().actions, [], "nothing is known of them");
}
