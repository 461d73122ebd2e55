//! Steps, holds and approvals; how a rollout ends well.

use groundcrew::api::canary_rollout::{CanaryRollout, CanaryRolloutStatus, Outcome, Phase};
use serde_json::json;

use crate::harness::{Alias, REGION, Scene, condition, play, spec};

fn status(rollout: &CanaryRollout) -> &CanaryRolloutStatus {
    rollout.status.as_ref().unwrap()
}

#[test]
fn a_release_goes_through_hold_and_approval_to_everybody() {
    play("promotion", async |scene| {
        scene.account.released(2).await;
        let approve = json!({"message": "look at p99", "timeout": "24h"});
        let steps = json!([
            {"weight": 10, "hold": "5m"}, {"approve": approve}, {"weight": 50, "hold": "10m"},
        ]);
        scene.release(spec("2", steps)).await;

        let (rollout, revision) = scene.until_weight(10).await;
        first_step(scene, &rollout, &revision).await;
        let waiting = scene.until_phase(Phase::WaitingApproval).await;
        let message = status(&waiting).message.as_deref().unwrap();
        let asked = format!("10%: waits for approval (look at p99): verb promote@{revision}/1");
        assert!(message.starts_with(&asked), "{message}");

        scene.verb(&format!("promote@{revision}/1"), "alice").await;
        let (rollout, _) = scene.until_weight(50).await;
        let last = status(&rollout).last_action.as_ref().unwrap();
        assert_eq!((last.by.as_str(), last.message.as_str()), ("alice", "step 1 approved"));

        let healthy = scene.until_phase(Phase::Healthy).await;
        promoted(scene, &healthy, &revision).await;
        let reasons = ["Started", "StepEntered", "WaitingApproval", "ActionAnswered", "Healthy"];
        scene.until_events("processor", &reasons).await;
        columns(scene).await;
    });
}

async fn first_step(scene: &Scene<'_>, rollout: &CanaryRollout, revision: &str) {
    let status = status(rollout);
    assert_eq!(status.observed_generation, rollout.metadata.generation);
    assert_eq!(status.region.as_deref(), Some(REGION));
    assert_eq!(status.account_id.as_ref(), Some(&scene.account.number));
    assert_eq!(status.stable.as_ref().unwrap().version, "1");
    assert_eq!(status.canary.as_ref().unwrap().version, "2");
    let step = status.step.as_ref().unwrap();
    assert_eq!((step.index, step.count, step.display.as_str()), (0, 3, "1/3"));
    let (entered, until) = (step.entered_at.as_ref().unwrap(), step.hold_until.as_ref().unwrap());
    assert_eq!(until.0.duration_since(entered.0).as_secs(), 300);
    assert!(status.message.as_ref().unwrap().starts_with("10%: holds until "));
    let told = ["Ready", "Reconciling", "Progressing", "AliasInSync", "Stalled"]
        .map(|kind| condition(rollout, kind).map(|condition| condition.status.as_str()));
    assert_eq!(told, [Some("False"), Some("True"), Some("True"), Some("True"), None]);
    assert_eq!(rollout.metadata.finalizers, Some(vec!["groundcrew.dev/cleanup".to_owned()]));

    let alias = scene.account.alias().await.unwrap();
    let mark = format!("live traffic [groundcrew it/promotion/processor {revision} 0]");
    assert_eq!(alias.description, mark);
    assert_eq!(alias.weights, [("2".to_owned(), 0.1)].into());
}

async fn promoted(scene: &Scene<'_>, rollout: &CanaryRollout, revision: &str) {
    let rollout = match rollout.metadata.finalizers {
        None => rollout.clone(),
        Some(_) => scene.until("no finalizer", |it, _| it.metadata.finalizers.is_none()).await,
    };
    let status = status(&rollout);
    let ended = &status.history[0];
    assert_eq!((ended.version.as_str(), ended.revision.as_str()), ("2", revision));
    assert_eq!(ended.outcome, Outcome::Promoted);
    assert_eq!(status.stable.as_ref().unwrap().version, "2");
    assert_eq!((&status.canary, &status.step), (&None, &None));
    assert_eq!(condition(&rollout, "Ready").unwrap().status, "True");

    let alias = scene.account.alias().await.unwrap();
    let expected =
        Alias { version: "2".into(), weights: [].into(), description: "live traffic".into() };
    assert_eq!(alias, expected);
    scene.let_it_look().await;
    assert_eq!(scene.operations_written().await, ["UpdateAlias"; 3]);
    assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1 + 2:0.5", "2"]);
}

async fn columns(scene: &Scene<'_>) {
    let get = ["get", "canaryrollouts", "-n", &scene.namespace];
    let table = scene.cluster.kubectl(&get).await;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = table.lines().map(words);
    let header = lines.next().unwrap().join(" ");
    assert_eq!(header, "NAME PHASE STEP WEIGHT STABLE CANARY READY AGE");
    let row = lines.next().unwrap();
    assert_eq!(row[..4], ["processor", "Healthy", "2", "True"], "{table}");
    let wide = scene.cluster.kubectl(&[&get[..], &["-o", "wide"]].concat()).await;
    let mut lines = wide.lines();
    assert!(lines.next().unwrap().ends_with("MESSAGE"), "{wide}");
    assert!(lines.next().unwrap().ends_with("alias live serves version 2"), "{wide}");
}

#[test]
fn an_approval_that_nobody_gives_aborts() {
    play("approval-timeout", async |scene| {
        scene.account.released(2).await;
        let steps = json!([{"weight": 10}, {"approve": {"timeout": "2m"}}]);
        scene.release(spec("2", steps)).await;
        let aborted = scene.until_phase(Phase::Aborted).await;
        let ended = &status(&aborted).history[0];
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Aborted, "ApprovalTimedOut"));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
        assert_eq!(condition(&aborted, "Stalled").unwrap().status, "True");
        scene.until_events("processor", &["RollingBack", "Aborted"]).await;
    });
}

#[test]
fn the_first_use_makes_the_alias() {
    play("first-use", async |scene| {
        scene.account.function(1).await;
        scene.release(spec("1", json!([{"weight": 10, "hold": "1h"}]))).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(status(&healthy).history[0].outcome, Outcome::Initialized);
        assert_eq!(scene.account.alias().await.unwrap().version, "1");
        assert_eq!(scene.operations_written().await, ["CreateAlias"]);
    });
}

#[test]
fn an_alias_that_serves_the_release_already_is_left_alone() {
    play("already-there", async |scene| {
        scene.account.released(1).await;
        scene.release(spec("1", json!([{"weight": 10, "hold": "1h"}]))).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(status(&healthy).history[0].outcome, Outcome::Initialized);
        assert_eq!(healthy.metadata.finalizers, None);
        scene.let_it_look().await;
        assert_eq!(scene.get().await.status, healthy.status);
        assert_eq!(scene.writes().await.len(), 0);
    });
}
