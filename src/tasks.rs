//! What tasks of windows need of the process: which documents may be run, what it is about to begin,
//! and Jobs.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    aws::gate::Gate,
    facts::documents::AllowedDocuments,
    jobs::{Jobs, NoCluster},
    kubernetes::leader::Leadership,
};

/// What this process is about to begin, and has not tried yet.
///
/// AWS has no token for most of what tasks begin. So only the process that wrote the intent begins it,
/// once that is published, and takes it off this list just before: whoever finds an intent and not this
/// entry does not know whether it was begun, and only looks for traces of it.
#[derive(Debug, Default)]
pub struct Intents(Mutex<HashMap<(String, String), BTreeSet<String>>>);

impl Intents {
    /// All of one window.
    #[must_use]
    pub fn of(&self, namespace: &str, name: &str) -> BTreeSet<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(namespace.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// An intent is about to be published, or what it was for was surely not begun.
    pub fn note(&self, namespace: &str, name: &str, key: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A window begins one thing at a time: older ones are of no use any more.
        let own = BTreeSet::from([key.to_owned()]);
        known.insert((namespace.to_owned(), name.to_owned()), own);
    }

    /// It is begun now; false where it was not to be.
    #[must_use]
    pub fn take(&self, namespace: &str, name: &str, key: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.get_mut(&(namespace.to_owned(), name.to_owned()));
        own.is_some_and(|own| own.remove(key))
    }

    /// The window is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

/// What tasks of windows need of the process.
pub struct Desk {
    /// Documents of Systems Manager that may be run.
    pub documents: AllowedDocuments,
    /// What this process is about to begin.
    pub intents: Intents,
    /// Jobs of the cluster.
    pub jobs: Arc<dyn Jobs>,
    /// Whether one of them may be made or deleted now.
    pub gate: Gate,
}

/// Runs nothing.
impl Default for Desk {
    fn default() -> Self {
        Self {
            documents: AllowedDocuments::default(),
            intents: Intents::default(),
            jobs: Arc::new(NoCluster),
            gate: Gate::new(Leadership::none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_taken_once_and_by_this_process_alone() {
        let intents = Intents::default();
        assert!(!intents.take("shop", "weekly", "a"));
        intents.note("shop", "weekly", "a");
        assert_eq!(intents.of("shop", "weekly"), BTreeSet::from(["a".to_owned()]));
        assert_eq!(intents.of("shop", "other"), BTreeSet::new());
        assert!(!intents.take("shop", "weekly", "b"));
        assert!(intents.take("shop", "weekly", "a") && !intents.take("shop", "weekly", "a"));
        intents.note("shop", "weekly", "a");
        intents.note("shop", "weekly", "b");
        assert!(!intents.take("shop", "weekly", "a"), "a later one takes its place");
        intents.forget("shop", "weekly");
        assert!(!intents.take("shop", "weekly", "b"));
    }
}
