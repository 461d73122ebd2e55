//! A second answer, worked out minute by minute from what the wall clock shows. It knows neither cron
//! library nor search, only the offset of each minute.

use std::collections::BTreeMap;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
};

use crate::time::{Blackout, Length, Overlap, Schedule, Start, Zone};

/// Minutes of an hour.
const HOUR: usize = 60;

/// What is open, minute by minute.
pub(super) struct Oracle {
    /// Minutes since 1970 of the first one.
    first: i64,
    /// What the wall clock shows, as minutes since 1970 on the wall clock.
    wall: Vec<i64>,
    /// Whether the window is open.
    pub(super) open: Vec<bool>,
}

fn minutes(civil: DateTime) -> i64 {
    let days = civil.date().duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    days * 1440 + i64::from(civil.hour()) * 60 + i64::from(civil.minute())
}

fn date(minutes: i64) -> Date {
    Date::constant(1970, 1, 1) + minutes.div_euclid(1440).days()
}

/// Whether a field of numbers names `value`.
fn number(field: &str, min: i64, value: i64) -> bool {
    field.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let step: i64 = step.parse().unwrap();
        let (from, to) = match range.split_once('-') {
            None if range == "*" => (min, i64::MAX),
            None => (range.parse().unwrap(), range.parse().unwrap()),
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
        };
        (from..=to).contains(&value) && (value - from) % step == 0
    })
}

fn month(field: &str, date: Date) -> bool {
    let names =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let numbers = (1..)
        .zip(names)
        .fold(field.to_owned(), |field, (number, name)| field.replace(name, &number.to_string()));
    number(&numbers, 1, date.month().into())
}

fn works(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn day(field: &str, date: Date) -> bool {
    let (first, last) = (date.first_of_month(), date.last_of_month());
    field.split(',').any(|item| match item {
        "L" => date == last,
        "LW" => date == (0..3).map(|back| last - back.days()).find(|day| works(*day)).unwrap(),
        _ if item.ends_with('W') => {
            let number: i8 = item.trim_end_matches('W').parse().unwrap();
            let Ok(day) = Date::new(date.year(), date.month(), number) else { return false };
            let near = [0, -1, 1, -2, 2].map(|by| day + by.days());
            let near = near.into_iter().find(|day| works(*day) && *day >= first && *day <= last);
            Some(date) == near
        }
        _ => number(item, 1, date.day().into()),
    })
}

fn weekday(field: &str, date: Date) -> bool {
    let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let today = usize::try_from(date.weekday().to_sunday_zero_offset()).unwrap();
    let is = |name: &str| names[today] == name;
    field.split(',').any(|item| match item.split_once(['#', '-']) {
        _ if item == "*" => true,
        Some((name, nth)) if item.contains('#') => {
            is(name) && (date.day() - 1) / 7 + 1 == nth.parse::<i8>().unwrap()
        }
        Some((from, to)) => {
            let at = |name: &str| names.iter().position(|other| *other == name).unwrap();
            let to = if to == "SUN" { 7 } else { at(to) };
            (at(from)..=to).any(|day| day % 7 == today)
        }
        None if item.ends_with('L') => is(&item[..3]) && date.day() + 7 > date.days_in_month(),
        None => is(item),
    })
}

/// The wall-clock minutes at which a schedule starts.
struct Starts<'s> {
    once: Option<i64>,
    fields: Vec<&'s str>,
    plus: i64,
    follows_clock: bool,
    /// Minutes of a day, by the first two fields.
    times: Vec<bool>,
    /// Days that were looked at.
    days: BTreeMap<i64, bool>,
}

impl<'s> Starts<'s> {
    fn new(schedule: &'s Schedule) -> Self {
        let (once, fields, plus) = match &schedule.start {
            Start::Once(at) => (Some(minutes(*at)), Vec::new(), 0),
            Start::Cron { cron, plus_days } => {
                (None, cron.as_str().split(' ').collect(), i64::from(*plus_days) * 1440)
            }
        };
        let times = (0..1440).map(|time| {
            once.is_none() && number(fields[0], 0, time % 60) && number(fields[1], 0, time / 60)
        });
        let times = times.collect();
        let follows_clock = fields.iter().take(2).any(|field| field.contains('*'));
        Self { once, fields, plus, follows_clock, times, days: BTreeMap::new() }
    }

    fn at(&mut self, wall: i64) -> bool {
        if let Some(once) = self.once {
            return wall == once;
        }
        let (meant, fields) = (wall - self.plus, &self.fields);
        if !self.times[usize::try_from(meant.rem_euclid(1440)).unwrap()] {
            return false;
        }
        *self.days.entry(meant.div_euclid(1440)).or_insert_with(|| {
            let date = date(meant);
            day(fields[2], date) && month(fields[3], date) && weekday(fields[4], date)
        })
    }
}

