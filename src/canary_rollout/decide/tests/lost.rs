use super::{check, check_passes};
use crate::{
    api::canary_rollout::Outcome,
    canary_rollout::world::{NEXT_REVISION, REVISION, World, mark, release, unusable},
    names::{Mark, Owner},
};

/// The status is gone; the alias carries what a rollout left there.
fn lost(weights: &[(&str, f64)], description: &str) -> World {
    World::new().with(|world| world.alias_is("42", weights, description))
}

#[test]
fn a_flight_whose_status_was_lost_is_taken_up_where_its_mark_says() {
    let mut world = lost(&[("43", 0.5)], &mark(REVISION, 2));
    check_passes(
        &mut world,
        &[
            "Progressing: version 43 is taken up where its mark on the alias says",
            "Progressing: 50%: holds until 02:14:00Z",
            "Progressing: 50%: holds until 02:14:00Z",
        ],
    );
    assert!(world.facts.finalizer);
    assert_eq!(world.memory().flight.unwrap().index, 2);
}

#[test]
fn a_mark_that_does_not_fit_the_release_goes_back_and_the_release_starts_anew() {
    for (weights, description) in [
        ([("43", 0.5)], mark(NEXT_REVISION, 2)), // another revision
        ([("41", 0.5)], mark(REVISION, 2)),      // another version
        ([("43", 0.3)], mark(REVISION, 2)),      // another weight
        ([("43", 0.5)], mark(REVISION, 3)),      // a step that there is not
    ] {
        let mut world = lost(&weights, &description);
        let plans = world.settle();
        let [first, second, third, fourth, ..] = plans.as_slice() else { panic!("{plans:#?}") };
        assert!(first.actions.is_empty(), "{first:#?}");
        assert_eq!(
            second.actions[0].to_string(),
            "UpdateAlias flightdata-processor:production to version 42 alone"
        );
        assert_eq!(third.memory.history[0].outcome, Outcome::Superseded);
        assert_eq!(fourth.report.message, "releasing version 43 in place of 42");
        assert_eq!(world.memory().flight.unwrap().index, 0);
    }
}

#[test]
fn what_is_taken_up_to_go_back_says_why() {
    let world = lost(&[("43", 0.5)], &mark(NEXT_REVISION, 2));
    let plan = check(
        &world,
        &[
            "Progressing Resumed: version 43 was left on the alias by a release that nobody remembers",
            "now !",
        ],
    );
    assert_eq!(plan.memory.canary.unwrap().code_sha256, None);
}

#[test]
fn weights_that_nobody_owns_are_held() {
    let owner = Owner { cluster: "dr".into(), namespace: "x".into(), name: "y".into() };
    let foreign = Mark { owner, revision: REVISION.into(), step: 0 }.write("");
    for description in ["", "live traffic", &foreign] {
        check(
            &lost(&[("43", 0.1)], description),
            &[
                "Held UnownedWeights: alias production serves version 42 with 43 at 10%, and this rollout did not set these weights; remove them, or finish what set them",
                "01:45:00",
            ],
        );
    }
}

#[test]
fn weights_on_an_alias_at_rest_are_a_conflict() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted")
        .with(|world| world.alias_is("43", &[("41", 0.1)], ""));
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production serves version 43 with 41 at 10%; it belongs at version 43; remove the weights",
            "01:45:00",
        ],
    );
}

#[test]
fn two_weights_are_never_taken_up() {
    let world = lost(&[("43", 0.1), ("41", 0.1)], &mark(REVISION, 0));
    assert_eq!(world.plan().report.reason, "UnownedWeights");
}

#[test]
fn a_release_that_went_on_meanwhile_is_not_mixed_with_the_one_left() {
    let mut world = lost(&[("43", 0.5)], &mark(REVISION, 2));
    world.facts.wanted = Ok(release("44", NEXT_REVISION));
    world.settle();
    let memory = world.memory();
    assert_eq!(memory.canary.unwrap().version, "44");
    assert_eq!(memory.stable.as_deref(), Some("42"));
}

#[test]
fn weights_of_ours_keep_the_finalizer_while_nothing_can_be_released() {
    let lost = |finalizer| {
        let mut world = World::new();
        world.alias_is("42", &[("43", 0.1)], &mark(REVISION, 0));
        world.facts.finalizer = finalizer;
        world.facts.wanted = Err(unusable(true, "VersionPending", "not yet"));
        world.plan().finalizer
    };
    assert!(lost(true));
    assert!(!lost(false), "it is asked for once they are taken up");
}
