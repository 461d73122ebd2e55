//! The API server: versions, generations, finalizers, and the status subresource. Its objects and
//! watches are those of `shelf`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use groundcrew::{
    api::{
        FINALIZER,
        canary_rollout::{CanaryRollout, CanaryRolloutSpec, Release},
        maintenance_window::MaintenanceWindow,
    },
    engine::Kind as _,
    kubernetes::port::{Class, Error, Event as Note, ObjectId, Port},
    maintenance_window::MaintenanceWindows,
};
use kube::ResourceExt as _;
use serde_json::Value;

pub use super::shelf::key;
use super::{
    State, World,
    shelf::{Shelf, Stored},
};
use crate::{
    faults::{Fault, Sort},
    history::{Asked, Event},
};

/// What the API server stores.
#[derive(Default)]
pub struct Store {
    pub(super) rollouts: Shelf<CanaryRollout>,
    pub(super) windows: Shelf<MaintenanceWindow>,
    /// Specs of rollouts by object and generation.
    specs: BTreeMap<(String, i64), CanaryRolloutSpec>,
    pub(super) version: u64,
    pub(super) uids: u64,
    /// How many Events people were told.
    pub events: usize,
    /// Status writes that were applied.
    pub status_writes: u32,
    /// The same of windows.
    pub window_status_writes: u32,
    /// Objects that a person let go, or took our finalizer of.
    pub(super) let_go_by_people: BTreeSet<String>,
    /// Objects whose status a person emptied that nothing else told of.
    pub(super) status_emptied: BTreeSet<String>,
    /// Namespaces that are being deleted: nothing is made in them any more.
    pub(super) ending: BTreeSet<String>,
}

/// An id as `namespace/name`.
fn key_of(id: &ObjectId) -> String {
    format!("{}/{}", id.namespace, id.name)
}

impl Store {
    /// From now on changes of this kind are told late.
    pub(super) fn break_watch(&mut self, call: &str) {
        if call.starts_with(MaintenanceWindow::CALLS) {
            self.windows.break_watch();
        } else {
            self.rollouts.break_watch();
        }
    }

    /// Stores a changed object under a new resourceVersion and tells it.
    pub(super) fn store<K: Stored>(&mut self, mut object: K) -> K {
        self.version += 1;
        object.meta_mut().resource_version = Some(self.version.to_string());
        K::shelf(self).put(&object);
        object
    }

    /// The same for a rollout.
    pub(super) fn store_rollout(&mut self, object: CanaryRollout) -> CanaryRollout {
        let generation = object.metadata.generation.unwrap_or_default();
        self.specs.insert((key(&object), generation), object.spec.clone());
        self.store(object)
    }

    pub(super) fn find<K: Stored>(
        &mut self,
        id: &ObjectId,
        action: &'static str,
    ) -> Result<K, Error> {
        let found = K::shelf(self).objects.get(&key_of(id));
        let found = found.filter(|object| object.uid().as_deref() == Some(id.uid.as_str()));
        found.cloned().ok_or_else(|| failure(id, action, Class::Gone))
    }
}

