//! Manifests as people write them: YAML or JSON, one or many documents.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use kube::ResourceExt as _;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Error, cluster::Object};
use crate::{api::GROUP, error::one_line};

/// Ends of the names of files that are read in a folder, as kubectl does.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
/// Most unknown fields that are named: who wrote more has another problem.
const UNKNOWN_MAX: usize = 10;

/// What files hold.
#[derive(Debug)]
pub(super) struct Manifests<K> {
    /// The objects, as if they had just been made: without status.
    pub(super) objects: Vec<K>,
    /// What was left out, and why.
    pub(super) notes: Vec<String>,
}

impl<K> Default for Manifests<K> {
    fn default() -> Self {
        Self { objects: Vec::new(), notes: Vec::new() }
    }
}

/// Reads all objects of a kind in files, `-` for standard input, and the manifests of folders, without
/// folders in them. `namespace` is that of objects without one.
pub(super) fn load<K: Object + Serialize>(
    paths: &[PathBuf],
    namespace: &str,
) -> Result<Manifests<K>, Error> {
    let mut all = Manifests::default();
    for path in paths {
        for file in files(path)? {
            let place = match is_stdin(&file) {
                true => "standard input".to_owned(),
                false => file.display().to_string(),
            };
            let found = read(&text(&file)?, &place, namespace)?;
            all.objects.extend(found.objects);
            all.notes.extend(found.notes);
        }
    }
    Ok(all)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if is_stdin(path) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let fail = |source| Error::ReadFile { path: path.to_owned(), source };
    let entries = std::fs::read_dir(path).map_err(fail)?;
    let entries: io::Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let is_manifest = |file: &PathBuf| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) && !file.is_dir()
    };
    let mut files: Vec<PathBuf> = entries.map_err(fail)?.into_iter().filter(is_manifest).collect();
    files.sort();
    Ok(files)
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn text(path: &Path) -> Result<String, Error> {
    let text = if is_stdin(path) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|source| Error::ReadFile { path: path.to_owned(), source })
}

/// Reads all documents of a text that stands at `place`.
pub(super) fn read<K: Object + Serialize>(
    text: &str,
    place: &str,
    namespace: &str,
) -> Result<Manifests<K>, Error> {
    let wanted = K::kind(&());
    let mut read = Manifests::default();
    for (index, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let wrong = |message| Error::Manifest { place: place.to_owned(), message };
        let value: Value = serde::Deserialize::deserialize(document)
            .map_err(|error: serde_yaml::Error| wrong(error.to_string()))?;
        if value.is_null() {
            continue;
        }
        let word = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (word("apiVersion"), word("kind"));
        let ours = version.split_once('/').is_some_and(|(group, _)| group == GROUP);
        if !ours || kind != wanted {
            let what = if kind.is_empty() { "a document without a kind" } else { kind };
            let note = format!("{place}: {what} is left out: only {wanted}s are looked at");
            read.notes.push(one_line(&note));
            continue;
        }
        read.objects.push(typed(text, index, value, namespace).map_err(wrong)?);
    }
    Ok(read)
}

/// The document as an object, or a sentence with the place of what is wrong.
fn typed<K: Object + Serialize>(
    text: &str,
    index: usize,
    mut value: Value,
    namespace: &str,
) -> Result<K, String> {
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    let mut object: K = match serde_json::from_value(value.clone()) {
        Ok(object) => object,
        // Read again from the text, because only its reader knows lines.
        Err(error) => return Err(located::<K>(text, index).unwrap_or_else(|| error.to_string())),
    };
    let known = serde_json::to_value(&object).map_err(|error| error.to_string())?;
    let mut unknown = Vec::new();
    compare(&value, &known, "", &mut unknown);
    unknown.truncate(UNKNOWN_MAX);
    let kind = K::kind(&());
    if !unknown.is_empty() {
        let name = object.name_any();
        return Err(format!("{kind} {name} has unknown fields: {}", unknown.join(", ")));
    }
    if object.meta().name.as_deref().unwrap_or_default().is_empty() {
        return Err(format!("a {kind} has no metadata.name"));
    }
    let meta = object.meta_mut();
    meta.annotations = None;
    meta.namespace.get_or_insert_with(|| namespace.to_owned());
    Ok(object)
}

fn located<K: Object>(text: &str, index: usize) -> Option<String> {
    let document = serde_yaml::Deserializer::from_str(text).nth(index)?;
    K::deserialize(document).err().map(|error| error.to_string())
}

/// Paths that were written and not understood. Metadata is Kubernetes's.
fn compare(written: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            let own = |key: &str| path.is_empty() && key == "metadata";
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
    use crate::api::canary_rollout::CanaryRollout;

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
        let error = read::<CanaryRollout>(text, "web.yaml", "default").unwrap_err();
        assert_eq!(error.code(), crate::cli::EXIT_USAGE);
        error.to_string()
    }

    #[test]
    fn documents_are_read_one_by_one_and_other_kinds_are_named() {
        let text =
            format!("---\n{GOOD}---\n---\nkind: \"Ser\\evice\"\napiVersion: v1\n---\n{GOOD}");
        let read = read::<CanaryRollout>(&text, "all.yaml", "default").unwrap();
        assert_eq!(read.objects.len(), 2);
        assert_eq!(read.objects[0].namespace().as_deref(), Some("default"));
        assert_eq!(
            read.notes,
            ["all.yaml: Ser vice is left out: only CanaryRollouts are looked at"]
        );
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
        assert_eq!(
            read::<CanaryRollout>(&nothing, "web.yaml", "default").unwrap().objects.len(),
            1
        );
    }

    #[test]
    fn an_object_without_a_name_is_refused() {
        let text =
            GOOD.replace("{name: web}", "{}").replace("metadata: {}", "metadata: {namespace: a}");
        assert_eq!(refused(&text), "web.yaml: a CanaryRollout has no metadata.name");
    }

    #[test]
    fn a_folder_is_read_without_the_folders_in_it() {
        let root =
            std::env::temp_dir().join(format!("groundcrew-manifests-{}", std::process::id()));
        std::fs::create_dir_all(root.join("more.yaml")).unwrap();
        for name in ["b.yaml", "a.yml", "notes.txt"] {
            std::fs::write(
                root.join(name),
                GOOD.replace("{name: web}", &format!("{{name: {}}}", &name[..1])),
            )
            .unwrap();
        }
        let loaded = load::<CanaryRollout>(std::slice::from_ref(&root), "shop");
        std::fs::remove_dir_all(&root).unwrap();
        let objects = loaded.unwrap().objects;
        let names: Vec<String> = objects.iter().map(|object| object.name_any()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(objects.iter().all(|object| object.namespace().as_deref() == Some("shop")));
    }
}
