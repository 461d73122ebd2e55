mod told;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    calendar,
    openings::{Forecast, Severity},
    show,
};
use crate::{
    api::maintenance_window::MaintenanceWindow,
    cli::{manifest, terminal::Terminal},
};

const WIDE: Terminal = Terminal { colour: false, width: None };
const WEEKLY: &str = include_str!("../../../examples/maintenancewindow.yaml");
const EMERGENCY: &str = include_str!("../../../examples/maintenancewindow-emergency.yaml");

fn at(time: &str) -> Timestamp {
    format!("{time}:00Z").parse().unwrap()
}

/// So many days from `from` on.
fn forecast(windows: &[MaintenanceWindow], from: &str, days: i64) -> Forecast {
    let from = at(from);
    let mut forecast = Forecast::new(from, from + SignedDuration::from_hours(days * 24));
    windows.iter().for_each(|window| forecast.add(window));
    forecast.sort();
    forecast
}

fn examples() -> Vec<MaintenanceWindow> {
    let read = |text| manifest::read(text, "example", "default").unwrap().objects;
    [WEEKLY, EMERGENCY].into_iter().flat_map(read).collect()
}

fn window(name: &str, spec: Value, status: Value) -> MaintenanceWindow {
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "MaintenanceWindow",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec, "status": status,
    }))
    .unwrap()
}

fn weekly() -> Value {
    json!({"timeZone": "Europe/Berlin",
           "schedules": [{"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"}]})
}

fn with(mut spec: Value, change: Value) -> Value {
    spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    spec
}

