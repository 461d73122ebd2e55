//! What is taken from answers, and what is never undone.

use super::*;
use crate::notify::render::tests::message;

#[test]
fn an_id_that_leads_elsewhere_is_none() {
    for id in ["", "../users", "a/b", "a?b", "a b"] {
        let body = json!([{"id": id}]).to_string();
        assert_eq!(list(body.as_bytes()), None, "{id}");
    }
    let longest = "a".repeat(ID_MAX);
    assert_eq!(one(json!({"id": longest}).to_string().as_bytes()).unwrap().id, longest);
    assert_eq!(one(b"[]"), None);
    assert_eq!(list(b"{}"), None);
}

fn found(status: &str, body: &str) -> Incident {
    let message = message(Stage::Opened);
    Incident {
        id: "inc1".into(),
        status: status.into(),
        mark: message.marks().remove(0),
        body: body.into(),
    }
}

#[test]
fn what_is_said_already_is_left_alone() {
    let opened = message(Stage::Opened);
    let said = render::page_body(&opened);
    assert_eq!(change(&opened, &[], Some(&found("in_progress", &said))), Change::None);
    let other = change(&opened, &[], Some(&found("scheduled", &said)));
    assert!(matches!(other, Change::Update { .. }), "{other:?}");
}

#[test]
fn a_lead_takes_nothing_back_that_somebody_moved_on() {
    let lead = message("24h".parse().unwrap());
    assert_eq!(change(&lead, &[], Some(&found("in_progress", ""))), Change::None);
    let changed = change(&message(Stage::Changed), &[], Some(&found("in_progress", "")));
    let Change::Update { body, .. } = changed else { panic!("{changed:?}") };
    assert_eq!(body["incident"]["status"], "in_progress");
}
