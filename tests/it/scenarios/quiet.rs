//! Alarms that are quiet while a window is open.

use aws_sdk_cloudwatch::types::StateValue;
use groundcrew::api::maintenance_window::{MaintenanceWindow, Outcome, Phase};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use crate::harness::{Operator, once, play, play_alone};

const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A window that opens in so many minutes and silences what begins with `web-`.
fn quiet(minutes: i64, duration: &str) -> (Value, Timestamp) {
    let (mut window, opens_at) = once(minutes, duration);
    window["alarms"] = json!({"namePrefixes": ["web-"], "excludePrefixes": ["web-security-"]});
    (window, opens_at)
}

fn silenced(window: &MaintenanceWindow) -> Option<&Condition> {
    let conditions = &window.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == "AlarmsSilenced")
}

fn is_quiet(conditions: &[Condition]) -> bool {
    conditions.iter().any(|one| one.type_ == "AlarmsSilenced" && one.status == "True")
}

fn has_finalizer(window: &MaintenanceWindow) -> bool {
    window.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
}

#[test]
fn alarms_are_quiet_from_the_opening_to_the_close_and_then_they_are_heard() {
    play("quiet", async |scene| {
        for name in ["web-a", "web-b", "web-security-x", "other"] {
            scene.account.alarm(name).await;
        }
        let (window, _) = quiet(7, "4h");
        scene.window("weekly", window).await;
        scene.until_window_phase("weekly", Phase::Preparing).await;
        scene.until_window("weekly", "an opening", |status| status.current.is_some()).await;
        let open = scene
            .until_window("weekly", "quiet alarms", |status| is_quiet(&status.conditions))
            .await;
        let told = silenced(&open).unwrap();
        assert!(told.message.starts_with("2 alarms quiet until "), "{}", told.message);
        assert!(has_finalizer(&open));
        for (name, heard) in [
            ("web-a", "muted"),
            ("web-b", "muted"),
            ("web-security-x", "fired"),
            ("other", "fired"),
        ] {
            assert_eq!(scene.account.heard(name).await, heard, "{name}");
        }
        scene.account.set_alarm("web-a", StateValue::Alarm).await;
        let id = open.status.unwrap().current.unwrap().id;
        scene.answer_of_window("weekly", &format!("close@{id}")).await;
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| !status.history.is_empty())
            .await;
        let entry = &closed.status.as_ref().unwrap().history[0];
        assert_eq!(entry.still_in_alarm, ["web-a"]);
        assert_eq!(scene.account.mute_rules().await, 0);
        assert_eq!(scene.account.heard("web-b").await, "fired");
        // What fires still is heard as soon as its rule is gone.
        assert_eq!(scene.account.actions("web-a").await, ["muted", "fired"]);
        let free = scene.until_window_object("weekly", "no finalizer", |it| !has_finalizer(it));
        assert!(silenced(&free.await).is_none());
    });
}

#[test]
fn a_window_that_may_not_mute_stays_closed_and_says_why() {
    play("quiet-denied", async |scene| {
        scene.account.alarm("web-a").await;
        let denied = json!({"error": {"code": "AccessDenied", "status": 403}});
        let fault = scene.account.fault("PutAlarmMuteRule", denied, 0).await;
        let (window, _) = quiet(2, "10h");
        scene.window("weekly", window).await;
        let waits = scene
            .until_window("weekly", "the denial", |status| {
                let message = status.message.as_deref().unwrap_or_default();
                message.contains("cannot be made quiet") && message.contains("AccessDenied")
            })
            .await;
        let status = waits.status.as_ref().unwrap();
        assert_eq!(status.phase, Some(Phase::Preparing));
        assert!(!status.gate.as_ref().unwrap().open);
        assert_eq!(silenced(&waits).unwrap().reason, "AccessDenied");
        scene.account.heal(fault).await;
        scene.patch_window("weekly", json!({"metadata": {"annotations": {"it/poke": "1"}}})).await;
        scene.until_window_phase("weekly", Phase::Open).await;
    });
}

#[test]
fn deleting_an_open_window_lets_its_alarms_be_heard_first() {
    play("quiet-deleted", async |scene| {
        scene.account.alarm("web-a").await;
        let (window, _) = quiet(-5, "10h");
        scene.window("weekly", window).await;
        scene.until_window("weekly", "quiet alarms", |status| is_quiet(&status.conditions)).await;
        assert_eq!(scene.account.heard("web-a").await, "muted");
        scene.delete_window("weekly").await;
        assert_eq!(scene.account.mute_rules().await, 0);
        assert_eq!(scene.account.heard("web-a").await, "fired");
    });
}

#[test]
fn an_operator_that_dies_while_alarms_are_quiet_leaves_none_quiet() {
    play_alone("quiet-away", async |scene, operators| {
        scene.account.alarm("web-a").await;
        operators.push(Operator::start(scene.cluster, "quiet-away-1", &[]).await);
        scene.until_leader("quiet-away-1").await;
        let (window, _) = quiet(-5, "20m");
        scene.window("weekly", window).await;
        let open = scene
            .until_window("weekly", "quiet alarms", |status| is_quiet(&status.conditions))
            .await;
        operators[0].kill().await;
        let closes = open.status.unwrap().current.unwrap().closes_at.0;
        scene.until_time(closes + A_MINUTE).await;
        // The rule has ended by itself, whoever is there.
        assert_eq!(scene.account.heard("web-a").await, "fired");
        operators.push(Operator::start(scene.cluster, "quiet-away-2", &[]).await);
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| !status.history.is_empty())
            .await;
        assert_eq!(closed.status.unwrap().history[0].outcome, Outcome::Completed);
        assert_eq!(scene.account.mute_rules().await, 0);
    });
}
