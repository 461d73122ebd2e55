//! When it was last looked for mute rules that nobody knows of: after each start, and now and then.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How often it is looked again: what is left over ends by itself, within 15 days.
const AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// When each window was last swept; empty after a start.
#[derive(Default)]
pub struct Sweeps(Mutex<HashMap<(String, String), Timestamp>>);

impl Sweeps {
    /// Whether a window's rules are to be looked through.
    #[must_use]
    pub fn is_due(&self, namespace: &str, name: &str, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get(&(namespace.to_owned(), name.to_owned()));
        last.is_none_or(|last| now.duration_since(*last).abs() >= AGAIN)
    }

    /// It was done.
    pub fn done(&self, namespace: &str, name: &str, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((namespace.to_owned(), name.to_owned()), now);
    }

    /// The window is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_swept_after_a_start_and_again_after_some_hours() {
        let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let sweeps = Sweeps::default();
        assert!(sweeps.is_due("shop", "weekly", at(0)));
        sweeps.done("shop", "weekly", at(0));
        assert!(!sweeps.is_due("shop", "weekly", at(5)));
        assert!(sweeps.is_due("shop", "weekly", at(6)));
        assert!(sweeps.is_due("shop", "other", at(0)));
        sweeps.forget("shop", "weekly");
        assert!(sweeps.is_due("shop", "weekly", at(0)));
    }
}
