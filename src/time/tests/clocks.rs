//! Clocks that change, months that end, weekdays that are counted.

use super::*;

#[test]
fn a_skipped_start_opens_right_after_the_gap() {
    check(
        &weekly("America/New_York", "30 2 * * *", "1h"),
        "2026-03-07T12:00",
        &[
            "Sun 8 Mar 2026 03:00–04:00 EDT (02:30 does not exist on 8 Mar 2026: opens at 03:00 EDT)",
            "Mon 9 Mar 2026 02:30–03:30 EDT",
        ],
    );
    check(
        &weekly("America/New_York", "30 2 * * SUN#2", "1h"),
        "2026-03-01T12:00",
        &[
            "Sun 8 Mar 2026 03:00–04:00 EDT (02:30 does not exist on 8 Mar 2026: opens at 03:00 EDT)",
            "Sun 12 Apr 2026 02:30–03:30 EDT",
        ],
    );
    check(
        &weekly("Europe/Berlin", "0 2 * * SUN", "2h"),
        "2026-03-28T12:00",
        &[
            "Sun 29 Mar 2026 03:00–05:00 CEST (02:00 does not exist on 29 Mar 2026: opens at 03:00 CEST)",
            "Sun 5 Apr 2026 02:00–04:00 CEST",
        ],
    );
    check(
        &weekly("Europe/London", "15 1 * * SUN", "30m"),
        "2026-03-28T12:00",
        &[
            "Sun 29 Mar 2026 02:00–02:30 BST (01:15 does not exist on 29 Mar 2026: opens at 02:00 BST)",
        ],
    );
    check(
        &weekly("Australia/Lord_Howe", "15 2 * * *", "1h"),
        "2026-10-03T12:00",
        &[
            "Sun 4 Oct 2026 02:30–03:30 UTC+11 (02:15 does not exist on 4 Oct 2026: opens at 02:30 UTC+11)",
        ],
    );
    check(
        &weekly("America/Sao_Paulo", "0 0 * * *", "1h"),
        "2018-11-03T12:00",
        &[
            "Sun 4 Nov 2018 01:00–02:00 UTC-02 (00:00 does not exist on 4 Nov 2018: opens at 01:00 UTC-02)",
            "Mon 5 Nov 2018 00:00–01:00 UTC-02",
        ],
    );
    // Two starts that are skipped together are one.
    check(
        &weekly("Europe/Berlin", "0,30 2 * * SUN", "10m"),
        "2026-03-28T12:00",
        &[
            "Sun 29 Mar 2026 03:00–03:10 CEST (02:00 does not exist on 29 Mar 2026: opens at 03:00 CEST)",
            "Sun 5 Apr 2026 02:00–02:10 CEST",
        ],
    );
    // All of it is skipped, and it has an end by the wall clock: nothing is left.
    check(
        &weekly("Europe/Berlin", "0 2 * * SUN", "-02:45"),
        "2026-03-28T12:00",
        &["Sun 5 Apr 2026 02:00–02:45 CEST"],
    );
}

#[test]
fn a_repeated_start_opens_once_and_the_first_time() {
    check(
        &weekly("America/New_York", "30 1 * * *", "20m"),
        "2026-10-31T12:00",
        &[
            "Sun 1 Nov 2026 01:30–01:50 EDT (01:30 comes twice on 1 Nov 2026: opens the first time, EDT)",
            "Mon 2 Nov 2026 01:30–01:50 EST",
        ],
    );
    check(
        &weekly("Europe/Berlin", "30 2 * * SUN", "2h"),
        "2026-10-24T12:00",
        &[
            "Sun 25 Oct 2026 02:30 CEST–03:30 CET (02:30 comes twice on 25 Oct 2026: opens the first time, CEST, and ends at 03:30 CET)",
        ],
    );
    check(
        &weekly("Europe/London", "0 1 * * SUN", "30m"),
        "2026-10-24T12:00",
        &[
            "Sun 25 Oct 2026 01:00–01:30 BST (01:00 comes twice on 25 Oct 2026: opens the first time, BST)",
            "Sun 1 Nov 2026 01:00–01:30 GMT",
        ],
    );
    check(
        &weekly("Australia/Lord_Howe", "45 1 * * *", "10m"),
        "2026-04-04T12:00",
        &[
            "Sun 5 Apr 2026 01:45–01:55 UTC+11 (01:45 comes twice on 5 Apr 2026: opens the first time, UTC+11)",
            "Mon 6 Apr 2026 01:45–01:55 UTC+10:30",
        ],
    );
    // Midnight comes twice, and the day before has 25 hours.
    check(
        &weekly("America/Sao_Paulo", "30 23 * * *", "15m"),
        "2018-02-17T12:00",
        &[
            "Sat 17 Feb 2018 23:30–23:45 UTC-02 (23:30 comes twice on 17 Feb 2018: opens the first time, UTC-02)",
            "Sun 18 Feb 2018 23:30–23:45 UTC-03",
        ],
    );
    check(
        &weekly("America/New_York", "0 1-3 * * *", "10m"),
        "2026-11-01T00:15",
        &[
            "Sun 1 Nov 2026 01:00–01:10 EDT (01:00 comes twice on 1 Nov 2026: opens the first time, EDT)",
            "Sun 1 Nov 2026 02:00–02:10 EST",
            "Sun 1 Nov 2026 03:00–03:10 EST",
        ],
    );
}

