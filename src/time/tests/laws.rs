//! What holds for every calendar, around the changes of clocks of many zones.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{oracle::Oracle, *};

/// Zones with changes of an hour, half an hour, two hours, at midnight, by decree, over a day, and none.
const ZONES: [&str; 16] = [
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "UTC",
    "Africa/Cairo",
    "Asia/Gaza",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "America/Havana",
    "Antarctica/Troll",
    "Atlantic/Azores",
    "Asia/Tehran",
];
/// What is looked at around a change; occurrences that reach into it start 30 days before.
const DAYS: usize = 40;
const MARGIN: usize = 30;
const DAY: usize = 1440;

/// Text of a cron with plusDays.
fn start() -> impl Strategy<Value = String> {
    let minute = select(vec!["0", "30", "15", "0,45", "*/20", "10-40/10", "59"]);
    let hour = select(vec!["0", "1", "2", "3", "23", "1-3", "*", "*/6", "22", "2,14"]);
    let day = select(vec![
        "* * *",
        "* * SUN",
        "* * SAT,SUN",
        "* * MON-FRI",
        "* * FRI-SUN",
        "* * SUN#1",
        "* * SUN#2,SUN#4",
        "* * SUNL",
        "* * TUE#2",
        "* * SUN#5",
        "L * *",
        "LW * *",
        "15W * *",
        "1-7 * *",
        "*/5 * *",
        "29-31 * *",
        "1W,31W * *",
        "* MAR-APR,10-11 SUN",
    ]);
    let plus = prop_oneof![4 => Just(0), 1 => 1..=27];
    (minute, hour, day, plus)
        .prop_map(|(minute, hour, day, plus)| format!("{minute} {hour} {day} +{plus}"))
}

fn length() -> impl Strategy<Value = Length> {
    let until = (0..24_i8, select(vec![0_i8, 15, 30, 59]));
    prop_oneof![
        (1..3000_i64).prop_map(|minutes| Length::For(SignedDuration::from_mins(minutes))),
        (1..120_i64).prop_map(|minutes| Length::For(SignedDuration::from_mins(minutes))),
        until.prop_map(|(hour, minute)| Length::Until(jiff::civil::time(hour, minute, 0, 0))),
    ]
}

/// A blackout: days and minutes after the begin, days and minutes long.
type Rough = (i64, i64, i64, i64, bool, bool);

fn rough() -> impl Strategy<Value = Rough> {
    (-10..70_i64, 0..1440_i64, 0..9_i64, 1..1440_i64, any::<bool>(), any::<bool>())
}

/// A calendar and the begin of what is looked at; none if it is refused.
#[derive(Debug)]
struct Case {
    zone: Zone,
    schedules: Vec<Schedule>,
    blackouts: Vec<Blackout>,
    begin: Timestamp,
}

fn case() -> impl Strategy<Value = Case> {
    let schedules = vec((start(), length()), 1..4);
    let from = (select(ZONES.to_vec()), 0..60_usize, 0..1_000_000_000_i64, 0..DAYS);
    (from, schedules, vec(rough(), 0..4)).prop_map(
        |((zone, nth, random, before), schedules, rough)| {
            let zone = Zone::parse(zone).unwrap();
            let mut change: Timestamp = "2008-01-01T00:00:00Z".parse().unwrap();
            for _ in 0..nth {
                change = zone.next_change(change).map_or(change, |change| change.at);
            }
            if change.as_second() < 1_200_000_000 {
                change = Timestamp::from_second(1_200_000_000 + random).unwrap();
            }
            let days = i64::try_from(before + MARGIN).unwrap();
            let begin = change - SignedDuration::from_hours(24 * days);
            let begin = Timestamp::from_second(begin.as_second().div_euclid(60) * 60).unwrap();
            let schedules = schedules
                .into_iter()
                .zip(["a", "b", "c"])
                .map(|((start, length), name)| Schedule { length, ..schedule(name, &start, "1h") });
            let local = zone.local(begin);
            let blackouts = rough.into_iter().enumerate().map(|(at, rough)| {
                let (days, minutes, long, more, skip, yearly) = rough;
                let from = local + SignedDuration::from_mins((days + 20) * 1440 + minutes);
                let until = from + SignedDuration::from_mins(long * 1440 + more);
                let on_overlap = if skip { Overlap::Skip } else { Overlap::Truncate };
                Blackout {
                    name: at.to_string(),
                    from: from.with().second(0).build().unwrap(),
                    until: until.with().second(0).build().unwrap(),
                    yearly,
                    reason: String::new(),
                    on_overlap,
                }
            });
            let (schedules, blackouts) = (schedules.collect(), blackouts.collect());
            Case { zone, schedules, blackouts, begin }
        },
    )
}

