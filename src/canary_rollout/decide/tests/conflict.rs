use super::{check, check_passes};
use crate::{
    api::{
        canary_rollout::{OnConflict, Outcome, Phase},
        shared::Mode,
    },
    canary_rollout::{
        decide::Plan,
        world::{NEXT_REVISION, REVISION, World, mark, release, time},
    },
    facts::{
        kubernetes::Deletion,
        lambda::{Provisioned, ProvisionedStatus},
    },
    names::{Mark, Owner},
};

fn adopting(mut world: World) -> World {
    world.facts.on_conflict = OnConflict::Adopt;
    world
}

fn enforcing(mut world: World) -> World {
    world.facts.on_conflict = OnConflict::Enforce;
    world
}

/// Somebody else moves the alias, which changes its revision id.
fn moved(world: &mut World, version: &str, weights: &[(&str, f64)], revision_id: &str) {
    let description = world.facts.alias.as_ref().unwrap().description.clone();
    world.alias_is(version, weights, &description);
    world.facts.alias.as_mut().unwrap().revision_id = revision_id.into();
}

fn served(world: &World) -> (String, usize) {
    let alias = world.facts.alias.as_ref().unwrap();
    (alias.version.clone(), alias.weights.len())
}

fn notes(plans: &[Plan]) -> Vec<&str> {
    plans.iter().flat_map(|plan| &plan.notes).map(|note| note.reason).collect()
}

const ENFORCED: &str = "Progressing PuttingBack: alias production serves version 45; it is put back to version 42 with 43 at 10%";

#[test]
fn enforced_an_alias_that_was_promoted_is_put_back_to_the_new_version() {
    let promoting = World::ending(2, Some("01:00:00"), Outcome::Promoted, "StepsCompleted");
    let mut world = enforcing(promoting);
    moved(&mut world, "43", &[("42", 0.25)], "theirs");
    let plan = world.plan();
    let message = "alias production serves version 43 with 42 at 25%; it is put back to version 43";
    assert_eq!(plan.report.message, message);
}

#[test]
fn enforced_an_alias_in_flight_is_put_back_and_its_step_starts_anew() {
    let mut world = enforcing(World::flying(0, Some("01:40:00")));
    moved(&mut world, "45", &[], "theirs");
    check(&world, &[ENFORCED, "now !"]);
    assert_eq!(notes(&world.settle()), [] as [&str; 0], "a read may be old");
    check(&world, &[ENFORCED, "01:44:10 !"]);
    world.now = time("01:44:10");
    let decided = check(&world, &[ENFORCED, "now !"]);
    assert_eq!(notes(std::slice::from_ref(&decided)), ["PutBack"]);
    world.pass();
    check(
        &world,
        &[
            ENFORCED,
            "UpdateAlias flightdata-processor:production to version 42 with 43 at 10%",
            "now !",
        ],
    );
    check_passes(
        &mut world,
        &[
            "Progressing: alias production serves version 45; it is put back to version 42 with 43 at 10%",
            "Progressing: 10%: holds until 02:14:10Z",
            "Progressing: 10%: holds until 02:14:10Z",
        ],
    );
    assert_eq!((world.memory().conflict, world.memory().put_backs.len()), (None, 1));
    let description = world.facts.alias.unwrap().description;
    assert_eq!(description, mark(REVISION, 0), "the mark is that of the step");
}

#[test]
fn enforced_an_alias_goes_back_to_where_each_kind_of_step_left_it() {
    let back = |mut world: World| {
        moved(&mut world, "45", &[("43", 0.2)], "theirs");
        world.settle();
        world.now = time("01:44:10");
        let plans = world.settle();
        let first = plans.iter().flat_map(|plan| &plan.actions).next().unwrap().to_string();
        first.replace("UpdateAlias flightdata-processor:production to version ", "")
    };
    assert_eq!(back(enforcing(World::flying(0, None))), "42 alone");
    assert_eq!(back(enforcing(World::flying(1, Some("01:40:00")))), "42 with 43 at 10%");
    assert_eq!(back(enforcing(World::flying(2, None))), "42 with 43 at 10%");
    assert_eq!(back(enforcing(World::flying(2, Some("01:40:00")))), "42 with 43 at 50%");
    let promoting = World::ending(2, Some("01:00:00"), Outcome::Promoted, "StepsCompleted");
    assert_eq!(back(enforcing(promoting)), "42 with 43 at 50%");
    let mut baking = enforcing(World::flying(3, Some("01:40:00")));
    baking.facts.terms.as_mut().unwrap().bake = "1h".parse().unwrap();
    assert_eq!(back(baking), "43 alone");
    let failed = World::ending(0, Some("01:00:00"), Outcome::RolledBack, "ErrorRate");
    assert_eq!(back(enforcing(failed)), "42 alone");
}

