//! The part of the engine that knows no watch: which pass runs when, on which state of an object.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher as _},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use jiff::SignedDuration;
use kube::{Resource, ResourceExt, api::ObjectMeta};
use tokio::time::{Instant, timeout};

use super::{
    Kind, Next, backoff,
    rest::{Place, Rest},
    turns::{Class, Turns},
};
use crate::{
    aws::limits::{Announced, Limits},
    context::Context,
    error::Remedy,
    kubernetes::publish,
};

/// Passes at once: enough to keep 15 calls/s busy at 1 s each with room for slow ones, few enough
/// that a burst of objects costs little memory.
const PASSES_AT_ONCE: usize = 32;
/// Passes at once that undo something, beside the others: those may all wait for calls.
const UNDO_AT_ONCE: usize = 32;
/// Longest that one pass may take: queueing for calls under a storm included. What takes longer is
/// dropped and tried again.
pub const PASS_DEADLINE: Duration = Duration::from_secs(120);
/// Passes in a row without going back to the queue: a rollout needs three to take a step.
const PASSES_IN_A_ROW: u32 = 8;
/// After a start, objects at rest are not looked at before: until then those in flight have it all
/// to themselves. 200 of one account take as long, at Lambda's 15 calls/s.
const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_secs(15);
/// Over how long the first look at objects at rest is spread after that.
const FIRST_LOOK_SPREAD_SECS: u64 = 15 * 60;

/// Wait after which an object that cannot be read is tried again; it is told when it changes.
const UNREADABLE_WAIT: Duration = Duration::from_secs(15 * 60);

/// Waits from this long on are rest; shorter ones are those of a few objects at a time.
const REST_MIN: Duration = Duration::from_secs(10);

/// Newer than any resourceVersion: no cache is known to hold our last write.
const UNSURE: u64 = u64::MAX;

/// Makes the passes of one kind, whoever tells it when to look.
pub struct Driver<K: Kind> {
    context: Arc<Context>,
    turns: Arc<Turns>,
    objects: Mutex<HashMap<Key, Known>>,
    rest: Rest<Key>,
    /// What waits to be undone, from when it was told; see [`Limits::announce`].
    announced: Mutex<HashMap<Key, Announced>>,
    kind: std::marker::PhantomData<fn() -> K>,
}

/// Kept in several places for as long as the object is there.
type Key = Arc<Name>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    namespace: String,
    name: String,
}

/// What is known of an object between passes.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Passes that failed in a row.
    failures: u32,
    /// resourceVersion of our last write, or [`UNSURE`].
    written: u64,
    /// Whether its turn for the first look after the start has come.
    introduced: bool,
    /// What the last change that counts left it with; see [`Driver::is_news`].
    trigger: Option<u64>,
    /// Where it rests.
    rests: Option<Place>,
}

