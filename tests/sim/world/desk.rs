//! The objects of one kind, as a process has them: what its watch told, and when to look at each.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use groundcrew::{
    context::Context,
    engine::{Driver, Kind},
};
use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

use super::{
    ACTING,
    shelf::{Stored, Watched, key},
};

/// What the watch told of all objects, by `namespace/name`.
pub struct Cache<K>(Arc<Mutex<BTreeMap<String, K>>>);

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Cache<K> {
    pub fn all(&self) -> MutexGuard<'_, BTreeMap<String, K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A kind's driver, and what it is told.
pub struct Desk<K: Kind> {
    pub driver: Arc<Driver<K>>,
    cache: Cache<K::Object>,
    /// Generation, finalizers and annotations when a change last counted.
    triggers: HashMap<String, Trigger>,
    due: BTreeMap<String, Instant>,
    /// What is looked at now.
    looked_at: BTreeSet<String>,
}

type Trigger = (Option<i64>, Vec<String>, BTreeMap<String, String>);

impl<K: Kind<Object: Stored + Sync>> Desk<K> {
    pub fn new(context: Arc<Context>, cache: Cache<K::Object>) -> Self {
        Self {
            driver: Arc::new(Driver::new(context)),
            cache,
            triggers: HashMap::new(),
            due: BTreeMap::new(),
            looked_at: BTreeSet::new(),
        }
    }

    /// Begins the looks that are due; `acting` says on whose behalf each makes its calls.
    pub fn look(
        &mut self,
        looks: &mut super::operator::Looks,
        acting: impl Fn(&str, &K::Object) -> String,
    ) {
        while let Some((key, object)) = self.next() {
            let driver = Arc::clone(&self.driver);
            let acting = acting(&key, &object);
            self.looked_at.insert(key.clone());
            let look = ACTING.scope(acting, async move { driver.look(&object).await });
            looks.insert((K::NAMES.kind, key), Box::pin(look));
        }
    }

    /// A look at an object has ended; the next one comes at this time.
    pub fn looked(&mut self, key: String, again: Instant) {
        self.looked_at.remove(&key);
        let at = self.due.entry(key).or_insert(again);
        *at = again.min(*at);
    }

    /// The next object that is due, unless it is looked at.
    fn next(&mut self) -> Option<(String, K::Object)> {
        let now = Instant::now();
        loop {
            let idle =
                |(key, at): &(&String, &Instant)| **at <= now && !self.looked_at.contains(*key);
            let key = self.due.iter().find(idle).map(|(key, _)| key.clone())?;
            self.due.remove(&key);
            let object = self.cache.all().get(&key).cloned();
            if let Some(object) = object {
                return Some((key, object));
            }
        }
    }

    /// When something is due that is not looked at.
    pub fn next_due(&self) -> Option<Instant> {
        let idle = self.due.iter().filter(|(key, _)| !self.looked_at.contains(*key));
        idle.map(|(_, at)| *at).min()
    }

    /// Looks at once at the objects of which this is so.
    pub fn wake(&mut self, concerned: impl Fn(&K::Object) -> bool) {
        let all = self.cache.all();
        for (key, _) in all.iter().filter(|(_, object)| concerned(object)) {
            self.due.insert(key.clone(), Instant::now());
        }
    }

    /// The watch tells of an object.
    pub fn learn(&mut self, watched: Watched<K::Object>) {
        match watched {
            Watched::Applied(object) => {
                let key = key(&*object);
                let trigger = (
                    object.meta().generation,
                    object.finalizers().to_vec(),
                    object.annotations().clone(),
                );
                if self.triggers.insert(key.clone(), trigger.clone()) != Some(trigger) {
                    self.due.insert(key.clone(), Instant::now());
                }
                self.cache.all().insert(key, *object);
            }
            Watched::Deleted(key) => {
                let (namespace, name) = key.split_once('/').expect("a namespace and a name");
                self.driver.forget(namespace.into(), name.into());
                self.cache.all().remove(&key);
                self.triggers.remove(&key);
                self.due.remove(&key);
            }
        }
    }
}
