//! The operator is killed, the API server restarts, objects cannot be read.

use groundcrew::api::canary_rollout::Phase;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Operator, PATIENCE, Scene, play_alone, spec};

const ALONE: [&str; 1] = ["--no-leader-election"];

#[test]
fn an_operator_that_is_killed_between_steps_goes_on_after_its_start() {
    play_alone("killed", async |scene, operators| {
        scene.account.released(2).await;
        operators.push(Operator::start(scene.cluster, "killed-a", &ALONE).await);
        let steps = json!([{"weight": 10, "hold": "5m"}, {"weight": 50, "hold": "5m"}]);
        scene.release(spec("2", steps)).await;
        scene.until_weight(10).await;
        operators[0].kill().await;
        operators.push(Operator::start(scene.cluster, "killed-b", &ALONE).await);
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 3]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1 + 2:0.5", "2"]);
    });
}

#[test]
fn a_write_that_was_applied_when_the_operator_was_killed_is_not_repeated() {
    play_alone("killed-in-a-call", async |scene, operators| {
        scene.account.released(2).await;
        scene.account.fault("UpdateAlias", json!({"lost": {"hang": true}}), 1).await;
        operators.push(Operator::start(scene.cluster, "killed-in-a-call-a", &ALONE).await);
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        scene.account.until_called(&scene.namespace, "operation=UpdateAlias", 1).await;
        operators[0].kill().await;
        operators.push(Operator::start(scene.cluster, "killed-in-a-call-b", &ALONE).await);
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn a_restart_of_the_api_server_changes_nothing() {
    play_alone("api-server", async |scene, operators| {
        scene.account.released(2).await;
        operators.push(Operator::start(scene.cluster, "api-server", &ALONE).await);
        let steps = json!([{"weight": 10, "hold": "5m"}, {"weight": 50, "hold": "5m"}]);
        scene.release(spec("2", steps)).await;
        scene.until_weight(10).await;
        scene.cluster.restart_api_server().await;
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 3]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1 + 2:0.5", "2"]);
    });
}

#[test]
fn an_object_that_cannot_be_read_does_not_stop_the_others() {
    play_alone("unreadable", async |scene, operators| {
        scene.account.released(2).await;
        store_unreadable(scene, "broken").await;
        operators.push(Operator::start(scene.cluster, "unreadable", &ALONE).await);
        scene.release(spec("2", json!([{"weight": 10}]))).await;
        scene.until_phase(Phase::Healthy).await;
        scene.until_events("broken", &["Unreadable"]).await;
    });
}

/// Stores an object that no rule of today would let in, as an older CRD may have.
async fn store_unreadable(scene: &Scene<'_>, name: &str) {
    const CRD: &str = "canaryrollouts.groundcrew.dev";
    const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema";
    let crds: Api<CustomResourceDefinition> = Api::all(scene.cluster.client.clone());
    let set_schema = async |schema: &Value| {
        let patch = json!([{"op": "replace", "path": SCHEMA, "value": schema}]);
        let patch = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
        crds.patch(CRD, &PatchParams::default(), &patch).await.unwrap();
    };
    let strict = serde_json::to_value(crds.get(CRD).await.unwrap()).unwrap();
    let strict = strict.pointer(SCHEMA).unwrap();
    set_schema(&json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})).await;

    let kind = GroupVersionKind::gvk("groundcrew.dev", "v1alpha1", "CanaryRollout");
    let kind = ApiResource::from_gvk_with_plural(&kind, "canaryrollouts");
    let api: Api<DynamicObject> =
        Api::namespaced_with(scene.cluster.client.clone(), &scene.namespace, &kind);
    let broken = DynamicObject::new(name, &kind).data(json!({"spec": {"function": "a text"}}));
    let stored = timeout(PATIENCE, async {
        // The API server serves a changed schema a moment later, and tells nobody when.
        while api.create(&PostParams::default(), &broken).await.is_err() {}
    });
    stored.await.expect("the loosened schema lets it in");
    set_schema(strict).await;
}
