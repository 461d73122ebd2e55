//! Tasks of what is open.

mod begun;
mod beside;
mod checks;
mod ends;
mod jobs;
mod laws;

use crate::{
    api::{
        maintenance_window::{Outcome, Phase},
        window_tasks::TaskState::{self, *},
    },
    facts::rds::PendingMaintenance,
    maintenance_window::{
        tasks::Failure,
        window::Window,
        world::{WEEKLY, World, december},
    },
};

const REBOOT: &str =
    "- {name: reboot, rds: {instance: prod-db, action: RebootIfPending}, timeout: 20m}";
const MAINTAIN: &str =
    "- {name: maintain, rds: {instance: prod-db, action: ApplyPendingMaintenance}, timeout: 20m}";
const DEPLOY: &str = "- {name: deploy, ecs: {cluster: prod, service: web, action: ForceNewDeployment}, timeout: 20m}";
const PATCH: &str = "- {name: patch, ssm: {command: {document: AWS-RunPatchBaseline, targets: [{key: 'tag:role', values: [gpu]}]}}, timeout: 20m}";
const RUNBOOK: &str =
    "- {name: runbook, ssm: {automation: {document: AWS-UpdateLinuxAmi}}, timeout: 20m}";

const JOB: &str = "- {name: vacuum, job: {fromCronJob: vacuum}, timeout: 20m}";
const CHECK: &str =
    "- {name: up, check: {http: {url: 'https://api.example.com/health'}}, timeout: 10m}";

/// Weekly, with these tasks, looked at on the Saturday before.
fn with(tasks: &[&str], more: &str) -> World {
    let mut world =
        World::new(&format!("{WEEKLY}tasks:\n{}\n{more}", tasks.join("\n")), "05T12:00");
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Scheduled), "{:?}", world.told().message);
    world
}

/// Names and states of the tasks of what is open, or was last.
fn states(world: &World) -> Vec<(String, TaskState)> {
    let status = world.told();
    let tasks = match &status.current {
        Some(current) => &current.tasks,
        None => &status.history[0].tasks,
    };
    tasks.iter().map(|task| (task.name.clone(), task.state)).collect()
}

#[track_caller]
fn check(world: &World, expected: &[TaskState]) {
    let states: Vec<TaskState> = states(world).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, expected, "{:?}", world.told());
}

fn message(world: &World, task: &str) -> String {
    let status = world.told();
    let tasks = match &status.current {
        Some(current) => &current.tasks,
        None => &status.history[0].tasks,
    };
    tasks.iter().find(|known| known.name == task).unwrap().message.clone()
}

#[test]
fn tasks_run_in_order_each_once_and_are_told() {
    let mut world = with(&[REBOOT, DEPLOY, PATCH, RUNBOOK], "");
    world.until("06T00:59");
    assert!(world.plant.begun.is_empty() && !world.facts.finalizer);
    world.until("06T01:01");
    check(&world, &[Running, Pending, Pending, Pending]);
    assert!(world.facts.finalizer, "deletion waits for what runs");
    let told = world.told().message.clone().unwrap();
    assert!(
        told.ends_with(
            "; task reboot: prod-db is rebooting; it may take until Sun 6 Dec 2026 02:20 CET"
        ),
        "{told}"
    );
    world.until("06T01:30");
    check(&world, &[Succeeded; 4]);
    assert_eq!(world.plant.begun, ["reboot prod-db", "deploy", "command", "automation"]);
    assert!(!world.facts.finalizer);
    let begun = world.events.iter().filter(|event| **event == "TaskStarted").count();
    let done = world.events.iter().filter(|event| **event == "TaskSucceeded").count();
    assert_eq!((begun, done), (4, 4));
    world.until("06T04:00");
    check(&world, &[Succeeded; 4]);
    assert_eq!(world.history()[0].1, "Completed");
    assert!(
        world.told().history[0].tasks.iter().all(|task| task.id.is_none() && task.intent.is_none())
    );
    assert_eq!(world.plant.begun.len(), 4);
}

#[test]
fn what_is_about_to_begin_is_published_before_it_begins() {
    for (task, call) in [(REBOOT, "reboot prod-db"), (DEPLOY, "deploy"), (PATCH, "command")] {
        let mut world = with(&[task], "");
        world.now = december("06T01:00");
        let first = world.pass();
        assert!(first.task.is_none() && world.plant.begun.is_empty());
        check(&world, &[Running]);
        assert!(world.told().current.as_ref().unwrap().tasks[0].intent.is_some());
        assert!(world.facts.finalizer);
        world.pass();
        assert_eq!(world.plant.begun, [call]);
        assert!(world.told().current.as_ref().unwrap().tasks[0].id.is_some());
    }
    // Without the finalizer nothing begins.
    let mut world = with(&[DEPLOY], "");
    world.now = december("06T01:00");
    world.pass();
    world.facts.finalizer = false;
    world.pass();
    assert!(world.plant.begun.is_empty());
}

