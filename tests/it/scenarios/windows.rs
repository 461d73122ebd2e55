//! Rollouts that obey windows.

use std::time::Duration;

use groundcrew::api::{
    canary_rollout::{Outcome as Ended, Phase as Rollout},
    maintenance_window::{Outcome, Phase},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Operator, condition, once, play, play_alone, spec};

/// What a second of everybody's is on the scaled clocks.
const A_SECOND: SignedDuration = SignedDuration::from_mins(1);

/// Version 2, straight through 10 % or holding there, in the window `weekly`.
fn gated(hold: &str, gate: Value) -> Value {
    let mut gated = spec("2", json!([{"weight": 10, "hold": hold}]));
    gated["windows"] = json!({"names": ["weekly"]});
    gated["windowGate"] = gate;
    gated
}

#[test]
fn a_rollout_waits_for_its_window_and_starts_within_a_second_of_the_opening() {
    play("window-start", async |scene| {
        scene.account.released(2).await;
        scene.release(gated("0s", json!({"at": ["Start"]}))).await;
        let waits = scene.until_phase(Rollout::WaitingWindow).await;
        let told = waits.status.as_ref().unwrap().message.as_deref();
        assert_eq!(told, Some("version 2 waits: there is no MaintenanceWindow weekly"));
        assert_eq!(condition(&waits, "WindowOpen").unwrap().reason, "WindowMissing");
        let (window, opens_at) = once(5, "2h");
        scene.window("weekly", window).await;
        let waits = scene
            .until("the window's name", |_, status| {
                let message = status.message.as_deref().unwrap_or_default();
                message.starts_with("version 2 waits: window weekly is closed, it opens ")
            })
            .await;
        assert_eq!(scene.writes().await.len(), 0);
        assert_eq!(condition(&waits, "WindowOpen").unwrap().status, "False");
        let opened = scene.until_window_phase("weekly", Phase::Open).await;
        let current = opened.status.unwrap().current.unwrap();
        assert_eq!(current.opens_at.0, opens_at);
        let late = current.opened_at.0.duration_since(opens_at);
        assert!(late < A_SECOND, "opened {late:#} late");
        let healthy = scene.until_phase(Rollout::Healthy).await;
        let started = healthy.status.unwrap().history[0].started_at.0;
        let late = started.duration_since(opens_at);
        assert!(SignedDuration::ZERO <= late && late < A_SECOND, "started {late:#} late");
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
        scene.until_events("processor", &["WaitingWindow", "Started"]).await;
        scene.until_events("weekly", &["Opened"]).await;
    });
}

#[test]
fn when_the_window_closes_a_rollout_stays_where_it_is_and_can_be_aborted() {
    play("window-close", async |scene| {
        scene.account.released(2).await;
        let (window, _) = once(1, "15m");
        scene.window("weekly", window).await;
        scene.release(gated("24h", json!({"at": ["Start"]}))).await;
        let (_, revision) = scene.until_weight(10).await;
        let held = scene.until_phase(Rollout::WaitingWindow).await;
        let told = "version 2 stays at 10%: window weekly is closed, and no opening is to come";
        assert_eq!(held.status.unwrap().message.as_deref(), Some(told));
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| !status.history.is_empty())
            .await;
        assert_eq!(closed.status.unwrap().history[0].outcome, Outcome::Completed);
        let refused = scene.answer(&format!("promote-full@{revision}")).await;
        let answer = refused.status.unwrap().last_action.unwrap().message;
        assert!(answer.starts_with("window weekly is closed"), "{answer}");
        scene.verb(&format!("abort@{revision}"), "it").await;
        scene.until_phase(Rollout::Aborted).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
    });
}

#[test]
fn a_rollout_may_go_back_when_its_window_closes() {
    play("window-rollback", async |scene| {
        scene.account.released(2).await;
        let (window, _) = once(1, "15m");
        scene.window("weekly", window).await;
        scene.release(gated("24h", json!({"onClose": "Rollback"}))).await;
        scene.until_weight(10).await;
        let back = scene.until_phase(Rollout::RolledBack).await;
        let ended = back.status.unwrap().history[0].clone();
        assert_eq!((ended.outcome, ended.reason.as_str()), (Ended::RolledBack, "WindowClosed"));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
    });
}

