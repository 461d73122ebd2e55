//! Expressions, and whether a metric is known.

use super::*;

fn math() -> Math {
    let inputs = [("e", "Errors"), ("i", "Invocations")];
    Math {
        expression: "100*e/i".to_owned(),
        inputs: inputs.map(|(id, name)| (id.to_owned(), series(name))).to_vec(),
        period: 60,
    }
}

#[tokio::test]
async fn an_expression_is_asked_for_with_what_it_names_and_alone() {
    let result = json!({"Id": "groundcrew_result", "StatusCode": "Complete",
        "Timestamps": ["@60", "@120"], "Values": [1.0, 0.5]});
    let tape = Tape::new([cbor(&json!({"MetricDataResults": [result]}))]);
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    let found = cloudwatch.get_metric_math(&math(), span()).await.unwrap();
    assert_eq!(found, points(&[(60, 1.0), (120, 0.5)]));
    let input = |id: &str, name: &str| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {"Period": 60, "Stat": "Sum",
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}}})
    };
    let asked = json!({"StartTime": "@60", "EndTime": "@300", "ScanBy": "TimestampAscending",
        "MetricDataQueries": [input("e", "Errors"), input("i", "Invocations"),
            {"Id": "groundcrew_result", "Expression": "100*e/i", "Period": 60,
                "ReturnData": true}]});
    assert_eq!(sent(&tape), [asked]);
}

#[tokio::test]
async fn an_expression_has_one_result_and_the_whole_of_it() {
    let result = json!({"Id": "groundcrew_result", "StatusCode": "Complete", "Timestamps": ["@60"],
        "Values": [1.0]});
    let mut forbidden = result.clone();
    forbidden["StatusCode"] = json!("Forbidden");
    let mut other = result.clone();
    other["Id"] = json!("e");
    for (results, next, class) in [
        (json!([result, result]), Value::Null, Class::Invalid),
        (json!([other]), Value::Null, Class::Invalid),
        (json!([forbidden]), Value::Null, Class::Unknown),
        (json!([result]), json!("more"), Class::Unknown),
    ] {
        let answer = json!({"MetricDataResults": results, "NextToken": next});
        let tape = Tape::new([cbor(&answer)]);
        let cloudwatch = connect(&tape, None).await.cloudwatch;
        let error = cloudwatch.get_metric_math(&math(), span()).await.unwrap_err();
        assert_eq!(error.class, class, "{answer}");
    }
    let tape = Tape::new([cbor(&json!({"MetricDataResults": []}))]);
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    assert_eq!(cloudwatch.get_metric_math(&math(), span()).await.unwrap(), []);
}

#[tokio::test]
async fn a_metric_is_known_only_with_exactly_its_dimensions() {
    let dimension = |name: &str| json!({"Name": name, "Value": "f"});
    let more = json!({"Namespace": "AWS/Lambda", "MetricName": "Errors",
        "Dimensions": [dimension("Resource"), dimension("FunctionName")]});
    let exact = json!({"Namespace": "AWS/Lambda", "MetricName": "Errors",
        "Dimensions": [dimension("FunctionName")]});
    for (metrics, known) in
        [(json!([]), false), (json!([more]), false), (json!([more, exact]), true)]
    {
        let tape = Tape::new([cbor(&json!({"Metrics": metrics, "NextToken": "more"}))]);
        let cloudwatch = connect(&tape, None).await.cloudwatch;
        let metric = series("Errors").metric;
        let page = cloudwatch.list_metrics(&metric, Some("before")).await.unwrap();
        assert_eq!(page, MetricsPage { known, next: Some("more".to_owned()) });
        let asked = json!({"Namespace": "AWS/Lambda", "MetricName": "Errors",
            "Dimensions": [dimension("FunctionName")], "NextToken": "before"});
        assert_eq!(sent(&tape), [asked]);
    }
}

#[tokio::test]
async fn all_alarms_are_asked_for_without_a_filter() {
    let tape = Tape::new([cbor(&json!({}))]);
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    let page = cloudwatch.describe_alarms(&AlarmFilter::All, None).await.unwrap();
    assert_eq!(page, AlarmPage::default());
    let types = json!(["MetricAlarm", "CompositeAlarm"]);
    assert_eq!(sent(&tape), [json!({"AlarmTypes": types, "MaxRecords": 100})]);
}
