//! What is sent when, and what is repeated, on paused time.

mod alarms;
mod scripted;

use std::{collections::VecDeque, sync::Mutex};

use jiff::SignedDuration;

use async_trait::async_trait;

use super::*;
use crate::{
    aws::port::{self, CloudWatch as _, Lambda as _},
    facts::{
        cloudwatch::{
            AlarmFilter, AlarmPage, Datapoint, Math, Metric, MetricPage, MetricsPage, Series, Span,
        },
        lambda::{Alias, AliasChange},
    },
    kubernetes::leader::Leadership,
};

/// What the scripted Lambda does with one call.
#[derive(Clone, Copy)]
enum Answer {
    Good,
    Fail(Class),
    /// Good, after this long.
    Slow(Duration),
    /// Another operation failed on the way.
    AssumeRoleFails(Class),
    Never,
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<(Operation, Instant)>>,
}

struct Scripted(Arc<Script>);

impl Scripted {
    async fn answer(&self, operation: Operation) -> Result<Alias, Error> {
        self.0.sent.lock().unwrap().push((operation, Instant::now()));
        let answer = self.0.answers.lock().unwrap().pop_front().unwrap_or(Answer::Good);
        let failed = |operation, class| Error {
            code: "TheCode".to_owned(),
            ..ours(operation, "scripted", class, String::new())
        };
        if let Answer::Slow(latency) = answer {
            sleep(latency).await;
        }
        match answer {
            Answer::Good | Answer::Slow(_) => Ok(Alias {
                version: "1".to_owned(),
                weights: vec![],
                revision_id: "r".to_owned(),
                description: String::new(),
            }),
            Answer::Fail(class) => Err(failed(operation, class)),
            Answer::AssumeRoleFails(class) => Err(failed(Operation::StsAssumeRole, class)),
            Answer::Never => std::future::pending().await,
        }
    }
}

#[async_trait]
impl port::CloudWatch for Scripted {
    async fn get_metric_data(
        &self,
        _: &[Series],
        _: Span,
        _: Option<&str>,
    ) -> Result<MetricPage, Error> {
        self.answer(Operation::CloudWatchGetMetricData).await.map(|_| MetricPage::default())
    }
    async fn get_metric_math(&self, _: &Math, _: Span) -> Result<Vec<Datapoint>, Error> {
        self.answer(Operation::CloudWatchGetMetricData).await.map(|_| Vec::new())
    }
    async fn list_metrics(&self, _: &Metric, _: Option<&str>) -> Result<MetricsPage, Error> {
        self.answer(Operation::CloudWatchListMetrics).await.map(|_| MetricsPage::default())
    }
    async fn describe_alarms(&self, _: &AlarmFilter, _: Option<&str>) -> Result<AlarmPage, Error> {
        self.answer(Operation::CloudWatchDescribeAlarms).await.map(|_| AlarmPage::default())
    }
}

#[async_trait]
impl port::Sts for Scripted {
    async fn get_caller_account(&self) -> Result<String, Error> {
        Ok("123456789012".to_owned())
    }
}

struct Bench {
    script: Arc<Script>,
    session: Arc<Session>,
    metrics: Metrics,
}

impl Bench {
    fn new(leadership: Leadership, answers: &[Answer]) -> Self {
        let script = Arc::new(Script::default());
        script.answers.lock().unwrap().extend(answers);
        let metrics = Metrics::new();
        let guards = Guards {
            limits: Arc::new(Limits::default()),
            gate: Gate::new(leadership),
            clock: Clock::System,
            metrics: metrics.clone(),
        };
        let caller = Caller::new("123456789012".to_owned(), "eu-west-1".to_owned(), guards);
        let ports = Ports {
            cloudwatch: Arc::new(Scripted(Arc::clone(&script))),
            alarms: Arc::new(Scripted(Arc::clone(&script))),
            auto_scaling: Arc::new(port::unasked::Unasked),
            codedeploy: Arc::new(port::unasked::Unasked),
            dynamodb: Arc::new(port::unasked::Unasked),
            ecs: Arc::new(port::unasked::Unasked),
            lambda: Arc::new(Scripted(Arc::clone(&script))),
            rds: Arc::new(port::unasked::Unasked),
            sns: Arc::new(port::unasked::Unasked),
            ssm: Arc::new(port::unasked::Unasked),
            sts: Arc::new(Scripted(Arc::clone(&script))),
        };
        Self { script, session: Arc::new(Session::new(caller, ports)), metrics }
    }

    fn lambda(&self, not_after: Option<Timestamp>, patience: Duration) -> GuardedLambda {
        self.session.lambda(context(not_after, patience))
    }

