//! What holds for every plan, whatever is found and remembered.

use proptest::prelude::*;

use super::worlds::{any_world, flights};
use crate::{
    api::{
        canary_rollout::{Ending, OnConflict},
        shared::Mode,
    },
    canary_rollout::{
        decide::{Action, Facts, Plan, Purpose},
        memory::{Flight, Memory},
        world::{REVISION, World, release},
    },
    facts::{kubernetes::Deletion, lambda::AliasChange},
};

/// What a plan made in `world` must never do.
#[track_caller]
pub(super) fn hold(world: &World, plan: &Plan) {
    let (facts, before) = (&world.facts, world.memory());
    assert_eq!(world.plan(), *plan, "deciding twice gives the same plan");
    assert!(plan.actions.len() <= 1, "one write, then it is read back: {plan:#?}");
    if !plan.actions.is_empty() {
        assert_eq!(plan.memory.flight, before.flight, "an intent is a pass of its own");
        assert_eq!(plan.memory.revision, before.revision, "an intent is a pass of its own");
        assert_ne!(facts.deletion, Deletion::Abandon, "abandoned things are not touched");
    }
    for action in &plan.actions {
        let undo = matches!(action, Action::UpdateAlias { purpose: Purpose::Undo, .. });
        assert!(undo || facts.mode == Mode::Enforce, "in Audit nothing is done but undo");
        match action {
            Action::CreateAlias { .. } => {
                assert!(facts.alias.is_none() && !facts.suspended, "{plan:#?}");
            }
            Action::UpdateAlias { change, purpose } => {
                check_change(facts, &before, change, *purpose);
            }
            Action::UpdateFunctionCode(_)
            | Action::UpdateFunctionConfiguration(_)
            | Action::PublishVersion(_) => {
                assert!(!facts.suspended, "suspended, nothing is published");
                assert_eq!(facts.deletion, Deletion::None, "deleted, nothing is published");
            }
            Action::DeleteVersion(surplus) => {
                let serves = facts.alias.as_ref().map(|alias| alias.version.clone());
                assert_ne!(serves, Some(surplus.version().to_string()));
                assert!(!facts.suspended, "suspended, nothing is deleted");
            }
            Action::Invoke { version, .. } => {
                let canary = before.canary.as_ref().map(|canary| &canary.version);
                assert_eq!(Some(version), canary, "only what is on its way is invoked");
                assert!(!facts.suspended, "suspended, nothing is invoked");
            }
        }
    }
    check_undo(facts, &before, plan);
    let mut after = world.clone();
    after.publish(plan);
    assert_eq!(after.memory(), plan.memory, "the status is a faithful store");
}

#[track_caller]
fn check_change(facts: &Facts, before: &Memory, change: &AliasChange, purpose: Purpose) {
    let alias = facts.alias.as_ref().expect("there is an alias to move");
    assert_eq!(change.revision_id, alias.revision_id, "every write carries the revision id");
    let canary = before.canary.as_ref().map(|canary| canary.version.as_str());
    match purpose {
        Purpose::Undo => {
            assert_eq!((Some(&change.version), &change.weight), (before.stable.as_ref(), &None));
        }
        Purpose::Initialize => {
            assert_eq!((alias.version.as_str(), &change.weight), ("$LATEST", &None));
            assert!(!facts.suspended, "suspended, nothing is initialized");
        }
        Purpose::Advance => {
            assert!(!facts.suspended, "suspended, nothing goes forward");
            assert!(facts.finalizer, "without the finalizer nothing goes forward");
            assert_eq!(facts.deletion, Deletion::None, "deleted, nothing goes forward");
        }
    }
    let Some(extra) = &change.weight else {
        assert!(!change.description.contains("[groundcrew "), "no mark without a weight");
        return;
    };
    assert_eq!(purpose, Purpose::Advance);
    assert_eq!(Some(&change.version), before.stable.as_ref(), "stable stays the alias's version");
    let moved = facts.on_conflict == OnConflict::Enforce && before.conflict.is_some();
    assert!(moved || change.version == alias.version, "what somebody moved is left alone");
    assert_eq!(Some(extra.version.as_str()), canary);
    let flight = before.flight.as_ref().expect("weights belong to a flight");
    let declared = declared(flight);
    assert!(declared.iter().any(|w| (w - extra.weight).abs() < 1e-9), "{declared:?} {extra:?}");
}

