//! Jobs as checks around an opening, and as tasks in it. A node runs them.

use std::pin::pin;

use futures::TryStreamExt as _;
use groundcrew::api::{
    maintenance_window::{GateReason, MaintenanceWindow, MaintenanceWindowStatus, Outcome, Phase},
    window_tasks::TaskState,
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        batch::v1::{CronJob, Job},
        rbac::v1::{Role, RoleBinding},
    },
};
use kube::{
    Api, Resource,
    api::{ListParams, Patch, PatchParams, PostParams},
    runtime::{
        WatchStreamExt as _,
        watcher::{Config, watcher},
    },
};
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::harness::{CLUSTER_NAME, Operator, SYSTEM, Scene, once, output, play, play_alone};

/// Applies an object of the scene's namespace.
async fn apply<K>(scene: &Scene<'_>, object: &Value)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Serialize
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    let object: K = serde_json::from_value(object.clone()).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

/// Lets the operator run Jobs in the scene's namespace, as the chart does.
async fn allow_jobs(scene: &Scene<'_>) {
    let mut helm = scene.cluster.tool("helm");
    helm.args(["template", "groundcrew", "charts/groundcrew", "--namespace", SYSTEM])
        .args(["--show-only", "templates/jobs.yaml", "--set"])
        .arg(format!("clusterName={CLUSTER_NAME},jobs.namespaces={{{}}}", scene.namespace));
    let rendered = output(&mut helm).await;
    for document in serde_yaml::Deserializer::from_str(&rendered) {
        let object = Value::deserialize(document).unwrap();
        match object["kind"].as_str() {
            Some("Role") => apply::<Role>(scene, &object).await,
            Some("RoleBinding") => apply::<RoleBinding>(scene, &object).await,
            _ => assert_eq!(object, Value::Null),
        }
    }
}

fn container(script: &str) -> Value {
    json!({"name": "main", "image": "none", "command": ["/bin/sh", "-c", script]})
}

/// Makes a suspended CronJob that does not opt in.
async fn cron_job(scene: &Scene<'_>, script: &str) {
    let pod = json!({"restartPolicy": "Never", "containers": [container(script)]});
    let object = json!({
        "metadata": {"name": "smoke-tests"},
        "spec": {"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        }},
    });
    apply::<CronJob>(scene, &object).await;
}

async fn patch(scene: &Scene<'_>, patch: Value) {
    let api: Api<CronJob> = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    api.patch("smoke-tests", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

async fn opt_in(scene: &Scene<'_>) {
    let annotations = json!({"groundcrew.dev/runnable": "true"});
    patch(scene, json!({"metadata": {"annotations": annotations}})).await;
}

async fn jobs(scene: &Scene<'_>) -> Vec<Job> {
    let api: Api<Job> = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    api.list(&ListParams::default()).await.unwrap().items
}

/// A Job that is there, or comes: one that failed makes room for the next.
async fn a_job(scene: &Scene<'_>) -> Job {
    let api: Api<Job> = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    let mut jobs = pin!(watcher(api, Config::default()).default_backoff().applied_objects());
    jobs.try_next().await.unwrap().expect("a Job")
}

/// Waits until a window is blocked and says this.
async fn blocked(scene: &Scene<'_>, words: &str) -> MaintenanceWindow {
    scene
        .until_window("weekly", words, |status| {
            let told = status.message.as_deref().is_some_and(|message| message.contains(words));
            told && status.phase == Some(Phase::Blocked)
        })
        .await
}

const SMOKE: &str = "smoke";

fn checks() -> Value {
    json!([{"name": SMOKE, "job": {"fromCronJob": "smoke-tests"}}])
}

#[test]
fn a_window_opens_when_its_job_succeeds_and_not_before() {
    play("jobs", async |scene| {
        allow_jobs(scene).await;
        cron_job(scene, "echo begins; echo GET /health: 503; exit 1").await;
        let (mut window, _) = once(1, "24h");
        window["preChecks"] = checks();
        scene.window("weekly", window).await;
        blocked(scene, "CronJob smoke-tests does not allow it: give it the annotation").await;
        assert_eq!(jobs(scene).await.len(), 0);

        opt_in(scene).await;
        let waits = blocked(scene, "its log ends: begins / GET /health: 503").await;
        assert_eq!(
            waits.status.as_ref().unwrap().gate.as_ref().unwrap().reason,
            GateReason::PreChecks
        );
        let job = a_job(scene).await;
        let [owner] = &job.metadata.owner_references.clone().unwrap()[..] else { panic!("one") };
        assert_eq!(Some(&owner.uid), waits.metadata.uid.as_ref());

        let containers = json!([container("echo 12 of 12 passed")]);
        let template = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        patch(scene, json!({"spec": {"jobTemplate": template}})).await;
        let open = scene.until_window_phase("weekly", Phase::Open).await;
        let [check] = &open.status.unwrap().current.unwrap().checks[..] else { panic!("one") };
        assert_eq!(check.name, SMOKE);
        assert!(check.message.ends_with("succeeded; its log ends: 12 of 12 passed"), "{check:?}");
        assert_eq!(jobs(scene).await.len(), 1, "one at a time");
    });
}

#[test]
fn a_post_check_that_fails_is_told_in_the_history() {
    play("jobs-after", async |scene| {
        allow_jobs(scene).await;
        cron_job(scene, "echo orders are stuck; exit 3").await;
        opt_in(scene).await;
        let (mut window, _) = once(1, "2m");
        window["postChecks"] = checks();
        scene.window("weekly", window).await;
        let over = scene
            .until_window("weekly", "a failed post-check", |status| {
                status.history.first().is_some_and(|entry| entry.outcome == Outcome::Failed)
            })
            .await;
        let entry = &over.status.unwrap().history[0];
        assert!(
            entry.message.starts_with("its post-checks do not hold: check smoke: Job smoke-tests-")
        );
        assert!(entry.message.ends_with("its log ends: orders are stuck"), "{}", entry.message);
        assert_eq!(entry.checks.len(), 1);
    });
}

/// A window that is open in a moment, and does this.
fn doing(tasks: Value) -> Value {
    let (mut window, _) = once(0, "20h");
    window["tasks"] = tasks;
    window
}

fn vacuum() -> Value {
    json!({"name": "vacuum", "job": {"fromCronJob": "smoke-tests"}, "timeout": "3h"})
}

fn states(status: &MaintenanceWindowStatus) -> Vec<TaskState> {
    let tasks = status.current.iter().flat_map(|current| &current.tasks);
    tasks.map(|task| task.state).collect()
}

#[test]
fn a_task_runs_its_job_once_whoever_is_restarted() {
    play_alone("jobs-task", async |scene, operators| {
        allow_jobs(scene).await;
        cron_job(scene, "echo 12 tables").await;
        opt_in(scene).await;
        operators.push(Operator::start(scene.cluster, "jobs-task-1", &[]).await);
        scene.until_leader("jobs-task-1").await;
        scene.window("weekly", doing(json!([vacuum()]))).await;
        // At whatever moment of its work this is, the Job is there.
        let job = a_job(scene).await;
        operators[0].kill().await;
        operators.push(Operator::start(scene.cluster, "jobs-task-2", &[]).await);
        let done = scene
            .until_window("weekly", "the end of its task", |status| {
                states(status) == [TaskState::Succeeded]
            })
            .await;
        let task = done.status.unwrap().current.unwrap().tasks.remove(0);
        assert!(task.message.ends_with("succeeded; its log ends: 12 tables"), "{task:?}");
        let uid = job.metadata.uid.unwrap();
        assert!(task.id.unwrap().ends_with(&uid));
        let [only] = &jobs(scene).await[..] else { panic!("one Job") };
        assert_eq!(only.metadata.uid, Some(uid));
        assert_eq!(only.spec.as_ref().unwrap().ttl_seconds_after_finished, Some(86_400));
        scene.until_events("weekly", &["TaskStarted", "TaskSucceeded"]).await;
    });
}

#[test]
fn a_task_waits_for_a_check_and_a_job_that_fails_stops_the_rest() {
    play("jobs-tasks", async |scene| {
        allow_jobs(scene).await;
        cron_job(scene, "echo no space left; exit 1").await;
        opt_in(scene).await;
        let up = json!({"name": "up", "check": {"rds": {"instance": "prod-db"}}, "timeout": "3h"});
        let rest =
            json!({"name": "rest", "check": {"rds": {"instance": "prod-db"}}, "timeout": "1h"});
        scene.window("weekly", doing(json!([up, vacuum(), rest]))).await;
        let waits = scene
            .until_window("weekly", "a look at the database", |status| {
                let tasks = status.current.as_ref().map(|current| &current.tasks);
                let first = tasks.and_then(|tasks| tasks.first());
                first.is_some_and(|task| task.message.contains("DBInstanceNotFound"))
            })
            .await;
        let status = waits.status.unwrap();
        assert_eq!(states(&status), [TaskState::Running, TaskState::Pending, TaskState::Pending]);
        assert_eq!(jobs(scene).await.len(), 0);
        scene.account.database("prod-db").await;
        let done = scene
            .until_window("weekly", "the end of its tasks", |status| {
                let states = states(status);
                !states.is_empty() && states.iter().all(|state| state.ended())
            })
            .await;
        let status = done.status.unwrap();
        assert_eq!(states(&status), [TaskState::Succeeded, TaskState::Failed, TaskState::Skipped]);
        let tasks = status.current.unwrap().tasks;
        assert!(tasks[0].message.contains("available"), "{:?}", tasks[0]);
        let told = &tasks[1].message;
        assert!(told.contains("failed, BackoffLimitExceeded"), "{told}");
        assert!(told.ends_with("; its log ends: no space left"), "{told}");
        assert_eq!(jobs(scene).await.len(), 1, "not run again");
    });
}
