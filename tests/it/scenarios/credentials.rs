//! Whose AWS account a namespace may use.

use groundcrew::api::canary_rollout::{CanaryRollout, Phase};
use serde_json::json;

use crate::harness::{condition, play, spec};

fn message(rollout: &CanaryRollout) -> &str {
    rollout.status.as_ref().unwrap().message.as_deref().unwrap()
}

#[test]
fn a_namespace_without_a_role_is_stalled_until_it_names_one() {
    play("no-role", async |scene| {
        scene.account.released(1).await;
        scene.annotate_namespace(None).await;
        scene.release(spec("1", json!([{"weight": 10}]))).await;
        let stalled = scene.until_stalled("NoCredentials").await;
        let expected = "namespace no-role has no AWS credentials: annotate it with groundcrew.dev/role-arn, or name it in the operator's --default-credentials";
        assert_eq!(message(&stalled), expected);
        let status = stalled.status.as_ref().unwrap();
        assert_eq!(status.observed_generation, stalled.metadata.generation);
        assert_eq!(scene.account.calls(&scene.namespace, "").await.len(), 0);

        scene.annotate_namespace(Some(&scene.account.role())).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(condition(&healthy, "Stalled"), None);
        assert_eq!(healthy.metadata.generation, stalled.metadata.generation);
    });
}

#[test]
fn a_role_that_may_not_be_assumed_is_stalled_and_tried_again() {
    play("role-denied", async |scene| {
        scene.account.released(1).await;
        scene.account.deny_role(true).await;
        scene.release(spec("1", json!([{"weight": 10}]))).await;
        let stalled = scene.until("Stalled", |it, _| condition(it, "Stalled").is_some()).await;
        let told = message(&stalled);
        for part in
            ["cannot use the AWS credentials of the namespace", "AccessDenied", "sts:AssumeRole"]
        {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(scene.account.calls(&scene.namespace, "service=lambda").await.len(), 0);

        scene.account.deny_role(false).await;
        scene.until_poked("Healthy", |_, status| status.phase == Some(Phase::Healthy)).await;
    });
}

#[test]
fn credentials_of_another_account_than_the_spec_says_touch_nothing() {
    play("wrong-account", async |scene| {
        scene.account.released(2).await;
        let mut wanted = spec("2", json!([{"weight": 10, "hold": "24h"}]));
        wanted["aws"] = json!({"accountId": "999999999999"});
        scene.release(wanted).await;
        let stalled = scene.until_stalled("AccountMismatch").await;
        let expected = format!(
            "the credentials belong to AWS account {}, but spec.aws.accountId says 999999999999: correct the role of the namespace, or spec.aws.accountId",
            scene.account.number
        );
        assert_eq!(message(&stalled), expected);
        assert_eq!(scene.account.calls(&scene.namespace, "service=lambda").await.len(), 0);

        let number = &scene.account.number;
        scene.patch(json!({"spec": {"aws": {"accountId": number}}})).await;
        scene.until_weight(10).await;
    });
}
