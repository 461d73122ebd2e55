//! What every pass is handed: the clock, AWS, Kubernetes, metrics and the settings of the operator.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    api::shared::AwsLocation,
    aws::{
        self,
        accounts::{self, Accounts, NamespaceFacts, Pinned, Settings, Unresolved},
        hub::Hub,
        limits::Priority,
        session::{CallContext, Session},
    },
    checks::Checks,
    engine::PASS_DEADLINE,
    error::Remedy,
    facts::{
        peers::Peer,
        windows::{QuietFact, WindowFact},
    },
    kubernetes::port::Port,
    metrics::Metrics,
    notify::post::Post,
    sweeps::Sweeps,
    tasks::Desk,
};

/// Everything that a pass is handed.
pub struct Context {
    /// The time.
    pub clock: Clock,
    /// The operator's flags about AWS.
    pub settings: Settings,
    /// Sessions of AWS accounts.
    pub accounts: Accounts,
    /// What was read from AWS, shared.
    pub hub: Arc<Hub>,
    /// Where statuses, finalizers and Events are written.
    pub kubernetes: Arc<dyn Port>,
    /// What Namespaces say about AWS.
    pub namespaces: Arc<dyn Namespaces>,
    /// The other rollouts.
    pub rollouts: Arc<dyn Rollouts>,
    /// What MaintenanceWindows say.
    pub windows: Arc<dyn Windows>,
    /// When windows were last swept.
    pub sweeps: Sweeps,
    /// What tasks of windows need.
    pub tasks: Desk,
    /// Checks that run beside the passes.
    pub checks: Checks,
    /// Where notices are posted.
    pub post: Post,
    /// Where things are counted.
    pub metrics: Metrics,
}

/// The CanaryRollouts of the cluster, as far as the operator watches it.
pub trait Rollouts: Send + Sync {
    /// Every rollout that names this function and alias, in whatever account and region.
    fn of_alias(&self, function: &str, alias: &str) -> Vec<Peer>;

    /// Every rollout that names this function, by whatever alias, in whatever account and region.
    fn of_function(&self, function: &str) -> Vec<Peer>;
}

/// The MaintenanceWindows of the cluster, as far as the operator watches it.
pub trait Windows: Send + Sync {
    /// What the windows of a namespace say; none before they were read.
    fn of(&self, namespace: &str) -> Option<Vec<WindowFact>>;

    /// What the windows of all namespaces make quiet; none before they were read.
    fn quiet(&self) -> Option<Vec<QuietFact>>;
}

/// What Namespaces say about AWS.
pub trait Namespaces: Send + Sync {
    /// What a Namespace says; with its name alone when nothing is known of it.
    fn facts(&self, name: &str) -> NamespaceFacts;
}

/// Why an object has no session.
#[derive(Debug, thiserror::Error)]
pub enum NoSession {
    /// The spec, the Namespace or the flags do not allow one.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// AWS does not give one.
    #[error("cannot use the AWS credentials of the namespace")]
    Aws(#[from] aws::Error),
}

impl NoSession {
    /// Who must move next.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unresolved(_) => Remedy::AwaitEdit,
            Self::Aws(source) => source.remedy(),
        }
    }

    /// Why, in CamelCase: the reason of the conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unresolved(unresolved) => unresolved.reason(),
            Self::Aws(source) => source.reason(),
        }
    }
}

impl Context {
    /// The session that an object of `namespace` is worked on with.
    ///
    /// # Errors
    ///
    /// [`NoSession`]; nothing may be called then.
    pub async fn session(
        &self,
        namespace: &str,
        location: Option<&AwsLocation>,
        pinned: &Pinned,
    ) -> Result<Arc<Session>, NoSession> {
        let facts = self.namespaces.facts(namespace);
        let target = accounts::resolve(&self.settings, &facts, location, pinned)?;
        let session = self.accounts.session(&target).await?;
        accounts::check_account(location, pinned, session.account())?;
        Ok(session)
    }
}

/// Longest that a call which nobody waits for queues for its turn: longer waits would keep passes
/// with work from running. The call itself may take its time.
const DRIFT_WAIT: Duration = Duration::from_millis(250);

/// The terms of the calls of a pass that starts now.
#[must_use]
pub fn terms(priority: Priority, namespace: &str) -> CallContext {
    let now = Instant::now();
    let patience = match priority {
        Priority::Undo | Priority::Work | Priority::Advance => PASS_DEADLINE,
        Priority::Drift => DRIFT_WAIT,
    };
    CallContext {
        priority,
        namespace: Arc::from(namespace),
        not_after: None,
        deadline: now.checked_add(patience).unwrap_or(now),
    }
}

/// Most that a scaled clock may run ahead: beyond it, calls take longer than the steps they serve.
pub const CLOCK_SCALE_MAX: u32 = 60;

