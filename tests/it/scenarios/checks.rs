//! Checks of databases and of a server on this machine, which the operator is allowed to ask.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use axum::{Router, http::StatusCode, routing::get};
use groundcrew::api::{
    canary_rollout::{CanaryRollout, CanaryRolloutStatus, Outcome, Phase},
    check::{CheckStage, CheckVerdict},
};
use serde_json::{Value, json};

use crate::harness::{Scene, condition, play, spec};

/// A server that answers `/health` with this status.
async fn server(status: u16) -> (String, Arc<AtomicU16>) {
    let answers = Arc::new(AtomicU16::new(status));
    let current = Arc::clone(&answers);
    let answer = move || {
        let status = StatusCode::from_u16(current.load(Ordering::Relaxed)).unwrap();
        async move { (status, "all is well") }
    };
    let router = Router::new().route("/health", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, answers)
}

fn checks(url: &str) -> Value {
    json!([
        {"name": "table", "dynamodb": {"table": "topology"}},
        {"name": "database", "rds": {"instance": "prod-db"}},
        {"name": "api", "http": {"url": url, "bodyContains": "well"}},
    ])
}

fn message(rollout: &CanaryRollout) -> &str {
    rollout.status.as_ref().unwrap().message.as_deref().unwrap()
}

/// Waits until the rollout is held up for this reason.
async fn held(scene: &Scene<'_>, why: &str) -> CanaryRollout {
    let reason = |rollout: &CanaryRollout| {
        condition(rollout, "Ready").is_some_and(|ready| ready.reason == why)
    };
    scene.until(why, |rollout, _| reason(rollout)).await
}

#[test]
fn checks_that_fail_are_told_with_the_alarm_that_is_missing_and_what_invokes_waits() {
    play("checks-beside", async |scene| {
        scene.account.released(2).await;
        scene.account.answers("$LATEST", 200).await;
        let (url, answers) = server(503).await;
        let mut rollout = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        let invoking = json!({"name": "invoked", "lambda": {"function": "processor", "invoke": {"expectStatus": 200}}});
        rollout["checks"] = json!([{"name": "api", "http": {"url": url}}, invoking]);
        rollout["analysis"] = json!({"alarms": {"names": ["complaints"]}});
        scene.release(rollout).await;
        let held = held(scene, "PreflightFailed").await;
        let told = message(&held);
        assert!(told.starts_with("version 2 cannot start for 2 reasons: there is no"), "{told}");
        assert!(told.ends_with(&format!("check api: {url} answers 503, not 200")), "{told}");
        let status = held.status.unwrap();
        let reasons: Vec<_> = status.preflight.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons, ["AlarmNotFound", "ChecksFailed"]);
        let invoked =
            async || scene.account.calls(&scene.namespace, "operation=Invoke").await.len();
        assert_eq!(invoked().await, 0);

        scene.account.alarm("complaints").await;
        answers.store(200, Ordering::Relaxed);
        scene.until_weight(10).await;
        assert!(invoked().await > 0);
    });
}

#[test]
fn nothing_starts_until_table_database_and_server_are_well() {
    play("checks", async |scene| {
        scene.account.released(2).await;
        let (url, answers) = server(503).await;
        let mut rollout = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        rollout["checks"] = checks(&url);
        scene.release(rollout).await;
        let held = held(scene, "ChecksFailed").await;
        let told = message(&held);
        assert!(told.contains("check table: dynamodb:DescribeTable of table topology"), "{told}");
        assert!(told.contains("check database: rds:DescribeDBInstances of instance"), "{told}");
        assert!(told.contains(&format!("check api: {url} answers 503, not 200")), "{told}");
        assert_eq!(scene.writes().await.len(), 0);

        scene.account.table("topology").await;
        scene.account.database("prod-db").await;
        answers.store(200, Ordering::Relaxed);
        scene.until_weight(10).await;
        let checks = scene.get().await.status.unwrap().checks;
        let verdicts: Vec<_> = checks.iter().map(|check| (check.stage, check.verdict)).collect();
        assert_eq!(verdicts, [(CheckStage::BeforeStart, CheckVerdict::Passed); 3]);
        assert!(checks[0].message.contains("table topology is ACTIVE"), "{checks:?}");
    });
}

#[test]
fn a_server_that_fails_at_100_takes_the_release_back_and_is_looked_at_once_more() {
    play("post-checks", async |scene| {
        scene.account.released(2).await;
        let (url, _answers) = server(500).await;
        let mut rollout = spec("2", json!([{"weight": 10}]));
        rollout["postChecks"] = json!([{"name": "api", "http": {"url": url}}]);
        scene.release(rollout).await;
        let reported = |status: &CanaryRolloutStatus| {
            status.checks.iter().any(|check| check.stage == CheckStage::AfterRollback)
        };
        let back = scene.until("a report", |_, status| reported(status)).await;
        let status = back.status.as_ref().unwrap();
        assert_eq!(status.phase, Some(Phase::RolledBack));
        let ended = &status.history[0];
        let expected = (Outcome::RolledBack, "PostCheckFailed");
        assert_eq!((ended.outcome, ended.reason.as_str()), expected);
        assert_eq!(ended.message, format!("check api: {url} answers 500, not 200"));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2", "1"]);
    });
}

#[test]
fn a_host_that_nobody_allowed_is_not_asked() {
    play("checks-forbidden", async |scene| {
        scene.account.released(2).await;
        let mut rollout = spec("2", json!([{"weight": 10}]));
        let url = "https://169.254.169.254/latest/meta-data/";
        rollout["checks"] = json!([{"name": "metadata", "http": {"url": url}}]);
        scene.release(rollout).await;
        let held = held(scene, "ChecksUnreadable").await;
        let told = message(&held);
        assert!(told.contains("is not asked: its address 169.254.169.254 is link-local"), "{told}");
        assert_eq!(scene.writes().await.len(), 0);
    });
}
