//! What people do in Kubernetes.

use groundcrew::{
    api::{ABANDON_ANNOTATION, canary_rollout::CanaryRollout},
    names::Mark,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use super::{NAMESPACE, State, kubernetes, sights::Sight, windows::WindowEdit};
use crate::history::Event;

impl State {
    /// Somebody applies a new object.
    pub fn create_object(&mut self, mut object: CanaryRollout) {
        self.kubernetes.uids += 1;
        object.metadata.namespace.get_or_insert_with(|| NAMESPACE.into());
        object.metadata.uid = Some(format!("uid-{}", self.kubernetes.uids));
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp.get_or_insert(Time(self.now()));
        self.kubernetes.store_rollout(object);
    }

    /// Somebody changes the object; another spec is another generation.
    pub fn edit_object(&mut self, key: &str, change: impl FnOnce(&mut CanaryRollout)) {
        let Some(before) = self.kubernetes.rollouts.objects.get(key).cloned() else { return };
        let mut after = before.clone();
        change(&mut after);
        if after.spec != before.spec {
            after.metadata.generation = before.metadata.generation.map(|number| number + 1);
        }
        if after != before {
            self.kubernetes.store_rollout(after);
            self.happened(&Event::PersonEdited);
        }
    }

    /// Somebody deletes the object: it stays while it has finalizers.
    pub fn delete_object(&mut self, key: &str) {
        let now = self.now();
        self.edit_object(key, |object| {
            if object.metadata.deletion_timestamp.is_none() {
                object.metadata.deletion_timestamp = Some(Time(now));
                object.metadata.generation = object.metadata.generation.map(|number| number + 1);
            }
        });
    }

    /// Somebody deletes the Namespace of the object: all objects in it are deleted, and from now on
    /// nothing is made in it.
    pub fn delete_namespace(&mut self, key: &str) {
        let namespace = key.split('/').next().unwrap_or_default().to_owned();
        let within = |object: &&CanaryRollout| object.namespace().as_ref() == Some(&namespace);
        let objects: Vec<String> = self.objects().filter(within).map(kubernetes::key).collect();
        let flies = |object: &CanaryRollout| {
            object.status.as_ref().is_some_and(|status| status.step.is_some())
        };
        if self.object(key).is_some_and(flies) {
            self.saw(Sight::NamespaceEnded);
        }
        let windows =
            self.windows().filter(|window| window.namespace().as_ref() == Some(&namespace));
        let windows: Vec<String> = windows.map(|window| window.name_any()).collect();
        self.kubernetes.ending.insert(namespace);
        objects.iter().for_each(|object| self.delete_object(object));
        windows.iter().for_each(|name| self.edit_window(name, &WindowEdit::Delete));
    }

    /// Somebody took our finalizer away: the operator cannot know before it sees the object.
    pub fn person_took_finalizer(&mut self, key: &str) {
        let version = self.kubernetes.version;
        self.kubernetes.let_go_by_people.insert(key.to_owned());
        self.invariants.finalizer_taken(key, version);
    }

    /// Whether people chose to leave what was in flight.
    pub fn let_go_by_people(&self, key: &str) -> bool {
        self.kubernetes.let_go_by_people.contains(key)
    }

    /// A person lets the object go without undoing.
    pub fn abandon(&mut self, key: &str) {
        self.kubernetes.let_go_by_people.insert(key.to_owned());
        self.edit_object(key, |object| {
            object.annotations_mut().insert(ABANDON_ANNOTATION.into(), "true".into());
        });
    }

    /// A person empties the status.
    pub fn empty_status(&mut self, key: &str) {
        let Some(object) = self.object(key) else { return };
        let alias = self.lambda.alias_named(&object.spec.function.alias);
        let marked = alias.is_some_and(|alias| Mark::read(&alias.description).is_some());
        if !marked {
            self.kubernetes.status_emptied.insert(key.to_owned());
        }
        self.invariants.status_emptied(key, marked);
        self.edit_object(key, |object| object.status = None);
    }

    /// Whether a status was emptied that nothing else told of.
    pub fn status_is_lost(&self, key: &str) -> bool {
        self.kubernetes.status_emptied.contains(key)
    }
}
