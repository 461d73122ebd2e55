//! Nothing is written while nothing changes.

use groundcrew::api::canary_rollout::{CanaryRollout, Phase};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::harness::{Call, FUNCTION, Scene, play, until};

/// How long rollouts are watched, in real seconds; the operator's clock shows two hours meanwhile.
const WATCHED_SECS: f64 = 120.0;
/// Looks at each rollout in that time: one every quarter of an hour, and the last may come late.
const LOOKS: usize = 7;
/// Each has an alias of this name.
const NAMES: [&str; 4] = ["already-there", "promoted", "with-alarm", "released-twice"];

/// What the namespace holds.
struct Healthy<'s> {
    scene: &'s Scene<'s>,
    api: Api<CanaryRollout>,
}

impl Healthy<'_> {
    async fn apply(&self, name: &str, version: &str, analysis: Option<Value>) {
        let mut spec = json!({
            "function": {"name": FUNCTION, "alias": name},
            "release": {"version": version},
            "steps": [{"weight": 10, "hold": "1m"}],
        });
        if let Some(analysis) = analysis {
            spec["analysis"] = analysis;
        }
        let object = json!({
            "apiVersion": "groundcrew.dev/v1alpha1",
            "kind": "CanaryRollout",
            "metadata": {"name": name},
            "spec": spec,
        });
        let object = serde_json::from_value(object).unwrap();
        self.api.create(&PostParams::default(), &object).await.unwrap();
    }

    /// Waits until this one serves the version, and nothing is left to do.
    async fn until_serves(&self, name: &str, version: &str) {
        until(&self.api, name, &format!("{name} at version {version}"), |rollout| {
            let Some((meta, status)) =
                rollout.and_then(|rollout| Some((&rollout.metadata, rollout.status.as_ref()?)))
            else {
                return false;
            };
            status.phase == Some(Phase::Healthy)
                && status.observed_generation == meta.generation
                && status.stable.as_ref().is_some_and(|stable| stable.version == version)
                && meta.finalizers.is_none()
        })
        .await;
    }

    /// All of them with their statuses, as they are stored.
    async fn stored(&self) -> Vec<Value> {
        let all = self.api.list(&ListParams::default()).await.unwrap();
        all.iter().map(|rollout| serde_json::to_value(rollout).unwrap()).collect()
    }

    /// Calls of the operator since the one with this number.
    async fn calls(&self, query: &str, since: u64) -> Vec<Call> {
        let query = format!("{query}&since={since}");
        self.scene.account.calls(&self.scene.namespace, &query).await
    }
}

#[test]
fn nothing_is_written_for_healthy_rollouts_in_two_real_minutes() {
    play("drift", async |scene| {
        scene.account.function(2).await;
        scene.account.aliases(&NAMES.map(str::to_owned)).await;
        scene.account.alarm("red").await;
        let api = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
        let healthy = Healthy { scene, api };
        healthy.apply("already-there", "1", None).await;
        healthy.apply("promoted", "2", None).await;
        healthy.apply("with-alarm", "2", Some(json!({"alarms": {"names": ["red"]}}))).await;
        healthy.apply("released-twice", "2", None).await;
        healthy.until_serves("released-twice", "2").await;
        let release = Patch::Merge(json!({"spec": {"release": {"version": "1"}}}));
        healthy.api.patch("released-twice", &PatchParams::default(), &release).await.unwrap();
        for (name, version) in NAMES.iter().zip(["1", "2", "2", "1"]) {
            healthy.until_serves(name, version).await;
        }
        stays_as_it_is(&healthy).await;
    });
}

/// Watches until two minutes have passed at a look.
async fn stays_as_it_is(healthy: &Healthy<'_>) {
    let Healthy { scene, .. } = healthy;
    let before = healthy.stored().await;
    let begun = healthy.calls("", 0).await.pop().expect("the operator has made calls");
    let mut looks = Vec::<Call>::new();
    while looks.last().is_none_or(|look| look.wall - begun.wall < WATCHED_SECS) {
        let query = format!("operation=GetAlias&since={}", begun.n);
        looks = scene.account.until_called(&scene.namespace, &query, looks.len() + 1).await;
    }
    for name in NAMES {
        let resource = format!("{FUNCTION}:{name}");
        let count = looks.iter().filter(|look| look.resource == resource).count();
        assert!(count >= LOOKS, "{name} was looked at {count} times: {looks:?}");
    }
    // Any write, of whatever, changes the resourceVersion.
    assert_eq!(healthy.stored().await, before);
    let writes = healthy.calls("write=true", begun.n).await;
    assert!(writes.is_empty(), "{writes:?}");
}
