//! One token bucket with its queues.
//!
//! While somebody waits, one task hands the tokens out. It is a task of its own, so that no waiter
//! depends on another one being polled.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{NoToken, Priority, WAITING_MAX};
use crate::fair::FairQueue;

/// A throttle makes the rate this much smaller.
const SLOW_DOWN: f64 = 0.5;
/// The rate never falls below this share of the full one: 0.7 calls/s for Lambda, so that a
/// rollback still gets through within seconds.
const RATE_FLOOR: f64 = 0.05;
/// Throttles within this time are one: they answer calls that were in flight together.
const THROTTLES_ARE_ONE: Duration = Duration::from_secs(1);
/// From nothing to the full rate in this many seconds.
const RECOVERY_SECS: f64 = 30.0;
/// Longest pause that we take from AWS; what is longer is a mistake of something between us.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Timers are no finer; also keeps rounding from making a wait of nothing.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// One bucket; see the module.
pub(super) struct Bucket {
    state: Mutex<State>,
}

struct State {
    full_rate: f64,
    burst: f64,
    rate: f64,
    tokens: f64,
    filled_at: Instant,
    paused_until: Option<Instant>,
    slowed_at: Option<Instant>,
    queues: [FairQueue<Waiter>; Priority::QUEUES.len()],
    /// Tickets given so far.
    tickets: u64,
    /// Whether the task that hands out tokens runs.
    served: bool,
}

/// Somebody who waits.
struct Waiter {
    ticket: u64,
    token: oneshot::Sender<()>,
}

/// A place in the queue; on drop it gives back whatever was not used.
struct Place<'a> {
    bucket: &'a Bucket,
    priority: Priority,
    namespace: &'a str,
    ticket: u64,
    token: oneshot::Receiver<()>,
}

/// The task that hands out tokens; it can be cut off by the end of its runtime.
struct Server {
    bucket: Arc<Bucket>,
    finished: bool,
}

impl Bucket {
    /// A full bucket: `rate` tokens a second, at most `burst` of them kept.
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        let state = State {
            full_rate: rate,
            burst,
            rate,
            tokens: burst,
            filled_at: Instant::now(),
            paused_until: None,
            slowed_at: None,
            queues: Default::default(),
            tickets: 0,
            served: false,
        };
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a token. The task that this may start ends when nobody waits any more.
    pub(super) async fn take(
        self: &Arc<Self>,
        priority: Priority,
        namespace: &str,
    ) -> Result<(), NoToken> {
        let mut place = self.enqueue(priority, namespace)?;
        // An error would mean that the queue forgot this waiter, which only its own drop does.
        (&mut place.token).await.map_err(|_| NoToken::TooManyWaiting)
    }

    fn enqueue<'a>(
        self: &'a Arc<Self>,
        priority: Priority,
        namespace: &'a str,
    ) -> Result<Place<'a>, NoToken> {
        let (sender, token) = oneshot::channel();
        let mut state = self.lock();
        let ticket = state.tickets;
        state.tickets = ticket.wrapping_add(1);
        let queue = state.queue(priority);
        if queue.len() >= WAITING_MAX {
            return Err(NoToken::TooManyWaiting);
        }
        queue.push(namespace, Waiter { ticket, token: sender });
        state.hand_out();
        if !state.served && !state.nobody_waits() {
            state.served = true;
            tokio::spawn(Server { bucket: Arc::clone(self), finished: false }.run());
        }
        Ok(Place { bucket: self, priority, namespace, ticket, token })
    }

    pub(super) fn throttled(&self, retry_after: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.refill(now);
        if state.slowed_at.is_none_or(|at| now.duration_since(at) >= THROTTLES_ARE_ONE) {
            state.slowed_at = Some(now);
            state.rate = (state.rate * SLOW_DOWN).max(state.full_rate * RATE_FLOOR);
        }
        state.tokens = 0.0;
        let pause = retry_after.unwrap_or_default().min(PAUSE_MAX);
        state.paused_until = state.paused_until.max(now.checked_add(pause));
    }

    /// Somebody has no use for the token that he took.
    pub(super) fn put_back(&self) {
        let mut state = self.lock();
        state.tokens = (state.tokens + 1.0).min(state.burst);
        state.hand_out();
    }

    /// Whether forgetting it would change nothing.
    pub(super) fn is_idle(&self) -> bool {
        let mut state = self.lock();
        state.refill(Instant::now());
        state.tokens >= state.burst && state.rate >= state.full_rate && state.nobody_waits()
    }
}

impl State {
    fn queue(&mut self, priority: Priority) -> &mut FairQueue<Waiter> {
        let [undo, work, drift] = &mut self.queues;
        match priority {
            Priority::Undo => undo,
            Priority::Work | Priority::Advance => work,
            Priority::Drift => drift,
        }
    }

    /// Adds the tokens and the recovery of the time since the last call; none while paused.
    fn refill(&mut self, now: Instant) {
        let from = self.paused_until.map_or(self.filled_at, |until| until.max(self.filled_at));
        let elapsed = now.saturating_duration_since(from).as_secs_f64();
        self.filled_at = now.max(self.filled_at);
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        self.tokens = elapsed.mul_add(self.rate, self.tokens).min(self.burst);
        let recovered = elapsed * self.full_rate / RECOVERY_SECS;
        self.rate = (self.rate + recovered).min(self.full_rate);
    }

    fn nobody_waits(&self) -> bool {
        self.queues.iter().all(FairQueue::is_empty)
    }

    /// Gives every token that is there to the one whose turn it is.
    fn hand_out(&mut self) {
        self.refill(Instant::now());
        while self.paused_until.is_none() && self.tokens >= 1.0 {
            let Some(waiter) = self.queues.iter_mut().find_map(FairQueue::pop) else { return };
            if waiter.token.send(()).is_ok() {
                self.tokens -= 1.0;
            }
        }
    }

    /// When the next token is there.
    fn next_due(&self) -> Instant {
        let missing = (1.0 - self.tokens).max(0.0) / self.rate;
        let wait = Duration::try_from_secs_f64(missing).unwrap_or(PAUSE_MAX).max(WAIT_MIN);
        let from = self.paused_until.map_or(self.filled_at, |until| until.max(self.filled_at));
        from.checked_add(wait).unwrap_or(from)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Empty once the caller has taken it. Under the lock, so that none is handed over meanwhile.
        let mut state = self.bucket.lock();
        if self.token.try_recv().is_ok() {
            drop(state);
            self.bucket.put_back();
        } else {
            state
                .queue(self.priority)
                .remove(self.namespace, |waiter| waiter.ticket == self.ticket);
        }
    }
}

impl Server {
    async fn run(mut self) {
        while let Some(due) = self.serve() {
            sleep_until(due).await;
        }
    }

    /// Hands out what there is and says when to do so again; never, when nobody waits.
    fn serve(&mut self) -> Option<Instant> {
        let mut state = self.bucket.lock();
        state.hand_out();
        if !state.nobody_waits() {
            return Some(state.next_due());
        }
        state.served = false;
        drop(state);
        self.finished = true;
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.finished {
            self.bucket.lock().served = false;
        }
    }
}
