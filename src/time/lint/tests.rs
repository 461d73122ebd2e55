//! Each rule: what it finds, and what it leaves alone.

use super::*;
use crate::time::{Blackout, Cron, Length, Overlap, Times};

fn schedule(start: &str, hours: i64) -> Schedule {
    let start = start.parse().map_or_else(
        |_| Start::Cron { cron: Cron::parse(start).unwrap(), plus_days: 0 },
        Start::Once,
    );
    Schedule { name: "a".into(), start, length: Length::For(SignedDuration::from_hours(hours)) }
}

#[track_caller]
fn found(zone: &str, schedule: Schedule, blackouts: Vec<Blackout>) -> Vec<(Rule, String)> {
    let zone = Zone::parse(zone).unwrap();
    let calendar = Calendar::new(zone, Times::Schedules(vec![schedule]), blackouts).unwrap();
    let findings = lint(&calendar, "2026-11-21T00:00:00Z".parse().unwrap()).unwrap();
    findings.into_iter().map(|finding| (finding.rule, finding.message)).collect()
}

#[track_caller]
fn check(start: &str, hours: i64, expected: Option<(Rule, &str)>) {
    let expected: Vec<_> =
        expected.into_iter().map(|(rule, text)| (rule, text.to_owned())).collect();
    assert_eq!(found("Europe/Berlin", schedule(start, hours), Vec::new()), expected, "{start}");
}

#[test]
fn a_day_that_some_months_do_not_have_is_told() {
    check(
        "0 2 * * SUN#5",
        2,
        Some((
            Rule::NotEveryMonth,
            "schedule a: `SUN#5` does not exist in every month of `0 2 * * SUN#5`: write `L`, or a weekday like `SUNL`, if the last one is meant",
        )),
    );
    check(
        "0 2 31 * *",
        2,
        Some((
            Rule::NotEveryMonth,
            "schedule a: day 31 does not exist in every month of `0 2 31 * *`: write `L`, or a weekday like `SUNL`, if the last one is meant",
        )),
    );
    check("0 2 * * SUN#1", 2, None);
    check("0 2 L * *", 2, None);
}

#[test]
fn a_schedule_that_never_opens_is_told() {
    check(
        "0 2 30 FEB *",
        2,
        Some((Rule::NeverOpens, "schedule a never opens: there is no day like `0 2 30 FEB *`")),
    );
    check(
        "2026-11-20T02:00",
        2,
        Some((Rule::Over, "schedule a does not open any more: 20 Nov 2026 02:00 is over")),
    );
    check("2026-12-05T23:00", 7, None);
    // It is open.
    check("2026-11-20T23:00", 7, None);
    // What is to come, and never will.
    let until = Length::Until("03:00".parse().unwrap());
    let skipped = Schedule { length: until, ..schedule("2027-03-28T02:30", 1) };
    let message = "schedule a never opens: clocks skip 28 Mar 2027 02:30 and all of it";
    assert_eq!(
        found("Europe/Berlin", skipped, Vec::new()),
        [(Rule::NeverOpens, message.to_owned())]
    );
}

#[test]
fn a_schedule_that_blackouts_swallow_is_told() {
    let freeze = |until: &str, on_overlap| Blackout {
        name: "freeze".into(),
        from: "2026-11-01T00:00".parse().unwrap(),
        until: until.parse().unwrap(),
        yearly: false,
        reason: String::new(),
        on_overlap,
    };
    for overlap in [Overlap::Skip, Overlap::Truncate] {
        let told =
            found("UTC", schedule("0 2 * * SUN", 2), vec![freeze("2028-01-01T00:00", overlap)]);
        let message =
            "schedule a does not open within a year: each of its occurrences overlaps a blackout";
        assert_eq!(told, [(Rule::OnlyInBlackouts, message.to_owned())]);
        assert_eq!(
            found("UTC", schedule("0 2 * * SUN", 2), vec![freeze("2027-11-01T00:00", overlap)]),
            []
        );
    }
    // Nothing is swallowed of what does not come in that time.
    assert_eq!(
        found(
            "UTC",
            schedule("2028-02-01T00:00", 2),
            vec![freeze("2028-01-01T00:00", Overlap::Skip)]
        ),
        []
    );
}

