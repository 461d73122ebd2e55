//! Undo that is queued or under way in this process: moves forward are sent after it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// Longest that moves forward wait without any undo that comes to its end: one that hangs keeps
/// nobody for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The 12 digits of the account.
    pub account: String,
    /// Region.
    pub region: String,
}

/// What is announced, by its place; none is any place.
pub(super) struct Undoing {
    places: Mutex<HashMap<Option<Place>, Under>>,
    changed: watch::Sender<()>,
}

struct Under {
    /// How many.
    count: usize,
    /// When the first of them came, or one of them came to its end.
    since: Instant,
}

/// An undo that is queued or under way; over when dropped.
pub struct Announced {
    undoing: Arc<Undoing>,
    place: Option<Place>,
}

impl Default for Undoing {
    fn default() -> Self {
        Self { places: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl Undoing {
    /// Something is to be undone there; without a place it may be anywhere.
    pub(super) fn announce(self: &Arc<Self>, place: Option<Place>) -> Announced {
        let began = Under { count: 0, since: Instant::now() };
        let mut places = self.lock();
        let under = places.entry(place.clone()).or_insert(began);
        under.count = under.count.saturating_add(1);
        drop(places);
        Announced { undoing: Arc::clone(self), place }
    }

    /// Until when moves forward wait at the latest; none where nothing is to be undone.
    fn until(&self, place: &Place) -> Option<Instant> {
        let places = self.lock();
        let here = [places.get(&Some(place.clone())), places.get(&None)];
        let ends = here.into_iter().flatten().filter_map(|under| under.since.checked_add(PATIENCE));
        ends.max().filter(|end| *end > Instant::now())
    }

    /// Whether moves forward wait.
    pub(super) fn holds(&self, place: &Place) -> bool {
        self.until(place).is_some()
    }

    /// Waits until moves forward need not wait. Safe to drop at any time.
    pub(super) async fn over(&self, place: &Place) {
        let mut changes = self.changed.subscribe();
        while let Some(end) = self.until(place) {
            // It ends by a change or by the time; both are looked at.
            let _ = timeout_at(end, changes.changed()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Place>, Under>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Announced {
    /// It came to its end, as opposed to being given up: the others get more time.
    pub fn done(self) {
        if let Some(under) = self.undoing.lock().get_mut(&self.place) {
            under.since = Instant::now();
        }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let mut places = self.undoing.lock();
        if let Some(under) = places.get_mut(&self.place) {
            under.count = under.count.saturating_sub(1);
            if under.count == 0 {
                places.remove(&self.place);
            }
        }
        drop(places);
        self.undoing.changed.send_replace(());
    }
}
