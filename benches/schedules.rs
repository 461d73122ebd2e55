//! How long it takes to work out when windows open next. Fails above its bound.

use std::{fs, process::ExitCode, time::Duration};

use groundcrew::time::{
    Blackout, Calendar, Cron, InvalidCalendar, Length, Overlap, Schedule, Start, Times, Zone,
};
use jiff::{SignedDuration, Timestamp};

/// Windows of a large cluster, each looked at once: what a restart of the operator costs.
const EVALUATIONS: usize = 10_000;
/// What the status of a window tells.
const UPCOMING: usize = 5;
/// Longest time for all of them, on one core of a small machine.
const BOUND: Duration = Duration::from_secs(1);
/// How often the search alone is measured; the best counts, as others may use the machine's caches.
const ROUNDS: usize = 3;

/// Cron, plusDays, and duration or end.
type Row = (&'static str, u8, &'static str);

/// Windows as people have them: plain, counted, by the wall clock, days after, with freezes, every day.
const WINDOWS: [(&str, &[Row], bool); 8] = [
    ("Europe/Berlin", &[("0 2 * * SUN", 0, "2h")], false),
    ("Europe/Berlin", &[("0 2 * * SUN", 0, "2h"), ("0 1 * * SUN#1", 0, "4h")], true),
    ("America/New_York", &[("0 2 * * TUE#2", 2, "4h")], true),
    ("America/Sao_Paulo", &[("0 22 * * MON-FRI", 0, "8h")], true),
    ("Europe/London", &[("30 1 * * *", 0, "until 05:00")], false),
    ("Australia/Lord_Howe", &[("0 3 15W * *", 0, "2h"), ("0 23 L * *", 0, "3h")], true),
    ("Asia/Kolkata", &[("0 2 * * SUN#2,SUN#4", 0, "3h")], false),
    ("UTC", &[("0 */6 * * *", 0, "1h")], true),
];

fn schedule(number: usize, cron: &str, plus_days: u8, length: &str) -> Option<Schedule> {
    let length = match length.strip_prefix("until ") {
        Some(until) => Length::Until(until.parse().ok()?),
        None => Length::For(length.parse::<SignedDuration>().ok()?),
    };
    let start = Start::Cron { cron: Cron::parse(cron).ok()?, plus_days };
    Some(Schedule { name: format!("schedule-{number}"), start, length })
}

fn freeze(name: &str, from: &str, until: &str, on_overlap: Overlap) -> Option<Blackout> {
    let (from, until) = (from.parse().ok()?, until.parse().ok()?);
    let reason = "change freeze".to_owned();
    Some(Blackout { name: name.into(), from, until, yearly: true, reason, on_overlap })
}

/// Everything that a pass does: the spec is read, and the next openings are worked out.
fn calendar(number: usize) -> Result<Calendar, InvalidCalendar> {
    let (zone, schedules, frozen) = WINDOWS
        .get(number.checked_rem(WINDOWS.len()).unwrap_or(0))
        .copied()
        .unwrap_or(("UTC", &[], false));
    let schedules = schedules.iter().zip(1..);
    let schedules = schedules.filter_map(|((cron, plus_days, length), number)| {
        schedule(number, cron, *plus_days, length)
    });
    let blackouts = [
        freeze("year-end", "2026-12-18T00:00", "2027-01-04T00:00", Overlap::Skip),
        freeze("summer", "2026-07-01T00:00", "2026-07-05T00:00", Overlap::Truncate),
    ];
    let blackouts = blackouts.into_iter().flatten().filter(|_| frozen).collect();
    let zone = Zone::parse(zone).unwrap_or_else(|_| Zone::utc());
    Calendar::new(zone, Times::Schedules(schedules.collect()), blackouts)
}

/// Works out what comes next for each window, at times over a year.
fn evaluate(calendars: &[Calendar]) -> usize {
    let begin = Timestamp::from_second(1_798_761_600).unwrap_or(Timestamp::UNIX_EPOCH);
    let seconds = (0..EVALUATIONS as i64).map(|number| number.saturating_mul(3_137));
    let found = seconds.zip(calendars.iter().cycle()).map(|(second, calendar)| {
        let at = begin.saturating_add(SignedDuration::from_secs(second)).unwrap_or(begin);
        calendar.upcoming(at, UPCOMING).map_or(0, |openings| openings.len())
    });
    found.sum()
}

/// The time that this thread has computed for, where Linux tells: others may use the machine meanwhile.
fn computed() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// Does some work, and how long it took: the time that was computed for, else the time that passed.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "this measures real time, and nothing is async")]
    let begin = std::time::Instant::now();
    let before = computed();
    let result = work();
    let passed = begin.elapsed();
    let computed = computed().zip(before).map(|(after, before)| after.saturating_sub(before));
    (result, computed.unwrap_or(passed))
}

fn main() -> ExitCode {
    let (calendars, reading) =
        timed(|| (0..EVALUATIONS).map(calendar).collect::<Result<Vec<_>, _>>());
    let calendars = match calendars {
        Ok(calendars) => calendars,
        Err(error) => {
            println!("a window is refused: {error}");
            return ExitCode::FAILURE;
        }
    };
    let rounds = (0..ROUNDS).map(|_| timed(|| evaluate(&calendars)));
    let Some((found, search)) = rounds.min_by_key(|(_, took)| *took) else {
        return ExitCode::FAILURE;
    };
    println!("reading {EVALUATIONS} windows: {} ms", reading.as_millis());
    println!(
        "next {UPCOMING} of each: {} ms (bound {} ms), {found} openings",
        search.as_millis(),
        BOUND.as_millis(),
    );
    let complete = found == EVALUATIONS.saturating_mul(UPCOMING);
    if complete && search < BOUND { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