    fn sent(&self) -> usize {
        self.script.sent.lock().unwrap().len()
    }
}

fn context(not_after: Option<Timestamp>, patience: Duration) -> CallContext {
    CallContext {
        priority: Priority::Work,
        namespace: "flights".into(),
        not_after,
        deadline: Instant::now().checked_add(patience).unwrap(),
    }
}

const PASS: Duration = Duration::from_secs(60);

fn change() -> AliasChange {
    AliasChange {
        function: "f".to_owned(),
        alias: "live".to_owned(),
        version: "1".to_owned(),
        weight: None,
        description: String::new(),
        revision_id: "r".to_owned(),
    }
}

const CLASSES: [Class; 10] = [
    Class::NotFound,
    Class::Conflict,
    Class::Stale,
    Class::Throttled,
    Class::Denied,
    Class::Credentials,
    Class::Invalid,
    Class::Unknown,
    Class::Refused,
    Class::NoTurn,
];

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_after_what_passes_by_itself_and_no_more_often_than_said() {
    for class in CLASSES {
        let bench = Bench::new(Leadership::none(), &[Answer::Fail(class); 9]);
        let error = bench.lambda(None, PASS).get_alias("f", "live").await.unwrap_err();
        assert_eq!(error.class, class);
        let passes = [Class::Throttled, Class::Unknown].contains(&class);
        assert_eq!(bench.sent(), if passes { 3 } else { 1 }, "{class:?}");
    }
    let bench = Bench::new(Leadership::none(), &[Answer::Fail(Class::Unknown); 2]);
    bench.lambda(None, PASS).get_alias("f", "live").await.unwrap();
    assert_eq!(bench.sent(), 3);
}

