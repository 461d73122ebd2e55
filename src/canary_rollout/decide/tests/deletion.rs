use super::{check, check_passes};
use crate::{
    api::canary_rollout::Outcome,
    canary_rollout::{
        decide::{Left, Note, abandon},
        world::{REVISION, World, mark},
    },
    facts::kubernetes::Deletion,
};

fn deleted(world: World, deletion: Deletion) -> World {
    world.with(|world| world.facts.deletion = deletion)
}

#[test]
fn a_flight_is_undone_read_back_and_then_let_go() {
    let mut world = deleted(World::flying(0, Some("01:44:00")), Deletion::Undo);
    check_passes(
        &mut world,
        &[
            "RollingBack: going back to version 42: the CanaryRollout is deleted",
            "RollingBack: going back to version 42: the CanaryRollout is deleted",
            "Aborted: the CanaryRollout is deleted",
            "Pending: nothing is left to undo",
        ],
    );
    assert!(!world.facts.finalizer);
    assert!(world.facts.alias.unwrap().weights.is_empty());
}

#[test]
fn deletion_turns_a_promotion_into_an_undo_and_keeps_another_ending() {
    let mut world = deleted(
        World::ending(2, Some("01:14:00"), Outcome::Promoted, "StepsCompleted"),
        Deletion::Undo,
    );
    world.settle();
    assert_eq!(world.facts.alias.unwrap().version, "42");
    let mut world = deleted(
        World::ending(2, Some("01:14:00"), Outcome::RolledBack, "ErrorRate"),
        Deletion::Undo,
    );
    world.settle();
    assert_eq!(world.status.history[0].outcome, Outcome::RolledBack);
}

#[test]
fn undo_does_not_need_a_finalizer_that_is_refused_during_deletion() {
    let mut world = deleted(World::flying(0, Some("01:44:00")), Deletion::Undo);
    world.facts.finalizer = false;
    world.settle();
    assert!(world.facts.alias.unwrap().weights.is_empty());
}

#[test]
fn without_anything_in_flight_the_object_is_let_go_at_once() {
    let world = deleted(World::concluded(Outcome::Promoted, "x"), Deletion::Undo);
    let plan = check(&world, &["Pending Deleted: nothing is left to undo", "01:59:00"]);
    assert_eq!(plan.notes, []);
}

#[test]
fn a_flight_that_only_its_mark_tells_of_is_undone_too() {
    let mut world = deleted(World::new(), Deletion::Undo);
    world.facts.finalizer = true;
    world.alias_is("42", &[("43", 0.5)], &mark(REVISION, 2));
    world.settle();
    assert!(world.facts.alias.unwrap().weights.is_empty());
    assert!(!world.facts.finalizer);
}

#[test]
fn weights_of_someone_else_do_not_keep_a_deleted_object() {
    let mut world = deleted(World::new(), Deletion::Undo);
    world.alias_is("42", &[("43", 0.5)], "");
    check(&world, &["Pending Deleted: nothing is left to undo", "01:59:00"]);
}

#[test]
fn abandon_touches_nothing_and_says_what_is_left() {
    let world = deleted(World::flying(0, Some("01:44:00")), Deletion::Abandon);
    let left = "let go without undoing: alias production of flightdata-processor was left at version 42 with 43 at 10%";
    let plan = check(&world, &[&format!("Pending Deleted: {left}"), "01:59:00"]);
    assert_eq!(plan.notes, [Note { warning: true, reason: "Abandoned", message: left.to_owned() }]);
}

#[test]
fn abandon_tells_what_the_status_knows_without_asking_aws() {
    let told = |world: &World, weight| {
        let (function, alias) = ("processor", "production");
        let left = Left { function, alias, weight, revision_id: None, finalizer: true };
        let plan = abandon(&world.memory(), left, world.now);
        assert!(!plan.finalizer && plan.actions.is_empty() && plan.notes.len() == 1, "{plan:#?}");
        plan.report.message
    };
    let flying = World::flying(0, Some("01:44:00"));
    let alias = "let go without undoing: alias production of processor";
    let with_weight = format!("{alias} was left at version 42 with 43 at 10%");
    assert_eq!(told(&flying, Some(10)), with_weight);
    assert_eq!(told(&flying, Some(100)), format!("{alias} was left at version 43"));
    assert_eq!(told(&flying, Some(0)), format!("{alias} was left at version 42"));
    let unknown = format!("{alias} was left at version 42 with a weight for 43");
    assert_eq!(told(&flying, None), unknown);
    let served = World::concluded(Outcome::Promoted, "x");
    assert_eq!(told(&served, None), format!("{alias} was left at version 43"));
    assert_eq!(told(&World::new(), None), format!("{alias} may carry weights of this rollout"));
}

#[test]
fn abandon_is_told_once() {
    let mut world = deleted(World::flying(0, Some("01:44:00")), Deletion::Abandon);
    assert_eq!(world.pass().notes.len(), 1);
    assert_eq!(world.pass().notes, []);
}

#[test]
fn a_deleted_object_whose_alias_is_elsewhere_tells_how_to_let_go() {
    let world = deleted(World::flying(0, Some("01:44:00")), Deletion::Undo)
        .with(|world| world.alias_is("43", &[("42", 0.1)], ""));
    let mut world = world;
    let said = world.settle().pop().unwrap().report.message;
    assert_eq!(
        said,
        "alias production serves version 43 with 42 at 10%; it belongs at version 42 with 43 at 10%; remove the weights, then the rest is undone, or let go without undoing with the annotation groundcrew.dev/abandon: \"true\""
    );
}
