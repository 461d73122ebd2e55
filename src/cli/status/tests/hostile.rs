//! No text of people or peers makes a line of its own, or steers a terminal.

use serde::Serialize;

use super::*;
use crate::cli::hostile::printed;

/// Everything that is printed of an object.
fn all<K: Shown + Serialize>(object: &K) -> String {
    let guarded: Guarded<K> =
        serde_json::from_value(serde_json::to_value(object).unwrap()).unwrap();
    let mut lines = Lines { output: Output::Text, terminal: WIDE, last: HashMap::new() };
    let line = lines.of(&Event::Apply(guarded), now()).unwrap_or_default();
    let table = table::render(&[Row::of(object)], true, now(), WIDE);
    format!("{table}{}{line}", object.details(now(), WIDE))
}

#[test]
fn no_text_forges_a_line_of_a_window() {
    let mut object = serde_json::to_value(window(open())).unwrap();
    object["spec"]["emergency"] = json!({"reason": "full", "requestedBy": "jane", "for": ["a"]});
    let status = &mut object["status"];
    status["current"]["closing"] = json!({"outcome": "Cancelled", "message": "jane closed it"});
    status["current"]["tasks"] = json!([{"name": "patch", "state": "Running", "message": "runs"}]);
    status["plan"] = json!(["opens Sunday"]);
    status["silenced"] = json!({"occurrence": "a", "mode": "Toggle", "regions": [
        {"region": "eu-central-1", "rules": [], "alarms": [{"name": "slow", "state": "Off"}]}]});
    status["conditions"] = json!([
        condition("Ready", "False", "Stalled"),
        condition("AlarmsSilenced", "False", "NotActive"),
    ]);
    let shown = printed(&object, all::<MaintenanceWindow>);
    assert!(shown > 30, "{shown}");
}

#[test]
fn no_text_forges_a_line_of_a_rollout() {
    let mut status = flying();
    status["plan"] = json!(["UpdateAlias"]);
    status["preflight"] = json!([{"severity": "Warning", "reason": "Old", "message": "because"}]);
    status["held"] = json!({"reason": "ErrorRate", "message": "too many",
                            "at": "2026-12-05T10:15:00Z"});
    let shown = printed(&object("web", status), all::<CanaryRollout>);
    assert!(shown > 30, "{shown}");
}

#[test]
fn no_error_of_an_unreadable_object_forges_a_line() {
    let mut odd = object("web", Value::Null);
    odd["spec"]["bake"] = json!(crate::cli::hostile::HOSTILE);
    let guarded: Guarded<CanaryRollout> = serde_json::from_value(odd).unwrap();
    let table = table::render(&[Row::of_guarded(&guarded)], true, now(), WIDE);
    let mut lines = Lines { output: Output::Text, terminal: WIDE, last: HashMap::new() };
    let line = lines.of(&Event::Apply(guarded), now()).unwrap();
    for (text, count) in [(table, 2), (line, 1)] {
        assert!(text.contains("cannot be read"), "{text}");
        crate::cli::hostile::assert_harmless(&text);
        assert_eq!(text.lines().count(), count, "{text}");
    }
}