/// The shares that the frozen steps declare.
fn declared(flight: &Flight) -> Vec<f64> {
    flight
        .steps
        .to_api()
        .iter()
        .filter_map(|step| step.weight)
        .map(|w| f64::from(w) / 100.0)
        .collect()
}

/// A canary that must go back and gets traffic goes back, whatever else is true.
#[track_caller]
fn check_undo(facts: &Facts, before: &Memory, plan: &Plan) {
    let (Some(flight), Some(canary), Some(alias)) = (&before.flight, &before.canary, &facts.alias)
    else {
        return;
    };
    let reached = match alias.weights.as_slice() {
        [] => alias.version == canary.version,
        [extra] => {
            before.stable.as_ref() == Some(&alias.version) && extra.version == canary.version
        }
        [_, _, ..] => false,
    };
    let must = flight.ending.as_ref().is_some_and(Ending::goes_back);
    if must && reached && before.stable.as_ref() != Some(&canary.version) {
        let abandoned = facts.deletion == Deletion::Abandon;
        let undone = plan
            .actions
            .iter()
            .any(|action| matches!(action, Action::UpdateAlias { purpose: Purpose::Undo, .. }));
        // Lambda's own weights go when its move of provisioned concurrency ends, not by a write.
        let everybody = matches!(alias.weights.as_slice(), [extra] if extra.weight >= 1.0);
        let lambdas = everybody
            && facts.provisioned != Ok(None)
            && before.stable.as_ref() == Some(&alias.version);
        let pointed = before.stable.as_ref() != Some(&alias.version) && alias.weights.is_empty();
        let gone = facts.stable_gone && pointed;
        assert_eq!(undone, !(abandoned || lambdas || gone), "{plan:#?}");
    }
}

/// A pass that dies after its write and before its status; then passes until one waits.
fn crash_and_settle(mut world: World, pass: usize) -> World {
    for _ in 0..pass {
        world.pass();
    }
    let plan = world.plan();
    world.write(&plan.actions);
    world.settle();
    world
}

fn outcome_of(world: &World) -> impl PartialEq + std::fmt::Debug {
    let alias = world.facts.alias.as_ref().map(|a| (a.version.clone(), a.weights.clone()));
    // What a pass lacked leaves the phase as it was told last.
    let phase = world.plan().unread.is_none().then_some(world.status.phase);
    (alias, world.memory(), phase, world.facts.finalizer)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_whatever_is_found_and_remembered(world in any_world()) {
        hold(&world, &world.plan());
    }

    #[test]
    fn the_laws_hold_in_each_pass_until_one_waits(world in prop_oneof![any_world(), flights()]) {
        let mut passed = world.clone();
        for _ in world.clone().settle() {
            hold(&passed, &passed.plan());
            passed.pass();
        }
        // Nothing changes on a pass that changes nothing.
        let (status, alias) = (passed.status.clone(), passed.facts.alias.clone());
        passed.pass();
        prop_assert_eq!((passed.status, passed.facts.alias), (status, alias));
    }

    #[test]
    fn a_crash_between_a_write_and_its_status_changes_nothing(world in flights(), pass in 0_usize..8) {
        let mut calm = world.clone();
        let passes = calm.settle().len();
        let crashed = crash_and_settle(world, pass.min(passes.saturating_sub(1)));
        prop_assert_eq!(outcome_of(&crashed), outcome_of(&calm));
    }

    #[test]
    fn a_crash_is_survived_also_when_the_verb_is_gone_afterwards(world in flights(), pass in 0_usize..8) {
        let mut calm = world.clone();
        let passes = calm.settle().len();
        let mut world = world;
        for _ in 0..pass.min(passes.saturating_sub(1)) {
            world.pass();
        }
        let plan = world.plan();
        world.write(&plan.actions);
        world.facts.request = None;
        let last = world.settle().pop().unwrap();
        if calm.plan().report.difference.is_none() {
            prop_assert_eq!(last.report.difference, None);
        }
    }

    #[test]
    fn abort_always_brings_a_flight_back(world in flights()) {
        let mut world = world.asked("abort@9f2c1a");
        world.facts.deletion = Deletion::None;
        world.facts.wanted = Ok(release("43", REVISION));
        world.settle();
        prop_assert_eq!(world.facts.alias.as_ref().map(|alias| alias.version.as_str()), Some("42"));
        prop_assert!(world.memory().history.iter().any(|entry| entry.version == "43"));
    }
}