#[test]
fn a_pattern_with_any_hour_or_minute_follows_the_clock() {
    check(
        &weekly("America/New_York", "*/20 2 * * *", "5m"),
        "2026-03-08T00:45",
        &["Mon 9 Mar 2026 02:00–02:05 EDT"],
    );
    check(
        &weekly("America/New_York", "30 * * * *", "5m"),
        "2026-03-08T00:45",
        &["Sun 8 Mar 2026 01:30–01:35 EST", "Sun 8 Mar 2026 03:30–03:35 EDT"],
    );
    check(
        &weekly("America/New_York", "30 * * * *", "5m"),
        "2026-11-01T00:45",
        &[
            "Sun 1 Nov 2026 01:30–01:35 EDT (01:30 comes twice on 1 Nov 2026: both times, and this is the first time, EDT)",
            "Sun 1 Nov 2026 01:30–01:35 EST (01:30 comes twice on 1 Nov 2026: both times, and this is the second time, EST)",
            "Sun 1 Nov 2026 02:30–02:35 EST",
        ],
    );
}

#[test]
fn a_length_is_elapsed_time_and_an_end_is_of_the_wall_clock() {
    let calendar = weekly("Europe/Berlin", "0 22 * * SAT", "8h");
    check(
        &calendar,
        "2026-03-27T12:00",
        &[
            "Sat 28 Mar 2026 22:00 CET–Sun 29 Mar 2026 07:00 CEST (clocks go forward during it: it ends at 07:00 CEST on Sun 29 Mar 2026)",
            "Sat 4 Apr 2026 22:00–Sun 5 Apr 2026 06:00 CEST",
        ],
    );
    check(
        &calendar,
        "2026-10-23T12:00",
        &[
            "Sat 24 Oct 2026 22:00 CEST–Sun 25 Oct 2026 05:00 CET (clocks go back during it: it ends at 05:00 CET on Sun 25 Oct 2026)",
        ],
    );
    let calendar = weekly("Europe/Berlin", "0 22 * * SAT", "-06:00");
    check(
        &calendar,
        "2026-03-27T12:00",
        &[
            "Sat 28 Mar 2026 22:00 CET–Sun 29 Mar 2026 06:00 CEST (clocks go forward during it: it ends at 06:00 CEST on Sun 29 Mar 2026)",
        ],
    );
    check(
        &weekly("Europe/Berlin", "0 1 * * SUN", "2h"),
        "2026-10-24T12:00",
        &["Sun 25 Oct 2026 01:00 CEST–02:00 CET (clocks go back as it ends, at 02:00 CET)"],
    );
    // The second 02:30, and right after the gap.
    check(
        &weekly("Europe/Berlin", "0 1 * * SUN", "-02:30"),
        "2026-10-24T12:00",
        &["Sun 25 Oct 2026 01:00 CEST–02:30 CET (clocks go back during it: it ends at 02:30 CET)"],
    );
    check(
        &weekly("Europe/Berlin", "0 1 * * SUN", "-02:30"),
        "2026-03-28T12:00",
        &["Sun 29 Mar 2026 01:00 CET–03:00 CEST (clocks go forward as it ends, at 03:00 CEST)"],
    );
    // An end that is the start is a day later.
    check(
        &weekly("UTC", "0 2 * * SUN", "-02:00"),
        "2026-03-28T12:00",
        &["Sun 29 Mar 2026 02:00–Mon 30 Mar 2026 02:00 UTC"],
    );
}

