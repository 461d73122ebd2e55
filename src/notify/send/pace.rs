//! Keeps messages to one peer apart.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep_until};

use super::NotSent;

/// Source: Slack API, "Rate limits": one message a second to an incoming webhook. Statuspage API:
/// one request a second for each key.
const APART: Duration = Duration::from_secs(1);
/// Longest that a message waits for its turn here; what is further back comes with a later pass.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Most peers that are remembered; those whose time is over are forgotten first.
const PEERS_MAX: usize = 4_096;

/// When each peer may be asked next, by the hash of its address or key.
pub(super) struct Pace {
    apart: Duration,
    next: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(APART)
    }
}

impl Pace {
    /// Messages to one peer are so far apart.
    pub(super) fn of(apart: Duration) -> Self {
        Self { apart, next: Mutex::default() }
    }

    /// Waits for the turn of a message to the peer that `secret` stands for.
    pub(super) async fn turn(&self, secret: &str) -> Result<(), NotSent> {
        let now = Instant::now();
        let turn = self.reserve(secret, now);
        let wait = turn.saturating_duration_since(now);
        if wait > WAIT_MAX {
            return Err(NotSent {
                wait: Some(wait),
                message: "other messages to this channel go first".to_owned(),
            });
        }
        sleep_until(turn).await;
        Ok(())
    }

    /// The peer asked for patience.
    pub(super) fn hold(&self, secret: &str, wait: Duration) {
        if let Some(until) = Instant::now().checked_add(wait) {
            self.lock().insert(key(secret), until);
        }
    }

    /// The next turn; it is taken where it is near enough to be waited for.
    fn reserve(&self, secret: &str, now: Instant) -> Instant {
        let mut peers = self.lock();
        if peers.len() >= PEERS_MAX {
            peers.retain(|_, next| *next > now);
        }
        let turn = peers.get(&key(secret)).copied().unwrap_or(now).max(now);
        if turn.saturating_duration_since(now) <= WAIT_MAX && peers.len() < PEERS_MAX {
            peers.insert(key(secret), turn.checked_add(self.apart).unwrap_or(turn));
        }
        turn
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Instant>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No secret is kept.
fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_to_one_peer_are_a_second_apart_and_those_to_others_are_not() {
        let (pace, begun) = (Pace::default(), Instant::now());
        pace.turn("a").await.unwrap();
        pace.turn("b").await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.turn("a").await.unwrap();
        assert_eq!(begun.elapsed(), APART);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_patience_gets_it_and_nobody_waits_for_long() {
        let pace = Pace::default();
        pace.hold("a", Duration::from_secs(30));
        let error = pace.turn("a").await.unwrap_err();
        assert_eq!(error.wait, Some(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(30)).await;
        pace.turn("a").await.unwrap();
    }
}
