//! Releases that become versions first.

use groundcrew::api::canary_rollout::{Outcome, Phase};
use serde_json::{Value, json};

use crate::harness::{Scene, play, spec};

/// A spec that goes to everybody at once.
fn releasing(release: Value) -> Value {
    let mut asked = spec("1", json!([{"weight": 10, "hold": "5m"}]));
    asked["release"] = release;
    asked
}

async fn until_served(scene: &Scene<'_>, version: &str) {
    let what = format!("Healthy at version {version}");
    scene
        .until(&what, |_, status| {
            status.phase == Some(Phase::Healthy)
                && status.stable.as_ref().is_some_and(|stable| stable.version == version)
        })
        .await;
}

#[test]
fn what_latest_holds_is_published_when_it_changes() {
    play("latest", async |scene| {
        scene.account.released(1).await;
        scene.release(releasing(json!({"latest": true}))).await;
        until_served(scene, "1").await;
        assert_eq!(scene.operations_written().await, [""; 0], "version 1 holds the same");

        scene.account.upload("release 2").await;
        until_served(scene, "2").await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
        let status = scene.get().await.status.unwrap();
        assert_eq!(status.publishing, None);
        assert_eq!(status.history[0].outcome, Outcome::Promoted);
        scene.let_it_look().await;
        let written = scene.operations_written().await;
        assert_eq!(written, ["PublishVersion", "UpdateAlias", "UpdateAlias"]);
    });
}

#[test]
fn what_speaks_against_a_release_keeps_it_from_being_published() {
    play("unpublished", async |scene| {
        scene.account.released(1).await;
        scene.account.change_role("other").await;
        let mut asked = releasing(json!({"latest": true}));
        asked["configuration"] = json!({"memorySize": 512});
        asked["analysis"] = json!({"alarms": {"names": ["complaints"]}});
        scene.release(asked).await;
        let invalid = scene.until_phase(Phase::Invalid).await;
        let reasons: Vec<_> =
            invalid.status.as_ref().unwrap().preflight.iter().map(|one| &one.reason).collect();
        assert_eq!(reasons, ["AlarmNotFound", "RoleMismatch"]);
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, [""; 0]);
        assert_eq!(scene.account.versions().await, ["$LATEST", "1"]);

        scene.account.alarm("complaints").await;
        scene.patch(json!({"spec": {"steps": null, "preset": "AllAtOnce"}})).await;
        until_served(scene, "2").await;
        let written = scene.operations_written().await;
        assert_eq!(written, ["UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"]);
    });
}

#[test]
fn an_image_with_settings_is_released() {
    play("image", async |scene| {
        let (old, new) = (scene.account.image('a').await, scene.account.image('b').await);
        scene.account.released_image(&old).await;
        let mut asked = releasing(json!({"image": {"uri": new}}));
        asked["configuration"] = json!({"memorySize": 512});
        scene.release(asked).await;
        until_served(scene, "2").await;
        assert_eq!(scene.account.memory("2").await, 512);
        assert_eq!(scene.account.memory("1").await, 128);
        let written = scene.operations_written().await;
        let expected = [
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "PublishVersion",
            "UpdateAlias",
            "UpdateAlias",
        ];
        assert_eq!(written, expected);
    });
}

#[test]
fn an_archive_is_released_after_the_alias_left_latest() {
    play("archive", async |scene| {
        scene.account.function(0).await;
        scene.account.make_alias("$LATEST").await;
        let sha = scene.account.archive("artifacts", "processor.zip", "release 2").await;
        let archive = json!({"bucket": "artifacts", "key": "processor.zip"});
        scene.release(releasing(json!({"s3": archive, "codeSha256": sha}))).await;
        until_served(scene, "2").await;
        let routes = scene.account.routes().await;
        assert_eq!(routes, ["$LATEST", "1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn an_archive_that_is_not_there_is_told_in_lambdas_words() {
    play("no-archive", async |scene| {
        scene.account.released(1).await;
        let archive = json!({"bucket": "artifacts", "key": "gone.zip", "objectVersion": "v1"});
        scene.release(releasing(json!({"s3": archive}))).await;
        let stalled = scene.until_stalled("RefusedByAWS").await;
        let message = stalled.status.unwrap().message.unwrap();
        assert!(
            message.starts_with("cannot publish the release of function processor: lambda:UpdateFunctionCode of function processor failed with"),
            "{message}"
        );
        assert_eq!(scene.account.routes().await, ["1"]);
    });
}

#[test]
fn a_version_with_snap_start_waits_for_its_snapshot() {
    play("snap-start", async |scene| {
        scene.account.released(1).await;
        scene.account.snap_start().await;
        scene.account.state("snapStart", "hold", json!({})).await;
        scene.release(releasing(json!({"latest": true}))).await;
        scene
            .until("a snapshot in the making", |_, status| {
                let message = status.message.as_deref().unwrap_or_default();
                message == "SnapStart takes the snapshot of version 2 of processor"
            })
            .await;
        assert_eq!(scene.account.routes().await, ["1"]);
        scene.account.state("snapStart", "release", json!({"now": true})).await;
        until_served(scene, "2").await;
    });
}

#[test]
fn a_smoke_test_that_fails_takes_the_release_back_before_any_weight() {
    play("smoke", async |scene| {
        scene.account.released(2).await;
        scene.account.answers("2", 500).await;
        let smoke = json!({"payload": "{\"path\":\"/health\"}", "expectStatus": 200});
        scene.release(spec("2", json!([{"smoke": smoke}, {"weight": 10, "hold": "5m"}]))).await;
        let back = scene.until_phase(Phase::RolledBack).await.status.unwrap();
        assert_eq!(back.history[0].reason, "SmokeFailed");
        let message = &back.history[0].message;
        let expected = "smoke test of version 2: statusCode 500 after ";
        assert!(message.starts_with(expected) && !message.contains("hunter2"), "{message}");
        let weights = scene.account.routes().await;
        assert!(weights.iter().all(|route| route == "1"), "{weights:?}");

        scene.account.answers("2", 200).await;
        let revision = back.revision.unwrap();
        scene.verb(&format!("retry@{revision}"), "alice").await;
        until_served(scene, "2").await;
    });
}

#[test]
fn old_versions_go_but_for_those_that_are_kept_or_named() {
    play("keep-versions", async |scene| {
        scene.account.released(1).await;
        let mut asked = releasing(json!({"latest": true}));
        asked["history"] = json!({"keepVersions": 1});
        scene.release(asked).await;
        until_served(scene, "1").await;
        for number in 2..=4 {
            scene.account.upload(&format!("release {number}")).await;
            until_served(scene, &number.to_string()).await;
            if number == 2 {
                scene.account.name_version("2").await;
            }
        }
        scene.account.upload("release 5").await;
        until_served(scene, "5").await;
        scene
            .until("pruned for the last release", |_, status| status.pruned == status.revision)
            .await;
        // 1 was published by hand, 2 has an alias of its own, 4 is the one that is kept.
        assert_eq!(scene.account.versions().await, ["$LATEST", "1", "2", "4", "5"]);
    });
}