#[test]
fn openings_of_all_windows_are_told_in_order_with_what_blackouts_take_away() {
    let text = show::render(&forecast(&examples(), "2026-12-01T00:00", 45), WIDE);
    insta::assert_snapshot!(text, @r"
    WINDOW     SCHEDULES       LOCAL TIME                                       UTC                                LENGTH  NOTE
    weekly     monthly,weekly  Sun 6 Dec 2026 01:00–06:00 CET                   2026-12-06 00:00–05:00             5h
    weekly     patch-tuesday   Thu 10 Dec 2026 22:00–Fri 11 Dec 2026 01:00 CET  2026-12-10 21:00–2026-12-11 00:00  3h
    weekly     weekly          Sun 13 Dec 2026 02:00–04:00 CET                  2026-12-13 01:00–03:00             2h
    weekly     weekly          Sun 20 Dec 2026 02:00–04:00 CET                  2026-12-20 01:00–03:00             -       skipped: blackout year-end (change freeze)
    disk-full  fix             Sun 20 Dec 2026 14:00–17:00 CET                  2026-12-20 13:00–16:00             3h      emergency for weekly: the disk of prod-db is full
    weekly     weekly          Sun 27 Dec 2026 02:00–04:00 CET                  2026-12-27 01:00–03:00             -       skipped: blackout year-end (change freeze)
    weekly     monthly,weekly  Sun 3 Jan 2027 01:00–06:00 CET                   2027-01-03 00:00–05:00             -       skipped: blackout year-end (change freeze)
    weekly     weekly          Sun 10 Jan 2027 02:00–04:00 CET                  2027-01-10 01:00–03:00             2h
    weekly     patch-tuesday   Thu 14 Jan 2027 22:00–Fri 15 Jan 2027 01:00 CET  2027-01-14 21:00–2027-01-15 00:00  3h
    ");
}

#[test]
fn what_clocks_do_to_an_opening_is_told() {
    let windows = [
        window("weekly", weekly(), Value::Null),
        window(
            "nightly",
            json!({"timeZone": "America/New_York", "schedules": [
                {"name": "nightly", "cron": "30 2 * * SUN", "until": "04:00"}]}),
            Value::Null,
        ),
    ];
    let text = show::render(&forecast(&windows, "2027-03-12T00:00", 17), WIDE);
    insta::assert_snapshot!(text, @r"
    WINDOW   SCHEDULES  LOCAL TIME                        UTC                     LENGTH  NOTE
    weekly   weekly     Sun 14 Mar 2027 02:00–04:00 CET   2027-03-14 01:00–03:00  2h
    nightly  nightly    Sun 14 Mar 2027 03:00–04:00 EDT   2027-03-14 07:00–08:00  1h      02:30 does not exist on 14 Mar 2027: opens at 03:00 EDT
    weekly   weekly     Sun 21 Mar 2027 02:00–04:00 CET   2027-03-21 01:00–03:00  2h
    nightly  nightly    Sun 21 Mar 2027 02:30–04:00 EDT   2027-03-21 06:30–08:00  1h30m
    weekly   weekly     Sun 28 Mar 2027 03:00–05:00 CEST  2027-03-28 01:00–03:00  2h      02:00 does not exist on 28 Mar 2027: opens at 03:00 CEST
    nightly  nightly    Sun 28 Mar 2027 02:30–04:00 EDT   2027-03-28 06:30–08:00  1h30m
    ");
}

#[test]
fn what_keeps_an_opening_from_happening_is_told() {
    let opened = json!({
        "current": {
            "id": "weekly-20261206T0100Z", "parts": [], "opensAt": "2026-12-06T01:00:00Z",
            "closesAt": "2026-12-06T03:30:00Z", "closes": "", "extendedBy": "30m",
            "openedAt": "2026-12-06T01:00:01Z", "spec": weekly(),
        },
        "skipped": [{"id": "weekly-20261213T0100Z", "until": "2026-12-13T03:00:00Z"}],
    });
    let closed = json!({"history": [
        {"id": "weekly-20261206T0100Z", "opensAt": "2026-12-06T01:00:00Z",
         "closesAt": "2026-12-06T03:00:00Z", "outcome": "Completed",
         "message": "jane closed it before its time"}]});
    let freeze = json!([
        {"name": "early", "from": "2026-12-20", "until": "2026-12-20T03:00", "onOverlap": "Truncate"},
        {"name": "late", "from": "2026-12-27", "until": "2027-01-02"}]);
    let dark = json!({"blackouts": [{"name": "freeze", "from": "2026-12-18", "until": "2027-01-04",
                                     "reason": "sales"}]});
    let always = json!({"timeZone": "Etc/UTC", "always": true});
    let windows = [
        window("open", with(weekly(), json!({ "blackouts": freeze })), opened),
        window("closed", weekly(), closed),
        window("quiet", with(weekly(), json!({"suspend": true})), Value::Null),
        window("audit", with(weekly(), json!({"mode": "Audit"})), Value::Null),
        window("dev", with(always.clone(), dark), Value::Null),
        window("test", with(always, json!({"suspend": true})), Value::Null),
    ];
    let text = show::render(&forecast(&windows, "2026-12-06T02:00", 22), WIDE);
    insta::assert_snapshot!(text, @r"
    WINDOW  SCHEDULES  LOCAL TIME                       UTC                     LENGTH  NOTE
    audit   weekly     Sun 6 Dec 2026 02:00–04:00 CET   2026-12-06 01:00–03:00  -       the window is in Audit: its gate stays closed
    closed  weekly     Sun 6 Dec 2026 02:00–04:00 CET   2026-12-06 01:00–03:00  -       Completed: jane closed it before its time
    open    weekly     Sun 6 Dec 2026 02:00–04:30 CET   2026-12-06 01:00–03:30  2h30m   extended by 30m
    quiet   weekly     Sun 6 Dec 2026 02:00–04:00 CET   2026-12-06 01:00–03:00  -       the window is suspended
    audit   weekly     Sun 13 Dec 2026 02:00–04:00 CET  2026-12-13 01:00–03:00  -       the window is in Audit: its gate stays closed
    closed  weekly     Sun 13 Dec 2026 02:00–04:00 CET  2026-12-13 01:00–03:00  2h
    open    weekly     Sun 13 Dec 2026 02:00–04:00 CET  2026-12-13 01:00–03:00  -       skipped by a person
    quiet   weekly     Sun 13 Dec 2026 02:00–04:00 CET  2026-12-13 01:00–03:00  -       the window is suspended
    audit   weekly     Sun 20 Dec 2026 02:00–04:00 CET  2026-12-20 01:00–03:00  -       the window is in Audit: its gate stays closed
    closed  weekly     Sun 20 Dec 2026 02:00–04:00 CET  2026-12-20 01:00–03:00  2h
    quiet   weekly     Sun 20 Dec 2026 02:00–04:00 CET  2026-12-20 01:00–03:00  -       the window is suspended
    open    weekly     Sun 20 Dec 2026 03:00–04:00 CET  2026-12-20 02:00–03:00  1h      shortened by blackout early: planned Sun 20 Dec 2026 02:00–04:00 CET
    audit   weekly     Sun 27 Dec 2026 02:00–04:00 CET  2026-12-27 01:00–03:00  -       the window is in Audit: its gate stays closed
    closed  weekly     Sun 27 Dec 2026 02:00–04:00 CET  2026-12-27 01:00–03:00  2h
    open    weekly     Sun 27 Dec 2026 02:00–04:00 CET  2026-12-27 01:00–03:00  -       skipped: blackout late
    quiet   weekly     Sun 27 Dec 2026 02:00–04:00 CET  2026-12-27 01:00–03:00  -       the window is suspended

    Without schedules
      shop/dev: always open but for blackout freeze (sales) from Fri 18 Dec 2026 00:00 UTC until Mon 4 Jan 2027 00:00 UTC
      shop/test: the window is suspended, else always open
    ");
}

#[test]
fn what_cannot_be_meant_is_an_error_and_what_is_hardly_meant_a_warning() {
    let schedule =
        |name: &str, start: &str, text: &str| json!({"name": name, start: text, "duration": "2h"});
    let schedules = |list: Value| json!({"timeZone": "Europe/Berlin", "schedules": list});
    let over = schedule("over", "once", "2026-01-01T10:00");
    let fifth = schedule("fifth", "cron", "0 2 * * SUN#5");
    let freeze = json!([{"name": "freeze", "from": "2026-12-01", "until": "2028-01-01"}]);
    let emergency = json!({"reason": "r", "requestedBy": "jane", "for": ["weekly"]});
    let windows = [
        window("a-zone", with(weekly(), json!({"timeZone": "Europe/Berln"})), Value::Null),
        window("b-never", schedules(json!([schedule("feb", "cron", "0 2 30 FEB *")])), Value::Null),
        window("c-over", schedules(json!([over])), Value::Null),
        window("d-some", schedules(json!([over, fifth])), Value::Null),
        window("e-dark", with(weekly(), json!({ "blackouts": freeze })), Value::Null),
        window("f-cet", with(weekly(), json!({"timeZone": "CET"})), Value::Null),
        window(
            "g-past",
            with(schedules(json!([over])), json!({ "emergency": emergency })),
            Value::Null,
        ),
        window("h-good", weekly(), Value::Null),
    ];
    let forecast = forecast(&windows, "2026-12-06T12:00", 1);
    let found: Vec<(Severity, &str)> = forecast
        .findings
        .iter()
        .map(|finding| (finding.severity, finding.window.name.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Severity::Error, "a-zone"),
            (Severity::Error, "b-never"),
            (Severity::Error, "e-dark"),
            (Severity::Warning, "c-over"),
            (Severity::Warning, "d-some"),
            (Severity::Warning, "d-some"),
            (Severity::Warning, "g-past"),
            (Severity::Info, "f-cet"),
        ]
    );
    insta::assert_snapshot!(show::render(&forecast, WIDE), @r#"
    No opening begins until 7 Dec 2026 12:00 UTC.

    Findings
      error    shop/a-zone: spec.timeZone: "Europe/Berln" is not an IANA time zone: write a name like Europe/Berlin, America/New_York or UTC
      error    shop/b-never: schedule feb never opens: there is no day like `0 2 30 FEB *`
      error    shop/e-dark: schedule weekly does not open within a year: each of its occurrences overlaps a blackout
      warning  shop/c-over: schedule over does not open any more: 1 Jan 2026 10:00 is over
      warning  shop/d-some: schedule fifth: `SUN#5` does not exist in every month of `0 2 * * SUN#5`: write `L`, or a weekday like `SUNL`, if the last one is meant
      warning  shop/d-some: schedule over does not open any more: 1 Jan 2026 10:00 is over
      warning  shop/g-past: schedule over does not open any more: 1 Jan 2026 10:00 is over
      info     shop/f-cet: the time zone CET keeps summer time: write Etc/GMT-1 if clocks should not change
    "#);
}

#[test]
fn a_window_that_opens_without_a_pause_between_is_told_up_to_a_bound() {
    let often = json!({"timeZone": "Etc/UTC", "schedules": [
        {"name": "often", "cron": "*/30 * * * *", "duration": "10m"}]});
    let cut = json!([{"name": "cut", "from": "2026-12-06T13:02", "until": "2026-12-06T13:05",
                      "onOverlap": "Truncate"}]);
    for spec in [often.clone(), with(often, json!({ "blackouts": cut }))] {
        let forecast = forecast(&[window("often", spec, Value::Null)], "2026-12-06T12:00", 60);
        assert_eq!(forecast.rows.len(), 2_000);
        assert_eq!(forecast.findings[0].message, "only the first 2000 openings are looked at");
        assert!(forecast.rows.iter().all(|row| row.happens));
        let mut pairs = forecast.rows.windows(2);
        assert!(pairs.all(|pair| pair[0].closes_at < pair[1].opens_at));
    }
}

/// What a line of an iCalendar says: its name and its text.
type Property = (String, String);

/// Reads an iCalendar by the grammar of RFC 5545, and knows nothing of how ours is written. Parameters
/// are not read: there are none.
fn read_calendar(text: &str) -> Vec<Vec<Property>> {
    let (physical, rest) = text.rsplit_once("\r\n").unwrap();
    assert_eq!(rest, "", "the last line has an end, too");
    let mut lines: Vec<String> = Vec::new();
    for line in physical.split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']) && !line.chars().any(|c| c.is_control()), "{line:?}");
        match line.strip_prefix([' ', '\t']) {
            Some(more) => lines.last_mut().unwrap().push_str(more),
            None => lines.push(line.to_owned()),
        }
    }
    let mut properties = lines.iter().map(|line| line.split_once(':').unwrap());
    assert_eq!(properties.next(), Some(("BEGIN", "VCALENDAR")));
    assert_eq!(properties.next_back(), Some(("END", "VCALENDAR")));
    let mut header = Vec::new();
    let mut components: Vec<(&str, Vec<Property>)> = Vec::new();
    let mut inside: Vec<&str> = Vec::new();
    for (name, value) in properties {
        match (name, components.last_mut()) {
            ("BEGIN", _) if inside.is_empty() => {
                components.push((value, Vec::new()));
                inside.push(value);
            }
            ("BEGIN", _) => inside.push(value),
            ("END", _) => assert_eq!(inside.pop(), Some(value)),
            (_, Some((_, own))) if inside.len() == 1 => {
                own.push((name.to_owned(), unescape(value)));
            }
            (_, Some(_)) if inside.len() > 1 => {}
            _ => header.push((name.to_owned(), unescape(value))),
        }
    }
    assert!(inside.is_empty() && !components.is_empty(), "at least one component: {text}");
    for name in ["VERSION", "PRODID"] {
        assert_eq!(header.iter().filter(|(own, _)| own == name).count(), 1, "{name}");
    }
    components.retain(|(name, _)| *name == "VEVENT");
    components.into_iter().map(|(_, properties)| properties).collect()
}

fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next().unwrap() {
                'n' | 'N' => '\n',
                escaped @ ('\\' | ';' | ',') => escaped,
                other => panic!("\\{other} is no escape"),
            },
            ';' | ',' => panic!("{character} needs an escape in {value}"),
            character => character,
        });
    }
    text
}

