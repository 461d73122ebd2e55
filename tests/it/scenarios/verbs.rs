//! What people say by annotation.

use groundcrew::api::{
    canary_rollout::{CanaryRollout, Outcome, Phase},
    shared::{ActionResult, LastAction},
};
use serde_json::json;

use crate::harness::{play, spec};

fn last_action(rollout: &CanaryRollout) -> LastAction {
    rollout.status.as_ref().unwrap().last_action.clone().unwrap()
}

#[test]
fn an_aborted_release_goes_back_and_is_tried_again_only_when_a_person_says_so() {
    play("abort", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;

        scene.verb(&format!("abort@{revision}"), "bob").await;
        let aborted = scene
            .until("a word on how to try again", |_, status| {
                let message = status.message.as_deref().unwrap_or_default();
                message.ends_with(&format!("try again with the verb retry@{revision}"))
            })
            .await;
        let status = aborted.status.as_ref().unwrap();
        assert_eq!(status.phase, Some(Phase::Aborted));
        let ended = &status.history[0];
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Aborted, "AbortedByUser"));
        scene.let_it_look().await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
        assert_eq!(scene.account.alias().await.unwrap().description, "live traffic");

        scene.verb(&format!("retry@{revision}"), "bob").await;
        scene.until_weight(10).await;
        scene.verb(&format!("promote-full@{revision}"), "bob").await;
        scene.until_phase(Phase::Healthy).await;
        let routes = scene.account.routes().await;
        assert_eq!(routes, ["1", "1 + 2:0.1", "1", "1 + 2:0.1", "2"]);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 4]);
    });
}

#[test]
fn a_verb_that_is_said_twice_is_carried_out_once() {
    play("verb-twice", async |scene| {
        scene.account.released(2).await;
        let steps = json!([
            {"weight": 10, "hold": "24h"}, {"weight": 20, "hold": "24h"}, {"weight": 30, "hold": "24h"},
        ]);
        scene.release(spec("2", steps)).await;
        let (_, revision) = scene.until_weight(10).await;
        let verb = format!("promote@{revision}/0#1");
        scene.verb(&verb, "alice").await;
        let (rollout, _) = scene.until_weight(20).await;
        let first = last_action(&rollout);
        assert_eq!(first.message, "step 0 left early");

        scene.verb(&verb, "bob").await;
        scene.let_it_look().await;
        let rollout = scene.get().await;
        assert_eq!(last_action(&rollout), first);
        assert_eq!(rollout.status.unwrap().step.unwrap().index, 1);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
    });
}

#[test]
fn a_verb_for_something_else_is_refused_with_the_reason() {
    play("verb-stale", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let (_, revision) = scene.until_weight(10).await;
        for (verb, reason) in [
            (
                "abort@000000000000".to_owned(),
                format!("abort is for revision 000000000000; the current one is {revision}"),
            ),
            (
                format!("promote@{revision}/1"),
                "promote is for step 1; the rollout is at step 0".to_owned(),
            ),
            (
                format!("retry@{revision}"),
                "the rollout is in flight; there is nothing to retry".to_owned(),
            ),
            ("explode".to_owned(), "write <verb>@<revision>, for example abort@9f2c1a".to_owned()),
        ] {
            let last = last_action(&scene.answer(&verb).await);
            assert_eq!((last.result, last.message), (ActionResult::Refused, reason));
        }
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);
    });
}

#[test]
fn a_paused_release_stays_until_it_is_resumed() {
    play("pause", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "10m"}]))).await;
        let (_, revision) = scene.until_weight(10).await;
        scene.answer(&format!("pause@{revision}")).await;
        let paused = scene
            .until("a pause beyond the hold", |_, status| {
                let message = status.message.as_deref().unwrap_or_default();
                message.starts_with("paused: version 2 stays at 10%")
            })
            .await;
        assert!(paused.status.unwrap().paused_at.is_some());
        // A look every minute: after twelve the hold is over.
        let calls = scene.account.calls(&scene.namespace, "operation=GetAlias").await;
        let since = format!("operation=GetAlias&since={}", calls.last().unwrap().n);
        scene.account.until_called(&scene.namespace, &since, 12).await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);

        scene.answer(&format!("resume@{revision}")).await;
        scene.until_phase(Phase::Healthy).await;
    });
}
