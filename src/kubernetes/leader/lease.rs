//! The requests about the Lease, and what its content means.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    leadership::{Leadership, State, Until},
    settings::{LEASE_DURATION_MAX, LeaseSettings, LeaseTimes},
};
use crate::error::{chain, clean};

/// Longest that a release may take: it only saves the next leader from waiting.
pub const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a release is tried: a renewal that was cut off can still land and conflict with it
/// once, and so can an edit by a person.
const RELEASE_TRIES: usize = 3;

/// The duration that a released Lease states, in seconds. Nobody waits for it, as it has no
/// holder; 0 is not valid.
const RELEASED_SECONDS: i32 = 1;

/// A request about the Lease that failed.
#[derive(Debug, thiserror::Error)]
enum LeaseError {
    #[error("cannot read lease {name}")]
    Read { name: String, source: kube::Error },
    #[error("cannot create lease {name}")]
    Create { name: String, source: kube::Error },
    #[error("cannot update lease {name}")]
    Update { name: String, source: kube::Error },
    #[error("no answer about lease {name} within {limit:?}")]
    NoAnswer { name: String, limit: Duration },
}

impl LeaseError {
    /// Whether another writer was faster.
    fn is_conflict(&self) -> bool {
        match self {
            Self::Create { source: kube::Error::Api(status), .. }
            | Self::Update { source: kube::Error::Api(status), .. } => status.code == 409,
            Self::Read { .. }
            | Self::Create { .. }
            | Self::Update { .. }
            | Self::NoAnswer { .. } => false,
        }
    }
}

/// What a Lease says about this process.
enum Standing {
    Mine,
    Free,
    /// Held by another, who counts as dead from `free_at` unless the Lease changes before.
    Foreign {
        free_at: Instant,
    },
}

/// The answer to one try to hold the Lease.
pub(super) enum Claim {
    /// It is ours, as of the instant before the try.
    Held,
    /// It is not, until `free_at` at least.
    Foreign { free_at: Instant },
}

/// One process's side of the Lease: tries to hold it, and publishes what it learns.
pub(super) struct Claimant<N> {
    api: Api<Lease>,
    settings: LeaseSettings,
    now: N,
    state: watch::Sender<State>,
    /// What another holder last wrote, and when it was first seen here.
    seen: Option<(LeaseSpec, Instant)>,
    /// The acquire time that this process writes. It tells our Lease from that of another process
    /// under the same identity, and finds a write of ours whose answer was lost.
    term: Option<MicroTime>,
    /// Set when the Lease was missing: a holder that nobody knows of has stopped by then.
    not_before: Option<Instant>,
    trouble: Trouble,
}

impl<N: Fn() -> Timestamp> Claimant<N> {
    pub(super) fn new(api: Api<Lease>, settings: LeaseSettings, now: N) -> Self {
        let (state, _) = watch::channel(State::START);
        Self {
            api,
            settings,
            now,
            state,
            seen: None,
            term: None,
            not_before: None,
            trouble: Trouble::default(),
        }
    }

    /// One try, bounded in time. `None` after a failure, which is logged when it is a new one.
    pub(super) async fn attempt(&mut self) -> Option<Claim> {
        // Half the deadline leaves room for a second try on a new connection.
        let limit = self.settings.times.renew_deadline.checked_div(2).unwrap_or_default();
        let failure = match timeout(limit, self.claim()).await {
            Ok(Ok(claim)) => {
                if self.trouble.end() {
                    tracing::info!(lease = self.settings.name, "the lease can be reached again");
                }
                return Some(claim);
            }
            Ok(Err(error)) if error.is_conflict() => {
                tracing::debug!(lease = self.settings.name, "another writer was faster");
                if !self.is_leading() {
                    self.term = None; // It was not written, and another may have the same.
                }
                return None;
            }
            Ok(Err(error)) => error,
            Err(_) => LeaseError::NoAnswer { name: self.settings.name.clone(), limit },
        };
        let text = chain(&failure);
        if self.trouble.is_new(&text) {
            tracing::warn!(error = text, "cannot hold the lease");
        }
        None
    }

