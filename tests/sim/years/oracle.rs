//! When a window is open, worked out day by day from the calendar on the wall: nothing of `src/time` is
//! used. Knows the few forms of crons that runs of years write.

use groundcrew::api::maintenance_window::{Blackout, MaintenanceWindowSpec, OnOverlap, Schedule};
use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// A time that the window is open without a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub id: String,
    pub opens: Timestamp,
    pub closes: Timestamp,
}

/// What of an occurrence takes place.
#[derive(Clone, Debug)]
struct Piece {
    from: Timestamp,
    until: Timestamp,
    schedule: String,
}

/// No opening and no blackout around it is longer.
const DAYS: i64 = 3;

/// The openings that begin from `from` to before `until`.
pub fn openings(spec: &MaintenanceWindowSpec, from: Timestamp, until: Timestamp) -> Vec<Opening> {
    let zone = TimeZone::get(&spec.time_zone).expect("a zone");
    let first = local(&zone, from).date() - Span::new().days(DAYS);
    let last = local(&zone, until).date() + Span::new().days(DAYS);
    let mut pieces: Vec<Piece> = Vec::new();
    for schedule in spec.schedules.iter().flatten() {
        for (start, end) in occurrences(schedule, &zone, first, last) {
            pieces.extend(left(spec, &zone, schedule, (start, end)));
        }
    }
    pieces.sort_by(|one, other| (one.from, &one.schedule).cmp(&(other.from, &other.schedule)));
    let mut found: Vec<Opening> = Vec::new();
    for piece in pieces {
        match found.last_mut() {
            Some(last) if piece.from <= last.closes => last.closes = last.closes.max(piece.until),
            _ => found.push(Opening {
                id: format!("{}-{}", piece.schedule, piece.from.strftime("%Y%m%dT%H%MZ")),
                opens: piece.from,
                closes: piece.until,
            }),
        }
    }
    found.retain(|opening| from <= opening.opens && opening.opens < until);
    found
}

/// Every occurrence that is meant for one of these days.
fn occurrences(
    schedule: &Schedule,
    zone: &TimeZone,
    first: Date,
    last: Date,
) -> Vec<(Timestamp, Timestamp)> {
    let nominal = |date: Date| -> Option<DateTime> {
        let Some(cron) = &schedule.cron else {
            let once: DateTime = schedule.once.as_ref()?.parse().expect("a date and time");
            return (once.date() == date).then_some(once);
        };
        let plus = i64::from(schedule.plus_days.unwrap_or_default());
        matched(cron, date - Span::new().days(plus)).map(|time| date.to_datetime(time))
    };
    let days = first.series(Span::new().days(1)).take_while(|date| *date <= last);
    let starts = days.filter_map(nominal);
    let both = starts.filter_map(|nominal| {
        let start = shown(zone, nominal, false);
        let end = match schedule.duration {
            Some(duration) => start + duration.signed(),
            None => {
                let time: Time = schedule.until.as_ref()?.parse().expect("a time");
                let days = i64::from(time <= nominal.time());
                shown(zone, (nominal.date() + Span::new().days(days)).to_datetime(time), true)
            }
        };
        (start < end).then_some((start, end))
    });
    both.collect()
}

/// The time of a cron like `30 2 * * SUN#1` on a day, if it is one of its days.
fn matched(cron: &str, date: Date) -> Option<Time> {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minute, hour, day, "*", weekday] = fields[..] else { panic!("{cron} is not known here") };
    let time = Time::new(hour.parse().expect("an hour"), minute.parse().expect("a minute"), 0, 0);
    let last = date.days_in_month();
    let of_month = match day {
        "*" => true,
        "L" => date.day() == last,
        number => number.parse() == Ok(date.day()),
    };
    let is = |name: &str| name == named(date.weekday());
    let of_week = match (weekday.split_once('#'), weekday.strip_suffix('L')) {
        _ if weekday == "*" => true,
        (Some((name, number)), _) => is(name) && number.parse() == Ok((date.day() - 1) / 7 + 1),
        (None, Some(name)) => is(name) && date.day() + 7 > last,
        (None, None) => weekday.split(',').any(is),
    };
    (of_month && of_week).then(|| time.expect("a time"))
}

fn named(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MON",
        Weekday::Tuesday => "TUE",
        Weekday::Wednesday => "WED",
        Weekday::Thursday => "THU",
        Weekday::Friday => "FRI",
        Weekday::Saturday => "SAT",
        Weekday::Sunday => "SUN",
    }
}

/// When clocks show this, or have just jumped over it; of two times the first, or the second one.
fn shown(zone: &TimeZone, civil: DateTime, second: bool) -> Timestamp {
    let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).expect("a time");
    match zone.to_ambiguous_zoned(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Fold { after, .. } if second => at(after),
        AmbiguousOffset::Fold { before, .. } => at(before),
        // The jump lies between the two readings: minute by minute to where clocks show more.
        AmbiguousOffset::Gap { before, after } => {
            let mut moment = at(after);
            while local(zone, moment) < civil {
                moment += SignedDuration::from_mins(1);
            }
            assert!(moment <= at(before), "{civil} in {zone:?}");
            moment
        }
    }
}

fn local(zone: &TimeZone, at: Timestamp) -> DateTime {
    zone.to_datetime(at)
}

