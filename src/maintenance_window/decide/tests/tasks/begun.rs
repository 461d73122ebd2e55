//! Whether a task was begun, when nobody saw it.

use jiff::SignedDuration;

use super::*;
use crate::maintenance_window::world::Crash;

#[test]
fn an_operator_that_was_away_begins_nothing_again() {
    for (task, call) in [
        (REBOOT, "reboot prod-db"),
        (DEPLOY, "deploy"),
        (PATCH, "command"),
        (RUNBOOK, "automation"),
        (JOB, "job"),
    ] {
        // Cut off right after the call: a trace is found, and followed.
        let mut world = with(&[task], "");
        world.crash = Some(Crash::AfterCall);
        world.until("06T01:30");
        check(&world, &[Succeeded]);
        assert_eq!(world.plant.begun, [call]);
    }
    for task in [REBOOT, DEPLOY, PATCH] {
        // Cut off before it: nobody knows that it was before.
        let mut world = with(&[task, MAINTAIN], "");
        world.crash = Some(Crash::BeforeCall);
        world.until("06T01:09");
        check(&world, &[Running, Pending]);
        world.until("06T01:12");
        check(&world, &[Unknown, Skipped]);
        assert!(world.plant.begun.is_empty());
        assert!(world.events.contains(&"TaskUnknown"));
        world.until("06T04:00");
        assert_eq!(world.told().history[0].outcome, Outcome::Failed);
        assert!(world.plant.begun.is_empty());
    }
    // A token makes that sure, and so does the name of a Job.
    for (task, call) in [(RUNBOOK, "automation"), (JOB, "job")] {
        for crash in [Crash::BeforeCall, Crash::Published] {
            let mut world = with(&[task], "");
            world.crash = Some(crash);
            world.until("06T01:30");
            check(&world, &[Succeeded]);
            assert_eq!(world.plant.begun, [call]);
        }
    }
}

#[test]
fn what_is_listed_late_is_found_late_and_not_sent_again() {
    let mut world = with(&[PATCH], "");
    world.plant.lag = SignedDuration::from_mins(2);
    world.plant.takes = SignedDuration::from_mins(10);
    world.crash = Some(Crash::AfterCall);
    world.until("06T01:01");
    check(&world, &[Running]);
    assert!(message(&world, "patch").ends_with("looking whether it did"));
    world.until("06T01:30");
    check(&world, &[Succeeded]);
    assert_eq!(world.plant.begun, ["command"]);
}

#[test]
fn a_call_that_was_not_answered_is_looked_for_and_not_made_again() {
    for (applied, state) in [(true, Succeeded), (false, Unknown)] {
        let mut world = with(&[DEPLOY], "");
        world.plant.failing = Some((Failure::Unsure, applied));
        world.until("06T01:01");
        world.plant.failing = None;
        world.until("06T01:30");
        check(&world, &[state]);
        assert_eq!(world.plant.begun.len(), usize::from(applied));
    }
}

#[test]
fn a_call_that_was_not_carried_out_is_made_again_and_one_that_is_refused_is_not() {
    let mut world = with(&[DEPLOY], "");
    world.plant.failing = Some((Failure::NotDone, false));
    world.until("06T01:00");
    check(&world, &[Running]);
    world.plant.failing = None;
    world.until("06T01:30");
    check(&world, &[Succeeded]);
    assert_eq!(world.plant.begun, ["deploy"]);
    // Not for ever: after ten minutes it is too late.
    let mut world = with(&[DEPLOY], "");
    world.plant.failing = Some((Failure::NotDone, false));
    world.until("06T01:12");
    check(&world, &[Failed]);
    assert_eq!(message(&world, "deploy"), "it could not be begun in time, and was not");
    let mut world = with(&[DEPLOY], "");
    world.plant.failing = Some((Failure::Refused, false));
    world.until("06T01:05");
    check(&world, &[Failed]);
    assert_eq!(message(&world, "deploy"), "no permission");
}

#[test]
fn what_was_begun_and_is_not_shown_yet_is_waited_for() {
    for (task, name) in [(DEPLOY, "deploy"), (RUNBOOK, "runbook")] {
        let mut world = with(&[task], "");
        world.plant.lag = SignedDuration::from_secs(20);
        world.until("06T01:00");
        check(&world, &[Running]);
        let words = message(&world, name);
        assert!(words.contains("not listed yet") || words.contains("there is none"), "{words}");
        world.until("06T01:10");
        check(&world, &[Succeeded]);
        assert_eq!(world.plant.begun.len(), 1);
    }
}

#[test]
fn a_deployment_that_another_one_replaced_has_failed() {
    let mut world = with(&[DEPLOY], "");
    world.plant.takes = SignedDuration::from_mins(10);
    world.until("06T01:01");
    world.plant.deployments.push(("ecs-svc/9".into(), world.now));
    world.until("06T01:02");
    check(&world, &[Failed]);
    let words = message(&world, "deploy");
    assert_eq!(words, "another deployment took the place of ecs-svc/2: ecs-svc/9");
}