#[test]
fn an_emergency_opens_the_gate_in_a_blackout_within_seconds() {
    play("window-emergency", async |scene| {
        scene.account.released(2).await;
        let (mut window, opens_at) = once(-5, "10h");
        let day = |days: i64| {
            let date = opens_at + SignedDuration::from_hours(24 * days);
            date.strftime("%Y-%m-%d").to_string()
        };
        window["blackouts"] = json!([{"name": "freeze", "from": day(-2), "until": day(9)}]);
        scene.window("weekly", window).await;
        scene.release(gated("0s", json!({}))).await;
        let dark = scene.until("the blackout", |rollout, _| {
            condition(rollout, "WindowOpen").is_some_and(|open| open.reason == "Blackout")
        });
        let message = dark.await.status.unwrap().message.unwrap();
        assert!(message.contains("blackout freeze of window weekly holds until"), "{message}");
        let (mut emergency, _) = once(-10, "2h");
        emergency["emergency"] =
            json!({"reason": "CVE-2026-1", "requestedBy": "alice", "for": ["weekly"]});
        scene.window("fire", emergency).await;
        let opens = scene.until_phase(Rollout::Healthy);
        timeout(Duration::from_secs(10), opens).await.expect("effect within seconds");
    });
}

#[test]
fn windows_are_closed_extended_skipped_and_suspended() {
    play("window-verbs", async |scene| {
        let (mut window, _) = once(-5, "2h");
        window["extend"] = json!({"max": "1h"});
        let next = json!({"name": "daily", "cron": "30 2 * * *", "duration": "1h"});
        window["schedules"].as_array_mut().unwrap().push(next);
        scene.window("weekly", window).await;
        let open = scene.until_window_phase("weekly", Phase::Open).await.status.unwrap();
        let id = open.current.unwrap().id;
        let extended = scene.answer_of_window("weekly", &format!("extend=30m@{id}")).await;
        let current = extended.status.unwrap().current.unwrap();
        assert_eq!(current.extended_by.unwrap().to_string(), "30m");
        scene.answer_of_window("weekly", &format!("close@{id}")).await;
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| {
                status.history.iter().any(|entry| entry.id == id)
            })
            .await;
        let status = closed.status.unwrap();
        assert!(!status.gate.unwrap().open);
        let coming = status.next.unwrap().id;
        let skipped = scene.answer_of_window("weekly", &format!("skip@{coming}")).await;
        assert_ne!(skipped.status.unwrap().next.unwrap().id, coming);
        scene.patch_window("weekly", json!({"spec": {"suspend": true}})).await;
        scene.until_window_phase("weekly", Phase::Suspended).await;
        scene.until_events("weekly", &["Opened", "Closed", "Cancelled", "Suspended"]).await;
    });
}

#[test]
fn a_spec_that_only_a_calendar_finds_wrong_is_stalled_with_the_fix() {
    play("window-invalid", async |scene| {
        let hourly = json!({"name": "hourly", "cron": "0 * * * *", "duration": "2h"});
        let spec = json!({"timeZone": "Europe/Berlin", "schedules": [hourly]});
        scene.window("weekly", spec).await;
        let invalid = scene.until_window_phase("weekly", Phase::Invalid).await;
        let message = invalid.status.unwrap().message.unwrap();
        assert!(message.starts_with("spec.schedules: it would not close"), "{message}");
    });
}

#[test]
fn an_operator_that_was_away_over_a_start_opens_late_and_over_an_end_closes() {
    play_alone("window-away", async |scene, operators| {
        operators.push(Operator::start(scene.cluster, "window-away-1", &[]).await);
        // The next ones wait for the lease of one that was killed: 15 minutes of the scaled clocks.
        scene.until_leader("window-away-1").await;
        let (window, opens_at) = once(5, "50m");
        scene.window("weekly", window).await;
        scene.until_window("weekly", "a look", |status| status.next.is_some()).await;
        operators[0].kill().await;
        scene.until_time(opens_at + A_SECOND).await;
        operators.push(Operator::start(scene.cluster, "window-away-2", &[]).await);
        let late = scene.until_window_phase("weekly", Phase::Open).await;
        let current = late.status.unwrap().current.unwrap();
        assert!(current.opened_at.0 > opens_at);
        operators[1].kill().await;
        scene.until_time(current.closes_at.0 + A_SECOND).await;
        operators.push(Operator::start(scene.cluster, "window-away-3", &[]).await);
        let closed = scene
            .until_window("weekly", "the log of the opening", |status| !status.history.is_empty())
            .await;
        let status = closed.status.unwrap();
        assert_eq!(status.history[0].outcome, Outcome::Completed);
        assert!(status.current.is_none() && !status.gate.unwrap().open);
    });
}

#[test]
fn people_see_when_a_window_opens_and_until_when_it_is_open() {
    play("window-columns", async |scene| {
        let (window, _) = once(-5, "2h");
        scene.window("weekly", window).await;
        let open = scene.until_window_phase("weekly", Phase::Open).await.status.unwrap();
        let closes = open.current.unwrap().closes;
        let get = ["get", "mw", "-n", &scene.namespace];
        let shown = scene.cluster.kubectl(&get).await;
        let mut lines = shown.lines();
        let columns: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(columns, ["NAME", "PHASE", "READY", "NEXT", "CLOSES", "ZONE", "AGE"]);
        let row = lines.next().unwrap();
        assert!(row.contains("Open") && row.contains("True") && row.contains(&closes), "{row}");
    });
}
