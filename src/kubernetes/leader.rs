//! Leader election by a `coordination.k8s.io/v1` Lease: at most one replica works at a time.
//!
//! A replica reads the Lease and writes it back with its `resourceVersion`, so that of two writers
//! one gets a conflict. Whether a holder is dead is judged by how long *this* process has seen the
//! same Lease, on its own monotonic clock; the times written in the Lease are for people only.
//!
//! Two replicas never lead at once because the leader counts its renew deadline from *before* it
//! asked, the others count the longer lease duration from *after* they saw the answer.
//!
//! | event | what follows |
//! |---|---|
//! | a renewal fails | tried again each retry period; at the renew deadline the work is dropped |
//! | the Lease shows another holder | the work is dropped at once |
//! | a stop is asked for | the work is told, and renewed for; the Lease is released once it has ended |
//! | the work does not end in the grace period | it is dropped, and the Lease left to run out |
//! | the Lease is missing | it is created; whoever is new leads only after one lease duration |
//!
//! The last row is for a Lease that somebody deleted: its holder may be alive and out of reach. A
//! new installation avoids the wait when it brings an empty Lease with it. Emptying the holder by
//! hand is taken for a release: another replica starts at once.

mod leadership;
mod lease;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::{Pin, pin},
};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use tokio::time::{Instant, sleep, timeout_at};

use crate::health::Heartbeat;

use self::lease::{Claim, Claimant, later};
pub use self::{
    leadership::{Held, Leadership, StopSignal},
    lease::RELEASE_TIMEOUT,
    settings::{
        InvalidLease, LEASE_DURATION, LEASE_DURATION_MAX, LeaseSettings, LeaseTimes,
        RENEW_DEADLINE, RETRY_PERIOD, STOP_GRACE, TURN_BOUND,
    },
};

/// Why [`Elector::run`] returned.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The lease was lost and the work dropped. What the work had spawned may still run, without
    /// leadership: the caller should end the process.
    Lost,
    /// The work ended by itself; the lease is released.
    WorkFinished,
    /// The stop was asked for.
    Stopped,
}

/// How leading ended.
enum Outcome {
    Lost,
    Finished,
    Stopped,
    /// Stopped, but the work had to be dropped.
    Abandoned,
}

/// Competes for one Lease. See the module's documentation for the rules.
pub struct Elector<N> {
    claimant: Claimant<N>,
    heartbeat: Heartbeat,
}

impl<N: Fn() -> Timestamp> Elector<N> {
    /// An elector that has not asked anything yet.
    ///
    /// `api` should not retry by itself, and needs a read timeout. `now` gives the wall-clock times
    /// that are written into the Lease, where they are read by people alone. `heartbeat` beats each
    /// time that the Lease is looked at, whether there is an answer or not; see [`TURN_BOUND`].
    pub fn new(api: Api<Lease>, settings: LeaseSettings, now: N, heartbeat: Heartbeat) -> Self {
        Self { claimant: Claimant::new(api, settings, now), heartbeat }
    }

    /// The handle that follows this election.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.claimant.leadership()
    }

    /// Waits for the lease, then runs `work` for as long as the lease is held.
    ///
    /// When `stop` completes, the work's [`StopSignal`] is given and the lease is renewed until the
    /// work has ended, for at most [`LeaseTimes::stop_grace`]. Only then is the leadership taken
    /// back and the lease released. The work must therefore not leave tasks behind that write when
    /// it ends. Work that has to be dropped may have a call to AWS in flight, so the lease is then
    /// not released: it runs out.
    ///
    /// Dropping the returned future drops the work and takes the leadership back.
    pub async fn run<W, F>(mut self, work: W, stop: impl Future<Output = ()>) -> Ended
    where
        W: FnOnce(Leadership, StopSignal) -> F,
        F: Future<Output = ()>,
    {
        let mut stop = pin!(stop);
        let held_since = tokio::select! {
            biased;
            () = &mut stop => {
                self.claimant.withdraw().await;
                return Ended::Stopped;
            }
            held_since = self.acquire() => held_since,
        };
        tracing::info!(lease = self.claimant.name(), "leading");

        match self.lead(held_since, work, stop).await {
            Outcome::Lost => Ended::Lost,
            Outcome::Finished => {
                self.claimant.release().await;
                Ended::WorkFinished
            }
            Outcome::Stopped => {
                self.claimant.release().await;
                Ended::Stopped
            }
            Outcome::Abandoned => {
                tracing::warn!(
                    grace = ?self.claimant.times().stop_grace,
                    "the work did not end in time and was dropped; the lease is left to run out"
                );
                Ended::Stopped
            }
        }
    }

    /// Runs the work and the renewals side by side. The work is dropped before this returns, and
    /// the leadership taken back before the work is dropped.
    async fn lead<W, F>(
        &mut self,
        held_since: Instant,
        work: W,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Outcome
    where
        W: FnOnce(Leadership, StopSignal) -> F,
        F: Future<Output = ()>,
    {
        self.claimant.publish(held_since);
        let revoker = self.claimant.revoker();
        let (tell, signal) = StopSignal::new();
        let grace = self.claimant.times().stop_grace;
        let mut work = pin!(work(self.leadership(), signal));
        let mut kept = pin!(self.keep(held_since));

        // Renewal comes first: after a pause of the whole process, the work gets no turn before
        // the deadline was looked at.
        let early = tokio::select! {
            biased;
            () = &mut kept => Some(Outcome::Lost),
            () = &mut work => Some(Outcome::Finished),
            () = &mut stop => None,
        };
        let outcome = match early {
            Some(outcome) => outcome,
            None => {
                tell.send_replace(true);
                tokio::select! {
                    biased;
                    () = &mut kept => Outcome::Lost,
                    () = &mut work => Outcome::Stopped,
                    () = sleep(grace) => Outcome::Abandoned,
                }
            }
        };
        revoker.revoke();
        outcome
    }

    /// Returns when the lease is held, with the instant before it was asked for.
    async fn acquire(&mut self) -> Instant {
        loop {
            self.heartbeat.beat();
            let asked = Instant::now();
            let retry = self.claimant.times().retry_period;
            let wait = match self.claimant.attempt().await {
                Some(Claim::Held) if self.claimant.may_lead() => return asked,
                Some(Claim::Held) | None => retry,
                // Not a whole period when the lease runs out before.
                Some(Claim::Foreign { free_at }) => {
                    free_at.saturating_duration_since(Instant::now()).min(retry)
                }
            };
            sleep(wait).await;
        }
    }

    /// Renews; returns when the lease is lost.
    async fn keep(&mut self, mut held_since: Instant) {
        let LeaseTimes { renew_deadline, retry_period, .. } = self.claimant.times();
        loop {
            self.heartbeat.beat();
            let next = async {
                sleep(retry_period).await;
                let asked = Instant::now();
                (asked, self.claimant.attempt().await)
            };
            match timeout_at(later(held_since, renew_deadline), next).await {
                Ok((asked, Some(Claim::Held))) => {
                    held_since = asked;
                    self.claimant.publish(held_since);
                }
                Ok((_, None)) => {} // Logged; the deadline bounds how often.
                Ok((_, Some(Claim::Foreign { .. }))) => {
                    tracing::warn!(
                        lease = self.claimant.name(),
                        "the lease went to another holder"
                    );
                    return;
                }
                Err(_) => {
                    tracing::warn!(
                        lease = self.claimant.name(),
                        deadline = ?renew_deadline,
                        "the lease could not be renewed in time"
                    );
                    return;
                }
            }
        }
    }
}
