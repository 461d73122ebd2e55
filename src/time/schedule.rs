//! One schedule: when its occurrences start and end, whatever clocks do.

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{DateTime, Time},
};

use super::{
    Cron, SearchFailed, Steps, Zone, just_before,
    zone::{Shown, moment},
};

/// Shortest length: mute rules and ids are of whole minutes.
pub const LENGTH_MIN: SignedDuration = SignedDuration::from_mins(1);
/// Longest length: one less than a mute rule of CloudWatch may last, so that some can be added.
pub const LENGTH_MAX: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Most days between the match of a cron and the start: from any day to the same weekday four weeks on,
/// but one.
pub const PLUS_DAYS_MAX: u8 = 27;
/// Longest time until a wall clock shows something again, when it goes back by a whole day meanwhile.
const UNTIL_MAX: SignedDuration = SignedDuration::from_hours(49);
/// No less than clocks go back for summer time.
const CHANGE: SignedDuration = SignedDuration::from_hours(2);

/// When a window opens, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// When it starts.
    pub start: Start,
    /// How long it stays open.
    pub length: Length,
}

/// When a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Again and again.
    Cron {
        /// The wall-clock times.
        cron: Cron,
        /// So many days after the date of a match, at the same wall-clock time; at most
        /// [`PLUS_DAYS_MAX`].
        plus_days: u8,
    },
    /// Once, at this wall-clock time.
    Once(DateTime),
}

/// How long an occurrence lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So much elapsed time: whole minutes from [`LENGTH_MIN`] to [`LENGTH_MAX`].
    For(SignedDuration),
    /// Until the wall clock shows this time next: right after the gap when it is skipped, the second
    /// time when it comes twice.
    Until(Time),
}

/// One time that a schedule is open, before anything else is looked at. Longer than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// What the schedule says that the clock shows at the start.
    pub(super) nominal: DateTime,
}

impl Length {
    /// What it is at most.
    pub(super) fn longest(self) -> SignedDuration {
        match self {
            Self::For(length) => length,
            Self::Until(_) => UNTIL_MAX,
        }
    }
}

impl Schedule {
    /// How long it is open in any day on which it starts, at most, as clocks go nearly always.
    pub(super) fn a_day(&self) -> SignedDuration {
        let one = |start: Time| match self.length {
            Length::For(length) => length,
            Length::Until(end) => {
                let nominal = end.duration_since(start);
                let days = if end <= start { 24 } else { 0 };
                nominal.saturating_add(SignedDuration::from_hours(days)).saturating_add(CHANGE)
            }
        };
        match &self.start {
            Start::Cron { cron, .. } => {
                cron.times().map(one).fold(SignedDuration::ZERO, SignedDuration::saturating_add)
            }
            Start::Once(at) => one(at.time()),
        }
    }

    /// Whether it just follows the clock, see [`Cron`].
    pub(super) fn follows_clock(&self) -> bool {
        matches!(&self.start, Start::Cron { cron, .. } if cron.follows_clock())
    }

    /// The first occurrence that starts after `at`.
    pub(super) fn next(
        &self,
        zone: &Zone,
        at: Timestamp,
        steps: &mut Steps,
    ) -> Result<Option<Occurrence>, SearchFailed> {
        let Start::Cron { cron, plus_days } = &self.start else {
            return Ok(self.once(zone).filter(|occurrence| occurrence.start > at));
        };
        let mut search = Ahead { cron, plus_days: *plus_days, zone, at, inclusive: false };
        if cron.follows_clock() {
            while let Some((start, nominal)) = search.following(steps)? {
                if let Some(found) = self.occurrence(zone, start, nominal) {
                    return Ok(Some(found));
                }
                (search.at, search.inclusive) = (start, false);
            }
            return Ok(None);
        }
        let mut civil = zone.local(at);
        while let Some(nominal) = search.named(civil, false)? {
            steps.take(at)?;
            let found = first_shown(zone, nominal)
                .filter(|start| *start > at)
                .and_then(|start| self.occurrence(zone, start, nominal));
            if found.is_some() {
                return Ok(found);
            }
            civil = nominal;
        }
        Ok(None)
    }

    /// The last occurrence that starts at or before `at`.
    pub(super) fn previous(
        &self,
        zone: &Zone,
        at: Timestamp,
        steps: &mut Steps,
    ) -> Result<Option<Occurrence>, SearchFailed> {
        let Start::Cron { cron, plus_days } = &self.start else {
            return Ok(self.once(zone).filter(|occurrence| occurrence.start <= at));
        };
        let mut search = Back { cron, plus_days: *plus_days, zone, at };
        if cron.follows_clock() {
            while let Some((start, nominal)) = search.following(steps)? {
                if let Some(found) = self.occurrence(zone, start, nominal) {
                    return Ok(Some(found));
                }
                search.at = just_before(start);
            }
            return Ok(None);
        }
        let mut found: Option<Occurrence> = None;
        let mut civil = latest_shown(zone, at);
        while let Some(nominal) = search.named(civil)? {
            steps.take(at)?;
            let start = first_shown(zone, nominal).filter(|start| *start <= at);
            // Several times that are skipped together count once, as the first of them.
            if found.is_some_and(|found| start != Some(found.start)) {
                break;
            }
            found = start.and_then(|start| self.occurrence(zone, start, nominal)).or(found);
            if found.is_some_and(|found| zone.local(found.start) == found.nominal) {
                break;
            }
            civil = just_earlier(nominal);
        }
        Ok(found)
    }

