//! One session for each target, made when it is first needed.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::Target;
use crate::aws::{
    Class, Error,
    limits::{Limits, Priority},
    operations::Operation,
    port,
    session::{CallContext, Caller, Guards, Session},
};

/// Most sessions that are kept. One takes about 100 KB, and a namespace needs one per region; the
/// one that was not used for longest is made again when it is needed.
pub const SESSIONS_KEPT: usize = 1_000;

/// How long a failed attempt answers for the next ones: all who waited for it share it, and hundreds
/// of objects with the same broken role do not each ask STS.
pub const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// Longest that making a session may take: the credentials, and three tries of GetCallerIdentity.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The services of one target.
#[derive(Clone)]
pub struct Ports {
    /// The alarms of CloudWatch.
    pub alarms: Arc<dyn port::Alarms>,
    /// Application Auto Scaling.
    pub auto_scaling: Arc<dyn port::AutoScaling>,
    /// CloudWatch.
    pub cloudwatch: Arc<dyn port::CloudWatch>,
    /// CodeDeploy.
    pub codedeploy: Arc<dyn port::CodeDeploy>,
    /// DynamoDB.
    pub dynamodb: Arc<dyn port::DynamoDb>,
    /// ECS.
    pub ecs: Arc<dyn port::Ecs>,
    /// Lambda.
    pub lambda: Arc<dyn port::Lambda>,
    /// RDS.
    pub rds: Arc<dyn port::Rds>,
    /// SNS.
    pub sns: Arc<dyn port::Sns>,
    /// Systems Manager.
    pub ssm: Arc<dyn port::Ssm>,
    /// STS.
    pub sts: Arc<dyn port::Sts>,
}

/// Makes the services of a target. Credentials are fetched when the first call needs them.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The services of `target`. A second call for the same target starts from fresh credentials.
    async fn connect(&self, target: &Target) -> Result<Ports, Error>;
}

/// The sessions of this process.
pub struct Accounts {
    connector: Arc<dyn Connector>,
    guards: Guards,
    slots: SyncMutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_target: HashMap<Target, Slot>,
    uses: u64,
}

#[derive(Clone)]
struct Slot {
    state: Arc<Mutex<State>>,
    used: u64,
}

#[derive(Default)]
enum State {
    #[default]
    New,
    Ready(Arc<Session>),
    Failed {
        error: Error,
        at: Instant,
    },
}

impl Accounts {
    /// No session yet.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, guards: Guards) -> Self {
        Self { connector, guards, slots: SyncMutex::default() }
    }

    /// The rate limits of all calls.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.guards.limits
    }

    /// The session of `target`. Concurrent callers share one attempt to make it, its failure too.
    ///
    /// Safe to drop at any time: another caller then makes the attempt.
    ///
    /// # Errors
    ///
    /// Whatever kept us from knowing the account: mostly [`Class::Credentials`]. It is asked again
    /// after [`FAILURE_KEPT`].
    pub async fn session(&self, target: &Target) -> Result<Arc<Session>, Error> {
        let slot = self.slot(target);
        let mut state = slot.lock().await;
        match &*state {
            State::Ready(session) if !session.needs_renewal() => return Ok(Arc::clone(session)),
            State::Failed { error, at } if at.elapsed() < FAILURE_KEPT => return Err(error.clone()),
            State::New | State::Ready(_) | State::Failed { .. } => {}
        }
        let attempt = timeout(CONNECT_TIMEOUT, self.connect(target)).await;
        match attempt.unwrap_or_else(|_| Err(too_slow(target))) {
            Ok(session) => {
                let session = Arc::new(session);
                *state = State::Ready(Arc::clone(&session));
                Ok(session)
            }
            Err(error) => {
                *state = State::Failed { error: error.clone(), at: Instant::now() };
                Err(error)
            }
        }
    }

    async fn connect(&self, target: &Target) -> Result<Session, Error> {
        let ports = self.connector.connect(target).await?;
        let about = role_or_own(target);
        let context = CallContext {
            // Whatever is to be undone needs the session first.
            priority: Priority::Undo,
            namespace: Arc::from(about.as_str()),
            not_after: None,
            deadline: Instant::now().checked_add(CONNECT_TIMEOUT).unwrap_or_else(Instant::now),
        };
        // The account is what we want to know, so these calls share one bucket per region.
        let caller = Caller::new(String::new(), target.region.clone(), self.guards.clone());
        let account = caller
            .call(Operation::StsGetCallerIdentity, &about, &context, || {
                ports.sts.get_caller_account()
            })
            .await?;
        let caller = Caller::new(account, target.region.clone(), self.guards.clone());
        Ok(Session::new(caller, ports))
    }

    fn slot(&self, target: &Target) -> Arc<Mutex<State>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.uses = slots.uses.saturating_add(1);
        let used = slots.uses;
        if let Some(slot) = slots.by_target.get_mut(target) {
            slot.used = used;
            return Arc::clone(&slot.state);
        }
        if slots.by_target.len() >= SESSIONS_KEPT {
            let oldest = slots.by_target.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(oldest) = oldest.map(|(target, _)| target.clone()) {
                slots.by_target.remove(&oldest);
            }
        }
        let state = Arc::<Mutex<State>>::default();
        slots.by_target.insert(target.clone(), Slot { state: Arc::clone(&state), used });
        state
    }
}

/// What the identity is asked of, for messages and for turns in the queue.
fn role_or_own(target: &Target) -> String {
    match &target.role {
        Some(role) => format!("role {}", role.arn),
        None => "the operator's own credentials".to_owned(),
    }
}

fn too_slow(target: &Target) -> Error {
    Error {
        operation: Operation::StsGetCallerIdentity,
        resource: role_or_own(target),
        class: Class::Unknown,
        code: String::new(),
        message: format!("the account was not known within {} s", CONNECT_TIMEOUT.as_secs()),
        request_id: None,
        retry_after: None,
    }
}
