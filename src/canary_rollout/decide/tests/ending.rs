use super::{check, check_passes};
use crate::{
    api::canary_rollout::Outcome,
    canary_rollout::{
        decide::{Unready, Wanted},
        world::{World, mark, release, steps, unusable},
    },
    facts::lambda::Source,
    names::{Mark, Owner},
};

fn going_back() -> World {
    World::ending(0, Some("01:44:00"), Outcome::RolledBack, "ErrorRate")
}

fn promoting() -> World {
    World::ending(2, Some("01:14:00"), Outcome::Promoted, "StepsCompleted")
}

const BACK: [&str; 3] = [
    "RollingBack ErrorRate: going back to version 42: because of ErrorRate",
    "UpdateAlias flightdata-processor:production to version 42 alone",
    "now !",
];

#[test]
fn going_back_is_one_write_and_takes_the_mark_away() {
    let mut world = going_back();
    world.alias_is("42", &[("43", 0.1)], &format!("live traffic {}", mark("9f2c1a", 0)));
    let plan = check(&world, &BACK);
    world.write(&plan.actions);
    assert_eq!(world.facts.alias.unwrap().description, "live traffic");
}

#[test]
fn nothing_keeps_a_canary_from_going_back() {
    let unusable = unusable(false, "InvalidSpec", "wrong");
    check(&going_back().with(|world| world.facts.suspended = true), &BACK);
    check(&going_back().with(|world| world.facts.wanted = Err(unusable)), &BACK);
    check(&going_back().with(|world| world.facts.finalizer = false), &BACK);
    let paused = Some(crate::canary_rollout::world::k8s_time("01:45:00"));
    check(&going_back().with(|world| world.status.paused_at = paused), &BACK);
    check(&going_back().with(|world| world.facts.wanted = world_44()), &BACK);
}

fn world_44() -> Result<Wanted, Unready> {
    Ok(release("44", "b07d3e"))
}

#[test]
fn a_canary_goes_back_from_a_weight_that_someone_else_gave_it_too() {
    check(&going_back().with(|world| world.alias_is("42", &[("43", 0.3)], "")), &BACK);
    check(&going_back().with(|world| world.alias_is("43", &[], "")), &BACK);
}

#[test]
fn a_canary_without_traffic_has_gone_back() {
    for (version, weights) in [("42", &[][..]), ("41", &[]), ("42", &[("41", 0.1)])] {
        let world = going_back().with(|world| world.alias_is(version, weights, ""));
        check(&world, &["RolledBack ErrorRate: because of ErrorRate", "now !"]);
    }
    let world = going_back().with(|world| world.facts.alias = None);
    check(&world, &["RolledBack ErrorRate: because of ErrorRate", "now !"]);
}

#[test]
fn weights_that_are_not_ours_are_left_to_a_person() {
    for (version, weights, found) in [
        ("43", &[("42", 0.1)][..], "version 43 with 42 at 10%"),
        ("42", &[("43", 0.1), ("41", 0.1)], "version 42 with 43 at 10% with 41 at 10%"),
    ] {
        let world = going_back().with(|world| world.alias_is(version, weights, ""));
        let told = format!(
            "Conflict AliasMoved: alias production serves {found}; it belongs at version 42 with 43 at 10%; remove the weights, then the rest is undone"
        );
        check(&world, &[&told, "01:45:00 !"]);
    }
}

#[test]
fn how_it_ended_is_written_down_and_the_finalizer_goes_a_pass_later() {
    let mut world = going_back();
    check_passes(
        &mut world,
        &[
            "RollingBack: going back to version 42: because of ErrorRate",
            "RolledBack: because of ErrorRate",
            "RolledBack: version 43 was rolled back: because of ErrorRate; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a",
        ],
    );
    let memory = world.memory();
    let [entry] = memory.history.as_slice() else { panic!("{:?}", memory.history) };
    assert_eq!((entry.version.as_str(), entry.outcome), ("43", Outcome::RolledBack));
    assert_eq!((memory.flight, world.facts.finalizer), (None, false));
    assert_eq!(memory.canary.map(|canary| canary.version), Some("43".into()));
}

#[test]
fn promotion_is_one_write_of_version_and_no_weights() {
    check(
        &promoting(),
        &[
            "Promoting Promoting: setting the alias to version 43 alone",
            "UpdateAlias flightdata-processor:production to version 43 alone",
            "now !",
        ],
    );
}

#[test]
fn promotion_waits_for_the_finalizer_and_for_the_end_of_a_suspension() {
    let world = promoting().with(|world| world.facts.finalizer = false);
    check(&world, &["Promoting Promoting: setting the alias to version 43 alone", "now !"]);
    let world = promoting().with(|world| world.facts.suspended = true);
    check(
        &world,
        &[
            "Suspended Suspended: suspended: version 43 stays at 50%; set spec.suspend to false to go on",
            "01:45:00 !",
        ],
    );
}

