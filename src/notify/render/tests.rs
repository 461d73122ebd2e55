//! Every stage in the words of every channel.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::notify::{due::Due, stage::Span};

fn span(opens: &str, closes: &str) -> Span {
    let at = |text: &str| format!("2026-12-{text}:00Z").parse().unwrap();
    Span { opens: at(opens), closes: at(closes) }
}

pub(crate) fn message(stage: Stage) -> Message {
    let rollout = matches!(
        stage,
        Stage::Started
            | Stage::Promoted
            | Stage::RolledBack
            | Stage::Held
            | Stage::AwaitingApproval
    );
    let (kind, name) =
        if rollout { ("CanaryRollout", "processor") } else { ("MaintenanceWindow", "weekly") };
    let about = About {
        cluster: "prod-eu".into(),
        kind,
        namespace: "flightdata".into(),
        name: name.into(),
    };
    let planned = span("06T01:00", "06T03:00");
    let due = Due {
        occurrence: if rollout { "9f2c1a" } else { "weekly-20261206T0100Z" }.into(),
        channel: "ops".into(),
        stage,
        at: "2026-12-06T01:40:00Z".parse().unwrap(),
        span: (!rollout).then_some(planned),
        was: None,
        collapsed: vec![],
        is_first: true,
    };
    let mut message = Message::new(about, &due, TimeZone::get("Europe/Berlin").unwrap());
    if !rollout {
        message.title = "Scheduled maintenance".into();
        message.text = "Flight plans are read-only & <5 min late.".into();
    }
    fill(&mut message);
    message
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What a kind would say of this stage.
fn fill(message: &mut Message) {
    let quiet =
        Alarms { count: 42, names: texts(&["flightdata-api-5xx", "flightdata-processor-errors"]) };
    match message.stage {
        Stage::Lead(_) => message.runs = texts(&["vacuum", "restart-workers"]),
        Stage::CheckFailed => {
            message.why = "check alarms-ok fails: 1 alarm fires: flightdata-api-5xx".into();
            message.todo = "mend it before 02:00, or skip this opening".into();
        }
        Stage::Opened | Stage::Progress => {
            message.muted = quiet;
            message.runs = texts(&["vacuum"]);
        }
        Stage::Extended => {
            message.was = message.span;
            message.span = Some(span("06T01:00", "06T04:00"));
            message.why = "extended by jane".into();
        }
        Stage::Changed => message.was = Some(span("05T23:30", "06T01:30")),
        Stage::Closed => {
            message.outcome = "Failed".into();
            message.firing = Alarms { count: 1, names: texts(&["flightdata-api-5xx"]) };
            message.details = texts(&[
                "check api fails: answers 503, not 200",
                "p95: 120 ms before, 310 ms after",
            ]);
            message.todo = "look at the alarm: its actions are on again".into();
        }
        Stage::Cancelled => message.why = "skipped by jane".into(),
        Stage::Missed => message.why = "the operator was away until 02:50".into(),
        Stage::Blocked => message.why = "no recovery point of prod-db is younger than 1h".into(),
        Stage::Started => message.runs = texts(&["step 1 of 4: 10% for 30m"]),
        Stage::RolledBack => message.why = "ErrorRate 12% is over 5%".into(),
        Stage::Held => message.todo = "groundcrew resume processor -n flightdata".into(),
        Stage::AwaitingApproval => {
            message.why = "look at p99".into();
            message.todo = "groundcrew promote processor -n flightdata".into();
        }
        Stage::Verifying | Stage::Promoted => {}
    }
}

pub(crate) fn stages() -> Vec<Stage> {
    [
        "24h",
        "CheckFailed",
        "Opened",
        "Progress",
        "Extended",
        "Changed",
        "Verifying",
        "Closed",
        "Cancelled",
        "Missed",
        "Blocked",
        "Started",
        "Promoted",
        "RolledBack",
        "Held",
        "AwaitingApproval",
    ]
    .map(|stage| stage.parse().unwrap())
    .to_vec()
}

/// All stages, one after the other.
fn all(render: impl Fn(&Message) -> String) -> String {
    let one = |stage: Stage| format!("======== {stage}\n{}\n", render(&message(stage)));
    stages().into_iter().map(one).collect()
}

#[test]
fn what_an_e_mail_says() {
    let email = |message: &Message| format!("Subject: {}\n\n{}", subject(message), plain(message));
    insta::assert_snapshot!("email", all(email));
}

#[test]
fn what_slack_says() {
    insta::assert_snapshot!("slack", all(slack));
}

#[test]
fn what_a_public_page_says() {
    let page = |message: &Message| format!("{}\n{}", page_title(message), page_body(message));
    insta::assert_snapshot!("page", all(page));
    // Nothing from inside.
    for stage in stages() {
        let text = page_body(&message(stage));
        for inside in ["flightdata", "weekly", "prod", "jane", "vacuum", "alarm"] {
            assert!(!text.contains(inside), "{stage}: {text}");
        }
    }
}

#[test]
fn what_a_webhook_gets() {
    let pretty = |message: &Message| {
        let body: serde_json::Value = serde_json::from_slice(&webhook(message, "ops")).unwrap();
        serde_json::to_string_pretty(&body).unwrap()
    };
    insta::assert_snapshot!("webhook", all(pretty));
}

#[test]
fn a_close_that_moves_to_an_earlier_time_is_told_as_such() {
    let mut earlier = message(Stage::Changed);
    earlier.was = Some(span("06T01:00", "06T04:00"));
    let said = "flightdata/weekly closes Sun 2026-12-06 04:00 CET, not 05:00";
    assert_eq!(headline(&earlier), said);
}

#[test]
fn long_lists_are_counted_and_texts_are_cut() {
    let mut long = message(Stage::Opened);
    long.muted.names = (0..300).map(|number| format!("alarm-{number}")).collect();
    long.muted.count = 300;
    long.details = vec!["x".repeat(5_000); 100];
    let text = plain(&long);
    assert!(text.contains("300 alarms: alarm-0, ") && text.contains("alarm-19 and 280 more"));
    assert!(text.len() <= TEXT_MAX);
    assert!(slack(&long).chars().count() <= SLACK_MAX);
    long.about.name = "ü".repeat(200);
    assert_eq!(subject(&long).len(), SUBJECT_MAX);
}

#[test]
fn a_key_is_of_one_channel_stage_and_time_and_of_every_attempt() {
    let one = message(Stage::Opened);
    assert_eq!(one.key("ops"), message(Stage::Opened).key("ops"));
    assert_eq!(one.key("ops").len(), 64);
    let mut later = message(Stage::Opened);
    later.at = "2026-12-06T01:41:00Z".parse().unwrap();
    // Had the first attempt arrived with other times, this one must not be taken for it.
    let mut moved = message(Stage::Opened);
    moved.span = Some(span("06T01:00", "06T03:30"));
    let others = [message(Stage::Progress), later, moved].map(|other| other.key("ops"));
    for other in others.into_iter().chain([one.key("page")]) {
        assert_ne!(one.key("ops"), other);
    }
}

proptest! {
    #[test]
    fn no_words_break_a_line_of_a_subject_or_mention_anybody(words in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        let mut message = message(Stage::Closed);
        message.outcome = words.clone();
        message.about.name = words.clone();
        message.text = words.clone();
        message.why = words.clone();
        message.details = vec![words];
        let subject = subject(&message);
        prop_assert!(subject.len() <= SUBJECT_MAX && subject.bytes().all(|b| (32..127).contains(&b)));
        let slack = slack(&message);
        prop_assert!(!slack.contains('<') && !slack.contains('>'), "{}", slack);
        prop_assert!(slack.chars().count() <= SLACK_MAX);
        prop_assert!(!plain(&message).chars().any(|c| c.is_control() && c != '\n'));
        let body: serde_json::Value = serde_json::from_slice(&webhook(&message, "ops")).unwrap();
        prop_assert!(body.is_object());
    }
}
