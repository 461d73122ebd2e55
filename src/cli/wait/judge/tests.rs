//! What is there, what is awaited, and what will not come.

use super::*;
use crate::api::canary_rollout::Release;
use serde_json::{Value, json};

/// A rollout whose spec asks for version 2, with this status.
fn rollout(status: Value) -> CanaryRollout {
    let mut status = status;
    if status.is_object() && status.get("observedGeneration").is_none() {
        status["observedGeneration"] = json!(3);
    }
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
        "metadata": {"name": "web", "namespace": "shop", "generation": 3},
        "spec": {"function": {"name": "web", "alias": "live"}, "release": {"version": "2"}},
        "status": status,
    }))
    .unwrap()
}

fn ended(version: &str, outcome: &str) -> Value {
    let time = "2026-12-05T10:00:00Z";
    json!({"version": version, "revision": format!("r{version}"), "outcome": outcome,
           "codeSha256": format!("c{version}"), "reason": "Why", "startedAt": time, "endedAt": time})
}

fn flying(version: &str) -> Value {
    json!({
        "phase": "Progressing", "message": "10%: holds", "revision": format!("r{version}"),
        "step": {"index": 0, "count": 2, "display": "1/2"},
        "canary": {"version": version, "codeSha256": format!("c{version}"), "weight": 10,
                   "startedAt": "2026-12-05T10:00:00Z"},
    })
}

fn at_rest(phase: &str, revision: &str, history: &[Value]) -> Value {
    json!({"phase": phase, "message": "so it is", "revision": revision, "history": history})
}

/// One letter for the verdict on promoted, healthy and concluded, of version 2 and revision r2.
#[track_caller]
fn check(status: Value, expected: &str) {
    let object = rollout(status.clone());
    for wanted in [Wanted::Version("2".into()), Wanted::Revision("r2".into())] {
        let goals = [Goal::Promoted, Goal::Healthy, Goal::Concluded];
        let seen: String = goals.map(|goal| letter(&judge(&object, &wanted, goal, false))).concat();
        assert_eq!(seen, expected, "{wanted:?} {status}");
    }
}

fn letter(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done(_) => "D",
        Verdict::Failed(_) => "F",
        Verdict::Waiting(_) => "W",
    }
}

#[test]
fn a_release_without_a_number_is_judged_by_what_the_operator_made_of_it() {
    let check = |status: Value, expected: &str| {
        let mut object = rollout(status.clone());
        object.spec.release = Release { latest: Some(true), ..Release::default() };
        assert_eq!(Wanted::of_spec(&object), Wanted::Current);
        let goals = [Goal::Promoted, Goal::Healthy, Goal::Concluded];
        let judged = goals.map(|goal| letter(&judge(&object, &Wanted::Current, goal, false)));
        assert_eq!(judged.concat(), expected, "{status}");
    };
    let old = ended("1", "Promoted");
    check(at_rest("Publishing", "r2", std::slice::from_ref(&old)), "WWW");
    check(at_rest("Healthy", "r2", std::slice::from_ref(&old)), "WWW");
    check(flying("2"), "WWW");
    check(at_rest("Invalid", "r1", std::slice::from_ref(&old)), "FFF");
    check(at_rest("Healthy", "r2", &[ended("2", "Promoted"), old.clone()]), "DDD");
    check(at_rest("RolledBack", "r2", &[ended("2", "RolledBack"), old]), "FFD");
}

#[test]
fn a_status_of_an_older_spec_says_nothing() {
    check(Value::Null, "WWW");
    check(json!({"observedGeneration": -1}), "WWW");
    let mut old = at_rest("Healthy", "r2", &[ended("2", "Promoted")]);
    old["observedGeneration"] = json!(2);
    check(old, "WWW");
}

#[test]
fn what_is_in_flight_is_waited_for() {
    check(flying("2"), "WWW");
    let mut baking = flying("2");
    baking["phase"] = json!("Baking");
    check(baking, "WWW");
    let mut going_back = flying("2");
    going_back["phase"] = json!("RollingBack");
    check(going_back, "WWW");
    let mut again = flying("2");
    again["history"] = json!([ended("2", "RolledBack")]);
    check(again, "WWW");
}

#[test]
fn how_it_ended_counts() {
    check(at_rest("Healthy", "r2", &[ended("2", "Promoted")]), "DDD");
    check(at_rest("Healthy", "r2", &[ended("2", "Initialized")]), "DDD");
    check(at_rest("RolledBack", "r2", &[ended("2", "RolledBack")]), "FFD");
    check(at_rest("Aborted", "r2", &[ended("2", "Aborted")]), "FFD");
    check(at_rest("Conflict", "r2", &[ended("2", "Promoted")]), "DWD");
}