#[test]
fn an_alias_that_serves_the_canary_alone_is_promoted() {
    for suspended in [false, true] {
        let mut world = promoting().with(|world| world.alias_is("43", &[], ""));
        world.facts.suspended = suspended;
        let plan =
            check(&world, &["Healthy Promoted: alias production serves version 43", "now !"]);
        assert_eq!(plan.memory.stable, Some("43".into()));
        assert_eq!(plan.memory.canary, None);
        assert_eq!(plan.memory.history.first().map(|e| e.outcome), Some(Outcome::Promoted));
    }
}

#[test]
fn promotion_of_an_alias_that_is_elsewhere_is_a_conflict() {
    let conflict = |found: &str, way_out: &str| {
        format!(
            "Conflict AliasMoved: alias production {found}; it belongs at version 42 with 43 at 50%; {way_out}"
        )
    };
    let abort = "put it back, or end the rollout with the verb abort@9f2c1a";
    let retry = "put it back, or start again from there with the verb retry@9f2c1a";
    let world = promoting().with(|world| world.alias_is("42", &[("43", 0.6)], ""));
    check(&world, &[&conflict("serves version 42 with 43 at 60%", abort), "01:45:00 !"]);
    let world = promoting().with(|world| world.alias_is("41", &[], ""));
    check(&world, &[&conflict("serves version 41", retry), "01:45:00 !"]);
    let world = promoting().with(|world| world.facts.alias = None);
    check(&world, &[&conflict("does not exist", retry), "01:45:00 !"]);
}

#[test]
fn promotion_stops_at_the_mark_of_another_rollout() {
    let owner = Owner { cluster: "dr".into(), namespace: "x".into(), name: "y".into() };
    let foreign = Mark { owner, revision: "123".into(), step: 2 }.write("");
    let world = promoting().with(|world| world.alias_is("42", &[("43", 0.5)], &foreign));
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production is moved by the CanaryRollout x/y of cluster dr; delete one of the two, or end this one with the verb abort@9f2c1a",
            "01:45:00 !",
        ],
    );
}

#[test]
fn promotion_goes_on_from_a_weight_that_was_written_and_not_yet_read_back() {
    let mut world = World::ending(0, None, Outcome::Promoted, "PromotedInFull");
    world.alias_is("42", &[("43", 0.1)], &mark("9f2c1a", 0));
    assert_eq!(world.settle().len(), 3);
    assert_eq!(world.facts.alias.unwrap().version, "43");
}

#[test]
fn the_reason_of_an_ending_is_one_of_a_closed_set() {
    for (reason, expected) in [
        ("AbortedByUser", "AbortedByUser"),
        ("ApprovalTimedOut", "ApprovalTimedOut"),
        ("Deleted", "Deleted"),
        ("Superseded", "Superseded"),
        ("FromTheFuture", "Ended"),
    ] {
        let world = World::ending(0, Some("01:44:00"), Outcome::Aborted, reason);
        assert_eq!(world.plan().report.reason, expected);
    }
}

#[test]
fn a_release_without_steps_goes_straight_to_100() {
    let mut world = World::new();
    if let Ok(wanted) = &mut world.facts.wanted {
        wanted.steps = steps(&[]);
    }
    check_passes(
        &mut world,
        &[
            "Pending: releasing version 43 in place of 42",
            "Promoting: setting the alias to version 43 alone",
            "Healthy: alias production serves version 43",
            "Healthy: alias production serves version 43",
        ],
    );
}

#[test]
fn what_only_a_read_tells_ends_no_flight_it_is_written_once_more() {
    for source in [Source::Read, Source::EarlierRead] {
        let read = |world: &mut World| world.facts.alias_source = source;
        let back = going_back().with(|world| world.alias_is("42", &[], "")).with(read);
        check(&back, &BACK);
        let promoted = promoting().with(|world| world.alias_is("43", &[], "")).with(read);
        check(
            &promoted,
            &[
                "Promoting Promoting: setting the alias to version 43 alone",
                "UpdateAlias flightdata-processor:production to version 43 alone",
                "now !",
            ],
        );
    }
}

#[test]
fn a_promotion_that_the_spec_does_not_ask_for_any_more_is_not_healthy() {
    let world = promoting()
        .with(|world| world.alias_is("43", &[], ""))
        .with(|world| world.facts.wanted = world_44());
    check(&world, &["Pending Promoted: alias production serves version 43", "now !"]);
}
