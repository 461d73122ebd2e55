//! One opening of a window, and how it is told.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::DateTime};

use super::{
    Schedule, Zone,
    zone::{Change, Shown},
};

/// One time that a window is open: occurrences of its schedules that overlap or touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// `weekly-20261206T0100Z`: the schedule that opens it, the first by name if several do, and when, in
    /// UTC.
    pub id: String,
    /// Which schedule is open when, by time and name. What a schedule is open without a pause is one
    /// part.
    pub parts: Vec<Part>,
    /// Its first moment.
    pub opens_at: Timestamp,
    /// The first moment after it.
    pub closes_at: Timestamp,
    /// What a change of clocks does to it, in one sentence; empty if there is none.
    pub note: String,
}

/// A time that one schedule is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Its first moment.
    pub from: Timestamp,
    /// The schedule.
    pub schedule: String,
    /// The first moment after it.
    pub until: Timestamp,
}

/// What is left of one occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Which schedule.
    pub(super) schedule: usize,
    /// What the schedule says that the clock shows at the start; none if a blackout's end is the start.
    pub(super) nominal: Option<DateTime>,
}

impl Opening {
    /// Makes an opening of pieces that follow each other without a pause.
    pub(super) fn of(pieces: &[Piece], schedules: &[Schedule], zone: &Zone) -> Option<Self> {
        let named = |piece: &Piece| schedules.get(piece.schedule);
        let opens_at = pieces.iter().map(|piece| piece.from).min()?;
        let closes_at = pieces.iter().map(|piece| piece.until).max()?;
        let first = pieces
            .iter()
            .filter(|piece| piece.from == opens_at)
            .min_by_key(|piece| named(piece).map(|schedule| schedule.name.as_str()))?;
        let schedule = named(first)?;
        let mut parts: Vec<Part> = Vec::new();
        let mut sorted: Vec<(&str, &Piece)> =
            pieces.iter().filter_map(|piece| Some((named(piece)?.name.as_str(), piece))).collect();
        sorted.sort();
        for (name, piece) in sorted {
            match parts.last_mut() {
                Some(last) if last.schedule == name && piece.from <= last.until => {
                    last.until = last.until.max(piece.until);
                }
                _ => parts.push(Part {
                    from: piece.from,
                    schedule: name.to_owned(),
                    until: piece.until,
                }),
            }
        }
        parts.sort();
        let mut opening = Self {
            id: format!("{}-{}", schedule.name, opens_at.strftime("%Y%m%dT%H%MZ")),
            parts,
            opens_at,
            closes_at,
            note: String::new(),
        };
        opening.note = opening.told(zone, first.nominal, schedule.follows_clock());
        Some(opening)
    }

    /// Names of its schedules, sorted, each once.
    #[must_use]
    pub fn schedules(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.parts.iter().map(|part| part.schedule.as_str()).collect();
        names.into_iter().collect()
    }

    /// What clocks show: `Sun 6 Dec 2026 02:00–04:00 CET`. With the date of the end when that is another
    /// day, and with both times' names when they differ.
    #[must_use]
    pub fn local(&self, zone: &Zone) -> String {
        let (from, until) = (zone.local(self.opens_at), zone.local(self.closes_at));
        let names = [self.opens_at, self.closes_at].map(|at| zone.abbreviation(at));
        let first = if names.first() == names.last() {
            String::new()
        } else {
            format!(" {}", zone.abbreviation(self.opens_at))
        };
        let day = if from.date() == until.date() { "" } else { "%a %-d %b %Y " };
        format!(
            "{}{first}–{} {}",
            from.strftime("%a %-d %b %Y %H:%M"),
            until.strftime(&format!("{day}%H:%M")),
            zone.abbreviation(self.closes_at),
        )
    }

    /// What a change of clocks does to it. `nominal` is what they should show at the start, if a schedule
    /// says so.
    fn told(&self, zone: &Zone, nominal: Option<DateTime>, follows_clock: bool) -> String {
        let start = nominal
            .map_or_else(String::new, |nominal| self.start_told(zone, nominal, follows_clock));
        // Only an opening in whose time clocks change has to be looked at closely.
        let changes = zone.offset(self.opens_at) != zone.offset(self.closes_at);
        let change = changes.then(|| zone.next_change(self.opens_at)).flatten();
        let change = change.filter(|change| change.at <= self.closes_at);
        let Some(Change { at, forward }) = change else { return start };
        let (opens, closes) = (zone.local(self.opens_at), zone.local(self.closes_at));
        let day = if opens.date() == closes.date() { "" } else { " on %a %-d %b %Y" };
        let end = format!(
            "at {} {}{}",
            closes.strftime("%H:%M"),
            zone.abbreviation(self.closes_at),
            closes.strftime(day),
        );
        let way = if forward { "forward" } else { "back" };
        if !start.is_empty() {
            format!("{start}, and ends {end}")
        } else if at == self.closes_at {
            format!("clocks go {way} as it ends, {end}")
        } else {
            format!("clocks go {way} during it: it ends {end}")
        }
    }

    fn start_told(&self, zone: &Zone, nominal: DateTime, follows_clock: bool) -> String {
        let (time, date) = (nominal.strftime("%H:%M"), nominal.strftime("%-d %b %Y"));
        let name = zone.abbreviation(self.opens_at);
        match zone.shown(nominal) {
            Shown::Once(_) => String::new(),
            Shown::Never { .. } => {
                let opens = zone.local(self.opens_at).strftime("%H:%M");
                format!("{time} does not exist on {date}: opens at {opens} {name}")
            }
            Shown::Twice(first, _) => {
                let which = if self.opens_at == first { "first" } else { "second" };
                let both = if follows_clock { "both times, and this is" } else { "opens" };
                format!("{time} comes twice on {date}: {both} the {which} time, {name}")
            }
        }
    }
}
