//! Rounds of checks at their time.

use jiff::SignedDuration;

use crate::{
    api::{
        check::CheckVerdict::{Failed, Running},
        duration::Duration,
        maintenance_window::{GateReason, Outcome, Phase},
        window_tasks::TaskState,
    },
    maintenance_window::world::{WEEKLY, World},
};

/// A Routine with these checks, from the Saturday before on.
fn world(more: &str) -> World {
    let mut world = World::new(&format!("{WEEKLY}purpose: Routine\n{more}"), "05T12:00");
    world.passes();
    world
}

const PRE: &str = "preChecks: [{name: api, http: {url: 'https://a.com/'}}]\n";
const POST: &str = "postChecks: [{name: table, dynamodb: {table: orders}}]\n";

fn ready(world: &World) -> (bool, String) {
    let conditions = &world.told().conditions;
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready").unwrap();
    (ready.status == "True", ready.reason.clone())
}

#[test]
fn a_round_checks_at_its_time_and_ends_and_its_gate_never_opens() {
    let mut world = world(&format!("{PRE}{POST}"));
    world.until("06T00:59");
    assert!(world.rounds.is_empty());
    world.now = crate::maintenance_window::world::december("06T01:00");
    for _ in 0..8 {
        world.pass();
        let gate = world.told().gate.clone().unwrap();
        assert!(!gate.open && gate.closes.is_none(), "{gate:?}");
        assert_eq!(gate.reason, GateReason::Closed);
    }
    assert_eq!(world.rounds, ["BeforeOpening api", "AfterClose table"]);
    let history = world.history();
    let (id, outcome, message) = &history[0];
    assert_eq!((id.as_str(), *outcome), ("weekly-20261206T0100Z", "Completed"));
    assert_eq!(message, "its round is over");
    assert_eq!(world.told().history[0].checks.len(), 2);
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    assert_eq!(ready(&world), (true, "Scheduled".into()));
}

#[test]
fn a_failed_check_is_a_failed_round_until_the_next_one() {
    for (more, why) in [
        (PRE, "its pre-checks do not hold: check api: answers 503"),
        (POST, "its post-checks do not hold: check table: answers 503"),
    ] {
        let mut world = world(more);
        let down = (Failed, "answers 503");
        world.checks = [("api", down), ("table", down)].into();
        world.until("06T01:05");
        assert_eq!(world.history()[0].1, "Failed");
        assert_eq!(world.history()[0].2, why);
        assert_eq!(world.rounds.len(), 1, "{:?}", world.rounds);
        assert_eq!(ready(&world), (false, "RoundFailed".into()));
        let message = world.told().message.clone().unwrap();
        assert!(message.starts_with(&format!("its last round failed: {why}; opens ")), "{message}");
        assert!(world.events.contains(&"ChecksFailed"), "{:?}", world.events);
        world.checks.clear();
        world.until("13T01:05");
        assert_eq!(world.history()[0].1, "Completed");
        assert_eq!(ready(&world), (true, "Scheduled".into()));
    }
}

#[test]
fn one_that_proceeds_goes_on_and_fails_in_the_end() {
    let mut world = world(&format!("{PRE}{POST}onPreCheckFailure: Proceed\n"));
    world.checks.insert("api", (Running, "it is being looked at"));
    world.at("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T01:05");
    assert_eq!(world.rounds.last().map(String::as_str), Some("AfterClose table"));
    assert_eq!(world.history()[0].1, "Failed");
    assert_eq!(world.history()[0].2, "its pre-checks did not hold: check api: answers 503");
}

#[test]
fn a_check_that_never_answers_ends_with_the_time_of_the_round() {
    let mut world = world(PRE);
    world.checks.insert("api", (Running, "it is being looked at"));
    world.until("06T02:59");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    world.until("06T03:01");
    let (_, outcome, message) = world.history()[0].clone();
    assert_eq!((outcome, message.as_str()), ("Failed", "its pre-checks did not end in time"));
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    assert_eq!(ready(&world), (false, "RoundFailed".into()));
    let mut world = self::world(&format!("{PRE}onPreCheckFailure: Proceed\n"));
    world.checks.insert("api", (Running, "it is being looked at"));
    world.until("06T03:01");
    let (_, outcome, message) = world.history()[0].clone();
    assert_eq!((outcome, message.as_str()), ("Failed", "its pre-checks did not end in time"));
}

