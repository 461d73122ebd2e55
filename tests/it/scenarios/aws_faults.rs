//! AWS refuses, throttles, and loses answers.

use groundcrew::api::canary_rollout::Phase;
use serde_json::json;

use crate::harness::{condition, play, spec};

#[test]
fn throttled_writes_are_repeated_until_each_is_applied_once() {
    play("throttled", async |scene| {
        scene.account.released(2).await;
        scene.account.fault("UpdateAlias", json!({"throttle": {"retryAfter": 1}}), 2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.lost_and_applied().await, (2, 2));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn a_step_whose_answer_was_lost_is_read_back_and_not_repeated() {
    play("lost-answer", async |scene| {
        scene.account.released(2).await;
        for _ in 0..2 {
            scene.account.fault("UpdateAlias", json!({"lost": {}}), 1).await;
        }
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
        // A read proves a step, but ends no release: the last write is made once more.
        assert_eq!(scene.lost_and_applied().await.1, 3);
    });
}

#[test]
fn a_permission_that_is_missing_is_named_and_the_rollout_goes_on_once_it_is_there() {
    play("no-permission", async |scene| {
        scene.account.released(2).await;
        let denied = json!({"error": {
            "code": "AccessDeniedException",
            "message": "is not authorized to perform: lambda:UpdateAlias",
            "status": 403,
        }});
        let fault = scene.account.fault("UpdateAlias", denied, 0).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let stalled = scene.until_stalled("AccessDenied").await;
        let message = stalled.status.as_ref().unwrap().message.as_deref().unwrap();
        assert!(message.starts_with("cannot move alias live: lambda:UpdateAlias of"), "{message}");
        assert!(message.contains("not authorized to perform: lambda:UpdateAlias"), "{message}");

        scene.account.heal(fault).await;
        let going = scene.until_poked("a step at 10%", |_, status| {
            status.step.as_ref().is_some_and(|step| step.entered_at.is_some())
        });
        assert_eq!(condition(&going.await, "Stalled"), None);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);
    });
}