impl Oracle {
    pub(super) fn new(
        zone: &Zone,
        schedules: &[Schedule],
        blackouts: &[Blackout],
        from: Timestamp,
        count: usize,
    ) -> Self {
        let first = from.as_second().div_euclid(60);
        let shown = |at: usize| {
            let minute = first + i64::try_from(at).unwrap();
            minutes(zone.local(Timestamp::from_second(minute * 60).unwrap()))
        };
        let mut wall = Vec::with_capacity(count + HOUR);
        for hour in (0..count).step_by(HOUR) {
            // An hour that ends as it should has no change in it: no clock changes twice in an hour.
            let (begin, end) = (shown(hour), shown(hour + HOUR - 1));
            if end - begin == 59 {
                wall.extend(begin..=end);
            } else {
                wall.extend((hour..hour + HOUR).map(shown));
            }
        }
        wall.truncate(count);
        let mut oracle = Self { first, wall, open: vec![false; count] };
        let spans: Vec<(usize, usize, Overlap)> =
            blackouts.iter().flat_map(|blackout| oracle.spans(blackout)).collect();
        for schedule in schedules {
            oracle.add(schedule, &spans);
        }
        oracle
    }

    /// The moment of a minute.
    pub(super) fn moment(&self, at: usize) -> Timestamp {
        Timestamp::from_second((self.first + i64::try_from(at).unwrap()) * 60).unwrap()
    }

    /// Runs of open minutes: first and the one after the last.
    pub(super) fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (at, _) in self.open.iter().enumerate().filter(|(_, open)| **open) {
            match runs.last_mut() {
                Some(last) if last.1 == at => last.1 = at + 1,
                _ => runs.push((at, at + 1)),
            }
        }
        runs
    }

    fn add(&mut self, schedule: &Schedule, spans: &[(usize, usize, Overlap)]) {
        let mut starts = Starts::new(schedule);
        let mut shown = self.wall[0];
        for at in 1..self.wall.len() {
            let (before, now) = (self.wall[at - 1], self.wall[at]);
            let nominal = if starts.follows_clock || now == shown + 1 {
                starts.at(now).then_some(now)
            } else {
                // What is shown for the first time now, or is jumped over, but for whole days.
                let skipped = |wall: &i64| date(before) < date(*wall) && date(*wall) < date(now);
                (shown + 1..=now).filter(|wall| !skipped(wall)).find(|wall| starts.at(*wall))
            };
            shown = shown.max(now);
            if let Some(nominal) = nominal {
                self.open_from(at, nominal, schedule.length, spans);
            }
        }
    }

    fn open_from(
        &mut self,
        start: usize,
        nominal: i64,
        length: Length,
        spans: &[(usize, usize, Overlap)],
    ) {
        let end = match length {
            Length::For(length) => start + usize::try_from(length.as_mins()).unwrap(),
            Length::Until(time) => {
                let time = i64::from(time.hour()) * 60 + i64::from(time.minute());
                let today = nominal.div_euclid(1440) * 1440 + time;
                let end = if today > nominal { today } else { today + 1440 };
                self.last(end, start).unwrap_or(self.wall.len())
            }
        };
        let end = end.min(self.wall.len());
        let overlap =
            |span: &&(usize, usize, Overlap)| span.0 < end && start < span.1 && span.0 < span.1;
        if spans.iter().filter(overlap).any(|span| span.2 == Overlap::Skip) {
            return;
        }
        for at in start..end {
            self.open[at] |= !spans.iter().any(|span| span.0 <= at && at < span.1);
        }
    }

    /// The first minute from `since` on at which the wall clock shows `wall`, or has jumped over it.
    fn first(&self, wall: i64, since: usize) -> Option<usize> {
        (since..self.wall.len()).find(|at| self.wall[*at] >= wall)
    }

    /// The last minute at which the wall clock shows `wall`, or that at which it jumps over it.
    fn last(&self, wall: i64, since: usize) -> Option<usize> {
        let first = self.first(wall, since)?;
        // No clock goes back by more than four hours.
        let end = self.wall.len().min(first + 240);
        let again = (first..end).rev().find(|at| self.wall[*at] == wall);
        Some(again.unwrap_or(first))
    }

    fn spans(&self, blackout: &Blackout) -> Vec<(usize, usize, Overlap)> {
        let (from, until) = (blackout.from, blackout.until);
        let pairs: Vec<(DateTime, DateTime)> = if blackout.yearly {
            let days = |civil: DateTime, year: i16| {
                let day = format!("{year}-{:02}-{:02}", civil.month(), civil.day()).parse::<Date>();
                day.unwrap_or(Date::constant(year, 3, 1)).to_datetime(civil.time())
            };
            let over = i16::from(until.year() > from.year() || until < from);
            (1990..2060).map(|year| (days(from, year), days(until, year + over))).collect()
        } else {
            vec![(from, until)]
        };
        let pairs = pairs.into_iter().map(|(from, until)| (minutes(from), minutes(until)));
        let (first, last) = (self.wall[0], self.wall[self.wall.len() - 1]);
        let seen = pairs.filter(|(from, until)| *from < last && *until > first);
        seen.map(|(from, until)| {
            let end = self.last(until, 0).unwrap_or(self.wall.len());
            (self.first(from, 0).unwrap_or(self.wall.len()), end, blackout.on_overlap)
        })
        .collect()
    }
}
