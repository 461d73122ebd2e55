//! The objects of one kind in the API server, and its watch, which may be late.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use groundcrew::api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow};
use kube::{Resource, ResourceExt as _};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use super::kubernetes::Store;

/// How long it takes until a broken watch is taken up again.
const WATCH_BROKEN: Duration = Duration::from_secs(40);

/// A kind that the API server knows.
pub trait Stored:
    Resource<DynamicType = ()> + Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
    /// How long a change takes to reach those who watch.
    const LAG: Duration;
    /// What calls about its objects are told by.
    const CALLS: &'static str;

    /// Where its objects are.
    fn shelf(store: &mut Store) -> &mut Shelf<Self>;
}

impl Stored for CanaryRollout {
    const LAG: Duration = Duration::from_millis(35);
    const CALLS: &'static str = "";

    fn shelf(store: &mut Store) -> &mut Shelf<Self> {
        &mut store.rollouts
    }
}

impl Stored for MaintenanceWindow {
    const LAG: Duration = Duration::from_millis(55);
    const CALLS: &'static str = "window ";

    fn shelf(store: &mut Store) -> &mut Shelf<Self> {
        &mut store.windows
    }
}

/// An object as `namespace/name`.
pub fn key<K: Resource<DynamicType = ()>>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub enum Watched<K> {
    /// The object is like this now.
    Applied(Box<K>),
    /// The object is gone.
    Deleted(String),
}

/// Objects of one kind; they go by `namespace/name`.
pub struct Shelf<K> {
    pub(super) objects: BTreeMap<String, K>,
    watch: VecDeque<(Instant, Watched<K>)>,
    broken_until: Option<Instant>,
}

impl<K> Default for Shelf<K> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), watch: VecDeque::new(), broken_until: None }
    }
}

impl<K: Stored> Shelf<K> {
    /// From now on changes are told late.
    pub(super) fn break_watch(&mut self) {
        self.broken_until = Some(Instant::now() + WATCH_BROKEN);
    }

    /// All objects: what a process that starts lists. Whatever was to be told is in it.
    pub fn list(&mut self) -> Vec<K> {
        self.watch.clear();
        self.broken_until = None;
        self.objects.values().cloned().collect()
    }

    /// When the watch tells something next.
    pub fn next_watched(&self) -> Option<Instant> {
        self.watch.front().map(|(at, _)| *at)
    }

    /// What the watch has told by now.
    pub fn watched(&mut self) -> Option<Watched<K>> {
        let due = self.next_watched()? <= Instant::now();
        if due { self.watch.pop_front().map(|(_, what)| what) } else { None }
    }

    fn tell(&mut self, what: Watched<K>) {
        let soon = Instant::now() + K::LAG;
        let broken = self.broken_until.unwrap_or(soon);
        let last = self.watch.back().map_or(soon, |(at, _)| *at);
        self.watch.push_back((soon.max(broken).max(last), what));
    }

    /// Keeps a changed object and tells it; gone once it is being deleted and has no finalizers.
    pub(super) fn put(&mut self, object: &K) {
        let key = key(object);
        if object.meta().deletion_timestamp.is_some() && object.finalizers().is_empty() {
            self.objects.remove(&key);
            self.tell(Watched::Deleted(key));
        } else {
            self.objects.insert(key, object.clone());
            self.tell(Watched::Applied(Box::new(object.clone())));
        }
    }
}
