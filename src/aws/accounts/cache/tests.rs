//! When sessions are made, shared and forgotten, on paused time.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::time::{advance, sleep};

use super::*;
use crate::{
    aws::{gate::Gate, limits::Limits},
    context::Clock,
    facts::{
        cloudwatch::{
            AlarmFilter, AlarmPage, Datapoint, Math, Metric, MetricPage, MetricsPage, Series, Span,
        },
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage,
        },
        surplus::Surplus,
    },
    kubernetes::leader::Leadership,
    metrics::Metrics,
};

/// Answers GetCallerIdentity from a script, then with the account for ever.
#[derive(Default)]
struct Script {
    failures: SyncMutex<VecDeque<Class>>,
    connected: AtomicUsize,
    asked: AtomicUsize,
}

struct World(Arc<Script>);

#[async_trait]
impl Connector for World {
    async fn connect(&self, _: &Target) -> Result<Ports, Error> {
        self.0.connected.fetch_add(1, Ordering::Relaxed);
        Ok(Ports {
            cloudwatch: Arc::new(Rejecting),
            alarms: Arc::new(port::unasked::Unasked),
            auto_scaling: Arc::new(port::unasked::Unasked),
            codedeploy: Arc::new(port::unasked::Unasked),
            dynamodb: Arc::new(port::unasked::Unasked),
            ecs: Arc::new(port::unasked::Unasked),
            lambda: Arc::new(Rejecting),
            rds: Arc::new(port::unasked::Unasked),
            sns: Arc::new(port::unasked::Unasked),
            ssm: Arc::new(port::unasked::Unasked),
            sts: Arc::new(World(Arc::clone(&self.0))),
        })
    }
}

#[async_trait]
impl port::Sts for World {
    async fn get_caller_account(&self) -> Result<String, Error> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
        let mut failures = self.0.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.pop_front() {
            None => Ok("123456789012".to_owned()),
            Some(class) => Err(failure(class)),
        }
    }
}

fn failure(class: Class) -> Error {
    Error {
        operation: Operation::StsGetCallerIdentity,
        resource: "role".to_owned(),
        class,
        code: "Code".to_owned(),
        message: "words".to_owned(),
        request_id: Some("id".to_owned()),
        retry_after: None,
    }
}

/// Refuses the credentials of every call.
struct Rejecting;

#[async_trait]
impl port::CloudWatch for Rejecting {
    async fn get_metric_data(
        &self,
        _: &[Series],
        _: Span,
        _: Option<&str>,
    ) -> Result<MetricPage, Error> {
        Err(failure(Class::Credentials))
    }
    async fn get_metric_math(&self, _: &Math, _: Span) -> Result<Vec<Datapoint>, Error> {
        Err(failure(Class::Credentials))
    }
    async fn list_metrics(&self, _: &Metric, _: Option<&str>) -> Result<MetricsPage, Error> {
        Err(failure(Class::Credentials))
    }
    async fn describe_alarms(&self, _: &AlarmFilter, _: Option<&str>) -> Result<AlarmPage, Error> {
        Err(failure(Class::Credentials))
    }
}

