use super::*;
use crate::canary_rollout::world::{REVISION, World, ended, k8s_time, stored, time, weight};

/// Recalls a status that was damaged in one way.
fn damaged(damage: impl FnOnce(&mut CanaryRolloutStatus)) -> Memory {
    let mut status = World::flying(0, Some("01:44:00")).status;
    status.history = vec![ended("b07d3e", "42", Outcome::Promoted, "StepsCompleted")];
    damage(&mut status);
    Memory::recall(Some(&stored(&status)))
}

#[test]
fn what_was_published_is_recalled() {
    let memory = damaged(|_| {});
    assert_eq!(memory.revision.as_deref(), Some(REVISION));
    assert_eq!(memory.stable.as_deref(), Some("42"));
    assert_eq!(memory.canary.unwrap().started_at, time("01:43:00"));
    let flight = memory.flight.unwrap();
    assert_eq!((flight.index, flight.entered_at), (0, Some(time("01:44:00"))));
    assert_eq!(Memory::recall(None), Memory::default());
}

#[test]
fn a_status_that_makes_no_sense_is_forgotten_but_its_history_is_not() {
    let damages: [fn(&mut CanaryRolloutStatus); 8] = [
        |status| status.revision = None,
        |status| status.stable = None,
        |status| status.canary = None,
        |status| status.canary.as_mut().unwrap().version = "42".into(),
        |status| status.step.as_mut().unwrap().index = -1,
        |status| status.step.as_mut().unwrap().index = 4,
        |status| status.steps = vec![weight(50, "0s"), weight(10, "0s")],
        |status| status.steps = vec![crate::api::canary_rollout::Step::default()],
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        let memory = damaged(damage);
        assert_eq!(memory.history.len(), 1, "damage {index}");
        assert_eq!(Memory { history: Vec::new(), ..memory }, Memory::default(), "{index}");
    }
}

#[test]
fn a_pause_belongs_to_a_flight() {
    let paused = damaged(|status| status.paused_at = Some(k8s_time("01:45:00")));
    assert_eq!(paused.paused_at, Some(time("01:45:00")));
    let mut status = World::concluded(Outcome::Promoted, "x").status;
    status.paused_at = Some(k8s_time("01:45:00"));
    assert_eq!(Memory::recall(Some(&status)).paused_at, None);
}

#[test]
fn a_revision_is_concluded_when_the_newest_entry_is_about_it_and_nothing_flies() {
    let memory = World::concluded(Outcome::Aborted, "AbortedByUser").memory();
    assert_eq!(memory.concluded().map(|entry| entry.outcome), Some(Outcome::Aborted));
    let other = Memory { revision: Some("b07d3e".into()), ..memory.clone() };
    assert_eq!(other.concluded(), None);
    let flying = Memory { flight: World::flying(0, None).memory().flight, ..memory };
    assert_eq!(flying.concluded(), None);
}

#[test]
fn the_history_keeps_the_newest_ten() {
    let mut memory = Memory::default();
    for version in 1..=12 {
        let version = version.to_string();
        memory.remember(ended("b07d3e", &version, Outcome::Promoted, "StepsCompleted"));
    }
    let kept: Vec<_> = memory.history.iter().map(|entry| entry.version.as_str()).collect();
    assert_eq!(kept, ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"]);
}

#[test]
fn releases_that_failed_push_none_out_of_the_history_that_was_served() {
    let mut memory = Memory::default();
    memory.remember(ended("r1", "1", Outcome::Promoted, "StepsCompleted"));
    memory.remember(ended("r2", "2", Outcome::Initialized, "AlreadyServed"));
    for version in 3..=14 {
        let version = version.to_string();
        memory.remember(ended("b07d3e", &version, Outcome::RolledBack, "ErrorRate"));
    }
    let kept: Vec<_> = memory.history.iter().map(|entry| entry.version.as_str()).collect();
    assert_eq!(kept, ["14", "13", "12", "11", "10", "9", "8", "7", "6", "5", "2", "1"]);
    let lately: Vec<_> = memory.served_lately(1).map(|entry| entry.version.as_str()).collect();
    assert_eq!(lately, ["1"]);
}

#[test]
fn a_version_failed_when_no_release_of_it_was_ever_served() {
    let mut memory = Memory::default();
    let outcomes = [
        ("1", Outcome::Promoted),
        ("1", Outcome::Aborted),
        ("2", Outcome::RolledBack),
        ("3", Outcome::Superseded),
        ("4", Outcome::Initialized),
    ];
    for (version, outcome) in outcomes {
        memory.remember(ended("b07d3e", version, outcome, "x"));
    }
    assert_eq!(memory.failed().into_iter().collect::<Vec<_>>(), ["2", "3"]);
}

#[test]
fn what_is_not_in_flight_cannot_end() {
    let mut memory = Memory::default();
    memory.end(Outcome::Aborted, "AbortedByUser", "aborted".into());
    assert_eq!(memory, Memory::default());
}

#[test]
fn a_flight_was_left_at_the_weight_of_the_last_step_that_was_entered() {
    let weight = |index, entered| World::flying(index, entered).memory().flight.unwrap().weight();
    let now = Some("01:44:00");
    assert_eq!([0, 1, 2, 3].map(|index| weight(index, None)), [0, 10, 10, 50]);
    assert_eq!([0, 1, 2].map(|index| weight(index, now)), [10, 10, 50]);
}
