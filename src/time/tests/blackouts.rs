//! Blackouts: what they leave, when they hold, and what a gate says.

use super::*;

fn ids(calendar: &Calendar, from: &str, most: usize) -> Vec<String> {
    let openings = calendar.upcoming(at(calendar, from), most).unwrap();
    openings.into_iter().map(|opening| opening.id).collect()
}

fn yearly(from: &str, until: &str) -> Blackout {
    Blackout { yearly: true, ..blackout("yearly", from, until, Overlap::Skip) }
}

#[test]
fn skip_leaves_nothing_of_an_occurrence_that_overlaps() {
    let freeze = blackout("freeze", "2026-12-06T03:00", "2026-12-13T02:00", Overlap::Skip);
    let calendar = calendar("UTC", &[("weekly", "0 2 * * SUN", "2h")], vec![freeze]);
    // The first one overlaps its begin; the second one begins as it ends.
    assert_eq!(
        ids(&calendar, "2026-11-29T00:00", 2),
        ["weekly-20261129T0200Z", "weekly-20261213T0200Z"]
    );
    assert_eq!(calendar.open_at(at(&calendar, "2026-12-06T02:30")), Ok(None));
    let last = calendar.last_start(at(&calendar, "2026-12-13T01:59")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20261129T0200Z");
}

#[test]
fn truncate_leaves_what_lies_outside() {
    let freeze = blackout("freeze", "2026-12-06T03:00", "2026-12-06T04:00", Overlap::Truncate);
    let calendar = calendar("UTC", &[("weekly", "0 2 * * SUN", "3h")], vec![freeze]);
    check(
        &calendar,
        "2026-12-05T00:00",
        &[
            "Sun 6 Dec 2026 02:00–03:00 UTC",
            "Sun 6 Dec 2026 04:00–05:00 UTC",
            "Sun 13 Dec 2026 02:00–05:00 UTC",
        ],
    );
    assert_eq!(
        ids(&calendar, "2026-12-05T00:00", 2),
        ["weekly-20261206T0200Z", "weekly-20261206T0400Z"]
    );
    // Also when it is asked for from inside the blackout, or after.
    assert_eq!(ids(&calendar, "2026-12-06T03:30", 1), ["weekly-20261206T0400Z"]);
    let last = |civil: &str| calendar.last_start(at(&calendar, civil)).unwrap().unwrap().id;
    assert_eq!(last("2026-12-06T03:59"), "weekly-20261206T0200Z");
    assert_eq!(last("2026-12-06T04:00"), "weekly-20261206T0400Z");
    assert_eq!(last("2026-12-12T04:00"), "weekly-20261206T0400Z");
}

#[test]
fn skip_wins_over_truncate() {
    let blackouts = vec![
        blackout("short", "2026-12-06T03:00", "2026-12-06T03:10", Overlap::Truncate),
        blackout("freeze", "2026-12-06T03:50", "2026-12-06T05:00", Overlap::Skip),
    ];
    let calendar = calendar("UTC", &[("weekly", "0 2 * * SUN", "2h")], blackouts);
    assert_eq!(ids(&calendar, "2026-12-05T00:00", 1), ["weekly-20261213T0200Z"]);
}

#[test]
fn long_blackouts_are_stepped_over() {
    let century = blackout("long", "2001-01-01T00:00", "2030-01-01T00:00", Overlap::Skip);
    let quarters = [("weekly", "*/15 * * * *", "5m")];
    let calendar = super::calendar("Europe/Berlin", &quarters, vec![century.clone()]);
    assert_eq!(ids(&calendar, "2026-12-05T00:00", 1), ["weekly-20291231T2300Z"]);
    let last = calendar.last_start(at(&calendar, "2026-12-05T00:00")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20001231T2245Z");
    let cut = Blackout { on_overlap: Overlap::Truncate, ..century };
    let calendar =
        super::calendar("Europe/Berlin", &[("weekly", "*/15 * * * *", "10m")], vec![cut]);
    assert_eq!(ids(&calendar, "2026-12-05T00:00", 1), ["weekly-20291231T2300Z"]);
    let last = calendar.last_start(at(&calendar, "2026-12-05T00:00")).unwrap().unwrap();
    assert_eq!(last.id, "weekly-20001231T2245Z");
}

#[test]
fn yearly_blackouts_come_back_and_may_go_over_new_year() {
    for until in ["2026-01-02T00:00", "2027-01-02T00:00"] {
        let calendar = calendar(
            "UTC",
            &[("daily", "0 2 * * *", "1h")],
            vec![yearly("2026-12-24T00:00", until)],
        );
        for year in [2020, 2026, 2031] {
            let next = year + 1;
            let ids = ids(&calendar, &format!("{year}-12-23T00:00"), 2);
            assert_eq!(ids, [format!("daily-{year}1223T0200Z"), format!("daily-{next}0102T0200Z")]);
        }
    }
}

#[test]
fn a_leap_day_is_the_first_of_march_in_other_years() {
    let held = |from: &str, until: &str, at: &str| {
        let zone = Zone::utc();
        let calendar = Calendar::new(zone, Times::Always, vec![yearly(from, until)]).unwrap();
        calendar.blackout_at(super::at(&calendar, at)).is_some()
    };
    for (at, expected) in [
        ("2028-02-28T23:59", false),
        ("2028-02-29T00:00", true),
        ("2028-03-01T23:59", true),
        ("2027-02-28T23:59", false),
        ("2027-03-01T00:00", true),
        ("2027-03-02T00:00", false),
    ] {
        assert_eq!(held("2028-02-29T00:00", "2028-03-02T00:00", at), expected, "{at}");
    }
    // A blackout of that day only does not hold in other years.
    assert!(held("2028-02-29T00:00", "2028-03-01T00:00", "2028-02-29T12:00"));
    for at in ["2027-02-28T12:00", "2027-03-01T00:00", "2027-07-01T00:00"] {
        assert!(!held("2028-02-29T00:00", "2028-03-01T00:00", at), "{at}");
    }
}

#[test]
fn a_blackout_is_never_shorter_than_the_wall_clock_says() {
    let blackouts = vec![
        blackout("gap", "2026-03-29T02:15", "2026-03-29T02:45", Overlap::Skip),
        blackout("fold", "2026-10-25T02:15", "2026-10-25T02:45", Overlap::Skip),
    ];
    let calendar =
        Calendar::new(Zone::parse("Europe/Berlin").unwrap(), Times::Always, blackouts).unwrap();
    let spring = at(&calendar, "2026-03-29T03:00");
    assert_eq!(calendar.blackout_at(spring), None);
    let held = calendar.blackout_at("2026-10-25T01:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(held.from, "2026-10-25T00:15:00Z".parse().unwrap());
    assert_eq!(held.until, "2026-10-25T01:45:00Z".parse().unwrap());
}

#[test]
fn a_gate_says_until_when() {
    let freeze = blackout("freeze", "2026-12-18T00:00", "2027-01-04T00:00", Overlap::Truncate);
    let longer = blackout("longer", "2026-12-20T00:00", "2027-01-10T00:00", Overlap::Truncate);
    let schedules = [("weekly", "0 2 * * SUN", "2h")];
    let scheduled = calendar("UTC", &schedules, vec![freeze.clone(), longer.clone()]);
    let until = |civil: &str| Gate::Open { until: Some(at(&scheduled, civil)) };
    let gate = |calendar: &Calendar, civil: &str| match calendar.gate(at(calendar, civil)).unwrap()
    {
        Gate::Blackout(held) => Err(held.blackout.name.clone()),
        open => Ok(format!("{open:?}")),
    };
    let said = |gate: Gate<'_>| Ok(format!("{gate:?}"));
    assert_eq!(gate(&scheduled, "2026-12-06T02:00"), said(until("2026-12-06T04:00")));
    assert_eq!(gate(&scheduled, "2026-12-06T04:00"), said(Gate::Closed));
    assert_eq!(gate(&scheduled, "2026-12-18T00:00"), Err("freeze".into()));
    assert_eq!(gate(&scheduled, "2026-12-21T00:00"), Err("longer".into()));
    let always = Calendar::new(Zone::utc(), Times::Always, vec![freeze, longer]).unwrap();
    assert!(always.is_always() && !scheduled.is_always());
    assert_eq!(gate(&always, "2026-12-06T04:00"), said(until("2026-12-18T00:00")));
    assert_eq!(gate(&always, "2026-12-30T00:00"), Err("longer".into()));
    assert_eq!(gate(&always, "2027-01-10T00:00"), said(Gate::Open { until: None }));
    assert_eq!(always.next(at(&always, "2026-12-06T04:00")), Ok(None));
    assert_eq!(always.last_start(at(&always, "2026-12-06T04:00")), Ok(None));
}
