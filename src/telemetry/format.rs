//! How an event becomes a line.

use std::{
    error::Error,
    fmt::{self, Debug, Write as _},
};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use super::LogFormat;
use crate::error::chain;

/// Longest value of a field, in characters: room for an error with its causes, and far below what
/// log collectors cut a line at (16 KiB).
pub const VALUE_MAX: usize = 2_048;

/// Names in a JSON line that an event's own fields must not take.
const RESERVED: [&str; 4] = ["timestamp", "level", "target", "span"];

/// Keeps the fields of a span as a JSON object, for either format.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, mut to: Writer<'writer>, fields: R) -> fmt::Result {
        write!(to, "{}", Value::Object(collect(&fields)))
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &span::Record<'_>,
    ) -> fmt::Result {
        let mut merged = parse(&current.fields);
        merged.extend(collect(fields));
        current.fields = Value::Object(merged).to_string();
        Ok(())
    }
}

/// Writes an event as one line.
pub(super) struct Line(pub(super) LogFormat);

impl<S> FormatEvent<S, Fields> for Line
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Fields>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut around = Map::new();
        let mut innermost = None;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<Fields>>() {
                around.extend(parse(&fields.fields));
            }
            innermost = Some(span.name());
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let fields = collect(event);
        match self.0 {
            LogFormat::Json => json(writer, event.metadata(), time, fields, innermost, around),
            LogFormat::Text => text(writer, event.metadata(), &time, fields, &around),
        }
    }
}

fn json(
    mut writer: Writer<'_>,
    metadata: &Metadata<'_>,
    time: String,
    fields: Map<String, Value>,
    innermost: Option<&str>,
    mut around: Map<String, Value>,
) -> fmt::Result {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), time.into());
    line.insert("level".to_owned(), metadata.level().as_str().into());
    line.insert("target".to_owned(), metadata.target().into());
    for (name, value) in fields {
        let taken = RESERVED.contains(&name.as_str());
        line.insert(if taken { format!("field.{name}") } else { name }, value);
    }
    if let Some(name) = innermost {
        around.insert("name".to_owned(), name.into());
        line.insert("span".to_owned(), Value::Object(around));
    }
    // JSON itself escapes only the ASCII control characters. The others can stand only inside of
    // strings, where their escaped form means the same.
    for character in Value::Object(line).to_string().chars() {
        if is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        } else {
            writer.write_char(character)?;
        }
    }
    writeln!(writer)
}

fn text(
    mut writer: Writer<'_>,
    metadata: &Metadata<'_>,
    time: &str,
    mut fields: Map<String, Value>,
    around: &Map<String, Value>,
) -> fmt::Result {
    let level = *metadata.level();
    if writer.has_ansi_escapes() {
        let colour = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            _ => 34,
        };
        write!(writer, "\x1b[2m{time}\x1b[0m \x1b[{colour}m{level:>5}\x1b[0m ")?;
    } else {
        write!(writer, "{time} {level:>5} ")?;
    }
    match fields.remove("message") {
        Some(Value::String(message)) => escaped(&mut writer, &message, false)?,
        Some(other) => write!(writer, "{other}")?,
        None => write!(writer, "{}", metadata.target())?,
    }
    for (name, value) in fields.iter().chain(around) {
        write!(writer, " {name}=")?;
        if let Value::String(value) = value {
            let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '=' | '\\');
            let quoted = value.is_empty() || !value.chars().all(plain);
            escaped(&mut writer, value, quoted)?;
        } else {
            write!(writer, "{value}")?;
        }
    }
    writeln!(writer)
}

/// Writes text without anything that could end the line or steer a terminal. In quotes, what is
/// inside cannot be taken for another field either.
fn escaped(writer: &mut Writer<'_>, text: &str, quoted: bool) -> fmt::Result {
    if quoted {
        writer.write_char('"')?;
    }
    for character in text.chars() {
        match character {
            '"' | '\\' if quoted => write!(writer, "\\{character}")?,
            _ if is_unsafe(character) => write!(writer, "{}", character.escape_default())?,
            _ => writer.write_char(character)?,
        }
    }
    if quoted {
        writer.write_char('"')?;
    }
    Ok(())
}

/// Whether a character may end a line, start a terminal's escape sequence, or turn the direction
/// of the text around it.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What [`Fields`] wrote.
fn parse(fields: &str) -> Map<String, Value> {
    serde_json::from_str(fields).unwrap_or_default()
}

fn collect<R: RecordFields>(fields: &R) -> Map<String, Value> {
    let mut collector = Collector(Map::new());
    fields.record(&mut collector);
    collector.0
}

/// Collects fields, with text cut at [`VALUE_MAX`].
struct Collector(Map<String, Value>);

impl Collector {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.0.insert(name.to_owned(), value.into());
    }

    fn insert_text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut capped = Capped::default();
        // `Capped` takes everything; a value whose own formatting fails is logged as far as it got.
        let _ = capped.write_fmt(value);
        self.insert(field, capped.finish());
    }
}

impl Visit for Collector {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.insert_text(field, format_args!("{}", chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert_text(field, format_args!("{value:?}"));
    }
}

/// Keeps the first [`VALUE_MAX`] characters and counts the rest.
#[derive(Default)]
struct Capped {
    text: String,
    kept: usize,
    dropped: usize,
}

impl Capped {
    fn finish(mut self) -> String {
        if self.dropped > 0 {
            let _ = write!(self.text, "… ({} more characters)", self.dropped);
        }
        self.text
    }
}

impl fmt::Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.kept < VALUE_MAX {
                self.text.push(character);
                self.kept = self.kept.saturating_add(1);
            } else {
                self.dropped = self.dropped.saturating_add(1);
            }
        }
        Ok(())
    }
}