impl State {
    /// The object of this namespace and name.
    pub fn object(&self, key: &str) -> Option<&CanaryRollout> {
        self.kubernetes.rollouts.objects.get(key)
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &CanaryRollout> {
        self.kubernetes.rollouts.objects.values()
    }

    /// Of the objects that name this alias, the one that was made first.
    pub fn oldest_object(&self, alias: &str) -> Option<String> {
        let objects = self.objects().filter(|object| object.spec.function.alias == alias);
        let oldest = objects.min_by_key(|object| {
            let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (created, object.namespace(), object.name_any())
        });
        oldest.map(key)
    }

    /// Which objects a version is the stable or the new one of, by their statuses.
    pub fn users_of(&self, version: &str) -> Vec<String> {
        let uses = |object: &&CanaryRollout| {
            let Some(status) = &object.status else { return false };
            let stable = status.stable.as_ref().map(|stable| &stable.version);
            let canary = status.canary.as_ref().filter(|_| status.step.is_some());
            let mut used = stable.into_iter().chain(canary.map(|canary| &canary.version));
            used.any(|used| used == version)
        };
        self.objects().filter(uses).map(key).collect()
    }

    /// The watch, or the list at its start, tells the process of an object.
    pub fn process_is_told(&mut self, object: &CanaryRollout) {
        self.invariants.told(self.now(), &key(object), object);
    }

    /// The watch tells the process that an object is gone.
    pub fn process_forgets(&mut self, key: &str) {
        self.invariants.forgotten(key);
    }

    /// The process sees an object as of a resourceVersion.
    pub fn process_sees(&mut self, object: &CanaryRollout) {
        self.invariants.seen(self.now(), &key(object), object);
    }

    fn apply_status(&mut self, id: &ObjectId, status: &Value) -> Result<Value, Error> {
        let before: CanaryRollout = self.kubernetes.find(id, "apply the status")?;
        let mut after = before.clone();
        after.status = serde_json::from_value(status.clone()).expect("a status of the CRD");
        let changed = after.status != before.status;
        let answer = if changed {
            self.kubernetes.status_writes += 1;
            self.kubernetes.store_rollout(after.clone())
        } else {
            before.clone()
        };
        let spec = self.spec_told(&after);
        let stable = after.status.as_ref().and_then(|status| status.stable.as_ref());
        let stable = stable.map(|one| &*one.version);
        let asked = spec.as_ref().map(|spec| self.asked(&spec.release, stable));
        let phase = after.status.as_ref().and_then(|status| status.phase);
        let message = after.status.as_ref().and_then(|status| status.message.clone());
        self.note(format!("      {phase:?}: {}", message.unwrap_or_default()));
        let alias = self.lambda.alias_named(&after.spec.function.alias).cloned();
        self.look_at_status(&after);
        self.happened(&Event::StatusApplied {
            before: Box::new(before),
            after: Box::new(after),
            asked,
            spec,
            alias,
        });
        self.process_sees(&answer);
        Ok(to_value(&answer))
    }

    /// The spec that the status of an object speaks of.
    pub(super) fn spec_told(&self, object: &CanaryRollout) -> Option<Box<CanaryRolloutSpec>> {
        let generation = object.status.as_ref()?.observed_generation?;
        self.kubernetes.specs.get(&(key(object), generation)).cloned().map(Box::new)
    }

    /// What a release asks for, and what a version has of it.
    pub fn asked(&self, release: &Release, served: Option<&str>) -> Asked {
        let digest = |uri: &str| uri.rsplit_once("sha256:").map(|(_, digest)| digest.to_owned());
        let image = release.image.as_ref().and_then(|image| digest(&image.uri));
        let archive = release.s3.as_ref().map(|s3| format!("sha-of-{}", s3.key));
        let code_of = |version| self.lambda.functions.code_of(version).map(str::to_owned);
        Asked {
            version: release.version.clone(),
            code_sha256: image.or(archive),
            served_code: served.and_then(code_of),
        }
    }

    fn set_finalizers(&mut self, id: &ObjectId, put: &Finalizers) -> Result<Value, Error> {
        let before: CanaryRollout = self.kubernetes.find(id, Finalizers::ACTION)?;
        let Some(after) = put.onto(id, &before)? else { return Ok(to_value(&before)) };
        let after = self.kubernetes.store_rollout(after);
        self.note(format!("      finalizers {:?}", put.all));
        let alias = self.lambda.alias_named(&after.spec.function.alias).cloned();
        if is_ours(&before) && !is_ours(&after) {
            self.happened(&Event::FinalizerRemoved { object: Box::new(before), alias });
        } else {
            self.happened(&Event::FinalizerAdded);
        }
        self.process_sees(&after);
        Ok(to_value(&after))
    }
}

/// Finalizers that are to be on an object as of a resourceVersion.
pub(super) struct Finalizers {
    version: String,
    pub(super) all: Vec<String>,
}

impl Finalizers {
    pub(super) const ACTION: &'static str = "set the finalizers";