    /// Reads the Lease and, if it may be ours, writes it.
    async fn claim(&mut self) -> Result<Claim, LeaseError> {
        let name = self.settings.name.clone();
        let found = self.api.get_opt(&name).await;
        let found = found.map_err(|source| LeaseError::Read { name: name.clone(), source })?;
        let Some(mut lease) = found else { return self.create().await };

        let current = lease.spec.take().unwrap_or_default();
        self.note_holder(&current);
        let standing = self.standing(&current);
        if let Standing::Foreign { free_at } = standing
            && Instant::now() < free_at
        {
            (self.term, self.not_before) = (None, None);
            return Ok(Claim::Foreign { free_at });
        }
        let transition = !matches!(standing, Standing::Mine);
        lease.spec = Some(self.written(current, transition));
        let written = self.api.replace(&name, &PostParams::default(), &lease).await;
        let written = written.map_err(|source| LeaseError::Update { name, source })?;
        self.note_holder(&written.spec.unwrap_or_default());
        Ok(Claim::Held)
    }

    /// Creates the missing Lease. Unless we lead, nobody knows who held it before.
    async fn create(&mut self) -> Result<Claim, LeaseError> {
        if !self.is_leading() {
            let wait = self.settings.times.lease_duration;
            self.not_before = Some(later(Instant::now(), wait));
            tracing::info!(lease = self.settings.name, ?wait, "the lease is missing: creating it");
        }
        let name = self.settings.name.clone();
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(self.written(LeaseSpec::default(), false)) };
        let created = self.api.create(&PostParams::default(), &lease).await;
        let created = created.map_err(|source| LeaseError::Create { name, source })?;
        self.note_holder(&created.spec.unwrap_or_default());
        Ok(Claim::Held)
    }

    /// Gives up before having led. A try to acquire may have been cut off after it was sent.
    pub(super) async fn withdraw(&mut self) {
        if self.term.is_some() && self.may_lead() {
            self.release().await;
        }
    }

    /// Empties the Lease if it is ours, so that another replica need not wait for it to run out.
    pub(super) async fn release(&mut self) {
        match timeout(RELEASE_TIMEOUT, self.try_release()).await {
            Ok(Ok(())) => tracing::info!(lease = self.settings.name, "released the lease"),
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "cannot release the lease"),
            Err(_) => tracing::warn!(lease = self.settings.name, "no answer to the release"),
        }
    }

    async fn try_release(&mut self) -> Result<(), LeaseError> {
        let name = self.settings.name.clone();
        let mut tries = 1;
        loop {
            let found = self.api.get_opt(&name).await;
            let found = found.map_err(|source| LeaseError::Read { name: name.clone(), source })?;
            let Some(mut lease) = found else { return Ok(()) };
            let current = lease.spec.take().unwrap_or_default();
            if !matches!(self.standing(&current), Standing::Mine) {
                return Ok(());
            }
            lease.spec = Some(LeaseSpec {
                holder_identity: Some(String::new()),
                lease_duration_seconds: Some(RELEASED_SECONDS),
                ..self.written(current, false)
            });
            match self.api.replace(&name, &PostParams::default(), &lease).await {
                Ok(written) => {
                    self.note_holder(&written.spec.unwrap_or_default());
                    return Ok(());
                }
                Err(source) => {
                    let error = LeaseError::Update { name: name.clone(), source };
                    if !error.is_conflict() || tries >= RELEASE_TRIES {
                        return Err(error);
                    }
                    tries = tries.saturating_add(1);
                }
            }
        }
    }

    /// Says whose the Lease is, and remembers since when it is as it is.
    fn standing(&mut self, spec: &LeaseSpec) -> Standing {
        let Some(holder) = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
        else {
            return Standing::Free;
        };
        let ours = self.term.is_some() && spec.acquire_time == self.term;
        if ours && holder == self.settings.identity {
            return Standing::Mine;
        }
        let since = match &self.seen {
            Some((seen, since)) if seen == spec => *since,
            _ => {
                let since = Instant::now();
                self.seen = Some((spec.clone(), since));
                since
            }
        };
        let stated = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = match stated {
            // A holder without a duration still holds.
            None | Some(0) => self.settings.times.lease_duration,
            Some(seconds) => Duration::from_secs(seconds).min(LEASE_DURATION_MAX),
        };
        Standing::Foreign { free_at: later(since, lasts) }
    }

    /// The spec that makes the Lease ours, or keeps it so. Fields that are not ours stay.
    fn written(&mut self, current: LeaseSpec, transition: bool) -> LeaseSpec {
        let now = whole_microseconds((self.now)());
        let term = self.term.get_or_insert(MicroTime(now)).clone();
        // Others take a Lease that does not change for dead, even if the wall clock stands still.
        let renewed = match &current.renew_time {
            Some(MicroTime(before)) if *before == now => {
                now.checked_add(SignedDuration::from_micros(1)).unwrap_or(now)
            }
            _ => now,
        };
        let transitions = current.lease_transitions.unwrap_or(0).max(0);
        LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: Some(self.settings.lease_seconds),
            acquire_time: Some(term),
            renew_time: Some(MicroTime(renewed)),
            lease_transitions: Some(transitions.saturating_add(i32::from(transition))),
            ..current
        }
    }

    /// Whether the wait after a missing Lease is over.
    pub(super) fn may_lead(&self) -> bool {
        self.not_before.is_none_or(|instant| Instant::now() >= instant)
    }

    fn is_leading(&self) -> bool {
        self.state.borrow().until != Until::Never
    }

    /// Publishes who holds the Lease, and logs it when that changed.
    fn note_holder(&self, spec: &LeaseSpec) {
        let holder = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty());
        let holder = holder.map(clean);
        let changed = self.state.send_if_modified(|state| {
            let changed = state.holder != holder;
            state.holder.clone_from(&holder);
            changed
        });
        if changed {
            let holder = holder.as_deref().unwrap_or("nobody");
            tracing::info!(lease = self.settings.name, holder, "the lease has a new holder");
        }
    }
}

