//! What the rest of the program sees of the election: how long it may still write, and when to end.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

/// Until when this process leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// It does not lead.
    Never,
    /// It leads until the renew deadline of its last successful renewal.
    At(Instant),
    /// There is no election.
    Forever,
}

/// What the elector publishes.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) until: Until,
    pub(super) holder: Option<String>,
}

impl State {
    /// Not leading, and no holder known.
    pub(super) const START: Self = Self { until: Until::Never, holder: None };
}

/// Whether this process leads, and for how long it may still write. A cheap handle to share.
///
/// It answers from the clock, not from a flag: the answer is right even when the task that renews
/// the lease is late or the process was stopped for a while.
#[derive(Clone, Debug)]
pub struct Leadership {
    state: watch::Receiver<State>,
}

impl Leadership {
    pub(super) fn follow(state: watch::Receiver<State>) -> Self {
        Self { state }
    }

    /// Leads for ever: for a single process without an election.
    #[must_use]
    pub fn always() -> Self {
        Self::fixed(Until::Forever)
    }

    /// Never leads.
    #[must_use]
    pub fn none() -> Self {
        Self::fixed(Until::Never)
    }

    /// Leads until what is returned beside it is dropped: for tests of what a lost lease stops.
    #[must_use]
    pub fn held() -> (Held, Self) {
        let (told, state) = watch::channel(State { until: Until::Forever, holder: None });
        (Held(told), Self { state })
    }

    fn fixed(until: Until) -> Self {
        let (_, state) = watch::channel(State { until, holder: None });
        Self { state }
    }

    /// How long from now this process may still write to AWS: zero when it does not lead,
    /// [`Duration::MAX`] without an election.
    ///
    /// A write may start only if its time-out fits. No other replica starts before the lease has
    /// run out, which is later: see [`super::LeaseTimes`].
    #[must_use]
    pub fn time_left(&self) -> Duration {
        match self.state.borrow().until {
            Until::Never => Duration::ZERO,
            Until::At(deadline) => deadline.saturating_duration_since(Instant::now()),
            Until::Forever => Duration::MAX,
        }
    }

    /// Whether this process leads now.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        !self.time_left().is_zero()
    }

    /// Who held the lease when it was last read or written; `None` when nobody did, or nothing is
    /// known. Text from outside, of at most [`crate::error::MESSAGE_MAX`] characters, in one line.
    #[must_use]
    pub fn holder(&self) -> Option<String> {
        self.state.borrow().holder.clone()
    }
}

/// Keeps a [`Leadership::held`] until it is dropped.
#[derive(Debug)]
pub struct Held(watch::Sender<State>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_replace(State::START);
    }
}

/// Tells the work that it should finish. A cheap handle to share.
#[derive(Clone, Debug)]
pub struct StopSignal {
    told: watch::Receiver<bool>,
}

impl StopSignal {
    /// A signal, and what gives it: sending `true`, or dropping the sender.
    pub(super) fn new() -> (watch::Sender<bool>, Self) {
        let (tell, told) = watch::channel(false);
        (tell, Self { told })
    }

    /// Whether the work should finish.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self.told.borrow() || self.told.has_changed().is_err()
    }

    /// Returns once the work should finish; at once if that was said before.
    pub async fn given(mut self) {
        // An error means that the elector is gone, which is a reason to finish as well.
        let _ = self.told.wait_for(|told| *told).await;
    }
}
