//! What CloudWatch answers in CBOR.

mod math;

use aws_smithy_cbor::{Decoder, Encoder, data::Type};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    aws::port::cloudwatch::{ALARM_NAMES_MAX, QUERIES_MAX},
    facts::cloudwatch::{
        Alarm, AlarmFilter, AlarmPage, AlarmState, Datapoint, Math, Metric, MetricPage,
        MetricsPage, Series, Span,
    },
};

/// Writes JSON as CBOR; "@5" is the time 5 s after 1970, and "nan" no number.
fn encode(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => encoder.null(),
        Value::Bool(value) => encoder.boolean(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => encoder.long(number),
            None => encoder.double(number.as_f64().unwrap()),
        },
        Value::String(text) if text == "nan" => encoder.double(f64::NAN),
        Value::String(text) => match text.strip_prefix('@') {
            Some(seconds) => encoder.timestamp(&DateTime::from_secs(seconds.parse().unwrap())),
            None => encoder.str(text),
        },
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item));
            encoder
        }
        Value::Object(members) => {
            encoder.begin_map();
            for (name, member) in members {
                encoder.str(name);
                encode(encoder, member);
            }
            encoder.end()
        }
    };
}

/// Reads CBOR as JSON, the other way round.
fn decode(decoder: &mut Decoder<'_>) -> Value {
    let ended = |decoder: &mut Decoder<'_>, left: &mut Option<u64>| match left {
        Some(left) => {
            let ended = *left == 0;
            *left = left.saturating_sub(1);
            ended
        }
        None => {
            let ended = decoder.datatype().unwrap() == Type::Break;
            if ended {
                decoder.skip().unwrap();
            }
            ended
        }
    };
    match decoder.datatype().unwrap() {
        Type::Bool => json!(decoder.boolean().unwrap()),
        Type::String | Type::StringIndef => json!(decoder.string().unwrap()),
        Type::Tag => json!(format!("@{}", decoder.timestamp().unwrap().secs())),
        Type::F32 | Type::F64 => json!(decoder.double().unwrap()),
        Type::Array | Type::ArrayIndef => {
            let (mut left, mut items) = (decoder.list().unwrap(), vec![]);
            while !ended(decoder, &mut left) {
                items.push(decode(decoder));
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let (mut left, mut members) = (decoder.map().unwrap(), serde_json::Map::new());
            while !ended(decoder, &mut left) {
                let name = decoder.string().unwrap();
                members.insert(name, decode(decoder));
            }
            Value::Object(members)
        }
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64 => {
            json!(decoder.long().unwrap())
        }
        other => panic!("the SDK sent {other:?}"),
    }
}

pub(super) const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

pub(super) fn cbor(body: &Value) -> Wire {
    let mut encoder = Encoder::new(vec![]);
    encode(&mut encoder, body);
    let headers = vec![
        ("smithy-protocol", "rpc-v2-cbor"),
        ("content-type", "application/cbor"),
        ("x-amzn-requestid", ID),
    ];
    Wire::Bytes(200, headers, encoder.into_writer())
}

pub(super) fn sent(tape: &Tape) -> Vec<Value> {
    tape.sent().iter().map(|(_, _, body)| decode(&mut Decoder::new(body))).collect()
}

