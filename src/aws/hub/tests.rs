//! How many calls many callers make, and who sees what, on paused time.

mod alarms;
mod deployments;
mod full_alarms;
mod metrics;
mod mute_rules;
mod scaling;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, advance, sleep, timeout};

use super::*;
use crate::{
    aws::{
        Class, Error,
        accounts::Ports,
        gate::Gate,
        limits::Limits,
        operations::Operation,
        port,
        session::{Caller, Guards, Session},
    },
    context::Clock,
    facts::{
        cloudwatch::{
            Alarm, AlarmFilter, AlarmPage, AlarmState, Datapoint, Math, Metric, MetricPage,
            MetricsPage, Series, Span,
        },
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage,
        },
        surplus::Surplus,
    },
    kubernetes::leader::Leadership,
};

/// How long a call takes.
const CALL: Duration = Duration::from_millis(50);

/// What the next call does instead of answering.
#[derive(Clone, Copy)]
enum Trouble {
    Fail(Class),
    Die,
}

/// A CloudWatch that answers every metric with `value`, and knows these alarms.
struct Fake {
    value: f64,
    /// Datapoints on each page.
    points: usize,
    pages: usize,
    /// Metrics by name that are answered in another way.
    without_data: &'static str,
    failed: &'static str,
    unanswered: &'static str,
    /// The metric that makes a call invalid.
    poison: &'static str,
    alarms: Mutex<BTreeMap<String, AlarmState>>,
    trouble: Mutex<Option<Trouble>>,
    metric_calls: Mutex<Vec<(usize, Span)>>,
    alarm_calls: Mutex<Vec<AlarmFilter>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            value: 1.0,
            points: 1,
            pages: 1,
            without_data: "",
            failed: "",
            unanswered: "",
            poison: "",
            alarms: Mutex::default(),
            trouble: Mutex::default(),
            metric_calls: Mutex::default(),
            alarm_calls: Mutex::default(),
        }
    }
}

impl Fake {
    fn metric_calls(&self) -> Vec<(usize, Span)> {
        self.metric_calls.lock().unwrap().clone()
    }

    fn alarm_calls(&self) -> Vec<AlarmFilter> {
        self.alarm_calls.lock().unwrap().clone()
    }

    fn trouble(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = Some(trouble);
    }

    fn set(&self, name: &str, state: AlarmState) {
        self.alarms.lock().unwrap().insert(name.to_owned(), state);
    }

    /// Takes its time, and may fail.
    async fn call(&self, operation: Operation) -> Result<(), Error> {
        sleep(CALL).await;
        let trouble = self.trouble.lock().unwrap().take();
        match trouble {
            None => Ok(()),
            Some(Trouble::Fail(class)) => Err(refusal(operation, class)),
            Some(Trouble::Die) => panic!("the task of the batch ends here, as it should"),
        }
    }
}

fn refusal(operation: Operation, class: Class) -> Error {
    Error {
        operation,
        resource: "fake".to_owned(),
        class,
        code: "TheCode".to_owned(),
        message: "words".to_owned(),
        request_id: Some("id".to_owned()),
        retry_after: None,
    }
}

/// The page after `next`, and where the one after it starts.
fn turn(next: Option<&str>, pages: usize) -> (usize, Option<String>) {
    let page = next.map_or(0, |next| next.parse::<usize>().unwrap());
    (page, (page + 1 < pages).then(|| (page + 1).to_string()))
}

#[async_trait]
impl port::CloudWatch for Fake {
    async fn get_metric_data(
        &self,
        series: &[Series],
        span: Span,
        next: Option<&str>,
    ) -> Result<MetricPage, Error> {
        self.metric_calls.lock().unwrap().push((series.len(), span));
        self.call(Operation::CloudWatchGetMetricData).await?;
        if series.iter().any(|series| series.metric.name == self.poison) {
            return Err(refusal(Operation::CloudWatchGetMetricData, Class::Invalid));
        }
        let (page, next) = turn(next, self.pages);
        let mut answer = MetricPage { next, ..MetricPage::default() };
        for (index, series) in series.iter().enumerate() {
            let name = &*series.metric.name;
            let point = |number: usize| Datapoint {
                at: span.from + SignedDuration::from_mins((page * self.points + number) as i64),
                value: self.value,
            };
            if name == self.failed && answer.next.is_none() {
                answer.failed.push(index);
            } else if name == self.without_data {
                answer.datapoints.push((index, vec![]));
            } else if name != self.unanswered {
                answer.datapoints.push((index, (0..self.points).map(point).collect()));
            }
        }
        Ok(answer)
    }

    async fn get_metric_math(&self, math: &Math, span: Span) -> Result<Vec<Datapoint>, Error> {
        self.metric_calls.lock().unwrap().push((math.inputs.len(), span));
        self.call(Operation::CloudWatchGetMetricData).await?;
        Ok(vec![Datapoint { at: span.from, value: self.value }])
    }

