//! Others move the alias, or people change their minds.

use groundcrew::api::canary_rollout::{Outcome, Phase};
use serde_json::json;

use crate::harness::{condition, play, spec};

#[test]
fn nothing_is_written_while_somebody_else_moves_the_alias() {
    play("conflict", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;

        scene.account.move_alias("1", &[("2", 0.3)]).await;
        let conflict = scene.until_phase(Phase::Conflict).await;
        let message = conflict.status.as_ref().unwrap().message.as_deref().unwrap();
        let expected = format!(
            "alias live serves version 1 with 2 at 30%; it belongs at version 1 with 2 at 10%; put it back, or end the rollout with the verb abort@{revision}"
        );
        assert_eq!(message, expected);
        assert_eq!(condition(&conflict, "AliasInSync").unwrap().status, "False");
        let answered = scene.answer(&format!("promote-full@{revision}")).await;
        assert_eq!(answered.status.unwrap().phase, Some(Phase::Conflict));
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);

        scene.account.move_alias("1", &[("2", 0.1)]).await;
        scene.until_phase(Phase::Healthy).await;
        let routes = scene.account.routes().await;
        assert_eq!(routes, ["1", "1 + 2:0.1", "1 + 2:0.3", "1 + 2:0.1", "2"]);
        scene.until_events("processor", &["Conflict"]).await;
    });
}

#[test]
fn a_newer_release_takes_the_place_of_the_one_in_flight() {
    play("superseded", async |scene| {
        scene.account.released(3).await;
        let steps = json!([{"weight": 10, "hold": "24h"}]);
        scene.release(spec("2", steps)).await;
        scene.until_weight(10).await;

        scene.patch(json!({"spec": {"release": {"version": "3"}}})).await;
        let rollout = scene
            .until("version 3 at 10%", |_, status| {
                let entered = status.step.as_ref().is_some_and(|step| step.entered_at.is_some());
                entered && status.canary.as_ref().is_some_and(|canary| canary.version == "3")
            })
            .await;
        let ended = &rollout.status.as_ref().unwrap().history[0];
        assert_eq!((ended.version.as_str(), ended.outcome), ("2", Outcome::Superseded));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1", "1 + 3:0.1"]);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 3]);
        scene.until_events("processor", &["Superseded"]).await;
    });
}

#[test]
fn a_suspended_rollout_stays_and_goes_on_later() {
    play("suspended", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;

        scene.patch(json!({"spec": {"suspend": true}})).await;
        let suspended = scene.until_phase(Phase::Suspended).await;
        let message = suspended.status.unwrap().message.unwrap();
        let expected = "suspended: version 2 stays at 10%; set spec.suspend to false to go on";
        assert_eq!(message, expected);
        let refused = scene.answer(&format!("promote@{revision}/0")).await;
        let reason = refused.status.unwrap().last_action.unwrap().message;
        assert_eq!(reason, "the rollout is suspended; set spec.suspend to false first");
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);

        scene.patch(json!({"spec": {"suspend": false}})).await;
        scene.until_phase(Phase::Progressing).await;
        scene.verb(&format!("promote@{revision}/0#2"), "it").await;
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn a_suspended_rollout_can_still_be_aborted() {
    play("suspended-abort", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;
        scene.patch(json!({"spec": {"suspend": true}})).await;
        scene.until_phase(Phase::Suspended).await;
        scene.verb(&format!("abort@{revision}"), "it").await;
        scene
            .until("the end", |_, status| {
                status.history.first().is_some_and(|ended| ended.outcome == Outcome::Aborted)
            })
            .await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
    });
}
