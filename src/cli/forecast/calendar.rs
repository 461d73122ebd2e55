//! A forecast as an iCalendar, RFC 5545.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    openings::Forecast,
    rows::{Name, Row},
};

/// Longest line in octets, its end left out (section 3.1).
const LINE_MAX: usize = 75;

/// The openings that take place as events. Read again later, an event has the same UID. An iCalendar has
/// at least one component (section 3.6): one without events has the time zone of its times.
pub(super) fn render(forecast: &Forecast, now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| fold(&mut text, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//groundcrew//forecast//EN");
    line("CALSCALE", "GREGORIAN");
    if forecast.happening().next().is_none() {
        line("BEGIN", "VTIMEZONE");
        line("TZID", "Etc/UTC");
        line("BEGIN", "STANDARD");
        line("DTSTART", "19700101T000000");
        line("TZOFFSETFROM", "+0000");
        line("TZOFFSETTO", "+0000");
        line("END", "STANDARD");
        line("END", "VTIMEZONE");
    }
    for row in forecast.happening() {
        let Name { namespace, name } = &row.window;
        line("BEGIN", "VEVENT");
        line("UID", &escape(&uid(row)));
        line("DTSTAMP", &time(now));
        line("DTSTART", &time(row.opens_at));
        line("DTEND", &time(row.closes_at));
        let what = if row.routine { "Routine" } else { "Maintenance window" };
        line("SUMMARY", &escape(&format!("{what} {name} ({namespace})")));
        line("DESCRIPTION", &escape(&description(row)));
        line("CATEGORIES", "MAINTENANCE");
        line("TRANSP", "TRANSPARENT");
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    text
}

/// Windows of the same name in two clusters have openings of the same id. Their objects tell them apart;
/// a manifest has none.
fn uid(row: &Row) -> String {
    let Row { id, object, window: Name { namespace, name }, .. } = row;
    match object {
        Some(object) => format!("{id}.{object}@groundcrew.dev"),
        None => format!("{id}.{name}.{namespace}@groundcrew.dev"),
    }
}

fn description(row: &Row) -> String {
    let first = format!("{} ({})", row.local, row.schedules.join(", "));
    [first].into_iter().chain(row.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

/// A moment in UTC (section 3.3.5).
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text (section 3.3.11); other control characters than line breaks are not allowed in one.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// Adds a line, folded where it is longer than allowed, between characters.
fn fold(text: &mut String, line: &str) {
    let mut octets: usize = 0;
    for character in line.chars() {
        let length = character.len_utf8();
        if octets.saturating_add(length) > LINE_MAX {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(character);
        octets = octets.saturating_add(length);
    }
    text.push_str("\r\n");
}
