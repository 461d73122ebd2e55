use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

/// A writer that keeps what it is given.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `events` log under `filter`.
fn logged(format: LogFormat, filter: &str, colour: bool, events: impl FnOnce()) -> String {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = subscriber(format, filter, colour, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, events);
    String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

const HOSTILE: &str = "ok\n2026-01-01T00:00:00Z ERROR forged\r\x1b[2J\x1b]0;x\x07\u{9b}31m\u{2028}\u{202e}\x7f\0 a=\"b\"";

/// Logs a value from outside in every way that there is.
fn log_everywhere(value: &str) {
    let span = tracing::info_span!("pass", display = %value, later = tracing::field::Empty);
    let _entered = span.enter();
    span.record("later", value);
    let failure: Box<dyn std::error::Error> = value.to_owned().into();
    tracing::info!(
        plain = value,
        display = %value,
        debug = ?value,
        error = &*failure,
        "message {value}"
    );
}

#[test]
fn a_value_from_outside_cannot_forge_a_line_or_steer_a_terminal() {
    for format in [LogFormat::Json, LogFormat::Text] {
        let line = logged(format, "", false, || log_everywhere(HOSTILE));
        let body = line.strip_suffix('\n').unwrap();
        let steering = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
        assert!(!body.contains(steering), "{format:?}: {body:?}");
        assert!(body.contains("forged"), "{format:?}: the value itself is not lost: {body:?}");
    }
}

#[test]
fn json_keeps_the_value_as_it_was() {
    let line = json(&logged(LogFormat::Json, "", false, || log_everywhere(HOSTILE)));
    assert_eq!(line["plain"], HOSTILE);
    assert_eq!(line["display"], HOSTILE);
    assert_eq!(line["message"], format!("message {HOSTILE}"));
    assert_eq!(line["span"]["later"], HOSTILE);
}

#[test]
fn text_quotes_a_value_that_could_pass_for_another_field() {
    let line = logged(LogFormat::Text, "", false, || {
        tracing::info!(name = "x level=ERROR", quote = "a\"b", path = "a\\b", empty = "", "done");
    });
    let fields = line.split_once("done").unwrap().1;
    assert_eq!(fields, " empty=\"\" name=\"x level=ERROR\" path=\"a\\\\b\" quote=\"a\\\"b\"\n");
}

#[test]
fn json_is_flat_and_names_the_span() {
    let line = json(&logged(LogFormat::Json, "", false, || {
        let outer = tracing::info_span!("reconcile", rollout = "shop/checkout", step = 1);
        let _outer = outer.enter();
        let inner = tracing::info_span!("call", step = 2);
        let _inner = inner.enter();
        tracing::warn!(attempt = 3, level = "fake", ok = false, "throttled");
    }));
    assert_eq!(line["message"], "throttled");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["field.level"], "fake");
    assert_eq!(line["attempt"], 3);
    assert_eq!(line["ok"], false);
    assert_eq!(line["target"], "groundcrew::telemetry::tests");
    let span = serde_json::json!({"name": "call", "rollout": "shop/checkout", "step": 2});
    assert_eq!(line["span"], span);
}

#[test]
fn text_is_one_readable_line() {
    let event = || {
        let span = tracing::info_span!("reconcile", rollout = "shop/checkout");
        let _entered = span.enter();
        tracing::info!(weight = 10, "moved traffic");
    };
    let plain = logged(LogFormat::Text, "", false, event);
    let (time, rest) = plain.split_once(' ').unwrap();
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
    assert_eq!(rest, " INFO moved traffic weight=10 rollout=shop/checkout\n");
    let coloured = logged(LogFormat::Text, "", true, event);
    assert!(coloured.contains("\x1b[32m INFO\x1b[0m moved traffic"), "{coloured:?}");
    assert!(!logged(LogFormat::Json, "", true, event).contains('\x1b'));
}

#[test]
fn long_values_are_cut_and_say_so() {
    let long = "é".repeat(VALUE_MAX + 7);
    let line = json(&logged(LogFormat::Json, "", false, || tracing::info!(value = long, "x")));
    let value = line["value"].as_str().unwrap();
    assert_eq!(value, format!("{}… (7 more characters)", "é".repeat(VALUE_MAX)));
}

#[test]
fn an_error_is_logged_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read alias production")]
    struct Outer(#[source] io::Error);
    let failure = Outer(io::Error::other("access denied"));
    let line = logged(LogFormat::Text, "", false, || {
        tracing::warn!(error = &failure as &dyn std::error::Error, "failed");
    });
    let expected = "failed error=\"cannot read alias production: access denied\"\n";
    assert!(line.ends_with(expected), "{line}");
}

#[test]
fn the_default_filter_keeps_libraries_quiet() {
    let lines = logged(LogFormat::Text, " ", false, || {
        tracing::info!(target: "kube_client::client", "hidden");
        tracing::info!(target: "aws_smithy_runtime::client", "hidden");
        tracing::debug!("hidden");
        tracing::warn!(target: "aws_config", "shown 1");
        tracing::info!(target: "groundcrew::aws", "shown 2");
    });
    assert_eq!(lines.matches("shown").count(), 2, "{lines}");
    assert!(!lines.contains("hidden"), "{lines}");
}

#[test]
fn a_filter_that_is_not_valid_is_an_error_that_names_it() {
    let failure = subscriber(LogFormat::Text, "info,kube=loud", false, io::sink).err().unwrap();
    assert!(
        matches!(&failure, TelemetryError::Filter { filter, .. } if filter == "info,kube=loud")
    );
    assert!(failure.to_string().contains("info,kube=loud"));
}

proptest! {
    #[test]
    fn any_value_gives_one_line(value in "\\PC*|[\\x00-\\u{2fff}]{0,40}") {
        for format in [LogFormat::Json, LogFormat::Text] {
            let line = logged(format, "", false, || log_everywhere(&value));
            prop_assert_eq!(line.lines().count(), 1);
            prop_assert!(!line.trim_end_matches('\n').contains(char::is_control));
        }
    }
}
