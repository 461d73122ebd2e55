//! Objects that are looked at again only after minutes. There may be ten thousand, and the timer of
//! kube's Controller keeps their names four times each.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// When somebody is due, and a number that tells those of one time apart.
pub(super) type Place = (Instant, u64);

/// Who is due when.
pub(super) struct Rest<T> {
    state: Mutex<State<T>>,
    /// Somebody is due earlier than all before.
    earlier: Notify,
}

struct State<T> {
    due: BTreeMap<Place, T>,
    places: u64,
}

impl<T> Default for Rest<T> {
    fn default() -> Self {
        let state = State { due: BTreeMap::new(), places: 0 };
        Self { state: Mutex::new(state), earlier: Notify::new() }
    }
}

impl<T> Rest<T> {
    /// Adds somebody; the place is for [`Rest::leave`].
    pub(super) fn add(&self, who: T, at: Instant) -> Place {
        let mut state = self.lock();
        let place = (at, state.places);
        state.places = state.places.wrapping_add(1);
        state.due.insert(place, who);
        if state.due.first_key_value().is_some_and(|(first, _)| *first == place) {
            self.earlier.notify_one();
        }
        place
    }

    /// Takes somebody out before the time has come.
    pub(super) fn leave(&self, place: Place) {
        self.lock().due.remove(&place);
    }

    /// The next one whose time has come. For one listener; safe to drop at any time.
    pub(super) async fn next(&self) -> T {
        loop {
            let first = {
                let mut state = self.lock();
                match state.due.first_entry() {
                    Some(first) if first.key().0 <= Instant::now() => return first.remove(),
                    first => first.map(|first| first.key().0),
                }
            };
            let Some(at) = first else {
                self.earlier.notified().await;
                continue;
            };
            tokio::select! {
                () = sleep_until(at) => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_comes_in_time_whoever_was_added_first() {
        let rest = Rest::default();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        rest.add("late", at(900));
        rest.add("soon", at(300));
        rest.add("as soon", at(300));
        let leaves = rest.add("leaves", at(400));
        assert_eq!(rest.next().await, "soon");
        assert_eq!(rest.next().await, "as soon");
        assert_eq!(begun.elapsed(), Duration::from_secs(300));
        rest.leave(leaves);
        let waits = async { (rest.next().await, begun.elapsed().as_secs()) };
        let adds = async { rest.add("sooner", at(600)) };
        let (next, _) = tokio::join!(waits, adds);
        assert_eq!(next, ("sooner", 600), "added while the next one was awaited");
        assert_eq!(rest.next().await, "late");
        assert!(timeout(Duration::from_secs(3_600), rest.next()).await.is_err(), "nobody is left");
    }
}
