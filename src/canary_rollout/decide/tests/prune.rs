use std::collections::BTreeSet;

use proptest::prelude::*;

use super::check;
use crate::{
    api::canary_rollout::Outcome,
    canary_rollout::{
        decide::{Action, Revisit, Unread, not_pruned, pruning_is_due},
        memory::Memory,
        world::{REVISION, World, denied, ended, owner, release, time},
    },
    error::Remedy,
    facts::surplus::{ListedVersion, Surplus, Terms},
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
        let (owner, none) = (&owner(), &BTreeSet::new());
        let terms = Terms { owner, served: "43", keep: 1, failed: none, pinned: none };
        let surplus = Surplus::of("flightdata-processor", &listed, &terms);
        world.facts.surplus = Ok(Some(surplus));
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
    world.facts.surplus = Ok(None);
    assert_eq!(world.plan().actions, [], "nothing is known of them");
}

const OUTCOMES: [Outcome; 5] = [
    Outcome::Promoted,
    Outcome::RolledBack,
    Outcome::Aborted,
    Outcome::Superseded,
    Outcome::Initialized,
];

/// Version 50 serves, after these releases, newest first.
fn after(earlier: &[(u64, usize, u64)], window: usize) -> World {
    let entry = |(version, outcome, stable): &(u64, usize, u64)| {
        let outcome = OUTCOMES[*outcome % OUTCOMES.len()];
        let mut entry = ended(&format!("r{version}"), &version.to_string(), outcome, "x");
        entry.stable = entry.stable.map(|_| stable.to_string());
        entry
    };
    let mut world = World::new().with(|world| world.alias_is("50", &[], ""));
    world.facts.wanted = Ok(release("50", REVISION));
    world.facts.terms.as_mut().unwrap().rollback_window = window;
    let mut history: Vec<_> = earlier.iter().map(entry).collect();
    let (revision, stable) = (Some(REVISION.into()), Some("50".into()));
    if let Some(newest) = history.first_mut() {
        (newest.revision, newest.version) = (REVISION.into(), "50".into());
    }
    world.remember(&Memory { revision, stable, history, ..Memory::default() });
    world
}

/// Where an alias is sent within the next passes.
fn sent_to(mut world: World) -> Vec<String> {
    world.facts.finalizer = true;
    let plans: Vec<_> = (0..4).map(|_| world.pass()).collect();
    let actions = plans.iter().flat_map(|plan| &plan.actions);
    let moved = actions.map(|action| match action {
        Action::UpdateAlias { change, .. } => change.version.clone(),
        other => panic!("{other} moves nothing"),
    });
    moved.filter(|version| version != "50").collect()
}

proptest! {
    /// What the verb `rollback` or a release within the window goes to is never surplus.
    #[test]
    fn no_version_is_surplus_that_the_alias_may_still_go_back_to(
        earlier in proptest::collection::vec((1_u64..8, 0_usize..5, 1_u64..8), 0..10),
        window in 0_usize..4,
        keep in 0_usize..3,
        again in 1_u64..8,
    ) {
        let world = after(&earlier, window);
        let memory = world.memory();
        let listed = |version: u64| ListedVersion {
            version: version.to_string(),
            description: names::published(&owner(), "older"),
        };
        let listed: Vec<_> = (1..50).map(listed).collect();
        let terms = Terms {
            owner: &owner(),
            served: "50",
            keep,
            failed: &memory.failed(),
            pinned: &memory.ways_back(window),
        };
        let surplus = Surplus::of("flightdata-processor", &listed, &terms);
        let gone = |version: &String| surplus.iter().any(|one| one.version().to_string() == *version);

        let mut back = sent_to(world.clone().asked(&format!("rollback@{REVISION}")));
        let straight = world.with(|world| {
            world.facts.wanted = Ok(release(&again.to_string(), &format!("r{again}")));
        });
        // One that is not within the window takes its steps, and the alias stays meanwhile.
        back.extend(sent_to(straight));
        prop_assert!(!back.iter().any(gone), "{back:?} of {surplus:?}");
    }
}

#[test]
fn what_cannot_be_cleared_away_leaves_a_release_healthy_and_a_missing_permission_is_told() {
    let mut world = healthy(&[40]);
    world.facts.surplus = Err(denied("ListVersionsByFunction"));
    let message = "Healthy Promoted: alias production serves version 43";
    let told = format!("{message}; old versions stay: ListVersionsByFunction was denied");
    let plan = check(&world, &[&told, "01:59:00"]);
    assert_eq!(plan.memory.pruned, None, "it is tried again");
    let busy = Unread { remedy: Remedy::Retry, ..denied("ListVersionsByFunction") };
    world.facts.surplus = Err(busy.clone());
    check(&world, &[message, "01:45:00"]);

    // A deletion that failed.
    let world = healthy(&[40, 41]);
    let after = |failed: &Unread| {
        let mut plan = world.plan();
        not_pruned(&mut plan, &world.facts, failed, world.now);
        let report =
            format!("{:?} {}: {}", plan.report.phase, plan.report.reason, plan.report.message);
        (report, plan.revisit)
    };
    let then = |text| Revisit::At(time(text));
    assert_eq!(
        after(&denied("DeleteFunction")),
        (format!("{message}; old versions stay: DeleteFunction was denied"), then("01:59:00"))
    );
    assert_eq!(after(&busy), (message.to_owned(), then("01:45:00")));
}
