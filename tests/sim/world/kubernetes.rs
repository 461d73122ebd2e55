//! The API server with one kind: versions, generations, finalizers, the status subresource, and a
//! watch that may be late.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use groundcrew::{
    api::{
        ABANDON_ANNOTATION, FINALIZER,
        canary_rollout::{CanaryRollout, Release},
    },
    kubernetes::port::{Class, Error, Event as Note, ObjectId, Port},
    names::Mark,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use serde_json::Value;
use tokio::time::Instant;

use super::{NAME, NAMESPACE, State, World};
use crate::{
    faults::{Fault, Sort},
    history::{Asked, Event},
};

/// How long a change takes to reach those who watch.
const WATCH_LAG: Duration = Duration::from_millis(35);
/// How long it takes until a broken watch is taken up again.
const WATCH_BROKEN: Duration = Duration::from_secs(40);

/// What the API server stores.
#[derive(Default)]
pub struct Store {
    objects: BTreeMap<String, CanaryRollout>,
    /// Specs by name and generation.
    specs: BTreeMap<(String, i64), Release>,
    version: u64,
    uids: u64,
    watch: VecDeque<(Instant, Watched)>,
    watch_broken_until: Option<Instant>,
    /// How many Events people were told.
    pub events: usize,
    /// Status writes that were applied.
    pub status_writes: u32,
    /// A person let the object go, or took our finalizer.
    let_go_by_people: bool,
    status_emptied: bool,
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub enum Watched {
    /// The object is like this now.
    Applied(Box<CanaryRollout>),
    /// The object is gone.
    Deleted(String),
}

impl Store {
    /// From now on changes are told late.
    pub fn break_watch(&mut self) {
        self.watch_broken_until = Some(Instant::now() + WATCH_BROKEN);
    }

    /// All objects: what a process that starts lists. Whatever was to be told is in it.
    pub fn list(&mut self) -> Vec<CanaryRollout> {
        self.watch.clear();
        self.watch_broken_until = None;
        self.objects.values().cloned().collect()
    }

    /// When the watch tells something next.
    pub fn next_watched(&self) -> Option<Instant> {
        self.watch.front().map(|(at, _)| *at)
    }

    /// What the watch has told by now.
    pub fn watched(&mut self) -> Option<Watched> {
        let due = self.next_watched()? <= Instant::now();
        if due { self.watch.pop_front().map(|(_, what)| what) } else { None }
    }

    /// The version that a generation of the spec asks for.
    pub fn asked(&self, name: &str, generation: i64) -> Option<&Release> {
        self.specs.get(&(name.to_owned(), generation))
    }

    fn tell(&mut self, what: Watched) {
        let soon = Instant::now() + WATCH_LAG;
        let broken = self.watch_broken_until.unwrap_or(soon);
        let last = self.watch.back().map_or(soon, |(at, _)| *at);
        self.watch.push_back((soon.max(broken).max(last), what));
    }

    /// Stores a changed object under a new resourceVersion and tells it; gone once it is being
    /// deleted and has no finalizers.
    fn store(&mut self, mut object: CanaryRollout) -> CanaryRollout {
        self.version += 1;
        object.metadata.resource_version = Some(self.version.to_string());
        let name = object.name_any();
        let generation = object.metadata.generation.unwrap_or_default();
        self.specs.insert((name.clone(), generation), object.spec.release.clone());
        if object.metadata.deletion_timestamp.is_some() && object.finalizers().is_empty() {
            self.objects.remove(&name);
            self.tell(Watched::Deleted(name));
        } else {
            self.objects.insert(name, object.clone());
            self.tell(Watched::Applied(Box::new(object.clone())));
        }
        object
    }

    fn find(&self, id: &ObjectId, action: &'static str) -> Result<CanaryRollout, Error> {
        let found = self.objects.get(&id.name);
        let found = found.filter(|object| object.uid().as_deref() == Some(id.uid.as_str()));
        found.cloned().ok_or_else(|| failure(id, action, Class::Gone))
    }
}

impl State {
    /// The object of this name.
    pub fn object(&self, name: &str) -> Option<&CanaryRollout> {
        self.kubernetes.objects.get(name)
    }

    /// The name of the object that was made first.
    pub fn oldest_object(&self) -> Option<String> {
        let objects = self.kubernetes.objects.values();
        let oldest = objects.min_by_key(|object| {
            (object.metadata.creation_timestamp.as_ref().map(|time| time.0), object.name_any())
        });
        oldest.map(kube::ResourceExt::name_any)
    }

    /// Somebody applies a new object.
    pub fn create_object(&mut self, mut object: CanaryRollout) {
        self.kubernetes.uids += 1;
        object.metadata.namespace = Some(NAMESPACE.into());
        object.metadata.uid = Some(format!("uid-{}", self.kubernetes.uids));
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp.get_or_insert(Time(self.now()));
        self.kubernetes.store(object);
    }

    /// Somebody changes the object; another spec is another generation.
    pub fn edit_object(&mut self, change: impl FnOnce(&mut CanaryRollout)) {
        let Some(before) = self.kubernetes.objects.get(NAME).cloned() else { return };
        let mut after = before.clone();
        change(&mut after);
        if after.spec != before.spec {
            after.metadata.generation = before.metadata.generation.map(|number| number + 1);
        }
        if after != before {
            self.kubernetes.store(after);
            self.happened(&Event::PersonEdited);
        }
    }

    /// Somebody deletes the object: it stays while it has finalizers.
    pub fn delete_object(&mut self) {
        let now = self.now();
        self.edit_object(|object| {
            if object.metadata.deletion_timestamp.is_none() {
                object.metadata.deletion_timestamp = Some(Time(now));
                object.metadata.generation = object.metadata.generation.map(|number| number + 1);
            }
        });
    }

