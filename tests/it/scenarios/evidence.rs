//! Releases that are judged by their metrics.

use groundcrew::api::{
    analysis::Verdict,
    canary_rollout::{CanaryRollout, CanaryRolloutStatus, HistoryEntry, Outcome, Phase},
};
use serde_json::{Value, json};

use crate::harness::{Scene, condition, play, spec};

/// Version 2 by one step of this form, judged by one metric.
fn judged(step: Value, metric: Value) -> Value {
    let mut judged = spec("2", json!([step]));
    judged["analysis"] = json!({"metrics": [metric]});
    judged
}

/// At most 5 % of the invocations fail.
fn errors() -> Value {
    json!({"name": "errors", "builtin": "ErrorRate", "max": "5%"})
}

/// Traffic of which this share fails, per version.
fn failing(stable: f64, canary: f64) -> Value {
    json!({"1": {"errorRate": stable}, "2": {"errorRate": canary}})
}

fn status(rollout: &CanaryRollout) -> &CanaryRolloutStatus {
    rollout.status.as_ref().unwrap()
}

fn message(rollout: &CanaryRollout) -> &str {
    status(rollout).message.as_deref().unwrap()
}

/// Waits until the rollout says on what it acts or waits.
async fn until_told(scene: &Scene<'_>, phase: Phase, words: &str) -> CanaryRollout {
    let what = format!("{phase:?}: …{words}…");
    let told = scene.until(&what, |_, status| {
        let message = status.message.as_deref().unwrap_or_default();
        status.phase == Some(phase) && message.contains(words)
    });
    told.await
}

/// Waits until the release was rolled back, and checks that it happened in one write.
async fn rolled_back(scene: &Scene<'_>, routes: &[&str]) -> HistoryEntry {
    let back = scene.until_phase(Phase::RolledBack).await;
    assert_eq!(scene.account.routes().await, routes);
    assert_eq!(scene.account.alias().await.unwrap().description, "live traffic");
    let ended = status(&back).history[0].clone();
    assert_eq!(ended.outcome, Outcome::RolledBack);
    ended
}

const THERE_AND_BACK: [&str; 3] = ["1", "1 + 2:0.2", "1"];

#[test]
fn errors_bring_the_alias_back_in_one_write_and_the_release_is_not_tried_again() {
    play("errors", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.01, 0.3)).await;
        scene.release(judged(json!({"weight": 20, "hold": "24h"}), errors())).await;
        let back = scene.until("numbers", |_, status| {
            let message = status.message.as_deref().unwrap_or_default();
            status.phase == Some(Phase::RolledBack) && message.starts_with("errors: ")
        });
        let back = back.await;
        let numbers = message(&back);
        assert!(numbers.ends_with(" samples; the limit is 5%"), "{numbers}");
        let value: f64 = numbers["errors: ".len()..].split('%').next().unwrap().parse().unwrap();
        assert!((20.0..40.0).contains(&value), "{numbers}");
        let ended = rolled_back(scene, &THERE_AND_BACK).await;
        assert_eq!((ended.version.as_str(), ended.reason.as_str()), ("2", "ErrorRate"));
        assert_eq!(ended.message, numbers);
        scene.until_events("processor", &["RollingBack", "RolledBack"]).await;

        until_told(scene, Phase::RolledBack, "try again with the verb retry@").await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
        let rollout = scene.get().await;
        assert_eq!(condition(&rollout, "Ready").unwrap().status, "False");
        assert_eq!(condition(&rollout, "Stalled").unwrap().status, "True");
    });
}

#[test]
fn good_evidence_promotes_and_the_verdict_can_be_read() {
    play("good-evidence", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.01, 0.01)).await;
        scene.release(judged(json!({"weight": 20, "hold": "10m"}), errors())).await;
        let passing = scene.until("a verdict", |_, status| {
            status.analysis.first().is_some_and(|entry| entry.verdict == Verdict::Passing)
        });
        let passing = passing.await;
        assert_eq!(condition(&passing, "AnalysisPassing").unwrap().status, "True");
        let get = ["get", "canaryrollout", "processor", "-n", &scene.namespace, "-o"];
        let path = "jsonpath={.status.analysis[0].name} {.status.analysis[0].limit}";
        assert_eq!(scene.cluster.kubectl(&[&get[..], &[path]].concat()).await, "errors 5%");

        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(status(&healthy).history[0].outcome, Outcome::Promoted);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.2", "2"]);
    });
}

#[test]
fn slow_answers_bring_the_alias_back() {
    play("slow", async |scene| {
        scene.account.released(2).await;
        let answers = |p95| json!({"durationMs": {"mean": 80, "p95": p95}});
        scene.account.traffic(1_000, json!({"1": answers(120), "2": answers(400)})).await;
        let metric = json!({"name": "p95", "builtin": "DurationP95", "max": "180ms"});
        scene.release(judged(json!({"weight": 20, "hold": "24h"}), metric)).await;
        let back = until_told(scene, Phase::RolledBack, "the limit is 180ms").await;
        assert!(message(&back).starts_with("p95: "), "{}", message(&back));
        assert_eq!(rolled_back(scene, &THERE_AND_BACK).await.reason, "DurationP95");
    });
}

