//! A forecast in words.

use std::{collections::BTreeSet, fmt::Write as _};

use jiff::{Timestamp, tz::TimeZone};

use super::openings::{Forecast, Row, Severity};
use crate::{
    api::duration::Duration,
    cli::{
        table::plain,
        terminal::{Terminal, Tone},
    },
};

const HEADER: [&str; 6] = ["WINDOW", "SCHEDULES", "LOCAL TIME", "UTC", "LENGTH", "NOTE"];

/// The openings in order, what is always open, and what is wrong.
pub(super) fn render(forecast: &Forecast, terminal: Terminal) -> String {
    let Forecast { from: _, until, rows, always, findings } = forecast;
    let mut text = String::new();
    if rows.is_empty() {
        let _ = writeln!(text, "No opening begins until {}.", utc(*until, "%-d %b %Y %H:%M UTC"));
    } else {
        table(&mut text, rows, terminal);
    }
    if !always.is_empty() {
        let _ = writeln!(text, "\n{}", terminal.paint("Without schedules", Tone::Strong));
    }
    for line in always {
        let _ = writeln!(text, "  {line}");
    }
    if !findings.is_empty() {
        let _ = writeln!(text, "\n{}", terminal.paint("Findings", Tone::Strong));
    }
    for finding in findings {
        let (word, tone) = match finding.severity {
            Severity::Error => ("error", Tone::Bad),
            Severity::Warning => ("warning", Tone::Asks),
            Severity::Info => ("info", Tone::Faint),
        };
        let word = terminal.paint(&format!("{word:<7}"), tone);
        let window = &finding.window;
        let _ =
            writeln!(text, "  {word}  {}/{}: {}", window.namespace, window.name, finding.message);
    }
    text
}

fn table(text: &mut String, rows: &[Row], terminal: Terminal) {
    let namespaces: BTreeSet<&str> = rows.iter().map(|row| row.window.namespace.as_str()).collect();
    let mut table = plain(&HEADER, terminal);
    for row in rows {
        let name = &row.window.name;
        let window = match namespaces.len() {
            1 => name.clone(),
            _ => format!("{}/{name}", row.window.namespace),
        };
        table.add_row(vec![
            window,
            row.schedules.join(","),
            row.local.clone(),
            span(row.opens_at, row.closes_at),
            if row.happens { length(row) } else { "-".to_owned() },
            row.notes.join("; "),
        ]);
    }
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = if number == 0 { terminal.paint(line, Tone::Strong) } else { line.to_owned() };
        let _ = writeln!(text, "{line}");
    }
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