#[test]
fn nothing_is_done_where_nothing_waits() {
    let mut world = with(&[REBOOT, MAINTAIN], "");
    world.plant.pending_reboot = false;
    world.until("06T01:02");
    check(&world, &[Succeeded, Succeeded]);
    assert!(world.plant.begun.is_empty());
    assert_eq!(message(&world, "reboot"), "nothing of prod-db waits for a reboot");
    assert_eq!(message(&world, "maintain"), "no maintenance waits for prod-db");
}

#[test]
fn maintenance_is_applied_action_by_action() {
    let mut world = with(&[MAINTAIN], "");
    let pending = |action: &str| PendingMaintenance { action: action.into(), immediate: false };
    world.plant.maintenance = vec![pending("system-update"), pending("os-upgrade")];
    world.until("06T01:01");
    assert_eq!(world.plant.begun, ["apply system-update"]);
    world.until("06T01:30");
    assert_eq!(world.plant.begun, ["apply system-update", "apply os-upgrade"]);
    check(&world, &[Succeeded]);
}

#[test]
fn a_task_waits_for_a_database_that_is_busy() {
    let mut world = with(&[REBOOT], "");
    world.plant.busy = Some(("backing-up", december("06T01:10")));
    world.until("06T01:05");
    check(&world, &[Pending]);
    assert_eq!(message(&world, "reboot"), "prod-db is backing-up");
    world.until("06T01:30");
    check(&world, &[Succeeded]);
}

#[test]
fn a_task_that_fails_stops_the_rest_or_does_not() {
    for (more, expected) in [
        ("}", vec![Failed, Skipped, Skipped]),
        (", onFailure: Continue}", vec![Failed, Failed, Skipped]),
    ] {
        let first = PATCH.replace("timeout: 20m}", &format!("timeout: 20m{more}"));
        let mut world = with(&[&first, DEPLOY, REBOOT], "");
        world.plant.outcome = "Failed";
        world.until("06T02:00");
        check(&world, &expected);
        let told = message(&world, "patch");
        assert_eq!(told, "command command-0 is Failed (details): 1 of 1 nodes, 0 with errors");
        assert!(
            message(&world, "reboot").ends_with("came before it, was Failed, and stops the rest")
        );
        world.until("06T03:00");
        let (_, outcome, message) = &world.history()[0];
        assert_eq!(*outcome, "Failed");
        assert!(
            message.starts_with("its time is over; tasks that did not succeed: patch"),
            "{message}"
        );
        assert!(world.events.contains(&"TaskFailed") && world.events.contains(&"Failed"));
    }
}

#[test]
fn a_task_that_does_not_fit_is_left_out_and_told() {
    let long = DEPLOY.replace("20m", "121m");
    let mut world = with(&[&long, PATCH], "");
    world.until("06T01:05");
    check(&world, &[Skipped, Skipped]);
    assert!(world.plant.begun.is_empty());
    assert_eq!(
        message(&world, "deploy"),
        "it did not fit: it may take 2h 1m, new work was taken until Sun 6 Dec 2026 04:00 CET, and its time ends Sun 6 Dec 2026 04:00 CET"
    );
    assert!(world.events.contains(&"TaskSkipped"));
    world.until("06T03:00");
    let (_, outcome, message) = &world.history()[0];
    assert_eq!(
        (*outcome, message.as_str()),
        ("Completed", "its time is over; tasks that were left out: deploy, patch")
    );
    // One that may be left out lets the next one go on.
    let long = long.replace("121m", "121m, onFailure: Continue");
    let mut world = with(&[&long, PATCH], "");
    world.until("06T01:10");
    check(&world, &[Skipped, Succeeded]);
}

#[test]
fn no_task_begins_after_the_cutoff() {
    let mut world = with(&[REBOOT, DEPLOY], "cutoff: 100m");
    world.plant.busy = Some(("backing-up", december("06T01:25")));
    world.until("06T01:30");
    check(&world, &[Skipped, Skipped]);
}