impl<K: Kind> Driver<K> {
    /// Knows no object yet.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            turns: Turns::new(PASSES_AT_ONCE, UNDO_AT_ONCE),
            objects: Mutex::default(),
            rest: Rest::default(),
            announced: Mutex::default(),
            kind: std::marker::PhantomData,
        }
    }

    /// Whether an object that a watch told of calls for a look now. What is at rest when the operator
    /// starts rests until its first look instead of waiting among those that are looked at: the tables
    /// of kube's Controller grow with all that it is handed at once, and never shrink. What is to be
    /// undone is told to the limits at once: before it has its turn.
    pub(super) fn calls<O: Resource>(
        &self,
        object: &O,
        load: impl Fn() -> Option<K::Object>,
    ) -> bool {
        let key = key(object);
        if !self.is_news(&key, object.meta()) {
            return false;
        }
        let loaded = load();
        self.announce(&key, loaded.as_ref());
        let first = loaded.and_then(|loaded| self.introduction(&key, &loaded));
        !first.is_some_and(|wait| self.rests(object, wait))
    }

    /// Whether something changed that calls for a look: spec, finalizers, annotations or deletion,
    /// not what passes write into the status.
    fn is_news(&self, key: &Key, meta: &ObjectMeta) -> bool {
        let mut hasher = DefaultHasher::new();
        let deleted = meta.deletion_timestamp.is_some();
        (&meta.uid, meta.generation, deleted, &meta.finalizers).hash(&mut hasher);
        meta.annotations.hash(&mut hasher);
        let trigger = Some(hasher.finish());
        let mut objects = self.lock();
        let known = objects.entry(Arc::clone(key)).or_default();
        std::mem::replace(&mut known.trigger, trigger) != trigger
    }

    fn announce(&self, key: &Key, object: Option<&K::Object>) {
        let undo = object.filter(|object| K::class(object) == Class::Undo);
        let announced = undo.map(|object| self.limits().announce(K::place(object)));
        let mut all = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let _before = match announced {
            Some(announced) => all.insert(Arc::clone(key), announced),
            None => all.remove(key),
        };
    }

    /// The announcement of an object whose turn is to come; none when there is nothing to undo.
    fn announced(&self, key: &Key, object: &K::Object) -> Option<Announced> {
        let mut all = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.remove(key);
        drop(all);
        let undo = K::class(object) == Class::Undo;
        undo.then(|| told.unwrap_or_else(|| self.limits().announce(K::place(object))))
    }

    fn limits(&self) -> &Limits {
        self.context.accounts.limits()
    }

    /// Lets an object rest for a while, instead of a timer of its own; false when that is too short.
    pub(super) fn rests<O: Resource>(&self, object: &O, wait: Duration) -> bool {
        let Some(at) = Instant::now().checked_add(wait).filter(|_| wait >= REST_MIN) else {
            return false;
        };
        let mut objects = self.lock();
        // One that is gone is not looked at again.
        let known = objects.get_key_value(&key(object)).map(|(key, _)| Arc::clone(key));
        let Some(key) = known else { return true };
        let place = self.rest.add(Arc::clone(&key), at);
        let before = objects.get_mut(&key).and_then(|known| known.rests.replace(place));
        before.into_iter().for_each(|place| self.rest.leave(place));
        true
    }

    /// Somebody looks at an object: it rests no more.
    pub(super) fn wakes<O: Resource>(&self, object: &O) {
        let place = self.lock().get_mut(&key(object)).and_then(|known| known.rests.take());
        place.into_iter().for_each(|place| self.rest.leave(place));
    }

    /// Namespace and name of the next object that has rested.
    pub(super) async fn rested(&self) -> (String, String) {
        let key = self.rest.next().await;
        (key.namespace.clone(), key.name.clone())
    }

    /// What its passes are handed.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Makes the passes that are due on an object as a cache holds it, and says after how long to
    /// look at it again unless it changes before. Safe to drop at any time.
    pub async fn look(&self, object: &K::Object) -> Duration {
        self.look_at(&|| Some(object.clone())).await
    }

    /// The same for an object that takes memory only while it is looked at: thousands may wait for
    /// their turn. `load` has none when it cannot be read.
    pub async fn look_at(&self, load: &(dyn Fn() -> Option<K::Object> + Send + Sync)) -> Duration {
        let (key, class, mut undoing) = match Box::pin(self.prepare(load)).await {
            Ok(ready) => ready,
            Err(wait) => return wait,
        };
        let slot = self.turns.take(class, &key.namespace).await;
        self.show_depth();
        // On the heap, so that who waits for a turn takes no memory for it.
        let next = Box::pin(self.take_turn(&key, load, &mut undoing)).await;
        if !matches!(next, Next::Failed { .. }) {
            undoing.take().into_iter().for_each(Announced::done);
        }
        drop(slot);
        self.show_depth();
        self.wait(&key, next)
    }

    /// The passes of one turn, in their bounds: what takes too long or panics harms nobody else.
    async fn take_turn(
        &self,
        key: &Key,
        load: &(dyn Fn() -> Option<K::Object> + Send + Sync),
        undoing: &mut Option<Announced>,
    ) -> Next {
        let started = Instant::now();
        let passes = async {
            let Some(object) = load() else { return Next::failed(Remedy::Later) };
            self.passes(key, &object, undoing).await
        };
        let outcome = AssertUnwindSafe(timeout(PASS_DEADLINE, passes)).catch_unwind().await;
        let next = match outcome {
            Ok(Ok(next)) => next,
            Ok(Err(_)) => {
                tracing::warn!(kind = K::NAMES.kind, namespace = key.namespace, name = key.name,
                    deadline = ?PASS_DEADLINE, "the pass took too long and was dropped");
                Next::failed(Remedy::Retry)
            }
            Err(_) => {
                tracing::error!(
                    kind = K::NAMES.kind,
                    namespace = key.namespace,
                    name = key.name,
                    "the pass panicked; this is a bug of groundcrew, other objects go on"
                );
                Next::failed(Remedy::Later)
            }
        };
        let result = if is_error(next) { "error" } else { "ok" };
        self.context.metrics.reconciled(K::NAMES.kind, result, started.elapsed());
        next
    }

    /// Fetches what the passes will need. Says whose turn to wait for, or how long to wait when it
    /// is too early to look.
    async fn prepare(
        &self,
        load: &(dyn Fn() -> Option<K::Object> + Send + Sync),
    ) -> Result<(Key, Class, Option<Announced>), Duration> {
        let Some(object) = load() else { return Err(UNREADABLE_WAIT) };
        let key = key(&object);
        let undoing = self.announced(&key, &object);
        if let Some(wait) = self.introduction(&key, &object) {
            return Err(wait);
        }
        // Not longer than a pass, and if it panics the pass will tell.
        let prepared = timeout(PASS_DEADLINE, K::prepare(&object, &self.context));
        let _ = AssertUnwindSafe(prepared).catch_unwind().await;
        Ok((key, K::class(&object), undoing))
    }

    fn show_depth(&self) {
        self.context.metrics.queue_depth(K::NAMES.kind, self.turns.depth());
    }

    /// Passes until nothing is left to do at once.
    async fn passes(&self, key: &Key, object: &K::Object, undoing: &mut Option<Announced>) -> Next {
        let Some(mut current) = self.newest(key, object).await else {
            return Next::failed(Remedy::Retry);
        };
        for _ in 0..PASSES_IN_A_ROW {
            let failures = self.known(key).failures;
            let pass = K::pass(&current, &self.context, failures).await;
            if let Some(written) = pass.object {
                self.update(key, |known| known.written = version(&written));
                current = written;
                // What has gone back does not wait for itself to go on.
                match (K::class(&current), undoing.is_some()) {
                    (Class::Undo, false) => {
                        *undoing = Some(self.limits().announce(K::place(&current)));
                    }
                    (Class::Urgent | Class::Other, true) => {
                        undoing.take().into_iter().for_each(Announced::done);
                    }
                    (Class::Undo, true) | (Class::Urgent | Class::Other, false) => {}
                }
            }
            if pass.unsure {
                self.update(key, |known| known.written = UNSURE);
            }
            match pass.next {
                Next::Now => {}
                Next::At(_) | Next::Failed { .. } => return pass.next,
            }
        }
        Next::At(self.context.clock.now())
    }

    /// The object, not older than our last write: the watch may be behind it.
    async fn newest(&self, key: &Key, object: &K::Object) -> Option<K::Object> {
        if version(object) >= self.known(key).written {
            return Some(object.clone());
        }
        match self.context.kubernetes.get(&publish::id(K::NAMES, object)).await {
            Ok(found) => {
                let found = serde_json::from_value(found?).ok()?;
                self.update(key, |known| known.written = version(&found));
                Some(found)
            }
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&error), "cannot read the object again");
                None
            }
        }
    }

    /// How long an object at rest waits for its first look after a start, if it has to.
    fn introduction(&self, key: &Key, object: &K::Object) -> Option<Duration> {
        let introduced = {
            let mut objects = self.lock();
            let known = objects.entry(Arc::clone(key)).or_default();
            std::mem::replace(&mut known.introduced, true)
        };
        if introduced || K::class(object) != Class::Other {
            return None;
        }
        let seconds = backoff::spread(&key.namespace, &key.name, FIRST_LOOK_SPREAD_SECS);
        let now = self.context.clock.now();
        let wait = FIRST_LOOK_AFTER.saturating_add(SignedDuration::from_secs(seconds));
        let then = now.saturating_add(wait).ok()?;
        Some(self.context.clock.until(then, now))
    }

    /// How long to wait for the next look.
    fn wait(&self, key: &Key, next: Next) -> Duration {
        match next {
            Next::Now => Duration::ZERO,
            Next::At(then) => {
                self.update(key, |known| known.failures = 0);
                self.context.clock.until(then, self.context.clock.now())
            }
            Next::Failed { remedy, at_latest } => {
                if is_error(next) {
                    self.update(key, |known| known.failures = known.failures.saturating_add(1));
                }
                let failures = self.known(key).failures;
                let wait = backoff::after(remedy, failures, &key.namespace, &key.name);
                let clock = &self.context.clock;
                at_latest.map_or(wait, |then| wait.min(clock.until(then, clock.now())))
            }
        }
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, namespace: String, name: String) {
        K::forget(&self.context, &namespace, &name);
        let key = Arc::new(Name { namespace, name });
        let _announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let known = self.lock().remove(&key);
        known.and_then(|known| known.rests).into_iter().for_each(|place| self.rest.leave(place));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Known>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, key: &Key) -> Known {
        self.lock().get(key).copied().unwrap_or_default()
    }

    /// What is learnt of an object that was forgotten meanwhile is of no use any more.
    fn update(&self, key: &Key, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.lock().get_mut(key) {
            change(known);
        }
    }
}

/// Whether something went wrong: to let others go first is nothing of that kind.
fn is_error(next: Next) -> bool {
    matches!(next, Next::Failed { remedy, .. } if remedy != Remedy::NextTurn)
}

fn key<K: Resource>(object: &K) -> Key {
    let namespace = object.namespace().unwrap_or_default();
    Arc::new(Name { namespace, name: object.name_any() })
}

/// resourceVersions of one resource grow (KEP-5504); one that is no number counts as newest, because
/// then there is nothing to compare.
fn version<K: Resource>(object: &K) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or(u64::MAX)
}
