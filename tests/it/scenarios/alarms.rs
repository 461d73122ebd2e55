//! Alarms that fire, are missing, or fired before the start.

use aws_sdk_cloudwatch::types::StateValue;
use groundcrew::api::canary_rollout::{CanaryRollout, Outcome, Phase};
use serde_json::{Value, json};

use crate::harness::{condition, play, spec};

const ALARM: &str = "processor-complaints";

/// A day at 10 % that this alarm can end.
fn watched(alarm: &str) -> Value {
    let mut watched = spec("2", json!([{"weight": 10, "hold": "24h"}]));
    watched["analysis"] = json!({"alarms": {"names": [alarm]}});
    watched
}

fn message(rollout: &CanaryRollout) -> &str {
    rollout.status.as_ref().unwrap().message.as_deref().unwrap()
}

#[test]
fn an_alarm_that_fires_brings_the_alias_back() {
    play("alarm", async |scene| {
        scene.account.released(2).await;
        scene.account.alarm(ALARM).await;
        scene.release(watched(ALARM)).await;
        scene.until_weight(10).await;

        scene.account.set_alarm(ALARM, StateValue::Alarm).await;
        let back = scene.until_phase(Phase::RolledBack).await;
        let ended = &back.status.as_ref().unwrap().history[0];
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::RolledBack, "AlarmFiring"));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
        scene.until_events("processor", &["RollingBack", "RolledBack"]).await;
    });
}

#[test]
fn an_alarm_that_fires_already_blocks_the_start_until_it_is_ok() {
    play("alarm-before", async |scene| {
        scene.account.released(2).await;
        scene.account.alarm(ALARM).await;
        scene.account.set_alarm(ALARM, StateValue::Alarm).await;
        scene.release(watched(ALARM)).await;
        let blocked = scene.until_phase(Phase::Pending).await;
        let expected = "waits to start: alarm processor-complaints is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore";
        assert_eq!(message(&blocked), expected);
        scene.let_it_look().await;
        assert_eq!(scene.writes().await.len(), 0);

        scene.account.set_alarm(ALARM, StateValue::Ok).await;
        scene.until_weight(10).await;
    });
}

#[test]
fn an_alarm_that_fired_before_is_ignored_on_demand_and_counts_again_once_it_was_ok() {
    play("alarm-ignored", async |scene| {
        scene.account.released(2).await;
        scene.account.alarm(ALARM).await;
        scene.account.set_alarm(ALARM, StateValue::Alarm).await;
        let mut mending = watched(ALARM);
        mending["analysis"]["alarms"]["alreadyFiring"] = json!("Ignore");
        scene.release(mending).await;
        let (going, _) = scene.until_weight(10).await;
        assert_eq!(going.status.unwrap().ignored_alarms, [ALARM]);

        scene.account.set_alarm(ALARM, StateValue::Ok).await;
        scene.until("no ignored alarm", |_, status| status.ignored_alarms.is_empty()).await;
        scene.account.set_alarm(ALARM, StateValue::Alarm).await;
        scene.until_phase(Phase::RolledBack).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
    });
}

#[test]
fn an_alarm_that_does_not_exist_is_invalid_until_it_does() {
    play("alarm-missing", async |scene| {
        scene.account.released(2).await;
        scene.release(watched(ALARM)).await;
        let invalid = scene.until_phase(Phase::Invalid).await;
        let expected = "there is no alarm processor-complaints: create it, or correct spec.analysis.alarms; a missing alarm would never fire";
        assert_eq!(message(&invalid), expected);
        assert_eq!(condition(&invalid, "Stalled").unwrap().reason, "AlarmNotFound");
        scene.let_it_look().await;
        assert_eq!(scene.writes().await.len(), 0);

        scene.account.alarm(ALARM).await;
        scene.until_weight(10).await;
    });
}
