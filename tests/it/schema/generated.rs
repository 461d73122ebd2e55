//! Each field of the spec missing, of the wrong type, too long, out of its range: from the schema.

use std::collections::BTreeSet;

use groundcrew::api::schema;
use serde_json::{Value, json};

use super::{Case, KINDS, Kind};
use crate::harness::run;

/// The schema of the spec of a kind, as it is installed.
fn spec_schema(kind: Kind) -> Value {
    let crds = schema::crds().unwrap();
    let crd = crds.iter().find(|crd| crd.spec.names.kind == kind.name).unwrap();
    let crd = serde_json::to_value(crd).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

#[test]
fn every_kind_is_part_of_these_tests() {
    let installed: BTreeSet<String> =
        schema::crds().unwrap().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(installed, KINDS.map(|kind| kind.name.to_owned()).into());
}

#[test]
fn every_field_of_the_spec_that_is_wrong_is_refused_by_its_name() {
    run(async {
        for kind in KINDS {
            let schema = spec_schema(kind);
            let specs = (kind.all)();
            let cases: Vec<Case> =
                specs.iter().flat_map(|base| cases(&schema, base, "", "spec")).collect();
            assert!(cases.len() > 100, "{}: only {} cases were made", kind.name, cases.len());
            kind.refuses(cases).await;
        }
    });
}

#[test]
fn every_field_of_the_spec_is_part_of_these_tests() {
    for kind in KINDS {
        let mut known = BTreeSet::new();
        fields_of_schema(&spec_schema(kind), "", &mut known);
        // Channels are the same everywhere; a status page is refused here, so no spec can have one.
        known.retain(|field| !field.starts_with(".notifications.channels.statuspage"));
        let mut used = BTreeSet::new();
        for base in (kind.all)() {
            fields_of_value(&base, "", &mut used);
        }
        assert_eq!(used, known, "bring the specs of {} up to date with the schema", kind.name);
    }
}

fn fields_of_schema(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        fields_of_schema(items, path, fields);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        fields_of_schema(property, &path, fields);
        fields.insert(path);
    }
}

fn fields_of_value(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for item in value.as_array().into_iter().flatten() {
        fields_of_value(item, path, fields);
    }
    for (name, property) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if [".dimensions", ".matchLabels", ".parameters"].iter().any(|map| path.ends_with(map)) {
            fields.insert(path);
            continue; // Its names are the user's own.
        }
        fields_of_value(property, &path, fields);
        fields.insert(path);
    }
}

/// Every wrong form of what stands at `pointer` in `base`, which people call `path`.
fn cases(schema: &Value, base: &Value, pointer: &str, path: &str) -> Vec<Case> {
    let here = base.pointer(pointer).unwrap();
    let with = |value: Value| {
        let mut spec = base.clone();
        *spec.pointer_mut(pointer).unwrap() = value;
        spec
    };
    let mut all: Vec<Case> = wrong_values(schema, here)
        .into_iter()
        .map(|(what, value)| Case {
            what: format!("{path}: {what}"),
            spec: with(value),
            told: path.to_owned(),
        })
        .collect();
    // Names in a map are the user's own: any is right.
    let entry = schema.get("additionalProperties");
    for (name, entry) in
        here.as_object().into_iter().flatten().filter_map(|(n, _)| Some((n, entry?)))
    {
        let (pointer, path) = (format!("{pointer}/{name}"), format!("{path}.{name}"));
        all.extend(cases(entry, base, &pointer, &path));
    }
    if let Some(object) = here.as_object().filter(|_| entry.is_none()) {
        let mut unknown = object.clone();
        unknown.insert("noSuchField".into(), json!(1));
        all.push(Case {
            what: format!("{path}: unknown field"),
            spec: with(Value::Object(unknown)),
            told: format!("{path}.noSuchField"),
        });
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().unwrap();
            let mut missing = object.clone();
            missing.remove(name);
            all.push(Case {
                what: format!("{path}.{name}: missing"),
                spec: with(Value::Object(missing)),
                told: format!("{path}.{name}"),
            });
        }
        for name in object.keys() {
            let (pointer, path) = (format!("{pointer}/{name}"), format!("{path}.{name}"));
            all.extend(cases(&schema["properties"][name], base, &pointer, &path));
        }
    }
    for index in 0..here.as_array().map_or(0, Vec::len) {
        let (pointer, path) = (format!("{pointer}/{index}"), format!("{path}[{index}]"));
        all.extend(cases(&schema["items"], base, &pointer, &path));
    }
    all
}

/// Values that break one rule of the schema each.
fn wrong_values(schema: &Value, right: &Value) -> Vec<(&'static str, Value)> {
    let mut wrong = Vec::new();
    let number = |rule: &str| schema[rule].as_u64().and_then(|n| usize::try_from(n).ok());
    match schema["type"].as_str().unwrap() {
        "string" => {
            wrong.push(("a number", json!(7)));
            wrong.push(("a list", json!([right])));
            wrong.push(("huge", json!("a".repeat(100_000))));
            if let Some(most) = number("maxLength") {
                wrong.push(("too long", json!("1".repeat(most + 1))));
            }
            if let Some(least @ 1..) = number("minLength") {
                wrong.push(("too short", json!("1".repeat(least - 1))));
            }
            if schema.get("pattern").is_some() {
                wrong.push(("out of its pattern", json!("five minutes!")));
                wrong.push(("with a line break", json!(format!("{}\n", right.as_str().unwrap()))));
            }
            if schema.get("enum").is_some() {
                wrong.push(("none of its values", json!("Nonsense")));
            }
        }
        "integer" => {
            wrong.push(("a text", json!("7")));
            wrong.push(("a fraction", json!(7.5)));
            wrong.push(("huge", json!(i64::MAX)));
            for (rule, beyond) in [("minimum", -1), ("maximum", 1)] {
                if let Some(bound) = schema[rule].as_f64() {
                    #[expect(clippy::cast_possible_truncation, reason = "bounds of integers")]
                    wrong.push(("out of its range", json!(bound as i64 + beyond)));
                }
            }
        }
        "boolean" => wrong.push(("a text", json!("yes"))),
        "object" => {
            wrong.push(("a text", json!("text")));
            wrong.push(("a list", json!([])));
            if number("minProperties").is_some() {
                wrong.push(("empty", json!({})));
            }
            if let Some(most) = number("maxProperties") {
                let names = (0..=most).map(|index| (index.to_string(), json!("a")));
                wrong.push(("too many", Value::Object(names.collect())));
            }
        }
        "array" => {
            wrong.push(("a text", json!("text")));
            let item = &right[0];
            if let Some(most) = number("maxItems") {
                wrong.push(("too many", json!(vec![item; most + 1])));
            }
            if number("minItems").is_some() {
                wrong.push(("empty", json!([])));
            }
        }
        other => panic!("teach this test what is wrong for {other}"),
    }
    wrong
}
