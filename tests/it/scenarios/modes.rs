//! How much the operator may do.

use groundcrew::api::canary_rollout::{CanaryRollout, Outcome, Phase, Severity};
use serde_json::json;

use crate::harness::{condition, play, spec};

#[test]
fn in_audit_nothing_is_written_and_the_plan_is_what_is_done_once_it_is_enforced() {
    play("audit", async |scene| {
        scene.account.released(2).await;
        let mut audited = spec("2", json!([{"weight": 10}]));
        audited["mode"] = json!("Audit");
        scene.release(audited).await;
        let planned = scene.until("a plan", |_, status| !status.plan.is_empty()).await;
        let status = planned.status.as_ref().unwrap();
        assert_eq!(status.phase, Some(Phase::Pending));
        assert_eq!(condition(&planned, "Ready").unwrap().reason, "Audit");
        let told = "audit: would release version 2 in place of 1 in 1 step; see status.plan; set spec.mode to Enforce to start";
        assert_eq!(status.message.as_deref(), Some(told));
        let plan = [
            "UpdateAlias processor:live to version 1 with 2 at 10%",
            "10%: holds for 0s",
            "UpdateAlias processor:live to version 2 alone",
        ];
        assert_eq!(status.plan, plan);
        scene.let_it_look().await;
        assert_eq!(scene.writes().await.len(), 0);
        scene.until_events("processor", &["Audit"]).await;

        scene.patch(json!({"spec": {"mode": "Enforce"}})).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert!(healthy.status.unwrap().plan.is_empty());
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn in_audit_a_canary_in_flight_stays_and_can_still_be_aborted() {
    play("audit-in-flight", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;
        scene.patch(json!({"spec": {"mode": "Audit"}})).await;
        let stays = scene.until("a plan", |_, status| !status.plan.is_empty()).await;
        let status = stays.status.unwrap();
        assert_eq!(status.plan, ["UpdateAlias processor:live to version 2 alone"]);
        let refused = scene.answer(&format!("promote@{revision}/0")).await;
        let reason = refused.status.unwrap().last_action.unwrap().message;
        assert_eq!(reason, "the rollout is in Audit; set spec.mode to Enforce first");
        scene.verb(&format!("abort@{revision}"), "it").await;
        scene
            .until("the end", |_, status| {
                status.history.first().is_some_and(|ended| ended.outcome == Outcome::Aborted)
            })
            .await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
    });
}

#[test]
fn enforced_an_alias_is_put_back_until_it_was_moved_too_often() {
    play("enforced", async |scene| {
        scene.account.released(3).await;
        let mut enforced = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        enforced["onConflict"] = json!("Enforce");
        scene.release(enforced).await;
        scene.until_weight(10).await;
        for times in 1..=3 {
            scene.account.move_alias("3", &[]).await;
            scene
                .until(&format!("it was put back {times} times"), |_, status| {
                    let entered =
                        status.step.as_ref().is_some_and(|step| step.entered_at.is_some());
                    status.put_backs.len() == times && status.conflict.is_none() && entered
                })
                .await;
        }
        scene.account.move_alias("3", &[]).await;
        let conflict = scene.until_phase(Phase::Conflict).await;
        let message = conflict.status.unwrap().message.unwrap();
        assert!(message.contains("it was put back 3 times within an hour and moved"), "{message}");
        let away_and_back = ["3", "1 + 2:0.1"].repeat(3);
        let routes = [&["1", "1 + 2:0.1"], away_and_back.as_slice(), &["3"]].concat();
        assert_eq!(scene.account.routes().await, routes);
        scene.until_events("processor", &["PutBack", "Conflict"]).await;
    });
}

#[test]
fn adopted_what_somebody_else_did_ends_the_release_and_stays() {
    play("adopted", async |scene| {
        scene.account.released(3).await;
        let mut adopting = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        adopting["onConflict"] = json!("Adopt");
        scene.release(adopting).await;
        let (_, revision) = scene.until_weight(10).await;
        scene.account.move_alias("3", &[]).await;
        let aborted = scene.until_phase(Phase::Aborted).await;
        let status = aborted.status.as_ref().unwrap();
        let ended = &status.history[0];
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Aborted, "AliasMoved"));
        assert_eq!(status.stable.as_ref().unwrap().version, "3");
        scene.let_it_look().await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "3"]);
        scene.until_events("processor", &["Adopted", "Aborted"]).await;

        scene.verb(&format!("retry@{revision}"), "it").await;
        scene.until_weight(10).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "3", "3 + 2:0.1"]);
    });
}