#[async_trait]
impl port::Lambda for Rejecting {
    async fn get_alias(&self, _: &str, _: &str) -> Result<Alias, Error> {
        Err(failure(Class::Credentials))
    }
    async fn create_alias(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Alias, Error> {
        Err(failure(Class::Credentials))
    }
    async fn update_alias(&self, _: &AliasChange) -> Result<Alias, Error> {
        Err(failure(Class::Credentials))
    }
    async fn get_function(&self, _: &str, _: Option<&str>) -> Result<FunctionVersion, Error> {
        Err(failure(Class::Credentials))
    }
    async fn update_function_code(&self, _: &CodeChange) -> Result<Changed, Error> {
        Err(failure(Class::Credentials))
    }
    async fn update_function_configuration(
        &self,
        _: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        Err(failure(Class::Credentials))
    }
    async fn publish_version(&self, _: &Publication) -> Result<Changed, Error> {
        Err(failure(Class::Credentials))
    }
    async fn get_provisioned_concurrency(&self, _: &str, _: &str) -> Result<Provisioned, Error> {
        Err(failure(Class::Credentials))
    }
    async fn invoke(&self, _: &str, _: &str, _: &str, _: Duration) -> Result<Invocation, Error> {
        Err(failure(Class::Credentials))
    }
    async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<VersionPage, Error> {
        Err(failure(Class::Credentials))
    }
    async fn list_named(&self, _: &str, _: Option<&str>) -> Result<NamedPage, Error> {
        Err(failure(Class::Credentials))
    }
    async fn delete_version(&self, _: &Surplus) -> Result<(), Error> {
        Err(failure(Class::Credentials))
    }
}

fn accounts(failures: &[Class]) -> (Arc<Script>, Accounts) {
    let script = Arc::new(Script {
        failures: SyncMutex::new(failures.iter().copied().collect()),
        ..Script::default()
    });
    let guards = Guards {
        limits: Arc::new(Limits::default()),
        gate: Gate::new(Leadership::none()),
        clock: Clock::System,
        metrics: Metrics::new(),
    };
    (Arc::clone(&script), Accounts::new(Arc::new(World(script)), guards))
}

fn target(region: &str) -> Target {
    Target { region: region.to_owned(), role: None }
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_one_session() {
    let (script, accounts) = accounts(&[]);
    let target = target("eu-west-1");
    let (one, other) = tokio::join!(accounts.session(&target), accounts.session(&target));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!((one.account(), one.region()), ("123456789012", "eu-west-1"));
    assert_eq!(script.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_for_a_while_and_then_tried_again() {
    let (script, accounts) = accounts(&[Class::Credentials]);
    let target = target("eu-west-1");
    let (one, other) = tokio::join!(accounts.session(&target), accounts.session(&target));
    for error in [one.err().unwrap(), other.err().unwrap()] {
        assert_eq!(error.to_string(), failure(Class::Credentials).to_string());
        assert_eq!(error.class, Class::Credentials);
    }
    assert_eq!(script.asked.load(Ordering::Relaxed), 1);
    advance(FAILURE_KEPT).await;
    accounts.session(&target).await.unwrap();
    assert_eq!(script.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_hands_the_attempt_on() {
    let (script, accounts) = accounts(&[]);
    let target = target("eu-west-1");
    let left = timeout(Duration::from_millis(10), accounts.session(&target)).await;
    assert!(left.is_err());
    accounts.session(&target).await.unwrap();
    assert_eq!(script.connected.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn rejected_credentials_are_fetched_anew() {
    let (script, accounts) = accounts(&[]);
    let target = target("eu-west-1");
    let session = accounts.session(&target).await.unwrap();
    let context = CallContext {
        priority: Priority::Work,
        namespace: "flights".into(),
        not_after: None,
        deadline: Instant::now() + Duration::from_secs(30),
    };
    let lambda = session.lambda(context);
    port::Lambda::get_alias(&lambda, "f", "live").await.unwrap_err();
    assert!(session.needs_renewal());
    let renewed = accounts.session(&target).await.unwrap();
    assert!(!renewed.needs_renewal());
    assert_eq!(script.connected.load(Ordering::Relaxed), 2);
    let again = accounts.session(&target).await.unwrap();
    assert!(Arc::ptr_eq(&renewed, &again));
}

#[tokio::test(start_paused = true)]
async fn the_session_that_was_not_used_for_longest_goes_first() {
    let (script, accounts) = accounts(&[]);
    for number in 0..SESSIONS_KEPT {
        accounts.session(&target(&number.to_string())).await.unwrap();
    }
    accounts.session(&target("0")).await.unwrap();
    accounts.session(&target("one more")).await.unwrap();
    assert_eq!(script.connected.load(Ordering::Relaxed), SESSIONS_KEPT + 1);
    accounts.session(&target("0")).await.unwrap();
    assert_eq!(script.connected.load(Ordering::Relaxed), SESSIONS_KEPT + 1);
    accounts.session(&target("1")).await.unwrap();
    assert_eq!(script.connected.load(Ordering::Relaxed), SESSIONS_KEPT + 2);
}
