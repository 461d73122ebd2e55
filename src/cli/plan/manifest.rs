//! Manifests as people write them: YAML or JSON, one or many documents.

use kube::ResourceExt as _;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::{
    api::{GROUP, canary_rollout::CanaryRollout},
    cli::Error,
};

/// Most unknown fields that are named: who wrote more has another problem.
const UNKNOWN_MAX: usize = 10;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// The rollouts, as if they had just been made: without status.
    pub(super) objects: Vec<CanaryRollout>,
    /// What was left out, and why.
    pub(super) notes: Vec<String>,
}

/// Reads all documents of a text that stands at `place`.
pub(super) fn read(text: &str, place: &str) -> Result<Manifests, Error> {
    let mut read = Manifests::default();
    for (index, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let wrong = |message| Error::Manifest { place: place.to_owned(), message };
        let value = Value::deserialize(document).map_err(|error| wrong(error.to_string()))?;
        if value.is_null() {
            continue;
        }
        let word = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (word("apiVersion"), word("kind"));
        let ours = version.split_once('/').is_some_and(|(group, _)| group == GROUP);
        if !ours || kind != "CanaryRollout" {
            let what = if kind.is_empty() { "a document without a kind" } else { kind };
            read.notes
                .push(format!("{place}: {what} is left out: only CanaryRollouts are planned"));
            continue;
        }
        let object = typed(text, index, &value).map_err(wrong)?;
        read.objects.push(object);
    }
    Ok(read)
}

/// The document as an object, or a sentence with the place of what is wrong.
fn typed(text: &str, index: usize, value: &Value) -> Result<CanaryRollout, String> {
    let mut object: CanaryRollout = match serde_json::from_value(value.clone()) {
        Ok(object) => object,
        // Read again from the text, because only its reader knows lines.
        Err(error) => return Err(located(text, index).unwrap_or_else(|| error.to_string())),
    };
    let known = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    let mut unknown = Vec::new();
    compare(value, &known, "", &mut unknown);
    unknown.truncate(UNKNOWN_MAX);
    if !unknown.is_empty() {
        let name = object.name_any();
        return Err(format!("CanaryRollout {name} has unknown fields: {}", unknown.join(", ")));
    }
    if object.metadata.name.as_deref().unwrap_or_default().is_empty() {
        return Err("a CanaryRollout has no metadata.name".to_owned());
    }
    object.status = None;
    object.metadata.annotations = None;
    object.metadata.namespace.get_or_insert_with(|| "default".to_owned());
    Ok(object)
}

fn located(text: &str, index: usize) -> Option<String> {
    let document = serde_yaml::Deserializer::from_str(text).nth(index)?;
    CanaryRollout::deserialize(document).err().map(|error| error.to_string())
}

/// Paths that were written and not understood. Status and metadata are Kubernetes's.
fn compare(written: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            let own = |key: &str| path.is_empty() && matches!(key, "metadata" | "status");
            for (key, value) in written.iter().filter(|(key, value)| !own(key) && !empty(value)) {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match known.get(key) {
                    Some(known) => compare(value, known, &below, unknown),
                    None => unknown.push(below),
                }
            }
        }
        (Value::Array(written), Value::Array(known)) => {
            for (index, (written, known)) in written.iter().zip(known).enumerate() {
                compare(written, known, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Whether a value says nothing, so that it may be missing when it is written again.
fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => *members == Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
apiVersion: groundcrew.dev/v1alpha1
kind: CanaryRollout
metadata: {name: web}
spec:
  function: {name: web, alias: live}
  release: {version: '2'}
  steps:
  - {weight: 10, hold: 30m}
";

    #[track_caller]
    fn refused(text: &str) -> String {
        let error = read(text, "web.yaml").unwrap_err();
        assert_eq!(error.code(), crate::cli::EXIT_USAGE);
        error.to_string()
    }

    #[test]
    fn documents_are_read_one_by_one_and_other_kinds_are_named() {
        let text = format!("---\n{GOOD}---\n---\nkind: Service\napiVersion: v1\n---\n{GOOD}");
        let read = read(&text, "all.yaml").unwrap();
        assert_eq!(read.objects.len(), 2);
        assert_eq!(read.objects[0].namespace().as_deref(), Some("default"));
        assert_eq!(read.notes, ["all.yaml: Service is left out: only CanaryRollouts are planned"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(
            refused(&GOOD.replace("30m", "30 minutes")),
            "web.yaml: spec.steps[0]: a duration is written like 30m, 1h30m, 7d or 4w: units w d h m s, in that order at line 8 column 5"
        );
        assert!(refused("a: [").contains("line"));
    }

    #[test]
    fn a_field_that_nobody_knows_is_not_passed_over() {
        assert_eq!(
            refused(&GOOD.replace("hold:", "holds:")),
            "web.yaml: CanaryRollout web has unknown fields: spec.steps[0].holds"
        );
        let nothing = GOOD.replace("hold: 30m", "hold: null");
        assert_eq!(read(&nothing, "web.yaml").unwrap().objects.len(), 1);
    }

    #[test]
    fn an_object_without_a_name_is_refused() {
        let text =
            GOOD.replace("{name: web}", "{}").replace("metadata: {}", "metadata: {namespace: a}");
        assert_eq!(refused(&text), "web.yaml: a CanaryRollout has no metadata.name");
    }
}
