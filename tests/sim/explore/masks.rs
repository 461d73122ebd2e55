//! What of a status may differ between runs that are the same to a user.

use groundcrew::api::maintenance_window::MaintenanceWindow;
use serde_json::Value;

use crate::world::kubernetes::key;

/// A sentence without how much was evaluated, and without why the metrics could not be read at last:
/// both depend on when it was tried.
fn without_circumstances(text: &str) -> String {
    let mut text = text.to_owned();
    for what in [" samples", " of 1000000 invocations"] {
        if let Some((before, after)) = text.split_once(what) {
            let before = before.trim_end_matches(|digit: char| digit.is_ascii_digit());
            text = format!("{before}{what}{after}");
        }
    }
    let unreadable = "the metrics cannot be read";
    let Some((before, cause)) = text.split_once(unreadable) else { return text };
    let after = cause.find("; the alias serves").and_then(|at| cause.get(at..));
    format!("{before}{unreadable}{}", after.unwrap_or_default())
}

/// What a window tells.
pub(super) fn told(window: &MaintenanceWindow) -> (String, Value) {
    let mut value = serde_json::to_value(&window.status).expect("a status");
    mask(&mut value);
    mask_checks(&mut value);
    (key(window), value)
}

/// Takes away why a check does not hold: where it could not be looked at last, that is what is told.
fn mask_checks(value: &mut Value) {
    const CHECK: &str = "check database: ";
    match value {
        Value::Object(fields) => {
            let broken = fields.get("verdict").is_some_and(|verdict| verdict != "Passed");
            if broken && fields.contains_key("stage") {
                fields.insert("verdict".into(), Value::Null);
                fields.insert("message".into(), Value::Null);
            }
            fields.values_mut().for_each(mask_checks);
        }
        Value::Array(items) => items.iter_mut().for_each(mask_checks),
        Value::String(text) => {
            if let Some((before, why)) = text.split_once(CHECK) {
                let after = why.find("; ").and_then(|at| why.get(at..)).unwrap_or_default();
                *text = format!("{before}{CHECK}it does not hold{after}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes away what differs between runs that are the same to a user: times, and Lambda's revision
/// ids, which count all writes.
pub(super) fn mask(value: &mut Value) {
    const MASKED: [&str; 15] = [
        // How much was evaluated depends on when.
        "failures",
        "samples",
        "through",
        "enteredAt",
        "startedAt",
        "endedAt",
        "holdUntil",
        "openedAt",
        "closedAt",
        "pausedAt",
        "at",
        "since",
        "lastTransitionTime",
        "revisionId",
        "configuredAt",
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if MASKED.contains(&name.as_str()) { *field = Value::Null } else { mask(field) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => *text = without_circumstances(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
