//! What metrics say that contradicts itself, and what is right.

use serde_json::{Value, json};

use super::{always, full, opened, refused, with};
use crate::{harness::run, schema::WINDOW};

fn latency() -> Value {
    json!({
        "namespace": "AWS/ApiGateway", "metricName": "Latency",
        "dimensions": {"ApiName": "api"}, "statistic": "p95", "period": "10m",
        "unit": "Milliseconds",
    })
}

fn rate() -> Value {
    let query = json!({
        "id": "e", "namespace": "AWS/Lambda", "metricName": "Errors",
        "dimensions": {"FunctionName": "api"}, "statistic": "Sum",
    });
    json!({"expression": "100*e", "queries": [query], "period": "24h"})
}

/// Metrics that together have every field.
pub(super) fn all() -> Value {
    json!([
        {"name": "p95", "region": "eu-west-1", "metric": latency()},
        {"name": "rate", "metric": rate()},
    ])
}

#[test]
fn metrics_that_contradict_themselves_are_refused_with_the_fix() {
    let one = |field: &str, value: Value| {
        let mut metric = latency();
        metric[field] = value;
        with(full, "metrics", json!([{"name": "a", "metric": metric}]))
    };
    let mut alone = latency();
    alone.as_object_mut().unwrap().remove("statistic");
    let alone = with(full, "metrics", json!([{"name": "a", "metric": alone}]));
    let period = "period must be whole minutes, 1m to 24h";
    refused([
        (
            with(always, "metrics", all()),
            "a window that is always open has no openings to measure around: leave metrics out",
        ),
        (with(full, "metrics", json!([all()[0], all()[0]])), "Duplicate value"),
        (one("expression", json!("e")), "give exactly one of metricName and expression"),
        (alone, "namespace, metricName and statistic belong together"),
        (one("period", json!("90s")), period),
        (one("period", json!("25h")), period),
        // Nothing is judged by them.
        (one("max", json!("10ms")), "unknown field \"spec.metrics[0].metric.max\""),
        (one("periods", json!(3)), "unknown field \"spec.metrics[0].metric.periods\""),
    ]);
}

#[test]
fn metrics_are_accepted_up_to_their_bounds_and_give_post_check_for_a_meaning() {
    let most: Vec<Value> =
        (0..16).map(|number| json!({"name": format!("m{number}"), "metric": rate()})).collect();
    let mut watched = with(|| opened("0 2 * * SUN"), "metrics", all());
    watched["postCheckFor"] = json!("1h");
    let mut round = super::checked::round_of_tasks();
    round["metrics"] = all();
    run(async {
        for spec in [with(full, "metrics", json!(most)), watched, round] {
            assert_eq!(WINDOW.judge("good", &spec).await, Ok(()), "{spec}");
        }
    });
}
