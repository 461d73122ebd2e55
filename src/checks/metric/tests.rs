//! What limits mean, and which periods count.

use proptest::prelude::*;

use super::*;
use crate::api::{
    check::{
        CheckVerdict::{self, Failed, Passed},
        MetricQuery, MetricSource,
    },
    duration::Duration,
};

fn source() -> MetricSource {
    MetricSource {
        namespace: Some("AWS/Lambda".into()),
        metric_name: Some("Errors".into()),
        dimensions: Some([("FunctionName".to_owned(), "api".to_owned())].into()),
        statistic: Some("Sum".into()),
        period: Duration::from_secs(600),
        ..MetricSource::default()
    }
}

fn math() -> MetricSource {
    MetricSource {
        expression: Some("100*e/i".into()),
        queries: Some(vec![query("i", "Invocations"), query("e", "Errors")]),
        period: Duration::from_secs(600),
        ..MetricSource::default()
    }
}

fn errors() -> MetricCheck {
    let max = Some("10".into());
    MetricCheck { source: source(), periods: None, max, min: None, on_no_data: None }
}

fn query(id: &str, name: &str) -> MetricQuery {
    MetricQuery {
        id: id.into(),
        namespace: "AWS/Lambda".into(),
        metric_name: name.into(),
        dimensions: [].into(),
        statistic: "Sum".into(),
    }
}

