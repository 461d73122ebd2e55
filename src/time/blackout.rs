//! Times in which nothing may be open.

use std::fmt;

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime},
};

use super::{Zone, zone::Shown};

/// No clock differs more from UTC, or jumps further.
const OFFSETS: SignedDuration = SignedDuration::from_hours(48);

/// A time in which nothing may be open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// Its name.
    pub name: String,
    /// Its first moment, on the wall clock.
    pub from: DateTime,
    /// The first moment after it, on the wall clock.
    pub until: DateTime,
    /// Whether it comes every year, before and after that of `from`, too. Years do not count then; with
    /// `until` before `from` it goes over New Year. In a year without 29 February that day is 1 March.
    pub yearly: bool,
    /// Why.
    pub reason: String,
    /// What becomes of an occurrence that overlaps it.
    pub on_overlap: Overlap,
}

/// What becomes of an occurrence that overlaps a blackout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It does not happen at all.
    Skip,
    /// Only what lies outside remains.
    Truncate,
}

/// A blackout in one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'c> {
    /// The blackout.
    pub blackout: &'c Blackout,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// For people: `blackout year-end (change freeze)`.
impl fmt::Display for Blackout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blackout {}", self.name)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

impl Blackout {
    /// Whether `until` is after `from`, or a yearly one lasts less than a year.
    pub(super) fn is_sound(&self) -> bool {
        if !self.yearly {
            return self.from < self.until;
        }
        let over_new_year = self.until < self.from && self.until.year() == self.from.year();
        let a_year = self.from.saturating_add(Span::new().years(1));
        over_new_year || (self.from < self.until && self.until < a_year)
    }

    /// When it holds, where that touches the time from `from` to `until`; in order.
    pub(super) fn held<'c>(
        &'c self,
        zone: &'c Zone,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Held<'c>> {
        let (first, last) = (zone.local(from), zone.local(until));
        let years = if self.yearly {
            first.year().saturating_sub(1)..=last.year()
        } else {
            self.from.year()..=self.from.year()
        };
        let (first, last) = (first.saturating_sub(OFFSETS), last.saturating_add(OFFSETS));
        years
            .map(|year| self.in_year(year))
            .filter(move |(from, until)| *from <= last && first <= *until)
            .map(|(from, until)| Held {
                blackout: self,
                from: match zone.shown(from) {
                    Shown::Once(at) | Shown::Twice(at, _) | Shown::Never { jump: at, .. } => at,
                },
                // In a repeated hour the second time: rather closed for too long.
                until: match zone.shown(until) {
                    Shown::Once(at) | Shown::Twice(_, at) | Shown::Never { jump: at, .. } => at,
                },
            })
            // A leap day that becomes 1 March may leave nothing.
            .filter(|held| held.from < held.until)
            .filter(move |held| held.from < until && from < held.until)
    }

    /// Its ends on the wall clock, when it begins in `year`.
    fn in_year(&self, year: i16) -> (DateTime, DateTime) {
        if !self.yearly {
            return (self.from, self.until);
        }
        let over_new_year = self.until < self.from || self.from.year() < self.until.year();
        let end = if over_new_year { year.saturating_add(1) } else { year };
        (with_year(self.from, year), with_year(self.until, end))
    }
}

/// The same day in another year; 29 February is 1 March where it does not exist.
fn with_year(civil: DateTime, year: i16) -> DateTime {
    let date = civil.date();
    let date = Date::new(year, date.month(), date.day())
        .or_else(|_| Date::new(year, 3, 1))
        .unwrap_or(date);
    date.to_datetime(civil.time())
}