#[test]
fn enforced_an_alias_at_rest_is_put_back_also_from_weights() {
    for weights in [&[][..], &[("43", 0.3)]] {
        let mut world = enforcing(World::concluded(Outcome::Promoted, "x"));
        moved(&mut world, "41", weights, "theirs");
        world.settle();
        assert_eq!(world.status.phase, Some(Phase::Pending));
        world.now = time("01:44:10");
        assert_eq!(notes(&world.settle()), ["PutBack"]);
        assert_eq!(served(&world), ("43".to_owned(), 0));
        assert_eq!(world.status.phase, Some(Phase::Healthy));
        assert!(!world.facts.finalizer);
    }
}

#[test]
fn enforced_a_newer_release_starts_from_where_the_alias_was_put_back_to() {
    let mut world = enforcing(World::concluded(Outcome::Promoted, "x"));
    moved(&mut world, "41", &[], "theirs");
    world.facts.wanted = Ok(release("44", NEXT_REVISION));
    world.settle();
    world.now = time("01:44:10");
    world.settle();
    assert_eq!(world.memory().stable.as_deref(), Some("43"));
    assert_eq!(world.memory().flight.unwrap().entered_at, Some(time("01:44:10")));
}

/// Somebody moves the alias, and it is put back.
fn fought(world: &mut World, round: i64) {
    moved(world, "45", &[], &format!("theirs-{round}"));
    world.settle();
    world.now = world.now.checked_add(jiff::SignedDuration::from_secs(10)).unwrap();
    world.settle();
}

#[test]
fn enforced_it_is_put_back_three_times_an_hour_at_most() {
    let mut world = enforcing(World::concluded(Outcome::Promoted, "x"));
    for round in 0..3 {
        fought(&mut world, round);
        assert_eq!(served(&world), ("43".to_owned(), 0), "round {round}");
    }
    fought(&mut world, 3);
    let told = "alias production serves version 45; it belongs at version 43; it was put back 3 times within an hour and moved again: stop what moves it, then put it back, or accept it with the verb retry@9f2c1a";
    check(&world, &[&format!("Conflict AliasMoved: {told}"), "01:45:40"]);
    // Time alone does not start it again.
    world.now = time("03:30:00");
    world.settle();
    assert_eq!(world.status.message.as_deref(), Some(told));
    // Once it is as it was left, the next conflict counts anew.
    moved(&mut world, "43", &[], "mended");
    world.settle();
    fought(&mut world, 4);
    assert_eq!(served(&world), ("43".to_owned(), 0));
    assert_eq!(world.memory().put_backs.len(), 3);
}

#[test]
fn enforced_a_read_that_is_older_than_the_put_back_counts_no_second_time() {
    let mut world = enforcing(World::concluded(Outcome::Promoted, "x"));
    fought(&mut world, 0);
    moved(&mut world, "45", &[], "theirs-0");
    let plans: Vec<Plan> = (0..2).map(|_| world.pass()).collect();
    assert_eq!(notes(&plans), [] as [&str; 0]);
    assert_eq!(plans[1].actions.len(), 1, "Lambda refuses it because of the revision id");
    assert_eq!(world.memory().put_backs.len(), 1);
}

#[test]
fn nothing_is_enforced_or_adopted_against_another_rollout_or_while_nothing_may_be_done() {
    let owner = Owner { cluster: "dr".into(), namespace: "x".into(), name: "y".into() };
    let foreign = Mark { owner, revision: "1".into(), step: 0 }.write("");
    let cases: [fn(&mut World); 5] = [
        |world| world.facts.suspended = true,
        |world| world.facts.mode = Mode::Audit,
        |world| world.facts.taken_by = Some("shop/older".into()),
        |world| world.facts.deletion = Deletion::Abandon,
        |world| world.facts.alias = None,
    ];
    for change in [adopting, enforcing] {
        let mut marked = change(World::concluded(Outcome::Promoted, "x"));
        marked.alias_is("41", &[("45", 0.5)], &foreign);
        let worlds = cases.iter().map(|case| {
            let mut world = change(World::concluded(Outcome::Promoted, "x"));
            moved(&mut world, "41", &[], "theirs");
            case(&mut world);
            world
        });
        for (index, mut world) in worlds.chain([marked]).enumerate() {
            world.settle();
            world.now = time("01:50:00");
            let plans = world.settle();
            assert!(plans.iter().all(|plan| plan.actions.is_empty()), "case {index}");
            assert_eq!(world.memory().stable.as_deref(), Some("43"), "case {index}");
        }
    }
}

