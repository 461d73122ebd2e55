//! What CloudWatch answers about alarms in full, about their actions, and about mute rules.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    cloudwatch::{ID, cbor, sent},
    *,
};
use crate::{
    aws::port::{Alarms, alarms::ACTION_NAMES_MAX, cloudwatch::ALARM_NAMES_MAX},
    facts::{
        alarms::{AlarmKind, AlarmKinds, FullAlarm},
        cloudwatch::{AlarmFilter, AlarmState},
        mute_rules::{
            MuteRule, MuteRulePage, MuteRuleSummary, MuteSchedule, MuteStatus, NewMuteRule,
            OwnMuteRule,
        },
    },
    names::Owner,
};

const ARN: &str = "arn:aws:cloudwatch:eu-west-1:123456789012:";

async fn alarms(tape: &Tape) -> Arc<dyn Alarms> {
    connect(tape, None).await.alarms
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("a{number}")).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An alarm as DescribeAlarms tells it.
fn told(name: &str, state: &str) -> Value {
    json!({"AlarmName": name, "AlarmArn": format!("{ARN}alarm:{name}"), "StateValue": state,
        "ActionsEnabled": true, "StateUpdatedTimestamp": "@100",
        "AlarmConfigurationUpdatedTimestamp": "@50"})
}

fn found(name: &str, kind: AlarmKind, state: AlarmState) -> FullAlarm {
    FullAlarm {
        name: name.to_owned(),
        arn: format!("{ARN}alarm:{name}"),
        kind,
        state,
        state_updated_at: Some(at(100)),
        actions_enabled: true,
        configured_at: Some(at(50)),
        rule: None,
    }
}

fn with(mut answer: Value, name: &str, value: Value) -> Value {
    answer[name] = value;
    answer
}

fn rule() -> NewMuteRule {
    let owner =
        Owner { cluster: "prod".into(), namespace: "flights".into(), name: "weekly".into() };
    NewMuteRule {
        name: OwnMuteRule::of(&owner, "20261206T0200Z", 1),
        description: "why".to_owned(),
        alarms: vec!["b".to_owned(), "a".to_owned()],
        starts_at: "2026-12-06T01:00:00Z".parse().unwrap(),
        duration: SignedDuration::from_mins(150),
        tags: vec![("groundcrew.dev/cluster".to_owned(), "prod".to_owned())],
    }
}

#[tokio::test]
async fn alarms_of_all_kinds_are_told_in_full() {
    let composite = with(told("c", "INSUFFICIENT_DATA"), "AlarmRule", json!("ALARM(a)"));
    let quiet = with(told("b", "ALARM"), "ActionsEnabled", json!(false));
    let answer = json!({"MetricAlarms": [told("a", "OK"), quiet], "CompositeAlarms": [composite],
        "LogAlarms": [told("d", "OK")], "NextToken": "more"});
    let tape = Tape::new([cbor(&answer), cbor(&json!({"NextToken": ""}))]);
    let port = alarms(&tape).await;
    let filter = AlarmFilter::Names(names(2));
    let page = port.describe_alarms_in_full(&filter, AlarmKinds::All, None).await.unwrap();
    let quiet =
        FullAlarm { actions_enabled: false, ..found("b", AlarmKind::Metric, AlarmState::Alarm) };
    let composite = FullAlarm {
        rule: Some("ALARM(a)".to_owned()),
        ..found("c", AlarmKind::Composite, AlarmState::InsufficientData)
    };
    let fine = |name, kind| found(name, kind, AlarmState::Ok);
    let all = [fine("a", AlarmKind::Metric), quiet, composite, fine("d", AlarmKind::Log)];
    assert_eq!((page.alarms.as_slice(), page.next.as_deref()), (&all[..], Some("more")));
    let kinds = AlarmKinds::Composite;
    let page = port.describe_alarms_in_full(&AlarmFilter::All, kinds, Some("more")).await.unwrap();
    assert_eq!((page.alarms, page.next), (vec![], None));
    let types = json!(["MetricAlarm", "CompositeAlarm", "LogAlarm"]);
    assert_eq!(
        sent(&tape),
        [
            json!({"AlarmNames": ["a0", "a1"], "AlarmTypes": types, "MaxRecords": 100}),
            json!({"AlarmTypes": ["CompositeAlarm"], "MaxRecords": 100, "NextToken": "more"}),
        ]
    );
}

