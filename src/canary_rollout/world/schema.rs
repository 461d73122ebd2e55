//! What the API server says of a status, by the schema of the CRD.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex},
};

use regex_lite::Regex;
use serde_json::Value;

use super::stored;
use crate::api::{canary_rollout::CanaryRolloutStatus, schema};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let crds = serde_json::to_value(schema::crds().unwrap()).unwrap();
    crds[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].clone()
});

/// The status as the API server keeps it; it must take it.
#[track_caller]
pub fn taken(status: &CanaryRolloutStatus) -> CanaryRolloutStatus {
    let mut refusals = Vec::new();
    look(&SCHEMA, &serde_json::to_value(status).unwrap(), "status", &mut refusals);
    assert!(refusals.is_empty(), "the API server refuses it: {refusals:#?}");
    stored(status)
}

/// Whether a text has this form.
fn matches(pattern: &'static str, text: &str) -> bool {
    static KNOWN: Mutex<BTreeMap<&str, Regex>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known.entry(pattern).or_insert_with(|| Regex::new(pattern).unwrap()).is_match(text)
}

/// Adds everything in `value` that the schema does not take.
fn look(schema: &'static Value, value: &Value, path: &str, refusals: &mut Vec<String>) {
    let mut must = |holds: bool, what: &str| {
        if !holds {
            refusals.push(format!("{path}: {what}: {value}"));
        }
    };
    let bound = |rule: &str| schema[rule].as_f64();
    let most = |rule: &str, size: usize| bound(rule).is_none_or(|most| size as f64 <= most);
    let least = |rule: &str, size: usize| bound(rule).is_none_or(|least| size as f64 >= least);
    let allowed = schema["enum"].as_array();
    must(allowed.is_none_or(|allowed| allowed.contains(value)), "not one of its values");
    match (schema["type"].as_str().unwrap_or_default(), value) {
        ("string", Value::String(text)) => {
            let length = text.chars().count();
            must(most("maxLength", length) && least("minLength", length), "length");
            must(
                schema["pattern"].as_str().is_none_or(|pattern| matches(pattern, text)),
                "pattern",
            );
        }
        ("integer" | "number", Value::Number(number)) => {
            let number = number.as_f64().unwrap();
            must(bound("minimum").is_none_or(|least| number >= least), "below the minimum");
            must(bound("maximum").is_none_or(|most| number <= most), "above the maximum");
        }
        ("boolean", Value::Bool(_)) => {}
        ("array", Value::Array(items)) => {
            must(most("maxItems", items.len()) && least("minItems", items.len()), "items");
            for (index, item) in items.iter().enumerate() {
                look(&schema["items"], item, &format!("{path}[{index}]"), refusals);
            }
        }
        ("object", Value::Object(fields)) => {
            let required = schema["required"].as_array().into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                must(fields.contains_key(name), name);
            }
            for (name, field) in fields {
                let known = &schema["properties"][name];
                look(known, field, &format!("{path}.{name}"), refusals);
            }
        }
        // A field that the schema does not know has no type there.
        (_, _) => must(false, "type"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(field: &str, value: Value, expected: &str) {
        let mut refusals = Vec::new();
        look(&SCHEMA, &json!({ field: value }), "status", &mut refusals);
        let told = refusals.join("\n");
        assert!(told.starts_with(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }

    #[test]
    fn what_the_api_server_would_refuse_is_found() {
        check("phase", json!("Healthy"), "");
        check("phase", json!("Nonsense"), "status.phase: not one of its values");
        check("message", json!("x".repeat(1_025)), "status.message: length");
        check("history", json!(vec![0; 21]), "status.history: items");
        check("step", json!({"index": 0}), "status.step: count");
        check("steps", json!([{"weight": 100}]), "status.steps[0].weight: above the maximum");
        check("steps", json!([{"hold": "soon"}]), "status.steps[0].hold: pattern");
        check("noSuchField", json!(1), "status.noSuchField: type");
    }
}
