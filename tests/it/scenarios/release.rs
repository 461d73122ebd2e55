//! What can be released, and when.

use groundcrew::api::canary_rollout::{Outcome, Phase};
use serde_json::json;

use crate::harness::{condition, play, spec};

#[test]
fn a_version_that_is_missing_is_released_once_it_is_published() {
    play("missing-version", async |scene| {
        scene.account.released(1).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let invalid = scene.until_phase(Phase::Invalid).await;
        let message = invalid.status.as_ref().unwrap().message.as_deref().unwrap();
        let expected =
            "function processor has no version 2; publish it or correct spec.release.version";
        assert_eq!(message, expected);
        assert_eq!(condition(&invalid, "Stalled").unwrap().reason, "VersionNotFound");

        scene.account.publish(2).await;
        scene.until_weight(10).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);
    });
}

#[test]
fn a_release_without_steps_goes_to_everybody_in_one_call() {
    play("all-at-once", async |scene| {
        scene.account.released(2).await;
        let mut all_at_once = spec("2", json!(null));
        all_at_once["preset"] = json!("AllAtOnce");
        all_at_once.as_object_mut().unwrap().remove("steps");
        scene.release(all_at_once).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(healthy.status.unwrap().history[0].outcome, Outcome::Promoted);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);
        assert_eq!(scene.account.routes().await, ["1", "2"]);
    });
}
