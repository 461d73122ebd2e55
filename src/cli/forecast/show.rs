//! A forecast in words.

use std::{collections::BTreeSet, fmt::Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    openings::{Forecast, Severity},
    rows::{Name, Row},
};
use crate::{
    api::duration::Duration,
    cli::{
        table::{self, heading},
        terminal::{Terminal, Tone},
    },
    error::one_line,
};

const HEADER: [&str; 6] = ["WINDOW", "SCHEDULES", "LOCAL TIME", "UTC", "LENGTH", "NOTE"];

/// The openings in order, what is always open, and what is wrong.
pub(super) fn render(forecast: &Forecast, terminal: Terminal) -> String {
    let Forecast { from: _, until, rows, always, findings } = forecast;
    let mut text = String::new();
    if rows.is_empty() {
        let _ = writeln!(text, "No opening begins until {}.", utc(*until, "%-d %b %Y %H:%M UTC"));
    } else {
        text.push_str(&table(rows, terminal));
    }
    if !always.is_empty() {
        heading(&mut text, "Without schedules", terminal);
    }
    for line in always {
        let _ = writeln!(text, "  {}", one_line(line));
    }
    if !findings.is_empty() {
        heading(&mut text, "Findings", terminal);
    }
    for finding in findings {
        let (word, tone) = match finding.severity {
            Severity::Error => ("error", Tone::Bad),
            Severity::Warning => ("warning", Tone::Asks),
            Severity::Info => ("info", Tone::Faint),
        };
        let word = terminal.paint(&format!("{word:<7}"), tone);
        let Name { namespace, name } = &finding.window;
        let what = one_line(&format!("{namespace}/{name}: {}", finding.message));
        let _ = writeln!(text, "  {word}  {what}");
    }
    text
}

fn table(rows: &[Row], terminal: Terminal) -> String {
    let namespaces: BTreeSet<&str> = rows.iter().map(|row| row.window.namespace.as_str()).collect();
    let cells = |row: &Row| {
        let name = &row.window.name;
        let window = match namespaces.len() {
            1 => name.clone(),
            _ => format!("{}/{name}", row.window.namespace),
        };
        vec![
            window,
            row.schedules.join(","),
            row.local.clone(),
            span(row.opens_at, row.closes_at),
            if row.happens { length(row) } else { "-".to_owned() },
            row.notes.join("; "),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    table::render(&HEADER, &rows, None, terminal)
}

fn utc(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// Both ends, with the date of the second one where it is another.
fn span(from: Timestamp, until: Timestamp) -> String {
    let (opens, date) = (utc(from, "%Y-%m-%d %H:%M"), utc(until, "%Y-%m-%d "));
    let date = if opens.starts_with(&date) { "" } else { &date };
    format!("{opens}–{date}{}", utc(until, "%H:%M"))
}

fn length(row: &Row) -> String {
    let seconds = row.closes_at.duration_since(row.opens_at).as_secs();
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).to_string()
}
