use proptest::prelude::*;

use super::*;

fn owner() -> Owner {
    Owner { cluster: "prod".into(), namespace: "flightdata".into(), name: "weekly".into() }
}

fn rule(starts_at: &str, minutes: i64) -> NewMuteRule {
    NewMuteRule {
        name: OwnMuteRule::of(&owner(), "20261206T0200Z", 1),
        description: String::new(),
        alarms: vec!["a".into()],
        starts_at: starts_at.parse().unwrap(),
        duration: SignedDuration::from_mins(minutes),
        tags: Vec::new(),
    }
}

#[test]
fn a_schedule_is_written_in_utc_and_read_back() {
    for (minutes, words) in [
        (1, "PT1M"),
        (60, "PT1H"),
        (150, "PT2H30M"),
        (1_440, "P1D"),
        (3_600, "P2DT12H"),
        (21_600, "P15D"),
        (21_599, "P14DT23H59M"),
    ] {
        let rule = rule("2026-12-06T01:05:00Z", minutes);
        let (expression, duration) = rule.schedule();
        assert_eq!((&*expression, &*duration), ("at(2026-12-06T01:05)", words));
        let NewMuteRule { starts_at, duration: lasts, .. } = rule;
        for zone in [None, Some(""), Some("UTC"), Some("Etc/UTC")] {
            let read = MuteSchedule::read(&expression, &duration, zone);
            assert_eq!(read, MuteSchedule::Once { starts_at, duration: lasts });
        }
    }
}

#[test]
fn what_is_not_ours_to_understand_keeps_its_words() {
    let foreign = [
        ("cron(0 2 * * SUN)", "PT4H", Some("Europe/London")),
        ("at(2026-12-06T01:05)", "PT4H", Some("Europe/London")),
        ("at(2026-13-06T01:05)", "PT4H", None),
        ("at(2026-12-06T01:05:30)", "PT4H", None),
        ("at(2026-12-06T01:05)", "4h", None),
        ("at(2026-12-06T01:05)", "P", None),
        ("at(2026-12-06T01:05)", "PT", None),
        ("at(2026-12-06T01:05)", "PT1M2H", None),
        ("at(2026-12-06T01:05)", "PT-5M", None),
        ("at(2026-12-06T01:05)", "PT99999999999999999999H", None),
        ("", "", None),
    ];
    for (expression, duration, zone) in foreign {
        let other = MuteSchedule::Other {
            expression: expression.into(),
            duration: duration.into(),
            zone: zone.unwrap_or_default().into(),
        };
        assert_eq!(MuteSchedule::read(expression, duration, zone), other);
    }
}

#[test]
fn what_cloudwatch_would_not_take_is_found_before() {
    let good = rule("2026-12-06T01:05:00Z", 60);
    assert_eq!(good.fault(), None);
    let alarms = |count: usize| NewMuteRule { alarms: vec!["a".into(); count], ..good.clone() };
    assert_eq!(alarms(100).fault(), None);
    let duration = |duration| NewMuteRule { duration, ..good.clone() };
    for (bad, words) in [
        (alarms(0), "1 to 100 alarms, not 0"),
        (alarms(101), "1 to 100 alarms, not 101"),
        (rule("2026-12-06T01:05:01Z", 60), "no whole minute"),
        (rule("2026-12-06T01:05:00.5Z", 60), "no whole minute"),
        (rule("2026-12-06T01:05:00Z", 0), "whole minutes"),
        (rule("2026-12-06T01:05:00Z", 21_601), "whole minutes"),
        (duration(SignedDuration::from_secs(61)), "whole minutes"),
        (duration(SignedDuration::new(60, 1)), "whole minutes"),
    ] {
        let fault = bad.fault().unwrap();
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn only_rules_of_this_cluster_are_ours() {
    let own = OwnMuteRule::of(&owner(), "20261206T0200Z", 1);
    assert_eq!(OwnMuteRule::found("prod", own.as_str()), Some(own.clone()));
    assert_eq!(OwnMuteRule::found("test", own.as_str()), None);
    assert_eq!(OwnMuteRule::found("prod", "nightly-mute"), None);
    assert!(own.is_of(&owner()));
    for other in [
        Owner { name: "week".into(), ..owner() },
        Owner { name: "weekly-2".into(), ..owner() },
        Owner { namespace: "flight".into(), ..owner() },
        Owner { cluster: "pro".into(), ..owner() },
    ] {
        assert!(!own.is_of(&other), "{other:?}");
    }
}

proptest! {
    #[test]
    fn any_words_are_read_without_a_panic(expression in ".{0,40}", duration in "[PTDHMS0-9]{0,12}") {
        let _ = MuteSchedule::read(&expression, &duration, None);
    }

    #[test]
    fn every_schedule_is_read_back(minute in 29_000_000_i64..40_000_000, minutes in 1_i64..=21_600) {
        let starts_at = Timestamp::from_second(minute * 60).unwrap();
        let rule = NewMuteRule { starts_at, ..rule("2026-12-06T01:05:00Z", minutes) };
        prop_assert_eq!(rule.fault(), None);
        let (expression, duration) = rule.schedule();
        let read = MuteSchedule::read(&expression, &duration, None);
        prop_assert_eq!(read, MuteSchedule::Once { starts_at, duration: rule.duration });
    }
}
