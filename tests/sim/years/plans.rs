//! Windows of a year at random: what people write.

use groundcrew::api::{
    duration::Duration,
    maintenance_window::{
        Blackout, Emergency, Extend, LateOpen, MaintenanceWindowSpec, OnOverlap, Schedule,
    },
    window_notices::Notices,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    faults::Random,
    windows::{WEEKLY, notices, quiet::choosing},
};

/// Alarms that are there, and that people make and delete.
pub const ALARMS: [&str; 3] = ["db-1", "db-2", "red"];

fn mins(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// A time of the night at which clocks may change, or any other.
fn time(random: &mut Random) -> (u64, u64) {
    let night = random.pick(&[(0, 0), (0, 30), (1, 30), (2, 0), (2, 15), (2, 30), (3, 0)]);
    if random.one_in(2) { night } else { (random.below(24), 15 * random.below(4)) }
}

/// How long it lasts.
fn lasts(random: &mut Random, start: (u64, u64)) -> (Option<Duration>, Option<String>) {
    if random.one_in(3) {
        let until = format!("{:02}:{:02}", (start.0 + 1 + random.below(3)) % 24, start.1);
        (None, Some(until))
    } else {
        (Some(mins(random.pick(&[20, 45, 60, 120, 180]))), None)
    }
}

fn schedule(random: &mut Random, name: &str, days: &[&str]) -> Schedule {
    let (hour, minute) = time(random);
    let (duration, until) = lasts(random, (hour, minute));
    let days = random.pick(days);
    let plus_days = days.contains('#').then(|| random.pick(&[0, 2, 9])).filter(|days| *days > 0);
    let cron = Some(format!("{minute} {hour} {days}"));
    Schedule { name: name.into(), cron, duration, until, plus_days, ..Schedule::default() }
}

fn local(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).expect("a zone");
    at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string()
}

fn once(random: &mut Random, name: &str, zone: &str, at: Timestamp) -> Schedule {
    let duration = Some(mins(random.pick(&[15, 60, 240])));
    Schedule { name: name.into(), once: Some(local(at, zone)), duration, ..Schedule::default() }
}

/// The change freeze of each year, and sometimes another one.
fn blackouts(random: &mut Random, zone: &str, now: Timestamp) -> Vec<Blackout> {
    let overlap = |random: &mut Random| {
        random.pick(&[None, Some(OnOverlap::Skip), Some(OnOverlap::Truncate)])
    };
    let freeze = Blackout {
        name: "year-end".into(),
        from: random.pick(&["2026-12-30", "2026-12-18", "2026-12-31T01:00"]).into(),
        until: random.pick(&["2027-01-02", "2027-01-04T02:30"]).into(),
        yearly: Some(true),
        reason: Some("change freeze".into()),
        on_overlap: overlap(random),
    };
    let mut all = vec![freeze];
    if random.one_in(3) {
        let from =
            now + SignedDuration::from_mins(i64::try_from(random.below(7 * 1_440)).unwrap_or(0));
        let until =
            from + SignedDuration::from_mins(30 + i64::try_from(random.below(2_000)).unwrap_or(0));
        all.push(Blackout {
            name: "fair".into(),
            from: local(from, zone),
            until: local(until, zone),
            on_overlap: overlap(random),
            ..Blackout::default()
        });
    }
    all
}

/// People who are told of a window.
fn told(random: &mut Random) -> Notices {
    let every = random.one_in(3).then(|| mins(30));
    Notices { every, ..notices(&[24 * 60, 60]) }
}

/// A window of each week and month, or of each night.
pub fn spec(random: &mut Random, zone: &str, now: Timestamp) -> MaintenanceWindowSpec {
    let mut spec =
        MaintenanceWindowSpec { time_zone: zone.into(), ..MaintenanceWindowSpec::default() };
    let weekly = ["* * SUN", "* * SUN", "* * WED", "* * SAT,SUN", "* * MON"];
    let monthly = ["* * SUN#1", "* * TUE#2", "* * SUNL", "1 * *", "L * *"];
    let mut schedules = match random.below(3) {
        0 => vec![schedule(random, "daily", &["* * *"])],
        1 => vec![schedule(random, "weekly", &weekly)],
        _ => vec![schedule(random, "weekly", &weekly), schedule(random, "monthly", &monthly)],
    };
    if random.one_in(4) {
        let soon = i64::try_from(random.below(20 * 1_440)).unwrap_or(0);
        schedules.push(once(random, "move", zone, now + SignedDuration::from_mins(soon)));
    }
    spec.schedules = Some(schedules);
    spec.blackouts = random.one_in(2).then(|| blackouts(random, zone, now));
    spec.extend = random.one_in(2).then(|| Extend { max: mins(60) });
    spec.cutoff = random.one_in(3).then(|| mins(10));
    spec.late_open = random.one_in(4).then(|| LateOpen { min_remaining: mins(15) });
    let names: &[&str] = random.pick(&[["red"].as_slice(), &[]]);
    spec.alarms = (!random.one_in(4)).then(|| choosing(names, &["db-"]));
    spec.notices = random.one_in(2).then(|| told(random));
    spec
}

/// One opening soon in place of the first window's.
pub fn emergency(random: &mut Random, zone: &str, now: Timestamp) -> MaintenanceWindowSpec {
    let soon = i64::try_from(random.below(90)).unwrap_or(0);
    let now = now + SignedDuration::from_mins(soon - 10);
    MaintenanceWindowSpec {
        time_zone: zone.into(),
        schedules: Some(vec![once(random, "now", zone, now)]),
        alarms: random.one_in(2).then(|| choosing(&["red"], &[])),
        notices: random.one_in(2).then(|| told(random)),
        emergency: Some(Emergency {
            reason: "it is broken".into(),
            requested_by: "ops".into(),
            stands_for: vec![WEEKLY.into()],
        }),
        ..MaintenanceWindowSpec::default()
    }
}