#[tokio::test]
async fn an_alarm_of_which_something_is_missing_is_never_guessed_at() {
    for (list, name, word) in [
        ("MetricAlarms", "ActionsEnabled", "ActionsEnabled of alarm a is missing"),
        ("CompositeAlarms", "ActionsEnabled", "ActionsEnabled of alarm a is missing"),
        ("LogAlarms", "ActionsEnabled", "ActionsEnabled of alarm a is missing"),
        ("MetricAlarms", "AlarmArn", "AlarmArn of alarm a is missing"),
        ("MetricAlarms", "StateValue", "StateValue of alarm a is missing"),
        ("LogAlarms", "AlarmName", "AlarmName is missing"),
        ("CompositeAlarms", "AlarmRule", "AlarmRule of alarm a is missing"),
    ] {
        let mut alarm = with(told("a", "OK"), "AlarmRule", json!("TRUE"));
        alarm.as_object_mut().unwrap().remove(name).unwrap();
        let tape = Tape::new([cbor(&json!({list: [alarm]}))]);
        let filter = AlarmFilter::Prefix("a".to_owned());
        let answer =
            alarms(&tape).await.describe_alarms_in_full(&filter, AlarmKinds::All, None).await;
        let error = answer.unwrap_err();
        assert_eq!((error.class, error.request_id.as_deref()), (Class::Unknown, Some(ID)));
        assert!(error.message.contains(word), "{list} without {name}: {error}");
    }
    // When it changed is of no use to anybody who has to know.
    let mut alarm = told("a", "OK");
    for name in ["StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp"] {
        alarm.as_object_mut().unwrap().remove(name).unwrap();
    }
    let tape = Tape::new([cbor(&json!({"MetricAlarms": [alarm]}))]);
    let filter = AlarmFilter::Prefix("a".to_owned());
    let port = alarms(&tape).await;
    let page = port.describe_alarms_in_full(&filter, AlarmKinds::All, None).await.unwrap();
    let [alarm] = page.alarms.try_into().unwrap();
    assert_eq!((alarm.state_updated_at, alarm.configured_at), (None, None));
}

#[tokio::test]
async fn actions_are_switched_by_name() {
    let tape = Tape::new([cbor(&json!({})), cbor(&json!({}))]);
    let port = alarms(&tape).await;
    port.disable_alarm_actions(&names(ACTION_NAMES_MAX)).await.unwrap();
    port.enable_alarm_actions(&names(2)).await.unwrap();
    let lines = tape.sent().into_iter().map(|(line, _, _)| line).collect::<Vec<_>>();
    assert!(lines[0].ends_with("/operation/DisableAlarmActions"), "{lines:?}");
    assert!(lines[1].ends_with("/operation/EnableAlarmActions"), "{lines:?}");
    let [off, on] = sent(&tape).try_into().unwrap();
    assert_eq!(off["AlarmNames"].as_array().unwrap().len(), ACTION_NAMES_MAX);
    assert_eq!(on, json!({"AlarmNames": ["a0", "a1"]}));
}

#[tokio::test]
async fn what_cloudwatch_would_not_take_is_not_sent() {
    let tape = Tape::default();
    let port = alarms(&tape).await;
    for count in [0, ACTION_NAMES_MAX + 1] {
        let off = port.disable_alarm_actions(&names(count)).await.unwrap_err();
        let on = port.enable_alarm_actions(&names(count)).await.unwrap_err();
        assert_eq!((off.class, on.class), (Class::Invalid, Class::Invalid));
        assert!(off.message.contains("1 to 100 names"), "{off}");
    }
    for filter in [
        AlarmFilter::Names(vec![]),
        AlarmFilter::Names(names(ALARM_NAMES_MAX + 1)),
        AlarmFilter::Prefix(String::new()),
    ] {
        let answer = port.describe_alarms_in_full(&filter, AlarmKinds::All, None).await;
        assert_eq!(answer.unwrap_err().class, Class::Invalid, "{filter:?}");
    }
    let long = NewMuteRule { duration: SignedDuration::from_hours(15 * 24 + 1), ..rule() };
    for rule in [NewMuteRule { alarms: vec![], ..rule() }, long] {
        let error = port.put_alarm_mute_rule(&rule).await.unwrap_err();
        assert_eq!(error.class, Class::Invalid);
        let name = rule.name.as_str();
        assert!(error.to_string().contains(&format!("PutAlarmMuteRule of mute rule {name}")));
    }
    assert_eq!(tape.sent().len(), 0);
}

#[tokio::test]
async fn a_rule_is_put_in_utc_with_its_tags() {
    let tape = Tape::new([cbor(&json!({}))]);
    alarms(&tape).await.put_alarm_mute_rule(&rule()).await.unwrap();
    let expected = json!({
        "Name": "groundcrew_prod_flights_weekly_20261206T0200Z_1",
        "Description": "why",
        "Rule": {"Schedule": {"Expression": "at(2026-12-06T01:00)", "Duration": "PT2H30M",
            "Timezone": "UTC"}},
        "MuteTargets": {"AlarmNames": ["b", "a"]},
        "Tags": [{"Key": "groundcrew.dev/cluster", "Value": "prod"}],
    });
    assert_eq!(sent(&tape), [expected]);
    assert!(tape.sent()[0].0.ends_with("/operation/PutAlarmMuteRule"));
}