    fn once(&self, zone: &Zone) -> Option<Occurrence> {
        let Start::Once(nominal) = self.start else { return None };
        self.occurrence(zone, first_shown(zone, nominal)?, nominal)
    }

    /// The occurrence, unless clocks skip all of it.
    fn occurrence(&self, zone: &Zone, start: Timestamp, nominal: DateTime) -> Option<Occurrence> {
        let end = match self.length {
            Length::For(length) => super::later(start, length),
            Length::Until(time) => {
                let days = i64::from(time <= nominal.time());
                let date = nominal.date().saturating_add(Span::new().days(days));
                match zone.shown(date.to_datetime(time)) {
                    Shown::Once(at) | Shown::Never { jump: at, .. } | Shown::Twice(_, at) => at,
                }
            }
        };
        (end > start).then_some(Occurrence { start, end, nominal })
    }
}

/// The first moment at which clocks show `civil`, or have jumped over it. None if they jump over the whole
/// day: what is meant for that day does not happen.
fn first_shown(zone: &Zone, civil: DateTime) -> Option<Timestamp> {
    match zone.shown(civil) {
        Shown::Once(at) | Shown::Twice(at, _) | Shown::Never { jump: at, whole_day: false } => {
            Some(at)
        }
        Shown::Never { whole_day: true, .. } => None,
    }
}

/// No earlier than the latest time that clocks have shown up to `at`: later than now while an hour is
/// repeated.
fn latest_shown(zone: &Zone, at: Timestamp) -> DateTime {
    let civil = zone.local(at);
    match zone.shown(civil) {
        Shown::Twice(first, second) if second <= at => {
            civil.saturating_add(second.duration_since(first))
        }
        Shown::Once(_) | Shown::Twice(..) | Shown::Never { .. } => civil,
    }
}

fn just_earlier(civil: DateTime) -> DateTime {
    civil.saturating_sub(SignedDuration::from_nanos(1))
}

/// A search for matches of a cron after `at`.
struct Ahead<'s> {
    cron: &'s Cron,
    plus_days: u8,
    zone: &'s Zone,
    at: Timestamp,
    inclusive: bool,
}

impl Ahead<'_> {
    /// The next wall-clock time that is named.
    fn named(&self, civil: DateTime, inclusive: bool) -> Result<Option<DateTime>, SearchFailed> {
        let days = Span::new().days(self.plus_days);
        let found = self.cron.after(civil.saturating_sub(days), inclusive)?;
        Ok(found.map(|found| found.saturating_add(days)))
    }

    /// The next time that clocks show what is named, from one change of clocks to the next.
    fn following(
        &mut self,
        steps: &mut Steps,
    ) -> Result<Option<(Timestamp, DateTime)>, SearchFailed> {
        loop {
            steps.take(self.at)?;
            let civil = self.zone.local(self.at);
            let Some(nominal) = self.named(civil, self.inclusive)? else { return Ok(None) };
            let start = moment(self.zone.offset(self.at), nominal);
            match self.zone.next_change(self.at) {
                Some(change) if change.at <= start => {
                    (self.at, self.inclusive) = (change.at, true);
                }
                _ => return Ok(Some((start, nominal))),
            }
        }
    }
}

/// A search for matches of a cron at or before `at`.
struct Back<'s> {
    cron: &'s Cron,
    plus_days: u8,
    zone: &'s Zone,
    at: Timestamp,
}

impl Back<'_> {
    fn named(&self, civil: DateTime) -> Result<Option<DateTime>, SearchFailed> {
        let days = Span::new().days(self.plus_days);
        let found = self.cron.before(civil.saturating_sub(days))?;
        Ok(found.map(|found| found.saturating_add(days)))
    }

    fn following(
        &mut self,
        steps: &mut Steps,
    ) -> Result<Option<(Timestamp, DateTime)>, SearchFailed> {
        loop {
            steps.take(self.at)?;
            let Some(nominal) = self.named(self.zone.local(self.at))? else { return Ok(None) };
            let start = moment(self.zone.offset(self.at), nominal);
            match self.zone.last_change(self.at) {
                Some(change) if start < change.at => self.at = just_before(change.at),
                _ => return Ok(Some((start, nominal))),
            }
        }
    }
}