#[test]
fn adopted_in_flight_the_release_ends_and_what_is_served_is_stable() {
    let mut world = adopting(World::flying(0, Some("01:44:00")));
    moved(&mut world, "45", &[], "theirs");
    world.settle();
    let waits = "Conflict AliasMoved: alias production serves version 45; it belongs at version 42 with 43 at 10%; accepted at 01:45:00Z if it stays so, or put it back before";
    check(&world, &[waits, "01:45:00 !"]);
    world.now = time("01:45:00");
    let stays = "Aborted: version 43 was aborted: somebody else pointed alias production at version 45, which is accepted; the alias serves version 45; release something else, or try again with the verb retry@9f2c1a";
    let accepted =
        "Aborted: somebody else pointed alias production at version 45, which is accepted";
    check_passes(&mut world.clone(), &[accepted, stays]);
    assert_eq!(notes(&world.settle()), ["Adopted"]);
    let memory = world.memory();
    assert_eq!((memory.stable.as_deref(), memory.conflict), (Some("45"), None));
    let ended = &memory.history[0];
    assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Aborted, "AliasMoved"));
    assert!(!world.facts.finalizer);
    // Another release, or a person, starts from there.
    for next in [
        world.clone().with(|world| world.facts.wanted = Ok(release("44", NEXT_REVISION))),
        world.clone().asked("retry@9f2c1a"),
    ] {
        let mut next = next;
        next.settle();
        assert_eq!(next.memory().stable.as_deref(), Some("45"));
        assert!(next.memory().flight.is_some());
    }
}

#[test]
fn adopted_in_flight_the_new_version_itself_counts_as_promoted() {
    let mut world = adopting(World::flying(0, Some("01:44:00")));
    moved(&mut world, "43", &[], "theirs");
    world.settle();
    world.now = time("01:45:00");
    world.settle();
    assert_eq!(world.status.phase, Some(Phase::Healthy));
    let outcomes: Vec<_> = world.memory().history.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::Promoted]);
}

#[test]
fn adopted_at_rest_the_release_is_not_tried_again_by_itself() {
    let mut world = adopting(World::concluded(Outcome::Promoted, "x"));
    moved(&mut world, "41", &[], "theirs");
    world.settle();
    world.now = time("01:45:00");
    assert_eq!(notes(&world.settle()), ["Adopted"]);
    assert_eq!(served(&world), ("41".to_owned(), 0));
    let told = "version 43 was aborted: somebody else pointed alias production at version 41, which is accepted; the alias serves version 41; release something else, or try again with the verb retry@9f2c1a";
    assert_eq!(world.status.message.as_deref(), Some(told));
    world.now = time("09:00:00");
    assert_eq!(world.settle().len(), 1, "it stays so");
    let mut again = world.clone().asked("retry@9f2c1a");
    again.settle();
    assert_eq!(again.memory().flight.unwrap().entered_at, Some(time("09:00:00")));
}

#[test]
fn adopted_after_a_failure_only_the_stable_version_changes() {
    let mut world = adopting(World::concluded(Outcome::RolledBack, "Why"));
    moved(&mut world, "41", &[], "theirs");
    world.settle();
    world.now = time("01:45:00");
    world.settle();
    let memory = world.memory();
    assert_eq!((memory.stable.as_deref(), memory.history.len()), (Some("41"), 1));
    assert_eq!(world.status.phase, Some(Phase::RolledBack));
}

