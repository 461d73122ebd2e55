use super::*;
use crate::canary_rollout::world::judged_by_errors;
use proptest::prelude::*;

fn errors(max: &str) -> AnalysisMetric {
    let [metric] = judged_by_errors(max).metrics.unwrap().try_into().unwrap();
    metric
}

#[track_caller]
fn check(metric: AnalysisMetric, expected: Result<f64, &str>) {
    let analysis = Analysis { metrics: Some(vec![metric]), ..Analysis::default() };
    let parsed = Criteria::parse(Some(&analysis));
    let seen = parsed.map(|criteria| criteria.metrics[0].max.unwrap());
    assert_eq!(seen.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
}

#[test]
fn a_limit_is_read_in_the_unit_of_its_metric() {
    let builtin = |builtin, max: &str| AnalysisMetric { builtin: Some(builtin), ..errors(max) };
    check(errors("5%"), Ok(5.0));
    check(builtin(Builtin::DurationP95, "2s"), Ok(2_000.0));
    check(builtin(Builtin::DurationP95, "180ms"), Ok(180.0));
    check(builtin(Builtin::Errors, "10"), Ok(10.0));
    check(
        builtin(Builtin::DurationP95, "5%"),
        Err("spec.analysis.metrics[0].max must be a time, like 800ms or 2s"),
    );
    check(errors("5"), Err("spec.analysis.metrics[0].max must be a percentage, like 5%"));
    check(errors("101%"), Err("spec.analysis.metrics[0].max must be at most 100%"));
}

#[test]
fn a_metric_of_ones_own_takes_bare_numbers_unless_it_says_a_unit() {
    let own = |namespace: &str, name: &str, unit, max: &str| AnalysisMetric {
        builtin: None,
        metric: Some(MetricRef {
            namespace: namespace.into(),
            metric_name: name.into(),
            dimensions: [].into(),
            statistic: "Average".into(),
            unit,
        }),
        ..errors(max)
    };
    check(own("Shop", "Lag", None, "7"), Ok(7.0));
    check(own("Shop", "Lag", Some(MetricUnit::Seconds), "1500ms"), Ok(1.5));
    check(own("AWS/ApiGateway", "Latency", None, "2s"), Ok(2_000.0));
    // AWS gives this rate as a fraction.
    check(own("AWS/ApiGateway", "5XXError", None, "0.05"), Ok(0.05));
    check(
        own("Shop", "Lag", None, "7s"),
        Err(
            "spec.analysis.metrics[0].max must be a bare number: this metric has no known unit; metric.unit can say one",
        ),
    );
}

#[test]
fn settle_is_never_less_than_the_functions_timeout() {
    let criteria = Criteria::parse(None).unwrap();
    assert_eq!(criteria.settle_for(Some(Duration::from_secs(900))).as_secs(), 900);
    assert_eq!(criteria.settle_for(Some(Duration::from_secs(3))).as_secs(), 120);
}

#[test]
fn what_is_left_out_of_an_analysis_has_its_default() {
    let analysis = Analysis {
        metrics: Some(vec![errors("5%")]),
        alarms: Some(AnalysisAlarms { names: Some(vec!["a".into()]), ..Default::default() }),
        ..Analysis::default()
    };
    let criteria = Criteria::parse(Some(&analysis)).unwrap();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    assert_eq!((criteria.interval, criteria.settle), (minutes(1), minutes(2)));
    let metric = &criteria.metrics[0];
    assert_eq!((metric.window, metric.failure_limit), (minutes(5), 0));
    assert_eq!((metric.on_no_data, metric.versus), (OnNoData::Wait, None));
    let alarms = criteria.alarms.unwrap();
    assert_eq!(alarms.already_firing, AlreadyFiring::Block);
    assert_eq!(alarms.on_insufficient_data, OnNoData::Pass);
    let none = Criteria::parse(None).unwrap();
    assert_eq!((none.metrics, none.alarms), (vec![], None));
}

#[test]
fn an_increase_is_compared_at_95_percent_unless_it_says_otherwise() {
    let versus = |confidence: Option<&str>| {
        let vs_stable = VsStable {
            max_increase_points: Some("0.5%".into()),
            confidence: confidence.map(str::to_owned),
            max_ratio: None,
        };
        let metric = AnalysisMetric { vs_stable: Some(vs_stable), ..errors("5%") };
        let analysis = Analysis { metrics: Some(vec![metric]), ..Analysis::default() };
        Criteria::parse(Some(&analysis)).unwrap().metrics[0].versus
    };
    let at = |confidence| Some(Versus::MaxIncrease { share: 0.005, confidence });
    assert_eq!(versus(None), at(0.95));
    assert_eq!(versus(Some("99%")), at(0.99));
}

#[test]
fn a_metrics_own_window_counts_more_than_that_of_the_analysis() {
    let own = AnalysisMetric { window: Some(Duration::from_secs(600)), ..errors("5%") };
    let analysis = Analysis {
        window: Some(Duration::from_secs(120)),
        metrics: Some(vec![own, errors("5%")]),
        ..Analysis::default()
    };
    let criteria = Criteria::parse(Some(&analysis)).unwrap();
    let windows: Vec<_> = criteria.metrics.iter().map(|m| m.window.as_secs()).collect();
    assert_eq!(windows, [600, 120]);
}

proptest! {
    #[test]
    fn any_limit_is_read_or_refused(text in ".{0,30}") {
        let analysis =
            Analysis { metrics: Some(vec![errors(&text)]), ..Analysis::default() };
        let _ = Criteria::parse(Some(&analysis));
    }
}
