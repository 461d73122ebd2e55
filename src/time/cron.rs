//! Cron patterns of five fields: which wall-clock times they name. What clocks make of these is not known
//! here.

mod fields;

use std::{fmt, sync::Arc};

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{DateTime, Time};

use self::fields::{Days, Weekdays};
use super::SearchFailed;

#[cfg(test)]
mod tests;

/// Most starts a day: a window every quarter of an hour. More are a mistake, and cost too much to look
/// through.
pub const STARTS_A_DAY_MAX: u32 = 96;
/// Longest pattern: every field with a list that says something.
const TEXT_MAX: usize = 200;
/// Years in which times are looked for: zones have whole minutes, and croner's end is at 5000.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=4900;
/// Most days of a month; February has its leap day.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A cron pattern: minute, hour, day of month, month, day of week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    pattern: Arc<croner::Cron>,
    follows_clock: bool,
    minutes: u64,
    hours: u64,
    exists: bool,
    missing: Option<String>,
}

/// A text that is not a cron pattern, in one sentence that says what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCron(String);

/// A refusal in these words.
fn refuse<T>(text: impl Into<String>) -> Result<T, InvalidCron> {
    Err(InvalidCron(text.into()))
}

impl Cron {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// With what to write instead: for anything that other programs read in another way, and for what is
    /// not a pattern.
    pub fn parse(text: &str) -> Result<Self, InvalidCron> {
        let upper = text.to_ascii_uppercase();
        let fields = five_fields(&upper)?;
        let [minute, hour, day, month, weekday] = fields;
        let minutes = fields::MINUTE.parse(minute)?;
        let hours = fields::HOUR.parse(hour)?;
        let days = Days::parse(day)?;
        let months = fields::MONTH.parse(month)?;
        let weekdays = Weekdays::parse(weekday)?;
        if day != "*" && weekday != "*" {
            return Err(fields::both_restricted(fields, &days));
        }
        let starts_a_day = minutes.count_ones().saturating_mul(hours.count_ones());
        if starts_a_day > STARTS_A_DAY_MAX {
            return refuse(format!(
                "`{minute} {hour}` starts {starts_a_day} times a day, at most {STARTS_A_DAY_MAX} are possible: write the minute and the hour, and how long it stays open in `duration`"
            ));
        }
        let months = (1..).zip(MONTH_DAYS).filter(|(month, _)| months & fields::bit(*month) != 0);
        let exists = months.clone().any(|(_, length)| days.first <= length);
        // February is a day shorter in most years.
        let lacking = |(month, length)| days.first > if month == 2 { 28 } else { length };
        let missing = match (weekdays.fifth, months.clone().any(lacking)) {
            (true, _) => Some(format!("`{weekday}`")),
            (false, true) => Some(format!("day {}", days.first)),
            (false, false) => None,
        };
        let text = fields.join(" ");
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser
            .parse(&text)
            .map(Arc::new)
            .or_else(|error| refuse(format!("`{text}` is not a cron pattern: {error}")))?;
        let follows_clock = [minute, hour].iter().any(|field| field.contains('*'));
        Ok(Self { text, pattern, follows_clock, minutes, hours, exists, missing })
    }

    /// The pattern, with single spaces and in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the minute or the hour is `*` or `*/n`. Such a pattern just follows the clock: nothing in
    /// a skipped hour, and a repeated one twice. Others name times, which come once whatever clocks do.
    pub(super) fn follows_clock(&self) -> bool {
        self.follows_clock
    }

    /// The times of day that it names, for each day on which it starts.
    pub(super) fn times(&self) -> impl Iterator<Item = Time> {
        let set = |bits: u64, value: i8| bits & fields::bit(value.unsigned_abs().into()) != 0;
        (0..24).filter(move |hour| set(self.hours, *hour)).flat_map(move |hour| {
            (0..60)
                .filter(move |minute| set(self.minutes, *minute))
                .map(move |minute| Time::constant(hour, minute, 0, 0))
        })
    }

    /// Whether there is any such day: there is no 30 February.
    pub(super) fn exists(&self) -> bool {
        self.exists
    }

    /// The day that some of its months do not have, in words.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// The next time that the pattern names after `civil`, or at it if `inclusive`.
    pub(super) fn after(
        &self,
        civil: DateTime,
        inclusive: bool,
    ) -> Result<Option<DateTime>, SearchFailed> {
        if !self.exists {
            return Ok(None);
        }
        self.check_year(civil)?;
        // croner sees whole seconds.
        let inclusive = inclusive && civil.subsec_nanosecond() == 0;
        self.pattern.find_next_occurrence(&civil, inclusive).map(Some).map_err(|e| self.failed(&e))
    }

    /// The last time that the pattern names at or before `civil`.
    pub(super) fn before(&self, civil: DateTime) -> Result<Option<DateTime>, SearchFailed> {
        if !self.exists {
            return Ok(None);
        }
        self.check_year(civil)?;
        self.pattern.find_previous_occurrence(&civil, true).map(Some).map_err(|e| self.failed(&e))
    }

    /// Refuses years in which croner would look through every day in vain, or knows none.
    fn check_year(&self, civil: DateTime) -> Result<(), SearchFailed> {
        if YEARS.contains(&civil.year()) {
            return Ok(());
        }
        let reason = format!("{} is too far away", civil.date());
        Err(SearchFailed::Cron { cron: self.text.clone(), reason })
    }

    fn failed(&self, error: &croner::errors::CronError) -> SearchFailed {
        SearchFailed::Cron { cron: self.text.clone(), reason: error.to_string() }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The five fields of a text in upper case.
fn five_fields(text: &str) -> Result<[&str; 5], InvalidCron> {
    if text.len() > TEXT_MAX {
        return refuse(format!("a cron pattern has at most {TEXT_MAX} characters: write less"));
    }
    if let Some(nickname) = text.trim().strip_prefix('@') {
        let fix = match nickname {
            "HOURLY" => "0 * * * *",
            "WEEKLY" => "0 0 * * SUN",
            "MONTHLY" => "0 0 1 * *",
            "YEARLY" | "ANNUALLY" => "0 0 1 JAN *",
            _ => "0 0 * * *",
        };
        return refuse(format!("names like @daily are not read: write five fields, like `{fix}`"));
    }
    if text.contains("TZ=") {
        return refuse(
            "a cron pattern has no time zone of its own: leave TZ= out and write it in `timeZone`",
        );
    }
    if text.contains('?') {
        let meant = text.trim().replace('?', "*");
        let fix = if Cron::parse(&meant).is_ok() { meant } else { "*".into() };
        return refuse(format!("`?` is not read: write `{fix}`"));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if let Ok(fields) = <[&str; 5]>::try_from(fields.as_slice()) {
        return Ok(fields);
    }
    let fits = |fields: &[&str]| {
        let text = fields.join(" ");
        (fields.len() == 5 && Cron::parse(&text).is_ok()).then_some(text)
    };
    let (seconds, year) = match fields.as_slice() {
        [_, rest @ ..] if fits(rest).is_some() => (fits(rest), None),
        [rest @ .., _] => (None, fits(rest)),
        [] => (None, None),
    };
    let (other, fix) = match (seconds, year) {
        (Some(fix), _) => ("no seconds".to_owned(), fix),
        (None, Some(fix)) => ("no year".to_owned(), fix),
        (None, None) => (format!("not {}", fields.len()), "0 2 * * SUN".to_owned()),
    };
    refuse(format!(
        "a cron pattern has five fields, minute, hour, day of month, month and weekday, and {other}: write `{fix}`"
    ))
}