#[test]
fn what_speaks_against_a_release_is_told_at_once_and_looked_at_again() {
    play("preflight", async |scene| {
        scene.account.released(1).await;
        scene.account.change_role("other").await;
        scene.account.publish(2).await;
        let mut judged = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        judged["analysis"] = json!({"alarms": {"names": ["complaints", "errors"]}});
        scene.release(judged).await;
        let invalid = scene.until_phase(Phase::Invalid).await;
        assert_eq!(condition(&invalid, "Stalled").unwrap().reason, "PreflightFailed");
        let status = invalid.status.unwrap();
        let message = status.message.unwrap();
        for words in ["3 reasons", "no alarm complaints", "no alarm errors", "execution roles"] {
            assert!(message.contains(words), "{message}");
        }
        let reasons: Vec<_> = status.preflight.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons, ["AlarmNotFound", "AlarmNotFound", "RoleMismatch"]);
        assert_eq!(scene.writes().await.len(), 0);

        scene.account.alarm("complaints").await;
        scene.account.alarm("errors").await;
        scene.patch(json!({"spec": {"steps": null, "preset": "AllAtOnce"}})).await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.account.routes().await, ["1", "2"]);
    });
}

#[test]
fn a_version_that_lambda_cannot_run_is_told_and_left() {
    play("stable-failed", async |scene| {
        scene.account.released(2).await;
        let reason = "The image was deleted";
        let failed = json!({
            "version": "1", "state": "Failed", "code": "ImageDeleted", "reason": reason,
        });
        scene.account.state("*", "set", failed).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        let [told] = scene.get().await.status.unwrap().preflight.try_into().unwrap();
        assert_eq!((told.severity, told.reason.as_str()), (Severity::Warning, "StableCannotRun"));
        let words = "version 1, which alias live serves, is Failed in Lambda: ImageDeleted: The image was deleted; ";
        assert!(told.message.starts_with(words), "{}", told.message);
        scene.until_events("processor", &["Preflight"]).await;
    });
}

#[test]
fn a_release_waits_until_codedeploy_has_left_the_alias_alone() {
    play("codedeploy", async |scene| {
        scene.account.released(2).await;
        let id = scene.account.deploy().await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let held = |rollout: &CanaryRollout| {
            condition(rollout, "Ready").is_some_and(|ready| ready.reason == "CodeDeployInProgress")
        };
        let waiting = scene.until("the deployment holds it up", |rollout, _| held(rollout)).await;
        let status = waiting.status.unwrap();
        assert_eq!(status.phase, Some(Phase::Pending));
        let message = status.message.unwrap();
        let whose = format!("deployment {id} of CodeDeploy (application shop, deployment group");
        for words in [whose.as_str(), "moves alias live now", "aws deploy stop-deployment"] {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(scene.writes().await.len(), 0);

        scene.account.stop_deployment(&id).await;
        scene.until_weight(10).await;
        let [told] = scene.get().await.status.unwrap().preflight.try_into().unwrap();
        assert_eq!(
            (told.severity, told.reason.as_str()),
            (Severity::Warning, "ManagedByCodeDeploy")
        );
        assert!(told.message.contains(&whose), "{}", told.message);
        scene.until_events("processor", &["Preflight"]).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);
    });
}

#[test]
fn codedeploy_that_may_not_be_read_is_asked_once_and_holds_nothing_up() {
    play("codedeploy-denied", async |scene| {
        scene.account.released(2).await;
        scene.account.deploy().await;
        let denied = json!({"error": {"code": "AccessDeniedException", "status": 400}});
        scene.account.fault("ListDeployments", denied, 0).await;
        let mut judged = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        judged["analysis"] = json!({"alarms": {"names": ["complaints"]}});
        scene.release(judged).await;
        // It is looked at again and again, and CodeDeploy is not.
        let of = |operation: &str| format!("operation={operation}");
        scene.account.until_called(&scene.namespace, &of("DescribeAlarms"), 4).await;
        let asked = scene.account.calls(&scene.namespace, "service=codedeploy").await;
        assert_eq!(asked.len(), 1, "{asked:?}");

        scene.account.alarm("complaints").await;
        scene.until_weight(10).await;
        assert_eq!(scene.get().await.status.unwrap().preflight, []);
    });
}
