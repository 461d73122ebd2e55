//! Tasks that take too long, and windows that close before they end.

use jiff::SignedDuration;

use super::*;
use crate::facts::kubernetes::Deletion;

const SUNDAY: &str = "weekly-20261206T0100Z";

#[test]
fn what_takes_too_long_is_cancelled_where_aws_can() {
    for (task, state, words) in [
        (PATCH, Cancelled, "it did not end within 20m, and was cancelled"),
        (RUNBOOK, Cancelled, "it did not end within 20m, and was cancelled"),
        (
            JOB,
            Cancelled,
            "it did not end within 20m, and its Job was deleted; its pods are told to end; its log ends: half of it",
        ),
        (
            DEPLOY,
            Failed,
            "it did not end within 20m: ecs-svc/2: 2 of 2 tasks run; AWS goes on with it",
        ),
        (REBOOT, Failed, "it did not end within 20m: prod-db is rebooting; AWS goes on with it"),
    ] {
        let mut world = with(&[task], "");
        world.plant.takes = SignedDuration::from_hours(9);
        world.until("06T01:19");
        check(&world, &[Running]);
        world.until("06T01:22");
        check(&world, &[state]);
        let name = states(&world)[0].0.clone();
        assert!(message(&world, &name).starts_with(words), "{}", message(&world, &name));
        assert_eq!(world.plant.cancelled.len(), usize::from(state == Cancelled));
    }
}

#[test]
fn what_cannot_be_cancelled_is_said_to_go_on() {
    let mut world = with(&[PATCH], "");
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T01:10");
    world.plant.failing = Some((Failure::Refused, false));
    world.until("06T01:22");
    check(&world, &[Failed]);
    assert!(
        message(&world, "patch")
            .ends_with("could not be cancelled: no permission; it goes on in AWS")
    );
}

#[test]
fn what_cannot_be_looked_at_when_the_window_closes_is_told_to_stop() {
    for task in [PATCH, RUNBOOK, JOB] {
        for failure in [Failure::NotDone, Failure::Unsure, Failure::Refused] {
            let mut world = with(&[task], "");
            world.plant.takes = SignedDuration::from_hours(9);
            world.until("06T01:05");
            world.plant.unreadable = Some(failure);
            let mut helpless = world.clone();
            helpless.plant.failing = Some((Failure::Refused, false));
            for (world, words) in [
                (&mut world, "it was told to stop"),
                (&mut helpless, "nor could it be cancelled: no permission; it may go on"),
            ] {
                world.ask(&format!("close@{SUNDAY}"));
                check(world, &[Unknown]);
                let name = states(world)[0].0.clone();
                let said = message(world, &name);
                assert!(said.contains("cannot be asked how it ended: "), "{said}");
                assert!(said.ends_with(words), "{said}");
            }
            assert_eq!(world.plant.cancelled.len(), 1, "{task} {failure:?}");
        }
    }
}

#[test]
fn an_overrun_pushes_the_close_as_far_as_extend_allows() {
    let long = PATCH.replace("20m", "110m");
    let mut world = with(&[&long], "extend: {max: 40m}");
    world.plant.takes = SignedDuration::from_hours(9);
    let closes = |world: &World| world.told().current.as_ref().map(|current| current.closes_at.0);
    world.until("06T02:56");
    assert_eq!(closes(&world), Some(december("06T03:00")));
    check(&world, &[Running]);
    assert!(
        message(&world, "patch")
            .contains("it takes longer than 1h 50m, and is given up Sun 6 Dec 2026 04:30")
    );
    world.until("06T02:58");
    assert_eq!(closes(&world), Some(december("06T03:15")));
    world.until("06T03:13");
    // 110m and 40m: not further than the task is waited for.
    assert_eq!(closes(&world), Some(december("06T03:30")));
    world.until("06T03:29");
    assert_eq!(closes(&world), Some(december("06T03:30")));
    world.until("06T03:31");
    check(&world, &[Cancelled]);
    assert_eq!(world.told().history[0].outcome, Outcome::Failed);
    // What ends in the meantime leaves it at that.
    let mut world = with(&[&long], "extend: {max: 40m}");
    world.plant.takes = SignedDuration::from_mins(121);
    world.until("06T04:00");
    check(&world, &[Succeeded]);
    assert_eq!(world.told().history[0].closed_at.as_ref().unwrap().0, december("06T03:15"));
}

#[test]
fn what_runs_is_cancelled_when_the_window_closes_early() {
    for (how, outcome) in [("close", "Failed"), ("suspend", "Cancelled"), ("delete", "Cancelled")] {
        let mut world = with(&[PATCH, DEPLOY], "");
        world.plant.takes = SignedDuration::from_hours(9);
        world.until("06T01:05");
        match how {
            "close" => {
                world.ask(&format!("close@{SUNDAY}"));
            }
            "suspend" => world.edit(|spec| spec.suspend = Some(true)),
            _ => world.facts.deletion = Deletion::Undo,
        }
        world.passes();
        check(&world, &[Cancelled, Skipped]);
        assert_eq!(world.plant.cancelled, ["command-0"], "{how}");
        assert_eq!(world.history()[0].1, outcome, "{how}");
        assert!(!world.facts.finalizer);
    }
}

#[test]
fn what_is_let_go_without_undoing_is_named() {
    let mut world = with(&[PATCH], "");
    world.until("06T01:01");
    world.facts.deletion = Deletion::Abandon;
    let plan = world.pass();
    assert_eq!(plan.notes[0].message, "let go without cancelling the task patch");
    assert!(world.plant.cancelled.is_empty() && !world.facts.finalizer);
}

#[test]
fn the_last_look_counts_when_the_window_closes() {
    let mut world = with(&[PATCH], "");
    world.until("06T01:01");
    world.now = december("06T01:40");
    world.ask(&format!("close@{SUNDAY}"));
    world.passes();
    check(&world, &[Succeeded]);
    assert!(world.plant.cancelled.is_empty());
}
