//! What stands between a decision and a call: token, gate, time-out, metrics, retries.
//!
//! This is the only place that repeats a call; the SDK does not.
//!
//! | failed with | a read | a write |
//! |---|---|---|
//! | `Throttled` | again, [`READ_ATTEMPTS_MAX`] in all | once more: nothing was applied |
//! | `Unknown` | again, [`READ_ATTEMPTS_MAX`] in all | never: the next pass reads what became of it |
//! | anything else | never | never |
//!
//! Each attempt takes a token of its own and, for a write, passes the gate again.

mod guarded;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    aws::{
        Class, Error,
        accounts::Ports,
        gate::Gate,
        limits::{Key, Limits, NoToken, Priority},
        operations::{Entry, Operation},
    },
    context::Clock,
    metrics::Metrics,
};

pub use self::guarded::{
    GuardedAlarms, GuardedAutoScaling, GuardedCloudWatch, GuardedCodeDeploy, GuardedDynamoDb,
    GuardedEcs, GuardedLambda, GuardedRds, GuardedSns, GuardedSsm,
};

/// Most attempts of a read in one pass: enough for a lost connection and a short throttle; what
/// lasts longer is for the next pass, which backs off.
pub const READ_ATTEMPTS_MAX: u32 = 3;
/// Most attempts of a write in one pass, and only when the first was throttled.
pub const WRITE_ATTEMPTS_MAX: u32 = 2;
/// Pause before the second attempt; doubled before the third. No jitter: the buckets spread calls.
pub const BACKOFF: Duration = Duration::from_millis(250);

/// What every call passes. Cheap to clone; shared by all sessions.
#[derive(Clone)]
pub struct Guards {
    /// Rate limits.
    pub limits: Arc<Limits>,
    /// Whether a write may go now.
    pub gate: Gate,
    /// The clock that `not_after` is compared with.
    pub clock: Clock,
    /// Where calls are counted.
    pub metrics: Metrics,
}

/// On whose behalf a call is made, and until when it is of use.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// Who goes first when calls have to wait.
    pub priority: Priority,
    /// Namespaces take turns.
    pub namespace: Arc<str>,
    /// Writes are refused from then on: the close of the window that allows them.
    pub not_after: Option<Timestamp>,
    /// End of the pass: nothing waits for a token or tries again beyond it.
    pub deadline: Instant,
}

/// Makes calls in one account and region, with everything that a call passes.
pub(super) struct Caller {
    account: String,
    region: String,
    guards: Guards,
    /// AWS did not take the credentials.
    rejected: AtomicBool,
}

/// One account and region, as one role.
pub struct Session {
    id: u64,
    caller: Caller,
    ports: Ports,
}

impl Session {
    pub(super) fn new(caller: Caller, ports: Ports) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { id: LAST.fetch_add(1, Ordering::Relaxed), caller, ports }
    }

    /// Tells it apart from every other session of this process, former ones too: what one session
    /// was answered is not for another, whose role may not be allowed to see it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The 12 digits of the account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.caller.account
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.caller.region
    }

    /// Whether AWS refused the credentials, so that fresh ones have to be fetched.
    #[must_use]
    pub fn needs_renewal(&self) -> bool {
        self.caller.rejected.load(Ordering::Relaxed)
    }

    /// The alarms of CloudWatch, on behalf of `context`.
    #[must_use]
    pub fn alarms(self: &Arc<Self>, context: CallContext) -> GuardedAlarms {
        GuardedAlarms { session: Arc::clone(self), context }
    }

    /// Application Auto Scaling, on behalf of `context`.
    #[must_use]
    pub fn auto_scaling(self: &Arc<Self>, context: CallContext) -> GuardedAutoScaling {
        GuardedAutoScaling { session: Arc::clone(self), context }
    }

    /// CloudWatch, on behalf of `context`.
    #[must_use]
    pub fn cloudwatch(self: &Arc<Self>, context: CallContext) -> GuardedCloudWatch {
        GuardedCloudWatch { session: Arc::clone(self), context }
    }

    /// CodeDeploy, on behalf of `context`.
    #[must_use]
    pub fn codedeploy(self: &Arc<Self>, context: CallContext) -> GuardedCodeDeploy {
        GuardedCodeDeploy { session: Arc::clone(self), context }
    }

    /// DynamoDB, on behalf of `context`.
    #[must_use]
    pub fn dynamodb(self: &Arc<Self>, context: CallContext) -> GuardedDynamoDb {
        GuardedDynamoDb { session: Arc::clone(self), context }
    }

    /// ECS, on behalf of `context`.
    #[must_use]
    pub fn ecs(self: &Arc<Self>, context: CallContext) -> GuardedEcs {
        GuardedEcs { session: Arc::clone(self), context }
    }

    /// RDS, on behalf of `context`.
    #[must_use]
    pub fn rds(self: &Arc<Self>, context: CallContext) -> GuardedRds {
        GuardedRds { session: Arc::clone(self), context }
    }

    /// SNS, on behalf of `context`.
    #[must_use]
    pub fn sns(self: &Arc<Self>, context: CallContext) -> GuardedSns {
        GuardedSns { session: Arc::clone(self), context }
    }

    /// Systems Manager, on behalf of `context`.
    #[must_use]
    pub fn ssm(self: &Arc<Self>, context: CallContext) -> GuardedSsm {
        GuardedSsm { session: Arc::clone(self), context }
    }

    /// Lambda, on behalf of `context`.
    #[must_use]
    pub fn lambda(self: &Arc<Self>, context: CallContext) -> GuardedLambda {
        GuardedLambda { session: Arc::clone(self), context }
    }
}

