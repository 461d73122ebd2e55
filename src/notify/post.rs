//! Posts what a pass found due, within bounds: a peer that is slow holds up a few passes only, and no
//! opening.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::{
    due::{Due, Ledger},
    message::Message,
    send::{Deliver, NotSent, SEND_TIMEOUT, Sent, Topics},
};
use crate::{
    api::channel::Channel, aws::gate::Gate, context::Clock, metrics::Metrics, time::moments,
};

/// Most passes that send at once: half of those that run, so that openings always have a place.
const PASSES_AT_ONCE: usize = 16;
/// How soon a pass that found no place looks again.
pub const AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// What is to change this soon changes first: sending may take as long, and more to write it down.
pub const AHEAD: SignedDuration = SignedDuration::from_secs(30);
const _: () = assert!(SEND_TIMEOUT.as_secs() + 10 <= AHEAD.as_secs().unsigned_abs());

/// Where passes post their notices.
pub struct Post {
    deliver: Arc<dyn Deliver>,
    gate: Gate,
    clock: Clock,
    metrics: Metrics,
    turns: Semaphore,
    unrecorded: Mutex<HashMap<Sender, Vec<Posted>>>,
}

/// The object on whose behalf a notice is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sender {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A notice that is ready to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What is due.
    pub due: Due,
    /// Where it goes.
    pub channel: Channel,
    /// What it says.
    pub message: Message,
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// What was due.
    pub due: Due,
    /// When that was known.
    pub at: Timestamp,
    /// Whether it went out.
    pub result: Result<Sent, NotSent>,
}

impl Post {
    /// Nothing is on its way. Something goes out only while `gate` lets writes go.
    #[must_use]
    pub fn new(deliver: Arc<dyn Deliver>, gate: Gate, clock: Clock, metrics: Metrics) -> Self {
        let turns = Semaphore::new(PASSES_AT_ONCE);
        Self { deliver, gate, clock, metrics, turns, unrecorded: Mutex::default() }
    }

    /// Sends notices, all at once; takes [`SEND_TIMEOUT`] at most. What became of them is
    /// [`Post::unrecorded`] then. False when too many passes send already, or this process leads no
    /// more and another one will send it: nothing went out then.
    pub async fn send(&self, topics: &dyn Topics, by: &Sender, letters: &[Letter]) -> bool {
        if self.gate.admits(None, self.clock.now()).is_err() {
            return false;
        }
        let Ok(_turn) = self.turns.try_acquire() else { return false };
        let send = async |letter: &Letter| {
            let posted = self.one(topics, &by.namespace, letter).await;
            // At once: the pass may be cut off while another channel is slow.
            self.lock().entry(by.clone()).or_default().push(posted);
        };
        join_all(letters.iter().map(send)).await;
        true
    }

    /// What became of notices, and is in no status yet. It is kept here until a status was written:
    /// a notice is not to go out again because the API server is away.
    #[must_use]
    pub fn unrecorded(&self, by: &Sender) -> Vec<Posted> {
        self.lock().get(by).cloned().unwrap_or_default()
    }

    /// It is in the status now, or its object is gone.
    pub fn recorded(&self, by: &Sender) {
        self.lock().remove(by);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sender, Vec<Posted>>> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn one(&self, topics: &dyn Topics, namespace: &str, letter: &Letter) -> Posted {
        let Letter { due, channel, message } = letter;
        let Due { occurrence, stage, .. } = due;
        let result = self.deliver.deliver(topics, namespace, channel, message).await;
        self.metrics.noticed(channel.sort(), result.is_ok());
        match &result {
            Ok(Sent { id }) => {
                tracing::info!(channel = channel.name, %stage, occurrence, id, "told");
            }
            Err(error) => {
                tracing::warn!(channel = channel.name, %stage, occurrence, %error, "not told");
            }
        }
        Posted { due: due.clone(), at: moments::stamp(self.clock.now()), result }
    }
}

impl Ledger {
    /// Writes down what became of notices.
    pub fn record(&mut self, posted: &[Posted]) {
        for Posted { due, at, result } in posted {
            match result {
                Ok(_) => self.record_sent(due, *at),
                Err(NotSent { message, wait, .. }) => {
                    self.record_failed(due, *at, message, *wait);
                }
            }
        }
    }
}