/// What a calendar says is what the wall clock says, minute by minute.
fn agree(case: &Case, days: usize) -> Result<(), TestCaseError> {
    let Case { zone, schedules, blackouts, begin } = case;
    let times = Times::Schedules(schedules.clone());
    let calendar = match Calendar::new(zone.clone(), times, blackouts.clone()) {
        Err(InvalidCalendar::NeverCloses) => return Ok(()),
        other => other.unwrap(),
    };
    let oracle = Oracle::new(zone, schedules, blackouts, *begin, (days + 2 * MARGIN) * DAY);
    let (from, until) = (oracle.moment(MARGIN * DAY), oracle.moment((MARGIN + days) * DAY));
    let runs: Vec<(Timestamp, Timestamp)> = oracle
        .runs()
        .into_iter()
        .map(|(first, end)| (oracle.moment(first), oracle.moment(end)))
        .filter(|(opens, _)| from < *opens && *opens <= until)
        .collect();
    if runs.iter().any(|(opens, closes)| closes.duration_since(*opens) > OPENING_MAX) {
        return Ok(());
    }
    let mut at = from;
    for run in &runs {
        let next = calendar.next(at).unwrap().unwrap();
        prop_assert_eq!((next.opens_at, next.closes_at), *run, "after {}", at);
        check_opening(&calendar, &next)?;
        at = next.opens_at;
    }
    let after = calendar.next(at).unwrap();
    prop_assert!(after.is_none_or(|after| after.opens_at > until), "after {}", at);
    let last = runs.len().min(UPCOMING_MAX);
    let spans = |openings: Vec<Opening>| -> Vec<_> {
        openings.into_iter().map(|opening| (opening.opens_at, opening.closes_at)).collect()
    };
    prop_assert_eq!(spans(calendar.upcoming(from, last).unwrap()), &runs[..last]);
    let found = spans(calendar.starts_between(from, until).unwrap());
    prop_assert_eq!(found, &runs[runs.len() - last..]);
    Ok(())
}

/// An opening is what it says, from its first moment to its last, and nothing outside.
fn check_opening(calendar: &Calendar, opening: &Opening) -> Result<(), TestCaseError> {
    let (opens, closes) = (opening.opens_at, opening.closes_at);
    prop_assert!(opens < closes && closes.duration_since(opens) <= OPENING_MAX);
    let middle = opens + closes.duration_since(opens) / 2;
    for inside in [opens, middle, just_before(closes)] {
        prop_assert_eq!(calendar.open_at(inside).unwrap(), Some(opening.clone()));
        prop_assert_eq!(calendar.last_start(inside).unwrap(), Some(opening.clone()));
        prop_assert!(!open_schedules(opening, inside).is_empty());
        prop_assert!(calendar.blackout_at(inside).is_none());
    }
    prop_assert_eq!(calendar.open_at(closes).unwrap(), None);
    prop_assert_eq!(calendar.open_at(just_before(opens)).unwrap(), None);
    prop_assert_eq!(calendar.last_start(closes).unwrap(), Some(opening.clone()));
    prop_assert_eq!(calendar.next(just_before(opens)).unwrap(), Some(opening.clone()));
    prop_assert!(!opening.local(calendar.zone()).is_empty());
    prop_assert!(!opening.note.contains('\n'));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn openings_are_those_of_the_wall_clock(case in case()) {
        agree(&case, DAYS)?;
    }

    #[test]
    fn openings_rise_and_never_overlap(case in case()) {
        let times = Times::Schedules(case.schedules);
        let Ok(calendar) = Calendar::new(case.zone, times, case.blackouts) else { return Ok(()) };
        let Ok(upcoming) = calendar.upcoming(case.begin, 20) else { return Ok(()) };
        let mut at = case.begin;
        for opening in &upcoming {
            prop_assert!(opening.opens_at < opening.closes_at);
            prop_assert_eq!(calendar.next(at).unwrap(), Some(opening.clone()));
            prop_assert_eq!(calendar.last_start(opening.opens_at).unwrap(), Some(opening.clone()));
            at = opening.opens_at;
        }
        for pair in upcoming.windows(2) {
            prop_assert!(pair[0].closes_at < pair[1].opens_at);
            prop_assert!(pair[0].id != pair[1].id);
        }
    }
}

#[test]
fn years_of_minutes_are_those_of_the_wall_clock() {
    let freeze = Blackout {
        yearly: true,
        ..blackout("b", "2024-12-18T00:00", "2025-01-04T00:00", Overlap::Skip)
    };
    let easter = blackout("c", "2025-03-29T22:00", "2025-03-30T02:30", Overlap::Truncate);
    for (zone, years) in [("Europe/Berlin", 3), ("America/New_York", 1), ("Australia/Lord_Howe", 1)]
    {
        let case = Case {
            zone: Zone::parse(zone).unwrap(),
            schedules: vec![
                schedule("weekly", "30 2 * * SUN", "2h"),
                schedule("monthly", "0 1 * * SUN#1", "-04:00"),
                schedule("patch", "0 23 * * TUE#2 +2", "7h"),
                schedule("quarter", "*/20 1-2 1 */3 *", "5m"),
            ],
            blackouts: vec![freeze.clone(), easter.clone()],
            begin: "2024-01-01T00:00:00Z".parse().unwrap(),
        };
        agree(&case, years * 365).unwrap();
    }
}
