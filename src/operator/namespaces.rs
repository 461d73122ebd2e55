//! What Namespaces say about AWS: read from a watch, kept small, told when it changes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::sync::watch;

use super::changes::Changes;
use crate::{
    api::{REGION_ANNOTATION, ROLE_ANNOTATION},
    aws::accounts::NamespaceFacts,
    context::Namespaces,
    health::Heartbeat,
};

/// What the Namespaces of the cluster say about AWS.
pub struct NamespaceStore {
    known: Mutex<HashMap<String, NamespaceFacts>>,
    /// Names that a list has told since it began; none while there is no list.
    list: Mutex<Option<HashSet<String>>>,
    changed: Changes,
    ready: watch::Sender<bool>,
}

impl Default for NamespaceStore {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            list: Mutex::default(),
            changed: Changes::default(),
            ready: watch::channel(false).0,
        }
    }
}

impl NamespaceStore {
    /// Follows the Namespaces for ever; a watch that breaks is taken up again.
    pub async fn watch(&self, client: Client, heartbeat: Heartbeat) {
        let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
        let events = watcher(api, watcher::Config::default().streaming_lists()).default_backoff();
        futures::stream::select_all([heartbeat.with(events.boxed()).boxed()])
            .for_each(|event| async {
                match event {
                    Ok(event) => self.follow(event),
                    Err(error) => {
                        let error = crate::error::chain(&error);
                        tracing::warn!(error, "cannot watch Namespaces");
                    }
                }
            })
            .await;
    }

    /// Returns once all Namespaces are known.
    pub async fn ready(&self) {
        // The sender lives as long as this store does.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Names of Namespaces that change from now on in what they say about AWS.
    pub fn changes(&self) -> impl Stream<Item = String> + Send + use<> {
        self.changed.stream("Namespaces")
    }

    fn follow(&self, event: watcher::Event<PartialObjectMeta<Namespace>>) {
        match event {
            watcher::Event::Apply(namespace) | watcher::Event::InitApply(namespace) => {
                if let Some(list) = &mut *lock(&self.list) {
                    list.insert(namespace.name_any());
                }
                self.learn(facts(&namespace));
            }
            watcher::Event::Delete(namespace) => {
                lock(&self.known).remove(&namespace.name_any());
            }
            watcher::Event::Init => {
                lock(&self.list).replace(HashSet::new());
            }
            watcher::Event::InitDone => {
                // What a list anew does not have was deleted while nobody watched.
                if let Some(list) = lock(&self.list).take() {
                    lock(&self.known).retain(|name, _| list.contains(name));
                }
                self.ready.send_replace(true);
            }
        }
    }

    fn learn(&self, facts: NamespaceFacts) {
        let name = facts.name.clone();
        let before = lock(&self.known).insert(name.clone(), facts.clone());
        // Objects of a new Namespace may be seen before it is: they knew no more than its name.
        let nothing = || NamespaceFacts { name: name.clone(), ..Default::default() };
        if before.unwrap_or_else(nothing) != facts {
            // Nobody listens before the kinds run; they start from what is known then.
            self.changed.tell(name);
        }
    }
}

/// Nothing here can be left half done, so a lock that a panic poisoned is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Namespaces for NamespaceStore {
    fn facts(&self, name: &str) -> NamespaceFacts {
        let known = lock(&self.known).get(name).cloned();
        known.unwrap_or_else(|| NamespaceFacts { name: name.to_owned(), ..Default::default() })
    }
}

fn facts(namespace: &PartialObjectMeta<Namespace>) -> NamespaceFacts {
    let annotation = |key: &str| namespace.annotations().get(key).cloned();
    NamespaceFacts {
        name: namespace.name_any(),
        region: annotation(REGION_ANNOTATION),
        role_arn: annotation(ROLE_ANNOTATION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str, role: Option<&str>) -> PartialObjectMeta<Namespace> {
        let mut namespace = PartialObjectMeta::<Namespace>::default();
        namespace.metadata.name = Some(name.into());
        let annotations = role.map(|role| (ROLE_ANNOTATION.to_owned(), role.to_owned()));
        namespace.metadata.annotations = Some(annotations.into_iter().collect());
        namespace
    }

    #[tokio::test]
    async fn a_changed_role_is_known_and_told_and_an_unchanged_one_is_not() {
        let store = NamespaceStore::default();
        store.follow(watcher::Event::InitApply(namespace("a", Some("arn:1"))));
        store.follow(watcher::Event::InitDone);
        store.ready().await;
        let mut changes = Box::pin(store.changes());
        store.follow(watcher::Event::Apply(namespace("a", Some("arn:1"))));
        store.follow(watcher::Event::Apply(namespace("b", None)));
        store.follow(watcher::Event::Apply(namespace("a", Some("arn:2"))));
        assert_eq!(changes.next().await.as_deref(), Some("a"));
        assert_eq!(store.facts("a").role_arn.as_deref(), Some("arn:2"));
        store.follow(watcher::Event::Apply(namespace("new", Some("arn:3"))));
        assert_eq!(changes.next().await.as_deref(), Some("new"));
        assert_eq!(
            store.facts("gone"),
            NamespaceFacts { name: "gone".into(), ..Default::default() }
        );
    }
    #[tokio::test]
    async fn a_namespace_that_a_list_anew_does_not_have_is_forgotten() {
        let store = NamespaceStore::default();
        let list = |names: &[&str]| {
            store.follow(watcher::Event::Init);
            for name in names {
                store.follow(watcher::Event::InitApply(namespace(name, Some("arn:1"))));
            }
        };
        list(&["a", "b"]);
        store.follow(watcher::Event::InitDone);
        list(&["b"]);
        assert!(store.facts("a").role_arn.is_some(), "the list is not whole yet");
        store.follow(watcher::Event::InitDone);
        assert_eq!(store.facts("a").role_arn, None);
        assert!(store.facts("b").role_arn.is_some());
    }
}
