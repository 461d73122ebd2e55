mod counts;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    api::analysis::{Analysis, AnalysisMetric, MetricRef, VsStable},
    api::canary_rollout::Step as RawStep,
    canary_rollout::{
        evidence::{self, Subject},
        memory::Canary,
        rollout::Steps,
    },
    facts::cloudwatch::Span,
};

const SUBJECT: Subject<'_> = Subject { function: "api", alias: "live" };

fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(n * 60).unwrap()
}

fn metric(builtin: Builtin, max: Option<&str>, versus: Option<VsStable>) -> AnalysisMetric {
    AnalysisMetric {
        name: "metric".into(),
        builtin: Some(builtin),
        metric: None,
        max: max.map(str::to_owned),
        min: None,
        vs_stable: versus,
        failure_limit: None,
        on_no_data: None,
        window: None,
    }
}

/// A canary, version 2, in its first step since minute 0, beside version 1.
struct Case {
    criteria: Criteria,
    memory: Memory,
    series: BTreeMap<Series, Vec<Datapoint>>,
    span: Span,
}

impl Case {
    fn new(metric: AnalysisMetric) -> Self {
        let analysis = Analysis { metrics: Some(vec![metric]), ..Analysis::default() };
        let raw = [RawStep { weight: Some(10), ..RawStep::default() }];
        let steps = Steps::parse(&raw, "steps").unwrap();
        let flight = Flight { entered_at: Some(minute(0)), ..Flight::before(steps, 0) };
        let canary =
            Canary { version: "2".into(), code_sha256: None, timeout: None, started_at: minute(0) };
        let memory = Memory {
            stable: Some("1".into()),
            canary: Some(canary),
            flight: Some(flight),
            ..Memory::default()
        };
        Self {
            criteria: Criteria::parse(Some(&analysis)).unwrap(),
            memory,
            series: BTreeMap::new(),
            span: Span { from: minute(0), until: minute(3) },
        }
    }

    /// One value a minute from minute 0 on.
    fn with(mut self, version: &str, name: &str, statistic: &str, values: &[f64]) -> Self {
        let series = evidence::lambda(SUBJECT, Who::Version(version), name, statistic);
        self.series.insert(series, points(values));
        self
    }

    fn judge(&self) -> (MetricStatus, Option<Failed>) {
        let evidence = Evidence { span: self.span, series: self.series.clone() };
        let flight = self.memory.flight.as_ref().unwrap();
        let (flight, failed) = evaluate(&self.criteria, &self.memory, flight, SUBJECT, &evidence);
        (flight.analysis[0].clone(), failed)
    }

    /// Evaluates, and keeps what came of it.
    fn go_on(&mut self) -> (MetricStatus, Option<Failed>) {
        let evidence = Evidence { span: self.span, series: self.series.clone() };
        let flight = self.memory.flight.as_ref().unwrap();
        let (flight, failed) = evaluate(&self.criteria, &self.memory, flight, SUBJECT, &evidence);
        let entry = flight.analysis[0].clone();
        self.memory.flight = Some(flight);
        (entry, failed)
    }

    #[track_caller]
    fn check(&self, verdict: Verdict, value: Option<&str>) {
        let (entry, failed) = self.judge();
        let shown = entry.canary.as_ref().unwrap().value.as_deref();
        assert_eq!((entry.verdict, shown), (verdict, value), "{failed:?}");
        assert_eq!(failed.is_some(), verdict == Verdict::Failing);
    }
}

fn points(values: &[f64]) -> Vec<Datapoint> {
    values.iter().zip(0..).map(|(value, n)| Datapoint { at: minute(n), value: *value }).collect()
}

fn error_rate(max: &str) -> Case {
    Case::new(metric(Builtin::ErrorRate, Some(max), None))
}

#[test]
fn a_rate_passes_at_its_limit_and_fails_above() {
    let case = error_rate("5%").with("2", "Invocations", "Sum", &[100.0, 50.0, 50.0]);
    case.with("2", "Errors", "Sum", &[0.0, 5.0, 5.0]).check(Verdict::Passing, Some("5%"));
    let case = error_rate("5%").with("2", "Invocations", "Sum", &[100.0, 50.0, 50.0]);
    case.with("2", "Errors", "Sum", &[1.0, 5.0, 5.0]).check(Verdict::Failing, Some("5.5%"));
}

#[test]
fn no_datapoint_of_errors_means_none_as_long_as_there_were_invocations() {
    error_rate("5%").with("2", "Invocations", "Sum", &[10.0]).check(Verdict::Passing, Some("0%"));
}

#[test]
fn no_invocations_are_no_data_even_where_the_stable_version_has_some() {
    error_rate("5%").with("1", "Invocations", "Sum", &[900.0]).check(Verdict::NoData, None);
    let zero = error_rate("5%").with("2", "Invocations", "Sum", &[0.0]);
    zero.check(Verdict::NoData, None);
}