#[tokio::test(start_paused = true)]
async fn cloudwatch_is_read_without_a_lease_repeated_counted_and_spaced() {
    let answers = [Answer::Fail(Class::Throttled), Answer::Good, Answer::Fail(Class::Unknown)];
    let bench = Bench::new(Leadership::none(), &answers);
    let cloudwatch = bench.session.cloudwatch(context(None, PASS));
    let span = Span { from: Timestamp::UNIX_EPOCH, until: Timestamp::UNIX_EPOCH };
    cloudwatch.get_metric_data(&[], span, None).await.unwrap();
    let alarms = AlarmFilter::Prefix("a".to_owned());
    cloudwatch.describe_alarms(&alarms, None).await.unwrap();
    let begun = Instant::now();
    let rate = Operation::CloudWatchDescribeAlarms.entry().family.per_second();
    for _ in 0..14 {
        cloudwatch.describe_alarms(&alarms, None).await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_secs_f64(12.0 / rate), "{:?}", begun.elapsed());
    let shown = bench.metrics.render();
    for line in [
        r#"aws_calls_total{service="cloudwatch",operation="GetMetricData",result="TheCode"} 1"#,
        r#"aws_calls_total{service="cloudwatch",operation="GetMetricData",result="ok"} 1"#,
        r#"aws_calls_total{service="cloudwatch",operation="DescribeAlarms",result="TheCode"} 1"#,
        r#"aws_calls_total{service="cloudwatch",operation="DescribeAlarms",result="ok"} 15"#,
        r#"aws_throttles_total{service="cloudwatch""#,
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_are_told_apart() {
    let one = Bench::new(Leadership::none(), &[]);
    let other = Bench::new(Leadership::none(), &[]);
    assert_ne!(one.session.id(), other.session.id());
}

#[tokio::test(start_paused = true)]
async fn writes_are_repeated_only_when_nothing_was_applied() {
    for class in CLASSES {
        let bench = Bench::new(Leadership::always(), &[Answer::Fail(class); 9]);
        let error = bench.lambda(None, PASS).update_alias(&change()).await.unwrap_err();
        assert_eq!(error.class, class);
        assert_eq!(bench.sent(), if class == Class::Throttled { 2 } else { 1 }, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_lease_no_write_is_sent() {
    let bench = Bench::new(Leadership::none(), &[]);
    let lambda = bench.lambda(None, PASS);
    for refused in
        [lambda.update_alias(&change()).await, lambda.create_alias("f", "live", "1", "").await]
    {
        assert_eq!(refused.unwrap_err().class, Class::Refused);
    }
    assert_eq!(bench.sent(), 0);
    lambda.get_alias("f", "live").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_too_late_for_its_window_is_not_sent() {
    let bench = Bench::new(Leadership::always(), &[]);
    let now = Clock::System.now();
    let closed = bench.lambda(Some(now), PASS).update_alias(&change()).await;
    assert_eq!(closed.unwrap_err().class, Class::Refused);
    assert_eq!(bench.sent(), 0);
    let open = Some(now + SignedDuration::from_hours(1));
    bench.lambda(open, PASS).update_alias(&change()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_in_time_and_may_have_been_applied() {
    let bench = Bench::new(Leadership::always(), &[Answer::Never]);
    let begun = Instant::now();
    let error = bench.lambda(None, PASS).update_alias(&change()).await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
    assert_eq!(begun.elapsed(), crate::aws::gate::CALL_TIMEOUT);
    assert!(error.to_string().contains("function f alias live"), "{error}");
    assert_eq!(bench.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_repeated_beyond_the_pass() {
    let bench = Bench::new(Leadership::none(), &[Answer::Fail(Class::Unknown); 9]);
    bench.lambda(None, BACKOFF).get_alias("f", "live").await.unwrap_err();
    assert_eq!(bench.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drift_check_gives_up_its_turn_soon_and_its_call_never() {
    let bench = Bench::new(Leadership::none(), &[Answer::Slow(Duration::from_secs(2))]);
    let drift = || bench.session.lambda(crate::context::terms(Priority::Drift, "flights"));
    drift().get_alias("f", "live").await.unwrap();
    // Nine calls of work wait for the next tokens: this one's would come after more than half a second.
    let work: Vec<_> = (0..9).map(|_| bench.lambda(None, PASS)).collect();
    let working = futures::future::join_all(work.iter().map(|one| one.get_alias("f", "live")));
    let begun = Instant::now();
    let (_, refused) = tokio::join!(working, async {
        let error = drift().get_alias("f", "live").await.unwrap_err();
        (error.class, begun.elapsed())
    });
    assert_eq!(refused.0, Class::NoTurn);
    assert!(refused.1 <= Duration::from_millis(300), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_does_not_come_before_the_pass_ends_is_not_sent() {
    let bench = Bench::new(Leadership::none(), &[]);
    bench.lambda(None, PASS).get_alias("f", "live").await.unwrap();
    let soon = Duration::from_millis(10);
    let error = bench.lambda(None, soon).get_alias("f", "live").await.unwrap_err();
    assert_eq!(error.class, Class::Throttled);
    assert!(error.to_string().contains("not sent"), "{error}");
    assert_eq!(bench.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_slows_the_family_that_was_throttled() {
    let bench = Bench::new(Leadership::none(), &[Answer::AssumeRoleFails(Class::Throttled)]);
    bench.lambda(None, PASS).get_alias("f", "live").await.unwrap();
    let sts = bench.session.caller.key(Operation::StsAssumeRole);
    let lambda = bench.session.caller.key(Operation::LambdaGetAlias);
    let limits = &bench.session.caller.guards.limits;
    tokio::time::sleep(Duration::from_secs(60)).await;

    limits.throttled(&sts, Some(Duration::from_secs(5)));
    let begun = Instant::now();
    limits.token(&lambda, Priority::Work, "a").await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let shown = bench.metrics.render();
    assert!(shown.contains(r#"aws_throttles_total{service="sts""#), "{shown}");
    assert!(!shown.contains(r#"aws_throttles_total{service="lambda""#), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_by_operation_and_result() {
    let answers = [Answer::Fail(Class::Unknown), Answer::Good, Answer::Never];
    let bench = Bench::new(Leadership::always(), &answers);
    bench.lambda(None, PASS).get_alias("f", "live").await.unwrap();
    bench.lambda(None, PASS).update_alias(&change()).await.unwrap_err();
    let shown = bench.metrics.render();
    for line in [
        r#"aws_calls_total{service="lambda",operation="GetAlias",result="TheCode"} 1"#,
        r#"aws_calls_total{service="lambda",operation="GetAlias",result="ok"} 1"#,
        r#"aws_calls_total{service="lambda",operation="UpdateAlias",result="Unknown"} 1"#,
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_spaced_by_the_limit_of_their_family() {
    let bench = Bench::new(Leadership::always(), &[]);
    let lambda = bench.lambda(None, PASS);
    for _ in 0..5 {
        lambda.get_alias("f", "live").await.unwrap();
        lambda.update_alias(&change()).await.unwrap();
    }
    let sent = bench.script.sent.lock().unwrap().clone();
    let (first, last) = (sent.first().unwrap().1, sent.last().unwrap().1);
    // Ten calls of one family, the first from the burst.
    let family = Operation::LambdaUpdateAlias.entry().family;
    let least = Duration::from_secs_f64((10.0 - family.burst()) / family.per_second());
    assert!(last - first >= least, "{:?}", last - first);
    assert!(last - first <= least + Duration::from_millis(20), "{:?}", last - first);
}
