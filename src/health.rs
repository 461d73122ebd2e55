//! `/livez`, `/readyz` and `/metrics` over HTTP, for the kubelet and Prometheus.
//!
//! Nobody is asked who they are here, so nothing secret may come in: a component's problem names
//! what is missing, never a credential.

mod server;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use tokio::time::Instant;

pub use self::server::{CONNECTION_LIFE, CONNECTIONS_MAX, HealthError, HealthServer, router};
use crate::error::clean;

/// What a component that has not reported yet is said to be.
const NOT_CHECKED: &str = "not checked yet";

/// Which components are ready to work. A cheap handle to share.
///
/// A standby replica is ready too: it could take over at once.
#[derive(Clone, Debug)]
pub struct Readiness {
    components: Arc<Mutex<BTreeMap<&'static str, Result<(), String>>>>,
}

impl Readiness {
    /// Readiness that needs all of `components`, none of which is ready yet.
    #[must_use]
    pub fn new(components: impl IntoIterator<Item = &'static str>) -> Self {
        let missing = |component| (component, Err(NOT_CHECKED.to_owned()));
        let components = components.into_iter().map(missing).collect();
        Self { components: Arc::new(Mutex::new(components)) }
    }

    /// Records that a component is ready, or what it misses. The text is shown to anybody: it is
    /// made one line of at most [`crate::error::MESSAGE_MAX`] characters, and must hold no secret.
    ///
    /// A component that was not declared is needed from now on.
    pub fn set(&self, component: &'static str, state: Result<(), String>) {
        let state = state.map_err(|missing| clean(&missing));
        lock(&self.components).insert(component, state);
    }

    /// One line per component that is not ready, "component: what it misses"; none when all are.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let components = lock(&self.components);
        let lines = components.iter().filter_map(|(component, state)| {
            state.as_ref().err().map(|missing| format!("{component}: {missing}"))
        });
        lines.collect()
    }
}

/// Which loops of the process still turn. A cheap handle to share.
#[derive(Clone, Debug, Default)]
pub struct Liveness {
    loops: Arc<Mutex<BTreeMap<String, Pulse>>>,
}

#[derive(Clone, Copy, Debug)]
struct Pulse {
    last: Instant,
    bound: Duration,
}

impl Liveness {
    /// Liveness of a process whose loops are yet to be supervised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Supervises a loop: it must beat at least once in every `bound` from now on. The same name
    /// again replaces the former loop.
    ///
    /// A heartbeat that is dropped goes stale: the loop may have panicked.
    #[must_use]
    pub fn supervise(&self, name: impl Into<String>, bound: Duration) -> Heartbeat {
        let name = name.into();
        lock(&self.loops).insert(name.clone(), Pulse { last: Instant::now(), bound });
        Heartbeat { name, liveness: self.clone() }
    }

    /// One line per loop that is stuck; none when all turn.
    #[must_use]
    pub fn stuck(&self) -> Vec<String> {
        let loops = lock(&self.loops);
        let lines = loops.iter().filter_map(|(name, pulse)| {
            let silent = pulse.last.elapsed();
            let (age, bound) = (silent.as_secs(), pulse.bound.as_secs());
            (silent > pulse.bound)
                .then(|| format!("{name}: no sign of life for {age} s, expected within {bound} s"))
        });
        lines.collect()
    }
}

/// By which a supervised loop shows that it turns.
#[derive(Debug)]
pub struct Heartbeat {
    name: String,
    liveness: Liveness,
}

impl Heartbeat {
    /// Shows that the loop turns.
    pub fn beat(&self) {
        if let Some(pulse) = lock(&self.liveness.loops).get_mut(&self.name) {
            pulse.last = Instant::now();
        }
    }

    /// A stream that beats whenever it is polled.
    ///
    /// Under something that polls a stream only once it was woken, such as
    /// [`futures::stream::select_all`], that is each sign of life of what the stream waits for, also
    /// where nothing comes of it: a time-out, the next try, a bookmark of a watch.
    pub fn with<S: Stream + Unpin>(self, mut stream: S) -> impl Stream<Item = S::Item> {
        futures::stream::poll_fn(move |context| {
            self.beat();
            stream.poll_next_unpin(context)
        })
    }
}

/// No update here can be left half done, so a lock that a panic poisoned is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
