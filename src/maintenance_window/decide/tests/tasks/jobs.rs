//! Tasks that run a Job.

use jiff::SignedDuration;

use super::*;
use crate::maintenance_window::world::plant::Sent;

#[test]
fn a_job_runs_once_and_its_last_lines_are_told() {
    let mut world = with(&[JOB, CHECK], "");
    world.until("06T01:01");
    check(&world, &[Running, Pending]);
    assert!(world.facts.finalizer, "deletion waits for what runs");
    assert_eq!(
        message(&world, "vacuum"),
        "Job vacuum-1 runs; its pod waits: ImagePullBackOff; it may take until Sun 6 Dec 2026 02:20 CET"
    );
    world.until("06T01:10");
    check(&world, &[Succeeded, Succeeded]);
    assert_eq!(message(&world, "vacuum"), "Job vacuum-1 succeeded; its log ends: 12 tables");
    world.until("06T04:00");
    assert_eq!(world.history()[0].1, "Completed");
    assert_eq!(world.plant.begun, ["job"]);
    assert!(world.plant.cancelled.is_empty() && world.plant.job.is_some(), "its end is kept");
    // The next opening has a Job of its own.
    world.until("13T01:10");
    check(&world, &[Succeeded, Succeeded]);
    assert_eq!(world.plant.begun, ["job", "job"]);
}

#[test]
fn a_job_that_fails_is_told_with_its_last_lines_and_not_run_again() {
    let mut world = with(&[JOB, DEPLOY], "");
    world.plant.outcome = "Failed";
    world.until("06T02:00");
    check(&world, &[Failed, Skipped]);
    assert_eq!(
        message(&world, "vacuum"),
        "Job vacuum-1 failed, BackoffLimitExceeded; its log ends: no space left"
    );
    world.until("06T04:00");
    assert_eq!((world.plant.begun.len(), world.history()[0].1), (1, "Failed"));
}

#[test]
fn a_job_that_was_deleted_or_replaced_is_unknown_and_not_run_again() {
    for replaced in [false, true] {
        let mut world = with(&[JOB], "");
        world.until("06T01:01");
        check(&world, &[Running]);
        let old = world.plant.job.clone().unwrap();
        world.plant.delete_job();
        world.plant.job = replaced.then(|| Sent { id: "other".into(), ..old });
        world.until("06T01:30");
        check(&world, &[Unknown]);
        assert_eq!(
            message(&world, "vacuum"),
            "Job vacuum-1/job-0 was deleted before its end was seen: look what it did; it is not run again"
        );
        world.until("06T04:00");
        assert_eq!(world.plant.begun, ["job"]);
        assert!(world.plant.cancelled.is_empty(), "the other one is left alone");
    }
}

#[test]
fn a_job_that_was_not_answered_is_made_once() {
    for applied in [true, false] {
        let mut world = with(&[JOB], "");
        world.plant.failing = Some((Failure::Unsure, applied));
        world.until("06T01:01");
        check(&world, &[Running]);
        world.plant.failing = None;
        world.until("06T01:30");
        check(&world, &[Succeeded]);
        assert_eq!(world.plant.begun, ["job"]);
    }
    // After ten minutes nobody tries any more.
    let mut world = with(&[JOB], "");
    world.plant.failing = Some((Failure::Unsure, false));
    world.until("06T01:12");
    check(&world, &[Unknown]);
    assert!(message(&world, "vacuum").contains("Kubernetes shows no trace of it"));
    assert!(world.plant.begun.is_empty());
}

#[test]
fn a_job_that_may_not_be_made_or_read_fails_at_once() {
    let mut world = with(&[JOB, DEPLOY], "");
    world.plant.failing = Some((Failure::Refused, false));
    world.until("06T01:00");
    check(&world, &[Failed, Skipped]);
    assert_eq!(message(&world, "vacuum"), "no permission");
    let mut world = with(&[JOB], "");
    world.plant.unreadable = Some(Failure::Refused);
    world.until("06T01:00");
    check(&world, &[Failed]);
    assert!(world.plant.begun.is_empty());
}

#[test]
fn kubernetes_lets_a_job_run_as_long_as_it_is_waited_for() {
    let mut world = with(&[JOB], "extend: {max: 30m}");
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T01:10");
    assert_eq!(world.plant.at_most, Some(SignedDuration::from_mins(50)));
    world.until("06T01:49");
    check(&world, &[Running]);
    world.until("06T01:51");
    check(&world, &[Cancelled]);
    assert_eq!(world.plant.cancelled, ["vacuum-1/job-0"]);
}

#[test]
fn a_job_is_found_again_where_the_status_was_lost() {
    let mut world = with(&[JOB], "");
    world.plant.takes = SignedDuration::from_mins(10);
    world.until("06T01:01");
    world.status = None;
    world.facts.intents.clear();
    world.until("06T01:05");
    check(&world, &[Running]);
    world.until("06T01:30");
    check(&world, &[Succeeded]);
    assert_eq!(world.plant.begun, ["job"]);
}