fn rate() -> MetricCheck {
    MetricCheck { source: math(), max: Some("5%".into()), ..errors() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[track_caller]
fn check(raw: &MetricCheck, values: &[f64], verdict: CheckVerdict, says: &str) {
    let points: Vec<Datapoint> =
        values.iter().map(|value| Datapoint { at: at(0), value: *value }).collect();
    let metric = Metric::parse(raw).unwrap();
    let judged = if points.is_empty() { metric.no_data(&[]) } else { metric.judge(&points) };
    assert_eq!((judged.verdict, judged.message.as_str()), (verdict, says));
}

#[test]
fn a_limit_holds_at_its_bound_and_is_broken_beyond() {
    let of = "Sum of AWS/Lambda Errors FunctionName=api";
    for (value, verdict) in [(0.0, Passed), (10.0, Passed), (10.5, Failed), (11.0, Failed)] {
        check(&errors(), &[value], verdict, &format!("{of}: {value} in the last 10m, at most 10"));
    }
    let least = MetricCheck { max: None, min: Some("5".into()), ..errors() };
    for (value, verdict) in [(4.0, Failed), (5.0, Passed), (500.0, Passed)] {
        check(&least, &[value], verdict, &format!("{of}: {value} in the last 10m, at least 5"));
    }
    let both = MetricCheck { min: Some("5".into()), ..errors() };
    let text = |value: f64| format!("{of}: {value} in the last 10m, at most 10, at least 5");
    check(&both, &[4.0], Failed, &text(4.0));
    check(&both, &[7.0], Passed, &text(7.0));
    check(&both, &[11.0], Failed, &text(11.0));
}

#[test]
fn it_fails_when_all_periods_break_a_limit_and_one_without_data_does_not() {
    let three = MetricCheck { periods: Some(3), ..errors() };
    let of = "Sum of AWS/Lambda Errors FunctionName=api";
    let over = "in the last 3 periods of 10m, at most 10";
    check(&three, &[11.0, 12.0, 13.0], Failed, &format!("{of}: 11, 12, 13 {over}"));
    check(&three, &[11.0, 10.0, 13.0], Passed, &format!("{of}: 11, 10, 13 {over}"));
    check(&three, &[11.0, 12.0], Passed, &format!("{of}: 11, 12 {over}"));
}

#[test]
fn no_data_fails_unless_it_may_pass() {
    let says = "Sum of AWS/Lambda Errors FunctionName=api: no data in the last 10m";
    check(&errors(), &[], Failed, says);
    check(&MetricCheck { on_no_data: Some(NoData::Pass), ..errors() }, &[], Passed, says);
    let metric = Metric::parse(&errors()).unwrap();
    let judged = metric.no_data(&["CloudWatch knows no metric X".into()]);
    assert_eq!(judged.message, format!("{says}; CloudWatch knows no metric X"));
}

#[test]
fn an_expression_is_a_rate_when_it_is_limited_like_one() {
    check(&rate(), &[4.1234], Passed, "100*e/i: 4.123% in the last 10m, at most 5%");
    check(&rate(), &[5.1], Failed, "100*e/i: 5.1% in the last 10m, at most 5%");
    let bare = MetricCheck { max: Some("5".into()), ..rate() };
    check(&bare, &[4.0], Passed, "100*e/i: 4 in the last 10m, at most 5");
    let source = MetricSource { unit: Some(MetricUnit::Milliseconds), ..math() };
    let timed = MetricCheck { source, max: Some("2s".into()), ..rate() };
    check(&timed, &[1_999.0], Passed, "100*e/i: 1999ms in the last 10m, at most 2s");
    check(&timed, &[2_001.0], Failed, "100*e/i: 2001ms in the last 10m, at most 2s");
}

#[test]
fn the_last_whole_settled_periods_count() {
    let metric = Metric::parse(&MetricCheck { periods: Some(2), ..errors() }).unwrap();
    for (now, from, until) in [
        (6_000, 4_800 - 600, 5_400),
        (6_119, 4_800 - 600, 5_400),
        (6_120, 4_800, 6_000),
        (6_719, 4_800, 6_000),
        (6_720, 5_400, 6_600),
    ] {
        assert_eq!(metric.span(at(now)), Span { from: at(from), until: at(until) }, "{now}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_field() {
    let secs = Duration::from_secs;
    let text = |text: &str| Some(text.to_owned());
    for (raw, field) in [
        (MetricCheck { periods: Some(0), ..errors() }, "periods"),
        (MetricCheck { periods: Some(11), ..errors() }, "periods"),
        (MetricCheck { max: None, ..errors() }, "max"),
        (MetricCheck { min: text("11"), ..errors() }, "max"),
        (MetricCheck { max: text("5%"), ..errors() }, "max"),
        (MetricCheck { max: text("101%"), ..rate() }, "max"),
        (MetricCheck { max: text("2s"), ..rate() }, "max"),
    ] {
        assert_eq!(Metric::parse(&raw).unwrap_err().0, field, "{raw:?}");
    }
    for (source, field) in [
        (MetricSource { period: secs(59), ..source() }, "period"),
        (MetricSource { period: secs(90), ..source() }, "period"),
        (MetricSource { period: secs(86_460), ..source() }, "period"),
        (MetricSource { statistic: None, ..source() }, "metricName"),
        (MetricSource { expression: text("1"), ..source() }, "metricName"),
        (MetricSource { queries: None, ..math() }, "metricName"),
        (MetricSource { dimensions: Some([].into()), ..math() }, "metricName"),
        (MetricSource { queries: Some(vec![]), ..math() }, "queries"),
        (
            MetricSource { queries: Some(vec![query("e", "A"), query("e", "B")]), ..math() },
            "queries",
        ),
        (MetricSource { queries: Some(vec![query("E", "A")]), ..math() }, "queries"),
        (
            MetricSource { queries: Some(vec![query("groundcrew_result", "A")]), ..math() },
            "queries",
        ),
    ] {
        let raw = MetricCheck { source, ..errors() };
        assert_eq!(Metric::parse(&raw).unwrap_err().0, field, "{raw:?}");
    }
}

#[test]
fn a_small_number_is_not_told_as_zero() {
    let measure = Measure::parse(&source()).unwrap();
    for (value, told) in [
        (0.0, "0"),
        (113.0, "113"),
        (141.04, "141.04"),
        (0.8812, "0.881"),
        (0.05, "0.05"),
        (0.012_345, "0.0123"),
        (0.000_412_4, "0.000412"),
        (-0.000_412_4, "-0.000412"),
    ] {
        assert_eq!(measure.show(value), told);
    }
    let timed = MetricSource { metric_name: Some("Duration".into()), ..source() };
    assert_eq!(Measure::parse(&timed).unwrap().show(141.0), "141ms");
    let rate = MetricSource { unit: Some(MetricUnit::Percent), ..math() };
    assert_eq!(Measure::parse(&rate).unwrap().show(0.88), "0.88%");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_or_refused(
        max in proptest::option::of(".{0,12}"),
        period in 0_u64..100_000,
        periods in any::<i32>(),
        id in ".{0,20}",
        expression in ".{0,20}",
    ) {
        let source = MetricSource {
            period: Duration::from_secs(period),
            expression: Some(expression),
            queries: Some(vec![query(&id, "A")]),
            ..math()
        };
        let raw = MetricCheck { source, max, periods: Some(periods), ..rate() };
        if let Ok(metric) = Metric::parse(&raw) {
            let span = metric.span(at(1_000_000));
            prop_assert!(span.from < span.until && span.until <= at(1_000_000 - SETTLE.as_secs()));
        }
    }
}