#[test]
fn weights_that_are_not_ours_are_waited_for_and_never_touched() {
    let mut world = adopting(World::flying(0, Some("01:44:00")));
    moved(&mut world, "45", &[("43", 0.2)], "theirs");
    world.settle();
    world.now = time("05:00:00");
    let told = "Conflict AliasMoved: alias production serves version 45 with 43 at 20%; it belongs at version 42 with 43 at 10%; what is there is accepted once the weights are gone; put it back, or end the rollout with the verb abort@9f2c1a";
    check(&world, &[told, "05:01:00 !"]);
    moved(&mut world, "43", &[], "later");
    world.settle();
    world.now = time("05:01:00");
    world.settle();
    assert_eq!(world.status.phase, Some(Phase::Healthy));
}

#[test]
fn what_changes_under_its_callers_is_not_accepted() {
    let mut world = adopting(World::concluded(Outcome::Promoted, "x"));
    moved(&mut world, "$LATEST", &[], "theirs");
    world.settle();
    world.now = time("05:00:00");
    let plan = world.settle().pop().unwrap();
    assert_eq!((plan.report.phase, plan.memory.stable.as_deref()), (Phase::Conflict, Some("43")));
    assert!(plan.report.message.contains("once it is a version"), "{}", plan.report.message);
}

#[test]
fn weights_that_lambda_moves_provisioned_concurrency_by_are_left_alone() {
    for change in [adopting, enforcing] {
        let mut world = change(World::flying(0, Some("01:44:00")));
        moved(&mut world, "45", &[("42", 1.0)], "lambda");
        world.facts.provisioned = Ok(Some(Provisioned {
            requested: 5,
            allocated: 1,
            status: ProvisionedStatus::InProgress,
            reason: String::new(),
        }));
        world.settle();
        world.now = time("01:50:00");
        let plans = world.settle();
        assert!(plans.iter().all(|plan| plan.actions.is_empty() && plan.notes.is_empty()));
    }
}

#[test]
fn an_alias_that_is_moved_again_is_looked_at_anew() {
    let mut world = adopting(World::concluded(Outcome::Promoted, "x"));
    moved(&mut world, "41", &[], "theirs");
    world.settle();
    world.now = time("01:44:50");
    moved(&mut world, "40", &[], "again");
    world.settle();
    world.now = time("01:45:00");
    world.settle();
    assert_eq!(world.memory().stable.as_deref(), Some("43"));
    world.now = time("01:45:50");
    world.settle();
    assert_eq!(world.memory().stable.as_deref(), Some("40"));
}

#[test]
fn held_a_conflict_is_dated_and_over_when_the_alias_is_back() {
    let mut world = World::flying(0, Some("01:44:00"));
    let left = world.facts.alias.clone();
    moved(&mut world, "45", &[], "theirs");
    world.settle();
    let conflict = world.memory().conflict.unwrap();
    assert_eq!((conflict.since.0, conflict.left), (time("01:44:00"), Some(10)));
    world.now = time("01:50:00");
    world.settle();
    assert_eq!(world.memory().conflict, Some(conflict));
    world.facts.alias = left;
    world.settle();
    assert_eq!(world.status.conflict, None);
}

/// An older rollout promoted version 44 while this one, version 43, bakes.
fn taken_in_the_bake(change: fn(World) -> World) -> World {
    let mut world = change(World::flying(3, Some("01:40:00")));
    world.facts.terms.as_mut().unwrap().bake = "1h".parse().unwrap();
    moved(&mut world, "44", &[], "theirs");
    world.facts.taken_by = Some("shop/older".into());
    world
}

#[test]
fn an_alias_that_an_older_rollout_moved_in_flight_is_never_moved_against_it() {
    let says = "Held AliasTaken: alias production of flightdata-processor belongs to the older CanaryRollout shop/older; delete one of the two, or end the release with the verb abort@9f2c1a";
    for change in [adopting, enforcing, |world| world] {
        let mut world = taken_in_the_bake(change);
        for now in ["01:44:00", "01:44:10", "01:45:00", "01:46:00"] {
            world.now = time(now);
            let plan = world.pass();
            assert_eq!(plan.actions, [], "{now}");
            assert_eq!(
                format!("{:?} {}: {}", plan.report.phase, plan.report.reason, plan.report.message),
                says
            );
            assert!(world.memory().conflict.is_some(), "it is asked again whose alias it is");
        }
        let mut world = world.asked("abort@9f2c1a");
        world.settle();
        assert_eq!(served(&world), ("44".to_owned(), 0), "its alias is left to it");
        assert_eq!(world.status.history[0].outcome, Outcome::Aborted);
    }
}
