//! What clocks, months and blackouts do to a window, as tables. `laws` compares with the wall clock.

mod blackouts;
mod clocks;
mod laws;
mod oracle;
mod refusals;

use jiff::{SignedDuration, Timestamp};

use super::*;

/// A schedule. `start` is a cron, with `+2` after it for plusDays, or a time; `length` is `2h`, `30m`, or
/// `-04:00` for an end by the wall clock.
fn schedule(name: &str, start: &str, length: &str) -> Schedule {
    let start = match start.parse() {
        Ok(at) => Start::Once(at),
        Err(_) => {
            let (cron, plus_days) = start.split_once(" +").unwrap_or((start, "0"));
            Start::Cron { cron: Cron::parse(cron).unwrap(), plus_days: plus_days.parse().unwrap() }
        }
    };
    let length = match length.strip_prefix('-') {
        Some(until) => Length::Until(until.parse().unwrap()),
        None => Length::For(length.parse::<SignedDuration>().unwrap()),
    };
    Schedule { name: name.into(), start, length }
}

fn blackout(name: &str, from: &str, until: &str, on_overlap: Overlap) -> Blackout {
    Blackout {
        name: name.into(),
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        yearly: false,
        reason: "change freeze".into(),
        on_overlap,
    }
}

fn calendar(zone: &str, schedules: &[(&str, &str, &str)], blackouts: Vec<Blackout>) -> Calendar {
    let schedules = schedules.iter().map(|(name, start, length)| schedule(name, start, length));
    let times = Times::Schedules(schedules.collect());
    Calendar::new(Zone::parse(zone).unwrap(), times, blackouts).unwrap()
}

/// A calendar with the one schedule `weekly`.
fn weekly(zone: &str, start: &str, length: &str) -> Calendar {
    calendar(zone, &[("weekly", start, length)], Vec::new())
}

/// A moment, by the wall clock of the calendar.
fn at(calendar: &Calendar, civil: &str) -> Timestamp {
    match calendar.zone().shown(civil.parse().unwrap()) {
        zone::Shown::Once(at) => at,
        other => panic!("{civil}: {other:?}"),
    }
}

/// Names of the schedules of an opening that are open at `at`, sorted.
fn open_schedules(opening: &Opening, at: Timestamp) -> Vec<&str> {
    let open = opening.parts.iter().filter(|part| part.from <= at && at < part.until);
    let mut names: Vec<&str> = open.map(|part| part.schedule.as_str()).collect();
    names.sort_unstable();
    names
}

/// What the next openings after `from` are in words, with their notes in brackets.
fn told(calendar: &Calendar, from: &str, most: usize) -> Vec<String> {
    let openings = calendar.upcoming(at(calendar, from), most).unwrap();
    let words = openings.iter().map(|opening| {
        let local = opening.local(calendar.zone());
        if opening.note.is_empty() { local } else { format!("{local} ({})", opening.note) }
    });
    words.collect()
}

#[track_caller]
fn check(calendar: &Calendar, from: &str, expected: &[&str]) {
    assert_eq!(told(calendar, from, expected.len()), expected);
}
