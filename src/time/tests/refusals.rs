//! Calendars that cannot be meant.

use super::*;

fn refused(
    zone: &str,
    schedules: &[(&str, &str, &str)],
    blackouts: Vec<Blackout>,
) -> InvalidCalendar {
    let schedules = schedules.iter().map(|(name, start, length)| schedule(name, start, length));
    let times = Times::Schedules(schedules.collect());
    Calendar::new(Zone::parse(zone).unwrap(), times, blackouts).unwrap_err()
}

#[test]
fn what_never_closes_is_refused() {
    for schedules in [
        &[("a", "0 2 * * *", "24h")][..],
        &[("a", "0 2 * * SUN", "168h")],
        &[("a", "0 2 * * *", "-02:00")],
        &[("a", "0 0 1-16 * *", "24h")],
        &[("a", "0 0 * JUL *", "24h")],
        &[("a", "*/15 * * * *", "15m")],
        &[("a", "0 0 * * *", "12h"), ("b", "0 12 * * *", "12h")],
        &[("a", "2026-12-01T00:00", "240h"), ("b", "2026-12-11T00:00", "240h")],
        &[("a", "0 0 1 JAN *", "240h"), ("b", "2031-01-11T00:00", "240h")],
    ] {
        assert_eq!(
            refused("Europe/Berlin", schedules, Vec::new()),
            InvalidCalendar::NeverCloses,
            "{schedules:?}"
        );
    }
    for schedules in [
        &[("a", "0 2 * * *", "23h")][..],
        &[("a", "0 0 1-15 * *", "24h")],
        &[("a", "0 2 * * SUN", "167h")],
        &[("a", "0 2 * * *", "-01:00")],
        &[("a", "*/15 * * * *", "14m")],
        &[("a", "2026-12-01T00:00", "336h")],
        &[("a", "2026-12-01T00:00", "240h"), ("b", "2026-12-11T00:01", "240h")],
    ] {
        calendar("UTC", schedules, Vec::new());
    }
}

#[test]
fn what_first_happens_in_another_year_is_an_error_and_not_silence() {
    // 29 February, and the 15 days after it.
    let schedules = [("a", "0 0 29 FEB *", "24h"), ("b", "0 0 1-15 MAR *", "24h")];
    let calendar = calendar("UTC", &schedules, Vec::new());
    assert!(calendar.next(at(&calendar, "2027-01-01T00:00")).is_ok());
    let found = calendar.upcoming(at(&calendar, "2027-01-01T00:00"), 2);
    assert!(matches!(found, Err(SearchFailed::NeverCloses { .. })), "{found:?}");
    for civil in ["2028-02-29T00:00", "2028-03-15T23:00", "2028-03-20T00:00"] {
        let found = calendar.last_start(at(&calendar, civil));
        assert!(matches!(found, Err(SearchFailed::NeverCloses { .. })), "{civil}: {found:?}");
    }
}

#[test]
fn bounds_are_kept() {
    use InvalidCalendar as E;
    let one = ("a", "0 2 * * SUN", "2h");
    let check = |schedule: (&str, &str, &str), expected: E| {
        assert_eq!(refused("UTC", &[schedule], Vec::new()), expected, "{schedule:?}");
    };
    check(("a", "0 2 * * SUN", "59s"), E::Length("a".into()));
    check(("a", "0 2 * * SUN", "90s"), E::Length("a".into()));
    check(("a", "0 2 * * SUN", "336h 1m"), E::Length("a".into()));
    check(("a", "0 2 * * SUN", "-04:00:30"), E::Minutes("a".into()));
    check(("a", "2026-01-01T00:00:30", "1h"), E::Minutes("a".into()));
    check(("a", "1979-01-01T00:00", "1h"), E::Year("a".into()));
    check(("a", "0 2 * * SUN +28", "1h"), E::PlusDays("a".into()));
    assert_eq!(refused("UTC", &[], Vec::new()), E::NoSchedule);
    assert_eq!(refused("UTC", &[one, one], Vec::new()), E::NameTwice("a".into()));
    assert_eq!(refused("UTC", &[one; 17], Vec::new()), E::TooManySchedules(17));
    let span = |from: &str, until: &str, yearly| {
        let blackout = Blackout { yearly, ..blackout("b", from, until, Overlap::Skip) };
        Calendar::new(Zone::utc(), Times::Always, vec![blackout]).err()
    };
    assert_eq!(span("2026-12-18T00:00", "2026-12-18T00:00", false), Some(E::Ends("b".into())));
    assert_eq!(span("2026-12-18T00:00", "2026-01-04T00:00", false), Some(E::Ends("b".into())));
    assert_eq!(span("2026-12-18T00:00", "2029-01-04T00:00", false), None);
    assert_eq!(span("2026-12-18T00:00", "2026-01-04T00:00", true), None);
    assert_eq!(span("2026-12-18T00:00", "2027-12-17T00:00", true), None);
    assert_eq!(span("2026-12-18T00:00", "2027-12-18T00:00", true), Some(E::Ends("b".into())));
    assert_eq!(span("2026-12-18T00:00", "2025-01-04T00:00", true), Some(E::Ends("b".into())));
    assert_eq!(span("2026-12-18T00:00", "2026-12-18T00:00", true), Some(E::Ends("b".into())));
    assert_eq!(span("1826-12-18T00:00", "2026-12-18T00:00", false), Some(E::Year("b".into())));
    assert_eq!(
        span("2026-12-18T00:00:01", "2026-12-19T00:00", false),
        Some(E::BlackoutMinutes("b".into()))
    );
    let blackouts = vec![blackout("b", "2026-01-01T00:00", "2026-01-02T00:00", Overlap::Skip); 2];
    assert_eq!(
        Calendar::new(Zone::utc(), Times::Always, blackouts.clone()).err(),
        Some(E::NameTwice("b".into()))
    );
    let many = blackouts.into_iter().cycle().take(BLACKOUTS_MAX + 1).collect();
    assert_eq!(
        Calendar::new(Zone::utc(), Times::Always, many).err(),
        Some(E::TooManyBlackouts(BLACKOUTS_MAX + 1))
    );
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let freeze = Blackout {
        yearly: true,
        ..blackout("b", "2026-12-18T00:00", "2026-12-20T00:00", Overlap::Truncate)
    };
    let daily = calendar(
        "Europe/Berlin",
        &[("a", "0 2 * * *", "-04:00"), ("b", "30 * * * SUN +3", "5m")],
        vec![freeze],
    );
    for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        let _ = (daily.open_at(at), daily.last_start(at), daily.upcoming(at, 5), daily.gate(at));
        let _ = (daily.starts_between(Timestamp::MIN, at), lint::lint(&daily, at));
    }
}
