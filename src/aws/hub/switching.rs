//! Who switches alarms off takes turns, in each account and region.
//!
//! It looks whether they act and then switches. Two at once would both see that an alarm acts, and
//! the later call would look like a change that somebody made after the earlier one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use super::Hub;
use crate::aws::{limits::Place, session::Session};

/// The turns; those that nobody waits for are forgotten when a new one is made.
#[derive(Default)]
pub(super) struct Switching(Mutex<HashMap<Place, Arc<tokio::sync::Mutex<()>>>>);

impl Switching {
    fn of(&self, place: Place) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|other, turn| *other == place || Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(place).or_default())
    }
}

impl Hub {
    /// Waits for the turn to switch alarms off; over when dropped. Safe to drop at any time.
    pub async fn switching(&self, session: &Session) -> OwnedMutexGuard<()> {
        let place =
            Place { account: session.account().to_owned(), region: session.region().to_owned() };
        self.switching.of(place).lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn turns_are_taken_in_each_account_and_region_and_forgotten_afterwards() {
        let place = |region: &str| Place { account: "1".into(), region: region.into() };
        let switching = Switching::default();
        let first = switching.of(place("a")).lock_owned().now_or_never().unwrap();
        assert!(switching.of(place("a")).lock_owned().now_or_never().is_none());
        let other = switching.of(place("b")).lock_owned().now_or_never();
        assert!(other.is_some());
        drop(first);
        assert!(switching.of(place("a")).lock_owned().now_or_never().is_some());
        drop(other);
        switching.of(place("c"));
        assert_eq!(switching.0.lock().unwrap().len(), 1);
    }
}
