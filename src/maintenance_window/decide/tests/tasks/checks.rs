//! Tasks that wait for a check.

use jiff::SignedDuration;

use super::*;
use crate::{api::check::CheckVerdict, maintenance_window::world::Crash, plan::Revisit};

const DOWN: (CheckVerdict, &str) = (CheckVerdict::Failed, "it answered 503");

fn looks(world: &World) -> usize {
    world.rounds.iter().filter(|round| *round == "task up").count()
}

#[test]
fn a_check_is_looked_at_until_it_holds() {
    let mut world = with(&[CHECK, DEPLOY], "");
    world.checks.insert("up", DOWN);
    world.until("06T01:00");
    check(&world, &[Running, Pending]);
    assert_eq!(
        message(&world, "up"),
        "it answered 503; it has to hold by Sun 6 Dec 2026 02:10 CET"
    );
    let first = looks(&world);
    let plan = world.later(15);
    assert_eq!(plan.revisit, Revisit::At(december("06T01:00") + SignedDuration::from_secs(30)));
    check(&world, &[Running, Pending]);
    world.checks.insert("up", (CheckVerdict::Passed, "it answered 200 within 12 ms"));
    world.later(15);
    check(&world, &[Succeeded, Running]);
    assert_eq!(message(&world, "up"), "it answered 200 within 12 ms");
    assert_eq!(looks(&world), first + 2);
    let told = |reason| world.events.iter().filter(|event| **event == reason).count();
    assert_eq!((told("TaskStarted"), told("TaskSucceeded")), (2, 1));
}

#[test]
fn a_check_that_never_holds_fails_at_its_timeout_with_its_last_words() {
    for verdict in [CheckVerdict::Failed, CheckVerdict::Unreadable] {
        // No extension is given to it, and none is taken.
        let mut world = with(&[CHECK, DEPLOY], "extend: {max: 1h}");
        world.checks.insert("up", (verdict, "it is down"));
        world.until("06T01:09");
        check(&world, &[Running, Pending]);
        world.checks.insert("up", (verdict, "it answered 503 (request 11112222-3333)"));
        world.until("06T01:10");
        check(&world, &[Failed, Skipped]);
        assert_eq!(message(&world, "up"), "it did not hold within 10m: it answered 503");
        world.until("06T04:00");
        let last = &world.told().history[0];
        assert_eq!((last.outcome, last.extended_by), (Outcome::Failed, None));
        assert!(world.plant.begun.is_empty());
    }
}

#[test]
fn a_check_that_has_not_answered_keeps_its_last_words() {
    let mut world = with(&[CHECK], "");
    world.checks.insert("up", (CheckVerdict::Running, "it is being looked at"));
    world.until("06T01:00");
    let words = "wait for: https://api.example.com/health answers 200";
    assert!(message(&world, "up").starts_with(words), "{}", message(&world, "up"));
    world.checks.insert("up", DOWN);
    world.later(15);
    world.checks.insert("up", (CheckVerdict::Running, "it is being looked at"));
    world.later(15);
    assert!(message(&world, "up").starts_with("it answered 503; it has to hold by "));
    world.until("06T01:10");
    check(&world, &[Failed]);
    assert_eq!(message(&world, "up"), "it did not hold within 10m: it answered 503");
}

#[test]
fn a_check_is_waited_for_from_its_start_also_by_an_operator_that_was_restarted() {
    let mut world = with(&[CHECK], "");
    world.checks.insert("up", DOWN);
    world.until("06T01:05");
    world.crash = Some(Crash::Published);
    world.until("06T01:09");
    check(&world, &[Running]);
    world.until("06T01:10");
    check(&world, &[Failed]);
}

#[test]
fn a_check_that_is_waited_for_is_left_when_the_window_closes() {
    for deleted in [false, true] {
        let mut world = with(&[CHECK, DEPLOY], "");
        world.checks.insert("up", DOWN);
        world.until("06T01:05");
        assert!(!world.facts.finalizer, "there is nothing to undo");
        if deleted {
            world.delete();
            world.passes();
        } else {
            world.ask("close@weekly-20261206T0100Z");
        }
        check(&world, &[Cancelled, Skipped]);
        let told = message(&world, "up");
        assert!(told.starts_with("it did not hold before the window closed ("), "{told}");
        assert!(told.ends_with("): it answered 503"), "{told}");
    }
    // A last look counts.
    let mut world = with(&[CHECK], "");
    world.checks.insert("up", DOWN);
    world.until("06T01:05");
    world.checks.remove("up");
    world.ask("close@weekly-20261206T0100Z");
    check(&world, &[Succeeded]);
}

#[test]
fn a_check_starts_only_if_its_timeout_fits_and_may_let_others_go_on() {
    let mut world = with(&[&CHECK.replace("10m", "121m"), DEPLOY], "");
    world.until("06T01:05");
    check(&world, &[Skipped, Skipped]);
    assert_eq!(looks(&world), 0);
    let mut world = with(&[&CHECK.replace("10m", "10m, onFailure: Continue"), JOB], "");
    world.checks.insert("up", DOWN);
    world.until("06T01:20");
    check(&world, &[Failed, Succeeded]);
}

#[test]
fn a_check_or_a_job_that_cannot_work_is_told_with_its_field() {
    let told = |task: &str| {
        let spec = format!("{WEEKLY}tasks:\n- {{name: up, timeout: 10m, {task}}}");
        let parsed = Window::parse(&crate::maintenance_window::world::spec(&spec));
        parsed.unwrap_err().to_string()
    };
    let which = "a task has exactly one of job, check, rds, ecs, ssm.command and ssm.automation";
    let rds = "rds: {instance: db, action: RebootIfPending}";
    for (task, expected) in [
        ("job: {fromCronJob: A}", "spec.tasks[0].job.fromCronJob: write the name of a CronJob"),
        (
            "check: {timeout: 6m, http: {url: 'https://a.com/'}}",
            "spec.tasks[0].check.timeout: write 1s to 5m",
        ),
        (&format!("job: {{fromCronJob: a}}, {rds}"), &format!("spec.tasks[0]: {which}")),
        (
            &format!("check: {{http: {{url: 'https://a.com/'}}}}, {rds}"),
            &format!("spec.tasks[0]: {which}"),
        ),
        (
            "job: {fromCronJob: a}, check: {http: {url: 'https://a.com/'}}",
            &format!("spec.tasks[0]: {which}"),
        ),
    ] {
        assert_eq!(told(task), expected);
    }
    let none = told("check: {}");
    assert!(none.starts_with("spec.tasks[0].check: write a check of exactly one of"), "{none}");
}