fn property<'e>(event: &'e [Property], name: &str) -> &'e str {
    let mut found = event.iter().filter(|(own, _)| own == name);
    let one = found.next().unwrap_or_else(|| panic!("no {name} in {event:?}"));
    assert!(found.next().is_none(), "{name} twice");
    &one.1
}

#[test]
fn an_icalendar_has_each_opening_that_takes_place() {
    let forecast = forecast(&examples(), "2026-12-01T00:00", 45);
    let text = calendar::render(&forecast, at("2026-12-01T00:00"));
    let events = read_calendar(&text);
    let happening: Vec<_> = forecast.rows.iter().filter(|row| row.happens).collect();
    assert!(happening.len() > 3 && happening.len() < forecast.rows.len());
    assert_eq!(events.len(), happening.len());
    for (event, row) in events.iter().zip(happening) {
        let moment = |name| {
            let format = "%Y%m%dT%H%M%SZ%z";
            let text = format!("{}+0000", property(event, name));
            Timestamp::strptime(format, text).unwrap()
        };
        assert_eq!((moment("DTSTART"), moment("DTEND")), (row.opens_at, row.closes_at));
        assert_eq!(moment("DTSTAMP"), at("2026-12-01T00:00"));
        let window = &row.window;
        assert_eq!(
            property(event, "UID"),
            format!("{}.{}.{}@groundcrew.dev", row.id, window.name, window.namespace)
        );
        assert!(property(event, "DESCRIPTION").starts_with(&row.local));
    }
    let uids = |text: &str| -> Vec<String> {
        let events = read_calendar(text);
        events.iter().map(|event| property(event, "UID").to_owned()).collect()
    };
    let later = calendar::render(&forecast, at("2026-12-01T08:00"));
    assert_eq!(uids(&later), uids(&text), "an opening keeps its UID");
    let mut all = uids(&text);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), events.len());
}

#[test]
fn texts_of_people_break_no_line_of_an_icalendar() {
    let reason = format!("a, b; c\\n \u{7}\nBEGIN:VEVENT\r\n{}", "ü→".repeat(80));
    let mut spec = weekly();
    spec["schedules"] = json!([{"name": "fix", "once": "2026-12-06T23:00", "duration": "2h"}]);
    spec["emergency"] = json!({"reason": reason, "requestedBy": "jane", "for": ["weekly"]});
    let forecast = forecast(&[window("fix", spec, Value::Null)], "2026-12-06T12:00", 1);
    let events = read_calendar(&calendar::render(&forecast, at("2026-12-06T12:00")));
    assert_eq!(events.len(), 1);
    let told = property(&events[0], "DESCRIPTION");
    let expected = format!("a, b; c\\n \nBEGIN:VEVENT\n{}", "ü→".repeat(80));
    assert!(told.ends_with(&expected), "{told}");
}
