//! Time zones by their IANA names, and what their clocks do to a wall-clock time.

use std::fmt;

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};

use super::just_after;

/// Longest name that a refusal repeats; IANA's longest has 32 characters.
const NAME_MAX: usize = 64;
/// Changes of clocks that are looked through for one that changes the offset: some only change a name.
const CHANGES_MAX: usize = 16;

/// A time zone of the IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// A text that is not the name of an IANA time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidZone {
    /// A difference to UTC, which says nothing about summer time.
    #[error(
        "an offset like {0} knows no summer time: write an IANA time zone like Europe/Berlin (Etc/GMT-2 is two hours ahead of UTC all year)"
    )]
    Offset(String),
    /// Anything else.
    #[error(
        "{0:?} is not an IANA time zone: write a name like Europe/Berlin, America/New_York or UTC"
    )]
    Unknown(String),
}

/// When clocks show a wall-clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Once, as nearly always.
    Once(Timestamp),
    /// Never: clocks jump over it at this moment.
    Never {
        /// When they jump.
        jump: Timestamp,
        /// Whether they jump over the whole day.
        whole_day: bool,
    },
    /// Twice, because clocks go back.
    Twice(Timestamp, Timestamp),
}

/// Clocks that go forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The first moment with the new offset.
    pub(super) at: Timestamp,
    /// Whether they go forward.
    pub(super) forward: bool,
}

impl Zone {
    /// Finds a zone by its IANA name, in any case.
    ///
    /// # Errors
    ///
    /// For everything else: no offsets, no rules as of POSIX, no zone of the host.
    pub fn parse(name: &str) -> Result<Self, InvalidZone> {
        let shown = || name.chars().take(NAME_MAX).collect();
        if name.starts_with(['+', '-']) {
            return Err(InvalidZone::Offset(shown()));
        }
        // `Factory` is the entry of a host that was not set up.
        let zone = TimeZoneDatabase::bundled().get(name).ok().filter(|_| name.len() <= NAME_MAX);
        let named = zone.and_then(|zone| Some((zone.iana_name()?.to_owned(), zone)));
        match named {
            Some((name, zone)) if !name.eq_ignore_ascii_case("Factory") && !zone.is_unknown() => {
                Ok(Self { zone, name })
            }
            _ => Err(InvalidZone::Unknown(shown())),
        }
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".into() }
    }

    /// The name, as IANA writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone itself.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What clocks show.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// The short name of the time that clocks show, like CET; `UTC-03` or
    /// `UTC+10:30` where there is none.
    #[must_use]
    pub fn abbreviation(&self, at: Timestamp) -> String {
        let info = self.zone.to_offset_info(at);
        let short = info.abbreviation();
        if !short.starts_with(['+', '-']) {
            return short.to_owned();
        }
        let (hours, minutes) = short.split_at_checked(3).unwrap_or((short, ""));
        let colon = if minutes.is_empty() { "" } else { ":" };
        format!("UTC{hours}{colon}{minutes}")
    }

    /// A moment for people: `Sun 6 Dec 2026 04:00 CET`.
    #[must_use]
    pub fn told(&self, at: Timestamp) -> String {
        let local = self.local(at).strftime("%a %-d %b %Y %H:%M");
        format!("{local} {}", self.abbreviation(at))
    }

    /// How far clocks are ahead of UTC.
    pub(super) fn offset(&self, at: Timestamp) -> Offset {
        self.zone.to_offset(at)
    }

    /// When clocks show `civil`.
    pub(super) fn shown(&self, civil: DateTime) -> Shown {
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => Shown::Once(moment(offset, civil)),
            AmbiguousOffset::Fold { before, after } => {
                Shown::Twice(moment(before, civil), moment(after, civil))
            }
            AmbiguousOffset::Gap { before, after } => {
                // By the new offset it would have been before the jump, by the old one after it.
                let (lowest, highest) = (moment(after, civil), moment(before, civil));
                let jump = self
                    .changes(lowest)
                    .map(|change| change.at)
                    .find(|at| *at <= highest)
                    .unwrap_or(highest);
                let last = before.to_datetime(super::just_before(jump)).date();
                let whole_day = last < civil.date() && civil.date() < self.local(jump).date();
                Shown::Never { jump, whole_day }
            }
        }
    }

    /// The next change of clocks after `at`.
    pub(super) fn next_change(&self, at: Timestamp) -> Option<Change> {
        self.changes(at).next()
    }

    /// The last change of clocks at or before `at`.
    pub(super) fn last_change(&self, at: Timestamp) -> Option<Change> {
        let changes = self.zone.preceding(just_after(at)).take(CHANGES_MAX);
        changes.filter_map(|change| self.change(change.timestamp())).next()
    }

    fn changes(&self, after: Timestamp) -> impl Iterator<Item = Change> {
        let changes = self.zone.following(after).take(CHANGES_MAX);
        changes.filter_map(|change| self.change(change.timestamp()))
    }

    fn change(&self, at: Timestamp) -> Option<Change> {
        let (before, after) = (self.offset(super::just_before(at)), self.offset(at));
        (before != after).then_some(Change { at, forward: after > before })
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The moment at which clocks with this offset show `civil`.
pub(super) fn moment(offset: Offset, civil: DateTime) -> Timestamp {
    let nearest = if civil.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    offset.to_timestamp(civil).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<&str, &str>) {
        let zone = Zone::parse(name).map_err(|error| error.to_string());
        let zone = zone.as_ref().map(Zone::name).map_err(String::as_str);
        match expected {
            Ok(_) => assert_eq!(zone, expected),
            Err(part) => assert!(zone.is_err_and(|error| error.contains(part)), "{name:?}"),
        }
    }

    #[test]
    fn a_zone_is_an_iana_name_and_nothing_else() {
        check("Europe/Berlin", Ok("Europe/Berlin"));
        check("europe/berlin", Ok("Europe/Berlin"));
        check("CET", Ok("CET"));
        check("Etc/GMT-1", Ok("Etc/GMT-1"));
        check("UTC", Ok("UTC"));
        let unknown = "is not an IANA time zone: write a name like Europe/Berlin";
        for name in [
            "",
            " ",
            "Local",
            "localtime",
            "Factory",
            "Etc/Unknown",
            "CEST",
            "Europe/Bonn",
            " UTC",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "<+02>-2",
            ":Europe/Berlin",
            "Europe/Berlin\n",
            "../etc/localtime",
            "/usr/share/zoneinfo/UTC",
            "Europe\0/Berlin",
            "1",
        ] {
            check(name, Err(unknown));
        }
        for offset in ["+02:00", "-05", "+0000"] {
            check(offset, Err("knows no summer time"));
        }
        check(&"x".repeat(10_000), Err(unknown));
        assert!(Zone::parse(&"x".repeat(10_000)).is_err_and(|error| error.to_string().len() < 200));
    }

    #[test]
    fn a_jump_over_a_whole_day_is_told_apart() {
        let apia = Zone::parse("Pacific/Apia").unwrap();
        let jump: Timestamp = "2011-12-30T10:00:00Z".parse().unwrap();
        for (civil, whole_day) in [("2011-12-30T00:00", true), ("2011-12-30T23:59", true)] {
            assert_eq!(apia.shown(civil.parse().unwrap()), Shown::Never { jump, whole_day });
        }
        let sao_paulo = Zone::parse("America/Sao_Paulo").unwrap();
        let jump: Timestamp = "2018-11-04T03:00:00Z".parse().unwrap();
        assert_eq!(
            sao_paulo.shown("2018-11-04T00:30".parse().unwrap()),
            Shown::Never { jump, whole_day: false }
        );
    }
}
