//! Provisioned concurrency on the alias, which Lambda moves with it.

use groundcrew::api::canary_rollout::{Phase, Severity};
use serde_json::json;

use crate::harness::{play, spec};

#[test]
fn a_promotion_waits_for_provisioned_concurrency() {
    play("provisioned", async |scene| {
        scene.account.released(2).await;
        scene.account.provision().await;
        scene
            .account
            .state("provisioned", "release", json!({"version": "live", "now": true}))
            .await;
        scene.account.state("provisioned", "hold", json!({"version": "live"})).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        let waiting = scene
            .until("a promotion that waits", |_, status| {
                let message = status.message.as_deref().unwrap_or_default();
                message
                    .starts_with("version 2 is promoted once its provisioned concurrency is there")
            })
            .await;
        assert_eq!(waiting.status.unwrap().phase, Some(Phase::Promoting));
        let alias = scene.account.alias().await.unwrap();
        assert_eq!((alias.version.as_str(), alias.weights["1"]), ("2", 1.0), "by Lambda itself");
        scene
            .account
            .state("provisioned", "release", json!({"version": "live", "now": true}))
            .await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.account.alias().await.unwrap().weights, [].into());
    });
}

#[test]
fn provisioned_concurrency_that_fails_takes_the_release_back() {
    play("provisioned-fails", async |scene| {
        scene.account.released(2).await;
        scene.account.provision().await;
        scene
            .account
            .state("provisioned", "release", json!({"version": "live", "now": true}))
            .await;
        let failure = json!({"version": "live", "reason": "FUNCTION_ERROR_INIT_FAILURE"});
        scene.account.state("provisioned", "fail", failure).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        let back = scene.until_phase(Phase::RolledBack).await.status.unwrap();
        assert_eq!(back.history[0].reason, "ProvisionedConcurrencyFailed");
        let alias = scene.account.alias().await.unwrap();
        assert_eq!((alias.version.as_str(), alias.weights.len()), ("1", 0));
    });
}

#[test]
fn an_alias_that_auto_scaling_scales_is_told() {
    play("scaled", async |scene| {
        scene.account.released(2).await;
        scene.account.provision().await;
        scene.account.scale(1, 10).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        let [told] = scene.get().await.status.unwrap().preflight.try_into().unwrap();
        assert_eq!(
            (told.severity, told.reason.as_str()),
            (Severity::Warning, "ManagedByAutoScaling")
        );
        assert!(
            told.message.contains("between 1 and 10, and cannot change it"),
            "{}",
            told.message
        );
        scene.until_events("processor", &["Preflight"]).await;
    });
}

#[test]
fn scaling_that_may_not_be_read_is_asked_for_once_and_holds_nothing_up() {
    play("scaled-denied", async |scene| {
        scene.account.released(2).await;
        scene.account.scale(1, 10).await;
        let denied = json!({"error": {"code": "AccessDeniedException", "status": 400}});
        scene.account.fault("DescribeScalableTargets", denied, 0).await;
        let mut judged = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        judged["analysis"] = json!({"alarms": {"names": ["complaints"]}});
        scene.release(judged).await;
        scene.account.until_called(&scene.namespace, "operation=DescribeAlarms", 3).await;
        let query = "service=application-autoscaling";
        let asked = scene.account.calls(&scene.namespace, query).await;
        assert_eq!(asked.len(), 1, "{asked:?}");

        scene.account.alarm("complaints").await;
        scene.until_weight(10).await;
        assert_eq!(scene.get().await.status.unwrap().preflight, []);
    });
}