fn series(name: &str) -> Series {
    Series {
        metric: Metric {
            namespace: "AWS/Lambda".to_owned(),
            name: name.to_owned(),
            dimensions: vec![("FunctionName".to_owned(), "f".to_owned())],
        },
        statistic: "Sum".to_owned(),
        period: 60,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn span() -> Span {
    Span { from: at(60), until: at(300) }
}

fn points(points: &[(i64, f64)]) -> Vec<Datapoint> {
    points.iter().map(|(second, value)| Datapoint { at: at(*second), value: *value }).collect()
}

/// One page of three series with these results.
async fn page(results: Value, next: Option<&str>) -> MetricPage {
    let tape = Tape::new([cbor(&json!({"MetricDataResults": results, "NextToken": next}))]);
    let series = ["Errors", "Invocations", "Throttles"].map(series);
    let ports = connect(&tape, None).await;
    ports.cloudwatch.get_metric_data(&series, span(), None).await.unwrap()
}

#[tokio::test]
async fn metrics_are_asked_for_by_index_in_order_of_time() {
    let tape = Tape::new([cbor(&json!({})), cbor(&json!({}))]);
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    let wanted = ["Errors", "Invocations"].map(series);
    cloudwatch.get_metric_data(&wanted, span(), None).await.unwrap();
    cloudwatch.get_metric_data(&wanted, span(), Some("page-2")).await.unwrap();
    let query = |id: &str, name: &str| {
        json!({"Id": id, "ReturnData": true, "MetricStat": {"Period": 60, "Stat": "Sum",
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}}})
    };
    let mut expected = json!({"StartTime": "@60", "EndTime": "@300",
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [query("m0", "Errors"), query("m1", "Invocations")]});
    let [first, second] = sent(&tape).try_into().unwrap();
    assert_eq!(first, expected);
    expected["NextToken"] = json!("page-2");
    assert_eq!(second, expected);
    let line = &tape.sent()[0].0;
    assert!(line.starts_with("POST https://monitoring.eu-west-1.amazonaws.com/"), "{line}");
    assert!(line.ends_with("/operation/GetMetricData"), "{line}");
}

#[tokio::test]
async fn datapoints_are_told_by_index_and_strangers_are_ignored() {
    let results = json!([
        {"Id": "m2", "StatusCode": "Complete", "Timestamps": [], "Values": []},
        {"Id": "m0", "StatusCode": "PartialData", "Timestamps": ["@60", "@120"],
            "Values": [1.0, 0.5]},
        {"Id": "m3", "StatusCode": "Complete", "Timestamps": ["@60"], "Values": [1.0]},
        {"Id": "x0", "StatusCode": "Complete", "Timestamps": ["@60"], "Values": [1.0]},
        {"StatusCode": "Complete", "Timestamps": ["@60"], "Values": [1.0]},
    ]);
    let page = page(results, Some("more")).await;
    assert_eq!(page.datapoints, [(2, vec![]), (0, points(&[(60, 1.0), (120, 0.5)]))]);
    assert_eq!((page.failed, page.next.as_deref()), (vec![], Some("more")));
}

#[tokio::test]
async fn data_that_is_not_whole_is_marked_and_not_given() {
    let whole = json!({"Id": "m0", "StatusCode": "Complete", "Timestamps": ["@60"],
        "Values": [1.0]});
    let with = |name: &str, value: Value| {
        let mut result = whole.clone();
        result[name] = value;
        result
    };
    for broken in [
        with("StatusCode", json!("InternalError")),
        with("StatusCode", json!("Forbidden")),
        with("StatusCode", json!("SomethingNew")),
        with("StatusCode", Value::Null),
        // No page follows that could hold the rest.
        with("StatusCode", json!("PartialData")),
        with("Values", json!(["nan"])),
        with("Values", json!([1.0, 2.0])),
        with("Timestamps", json!(["@9999999999999"])),
    ] {
        let page = page(json!([broken]), None).await;
        assert_eq!((page.datapoints, page.failed), (vec![], vec![0]), "{broken}");
    }
    let page = page(json!([whole]), None).await;
    assert_eq!((page.datapoints, page.failed), (vec![(0, points(&[(60, 1.0)]))], vec![]));
}

#[tokio::test]
async fn alarms_of_both_types_are_told_with_their_states() {
    let answer = json!({
        "MetricAlarms": [{"AlarmName": "a", "StateValue": "OK", "Threshold": 1.5},
            {"AlarmName": "b", "StateValue": "ALARM"}],
        "CompositeAlarms": [{"AlarmName": "c", "StateValue": "INSUFFICIENT_DATA"}],
        "NextToken": "more",
    });
    let tape = Tape::new([cbor(&answer), cbor(&json!({"NextToken": ""}))]);
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    let names = AlarmFilter::Names(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    let page = cloudwatch.describe_alarms(&names, None).await.unwrap();
    let alarm = |name: &str, state| Alarm { name: name.to_owned(), state };
    let alarms = vec![
        alarm("a", AlarmState::Ok),
        alarm("b", AlarmState::Alarm),
        alarm("c", AlarmState::InsufficientData),
    ];
    assert_eq!(page, AlarmPage { alarms, next: Some("more".to_owned()) });
    let prefix = AlarmFilter::Prefix("a-".to_owned());
    let page = cloudwatch.describe_alarms(&prefix, Some("more")).await.unwrap();
    assert_eq!(page, AlarmPage::default());
    let types = json!(["MetricAlarm", "CompositeAlarm"]);
    assert_eq!(
        sent(&tape),
        [
            json!({"AlarmNames": ["a", "b", "c"], "AlarmTypes": types, "MaxRecords": 100}),
            json!({"AlarmNamePrefix": "a-", "AlarmTypes": types, "MaxRecords": 100,
                "NextToken": "more"}),
        ]
    );
}

#[tokio::test]
async fn an_alarm_without_a_known_state_is_never_taken_for_a_good_one() {
    for (alarm, word) in [
        (json!({"AlarmName": "a", "StateValue": "SLEEPING"}), "alarm a is in the unknown state"),
        (json!({"AlarmName": "a"}), "StateValue of alarm a is missing"),
        (json!({"StateValue": "OK"}), "AlarmName is missing"),
    ] {
        for list in ["MetricAlarms", "CompositeAlarms"] {
            let tape = Tape::new([cbor(&json!({list: [alarm]}))]);
            let filter = AlarmFilter::Names(vec!["a".to_owned()]);
            let cloudwatch = connect(&tape, None).await.cloudwatch;
            let error = cloudwatch.describe_alarms(&filter, None).await.unwrap_err();
            assert_eq!(error.class, Class::Unknown);
            assert_eq!(error.request_id.as_deref(), Some(ID));
            assert!(error.message.contains(word), "{error}");
        }
    }
}

#[tokio::test]
async fn what_cloudwatch_would_not_take_is_not_sent() {
    let tape = Tape::default();
    let cloudwatch = connect(&tape, None).await.cloudwatch;
    for count in [0, QUERIES_MAX + 1] {
        let wanted = vec![series("Errors"); count];
        let error = cloudwatch.get_metric_data(&wanted, span(), None).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid);
    }
    for filter in [
        AlarmFilter::Names(vec![]),
        AlarmFilter::Names(vec!["a".to_owned(); ALARM_NAMES_MAX + 1]),
        AlarmFilter::Prefix(String::new()),
    ] {
        let error = cloudwatch.describe_alarms(&filter, None).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid, "{filter:?}");
    }
    assert_eq!(tape.sent().len(), 0);
    let wanted = vec![series("Errors"); QUERIES_MAX];
    let tape = Tape::new([cbor(&json!({}))]);
    connect(&tape, None).await.cloudwatch.get_metric_data(&wanted, span(), None).await.unwrap();
}