impl Caller {
    pub(super) fn new(account: String, region: String, guards: Guards) -> Self {
        Self { account, region, guards, rejected: AtomicBool::new(false) }
    }

    /// Makes one call; see the module for what is repeated.
    pub(super) async fn call<T, F>(
        &self,
        operation: Operation,
        resource: &str,
        context: &CallContext,
        send: impl Fn() -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut attempts = 0_u32;
        loop {
            self.token(operation, resource, context).await?;
            let now = self.guards.clock.now();
            self.guards.gate.permit(operation, resource, context.not_after, now)?;
            attempts = attempts.saturating_add(1);
            let error = match self.attempt(operation, resource, send()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match pause(operation, error.class, attempts, context.deadline) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn token(
        &self,
        operation: Operation,
        resource: &str,
        context: &CallContext,
    ) -> Result<(), Error> {
        let key = self.key(operation);
        let token = self.guards.limits.token(&key, context.priority, &context.namespace);
        let not_sent = |why: Option<NoToken>, message: String| {
            let message = format!("not sent: {message}");
            let class = match (context.priority, why) {
                (Priority::Drift, _) | (_, Some(NoToken::UndoFirst)) => Class::NoTurn,
                (Priority::Undo | Priority::Work | Priority::Advance, _) => Class::Throttled,
            };
            ours(operation, resource, class, message)
        };
        match timeout_at(context.deadline, token).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(not_sent(Some(why), why.to_string())),
            Err(_) => Err(not_sent(
                None,
                "its turn under this API's rate limit did not come before the pass ended"
                    .to_owned(),
            )),
        }
    }

    /// Sends once, and draws the conclusions that are not the caller's.
    async fn attempt<T>(
        &self,
        operation: Operation,
        resource: &str,
        sent: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let longest = operation.timeout();
        let answer = timeout(longest, sent).await.unwrap_or_else(|_| {
            let message = format!(
                "no answer within {} s; it may or may not have been carried out",
                longest.as_secs()
            );
            Err(ours(operation, resource, Class::Unknown, message))
        });
        let Entry { service, name, .. } = operation.entry();
        let result = answer.as_ref().err().map_or("ok", result_label);
        self.guards.metrics.aws_call(service, name, result, begun.elapsed());
        if let Err(error) = &answer {
            self.learn_from(error);
        }
        answer
    }

    fn learn_from(&self, error: &Error) {
        match error.class {
            Class::Throttled => {
                // The call that was throttled may be the AssumeRole before ours.
                let throttled = error.operation;
                self.guards.limits.throttled(&self.key(throttled), error.retry_after);
                let service = throttled.entry().service;
                self.guards.metrics.aws_throttled(service, &self.account, &self.region);
            }
            Class::Credentials => self.rejected.store(true, Ordering::Relaxed),
            Class::NotFound
            | Class::Conflict
            | Class::Stale
            | Class::Denied
            | Class::Invalid
            | Class::Unknown
            | Class::Refused
            | Class::NoTurn => {}
        }
    }

    fn key(&self, operation: Operation) -> Key {
        Key {
            account: self.account.clone(),
            region: self.region.clone(),
            family: operation.entry().family,
        }
    }
}

/// How long to wait before the next attempt, or none when this was the last.
fn pause(operation: Operation, class: Class, attempts: u32, deadline: Instant) -> Option<Duration> {
    let most = match (operation.entry().write, class) {
        (false, Class::Throttled | Class::Unknown) => READ_ATTEMPTS_MAX,
        (true, Class::Throttled) => WRITE_ATTEMPTS_MAX,
        (
            true | false,
            Class::NotFound
            | Class::Conflict
            | Class::Stale
            | Class::Denied
            | Class::Credentials
            | Class::Invalid
            | Class::Unknown
            | Class::Refused
            | Class::NoTurn,
        ) => 1,
    };
    if attempts >= most {
        return None;
    }
    let pause = BACKOFF.saturating_mul(attempts);
    Instant::now().checked_add(pause).filter(|next| *next < deadline).map(|_| pause)
}

/// An error of which AWS said nothing.
fn ours(operation: Operation, resource: &str, class: Class, message: String) -> Error {
    Error {
        operation,
        resource: resource.to_owned(),
        class,
        code: String::new(),
        message,
        request_id: None,
        retry_after: None,
    }
}

/// The result as the metrics name it: AWS's code, else our class.
fn result_label(error: &Error) -> &str {
    if !error.code.is_empty() {
        return &error.code;
    }
    match error.class {
        Class::NotFound => "NotFound",
        Class::Conflict => "Conflict",
        Class::Stale => "Stale",
        Class::Throttled => "Throttled",
        Class::Denied => "Denied",
        Class::Credentials => "Credentials",
        Class::Invalid => "Invalid",
        Class::Unknown => "Unknown",
        Class::Refused => "Refused",
        Class::NoTurn => "NoTurn",
    }
}