#[test]
fn a_day_that_a_place_skips_has_no_opening() {
    let daily = weekly("Pacific/Apia", "0 12 * * *", "1h");
    check(
        &daily,
        "2011-12-29T00:00",
        &["Thu 29 Dec 2011 12:00–13:00 UTC-10", "Sat 31 Dec 2011 12:00–13:00 UTC+14"],
    );
    let fridays = weekly("Pacific/Apia", "0 12 * * FRI", "1h");
    check(
        &fridays,
        "2011-12-20T00:00",
        &["Fri 23 Dec 2011 12:00–13:00 UTC-10", "Fri 6 Jan 2012 12:00–13:00 UTC+14"],
    );
    let last = fridays.last_start(at(&fridays, "2012-01-06T11:59")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20111223T2200Z");
    check(
        &weekly("Pacific/Apia", "0 12 30 DEC *", "1h"),
        "2011-12-01T00:00",
        &["Sun 30 Dec 2012 12:00–13:00 UTC+14"],
    );
    let once = weekly("Pacific/Apia", "2011-12-30T12:00", "1h");
    assert_eq!(once.next(at(&once, "2011-12-01T00:00")), Ok(None));
    // It ends while nobody's clock shows 04:00.
    check(
        &weekly("Pacific/Apia", "0 22 29 DEC *", "-04:00"),
        "2011-12-01T00:00",
        &[
            "Thu 29 Dec 2011 22:00 UTC-10–Sat 31 Dec 2011 00:00 UTC+14 (clocks go forward as it ends, at 00:00 UTC+14 on Sat 31 Dec 2011)",
        ],
    );
}

#[test]
fn midnight_and_month_ends_need_nothing_special() {
    check(
        &weekly("UTC", "0 23 L * *", "3h"),
        "2026-01-20T00:00",
        &[
            "Sat 31 Jan 2026 23:00–Sun 1 Feb 2026 02:00 UTC",
            "Sat 28 Feb 2026 23:00–Sun 1 Mar 2026 02:00 UTC",
        ],
    );
    let calendar = weekly("Europe/Berlin", "30 22 * * SUN", "4h");
    let open = |civil: &str| calendar.open_at(at(&calendar, civil)).unwrap().map(|open| open.id);
    let id = Some("weekly-20261206T2130Z".to_owned());
    assert_eq!(open("2026-12-06T22:29:59.999"), None);
    assert_eq!(open("2026-12-06T22:30"), id);
    assert_eq!(open("2026-12-07T00:00"), id);
    assert_eq!(open("2026-12-07T02:29:59.999999999"), id);
    assert_eq!(open("2026-12-07T02:30"), None);
}

#[test]
fn weekdays_of_a_month_are_counted_and_days_added() {
    let sundays = |cron: &str| told(&weekly("UTC", cron, "1h"), "2026-08-01T00:00", 2);
    assert_eq!(
        sundays("0 2 * * SUN#4"),
        ["Sun 23 Aug 2026 02:00–03:00 UTC", "Sun 27 Sep 2026 02:00–03:00 UTC"]
    );
    assert_eq!(
        sundays("0 2 * * SUNL"),
        ["Sun 30 Aug 2026 02:00–03:00 UTC", "Sun 27 Sep 2026 02:00–03:00 UTC"]
    );
    assert_eq!(
        sundays("0 2 * * SUN#5"),
        ["Sun 30 Aug 2026 02:00–03:00 UTC", "Sun 29 Nov 2026 02:00–03:00 UTC"]
    );
    // Two days after Patch Tuesday, and Sunday after the last Saturday, which may be in the next month.
    let patch = weekly("America/New_York", "0 2 * * TUE#2 +2", "4h");
    check(
        &patch,
        "2026-01-01T00:00",
        &[
            "Thu 15 Jan 2026 02:00–06:00 EST",
            "Thu 12 Feb 2026 02:00–06:00 EST",
            "Thu 12 Mar 2026 02:00–06:00 EDT",
        ],
    );
    check(
        &weekly("UTC", "0 2 * * SATL +1", "1h"),
        "2026-01-15T00:00",
        &[
            "Sun 1 Feb 2026 02:00–03:00 UTC",
            "Sun 1 Mar 2026 02:00–03:00 UTC",
            "Sun 29 Mar 2026 02:00–03:00 UTC",
        ],
    );
    check(
        &weekly("UTC", "0 2 * FEB TUE#4 +27", "1h"),
        "2026-01-15T00:00",
        &["Mon 23 Mar 2026 02:00–03:00 UTC"],
    );
    // The rule for skipped and repeated hours is that of the date on which it opens.
    check(
        &weekly("Europe/Berlin", "30 2 * * SATL +1", "1h"),
        "2026-03-01T12:00",
        &[
            "Sun 29 Mar 2026 03:00–04:00 CEST (02:30 does not exist on 29 Mar 2026: opens at 03:00 CEST)",
        ],
    );
    check(
        &weekly("Europe/Berlin", "30 2 * * SUNL +1", "1h"),
        "2026-03-01T12:00",
        &["Mon 30 Mar 2026 02:30–03:30 CEST"],
    );
    let last = patch.last_start(at(&patch, "2026-02-12T01:59")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20260115T0700Z");
}

#[test]
fn a_schedule_comes_once() {
    let calendar = weekly("Europe/Berlin", "2026-12-05T23:00", "7h");
    check(&calendar, "2026-11-22T00:00", &["Sat 5 Dec 2026 23:00–Sun 6 Dec 2026 06:00 CET"]);
    assert_eq!(calendar.upcoming(at(&calendar, "2026-11-22T00:00"), 5).unwrap().len(), 1);
    assert_eq!(calendar.next(at(&calendar, "2026-12-05T23:00")), Ok(None));
    assert_eq!(calendar.last_start(at(&calendar, "2026-12-05T22:59")), Ok(None));
    let last = calendar.last_start(at(&calendar, "2040-01-01T00:00")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20261205T2200Z");
    check(
        &weekly("Europe/Berlin", "2026-03-29T02:30", "1h"),
        "2026-01-01T00:00",
        &[
            "Sun 29 Mar 2026 03:00–04:00 CEST (02:30 does not exist on 29 Mar 2026: opens at 03:00 CEST)",
        ],
    );
}

#[test]
fn overlapping_and_touching_occurrences_are_one_opening() {
    let schedules = [
        ("monthly", "0 1 * * SUN#1", "4h"),
        ("weekly", "0 2 * * SUN", "2h"),
        ("early", "0 0 6 DEC *", "1h"),
    ];
    let calendar = calendar("Europe/Berlin", &schedules, Vec::new());
    let openings = calendar.upcoming(at(&calendar, "2026-12-01T00:00"), 2).unwrap();
    let opening = openings.first().unwrap();
    assert_eq!(opening.id, "early-20261205T2300Z");
    assert_eq!(opening.local(calendar.zone()), "Sun 6 Dec 2026 00:00–05:00 CET");
    assert_eq!(opening.schedules(), ["early", "monthly", "weekly"]);
    let open = |civil: &str| open_schedules(opening, at(&calendar, civil));
    assert_eq!(open("2026-12-06T00:59"), ["early"]);
    assert_eq!(open("2026-12-06T01:00"), ["monthly"]);
    assert_eq!(open("2026-12-06T02:00"), ["monthly", "weekly"]);
    assert_eq!(open("2026-12-06T04:00"), ["monthly"]);
    assert!(open("2026-12-06T05:00").is_empty());
    for civil in ["2026-12-06T00:00", "2026-12-06T01:00", "2026-12-06T04:59"] {
        assert_eq!(calendar.open_at(at(&calendar, civil)).unwrap().as_ref(), Some(opening));
    }
    assert_eq!(openings[1].id, "weekly-20261213T0100Z");
    // Of two that open together the first by name, wherever they are in the list.
    let together = [("weekly", "0 2 * * SUN", "2h"), ("monthly", "0 2 * * SUN#1", "1h")];
    let calendar = super::calendar("UTC", &together, Vec::new());
    let opening = calendar.next(at(&calendar, "2026-12-01T00:00")).unwrap().unwrap();
    assert_eq!(opening.id, "monthly-20261206T0200Z");
    // What one schedule is open without a pause is one part.
    let hourly = weekly("UTC", "0 * 15 JAN *", "24h");
    let opening = hourly.next(at(&hourly, "2026-01-01T00:00")).unwrap().unwrap();
    assert_eq!(opening.closes_at.duration_since(opening.opens_at), SignedDuration::from_hours(47));
    assert_eq!(opening.parts.len(), 1);
}

#[test]
fn missed_openings_are_found_in_order_and_bounded() {
    let daily = weekly("Europe/Berlin", "0 2 * * *", "1h");
    let (after, until) = (at(&daily, "2026-10-23T02:00"), at(&daily, "2026-10-26T02:00"));
    let ids = |after, until| -> Vec<String> {
        let openings = daily.starts_between(after, until).unwrap();
        openings.into_iter().map(|opening| opening.id).collect()
    };
    assert_eq!(
        ids(after, until),
        ["weekly-20261024T0000Z", "weekly-20261025T0000Z", "weekly-20261026T0100Z"]
    );
    let years = ids(at(&daily, "2020-01-01T00:00"), until);
    assert_eq!(years.len(), UPCOMING_MAX);
    assert_eq!(years.last().map(String::as_str), Some("weekly-20261026T0100Z"));
}
