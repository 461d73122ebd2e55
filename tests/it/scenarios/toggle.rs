//! Alarms that are switched off while a window is open.

use groundcrew::api::maintenance_window::{MaintenanceWindow, Outcome};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Operator, Scene, once, play, play_alone};

const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A window that has been due for some minutes, and switches off what begins with `web-`.
fn toggling(minutes: i64, duration: &str) -> Value {
    let (mut window, _) = once(minutes, duration);
    window["alarms"] = json!({"mode": "Toggle", "namePrefixes": ["web-"]});
    window
}

/// Waits until it is open and its ledger is written to the end.
async fn open(scene: &Scene<'_>, name: &str) -> MaintenanceWindow {
    scene
        .until_window(name, "an opening with alarms off", |status| {
            let silenced = json!(status.silenced).to_string();
            status.current.is_some() && silenced.contains("Off") && !silenced.contains("Intended")
        })
        .await
}

/// Closes what is open.
async fn close(scene: &Scene<'_>, name: &str, window: MaintenanceWindow) {
    let id = window.status.unwrap().current.unwrap().id;
    scene.answer_of_window(name, &format!("close@{id}")).await;
}

async fn closed(scene: &Scene<'_>, name: &str) -> MaintenanceWindow {
    scene.until_window(name, "the log of the opening", |status| !status.history.is_empty()).await
}

fn has_finalizer(window: &MaintenanceWindow) -> bool {
    window.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
}

#[test]
fn alarms_are_switched_off_while_it_is_open_and_one_that_was_off_stays_off() {
    play("toggle", async |scene| {
        for name in ["web-a", "web-off", "other"] {
            scene.account.alarm(name).await;
        }
        scene.account.switch_alarm("web-off", false).await;
        scene.window("weekly", toggling(-5, "10h")).await;
        let window = open(scene, "weekly").await;
        assert!(has_finalizer(&window));
        for (name, heard) in [("web-a", "disabled"), ("other", "fired")] {
            assert_eq!(scene.account.heard(name).await, heard, "{name}");
        }
        close(scene, "weekly", window).await;
        let window = closed(scene, "weekly").await;
        for (name, heard) in [("web-a", "fired"), ("web-off", "disabled")] {
            assert_eq!(scene.account.heard(name).await, heard, "{name}");
        }
        let message = &window.status.as_ref().unwrap().history[0].message;
        assert!(message.ends_with("off before, and left so: web-off"), "{message}");
        scene.until_window_object("weekly", "no finalizer", |it| !has_finalizer(it)).await;
    });
}

#[test]
fn a_deletion_waits_until_the_alarms_are_on() {
    play("toggle-deleted", async |scene| {
        scene.account.alarm("web-a").await;
        scene.window("weekly", toggling(-5, "10h")).await;
        open(scene, "weekly").await;
        let denied = json!({"error": {"code": "AccessDenied", "status": 403}});
        let fault = scene.account.fault("EnableAlarmActions", denied, 0).await;
        scene.begin_to_delete_window("weekly").await;
        let window = scene
            .until_window("weekly", "the denial", |status| {
                let message = status.message.as_deref().unwrap_or_default();
                message.contains("cannot be done") && message.contains("AccessDenied")
            })
            .await;
        assert!(window.metadata.deletion_timestamp.is_some() && has_finalizer(&window));
        assert_eq!(scene.account.heard("web-a").await, "disabled");
        scene.account.heal(fault).await;
        scene.until_window_is_gone("weekly").await;
        assert_eq!(scene.account.heard("web-a").await, "fired");
    });
}

#[test]
fn alarms_of_two_windows_are_heard_when_the_last_one_closes() {
    play("toggle-shared", async |scene| {
        scene.account.alarm("web-a").await;
        scene.window("first", toggling(-5, "10h")).await;
        let first = open(scene, "first").await;
        scene.window("second", toggling(-5, "10h")).await;
        let second = open(scene, "second").await;
        close(scene, "first", first).await;
        closed(scene, "first").await;
        assert_eq!(scene.account.heard("web-a").await, "disabled");
        close(scene, "second", second).await;
        closed(scene, "second").await;
        assert_eq!(scene.account.heard("web-a").await, "fired");
    });
}

#[test]
fn an_operator_that_dies_while_alarms_are_off_switches_them_on_after_its_start() {
    play_alone("toggle-away", async |scene, operators| {
        scene.account.alarm("web-a").await;
        operators.push(Operator::start(scene.cluster, "toggle-away-1", &[]).await);
        scene.until_leader("toggle-away-1").await;
        scene.window("weekly", toggling(-5, "20m")).await;
        let window = open(scene, "weekly").await;
        operators[0].kill().await;
        let closes = window.status.unwrap().current.unwrap().closes_at.0;
        scene.until_time(closes + A_MINUTE).await;
        assert_eq!(scene.account.heard("web-a").await, "disabled");
        operators.push(Operator::start(scene.cluster, "toggle-away-2", &[]).await);
        let window = closed(scene, "weekly").await;
        assert_eq!(window.status.unwrap().history[0].outcome, Outcome::Completed);
        assert_eq!(scene.account.heard("web-a").await, "fired");
    });
}