    /// The object with them; none where it has them.
    pub(super) fn onto<K: Stored>(&self, id: &ObjectId, before: &K) -> Result<Option<K>, Error> {
        if before.resource_version().as_ref() != Some(&self.version) {
            return Err(failure(id, Self::ACTION, Class::Conflict));
        }
        let adds = self.all.iter().any(|one| !before.finalizers().contains(one));
        if adds && before.meta().deletion_timestamp.is_some() {
            return Err(failure(id, Self::ACTION, Class::Invalid));
        }
        let mut after = before.clone();
        *after.finalizers_mut() = self.all.clone();
        Ok((after != *before).then_some(after))
    }
}

/// Whether our finalizer is on it.
pub(super) fn is_ours<K: Stored>(object: &K) -> bool {
    object.finalizers().iter().any(|one| one == FINALIZER)
}

impl State {
    /// In a Namespace that is being deleted nothing is made any more.
    fn publish_event(&mut self, id: &ObjectId) -> Result<(), Error> {
        if self.kubernetes.ending.contains(&id.namespace) {
            return Err(failure(id, "publish an event", Class::Denied));
        }
        self.kubernetes.events += 1;
        Ok(())
    }
}

pub(super) fn to_value<K: Stored>(object: &K) -> Value {
    serde_json::to_value(object).expect("an object of the CRD")
}

fn failure(id: &ObjectId, action: &'static str, class: Class) -> Error {
    let message = format!("{class:?}");
    Error { action, object: id.to_string(), class, message }
}

fn refusal(id: &ObjectId, action: &'static str, fault: &Fault) -> Error {
    let class = match fault {
        Fault::Denied => Class::Denied,
        Fault::Conflict => Class::Conflict,
        Fault::Lost
        | Fault::Stale
        | Fault::Throttled
        | Fault::CrashBefore
        | Fault::CrashAfter
        | Fault::AppliedUnanswered
        | Fault::AppliedLate
        | Fault::OldAnswers
        | Fault::LeaseLost
        | Fault::WatchLost
        | Fault::Meanwhile(_) => Class::Unavailable,
    };
    failure(id, action, class)
}

/// The port of the world.
pub struct Kubernetes(pub Arc<World>);

impl Kubernetes {
    async fn read<K: Stored>(
        &self,
        object: &ObjectId,
        sees: fn(&mut State, &K),
    ) -> Result<Option<Value>, Error> {
        let (id, about) = (object.clone(), object.clone());
        self.0
            .call(
                Sort::KubernetesRead,
                format!("{}get", K::CALLS),
                move |state| {
                    let found = state.kubernetes.find::<K>(&id, "read").ok();
                    found.iter().for_each(|object| sees(state, object));
                    Ok(found.as_ref().map(to_value))
                },
                move |fault| refusal(&about, "read", fault),
            )
            .await
    }
}

/// What calls about an object are told by.
fn calls(id: &ObjectId) -> &'static str {
    if is_window(id) { MaintenanceWindow::CALLS } else { CanaryRollout::CALLS }
}

fn is_window(id: &ObjectId) -> bool {
    id.kind == MaintenanceWindows::NAMES
}

#[async_trait]
impl Port for Kubernetes {
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, Error> {
        if is_window(object) {
            self.read::<MaintenanceWindow>(object, |_, _| {}).await
        } else {
            self.read::<CanaryRollout>(object, State::process_sees).await
        }
    }

    async fn apply_status(&self, object: &ObjectId, status: &Value) -> Result<Value, Error> {
        let (id, about, status) = (object.clone(), object.clone(), status.clone());
        self.0
            .call(
                Sort::KubernetesWrite,
                format!("{}apply status", calls(object)),
                move |state| {
                    if is_window(&id) {
                        state.apply_window_status(&id, &status)
                    } else {
                        state.apply_status(&id, &status)
                    }
                },
                move |fault| refusal(&about, "apply the status", fault),
            )
            .await
    }

    async fn set_finalizers(
        &self,
        object: &ObjectId,
        resource_version: &str,
        finalizers: &[String],
    ) -> Result<Value, Error> {
        let (id, about) = (object.clone(), object.clone());
        let version = resource_version.to_owned();
        let put = Finalizers { version, all: finalizers.to_vec() };
        self.0
            .call(
                Sort::KubernetesWrite,
                format!("{}set finalizers", calls(object)),
                move |state| {
                    if is_window(&id) {
                        state.set_window_finalizers(&id, &put)
                    } else {
                        state.set_finalizers(&id, &put)
                    }
                },
                move |fault| refusal(&about, Finalizers::ACTION, fault),
            )
            .await
    }

    async fn publish_event(&self, object: &ObjectId, event: &Note) -> Result<(), Error> {
        let (id, about) = (object.clone(), object.clone());
        self.0
            .call(
                Sort::KubernetesEvent,
                format!("{}event {}", calls(object), event.reason),
                move |state| state.publish_event(&id),
                move |fault| refusal(&about, "publish an event", fault),
            )
            .await
    }
}