/// Where the time comes from. One read per pass decides.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that runs `scale` times as fast since `epoch`, for demos and tests. Only the time
    /// that decisions see and the delays until the next pass are scaled; time-outs, the lease and
    /// rate limits stay real.
    Scaled(Scaled),
    /// A clock that follows tokio's, which tests can pause and advance.
    Simulated(Simulated),
}

/// A clock that follows tokio's.
#[derive(Clone, Debug)]
pub struct Simulated {
    epoch: Timestamp,
    origin: Instant,
    /// By how many seconds it was set.
    stepped: Arc<AtomicI64>,
}

/// Sets a simulated clock, as the system's may be set by NTP or by people. Whoever makes the clock has
/// it, and nobody else.
#[derive(Clone, Debug)]
pub struct Steps(Arc<AtomicI64>);

impl Steps {
    /// Sets the clock by so many seconds, back or forward.
    pub fn step(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// A clock that runs faster than the system's.
#[derive(Clone, Copy, Debug)]
pub struct Scaled {
    /// Both clocks showed this time at the start.
    epoch: Timestamp,
    /// How many seconds pass here in one of the system's.
    scale: u32,
}

/// A scale that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock's scale must be 1 to {CLOCK_SCALE_MAX}")]
pub struct InvalidScale;

impl Clock {
    /// A clock that ran at the system's speed until `epoch` and `scale` times as fast since.
    ///
    /// # Errors
    ///
    /// [`InvalidScale`] when `scale` is not 1 to [`CLOCK_SCALE_MAX`].
    pub fn scaled(epoch: Timestamp, scale: u32) -> Result<Self, InvalidScale> {
        if scale == 0 || scale > CLOCK_SCALE_MAX {
            return Err(InvalidScale);
        }
        Ok(Self::Scaled(Scaled { epoch, scale }))
    }

    /// A clock that shows `epoch` now and then follows tokio's.
    #[must_use]
    pub fn simulated(epoch: Timestamp) -> Self {
        Self::settable(epoch).0
    }

    /// The same, and what sets it.
    #[must_use]
    pub fn settable(epoch: Timestamp) -> (Self, Steps) {
        let stepped = Arc::new(AtomicI64::new(0));
        let steps = Steps(Arc::clone(&stepped));
        (Self::Simulated(Simulated { epoch, origin: Instant::now(), stepped }), steps)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Scaled(Scaled { epoch, scale }) => {
                let system = system_now();
                let elapsed = system.duration_since(*epoch);
                let scale = i32::try_from(*scale).unwrap_or(i32::MAX);
                elapsed
                    .checked_mul(scale)
                    .and_then(|scaled| epoch.checked_add(scaled).ok())
                    .unwrap_or(system)
            }
            Self::Simulated(Simulated { epoch, origin, stepped }) => {
                let stepped = SignedDuration::from_secs(stepped.load(Ordering::Relaxed));
                let epoch = epoch.saturating_add(stepped).unwrap_or(*epoch);
                epoch.saturating_add(origin.elapsed()).unwrap_or(epoch)
            }
        }
    }

    /// How long to wait by the system's clock until this one shows `then`; zero when it has passed.
    #[must_use]
    pub fn until(&self, then: Timestamp, now: Timestamp) -> Duration {
        let ahead = then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        match self {
            Self::System | Self::Simulated(_) => ahead,
            Self::Scaled(Scaled { scale, .. }) => ahead.checked_div(*scale).unwrap_or(ahead),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_runs_from_its_epoch_and_shortens_waits() {
        let epoch = system_now() - SignedDuration::from_secs(10);
        let clock = Clock::scaled(epoch, 60).unwrap();
        let shown = clock.now().duration_since(epoch);
        assert!(shown >= SignedDuration::from_secs(600), "{shown:?}");
        let wait = clock.until(epoch + SignedDuration::from_secs(120), epoch);
        assert_eq!(wait, Duration::from_secs(2));
        assert_eq!(clock.until(epoch, epoch + SignedDuration::from_secs(1)), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_simulated_clock_is_set_by_who_made_it() {
        let (clock, steps) = Clock::settable(Timestamp::UNIX_EPOCH);
        let copy = clock.clone();
        tokio::time::advance(Duration::from_secs(60)).await;
        steps.step(-90);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH - SignedDuration::from_secs(30));
        steps.step(100);
        assert_eq!(copy.now(), Timestamp::UNIX_EPOCH + SignedDuration::from_secs(70));
    }

    #[test]
    fn a_scale_is_1_to_60() {
        assert!(Clock::scaled(Timestamp::UNIX_EPOCH, 0).is_err());
        assert!(Clock::scaled(Timestamp::UNIX_EPOCH, 61).is_err());
        assert!(Clock::scaled(Timestamp::UNIX_EPOCH, 1).is_ok());
    }
}
