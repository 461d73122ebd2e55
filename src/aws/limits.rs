//! Spaces the calls: one token bucket per account, region and API family.
//!
//! Who waits is served by [`Priority`] first. Within a priority the namespaces take turns, and
//! within a namespace it is first come, first served. A throttle slows the bucket down at once and
//! it recovers slowly.

mod bucket;
#[cfg(test)]
mod tests;
mod undoing;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

pub use self::undoing::{Announced, Place};
use self::{bucket::Bucket, undoing::Undoing};
use crate::aws::operations::Family;

/// Most callers that wait in one bucket at one priority: at Lambda's 14 calls/s more than a minute
/// of calls, longer than any pass lasts. Each priority has its own, so that drift checks can never
/// crowd out a rollback.
pub const WAITING_MAX: usize = 1_000;

/// From this many buckets on (a thousand accounts and regions with a few families each), those that
/// nobody uses and that are full again are forgotten when a new one is made.
pub const BUCKETS_KEPT: usize = 4_096;

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Rollback, abort, giving back: always before everything else.
    Undo,
    /// Work under way.
    Work,
    /// The same, where it moves something forward: while anything is announced to be undone there
    /// ([`Limits::announce`]), it is not sent.
    Advance,
    /// A look at what should be healthy: only when no work waits.
    Drift,
}

impl Priority {
    /// Those with a queue of their own, highest first.
    pub const QUEUES: [Self; 3] = [Self::Undo, Self::Work, Self::Drift];
}

/// What one bucket is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The 12 digits of the account; empty while it is not known yet.
    pub account: String,
    /// Region.
    pub region: String,
    /// Calls that share one limit there.
    pub family: Family,
}

/// Longest that a move forward waits in its pass for what is to be undone: the pass holds a slot that
/// others need, so it comes again instead.
const BEHIND_UNDO_MAX: Duration = Duration::from_secs(1);

/// Why a call gets no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// [`WAITING_MAX`] callers wait already.
    #[error("too many calls wait for this API's rate limit")]
    TooManyWaiting,
    /// Something is still to be undone.
    #[error("what has to go back in this account and region goes first")]
    UndoFirst,
}

/// All token buckets of this process.
#[derive(Default)]
pub struct Limits {
    buckets: Mutex<HashMap<Key, Arc<Bucket>>>,
    undoing: Arc<Undoing>,
}

impl Limits {
    /// Waits until one call may be sent.
    ///
    /// Safe to drop at any time: the place in the queue and a token that was not taken go back.
    ///
    /// # Errors
    ///
    /// [`NoToken::TooManyWaiting`] at once when the queue is full, and for [`Priority::Advance`]
    /// [`NoToken::UndoFirst`] after a second.
    pub async fn token(
        &self,
        key: &Key,
        priority: Priority,
        namespace: &str,
    ) -> Result<(), NoToken> {
        let bucket = self.bucket(key);
        if priority != Priority::Advance {
            return bucket.take(priority, namespace).await;
        }
        let place = Place { account: key.account.clone(), region: key.region.clone() };
        loop {
            let over = timeout(BEHIND_UNDO_MAX, self.undoing.over(&place)).await;
            over.map_err(|_| NoToken::UndoFirst)?;
            bucket.take(priority, namespace).await?;
            if !self.undoing.holds(&place) {
                return Ok(());
            }
            // It was announced while this one queued: the token is for the undo.
            bucket.put_back();
        }
    }

    /// Something is to be undone, from now until the answer is dropped: in this account and region, or
    /// anywhere where that is not known. Until then nothing moves forward there, but not for longer
    /// than 5 s without an undo that comes to its end.
    #[must_use]
    pub fn announce(&self, place: Option<Place>) -> Announced {
        self.undoing.announce(place)
    }

    /// AWS throttled a call of this bucket: slows down, and sends nothing for `retry_after`.
    pub fn throttled(&self, key: &Key, retry_after: Option<Duration>) {
        self.bucket(key).throttled(retry_after);
    }

    fn bucket(&self, key: &Key) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(key) {
            return Arc::clone(bucket);
        }
        if buckets.len() >= BUCKETS_KEPT {
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_idle());
        }
        let bucket = Arc::new(Bucket::new(key.family.per_second(), key.family.burst()));
        buckets.insert(key.clone(), Arc::clone(&bucket));
        bucket
    }
}
