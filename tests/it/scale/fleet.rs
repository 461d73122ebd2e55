//! Many rollouts in several namespaces, each of which has an AWS account of its own.

use std::{
    collections::{BTreeMap, HashSet},
    pin::pin,
    time::Duration,
};

use futures::{StreamExt as _, stream};
use groundcrew::api::canary_rollout::{CanaryRollout, CanaryRolloutStatus};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Cluster, FUNCTION, Scene};

/// Writes to the API server at once.
const WRITES: usize = 16;

/// So many rollouts in so many namespaces.
#[derive(Clone, Copy)]
pub struct Size {
    pub namespaces: usize,
    pub each: usize,
}

impl Size {
    pub fn rollouts(self) -> usize {
        self.namespaces * self.each
    }
}

/// resourceVersions by namespace and name.
pub type Versions = BTreeMap<(String, String), String>;

/// How many of these were written between two looks.
pub fn changed(before: &Versions, after: &Versions) -> usize {
    after.iter().filter(|(key, version)| before.get(key) != Some(version)).count()
}

pub struct Fleet<'c> {
    cluster: &'c Cluster,
    pub scenes: Vec<Scene<'c>>,
    /// Of the rollouts in each namespace, and of their aliases.
    pub names: Vec<String>,
}

impl<'c> Fleet<'c> {
    /// Makes namespaces and accounts with two versions of the function, and an alias at the first
    /// one for each rollout.
    pub async fn set(cluster: &'c Cluster, name: &str, size: Size) -> Self {
        let names: Vec<String> = (0..size.each).map(|number| format!("r{number:04}")).collect();
        let mut scenes = Vec::new();
        for number in 0..size.namespaces {
            let scene = Scene::set(cluster, &format!("{name}-{number}")).await;
            scene.account.function(2).await;
            scene.account.aliases(&names).await;
            scenes.push(scene);
        }
        Self { cluster, scenes, names }
    }

    /// Applies all rollouts; each has this beside its alias.
    pub async fn apply(&self, rest: &Value) {
        let all = self.scenes.iter().flat_map(|scene| self.names.iter().map(move |n| (scene, n)));
        let create = async |(scene, name): (&Scene<'c>, &String)| {
            let api = Api::namespaced(self.cluster.client.clone(), &scene.namespace);
            api.create(&PostParams::default(), &rollout(name, rest)).await.unwrap();
        };
        stream::iter(all).for_each_concurrent(WRITES, create).await;
    }

    /// Waits until all rollouts are as wanted.
    pub async fn until_all(
        &self,
        what: &str,
        patience: Duration,
        holds: impl Fn(&CanaryRollout, &CanaryRolloutStatus) -> bool,
    ) {
        let ours: HashSet<&str> = self.scenes.iter().map(|scene| &*scene.namespace).collect();
        let expected = ours.len() * self.names.len();
        let mut so = HashSet::new();
        let all = async {
            let api: Api<CanaryRollout> = Api::all(self.cluster.client.clone());
            let config = watcher::Config::default();
            let mut stream = pin!(watcher(api, config).default_backoff().applied_objects());
            while so.len() < expected {
                let Some(Ok(rollout)) = stream.next().await else { continue };
                let namespace = rollout.namespace().unwrap_or_default();
                let status = rollout.status.as_ref();
                if ours.contains(&*namespace) && status.is_some_and(|it| holds(&rollout, it)) {
                    so.insert((namespace, rollout.name_any()));
                }
            }
        };
        let ended = timeout(patience, all).await;
        assert!(ended.is_ok(), "{} of {expected} are {what} after {patience:?}", so.len());
    }

    /// The resourceVersion of each: whatever is written to one changes it.
    pub async fn versions(&self) -> Versions {
        let mut versions = BTreeMap::new();
        for scene in &self.scenes {
            let client = self.cluster.client.clone();
            let api: Api<CanaryRollout> = Api::namespaced(client, &scene.namespace);
            for object in api.list_metadata(&ListParams::default()).await.unwrap() {
                let key = (scene.namespace.clone(), object.name_any());
                versions.insert(key, object.resource_version().unwrap());
            }
        }
        versions
    }
}

/// A rollout of the alias of its name.
pub fn rollout(name: &str, rest: &Value) -> CanaryRollout {
    let mut spec = json!({"function": {"name": FUNCTION, "alias": name}});
    for (field, value) in rest.as_object().unwrap() {
        spec[field] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1",
        "kind": "CanaryRollout",
        "metadata": {"name": name},
        "spec": spec,
    }))
    .unwrap()
}
