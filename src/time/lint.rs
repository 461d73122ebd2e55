//! What is possible in a calendar, and is hardly ever meant.

use jiff::{SignedDuration, Timestamp};

use super::{Calendar, Schedule, SearchFailed, Start, Steps, Zone, just_before, later};

/// How far ahead occurrences are looked at: every day of the year comes once.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Zones whose names read like a fixed offset, but that keep summer time, with one that does not.
const WITH_SUMMER_TIME: [(&str, &str); 8] = [
    ("CET", "Etc/GMT-1"),
    ("CST6CDT", "Etc/GMT+6"),
    ("EET", "Etc/GMT-2"),
    ("EST5EDT", "Etc/GMT+5"),
    ("MET", "Etc/GMT-1"),
    ("MST7MDT", "Etc/GMT+7"),
    ("PST8PDT", "Etc/GMT+8"),
    ("WET", "Etc/GMT"),
];
/// Zones whose names read like those of a place with summer time, but that keep none, with one that does.
const WITHOUT_SUMMER_TIME: [(&str, &str); 2] =
    [("EST", "America/New_York"), ("MST", "America/Denver")];

/// One thing that is hardly ever meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// What it is, and what to write if it is not meant. One sentence.
    pub message: String,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A day that some months do not have, like a fifth Sunday.
    NotEveryMonth,
    /// A schedule that never opens.
    NeverOpens,
    /// A single date that is over.
    Over,
    /// Blackouts leave nothing of a schedule in the next year.
    OnlyInBlackouts,
    /// A pattern with `*` as minute or hour that starts again before it ends.
    StartsAgain,
    /// An opening that is no longer than the time before its end in which no work is taken.
    TakesNoWork,
    /// A zone with or without summer time, against what its name says: nothing may be wrong.
    SummerTime,
}

/// What is hardly ever meant in a calendar, as it is at `now`.
///
/// # Errors
///
/// When its times cannot be worked out.
pub fn lint(calendar: &Calendar, now: Timestamp) -> Result<Vec<Finding>, SearchFailed> {
    let mut findings: Vec<Finding> = zone(calendar.zone()).into_iter().collect();
    for schedule in calendar.schedules() {
        findings.extend(not_every_month(schedule));
        match never_opens(calendar, schedule, now)? {
            Some(finding) => findings.push(finding),
            None => {
                findings.extend(only_in_blackouts(calendar, schedule, now)?);
                findings.extend(starts_again(calendar, schedule, now)?);
            }
        }
    }
    Ok(findings)
}

fn zone(zone: &Zone) -> Option<Finding> {
    let of = |zones: &[(&'static str, &'static str)]| {
        zones.iter().find(|(name, _)| *name == zone.name()).copied()
    };
    let message = match (of(&WITH_SUMMER_TIME), of(&WITHOUT_SUMMER_TIME)) {
        (Some((name, fixed)), _) => format!(
            "the time zone {name} keeps summer time: write {fixed} if clocks should not change"
        ),
        (None, Some((name, place))) => format!(
            "the time zone {name} keeps no summer time: write {place} if clocks should change"
        ),
        (None, None) => return None,
    };
    Some(Finding { rule: Rule::SummerTime, message })
}

fn not_every_month(schedule: &Schedule) -> Option<Finding> {
    let Start::Cron { cron, .. } = &schedule.start else { return None };
    let missing = cron.missing().filter(|_| cron.exists())?;
    let message = format!(
        "schedule {}: {missing} does not exist in every month of `{cron}`: write `L`, or a weekday like `SUNL`, if the last one is meant",
        schedule.name
    );
    Some(Finding { rule: Rule::NotEveryMonth, message })
}