#[test]
fn a_pattern_that_starts_again_before_it_ends_is_told() {
    check(
        "0 * 15 JAN *",
        24,
        Some((
            Rule::StartsAgain,
            "schedule a: `0 * 15 JAN *` starts 24 times before it closes, and so stays open for 47h: write `0 0 15 JAN *` if it should start once",
        )),
    );
    check(
        "* 2 * * SUN",
        2,
        Some((
            Rule::StartsAgain,
            "schedule a: `* 2 * * SUN` starts 60 times before it closes, and so stays open for 2h59m: write `0 2 * * SUN` if it should start once",
        )),
    );
    check("0 */6 * * *", 1, None);
    // Named times are meant.
    check("0 2,3 * * SUN", 2, None);
}

#[test]
fn a_zone_whose_name_misleads_is_told() {
    let told = |zone: &str| found(zone, schedule("0 2 * * SUN", 2), Vec::new());
    let message = |text: &str| vec![(Rule::SummerTime, text.to_owned())];
    assert_eq!(
        told("CET"),
        message("the time zone CET keeps summer time: write Etc/GMT-1 if clocks should not change")
    );
    assert_eq!(
        told("EST"),
        message(
            "the time zone EST keeps no summer time: write America/New_York if clocks should change"
        )
    );
    assert_eq!(told("Etc/GMT-1"), []);
}

#[test]
fn what_is_said_of_zones_is_so() {
    let changes = |name: &str| {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Zone::parse(name).unwrap().next_change(at).is_some()
    };
    for (zone, fixed) in WITH_SUMMER_TIME {
        assert!(changes(zone) && !changes(fixed), "{zone}");
        let zones = [zone, fixed].map(|name| Zone::parse(name).unwrap());
        let winter = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(zones[0].local(winter), zones[1].local(winter), "{zone}");
    }
    for (zone, place) in WITHOUT_SUMMER_TIME {
        assert!(!changes(zone) && changes(place), "{zone}");
    }
}

#[test]
fn a_schedule_that_is_no_longer_than_the_cutoff_is_told() {
    let told = |schedules: Vec<Schedule>, cutoff: i64| {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let calendar = Calendar::new(zone, Times::Schedules(schedules), Vec::new()).unwrap();
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let found = takes_no_work(&calendar, SignedDuration::from_mins(cutoff), now).unwrap();
        found.into_iter().map(|finding| (finding.rule, finding.message)).collect::<Vec<_>>()
    };
    let expected = |length: &str, cutoff: &str| {
        let message = format!(
            "schedule a takes no new work: it is open for {length}, and cutoff is {cutoff}: write a shorter cutoff, or a longer duration"
        );
        vec![(Rule::TakesNoWork, message)]
    };
    let weekly = || schedule("0 2 * * SUN", 2);
    assert_eq!(told(vec![weekly()], 119), []);
    assert_eq!(told(vec![weekly()], 120), expected("2h", "2h"));
    let until = Schedule { length: Length::Until("04:30".parse().unwrap()), ..weekly() };
    assert_eq!(told(vec![until.clone()], 149), []);
    assert_eq!(told(vec![until], 180), expected("2h 30m", "3h"));
    let longer = Schedule { name: "b".into(), ..schedule("0 2 * * MON", 4) };
    assert_eq!(told(vec![weekly(), longer], 180), expected("2h", "3h"));
    // What is over, and what is open once.
    assert_eq!(told(vec![schedule("2026-11-20T02:00", 2)], 180), []);
    assert_eq!(told(vec![schedule("2026-11-21T00:30", 2)], 180), expected("2h", "3h"));
}
