//! Schedules in a time zone: when a window opens, when it closes, and what clocks do to it. Pure, and
//! never reads a clock.
//!
//! A window is anchored on the starts of its occurrences, so midnight, month ends and clock changes need
//! nothing special. All times are looked up in the database of time zones that is built in: the command
//! line and the operator agree, whatever their hosts have.

mod blackout;
mod calendar;
mod cron;
pub mod lint;
pub mod moments;
mod opening;
mod schedule;
mod search;
mod zone;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::moments::{after as later, before as earlier};
pub use self::{
    blackout::{Blackout, Held, Overlap},
    calendar::{Calendar, Gate, InvalidCalendar, Times, UPCOMING_MAX},
    cron::{Cron, InvalidCron, STARTS_A_DAY_MAX},
    opening::{Opening, Part},
    schedule::{LENGTH_MAX, LENGTH_MIN, Length, PLUS_DAYS_MAX, Schedule, Start},
    zone::{InvalidZone, Zone},
};
use crate::api::maintenance_window::{BLACKOUTS_MAX, SCHEDULES_MAX};

/// Longest time that a window stays open, however its occurrences merge: a mute rule of CloudWatch lasts
/// this long at most.
pub const OPENING_MAX: SignedDuration = SignedDuration::from_hours(15 * 24);
/// How far a search looks ahead and back. The longest pause of a cron is 40 years, of a fifth weekday in
/// February between 2088 and 2128.
const REACH: SignedDuration = SignedDuration::from_hours(50 * 366 * 24);
/// Steps of one search. The longest opening has 15 days of 16 schedules with 96 starts a day; more is a
/// calendar that hides all of them behind blackouts.
const STEPS_MAX: usize = 50_000;

/// A search in a calendar that did not come to an end. Nothing is known then, least of all that there is
/// nothing more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchFailed {
    /// The cron library gave up.
    #[error("the times of the cron `{cron}` cannot be worked out: {reason}")]
    Cron {
        /// The pattern.
        cron: String,
        /// What the library says.
        reason: String,
    },
    /// Occurrences follow each other without a pause.
    #[error(
        "the window that opens at {opens_at} does not close within 15 days, because its occurrences follow each other without a pause: write shorter ones"
    )]
    NeverCloses {
        /// When it opens.
        opens_at: Timestamp,
    },
    /// Too many occurrences had to be looked at.
    #[error("{STEPS_MAX} occurrences near {near} were looked at without an end: write fewer")]
    TooManySteps {
        /// Where the search stopped.
        near: Timestamp,
    },
}

/// Counts what one search looks at.
#[derive(Debug, Default)]
struct Steps(usize);

impl Steps {
    fn take(&mut self, near: Timestamp) -> Result<(), SearchFailed> {
        self.0 = self.0.saturating_add(1);
        if self.0 > STEPS_MAX { Err(SearchFailed::TooManySteps { near }) } else { Ok(()) }
    }
}

/// The moment just before `at`.
fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(Duration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}

/// The moment just after `at`.
fn just_after(at: Timestamp) -> Timestamp {
    at.checked_add(Duration::from_nanos(1)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