#[test]
fn no_data_fails_or_passes_only_where_the_spec_says_so() {
    let mut failing = metric(Builtin::ErrorRate, Some("5%"), None);
    failing.on_no_data = Some(OnNoData::Fail);
    Case::new(failing).check(Verdict::Failing, None);
    let mut passing = metric(Builtin::ErrorRate, Some("5%"), None);
    passing.on_no_data = Some(OnNoData::Pass);
    Case::new(passing).check(Verdict::Passing, None);
}

#[test]
fn a_percentile_is_the_mean_of_its_minutes_weighted_by_invocations() {
    Case::new(metric(Builtin::DurationP95, Some("200ms"), None))
        .with("2", "Invocations", "Sum", &[90.0, 10.0])
        .with("2", "Duration", "p95", &[100.0, 300.0])
        .check(Verdict::Passing, Some("120ms"));
}

#[test]
fn a_ratio_compares_with_the_stable_version_in_the_same_minutes() {
    let versus = VsStable { max_ratio: Some("1.3".into()), ..VsStable::default() };
    let case = |canary: f64| {
        Case::new(metric(Builtin::DurationP95, None, Some(versus.clone())))
            .with("1", "Invocations", "Sum", &[90.0])
            .with("1", "Duration", "p95", &[100.0])
            .with("2", "Invocations", "Sum", &[10.0])
            .with("2", "Duration", "p95", &[canary])
    };
    case(130.0).check(Verdict::Passing, Some("130ms"));
    case(131.0).check(Verdict::Failing, Some("131ms"));
    Case::new(metric(Builtin::DurationP95, None, Some(versus.clone())))
        .with("2", "Invocations", "Sum", &[10.0])
        .with("2", "Duration", "p95", &[100.0])
        .check(Verdict::NoData, Some("100ms"));
}

#[test]
fn an_increase_fails_only_when_it_is_sure_and_too_few_samples_are_no_data() {
    let versus = VsStable { max_increase_points: Some("0.5%".into()), ..VsStable::default() };
    let case = |errors: f64, invocations: f64| {
        Case::new(metric(Builtin::ErrorRate, None, Some(versus.clone())))
            .with("1", "Invocations", "Sum", &[10_000.0])
            .with("1", "Errors", "Sum", &[10.0])
            .with("2", "Invocations", "Sum", &[invocations])
            .with("2", "Errors", "Sum", &[errors])
    };
    case(50.0, 1_000.0).check(Verdict::Failing, Some("5%"));
    case(1.0, 1_000.0).check(Verdict::Passing, Some("0.1%"));
    // 1 of 100 is 0.9 points more, but it may be chance.
    case(1.0, 100.0).check(Verdict::Passing, Some("1%"));
    case(1.0, 29.0).check(Verdict::NoData, Some("3.45%"));
}

#[test]
fn failures_count_since_the_step_began_and_end_it_above_their_limit() {
    let mut tolerant = metric(Builtin::ErrorRate, Some("5%"), None);
    tolerant.failure_limit = Some(1);
    let mut case = Case::new(tolerant)
        .with("2", "Invocations", "Sum", &[10.0, 10.0, 10.0, 10.0])
        .with("2", "Errors", "Sum", &[5.0, 5.0, 5.0, 5.0]);
    let (first, failed) = case.go_on();
    assert_eq!((first.failures, failed), (1, None));
    case.span.until = minute(4);
    let (second, failed) = case.judge();
    assert_eq!(second.failures, 2);
    let failed = failed.unwrap();
    assert_eq!(failed.reason, "ErrorRate");
    assert_eq!(failed.message, "metric: 50% in 40 samples; the limit is 5%");
}

#[test]
fn a_minute_is_counted_once_however_often_it_is_read() {
    let mut case = error_rate("5%").with("2", "Invocations", "Sum", &[10.0, 10.0, 10.0, 10.0]);
    let (first, _) = case.go_on();
    assert_eq!(first.canary.unwrap().samples, 30);
    case.span.until = minute(4);
    assert_eq!(case.judge().0.canary.unwrap().samples, 40);
}

#[test]
fn a_metric_of_ones_own_is_judged_by_its_statistic() {
    let orders = AnalysisMetric {
        builtin: None,
        metric: Some(MetricRef {
            namespace: "Shop".into(),
            metric_name: "Orders".into(),
            dimensions: [].into(),
            statistic: "Sum".into(),
            unit: None,
        }),
        max: None,
        min: Some("5".into()),
        ..metric(Builtin::Errors, None, None)
    };
    let series = |case: &Case| match &case.criteria.metrics[0].source {
        Source::Custom { metric, statistic, .. } => {
            Series { metric: metric.clone(), statistic: statistic.clone(), period: 60 }
        }
        Source::Builtin(_) => panic!("not a builtin"),
    };
    let mut case = Case::new(orders);
    let key = series(&case);
    case.check(Verdict::NoData, None);
    case.series.insert(key.clone(), points(&[1.0, 1.0, 3.0]));
    case.check(Verdict::Passing, Some("5"));
    case.series.insert(key, points(&[1.0, 1.0, 2.0]));
    case.check(Verdict::Failing, Some("4"));
}

