//! Metrics of windows, from the manifest to the calls that reach AWS.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindowStatus, Outcome, Phase},
    window_metrics::WindowMetricStatus,
};
use serde_json::{Value, json};

use crate::harness::{once, play};

/// How often the function was called and how often it failed, and something that nobody counts.
fn metrics() -> Value {
    let of_lambda = |name: &str| {
        json!({"namespace": "AWS/Lambda", "metricName": name, "statistic": "Sum",
               "dimensions": {"FunctionName": "processor"}})
    };
    let query = |id: &str, name: &str| {
        let mut query = of_lambda(name);
        query["id"] = json!(id);
        query
    };
    let mut calls = of_lambda("Invocations");
    calls["period"] = json!("2m");
    let queries = [query("e", "Errors"), query("i", "Invocations")];
    json!([
        {"name": "calls", "metric": calls},
        {"name": "failures", "metric": {"expression": "100*e/i", "queries": queries,
                                        "period": "1m", "unit": "Percent"}},
        {"name": "orders", "metric": {"namespace": "Shop", "metricName": "Orders",
                                      "statistic": "Sum", "period": "1m"}},
    ])
}

/// What is known of the metrics of the last opening, once nothing is left to be read.
fn measured(status: &MaintenanceWindowStatus) -> Option<&[WindowMetricStatus]> {
    let last = status.history.first()?;
    status.measuring.is_none().then_some(&last.metrics)
}

#[test]
fn numbers_before_and_after_are_in_the_history_although_they_could_not_be_read_at_first() {
    play("metrics", async |scene| {
        scene.account.released(1).await;
        scene.account.traffic(1_000, json!({"1": {"errorRate": 0.05}})).await;
        let denied = json!({"error": {
            "code": "AccessDenied",
            "message": "is not authorized to perform: cloudwatch:GetMetricData",
            "status": 403,
        }});
        let fault = scene.account.fault("GetMetricData", denied, 0).await;
        let (mut window, _) = once(8, "15m");
        window["metrics"] = metrics();
        scene.window("weekly", window).await;
        let failing = scene
            .until_window("weekly", "a reading that fails", |status| {
                let measuring = status.measuring.as_ref();
                measuring.is_some_and(|measuring| measuring.message.is_some())
            })
            .await;
        let status = failing.status.unwrap();
        let why = status.measuring.unwrap().message.unwrap();
        assert!(why.starts_with("calls before the opening: "), "{why}");
        assert!(why.contains("not authorized to perform: cloudwatch:GetMetricData"), "{why}");
        assert_eq!(status.phase, Some(Phase::Open));
        assert!(status.gate.unwrap().open);

        scene.account.heal(fault).await;
        let over =
            scene.until_window("weekly", "its numbers", |status| measured(status).is_some()).await;
        let status = over.status.unwrap();
        assert_eq!(status.history[0].outcome, Outcome::Completed);
        let [calls, failures, orders] = measured(&status).unwrap() else { panic!("{status:?}") };
        // Two whole minutes, and no part of one.
        assert_eq!(calls.before.as_deref(), Some("2000"), "{calls:?}");
        assert_eq!(calls.after.as_deref(), Some("2000"), "{calls:?}");
        for rate in [&failures.before, &failures.after] {
            let rate = rate.as_ref().and_then(|rate| rate.strip_suffix('%')).unwrap();
            let rate: f64 = rate.parse().unwrap();
            assert!((1.0..15.0).contains(&rate), "{failures:?}");
        }
        let why = "before the opening: no data; CloudWatch knows no metric Shop Orders; \
                   after the close: no data; CloudWatch knows no metric Shop Orders";
        assert_eq!(orders.message.as_deref(), Some(why));
        assert_eq!((&orders.before, &orders.after), (&None, &None));
    });
}
