//! All schedules and blackouts of one window, in its time zone.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{
    BLACKOUTS_MAX, Blackout, Held, LENGTH_MAX, LENGTH_MIN, Length, OPENING_MAX, Opening, Overlap,
    PLUS_DAYS_MAX, REACH, SCHEDULES_MAX, Schedule, SearchFailed, Start, Zone, earlier, just_after,
    just_before, later, search::Ahead,
};

/// Most openings that one call gives: a status has five, a preview some months.
pub const UPCOMING_MAX: usize = 100;
/// Years in which dates may lie: zones have whole minutes, and searches have room on both sides.
const YEARS: std::ops::RangeInclusive<i16> = 1980..=4000;
/// Where the check for calendars that never close begins; any year would do.
const SAMPLE: DateTime = DateTime::constant(2026, 1, 1, 0, 0, 0, 0);
/// How long that check looks: a year, and as much as the longest opening, which the begin may cut.
const SAMPLE_DAYS: i32 = 400;
/// Openings that it looks at: all that open each day, and of those that open more often enough to tell.
const SAMPLE_OPENINGS: usize = 1_000;

/// All schedules and blackouts of one window, in its time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: Zone,
    schedules: Vec<Schedule>,
    blackouts: Vec<Blackout>,
}

/// When a window is open, blackouts aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// At all times.
    Always,
    /// While one of these schedules is.
    Schedules(Vec<Schedule>),
}

/// Whether a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate<'c> {
    /// It is.
    Open {
        /// When it closes; none if it is always open, and no blackout follows.
        until: Option<Timestamp>,
    },
    /// No schedule is open.
    Closed,
    /// A blackout holds: of several the one that ends last.
    Blackout(Held<'c>),
}

/// Schedules and blackouts that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCalendar {
    /// Nothing at all.
    #[error("there is no schedule: write at least one, or `always: true`")]
    NoSchedule,
    /// Too many.
    #[error("there are {0} schedules, at most {SCHEDULES_MAX} are possible")]
    TooManySchedules(usize),
    /// Too many.
    #[error("there are {0} blackouts, at most {BLACKOUTS_MAX} are possible")]
    TooManyBlackouts(usize),
    /// Two with one name.
    #[error("two schedules or two blackouts have the name {0:?}: write names that differ")]
    NameTwice(String),
    /// A length that is not possible.
    #[error("schedule {0:?} is not open for whole minutes from 1m to 14d: write another duration")]
    Length(String),
    /// An end that is no whole minute.
    #[error("schedule {0:?} does not start and end at whole minutes: write times like 04:00")]
    Minutes(String),
    /// More days than there may be.
    #[error("schedule {0:?} has more than {PLUS_DAYS_MAX} plusDays: write a later day in its cron")]
    PlusDays(String),
    /// A year that is not possible.
    #[error("{0:?} has a date before 1980 or after 4000: write another year")]
    Year(String),
    /// A blackout that ends before it begins.
    #[error(
        "blackout {0:?} must end after it begins, and within a year if it is yearly: write another `until`"
    )]
    Ends(String),
    /// Ends that are no whole minutes.
    #[error("blackout {0:?} does not begin and end at whole minutes: write times like 04:00")]
    BlackoutMinutes(String),
    /// Occurrences that follow each other without a pause.
    #[error(
        "it would not close within 15 days, because its occurrences follow each other without a pause: write shorter ones, or `always: true`"
    )]
    NeverCloses,
    /// It cannot be worked out.
    #[error(transparent)]
    Search(#[from] SearchFailed),
}

impl Calendar {
    /// Puts a calendar together.
    ///
    /// # Errors
    ///
    /// For what cannot be meant, and for occurrences that follow each other for more than
    /// [`OPENING_MAX`], blackouts aside.
    pub fn new(
        zone: Zone,
        times: Times,
        blackouts: Vec<Blackout>,
    ) -> Result<Self, InvalidCalendar> {
        let schedules = match times {
            Times::Always => Vec::new(),
            Times::Schedules(schedules) if schedules.is_empty() => {
                return Err(InvalidCalendar::NoSchedule);
            }
            Times::Schedules(schedules) => schedules,
        };
        if schedules.len() > SCHEDULES_MAX {
            return Err(InvalidCalendar::TooManySchedules(schedules.len()));
        }
        if blackouts.len() > BLACKOUTS_MAX {
            return Err(InvalidCalendar::TooManyBlackouts(blackouts.len()));
        }
        no_name_twice(schedules.iter().map(|schedule| schedule.name.as_str()))?;
        no_name_twice(blackouts.iter().map(|blackout| blackout.name.as_str()))?;
        schedules.iter().try_for_each(check_schedule)?;
        blackouts.iter().try_for_each(check_blackout)?;
        let bare = Self { zone, schedules, blackouts: Vec::new() };
        bare.check_closes()?;
        Ok(Self { blackouts, ..bare })
    }