#[tokio::test]
async fn a_rule_is_read_back() {
    let schedule = json!({"Expression": "at(2026-12-06T01:00)", "Duration": "PT150M",
        "Timezone": "UTC"});
    let answer = json!({"Name": "r", "AlarmMuteRuleArn": format!("{ARN}alarm-mute-rule:r"),
        "Description": "why", "Rule": {"Schedule": schedule},
        "MuteTargets": {"AlarmNames": ["b", "a", "b"]}, "Status": "ACTIVE",
        "LastUpdatedTimestamp": "@70", "MuteType": "ONE_TIME"});
    let bare = json!({"Name": "r", "Rule": {"Schedule": {"Expression": "cron(0 2 * * *)",
        "Duration": "PT4H", "Timezone": "Europe/London"}}, "Status": "PAUSED"});
    let tape = Tape::new([cbor(&answer), cbor(&bare), cbor(&json!({"Name": "r"}))]);
    let port = alarms(&tape).await;
    let read = MuteRule {
        name: "r".to_owned(),
        description: "why".to_owned(),
        alarms: vec!["a".to_owned(), "b".to_owned()],
        schedule: MuteSchedule::Once {
            starts_at: "2026-12-06T01:00:00Z".parse().unwrap(),
            duration: SignedDuration::from_mins(150),
        },
        status: MuteStatus::Active,
        updated_at: Some(at(70)),
    };
    assert_eq!(port.get_alarm_mute_rule("r").await.unwrap(), read);
    let foreign = MuteRule {
        name: "r".to_owned(),
        description: String::new(),
        alarms: vec![],
        schedule: MuteSchedule::Other {
            expression: "cron(0 2 * * *)".to_owned(),
            duration: "PT4H".to_owned(),
            zone: "Europe/London".to_owned(),
        },
        status: MuteStatus::Other("PAUSED".to_owned()),
        updated_at: None,
    };
    assert_eq!(port.get_alarm_mute_rule("r").await.unwrap(), foreign);
    let error = port.get_alarm_mute_rule("r").await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
    assert!(error.message.contains("Schedule of mute rule r is missing"), "{error}");
    assert_eq!(sent(&tape)[0], json!({"AlarmMuteRuleName": "r"}));
}

#[tokio::test]
async fn rules_are_listed_by_name_and_what_has_none_is_passed_over() {
    let arn = |kind: &str, name: &str| json!(format!("{ARN}{kind}:{name}"));
    let rules = json!([
        {"AlarmMuteRuleArn": arn("alarm-mute-rule", "one"), "Status": "SCHEDULED",
            "LastUpdatedTimestamp": "@70", "MuteType": "ONE_TIME"},
        {"AlarmMuteRuleArn": arn("alarm-mute-rule", "a:b"), "Status": "EXPIRED"},
        {"AlarmMuteRuleArn": "nonsense", "Status": "ACTIVE"},
        {"Status": "ACTIVE"},
    ]);
    let tape = Tape::new([
        cbor(&json!({"AlarmMuteRuleSummaries": rules, "NextToken": "more"})),
        cbor(&json!({"AlarmMuteRuleSummaries": [], "NextToken": ""})),
    ]);
    let port = alarms(&tape).await;
    let summary = |name: &str, status, updated_at| MuteRuleSummary {
        name: name.to_owned(),
        status,
        updated_at,
    };
    let rules = vec![
        summary("one", MuteStatus::Scheduled, Some(at(70))),
        summary("a:b", MuteStatus::Expired, None),
    ];
    let page = port.list_alarm_mute_rules(None).await.unwrap();
    assert_eq!(page, MuteRulePage { rules, next: Some("more".to_owned()) });
    assert_eq!(port.list_alarm_mute_rules(Some("more")).await.unwrap(), MuteRulePage::default());
    let wanted = [json!({"MaxRecords": 100}), json!({"MaxRecords": 100, "NextToken": "more"})];
    assert_eq!(sent(&tape), wanted);
}

#[tokio::test]
async fn a_rule_is_deleted_by_its_name() {
    let tape = Tape::new([cbor(&json!({}))]);
    alarms(&tape).await.delete_alarm_mute_rule(&rule().name).await.unwrap();
    assert_eq!(sent(&tape), [json!({"AlarmMuteRuleName": rule().name.as_str()})]);
    assert!(tape.sent()[0].0.ends_with("/operation/DeleteAlarmMuteRule"));
}

#[tokio::test]
async fn the_refusals_of_mute_rules_are_classified() {
    for (status, code, class) in [
        (400, "com.amazonaws.cloudwatch#LimitExceededFault", Class::Invalid),
        (404, "com.amazonaws.cloudwatch#ResourceNotFoundException", Class::NotFound),
        (400, "ThrottlingException", Class::Throttled),
        (403, "AccessDeniedException", Class::Denied),
        (500, "InternalServiceFault", Class::Unknown),
    ] {
        let Wire::Bytes(_, headers, body) = cbor(&json!({"__type": code, "message": "Words"}))
        else {
            panic!("an answer");
        };
        let refused = || Wire::Bytes(status, headers.clone(), body.clone());
        let tape = Tape::new((0..4).map(|_| refused()));
        let port = alarms(&tape).await;
        let errors = [
            port.put_alarm_mute_rule(&rule()).await.unwrap_err(),
            port.get_alarm_mute_rule("r").await.unwrap_err(),
            port.list_alarm_mute_rules(None).await.unwrap_err(),
            port.delete_alarm_mute_rule(&rule().name).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.class, class, "{code}: {error}");
            assert_eq!((&*error.message, error.request_id.as_deref()), ("Words", Some(ID)));
        }
    }
}