#[test]
fn more_errors_than_the_stable_version_bring_the_alias_back() {
    play("ratio", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.1, 0.5)).await;
        let metric =
            json!({"name": "errors", "builtin": "ErrorRate", "vsStable": {"maxRatio": "2"}});
        scene.release(judged(json!({"weight": 20, "hold": "24h"}), metric)).await;
        let back = until_told(scene, Phase::RolledBack, "the limit is 2 times stable").await;
        assert!(message(&back).contains("; stable "), "{}", message(&back));
        assert_eq!(rolled_back(scene, &THERE_AND_BACK).await.reason, "ErrorRate");
    });
}

#[test]
fn without_traffic_a_release_waits_for_data_and_then_fails() {
    play("no-traffic", async |scene| {
        scene.account.released(2).await;
        let step = json!({"weight": 20, "hold": "4m", "maxWait": "12m"});
        scene.release(judged(step, errors())).await;
        let waiting = until_told(scene, Phase::WaitingData, "errors: no data; waits until").await;
        let passing = condition(&waiting, "AnalysisPassing").unwrap();
        assert_eq!((passing.status.as_str(), passing.reason.as_str()), ("False", "NoData"));
        let back = until_told(scene, Phase::RolledBack, "no evidence in time").await;
        assert_eq!(message(&back), "no evidence in time: errors: no data");
        assert_eq!(rolled_back(scene, &THERE_AND_BACK).await.reason, "NoData");
        scene.until_events("processor", &["RollingBack"]).await;
    });
}

#[test]
fn a_step_lasts_until_enough_invocations_were_seen() {
    play("invocations", async |scene| {
        scene.account.released(2).await;
        // 20 of them a minute: the hold alone would end before they are enough.
        scene.account.traffic(100, failing(0.0, 0.0)).await;
        let step = json!({"weight": 20, "hold": "1m", "minInvocations": 100, "maxWait": "24h"});
        scene.release(judged(step, errors())).await;
        until_told(scene, Phase::WaitingData, " of 100 invocations").await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.2", "2"]);
    });
}

#[test]
fn a_release_that_fails_while_it_bakes_goes_back_from_everybody() {
    play("bake", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.0, 0.0)).await;
        let mut baking = judged(json!({"weight": 20, "hold": "1m"}), errors());
        baking["bake"] = json!("24h");
        scene.release(baking).await;
        let baking = scene.until_phase(Phase::Baking).await;
        assert!(baking.metadata.finalizers.is_some());
        assert_eq!(scene.account.alias().await.unwrap().version, "2");

        scene.account.traffic(1_000, failing(0.0, 0.5)).await;
        until_told(scene, Phase::RolledBack, "the limit is 5%").await;
        let ended = rolled_back(scene, &["1", "1 + 2:0.2", "2", "1"]).await;
        assert_eq!(ended.reason, "ErrorRate");
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 3]);
    });
}

#[test]
fn a_release_that_bakes_well_is_promoted() {
    play("baked", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.0, 0.0)).await;
        let mut baking = judged(json!({"weight": 20, "hold": "1m"}), errors());
        baking["bake"] = json!("6m");
        scene.release(baking).await;
        scene.until_phase(Phase::Baking).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(status(&healthy).history[0].outcome, Outcome::Promoted);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.2", "2"]);
    });
}

#[test]
fn a_failure_that_is_held_waits_for_a_person() {
    play("held", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.0, 0.5)).await;
        let mut holding = judged(json!({"weight": 20, "hold": "24h"}), errors());
        holding["onFailure"] = json!("Hold");
        scene.release(holding).await;
        let held = scene.until_phase(Phase::Held).await;
        let revision = status(&held).revision.as_deref().unwrap();
        let told = message(&held);
        assert!(told.starts_with("failed and held at 20%: errors: "), "{told}");
        assert!(told.contains(&format!("abort@{revision}")), "{told}");
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);

        scene.verb(&format!("abort@{revision}"), "it").await;
        let aborted = scene.until_phase(Phase::Aborted).await;
        let ended = &status(&aborted).history[0];
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Aborted, "AbortedByUser"));
        assert_eq!(scene.account.routes().await, THERE_AND_BACK);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
    });
}

#[test]
fn without_leave_to_read_metrics_nothing_is_promoted_until_there_is() {
    play("metrics-denied", async |scene| {
        scene.account.released(2).await;
        scene.account.traffic(1_000, failing(0.0, 0.0)).await;
        let denied = json!({"error": {
            "code": "AccessDenied",
            "message": "is not authorized to perform: cloudwatch:GetMetricData",
            "status": 403,
        }});
        let fault = scene.account.fault("GetMetricData", denied, 0).await;
        let step = json!({"weight": 20, "hold": "5m", "maxWait": "24h"});
        scene.release(judged(step, errors())).await;
        let waiting = until_told(scene, Phase::WaitingData, "the metrics cannot be read: ").await;
        let told = message(&waiting);
        assert!(told.contains("not authorized to perform: cloudwatch:GetMetricData"), "{told}");
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);

        scene.account.heal(fault).await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.2", "2"]);
    });
}