    /// The zone.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it is open at all times but in blackouts. It has no openings then: [`Self::gate`] tells.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.schedules.is_empty()
    }

    /// Whether it is open at `at`.
    ///
    /// # Errors
    ///
    /// When that cannot be worked out.
    pub fn gate(&self, at: Timestamp) -> Result<Gate<'_>, SearchFailed> {
        if let Some(held) = self.blackout_at(at) {
            return Ok(Gate::Blackout(held));
        }
        if self.is_always() {
            let reach = later(at, REACH);
            let next =
                |blackout: &Blackout| Some(blackout.held(&self.zone, at, reach).next()?.from);
            return Ok(Gate::Open { until: self.blackouts.iter().filter_map(next).min() });
        }
        let open = self.open_at(at)?;
        Ok(open.map_or(Gate::Closed, |open| Gate::Open { until: Some(open.closes_at) }))
    }

    /// The blackout that holds at `at`; of several the one that ends last.
    #[must_use]
    pub fn blackout_at(&self, at: Timestamp) -> Option<Held<'_>> {
        self.held(at, just_after(at)).max_by_key(|held| held.until)
    }

    /// The first blackout that begins after `at`, within 50 years.
    #[must_use]
    pub fn next_blackout(&self, at: Timestamp) -> Option<Held<'_>> {
        let ahead = self.held(at, later(at, REACH)).filter(|held| held.from > at);
        ahead.min_by_key(|held| held.from)
    }

    /// The opening with `opens_at <= at < closes_at`.
    ///
    /// # Errors
    ///
    /// When that cannot be worked out.
    pub fn open_at(&self, at: Timestamp) -> Result<Option<Opening>, SearchFailed> {
        self.find_open(at)
    }

    /// The latest opening with `opens_at <= at`, also when it is over. Looks back 50 years.
    ///
    /// # Errors
    ///
    /// When that cannot be worked out.
    pub fn last_start(&self, at: Timestamp) -> Result<Option<Opening>, SearchFailed> {
        match self.find_open(at)? {
            Some(open) => Ok(Some(open)),
            None => self.find_over(at),
        }
    }

    /// The first opening with `opens_at > at`. Looks ahead 50 years.
    ///
    /// # Errors
    ///
    /// When that cannot be worked out.
    pub fn next(&self, at: Timestamp) -> Result<Option<Opening>, SearchFailed> {
        Ok(self.upcoming(at, 1)?.pop())
    }

    /// The first `most` openings with `opens_at > at`, in rising order, at most [`UPCOMING_MAX`]. Fewer
    /// only when there are no more.
    ///
    /// # Errors
    ///
    /// When they cannot be worked out.
    pub fn upcoming(&self, at: Timestamp, most: usize) -> Result<Vec<Opening>, SearchFailed> {
        let since = self.open_at(at)?.map_or(just_after(at), |open| open.closes_at);
        let mut ahead = Ahead::new(self, since)?;
        let mut found = Vec::new();
        while found.len() < most.min(UPCOMING_MAX) {
            let Some(opening) = ahead.next()? else { break };
            found.push(opening);
        }
        Ok(found)
    }

    /// The openings with `after < opens_at <= until`, in rising order; of more than [`UPCOMING_MAX`] the
    /// latest.
    ///
    /// # Errors
    ///
    /// When they cannot be worked out.
    pub fn starts_between(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Opening>, SearchFailed> {
        let mut found = Vec::new();
        let mut at = until;
        while found.len() < UPCOMING_MAX {
            let Some(opening) = self.last_start(at)?.filter(|last| last.opens_at > after) else {
                break;
            };
            at = just_before(opening.opens_at);
            found.push(opening);
        }
        found.reverse();
        Ok(found)
    }

    pub(super) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// Only this schedule, and no blackout.
    pub(super) fn alone(&self, schedule: &Schedule) -> Self {
        Self { zone: self.zone.clone(), schedules: vec![schedule.clone()], blackouts: Vec::new() }
    }

    /// Only this schedule, and all blackouts.
    pub(super) fn only(&self, schedule: &Schedule) -> Self {
        Self { schedules: vec![schedule.clone()], ..self.clone() }
    }

    /// Whether a blackout cuts occurrences.
    pub(super) fn truncates(&self) -> bool {
        self.blackouts.iter().any(|blackout| blackout.on_overlap == Overlap::Truncate)
    }

    /// All blackouts that hold at some time from `from` to before `until`, in no order.
    pub fn held(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Held<'_>> {
        self.blackouts.iter().flat_map(move |blackout| blackout.held(&self.zone, from, until))
    }

    /// Refuses what never closes. Cheap for nearly all: what is open for less than 15 days in any 15
    /// days and the time that the longest occurrence reaches into them has to pause. Else openings of a
    /// year are looked at, and those around each schedule that comes once; what first happens in another
    /// year is found when it is looked for.
    fn check_closes(&self) -> Result<(), InvalidCalendar> {
        let most = |schedule: &Schedule| {
            let days = match schedule.start {
                Start::Cron { .. } => {
                    schedule.length.longest().as_hours().saturating_div(24).saturating_add(17)
                }
                Start::Once(_) => 1,
            };
            schedule.a_day().as_secs().saturating_mul(days)
        };
        let all = self.schedules.iter().map(most).fold(0, i64::saturating_add);
        if all < OPENING_MAX.as_secs() {
            return Ok(());
        }
        let days = |days: i32| SignedDuration::from_hours(i64::from(days).saturating_mul(24));
        let sample = super::zone::moment(jiff::tz::Offset::UTC, SAMPLE);
        let around = self.schedules.iter().filter_map(|schedule| match &schedule.start {
            Start::Cron { .. } => None,
            Start::Once(at) => {
                let at = super::zone::moment(jiff::tz::Offset::UTC, *at);
                Some((earlier(at, days(17)), later(at, days(33))))
            }
        });
        for (from, until) in around.chain([(sample, later(sample, days(SAMPLE_DAYS)))]) {
            let mut ahead = Ahead::new(self, from)?;
            for _ in 0..SAMPLE_OPENINGS {
                match ahead.next() {
                    Ok(Some(opening)) if opening.opens_at < until => {}
                    Ok(_) => break,
                    Err(SearchFailed::NeverCloses { .. }) => {
                        return Err(InvalidCalendar::NeverCloses);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

fn no_name_twice<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), InvalidCalendar> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(InvalidCalendar::NameTwice(name.to_owned()));
        }
    }
    Ok(())
}

fn check_schedule(schedule: &Schedule) -> Result<(), InvalidCalendar> {
    let name = || schedule.name.clone();
    match schedule.length {
        Length::For(length) => {
            let whole = length.as_secs().checked_rem(60) == Some(0) && length.subsec_nanos() == 0;
            if !whole || !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
                return Err(InvalidCalendar::Length(name()));
            }
        }
        Length::Until(time) => {
            if time.second() != 0 || time.subsec_nanosecond() != 0 {
                return Err(InvalidCalendar::Minutes(name()));
            }
        }
    }
    match &schedule.start {
        Start::Cron { plus_days, .. } if *plus_days > PLUS_DAYS_MAX => {
            Err(InvalidCalendar::PlusDays(name()))
        }
        Start::Once(at) if !whole_minute(*at) => Err(InvalidCalendar::Minutes(name())),
        Start::Once(at) if !YEARS.contains(&at.year()) => Err(InvalidCalendar::Year(name())),
        Start::Cron { .. } | Start::Once(_) => Ok(()),
    }
}

fn check_blackout(blackout: &Blackout) -> Result<(), InvalidCalendar> {
    let name = || blackout.name.clone();
    let ends = [blackout.from, blackout.until];
    if !ends.iter().all(|end| whole_minute(*end)) {
        return Err(InvalidCalendar::BlackoutMinutes(name()));
    }
    if !ends.iter().all(|end| YEARS.contains(&end.year())) {
        return Err(InvalidCalendar::Year(name()));
    }
    if !blackout.is_sound() {
        return Err(InvalidCalendar::Ends(name()));
    }
    Ok(())
}

fn whole_minute(civil: DateTime) -> bool {
    civil.second() == 0 && civil.subsec_nanosecond() == 0
}