#[test]
fn a_task_of_a_schedule_runs_only_in_its_time() {
    let spec = "
timeZone: Etc/UTC
schedules:
- {name: early, cron: '0 1 * * SUN', duration: 1h}
- {name: late, cron: '30 1 * * SUN', duration: 2h}
- {name: never, cron: '0 5 1 * *', duration: 1h}
tasks:
";
    let limited = |task: &str, schedule: &str| {
        task.replace("timeout", &format!("schedules: [{schedule}], timeout"))
    };
    let tasks = [
        limited(DEPLOY, "never"),
        limited(PATCH, "late"),
        limited(&REBOOT.replace("20m", "40m"), "early"),
    ];
    let mut world = World::new(&format!("{spec}{}", tasks.join("\n")), "05T12:00");
    world.passes();
    world.until("06T01:20");
    check(&world, &[Pending, Pending]);
    assert!(message(&world, "patch").starts_with("it waits until Sun 6 Dec 2026 01:30"));
    world.until("06T01:50");
    check(&world, &[Succeeded, Skipped]);
    assert!(message(&world, "reboot").starts_with("it did not fit"), "early ends at 02:00");
}

#[test]
fn a_document_that_is_not_allowed_is_said_before_the_opening_and_never_run() {
    let spec = format!("{WEEKLY}tasks:\n{}", PATCH.replace("AWS-RunPatchBaseline", "Own-Script"));
    let parsed = Window::parse(&crate::maintenance_window::world::spec(&spec)).unwrap();
    let world = World::weekly();
    let refused =
        crate::maintenance_window::tasks::check_documents(&parsed.tasks, &world.facts.documents);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "spec.tasks[0].ssm: the document Own-Script is not allowed: whoever runs the operator allows it with --allow-ssm-documents=Own-Script"
    );
    // Also where the operator was restarted with another flag while the window is open.
    let mut world = with(&[PATCH], "");
    world.facts.documents = crate::facts::documents::AllowedDocuments::default();
    world.until("06T01:05");
    check(&world, &[Failed]);
    assert!(world.plant.begun.is_empty());
}

#[test]
fn what_cannot_be_read_is_told_and_tried_again() {
    let mut world = with(&[PATCH], "");
    world.until("06T01:00");
    world.plant.unreadable = Some(Failure::NotDone);
    world.until("06T01:05");
    check(&world, &[Running]);
    assert_eq!(message(&world, "patch"), "it cannot go on: too many calls");
    world.plant.unreadable = None;
    world.until("06T01:10");
    check(&world, &[Succeeded]);
    // What does not exist any more, or before it began.
    let mut world = with(&[PATCH], "");
    world.until("06T01:00");
    world.plant.unreadable = Some(Failure::Gone);
    world.until("06T01:02");
    check(&world, &[Unknown]);
    let mut world = with(&[DEPLOY], "");
    world.plant.unreadable = Some(Failure::Gone);
    world.until("06T01:00");
    check(&world, &[TaskState::Failed]);
    // Never read again: nobody knows how it ended, and it is told to stop.
    let mut world = with(&[PATCH], "");
    world.until("06T01:00");
    world.plant.unreadable = Some(Failure::NotDone);
    world.until("06T01:30");
    check(&world, &[Unknown]);
    assert_eq!(world.plant.cancelled, ["command-0"]);
}

#[test]
fn a_command_that_finds_no_node_failed_and_another_deployment_is_told() {
    let mut world = with(&[PATCH], "");
    world.plant.nodes = 0;
    world.until("06T01:10");
    check(&world, &[Failed]);
    assert_eq!(message(&world, "patch"), "command command-0 found no node: details");
    let mut world = with(&[DEPLOY], "");
    world.until("06T01:01");
    world.plant.deployments.push(("ecs-svc/9".into(), world.now));
    world.until("06T01:10");
    check(&world, &[Failed]);
    assert_eq!(
        message(&world, "deploy"),
        "another deployment took the place of ecs-svc/2: ecs-svc/9"
    );
}

#[test]
fn audit_tells_what_would_be_begun() {
    let world = with(&[PATCH, DEPLOY, JOB, CHECK], "mode: Audit");
    assert_eq!(
        world.told().plan[1..5],
        [
            "Task patch: SendCommand AWS-RunPatchBaseline",
            "Task deploy: UpdateService prod/web with forceNewDeployment",
            "Task vacuum: create a Job of CronJob vacuum",
            "Task up: wait for: https://api.example.com/health answers 200",
        ]
    );
}

#[test]
fn edits_do_not_reach_the_tasks_of_what_is_open() {
    let mut world = with(&[DEPLOY, PATCH], "");
    world.until("06T01:00");
    world.edit(|spec| spec.tasks = None);
    world.until("06T01:30");
    check(&world, &[Succeeded, Succeeded]);
}
