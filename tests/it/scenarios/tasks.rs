//! Tasks of windows, from the manifest to the calls that reach AWS.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindowStatus, Outcome, Phase},
    window_tasks::TaskState::{self, Cancelled, Failed, Skipped, Succeeded},
};
use serde_json::{Value, json};

use crate::harness::{once, play};

fn reboot() -> Value {
    let rds = json!({"instance": "prod-db", "action": "RebootIfPending"});
    json!({"name": "reboot", "rds": rds, "timeout": "40m"})
}

fn redeploy() -> Value {
    let ecs = json!({"cluster": "prod", "service": "web", "action": "ForceNewDeployment"});
    json!({"name": "redeploy", "ecs": ecs, "timeout": "40m"})
}

fn patch(document: &str) -> Value {
    let targets = json!([{"key": "tag:role", "values": ["gpu"]}]);
    let command = json!({"document": document, "targets": targets});
    json!({"name": "patch", "ssm": {"command": command}, "timeout": "40m"})
}

/// A window that is open in a moment, and does this.
fn doing(tasks: Value) -> Value {
    let (mut window, _) = once(0, "6h");
    window["tasks"] = tasks;
    window
}

/// The states of the tasks of what is open, or was last.
fn states(status: &MaintenanceWindowStatus) -> Vec<TaskState> {
    let current = status.current.as_ref().map(|current| &current.tasks);
    let last = status.history.first().map(|entry| &entry.tasks);
    let tasks = current.filter(|tasks| !tasks.is_empty()).or(last);
    tasks.into_iter().flatten().map(|task| task.state).collect()
}

fn ended(status: &MaintenanceWindowStatus) -> bool {
    let states = states(status);
    !states.is_empty() && states.iter().all(|state| state.ended())
}

#[test]
fn a_database_is_rebooted_a_service_deployed_and_a_document_run_each_once() {
    play("tasks", async |scene| {
        scene.account.database("prod-db").await;
        let upkeep = json!({"instance": "prod-db", "pendingReboot": true});
        scene.account.task_control("rds/upkeep", upkeep).await;
        scene
            .account
            .task_control("ecs/service", json!({"cluster": "prod", "service": "web"}))
            .await;
        scene.account.task_control("ssm/document", json!({"document": "patch", "nodes": 3})).await;
        let long = json!({"name": "long", "rds": reboot()["rds"], "timeout": "7h"});
        let tasks = json!([reboot(), redeploy(), patch("patch"), long]);
        scene.window("weekly", doing(tasks)).await;
        let done = scene.until_window("weekly", "the end of its tasks", ended).await;
        let status = done.status.unwrap();
        assert_eq!(states(&status), [Succeeded, Succeeded, Succeeded, Skipped]);
        let current = status.current.unwrap();
        assert!(current.tasks[3].message.starts_with("it did not fit: it may take 7h"));
        assert!(current.tasks[2].message.contains("3 of 3 nodes"), "{:?}", current.tasks[2]);
        let reasons = ["TaskStarted", "TaskSucceeded", "TaskSkipped"];
        scene.until_events("weekly", &reasons).await;
        let calls = scene.account.calls(&scene.namespace, "write=true").await;
        let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(calls, ["RebootDBInstance", "UpdateService", "SendCommand"]);
        scene.answer_of_window("weekly", &format!("close@{}", current.id)).await;
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| !status.history.is_empty())
            .await;
        let status = closed.status.unwrap();
        assert_eq!(status.history[0].outcome, Outcome::Completed);
        assert_eq!(states(&status), [Succeeded, Succeeded, Succeeded, Skipped]);
    });
}

#[test]
fn a_task_that_fails_stops_the_rest_and_what_runs_is_cancelled_at_an_early_close() {
    play("tasks-failing", async |scene| {
        let failing = json!({"cluster": "prod", "service": "web", "outcome": "FAILED"});
        scene.account.task_control("ecs/service", failing).await;
        scene.window("weekly", doing(json!([redeploy(), patch("AWS-RunPatchBaseline")]))).await;
        let done = scene.until_window("weekly", "the end of its tasks", ended).await;
        let status = done.status.unwrap();
        assert_eq!(states(&status), [Failed, Skipped]);
        let current = status.current.unwrap();
        let told = &current.tasks[0].message;
        assert!(told.contains("circuit breaker"), "{told}");
        let stuck = json!({"document": "AWS-RunPatchBaseline", "outcome": "STUCK"});
        scene.account.task_control("ssm/document", stuck).await;
        scene.window("other", doing(json!([patch("AWS-RunPatchBaseline")]))).await;
        let runs = scene
            .until_window("other", "its command", |status| {
                let current = status.current.as_ref();
                current.is_some_and(|current| current.tasks.iter().any(|task| task.id.is_some()))
            })
            .await;
        let id = runs.status.unwrap().current.unwrap().id;
        scene.answer_of_window("other", &format!("close@{id}")).await;
        let closed = scene
            .until_window("other", "the log of the opening", |status| !status.history.is_empty())
            .await;
        let status = closed.status.unwrap();
        assert_eq!(
            (states(&status), status.history[0].outcome),
            (vec![Cancelled], Outcome::Failed)
        );
        let calls = scene.account.calls(&scene.namespace, "write=true").await;
        let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(calls, ["UpdateService", "SendCommand", "CancelCommand"]);
    });
}

#[test]
fn a_document_that_the_operator_does_not_allow_is_told_before_the_opening() {
    play("tasks-refused", async |scene| {
        let (mut window, _) = once(600, "6h");
        window["tasks"] = json!([patch("Own-Script")]);
        scene.window("weekly", window).await;
        let told = scene.until_window_phase("weekly", Phase::Invalid).await;
        let status = told.status.unwrap();
        let message = status.message.unwrap();
        assert!(message.contains("--allow-ssm-documents=Own-Script"), "{message}");
        let ready = status.conditions.iter().find(|one| one.type_ == "Ready").unwrap();
        assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "Invalid"));
    });
}