const JOB: &str = "job: {fromCronJob: reboot}";
const REBOOT: &str =
    "tasks: [{name: reboot, rds: {instance: prod-db, action: RebootIfPending}, timeout: 20m}]\n";

#[test]
fn a_round_of_tasks_ends_when_none_is_left_and_is_verified_then() {
    let mut world = world(&format!("{REBOOT}{POST}"));
    world.until("06T01:01");
    assert_eq!(world.plant.begun, ["reboot prod-db"]);
    assert!(world.history().is_empty(), "it runs still");
    assert!(!world.told().gate.as_ref().unwrap().open);
    world.until("06T01:30");
    let (_, outcome, message) = world.history()[0].clone();
    assert_eq!((outcome, message.as_str()), ("Completed", "its round is over"));
    assert_eq!(world.told().history[0].tasks[0].state, TaskState::Succeeded);
    assert_eq!(world.rounds, ["AfterClose table"]);
    assert_eq!(world.plant.begun.len(), 1);
}

#[test]
fn pre_checks_that_do_not_hold_keep_the_tasks_of_a_round_from_beginning() {
    let mut world = world(&format!("{PRE}{REBOOT}"));
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T02:00");
    assert!(world.plant.begun.is_empty());
    assert_eq!(world.history()[0].1, "Failed");
    assert_eq!(ready(&world), (false, "RoundFailed".into()));
}

#[test]
fn a_task_that_overruns_pushes_the_end_of_a_round() {
    // A round of two hours.
    let long = REBOOT.replace("20m", "110m");
    let mut world = world(&format!("{long}extend: {{max: 1h}}\n"));
    world.plant.takes = SignedDuration::from_mins(125);
    world.until("06T03:10");
    let entry = &world.told().history[0];
    assert_eq!((entry.outcome, entry.message.as_str()), (Outcome::Completed, "its round is over"));
    assert_eq!(entry.extended_by, Some(Duration::from_secs(15 * 60)));
    assert_eq!(entry.tasks[0].state, TaskState::Succeeded);
}

#[test]
fn a_round_that_does_not_take_place_mends_nothing() {
    let mut world = world(PRE);
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T01:05");
    assert_eq!(ready(&world), (false, "RoundFailed".into()));
    world.ask("skip@weekly-20261213T0100Z");
    assert_eq!((world.history()[0].1, ready(&world)), ("Cancelled", (false, "RoundFailed".into())));
    // The operator is away from the start of a round to its end.
    world.until("19T12:00");
    world.at("20T03:30");
    assert_eq!((world.history()[0].1, ready(&world)), ("Missed", (false, "RoundFailed".into())));
    world.checks.clear();
    world.until("27T01:05");
    assert_eq!(ready(&world), (true, "Scheduled".into()));
}

#[test]
fn a_failed_task_is_a_failed_round() {
    let mut world =
        world(&REBOOT.replace("rds: {instance: prod-db, action: RebootIfPending}", JOB));
    world.plant.outcome = "Failed";
    world.until("06T01:30");
    let (_, outcome, message) = world.history()[0].clone();
    assert_eq!(outcome, "Failed");
    assert_eq!(message, "its round is over; tasks that did not succeed: reboot");
    assert_eq!(ready(&world), (false, "RoundFailed".into()));
    let message = world.told().message.clone().unwrap();
    assert!(message.starts_with("its last round failed: its round is over; tasks"), "{message}");
    world.plant.outcome = "Success";
    world.until("13T01:30");
    assert_eq!((world.history()[0].1, ready(&world)), ("Completed", (true, "Scheduled".into())));
}