impl<N> Claimant<N> {
    pub(super) fn times(&self) -> LeaseTimes {
        self.settings.times
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn leadership(&self) -> Leadership {
        Leadership::follow(self.state.subscribe())
    }

    /// What takes the leadership back, also while `self` is borrowed.
    pub(super) fn revoker(&self) -> Revoker {
        Revoker(self.state.clone())
    }

    /// Publishes that we lead from the instant before we asked, until the renew deadline.
    pub(super) fn publish(&self, held_since: Instant) {
        let until = Until::At(later(held_since, self.settings.times.renew_deadline));
        self.state.send_modify(|state| state.until = until);
    }
}

impl<N> Drop for Claimant<N> {
    fn drop(&mut self) {
        self.revoker().revoke();
    }
}

/// Takes the leadership back.
pub(super) struct Revoker(watch::Sender<State>);

impl Revoker {
    pub(super) fn revoke(&self) {
        self.0.send_modify(|state| state.until = Until::Never);
    }
}

/// The failure that was last logged, so that it is not logged again every few seconds.
#[derive(Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// Whether this failure is another than the last one, which it now is.
    pub(super) fn is_new(&mut self, failure: &str) -> bool {
        let new = self.0.as_deref() != Some(failure);
        if new {
            self.0 = Some(failure.to_owned());
        }
        new
    }

    /// Ends the trouble; whether there was any.
    pub(super) fn end(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// `instant` + `duration`. The durations here are a minute at most, so this cannot overflow.
pub(super) fn later(instant: Instant, duration: Duration) -> Instant {
    instant.checked_add(duration).unwrap_or(instant)
}

/// The precision that a Lease keeps: what is read back must equal what was written.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
