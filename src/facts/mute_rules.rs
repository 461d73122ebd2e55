//! Mute rules of CloudWatch: what it says of them, and what ours say.
//!
//! Times are UTC and whole minutes: an `at()` expression has no seconds, and no zone that a summer
//! could move.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use crate::names::{self, Owner};

/// Most alarms of one rule. Source: CloudWatch API reference, MuteTargets.
pub const ALARMS_PER_RULE: usize = 100;
/// Shortest that a rule mutes. Source: CloudWatch API reference, Schedule.Duration.
pub const MUTE_MIN: SignedDuration = SignedDuration::from_mins(1);
/// Longest that a rule mutes. Source: the same.
pub const MUTE_MAX: SignedDuration = SignedDuration::from_hours(15 * 24);

const AT: &str = "at(%Y-%m-%dT%H:%M)";
const MINUTES_PER_DAY: i64 = 24 * 60;
const SECONDS_PER_DAY: i64 = 86_400;

/// The name of a rule that is ours. Only such a rule is ever put or deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnMuteRule(String);

impl OwnMuteRule {
    /// The rule of one batch of an occurrence: the same intent always gives the same name.
    #[must_use]
    pub fn of(owner: &Owner, occurrence: &str, batch: u16) -> Self {
        Self(names::mute_rule(owner, occurrence, batch))
    }

    /// A rule that was found, if an operator of this cluster put it.
    #[must_use]
    pub fn found(cluster: &str, name: &str) -> Option<Self> {
        let muter = names::muter(name)?;
        (muter.cluster == cluster).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a rule of this window, of whatever occurrence.
    #[must_use]
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.0.starts_with(&names::mute_rules_of(owner))
    }
}

/// A rule to put. It takes the place of the rule of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMuteRule {
    /// Its name.
    pub name: OwnMuteRule,
    /// For people: at most 1,024 characters.
    pub description: String,
    /// The alarms that it mutes, by their whole names: 1 to [`ALARMS_PER_RULE`].
    pub alarms: Vec<String>,
    /// From when on: a whole minute.
    pub starts_at: Timestamp,
    /// How long: whole minutes, [`MUTE_MIN`] to [`MUTE_MAX`].
    pub duration: SignedDuration,
    /// Key and value of its tags. CloudWatch takes them when the rule is new.
    pub tags: Vec<(String, String)>,
}

impl NewMuteRule {
    /// What CloudWatch would not take, in words that end a sentence.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let whole = |seconds: i64| seconds.checked_rem(60) == Some(0);
        let count = self.alarms.len();
        if count == 0 || count > ALARMS_PER_RULE {
            return Some(format!("it takes 1 to {ALARMS_PER_RULE} alarms, not {count}"));
        }
        if self.starts_at.subsec_nanosecond() != 0 || !whole(self.starts_at.as_second()) {
            return Some(format!("it starts at {}, which is no whole minute", self.starts_at));
        }
        let fits = (MUTE_MIN..=MUTE_MAX).contains(&self.duration)
            && self.duration.subsec_nanos() == 0
            && whole(self.duration.as_secs());
        (!fits).then(|| {
            format!(
                "it lasts {:?}, which is not 1 minute to 15 days in whole minutes",
                self.duration
            )
        })
    }

    /// Its schedule as CloudWatch takes it: expression and duration.
    #[must_use]
    pub fn schedule(&self) -> (String, String) {
        let start = self.starts_at.to_zoned(TimeZone::UTC);
        (start.strftime(AT).to_string(), written(self.duration))
    }
}

/// Whether a rule mutes. Source: CloudWatch API reference, AlarmMuteRuleStatus.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MuteStatus {
    /// It will mute.
    Scheduled,
    /// It mutes now.
    Active,
    /// It will not mute any more.
    Expired,
    /// What CloudWatch may say one day; empty where it says nothing.
    Other(String),
}

/// When a rule mutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MuteSchedule {
    /// Once, as rules of ours do.
    Once {
        /// From when on.
        starts_at: Timestamp,
        /// How long.
        duration: SignedDuration,
    },
    /// Otherwise, in CloudWatch's words: it repeats, or has another zone.
    Other {
        /// The expression.
        expression: String,
        /// The duration.
        duration: String,
        /// The time zone; empty for UTC.
        zone: String,
    },
}

impl MuteSchedule {
    /// Reads what CloudWatch tells. What is not understood stays as it is: whose rule it is, is told
    /// by its name.
    #[must_use]
    pub fn read(expression: &str, duration: &str, zone: Option<&str>) -> Self {
        let zone = zone.unwrap_or_default();
        let utc = matches!(zone, "" | "UTC" | "Etc/UTC");
        match (started(expression), lasting(duration)) {
            (Some(starts_at), Some(duration)) if utc => Self::Once { starts_at, duration },
            _ => Self::Other {
                expression: expression.to_owned(),
                duration: duration.to_owned(),
                zone: zone.to_owned(),
            },
        }
    }
}

/// A rule, as GetAlarmMuteRule tells of it. Tags are not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteRule {
    /// Its name.
    pub name: String,
    /// What it says of itself; empty without.
    pub description: String,
    /// The alarms that it mutes, sorted, each once.
    pub alarms: Vec<String>,
    /// When it mutes.
    pub schedule: MuteSchedule,
    /// Whether it mutes.
    pub status: MuteStatus,
    /// When it was last put.
    pub updated_at: Option<Timestamp>,
}

/// A rule, as ListAlarmMuteRules tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteRuleSummary {
    /// Its name.
    pub name: String,
    /// Whether it mutes.
    pub status: MuteStatus,
    /// When it was last put.
    pub updated_at: Option<Timestamp>,
}

/// One page of ListAlarmMuteRules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MuteRulePage {
    /// The rules, whoever put them.
    pub rules: Vec<MuteRuleSummary>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// `P1DT2H30M`.
fn written(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    let (days, minutes) = (minutes / MINUTES_PER_DAY, minutes % MINUTES_PER_DAY);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let part = |count: i64, unit: char| match count {
        0 => String::new(),
        count => format!("{count}{unit}"),
    };
    let time = format!("{}{}", part(hours, 'H'), part(minutes, 'M'));
    let time = if time.is_empty() { time } else { format!("T{time}") };
    format!("P{}{time}", part(days, 'D'))
}

/// The start in an `at()` expression of UTC.
fn started(expression: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(AT, expression.trim()).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// An ISO 8601 duration of days, hours, minutes and seconds.
fn lasting(text: &str) -> Option<SignedDuration> {
    let text = text.trim().strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let days = counted(date, &[('D', SECONDS_PER_DAY)])?;
    let rest = counted(time.unwrap_or_default(), &[('H', 3_600), ('M', 60), ('S', 1)])?;
    let some = !date.is_empty() || time.is_some_and(|time| !time.is_empty());
    some.then_some(SignedDuration::from_secs(days.checked_add(rest)?))
}

/// Seconds of numbers with these units, in their order.
fn counted(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut seconds = 0_i64;
    for (unit, length) in units {
        if let Some((count, rest)) = text.split_once(*unit) {
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            let count: i64 = digits.then(|| count.parse().ok())??;
            seconds = seconds.checked_add(count.checked_mul(*length)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(seconds)
}

#[cfg(test)]
mod tests;