#[tokio::test]
async fn the_refusals_of_cloudwatch_are_classified() {
    for (status, code, legacy, class) in [
        (400, "Throttling", Some("Throttling;Sender"), Class::Throttled),
        (400, "com.amazon#ThrottlingException", None, Class::Throttled),
        (403, "AccessDenied", Some("AccessDenied;Sender"), Class::Denied),
        (403, "ExpiredToken", None, Class::Credentials),
        (400, "InvalidNextToken", Some("InvalidNextToken;Sender"), Class::Invalid),
        (400, "InvalidParameterValueException", None, Class::Invalid),
        (500, "InternalServiceFault", Some("InternalServiceError;Receiver"), Class::Unknown),
    ] {
        let Wire::Bytes(_, mut headers, body) =
            cbor(&json!({"__type": code, "message": "Some words\nof AWS"}))
        else {
            panic!("an answer");
        };
        headers.extend(legacy.map(|legacy| ("x-amzn-query-error", legacy)));
        let tape = Tape::new([Wire::Bytes(status, headers, body)]);
        let cloudwatch = connect(&tape, None).await.cloudwatch;
        let filter = AlarmFilter::Names(vec!["a".to_owned()]);
        let error = cloudwatch.describe_alarms(&filter, None).await.unwrap_err();
        assert_eq!(error.class, class, "{status} {code}");
        assert_eq!(error.message, "Some words of AWS");
        assert_eq!(error.request_id.as_deref(), Some(ID));
        let shown = error.to_string();
        assert!(shown.starts_with("cloudwatch:DescribeAlarms of alarm a failed with"), "{shown}");
        assert_eq!(tape.sent().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_cbor_is_no_empty_answer() {
    let headers = vec![("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    for (status, body) in [(200, b"<html>".to_vec()), (200, vec![]), (503, b"<html>".to_vec())] {
        let tape = Tape::new([Wire::Bytes(status, headers.clone(), body)]);
        let cloudwatch = connect(&tape, None).await.cloudwatch;
        let answer = cloudwatch.get_metric_data(&[series("Errors")], span(), None).await;
        assert_eq!(answer.unwrap_err().class, Class::Unknown);
    }
}
