//! Rules that the whole CRD keeps, whatever fields there are.

use super::*;

/// The schema of the spec or of the status.
fn schema(part: &str) -> Value {
    let crds = serde_json::to_value(crds().unwrap()).unwrap();
    let pointer = format!("/0/spec/versions/0/schema/openAPIV3Schema/properties/{part}");
    crds.pointer(&pointer).unwrap().clone()
}

/// Every schema below this one, with its path; of lists and maps that of their values.
fn all(path: &str, schema: &Value) -> Vec<(String, Value)> {
    let mut found = vec![(path.to_owned(), schema.clone())];
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        found.extend(all(&format!("{path}.{name}"), below));
    }
    for (mark, key) in [("[]", "items"), ("{}", "additionalProperties")] {
        if schema[key].is_object() {
            found.extend(all(&format!("{path}{mark}"), &schema[key]));
        }
    }
    found
}

fn everything() -> Vec<(String, Value)> {
    let parts = ["spec", "status"].map(|part| all(part, &schema(part)));
    let all = parts.concat();
    assert!(all.len() > 200, "{}", all.len());
    // Conditions are Kubernetes's own type.
    all.into_iter().filter(|(path, _)| !path.starts_with("status.conditions[]")).collect()
}

#[test]
fn every_string_list_and_map_has_a_maximum() {
    let unbounded = everything().into_iter().filter(|(_, schema)| {
        let maximum = match schema["type"].as_str() {
            Some("string") if schema["enum"].is_array() || schema["format"] == "date-time" => None,
            Some("string") => Some("maxLength"),
            Some("array") => Some("maxItems"),
            Some("object") if schema["additionalProperties"].is_object() => Some("maxProperties"),
            _ => None,
        };
        maximum.is_some_and(|maximum| !schema[maximum].is_number())
    });
    assert_eq!(unbounded.map(|(path, _)| path).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn an_analysis_has_sixteen_metrics_and_fifty_alarms_at_most() {
    let analysis = schema("spec")["properties"]["analysis"]["properties"].clone();
    assert_eq!(analysis["metrics"]["maxItems"], 16);
    assert_eq!(analysis["alarms"]["properties"]["names"]["maxItems"], 50);
}

#[test]
fn a_manifest_chooses_no_role_no_endpoint_and_no_other_namespace() {
    let chooses = |path: &str| {
        let name = path.rsplit('.').next().unwrap_or_default().to_lowercase();
        let cloudwatch =
            path.ends_with(".metric.namespace") || path.ends_with(".queries[].namespace");
        ["role", "endpoint", "credential", "profile"].iter().any(|word| name.contains(word))
            || (name.contains("namespace") && !cloudwatch)
    };
    let chosen = all("spec", &schema("spec")).into_iter().map(|(path, _)| path);
    assert_eq!(chosen.filter(|path| chooses(path)).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn optional_fields_have_their_own_descriptions() {
    for (path, own) in [
        ("/0/{spec}/analysis/{}/alarms", "Alarms that must not fire."),
        (
            "/0/{spec}/analysis/{}/alarms/{}/onInsufficientData",
            "What INSUFFICIENT_DATA means: Pass (default), Wait or Fail.",
        ),
        (
            "/1/{spec}/onPreCheckFailure",
            "Block (default): it stays closed until the pre-checks hold,",
        ),
        ("/1/{spec}/tasks/items/{}/onFailure", "What becomes of the tasks after it"),
    ] {
        let root = "spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        let pointer = path.replace("{spec}", root).replace("{}", "properties");
        let all = serde_json::to_value(crds().unwrap()).unwrap();
        let description = all.pointer(&format!("{pointer}/description")).unwrap();
        let description = description.as_str().unwrap();
        assert!(description.starts_with(own), "{path}: {description}");
    }
}

#[test]
fn ledgers_and_plans_are_atomic_lists() {
    let merged = all("status", &schema("status")).into_iter().filter(|(_, schema)| {
        let kind = schema["x-kubernetes-list-type"].as_str();
        kind.is_some_and(|kind| kind != "atomic")
    });
    assert_eq!(merged.map(|(path, _)| path).collect::<Vec<_>>(), ["status.conditions"]);
}
