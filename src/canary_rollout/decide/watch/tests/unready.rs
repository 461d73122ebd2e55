//! The watch over what is in flight beside a newer release that cannot be released yet.

use super::*;
use crate::{
    canary_rollout::{
        decide::{Unready, release::Draft},
        rollout::{Release, Settings, Source as ReleaseSource, Steps},
        world::{function, unusable},
    },
    facts::lambda::{FunctionVersion, LastUpdate},
};

/// A newer release that cannot be released yet, in each of the two ways.
fn unready() -> [Result<Wanted, Unready>; 2] {
    let release =
        Release { source: ReleaseSource::Latest, code_sha256: None, settings: Settings::default() };
    let draft = Draft { revision: "rev9".into(), release, steps: Steps::default() };
    [
        Err(unusable(false, "VersionNotFound", "no version 9")),
        Err(Unready::Unpublished(Box::new(draft))),
    ]
}

/// A flight beside a newer release that is not ready, and what is told of it.
fn beside(wanted: Result<Wanted, Unready>, analysis: &Analysis) -> World {
    let mut world = World::new(&[step(10, 3_600)], analysis);
    world.traffic = (100.0, 0.0);
    world.run(5);
    world.facts.wanted = wanted;
    // Lambda is busy with it.
    world.facts.latest = Some(FunctionVersion {
        last_update: LastUpdate::InProgress,
        ..function("$LATEST", "sha-of-latest")
    });
    world.run(5);
    world
}

#[test]
fn a_new_release_that_is_not_ready_does_not_stop_the_watch_over_the_one_in_flight() {
    let told = [
        (Phase::Invalid, "no version 9; version 2 stays at 10%"),
        (
            Phase::Publishing,
            "waits for Lambda to finish the update of $LATEST of api; version 2 stays at 10%",
        ),
    ];
    for ((phase, message), wanted) in told.into_iter().zip(unready()) {
        let mut world = beside(wanted, &judged_by_errors("5%"));
        world.check(phase, message);
        world.traffic = (100.0, 50.0);
        world.run(5);
        assert_eq!(world.memory.history[0].outcome, Outcome::RolledBack);
    }
}

#[test]
fn failures_are_counted_also_beside_a_new_release_that_is_not_ready() {
    for wanted in unready() {
        let mut world = beside(wanted, &judged_by_errors("5%"));
        world.terms().criteria.metrics[0].failure_limit = 2;
        let counted = world.memory.flight.as_ref().unwrap().invocations;
        world.traffic = (100.0, 50.0);
        world.run(2);
        let flight = world.memory.flight.as_ref().unwrap();
        assert!(flight.analysis[0].failures > 0 && flight.invocations > counted, "{flight:?}");
        world.run(3);
        assert_eq!(world.memory.history[0].outcome, Outcome::RolledBack);
        assert_eq!(world.weight(), 0.0);
    }
}

#[test]
fn an_ignored_alarm_that_was_ok_counts_also_beside_a_new_release_that_is_not_ready() {
    for wanted in unready() {
        let mut world = World::new(&[step(10, 3_600)], &judged_by_alarm(AlreadyFiring::Ignore));
        world.alarm_report().firing = vec!["red".into()];
        world.run(5);
        assert_eq!(world.memory.ignored_alarms, ["red"]);
        world.facts.wanted = wanted;
        world.facts.latest = Some(function("$LATEST", "sha-of-latest"));
        world.facts.latest.as_mut().unwrap().last_update = LastUpdate::InProgress;
        world.alarm_report().firing.clear();
        world.run(1);
        assert_eq!(world.memory.ignored_alarms, [] as [&str; 0]);
        world.alarm_report().firing = vec!["red".into()];
        world.run(1);
        assert_eq!(world.memory.history[0].reason, "AlarmFiring");
    }
}