/// What blackouts leave of an occurrence.
fn left(
    spec: &MaintenanceWindowSpec,
    zone: &TimeZone,
    schedule: &Schedule,
    (start, end): (Timestamp, Timestamp),
) -> Vec<Piece> {
    let years = local(zone, start).year() - 1..=local(zone, end).year();
    let mut pieces = vec![(start, end)];
    for blackout in spec.blackouts.iter().flatten() {
        for (from, until) in years.clone().filter_map(|year| dark(blackout, zone, year)) {
            if end <= from || until <= start {
                continue;
            }
            if blackout.on_overlap != Some(OnOverlap::Truncate) {
                return Vec::new();
            }
            let around = |(start, end): (Timestamp, Timestamp)| {
                [(start, end.min(from)), (start.max(until), end)]
            };
            pieces = pieces.into_iter().flat_map(around).collect();
            pieces.retain(|(start, end)| start < end);
        }
    }
    let piece = |(from, until)| Piece { from, until, schedule: schedule.name.clone() };
    pieces.into_iter().map(piece).collect()
}

/// When a blackout holds that begins in this year.
fn dark(blackout: &Blackout, zone: &TimeZone, year: i16) -> Option<(Timestamp, Timestamp)> {
    let [mut from, mut until] = [&blackout.from, &blackout.until].map(|text| {
        let midnight = if text.contains('T') { "" } else { "T00:00" };
        format!("{text}{midnight}").parse::<DateTime>().expect("a date")
    });
    if blackout.yearly == Some(true) {
        let later = i16::from(until < from || until.year() > from.year());
        from = in_year(from, year);
        until = in_year(until, year + later);
    } else if from.year() != year {
        return None;
    }
    Some((shown(zone, from, false), shown(zone, until, true)))
}

/// The same day in another year; without a 29 February it is 1 March.
fn in_year(civil: DateTime, year: i16) -> DateTime {
    let date = civil.date();
    let same = Date::new(year, date.month(), date.day());
    same.unwrap_or_else(|_| jiff::civil::date(year, 3, 1)).to_datetime(civil.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(zone: &str, cron: &str, hours: u64) -> MaintenanceWindowSpec {
        let schedule = Schedule {
            name: "a".into(),
            cron: Some(cron.into()),
            duration: Some(groundcrew::api::duration::Duration::from_secs(3_600 * hours)),
            ..Schedule::default()
        };
        MaintenanceWindowSpec {
            time_zone: zone.into(),
            schedules: Some(vec![schedule]),
            ..MaintenanceWindowSpec::default()
        }
    }

    fn ids(spec: &MaintenanceWindowSpec, from: &str, until: &str) -> Vec<String> {
        let [from, until] = [from, until].map(|text| text.parse().expect("a time"));
        openings(spec, from, until).into_iter().map(|opening| opening.id).collect()
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let year = ("2028-01-01T00:00:00Z", "2028-03-01T00:00:00Z");
        let first = spec("Etc/UTC", "0 2 * * SUN#1", 1);
        assert_eq!(ids(&first, year.0, year.1), ["a-20280102T0200Z", "a-20280206T0200Z"]);
        let last = spec("Etc/UTC", "0 2 L * *", 1);
        assert_eq!(ids(&last, year.0, year.1), ["a-20280131T0200Z", "a-20280229T0200Z"]);
        let mut patch = spec("Etc/UTC", "0 2 * * TUE#2", 1);
        patch.schedules.as_mut().expect("one")[0].plus_days = Some(2);
        assert_eq!(ids(&patch, year.0, year.1), ["a-20280113T0200Z", "a-20280210T0200Z"]);
    }

    #[test]
    fn clocks_jump_and_repeat() {
        let howe = spec("Australia/Lord_Howe", "15 2 * * *", 1);
        // Back from 02:00 to 01:30 on 4 April 2027, forward from 02:00 to 02:30 on 3 October.
        let spring = ids(&howe, "2027-10-01T00:00:00Z", "2027-10-03T00:00:00Z");
        assert_eq!(spring, ["a-20271001T1545Z", "a-20271002T1530Z"]);
        let berlin = spec("Europe/Berlin", "30 2 * * *", 1);
        let autumn = ids(&berlin, "2027-10-30T22:00:00Z", "2027-11-01T00:00:00Z");
        assert_eq!(autumn, ["a-20271031T0030Z"]);
    }

    #[test]
    fn blackouts_take_away() {
        let mut spec = spec("Etc/UTC", "0 22 * * *", 4);
        let blackout = |on_overlap| Blackout {
            name: "end".into(),
            from: "2020-12-18".into(),
            until: "2021-01-04T01:00".into(),
            yearly: Some(true),
            on_overlap: Some(on_overlap),
            ..Blackout::default()
        };
        let around = ("2027-12-16T12:00:00Z", "2028-01-04T23:00:00Z");
        spec.blackouts = Some(vec![blackout(OnOverlap::Skip)]);
        assert_eq!(ids(&spec, around.0, around.1), ["a-20271216T2200Z", "a-20280104T2200Z"]);
        spec.blackouts = Some(vec![blackout(OnOverlap::Truncate)]);
        let expected =
            ["a-20271216T2200Z", "a-20271217T2200Z", "a-20280104T0100Z", "a-20280104T2200Z"];
        assert_eq!(ids(&spec, around.0, around.1), expected);
    }
}
