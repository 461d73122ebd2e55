//! What deletion undoes, and what it leaves.

use groundcrew::api::canary_rollout::Phase;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use serde_json::json;

use crate::harness::{Alias, play, spec, until};

#[test]
fn deletion_in_flight_goes_back_to_stable_first() {
    play("deletion", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        scene.delete().await;
        scene.until_gone().await;
        let stable =
            Alias { version: "1".into(), weights: [].into(), description: "live traffic".into() };
        assert_eq!(scene.account.alias().await, Some(stable));
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
    });
}

#[test]
fn deletion_at_rest_needs_nothing_from_the_operator() {
    play("deletion-at-rest", async |scene| {
        scene.account.released(1).await;
        scene.release(spec("1", json!([{"weight": 10}]))).await;
        let healthy = scene.until_phase(Phase::Healthy).await;
        assert_eq!(healthy.metadata.finalizers, None);
        scene.delete().await;
        scene.until_gone().await;
        assert_eq!(scene.writes().await.len(), 0);
    });
}

#[test]
fn deletion_of_the_namespace_in_flight_goes_back_to_stable_first() {
    play("deletion-of-namespace", async |scene| {
        scene.account.released(2).await;
        // What grants a right in the namespace goes with it, and at any time.
        let bind = ["create", "rolebinding", "editors", "--clusterrole=edit", "--user=jane", "-n"];
        scene.cluster.kubectl(&[&bind[..], &[scene.namespace.as_str()]].concat()).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        scene.cluster.kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"]).await;
        let namespaces: Api<Namespace> = Api::all(scene.cluster.client.clone());
        until(&namespaces, &scene.namespace, "its end", |namespace| namespace.is_none()).await;
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1"]);
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
    });
}

#[test]
fn an_abandoned_rollout_is_let_go_as_it_is() {
    play("abandon", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        scene.abandon().await;
        scene.until_gone().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);
        scene.until_events("processor", &["Abandoned"]).await;
    });
}

#[test]
fn an_abandoned_rollout_is_let_go_when_its_account_cannot_be_used() {
    play("abandon-without-aws", async |scene| {
        scene.account.released(2).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        scene.until_weight(10).await;
        // Without the role there are no credentials at all: nothing can be undone.
        scene.annotate_namespace(None).await;
        scene.until_stalled("NoCredentials").await;
        let since = scene.account.calls(&scene.namespace, "").await.len();
        scene.abandon().await;
        scene.until_gone().await;
        assert_eq!(scene.account.calls(&scene.namespace, "").await.len(), since);
        scene.until_events("processor", &["Abandoned"]).await;
    });
}
