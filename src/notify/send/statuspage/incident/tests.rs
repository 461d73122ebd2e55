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

fn found(status: &str, notice: &str) -> Incident {
    let mark = message(Stage::Opened).marks().remove(0);
    Incident { id: "inc1".into(), status: status.into(), mark, notice: notice.into() }
}

#[test]
fn what_told_a_notice_is_left_alone_and_tells_the_next_one_in_the_same_words() {
    let lead = message("24h".parse().unwrap());
    assert_eq!(change(&lead, "k1", &[], Some(&found("scheduled", "k1"))), Change::None);
    let other = change(&lead, "k2", &[], Some(&found("scheduled", "k1")));
    let Change::Update { body, .. } = other else { panic!("{other:?}") };
    assert_eq!(body["incident"]["metadata"]["groundcrew"]["notice"], "k2");
    assert_eq!(body["incident"]["deliver_notifications"], true);
}

#[test]
fn nobody_is_called_because_nothing_is_new() {
    let progress = change(&message(Stage::Progress), "k", &[], Some(&found("in_progress", "")));
    let Change::Update { body, .. } = progress else { panic!("{progress:?}") };
    assert_eq!(body["incident"]["deliver_notifications"], false);
}

#[test]
fn a_lead_takes_nothing_back_that_somebody_moved_on() {
    let lead = message("24h".parse().unwrap());
    assert_eq!(change(&lead, "k", &[], Some(&found("in_progress", ""))), Change::None);
    let changed = change(&message(Stage::Changed), "k", &[], Some(&found("in_progress", "")));
    let Change::Update { body, .. } = changed else { panic!("{changed:?}") };
    assert_eq!(body["incident"]["status"], "in_progress");
}
