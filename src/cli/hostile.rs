//! Objects whose texts try to write lines of their own, or to steer a terminal.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is added to a text.
pub(super) const HOSTILE: &str = "x\u{1b}[2J\u{9b}1m\u{7}\r\n\tforged";
/// The same without what it does.
const HARMLESS: &str = "xforged";

/// Fails if what is printed has control characters.
#[track_caller]
pub(super) fn assert_harmless(printed: &str) {
    let odd = printed.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(odd, None, "{printed:?}");
}

/// Makes each text of an object hostile in turn, where it may be any text, and fails if that prints
/// control characters or more lines. Says how many of these texts are printed.
#[track_caller]
pub(super) fn printed<K: DeserializeOwned>(object: &Value, render: impl Fn(&K) -> String) -> usize {
    let mut paths = Vec::new();
    texts(object, String::new(), &mut paths);
    let mut printed = 0;
    for path in paths {
        let with = |more: &str| -> Option<String> {
            let mut object = object.clone();
            let text = object.pointer_mut(&path).unwrap();
            *text = (text.as_str().unwrap().to_owned() + more).into();
            Some(render(&serde_json::from_value(object).ok()?))
        };
        let (Some(hostile), Some(harmless)) = (with(HOSTILE), with(HARMLESS)) else { continue };
        assert_harmless(&hostile);
        assert_eq!(hostile.lines().count(), harmless.lines().count(), "{path}: {hostile}");
        printed += usize::from(harmless.contains("forged"));
    }
    printed
}

/// Where an object has texts.
fn texts(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(path),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| texts(item, format!("{path}/{at}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(key, item)| texts(item, format!("{path}/{key}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
