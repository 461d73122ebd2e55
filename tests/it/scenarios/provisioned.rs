//! Provisioned concurrency on the alias, which Lambda moves with it.

use groundcrew::api::canary_rollout::Phase;
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
