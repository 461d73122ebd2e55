//! The walk over occurrences: what blackouts leave of them, and which of them make one opening.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Held, OPENING_MAX, Opening, Overlap, REACH, Schedule, SearchFailed, Steps, calendar::Calendar,
    earlier, just_after, just_before, later, opening::Piece, schedule::Occurrence,
};

/// Openings in rising order.
pub(super) struct Ahead<'c> {
    calendar: &'c Calendar,
    /// The next occurrence of each schedule.
    coming: Vec<Option<Occurrence>>,
    /// What is left of the occurrences before these, and not yet part of an opening.
    pieces: BTreeSet<Piece>,
    /// Only what opens at this time or later counts.
    since: Timestamp,
    /// Where the search ends.
    horizon: Timestamp,
    steps: Steps,
}

impl<'c> Ahead<'c> {
    /// All openings from `since` on, which must not lie inside one.
    pub(super) fn new(calendar: &'c Calendar, since: Timestamp) -> Result<Self, SearchFailed> {
        let mut ahead = Self {
            calendar,
            coming: Vec::new(),
            pieces: BTreeSet::new(),
            since,
            horizon: later(since, REACH),
            steps: Steps::default(),
        };
        for schedule in calendar.schedules() {
            // What started before may come back at the end of a blackout.
            let from = if calendar.truncates() {
                earlier(since, schedule.length.longest())
            } else {
                since
            };
            let next = schedule.next(calendar.zone(), just_before(from), &mut ahead.steps)?;
            ahead.coming.push(next.filter(|next| next.start <= ahead.horizon));
        }
        Ok(ahead)
    }

    /// The next opening; none if there is none until the end of the search.
    pub(super) fn next(&mut self) -> Result<Option<Opening>, SearchFailed> {
        self.steps = Steps::default();
        let Some(first) = self.first()? else { return Ok(None) };
        let (opens_at, mut closes_at) = (first.from, first.until);
        let mut pieces = vec![first];
        loop {
            if self.pieces.first().is_some_and(|piece| piece.from <= closes_at) {
                let Some(piece) = self.pieces.pop_first() else { break };
                closes_at = closes_at.max(piece.until);
                pieces.push(piece);
                if closes_at.duration_since(opens_at) > OPENING_MAX {
                    return Err(SearchFailed::NeverCloses { opens_at });
                }
            } else if self.earliest().is_some_and(|(_, start)| start <= closes_at) {
                self.take()?;
            } else {
                break;
            }
        }
        Ok(Opening::of(&pieces, self.calendar.schedules(), self.calendar.zone()))
    }

    /// The piece with which the next opening begins.
    fn first(&mut self) -> Result<Option<Piece>, SearchFailed> {
        loop {
            match (self.pieces.first(), self.earliest()) {
                (None, None) => return Ok(None),
                (Some(piece), next) if next.is_none_or(|(_, start)| start > piece.from) => {
                    return Ok(self.pieces.pop_first());
                }
                (_, Some(_)) | (Some(_), None) => self.take()?,
            }
        }
    }

    fn earliest(&self) -> Option<(usize, Timestamp)> {
        let starts = self.coming.iter().enumerate();
        starts.filter_map(|(at, next)| Some((at, (*next)?.start))).min_by_key(|(_, start)| *start)
    }

    /// Takes the earliest occurrence to pieces.
    fn take(&mut self) -> Result<(), SearchFailed> {
        let Some((at, start)) = self.earliest() else { return Ok(()) };
        self.steps.take(start)?;
        let Some(schedule) = self.calendar.schedules().get(at) else { return Ok(()) };
        let Some(slot) = self.coming.get_mut(at) else { return Ok(()) };
        let Some(occurrence) = slot.take() else { return Ok(()) };
        let left = self.calendar.left(at, &occurrence);
        let next = match left.swallowed {
            Some(held) if left.pieces.is_empty() => {
                just_before(after_swallowed(schedule, &held)).max(start)
            }
            _ => start,
        };
        let since = self.since;
        self.pieces.extend(left.pieces.into_iter().filter(|piece| piece.from >= since));
        let next = schedule.next(self.calendar.zone(), next, &mut self.steps)?;
        *slot = next.filter(|next| next.start <= self.horizon);
        Ok(())
    }
}

/// What blackouts leave of an occurrence.
pub(super) struct Left<'c> {
    pub(super) pieces: Vec<Piece>,
    /// A blackout that holds at its start.
    swallowed: Option<Held<'c>>,
}