    /// Somebody took our finalizer away: the operator cannot know before it sees the object.
    pub fn person_took_finalizer(&mut self) {
        let version = self.kubernetes.version;
        self.kubernetes.let_go_by_people = true;
        self.invariants.finalizer_taken(version);
    }

    /// Whether people chose to leave what was in flight.
    pub fn let_go_by_people(&self) -> bool {
        self.kubernetes.let_go_by_people
    }

    /// A person lets the object go without undoing.
    pub fn abandon(&mut self) {
        self.kubernetes.let_go_by_people = true;
        self.edit_object(|object| {
            object.annotations_mut().insert(ABANDON_ANNOTATION.into(), "true".into());
        });
    }

    /// A person empties the status.
    pub fn empty_status(&mut self) {
        let marked =
            self.lambda.alias().is_some_and(|alias| Mark::read(&alias.description).is_some());
        self.kubernetes.status_emptied |= !marked;
        self.invariants.status_emptied(marked);
        self.edit_object(|object| object.status = None);
    }

    /// Whether a status was emptied that nothing else told of.
    pub fn status_is_lost(&self) -> bool {
        self.kubernetes.status_emptied
    }

    /// The process sees an object as of a resourceVersion.
    pub fn process_sees(&mut self, object: &CanaryRollout) {
        let version = object.resource_version().and_then(|version| version.parse().ok());
        self.invariants.seen(version.unwrap_or_default());
    }

    fn apply_status(&mut self, id: &ObjectId, status: &Value) -> Result<Value, Error> {
        let before = self.kubernetes.find(id, "apply the status")?;
        let mut after = before.clone();
        after.status = serde_json::from_value(status.clone()).expect("a status of the CRD");
        let changed = after.status != before.status;
        let answer = if changed {
            self.kubernetes.status_writes += 1;
            self.kubernetes.store(after.clone())
        } else {
            before.clone()
        };
        let generation = after.status.as_ref().and_then(|status| status.observed_generation);
        let release = generation.and_then(|number| self.kubernetes.asked(&id.name, number));
        let stable = after.status.as_ref().and_then(|status| status.stable.as_ref());
        let asked = release.map(|release| self.asked(release, stable.map(|one| &*one.version)));
        let phase = after.status.as_ref().and_then(|status| status.phase);
        let message = after.status.as_ref().and_then(|status| status.message.clone());
        self.note(format!("      {phase:?}: {}", message.unwrap_or_default()));
        let alias = self.lambda.alias().cloned();
        self.happened(&Event::StatusApplied {
            before: Box::new(before),
            after: Box::new(after),
            asked,
            alias,
        });
        self.process_sees(&answer);
        Ok(to_value(&answer))
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

    fn set_finalizers(
        &mut self,
        id: &ObjectId,
        version: &str,
        finalizers: &[String],
    ) -> Result<Value, Error> {
        let action = "set the finalizers";
        let before = self.kubernetes.find(id, action)?;
        if before.resource_version().as_deref() != Some(version) {
            return Err(failure(id, action, Class::Conflict));
        }
        let adds = finalizers.iter().any(|one| !before.finalizers().contains(one));
        if adds && before.metadata.deletion_timestamp.is_some() {
            return Err(failure(id, action, Class::Invalid));
        }
        let mut after = before.clone();
        *after.finalizers_mut() = finalizers.to_vec();
        if after == before {
            return Ok(to_value(&before));
        }
        let after = self.kubernetes.store(after);
        let ours = |object: &CanaryRollout| object.finalizers().iter().any(|one| one == FINALIZER);
        self.note(format!("      finalizers {finalizers:?}"));
        let alias = self.lambda.alias().cloned();
        if ours(&before) && !ours(&after) {
            self.happened(&Event::FinalizerRemoved { object: Box::new(before), alias });
        } else {
            self.happened(&Event::FinalizerAdded);
        }
        self.process_sees(&after);
        Ok(to_value(&after))
    }
}

fn to_value(object: &CanaryRollout) -> Value {
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

#[async_trait]
impl Port for Kubernetes {
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, Error> {
        let (id, about) = (object.clone(), object.clone());
        self.0
            .call(
                Sort::KubernetesRead,
                "get".into(),
                move |state| {
                    let found = state.kubernetes.find(&id, "read").ok();
                    found.iter().for_each(|object| state.process_sees(object));
                    Ok(found.as_ref().map(to_value))
                },
                move |fault| refusal(&about, "read", fault),
            )
            .await
    }

    async fn apply_status(&self, object: &ObjectId, status: &Value) -> Result<Value, Error> {
        let (id, about, status) = (object.clone(), object.clone(), status.clone());
        self.0
            .call(
                Sort::KubernetesWrite,
                "apply status".into(),
                move |state| state.apply_status(&id, &status),
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
        let (version, finalizers) = (resource_version.to_owned(), finalizers.to_vec());
        self.0
            .call(
                Sort::KubernetesWrite,
                "set finalizers".into(),
                move |state| state.set_finalizers(&id, &version, &finalizers),
                move |fault| refusal(&about, "set the finalizers", fault),
            )
            .await
    }

    async fn publish_event(&self, object: &ObjectId, event: &Note) -> Result<(), Error> {
        let about = object.clone();
        self.0
            .call(
                Sort::KubernetesEvent,
                format!("event {}", event.reason),
                move |state| {
                    state.kubernetes.events += 1;
                    Ok(())
                },
                move |fault| refusal(&about, "publish an event", fault),
            )
            .await
    }
}