#[test]
fn after_100_only_absolute_limits_hold_and_the_alias_is_measured() {
    let versus = VsStable { max_ratio: Some("1.3".into()), ..VsStable::default() };
    let mut case = Case::new(metric(Builtin::ErrorRate, Some("5%"), Some(versus)));
    let flight = case.memory.flight.as_mut().unwrap();
    flight.index = 1;
    let alias = evidence::lambda(SUBJECT, Who::Alias, "Invocations", "Sum");
    case.series.insert(alias, points(&[100.0]));
    let (entry, failed) = case.judge();
    assert_eq!((entry.verdict, entry.stable, failed), (Verdict::Passing, None, None));
}

#[test]
fn only_whole_minutes_after_the_entry_up_to_now_less_settle_are_read() {
    let mut case = error_rate("5%");
    let flight = case.memory.flight.as_mut().unwrap();
    flight.entered_at = Some(minute(10) + SignedDuration::from_secs(1));
    let due = |case: &Case, now| evidence::due(&case.criteria, &case.memory, now);
    let settle = SignedDuration::from_secs(120);
    // Minute 11 is the first whole one; it is over at 12 and settled at 14.
    assert_eq!(due(&case, minute(12) + settle - SignedDuration::from_secs(1)), None);
    let first = Span { from: minute(11), until: minute(12) };
    assert_eq!(due(&case, minute(12) + settle), Some(first));
    // Later what was counted for good bounds how far back it looks, or the window, and neither
    // leaves anything out.
    let mut read_after = |counted, now| {
        let flight = case.memory.flight.as_mut().unwrap();
        flight.through = Some(minute(30));
        let canary = Tally::default();
        flight.counted = Some(Counted { before: Time(minute(counted)), canary, stable: None });
        due(&case, minute(now) + settle)
    };
    assert_eq!(read_after(15, 31), Some(Span { from: minute(15), until: minute(31) }));
    assert_eq!(read_after(30, 31), Some(Span { from: minute(26), until: minute(31) }));
    assert_eq!(read_after(12, 3_000), Some(Span { from: minute(1_560), until: minute(3_000) }));
    // A long timeout makes data late by as much.
    case.memory.flight.as_mut().unwrap().through = Some(minute(12));
    case.memory.canary.as_mut().unwrap().timeout =
        Some(crate::api::duration::Duration::from_secs(900));
    assert_eq!(due(&case, minute(13) + SignedDuration::from_secs(900) - settle), None);
}

#[test]
fn fewer_invocations_than_asked_for_say_nothing() {
    let mut case = error_rate("5%").with("2", "Invocations", "Sum", &[10.0, 10.0, 10.0]);
    let all_fail = evidence::lambda(SUBJECT, Who::Version("2"), "Errors", "Sum");
    case.series.insert(all_fail, points(&[10.0, 10.0, 10.0]));
    let steps = |least| {
        let raw = RawStep { weight: Some(10), min_invocations: Some(least), ..RawStep::default() };
        Steps::parse(&[raw], "steps").unwrap()
    };
    case.memory.flight.as_mut().unwrap().steps = steps(31);
    let (entry, failed) = case.judge();
    assert_eq!((entry.verdict, entry.failures, failed), (Verdict::Waiting, 0, None));
    case.memory.flight.as_mut().unwrap().steps = steps(30);
    assert_eq!(case.judge().0.verdict, Verdict::Failing);
}

#[test]
fn a_value_is_as_short_as_the_status_takes() {
    let source = |unit| Source::Custom {
        metric: crate::facts::cloudwatch::Metric {
            namespace: "n".into(),
            name: "m".into(),
            dimensions: Vec::new(),
        },
        statistic: "Sum".into(),
        unit,
    };
    let bare = source(None);
    for (value, shown) in [
        (0.25, "0.25"),
        (999_999_999_999_999.0, "999999999999999"),
        (1e15, "1.00e15"),
        (-1.234e300, "-1.23e300"),
    ] {
        assert_eq!(show(value, &bare), shown);
    }
    for value in [f64::MAX, f64::MIN, -999_999_999_999_999.4, f64::MIN_POSITIVE] {
        for unit in [MetricUnit::Percent, MetricUnit::Milliseconds, MetricUnit::Seconds] {
            let shown = show(value, &source(Some(unit)));
            assert!(shown.len() <= crate::api::fit::VALUE_MAX, "{shown}");
        }
    }
}
