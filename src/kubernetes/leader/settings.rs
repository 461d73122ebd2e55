//! Names and times by which a Lease is held, checked once.

use std::time::Duration;

/// How long a lease lasts after its holder was last heard of, before another replica may take it.
///
/// This is how long nobody leads after the leader dies. Shorter makes a slow API server look like
/// a dead leader.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);

/// How long a leader goes on without a successful renewal.
///
/// What is left up to [`LEASE_DURATION`], 5 s, is for calls to AWS that are still under way when
/// it passes, and for clocks that do not tick at the same rate.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// How often the leader renews and the others look: five tries until the deadline, and at most
/// this long until a released lease is taken.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// How long the work may take to finish after a stop was asked for.
///
/// With [`super::RELEASE_TIMEOUT`] after it, it fits into the 30 s that Kubernetes gives a Pod to
/// terminate.
pub const STOP_GRACE: Duration = Duration::from_secs(20);

/// An election that does not look at the Lease for so long is stuck: a look takes half the renew
/// deadline at most, and the next one follows after a retry period.
pub const TURN_BOUND: Duration = Duration::from_secs(60);

/// The longest lease that is written, and that is respected: a longer one was not written by this
/// program, and must not lock it out for years.
pub const LEASE_DURATION_MAX: Duration = Duration::from_secs(60);

/// The times of an election. Every replica must use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// See [`LEASE_DURATION`]. Whole seconds, 1 s to [`LEASE_DURATION_MAX`].
    pub lease_duration: Duration,
    /// See [`RENEW_DEADLINE`]. Less than the lease's duration.
    pub renew_deadline: Duration,
    /// See [`RETRY_PERIOD`]. More than zero, less than the renew deadline.
    pub retry_period: Duration,
    /// See [`STOP_GRACE`].
    pub stop_grace: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            lease_duration: LEASE_DURATION,
            renew_deadline: RENEW_DEADLINE,
            retry_period: RETRY_PERIOD,
            stop_grace: STOP_GRACE,
        }
    }
}

/// Which Lease is held, as whom, and for how long.
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) times: LeaseTimes,
    /// `times.lease_duration`, in the Lease's own unit.
    pub(super) lease_seconds: i32,
}

/// Settings by which two replicas could lead at once, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLease {
    /// A name is missing.
    #[error("the {0} of the lease must not be empty")]
    Empty(&'static str),
    /// A Lease counts whole seconds, and is never longer than [`LEASE_DURATION_MAX`].
    #[error("the lease duration must be whole seconds, 1 s to {LEASE_DURATION_MAX:?}, not {0:?}")]
    Duration(Duration),
    /// 0 < retry period < renew deadline < lease duration does not hold.
    #[error(
        "0 < retry period < renew deadline < lease duration must hold, and it does not for \
         {retry_period:?}, {renew_deadline:?} and {lease_duration:?}"
    )]
    Order {
        /// As given.
        retry_period: Duration,
        /// As given.
        renew_deadline: Duration,
        /// As given.
        lease_duration: Duration,
    },
}

impl LeaseSettings {
    /// Settings for the Lease `name`, to be held as `identity`.
    ///
    /// `identity` names this replica to people, such as its Pod. Two processes with the same
    /// identity still do not lead at once: a process knows its own lease by when it acquired it.
    ///
    /// # Errors
    ///
    /// [`InvalidLease`] when a name is empty or the times break
    /// 0 < retry period < renew deadline < lease duration.
    pub fn new(
        name: impl Into<String>,
        identity: impl Into<String>,
        times: LeaseTimes,
    ) -> Result<Self, InvalidLease> {
        let (name, identity) = (name.into(), identity.into());
        if name.is_empty() {
            return Err(InvalidLease::Empty("name"));
        }
        if identity.is_empty() {
            return Err(InvalidLease::Empty("holder's identity"));
        }
        let LeaseTimes { lease_duration, renew_deadline, retry_period, stop_grace: _ } = times;
        let whole = lease_duration.subsec_nanos() == 0 && !lease_duration.is_zero();
        if !whole || lease_duration > LEASE_DURATION_MAX {
            return Err(InvalidLease::Duration(lease_duration));
        }
        let lease_seconds = i32::try_from(lease_duration.as_secs())
            .map_err(|_| InvalidLease::Duration(lease_duration))?;
        let ordered = !retry_period.is_zero()
            && retry_period < renew_deadline
            && renew_deadline < lease_duration;
        if !ordered {
            return Err(InvalidLease::Order { retry_period, renew_deadline, lease_duration });
        }
        Ok(Self { name, identity, times, lease_seconds })
    }
}