    async fn list_metrics(&self, metric: &Metric, _: Option<&str>) -> Result<MetricsPage, Error> {
        panic!("asked for {metric:?}")
    }

    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<AlarmPage, Error> {
        self.alarm_calls.lock().unwrap().push(filter.clone());
        self.call(Operation::CloudWatchDescribeAlarms).await?;
        let (page, next) = turn(next, self.pages);
        let alarms = self.alarms.lock().unwrap();
        let asked = alarms.iter().filter(|(name, _)| match filter {
            AlarmFilter::Names(names) => names.contains(name),
            AlarmFilter::Prefix(prefix) => name.starts_with(prefix),
            AlarmFilter::All => true,
        });
        let all: Vec<Alarm> =
            asked.map(|(name, state)| Alarm { name: name.clone(), state: *state }).collect();
        let size = all.len().div_ceil(self.pages);
        let alarms = all.into_iter().skip(page * size).take(size).collect();
        Ok(AlarmPage { alarms, next })
    }
}

/// A Lambda that is asked for nothing but an alias, which is at this revision; with none, for nothing.
pub(super) struct OneAlias(pub(super) Option<&'static str>);

impl OneAlias {
    pub(super) fn at(revision: &str) -> Alias {
        Alias {
            version: "42".into(),
            weights: Vec::new(),
            revision_id: revision.into(),
            description: String::new(),
        }
    }
}

#[async_trait]
impl port::Lambda for OneAlias {
    async fn get_alias(&self, _: &str, _: &str) -> Result<Alias, Error> {
        Ok(Self::at(self.0.expect("not asked")))
    }
    async fn create_alias(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Alias, Error> {
        panic!("not asked")
    }
    async fn update_alias(&self, _: &AliasChange) -> Result<Alias, Error> {
        panic!("not asked")
    }
    async fn get_function(&self, _: &str, _: Option<&str>) -> Result<FunctionVersion, Error> {
        panic!("not asked")
    }
    async fn update_function_code(&self, _: &CodeChange) -> Result<Changed, Error> {
        panic!("not asked")
    }
    async fn update_function_configuration(
        &self,
        _: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        panic!("not asked")
    }
    async fn publish_version(&self, _: &Publication) -> Result<Changed, Error> {
        panic!("not asked")
    }
    async fn get_provisioned_concurrency(&self, _: &str, _: &str) -> Result<Provisioned, Error> {
        panic!("not asked")
    }
    async fn invoke(&self, _: &str, _: &str, _: &str, _: Duration) -> Result<Invocation, Error> {
        panic!("not asked")
    }
    async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<VersionPage, Error> {
        panic!("not asked")
    }
    async fn list_named(&self, _: &str, _: Option<&str>) -> Result<NamedPage, Error> {
        panic!("not asked")
    }
    async fn delete_version(&self, _: &Surplus) -> Result<(), Error> {
        panic!("not asked")
    }
}

/// A session of the one account and region; each is another role.
fn session(fake: Fake) -> (Arc<Fake>, Arc<Session>) {
    let fake = Arc::new(fake);
    (Arc::clone(&fake), session_of(fake, Arc::new(port::unasked::Unasked)))
}

fn session_of(fake: Arc<Fake>, codedeploy: Arc<dyn port::CodeDeploy>) -> Arc<Session> {
    session_with(fake, codedeploy, Arc::new(port::unasked::Unasked))
}

fn session_with(
    fake: Arc<Fake>,
    codedeploy: Arc<dyn port::CodeDeploy>,
    auto_scaling: Arc<dyn port::AutoScaling>,
) -> Arc<Session> {
    session_at(Ports { auto_scaling, cloudwatch: fake, codedeploy, ..unasked() })
}

/// Services that are not asked.
fn unasked() -> Ports {
    Ports {
        alarms: Arc::new(port::unasked::Unasked),
        auto_scaling: Arc::new(port::unasked::Unasked),
        cloudwatch: Arc::new(Fake::default()),
        codedeploy: Arc::new(port::unasked::Unasked),
        dynamodb: Arc::new(port::unasked::Unasked),
        ecs: Arc::new(port::unasked::Unasked),
        lambda: Arc::new(OneAlias(None)),
        rds: Arc::new(port::unasked::Unasked),
        sns: Arc::new(port::unasked::Unasked),
        ssm: Arc::new(port::unasked::Unasked),
        sts: Arc::new(port::unasked::Unasked),
    }
}

fn session_at(ports: Ports) -> Arc<Session> {
    let guards = Guards {
        limits: Arc::new(Limits::default()),
        gate: Gate::new(Leadership::none()),
        clock: Clock::System,
        metrics: crate::metrics::Metrics::new(),
    };
    let caller = Caller::new("123456789012".to_owned(), "eu-west-1".to_owned(), guards);
    Arc::new(Session::new(caller, ports))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