fn never_opens(
    calendar: &Calendar,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Option<Finding>, SearchFailed> {
    let alone = calendar.alone(schedule);
    if alone.open_at(now)?.is_some() || alone.next(now)?.is_some() {
        return Ok(None);
    }
    let name = &schedule.name;
    let (rule, message) = match &schedule.start {
        Start::Cron { cron, .. } => {
            let message = format!("schedule {name} never opens: there is no day like `{cron}`");
            (Rule::NeverOpens, message)
        }
        Start::Once(at) => {
            let date = at.strftime("%-d %b %Y %H:%M");
            if *at <= calendar.zone().local(now) {
                (Rule::Over, format!("schedule {name} does not open any more: {date} is over"))
            } else {
                let message =
                    format!("schedule {name} never opens: clocks skip {date} and all of it");
                (Rule::NeverOpens, message)
            }
        }
    };
    Ok(Some(Finding { rule, message }))
}

fn only_in_blackouts(
    calendar: &Calendar,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Option<Finding>, SearchFailed> {
    let until = later(now, AHEAD);
    let soon = |calendar: &Calendar| -> Result<bool, SearchFailed> {
        Ok(calendar.open_at(now)?.is_some()
            || calendar.next(now)?.is_some_and(|next| next.opens_at <= until))
    };
    if !soon(&calendar.alone(schedule))? || soon(&calendar.only(schedule))? {
        return Ok(None);
    }
    let message = format!(
        "schedule {} does not open within a year: each of its occurrences overlaps a blackout",
        schedule.name,
    );
    Ok(Some(Finding { rule: Rule::OnlyInBlackouts, message }))
}

fn starts_again(
    calendar: &Calendar,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Option<Finding>, SearchFailed> {
    let Start::Cron { cron, .. } = &schedule.start else { return Ok(None) };
    if !cron.follows_clock() {
        return Ok(None);
    }
    let Some(opening) = calendar.alone(schedule).next(now)? else { return Ok(None) };
    let (mut starts, mut steps, mut at) = (0_u32, Steps::default(), just_before(opening.opens_at));
    while let Some(next) = schedule.next(calendar.zone(), at, &mut steps)? {
        if next.start >= opening.closes_at {
            break;
        }
        starts = starts.saturating_add(1);
        at = next.start;
    }
    if starts < 2 {
        return Ok(None);
    }
    let once: Vec<&str> = cron
        .as_str()
        .split(' ')
        .enumerate()
        .map(|(at, field)| if at < 2 && field.contains('*') { "0" } else { field })
        .collect();
    let minutes = opening.closes_at.duration_since(opening.opens_at).as_mins();
    let message = format!(
        "schedule {}: `{cron}` starts {starts} times before it closes, and so stays open for {}: write `{}` if it should start once",
        schedule.name,
        hours(minutes),
        once.join(" "),
    );
    Ok(Some(Finding { rule: Rule::StartsAgain, message }))
}

/// The schedules that are open no longer than `cutoff`, each by itself: nothing that asks for work in
/// them ever gets it.
///
/// # Errors
///
/// When its times cannot be worked out.
pub fn takes_no_work(
    calendar: &Calendar,
    cutoff: SignedDuration,
    now: Timestamp,
) -> Result<Vec<Finding>, SearchFailed> {
    let mut findings = Vec::new();
    for schedule in calendar.schedules() {
        let alone = calendar.alone(schedule);
        let open = alone.open_at(now)?;
        let Some(opening) = (if open.is_some() { open } else { alone.next(now)? }) else {
            continue;
        };
        let length = opening.closes_at.duration_since(opening.opens_at);
        if length <= cutoff {
            let message = format!(
                "schedule {} takes no new work: it is open for {length:#}, and cutoff is {cutoff:#}: write a shorter cutoff, or a longer duration",
                schedule.name
            );
            findings.push(Finding { rule: Rule::TakesNoWork, message });
        }
    }
    Ok(findings)
}

/// `47h`, `2h30m`, `45m`.
fn hours(minutes: i64) -> String {
    let (hours, minutes) = (minutes.saturating_div(60), minutes.checked_rem(60).unwrap_or(0));
    match (hours, minutes) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

#[cfg(test)]
mod tests;