/// The first start that is not swallowed as a whole by a blackout that holds now.
fn after_swallowed(schedule: &Schedule, held: &Held<'_>) -> Timestamp {
    match held.blackout.on_overlap {
        Overlap::Skip => held.until,
        Overlap::Truncate => earlier(held.until, schedule.length.longest()),
    }
}

impl Calendar {
    /// What blackouts leave of an occurrence of the schedule `index`.
    pub(super) fn left(&self, index: usize, occurrence: &Occurrence) -> Left<'_> {
        let Occurrence { start, end, nominal } = *occurrence;
        let mut held: Vec<Held<'_>> = self.held(start, end).collect();
        held.sort_by_key(|held| held.from);
        let at_start = held.iter().filter(|held| held.from <= start);
        let swallowed = at_start.max_by_key(|held| held.until).copied();
        let mut pieces = Vec::new();
        if held.iter().any(|held| held.blackout.on_overlap == Overlap::Skip) {
            return Left { pieces, swallowed };
        }
        let mut from = start;
        let ends = held.iter().map(|held| (held.from, held.until)).chain([(end, end)]);
        for (blackout, until) in ends {
            if from < blackout {
                let nominal = (from == start).then_some(nominal);
                pieces.push(Piece { from, until: blackout, schedule: index, nominal });
            }
            from = from.max(until);
        }
        Left { pieces, swallowed }
    }

    /// The opening at `at`.
    pub(super) fn find_open(&self, at: Timestamp) -> Result<Option<Opening>, SearchFailed> {
        let mut steps = Steps::default();
        let Some(from) = self.reaching(just_after(at), &mut steps, |piece| at < piece.until)?
        else {
            return Ok(None);
        };
        let begin = self.begin(from, &mut steps)?;
        Ahead::new(self, begin)?.next()
    }

    /// The latest opening that opens at or before `at`, if that is not open.
    pub(super) fn find_over(&self, at: Timestamp) -> Result<Option<Opening>, SearchFailed> {
        let mut steps = Steps::default();
        let mut latest: Option<Timestamp> = None;
        let reach = earlier(at, REACH);
        for (index, schedule) in self.schedules().iter().enumerate() {
            let mut before = at;
            while let Some(occurrence) = schedule.previous(self.zone(), before, &mut steps)? {
                let start = occurrence.start;
                steps.take(start)?;
                // Nothing that starts before can open later than what was found.
                let last = later(start, schedule.length.longest());
                if start < reach || latest.is_some_and(|latest| last < latest) {
                    break;
                }
                let left = self.left(index, &occurrence);
                let opened = left.pieces.iter().map(|piece| piece.from).filter(|from| *from <= at);
                latest = latest.max(opened.max());
                before = match left.swallowed {
                    Some(held)
                        if left.pieces.is_empty() && start < after_swallowed(schedule, &held) =>
                    {
                        just_before(held.from)
                    }
                    _ => just_before(start),
                };
            }
        }
        let Some(from) = latest else { return Ok(None) };
        let begin = self.begin(from, &mut steps)?;
        Ahead::new(self, begin)?.next()
    }

    /// Goes back from a piece that begins at `from` to the first moment of its opening.
    fn begin(&self, from: Timestamp, steps: &mut Steps) -> Result<Timestamp, SearchFailed> {
        let mut begin = from;
        while let Some(before) = self.reaching(begin, steps, |piece| begin <= piece.until)? {
            begin = before;
            if from.duration_since(begin) > OPENING_MAX {
                return Err(SearchFailed::NeverCloses { opens_at: begin });
            }
        }
        Ok(begin)
    }

    /// The begin of the earliest piece that begins before `at` and reaches as far as `reaches` says.
    fn reaching(
        &self,
        at: Timestamp,
        steps: &mut Steps,
        reaches: impl Fn(&Piece) -> bool,
    ) -> Result<Option<Timestamp>, SearchFailed> {
        let mut earliest: Option<Timestamp> = None;
        for (index, schedule) in self.schedules().iter().enumerate() {
            let since = earlier(at, schedule.length.longest());
            let mut before = just_before(at);
            while let Some(occurrence) = schedule.previous(self.zone(), before, steps)? {
                if occurrence.start < since {
                    break;
                }
                steps.take(at)?;
                let left = self.left(index, &occurrence).pieces;
                let found = left.iter().filter(|piece| piece.from < at && reaches(piece));
                let found = found.map(|piece| piece.from).min();
                earliest = earliest.into_iter().chain(found).min();
                before = just_before(occurrence.start);
            }
        }
        Ok(earliest)
    }
}
