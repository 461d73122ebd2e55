//! Logs: one line per event, as JSON for machines or as text for people.
//!
//! Both formats hold the event's fields and those of all spans around it; an inner span's field
//! hides an outer one of the same name. What comes from outside cannot forge a line or steer a
//! terminal: control characters are escaped, and a value is at most [`VALUE_MAX`] characters long.

mod format;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, filter::ParseError, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
    util::TryInitError,
};

pub use self::format::VALUE_MAX;
use self::format::{Fields, Line};

/// What is logged unless the user says otherwise: our own events, and of the libraries only what
/// is wrong. A target is matched by its beginning, so `aws` stands for all crates of the SDK.
pub const DEFAULT_FILTER: &str =
    "info,kube=warn,aws=warn,hyper=warn,h2=warn,rustls=warn,tower=warn";

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line: `timestamp`, `level`, `target`, the event's fields (`message`
    /// among them), and `span` with the name of the innermost span and the fields of all.
    Json,
    /// For people, in colour on a terminal.
    #[default]
    Text,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be understood.
    #[error("log filter {filter:?} is not valid: write directives such as info,kube=warn")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Logging was set up before.
    #[error("logging is already set up")]
    AlreadySet(#[source] TryInitError),
}

/// Sends the events of this process to standard error. Call it once, at the start.
///
/// `filter` is in the syntax of `RUST_LOG`; an empty one stands for [`DEFAULT_FILTER`].
///
/// # Errors
///
/// [`TelemetryError`] when the filter is not valid or logging is already set up.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let colour = io::stderr().is_terminal();
    subscriber(format, filter, colour, io::stderr)?.try_init().map_err(TelemetryError::AlreadySet)
}

/// The same to any writer.
fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    colour: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let directives = if filter.trim().is_empty() { DEFAULT_FILTER } else { filter };
    let filter = EnvFilter::try_new(directives)
        .map_err(|source| TelemetryError::Filter { filter: directives.to_owned(), source })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(colour && format == LogFormat::Text)
        .with_writer(writer)
        .fmt_fields(Fields)
        .event_format(Line(format));
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}