#[test]
fn an_earlier_end_does_not_count_when_the_spec_asks_for_it_again() {
    let history = [ended("1", "Promoted"), ended("2", "RolledBack")];
    check(at_rest("Pending", "r1", &history), "WWW");
    check(at_rest("Pending", "r1", &[ended("1", "Promoted")]), "WWW");
}

#[test]
fn what_cannot_work_fails() {
    check(at_rest("Invalid", "r1", &[ended("1", "Promoted")]), "FFF");
}

#[test]
fn another_release_in_its_place_fails_it_unless_it_had_been_promoted() {
    let judged = |status: Value, goal| {
        let mut object = rollout(status);
        object.spec.release.version = Some("3".into());
        judge(&object, &Wanted::Version("2".into()), goal, false)
    };
    let text = "version 2 was superseded: the spec asks for version 3 now".to_owned();
    assert_eq!(judged(flying("3"), Goal::Promoted), Verdict::Failed(text));
    let mut after = flying("3");
    after["history"] = json!([ended("2", "Promoted")]);
    let done = Verdict::Done("version 2 (revision r2): Promoted".into());
    assert_eq!(judged(after.clone(), Goal::Promoted), done);
    assert_eq!(letter(&judged(after, Goal::Healthy)), "F");
    let mut superseded = flying("3");
    superseded["history"] = json!([ended("2", "Superseded")]);
    assert_eq!(letter(&judged(superseded.clone(), Goal::Promoted)), "F");
    assert_eq!(letter(&judged(superseded, Goal::Concluded)), "D");
}

#[test]
fn progress_and_failure_are_told_with_the_operators_words() {
    let judged =
        |status| judge(&rollout(status), &Wanted::Version("2".into()), Goal::Promoted, false);
    assert_eq!(judged(flying("2")), Verdict::Waiting("Progressing 1/2: 10%: holds".into()));
    assert_eq!(
        judged(at_rest("RolledBack", "r2", &[ended("2", "RolledBack")])),
        Verdict::Failed("version 2 is RolledBack (Why): so it is".into())
    );
}

/// A rollout that follows `$LATEST`.
fn following(status: Value) -> CanaryRollout {
    let mut object = rollout(status);
    object.spec.release = Release { latest: Some(true), ..Release::default() };
    object
}

/// One letter for the verdict on each goal for code c2 in a rollout that follows `$LATEST`.
#[track_caller]
fn check_code(status: Value, seen: bool, expected: &str) {
    let object = following(status.clone());
    let goals = [Goal::Promoted, Goal::Healthy, Goal::Concluded];
    let code = Wanted::Code("c2".into());
    let judged = goals.map(|goal| letter(&judge(&object, &code, goal, seen)));
    assert_eq!(judged.concat(), expected, "{status}");
}

#[test]
fn code_that_the_operator_has_not_noticed_yet_is_waited_for() {
    let (old, served) = (ended("1", "Promoted"), ended("2", "Promoted"));
    check_code(at_rest("Healthy", "r1", std::slice::from_ref(&old)), false, "WWW");
    check_code(at_rest("Publishing", "r1", std::slice::from_ref(&old)), false, "WWW");
    // What is told may be of the code before.
    check_code(at_rest("Invalid", "r1", std::slice::from_ref(&old)), false, "WWW");
    check_code(flying("1"), false, "WWW");
    // It was served once, and is to be served again.
    check_code(at_rest("Healthy", "r1", &[old.clone(), served.clone()]), false, "WWW");
    check_code(at_rest("Healthy", "r1", &[old, ended("2", "RolledBack")]), false, "WWW");
    check_code(at_rest("Healthy", "r2", &[served]), false, "DDD");
    check_code(at_rest("RolledBack", "r2", &[ended("2", "RolledBack")]), false, "FFD");
}

#[test]
fn code_that_was_seen_on_its_way_is_judged_by_its_end_also_when_other_code_followed() {
    check_code(flying("2"), true, "WWW");
    let mut next = flying("3");
    next["history"] = json!([ended("2", "Superseded")]);
    check_code(next.clone(), true, "FFD");
    next["history"] = json!([ended("2", "Promoted")]);
    check_code(next, true, "DFD");
}

#[test]
fn a_number_is_waited_for_where_the_spec_has_none() {
    let object = following(at_rest("Healthy", "r1", &[ended("1", "Promoted")]));
    let verdict = judge(&object, &Wanted::Version("2".into()), Goal::Promoted, false);
    assert_eq!(letter(&verdict), "W");
}

#[test]
fn a_release_that_is_asked_for_once_more_is_not_there_because_it_once_was() {
    let history = [ended("1", "Promoted"), ended("2", "Promoted")];
    let object = rollout(at_rest("Pending", "r1", &history));
    let verdict = judge(&object, &Wanted::Version("2".into()), Goal::Promoted, false);
    assert_eq!(letter(&verdict), "W");
}
