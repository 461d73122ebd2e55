//! What is read, what is refused, and what is said then.

use proptest::prelude::*;

use super::*;

/// Reads `text`; an error has to hold `expected`.
#[track_caller]
fn refused(text: &str, expected: &str) {
    match Cron::parse(text) {
        Ok(cron) => panic!("{text:?} was read as {cron}"),
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
            assert!(!error.contains('\n') && error.len() < 400, "{text:?}: {error}");
        }
    }
}

/// The first times of `text` after the begin of 2026.
#[track_caller]
fn times(text: &str, expected: &[&str]) {
    let cron = Cron::parse(text).unwrap();
    let mut at: DateTime = "2025-12-31T23:59:59.999".parse().unwrap();
    for expected in expected {
        let next = cron.after(at, false).unwrap().unwrap();
        assert_eq!(next, expected.parse().unwrap(), "{text}");
        assert_eq!(cron.before(next).unwrap(), Some(next), "{text}");
        assert_eq!(cron.after(next, true).unwrap(), Some(next), "{text}");
        at = next;
    }
}

#[test]
fn five_fields_are_read() {
    times("0 2 * * SUN#1", &["2026-01-04T02:00", "2026-02-01T02:00", "2026-03-01T02:00"]);
    times("0 2 * * SUN#2,SUN#4", &["2026-01-11T02:00", "2026-01-25T02:00", "2026-02-08T02:00"]);
    times("0 2 * * SUNL", &["2026-01-25T02:00", "2026-02-22T02:00", "2026-03-29T02:00"]);
    times("0 2 * * sun#4", &["2026-01-25T02:00", "2026-02-22T02:00", "2026-03-22T02:00"]);
    times("0 2 * * SUN#5", &["2026-03-29T02:00", "2026-05-31T02:00", "2026-08-30T02:00"]);
    times("0 3 L * *", &["2026-01-31T03:00", "2026-02-28T03:00", "2026-03-31T03:00"]);
    times("0 3 15W * *", &["2026-01-15T03:00", "2026-02-16T03:00", "2026-03-16T03:00"]);
    times("0 3 LW * *", &["2026-01-30T03:00", "2026-02-27T03:00", "2026-03-31T03:00"]);
    times("0 3 29 FEB *", &["2028-02-29T03:00", "2032-02-29T03:00"]);
    times("30 2 1 JAN,MAR-APR *", &["2026-01-01T02:30", "2026-03-01T02:30", "2026-04-01T02:30"]);
    times("30 2 1 1,3-4 *", &["2026-01-01T02:30", "2026-03-01T02:30", "2026-04-01T02:30"]);
    times(" */20   2 1  * * ", &["2026-01-01T02:00", "2026-01-01T02:20", "2026-01-01T02:40"]);
    times("10-40/15 2 1 JAN *", &["2026-01-01T02:10", "2026-01-01T02:25", "2026-01-01T02:40"]);
    times("0 9 * * MON-FRI", &["2026-01-01T09:00", "2026-01-02T09:00", "2026-01-05T09:00"]);
    times("0 9 * * FRI-SUN,MON", &["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]);
    times("0 9 * * SUN-TUE", &["2026-01-04T09:00", "2026-01-05T09:00", "2026-01-06T09:00"]);
    times("0 9 * * MON-FRI/2", &["2026-01-02T09:00", "2026-01-05T09:00", "2026-01-07T09:00"]);
    assert_eq!(Cron::parse(" 0  2 * jan sun ").unwrap().as_str(), "0 2 * JAN SUN");
}

#[test]
fn both_days_are_refused_with_what_was_meant() {
    refused("0 2 1-7 * SUN", "write `0 2 * * SUN#1`");
    refused("0 2 8-14 * MON", "write `0 2 * * MON#2`");
    refused("0 2 15-21 JAN MON,WED", "write `0 2 * JAN MON#3,WED#3`");
    refused("0 2 22-28 * FRI", "write `0 2 * * FRI#4`");
    refused("0 2 25-31 * FRI", "write `0 2 * * FRIL`");
    refused("0 2 1,2,3,4,5,6,7 * SUN", "write `0 2 * * SUN#1`");
    refused("0 2 13 * FRI", "write only one of them, where `SUN#1` is the first Sunday");
    refused("0 2 1-7 * MON-FRI", "write only one of them");
    refused("0 2 */2 * SUN", "write only one of them");
    refused("0 2 1-7 * SUN#1", "write only one of them");
}

#[test]
fn ranges_past_the_end_are_refused_with_their_halves() {
    refused("0 2 * * FRI-MON", "write `FRI-SUN,MON`");
    refused("0 2 * * SAT-TUE", "write `SAT-SUN,MON-TUE`");
    refused("0 22-4 * * *", "write `22-23,0-4`");
    refused("0 23-4 * * *", "write `23,0-4`");
    refused("0 2 28-3 * *", "write `28-31,1-3`");
    refused("0 2 1 NOV-FEB *", "write `NOV-DEC,JAN-FEB`");
    refused("50-10 2 * * *", "write `50-59,0-10`");
    refused("0 2 * * SUN-SUN", "write `SUN` or `*`");
}

#[test]
fn weekdays_have_names() {
    refused("0 2 * * 0", "write SUN for 0");
    refused("0 2 * * 1", "weekday 1 is MON for cron, but SUN for AWS and Quartz: write the name");
    refused("0 2 * * 7", "weekday 7 is SUN for cron, but SAT for AWS and Quartz: write the name");
    refused("0 2 * * 1-5", "write the name");
    refused("0 2 * * 5L", "weekday 5 is FRI for cron, but THU for AWS and Quartz");
    refused("0 2 * * 0#1", "write SUN for 0");
    refused("0 2 * * 8", "is not a weekday");
    refused("0 2 * * SUNDAY", "is not a weekday");
    refused("0 2 * * SUN#6", "write `SUN#1` to `SUN#5`");
    refused("0 2 * * SUN#L", "written `SUNL` here");
    refused("0 2 * * MON-FRI#1", "is not a weekday");
    refused("0 2 * * */2", "write their names");
    refused("0 2 * * MON/2", "write their names");
    refused("0 2 * * L", "is not a weekday");
    refused("0 2 * * MAR", "is not a weekday");
}

#[test]
fn other_dialects_are_refused_with_what_to_write() {
    refused("@daily", "write five fields, like `0 0 * * *`");
    refused("@weekly", "like `0 0 * * SUN`");
    refused("@reboot", "write five fields");
    refused("TZ=Europe/Berlin 0 2 * * *", "write it in `timeZone`");
    refused("CRON_TZ=UTC 0 2 * * *", "write it in `timeZone`");
    refused("0 2 ? * SUN", "write `0 2 * * SUN`");
    refused("0 0 2 * * SUN", "and no seconds: write `0 2 * * SUN`");
    refused("0 2 * * SUN 2026", "and no year: write `0 2 * * SUN`");
    refused("cron(0 2 ? * SUN *)", "write `*`");
    refused("0 0 2 * * SUN 2026", "and not 7");
    refused("0 2 * *", "and not 4: write `0 2 * * SUN`");
    refused("", "and not 0");
    refused("0 2 L-3 * *", "write `L` for the last day");
    refused("0 2 L,LW * *", "exclude each other");
    refused("5/10 2 * * *", "write `5-59/10`");
    refused("/10 2 * * *", "is not a minute");
    refused("*/0 2 * * *", "is not a step");
    refused("*/90 2 * * *", "is not a step");
    refused("60 2 * * *", "numbers from 0 to 59");
    refused("0 24 * * *", "numbers from 0 to 23");
    refused("0 2 0 * *", "numbers from 1 to 31");
    refused("0 2 32 * *", "numbers from 1 to 31");
    refused("0 2 32W * *", "numbers from 1 to 31");
    refused("0 2 1 13 *", "numbers from 1 to 12, names like JAN");
    refused("0 2 1 JANUARY *", "is not a month");
    refused("0 2 1, * *", "is not a day of month");
    refused("+1 2 * * *", "is not a minute");
    refused("0 2 * * +SUN", "is not a weekday");
    refused("0 2 １ * *", "is not a day of month");
    refused("* * * * *", "starts 1440 times a day, at most 96");
    refused("*/10 * * * *", "starts 144 times a day");
    refused(&"1,".repeat(200), "write less");
    assert!(Cron::parse("*/15 * * * *").is_ok());
}

#[test]
fn days_that_never_come_are_known() {
    for (text, exists, missing) in [
        ("0 2 30 FEB *", false, Some("day 30")),
        ("0 2 31 APR,JUN *", false, Some("day 31")),
        ("0 2 29 FEB *", true, Some("day 29")),
        ("0 2 31 * *", true, Some("day 31")),
        ("0 2 31 JAN,MAR *", true, None),
        ("0 2 28,31 * *", true, None),
        ("0 2 L * *", true, None),
        ("0 2 31W * *", true, Some("day 31")),
        ("0 2 * * SUN#5", true, Some("`SUN#5`")),
        ("0 2 * * SUN#5,SUN#1", true, None),
        ("0 2 * * SUN", true, None),
    ] {
        let cron = Cron::parse(text).unwrap();
        assert_eq!((cron.exists(), cron.missing()), (exists, missing), "{text}");
        let begin = "2026-01-01T00:00".parse().unwrap();
        assert_eq!(cron.after(begin, true).unwrap().is_some(), exists, "{text}");
        assert_eq!(cron.before(begin).unwrap().is_some(), exists, "{text}");
    }
}

#[test]
fn the_longest_pause_is_bridged() {
    let cron = Cron::parse("0 2 * FEB SUN#5").unwrap();
    let next = cron.after("2088-03-01T00:00".parse().unwrap(), true).unwrap();
    assert_eq!(next, Some("2128-02-29T02:00".parse().unwrap()));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        let _ = Cron::parse(&text);
    }

    #[test]
    fn any_fields_are_read_or_refused(text in "([0-9*/,LW#-]|JAN|SUN|MON| ){1,16}") {
        let _ = Cron::parse(&text);
    }

    #[test]
    fn what_is_read_names_times(
        minute in "[0-9*]{1,2}(/[0-9])?", hour in "[0-9]{1,2}(-[0-9]{1,2})?",
        day in "(\\*|L|LW|[0-9]{1,2}W?|[0-9]{1,2}-[0-9]{1,2})", month in "(\\*|[0-9]{1,2}|FEB|JUL)",
    ) {
        if let Ok(cron) = Cron::parse(&format!("{minute} {hour} {day} {month} *")) {
            let begin = "2026-01-01T00:00".parse().unwrap();
            let next = cron.after(begin, true).unwrap();
            prop_assert_eq!(next.is_some(), cron.exists());
            prop_assert!(next.is_none_or(|next| cron.times().any(|time| time == next.time())));
        }
    }
}
