//! What is told beside the plain openings: what is open now, rounds, blackouts of what is always open.

use super::*;
use crate::cli::{forecast::rows::Row, hostile::printed};

fn blackout(name: &str, from: &str, until: &str) -> Value {
    json!({"name": name, "from": from, "until": until})
}

/// What is open from 02:00 in Berlin on, as its status has it.
fn open(closes: &str, more: Value) -> Value {
    let mut current = json!({
        "id": "weekly-20261206T0100Z", "opensAt": "2026-12-06T01:00:00Z", "closesAt": closes,
        "parts": [{"schedule": "weekly", "from": "2026-12-06T01:00:00Z", "until": closes}],
        "closes": "", "openedAt": "2026-12-06T01:00:01Z", "spec": weekly(),
    });
    current.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "current": current })
}

/// Rows of one window within a day.
fn rows(spec: Value, status: Value, from: &str) -> Vec<Row> {
    forecast(&[window("a", spec, status)], from, 1).rows
}

#[test]
fn of_what_is_always_open_each_blackout_is_told_by_its_start_and_end() {
    let spec = json!({"timeZone": "Etc/UTC", "always": true, "blackouts": [
        blackout("later", "2026-12-30", "2026-12-31"),
        blackout("short", "2026-12-18", "2026-12-20"),
        blackout("long", "2026-12-18", "2027-01-04"),
        blackout("holds", "2026-12-01", "2026-12-07"),
        blackout("over", "2026-11-01", "2026-11-02"),
        blackout("far", "2028-01-01", "2028-01-02"),
    ]});
    let told = forecast(&[window("dev", spec, Value::Null)], "2026-12-06T00:00", 60).always;
    let day = |name: &str, from: &str, until: &str| {
        format!("blackout {name} from {from} 00:00 UTC until {until} 00:00 UTC")
    };
    let expected = [
        day("holds", "Tue 1 Dec 2026", "Mon 7 Dec 2026"),
        day("short", "Fri 18 Dec 2026", "Sun 20 Dec 2026"),
        day("long", "Fri 18 Dec 2026", "Mon 4 Jan 2027"),
        day("later", "Wed 30 Dec 2026", "Thu 31 Dec 2026"),
    ];
    assert_eq!(told, [format!("shop/dev: always open but for {}", expected.join(", "))]);
}

#[test]
fn of_many_blackouts_none_is_cut_off() {
    let days = (1..=28).map(|day| {
        blackout(
            &format!("b{day}"),
            &format!("2027-02-{day:02}"),
            &format!("2027-02-{day:02}T12:00"),
        )
    });
    let spec = json!({"timeZone": "Etc/UTC", "always": true, "blackouts": days.collect::<Value>()});
    let text =
        show::render(&forecast(&[window("dev", spec, Value::Null)], "2027-01-20T00:00", 60), WIDE);
    assert_eq!(text.matches(" until Sun 28 Feb 2027 12:00 UTC\n").count(), 1, "{text}");
}

#[test]
fn all_blackouts_that_take_an_opening_away_are_named() {
    let blackouts = json!({"blackouts": [blackout("b", "2026-12-05", "2026-12-08"),
                                         blackout("a", "2026-12-05", "2026-12-07")]});
    let rows = rows(with(weekly(), blackouts), Value::Null, "2026-12-05T12:00");
    assert_eq!(rows[0].notes, ["skipped: blackout a, blackout b"]);
}

#[test]
fn what_is_open_is_told_also_where_the_calendar_does_not_have_it() {
    let extended = json!({"extendedBy": "1h"});
    let closes = "2026-12-06T04:00:00Z";
    let local = "Sun 6 Dec 2026 02:00–05:00 CET";
    // Between the planned close and the new one.
    let [row] = &rows(weekly(), open(closes, extended), "2026-12-06T03:30")[..] else { panic!() };
    assert_eq!((row.local.as_str(), &row.schedules[..]), (local, &["weekly".to_owned()][..]));
    assert_eq!((row.happens, &row.notes[..]), (true, &["extended by 1h".to_owned()][..]));
    // The spec was changed since: to other schedules, to none, to one with a blackout, to nonsense.
    let other = json!({"timeZone": "Europe/Berlin",
                       "schedules": [{"name": "late", "cron": "0 9 * * SUN", "duration": "1h"}]});
    let dark = with(weekly(), json!({"blackouts": [blackout("b", "2026-12-05", "2026-12-08")]}));
    let edits = [
        other,
        json!({"timeZone": "Europe/Berlin", "always": true}),
        dark,
        with(
            weekly(),
            json!({"schedules": [{"name": "odd", "cron": "0 2 * *", "duration": "1h"}]}),
        ),
    ];
    for spec in edits {
        let windows = [window("a", spec.clone(), open(closes, json!({})))];
        let forecast = forecast(&windows, "2026-12-06T02:30", 1);
        let open: Vec<&Row> =
            forecast.rows.iter().filter(|row| row.id == "weekly-20261206T0100Z").collect();
        let [row] = open[..] else { panic!("{spec}: {:?}", forecast.rows) };
        assert_eq!((row.local.as_str(), row.happens), (local, true), "{spec}");
        assert_eq!(row.notes, ["opened before the spec was changed"], "{spec}");
        let events = read_calendar(&calendar::render(&forecast, at("2026-12-06T02:30")));
        let starts = events.iter().map(|event| property(event, "DTSTART"));
        assert_eq!(starts.filter(|start| *start == "20261206T010000Z").count(), 1, "{spec}");
    }
    let closing = json!({"closing": {"outcome": "Cancelled", "message": "jane closed it"}});
    let rows = rows(weekly(), open("2026-12-06T03:00:00Z", closing), "2026-12-06T02:00");
    assert_eq!(rows[0].notes, ["closing: jane closed it"]);
}

#[test]
fn what_clocks_do_to_a_planned_end_is_not_said_of_a_pushed_one() {
    let spec = json!({"timeZone": "Europe/Berlin",
                      "schedules": [{"name": "weekly", "cron": "0 1 * * SUN", "duration": "2h"}]});
    let status = |closes: &str, more: Value| {
        let mut status = open(closes, more);
        status["current"]["id"] = json!("weekly-20261024T2300Z");
        status["current"]["opensAt"] = json!("2026-10-24T23:00:00Z");
        status
    };
    let notes = |status| rows(spec.clone(), status, "2026-10-25T00:30").remove(0).notes;
    let planned = notes(status("2026-10-25T01:00:00Z", json!({})));
    assert_eq!(planned, ["clocks go back as it ends, at 02:00 CET"]);
    let pushed = notes(status("2026-10-25T01:30:00Z", json!({"extendedBy": "30m"})));
    assert_eq!(pushed, ["extended by 30m"]);
}

#[test]
fn a_round_is_told_from_an_opening_for_work() {
    let round = with(
        weekly(),
        json!({"purpose": "Routine", "postChecks": [
        {"name": "api", "http": {"url": "https://a.com/"}}]}),
    );
    let windows = [window("round", round, Value::Null), window("weekly", weekly(), Value::Null)];
    let forecast = forecast(&windows, "2026-12-05T12:00", 1);
    let notes: Vec<String> = forecast.rows.iter().map(|row| row.notes.join("; ")).collect();
    assert_eq!(notes, ["a round: its gate never opens", ""]);
    let events = read_calendar(&calendar::render(&forecast, at("2026-12-05T12:00")));
    let names: Vec<&str> = events.iter().map(|event| property(event, "SUMMARY")).collect();
    assert_eq!(names, ["Routine round (shop)", "Maintenance window weekly (shop)"]);
    assert!(property(&events[0], "DESCRIPTION").ends_with("\na round: its gate never opens"));
}

#[test]
fn windows_of_the_same_name_in_two_clusters_have_events_of_their_own() {
    let uid = |object: Option<&str>| {
        let mut window = window("weekly", weekly(), Value::Null);
        window.metadata.uid = object.map(str::to_owned);
        let forecast = forecast(&[window], "2026-12-05T12:00", 1);
        let events = read_calendar(&calendar::render(&forecast, at("2026-12-05T12:00")));
        property(&events[0], "UID").to_owned()
    };
    assert_eq!(uid(None), "weekly-20261206T0100Z.weekly.shop@groundcrew.dev");
    assert_eq!(uid(Some("6f1c")), "weekly-20261206T0100Z.6f1c@groundcrew.dev");
    assert_ne!(uid(Some("6f1c")), uid(Some("77ab")));
}

#[test]
fn without_openings_an_icalendar_is_still_one() {
    let forecast = forecast(&[], "2026-12-05T12:00", 1);
    let text = calendar::render(&forecast, at("2026-12-05T12:00"));
    assert_eq!(read_calendar(&text), Vec::<Vec<Property>>::new());
    assert!(text.contains("BEGIN:VTIMEZONE\r\nTZID:Etc/UTC\r\n"), "{text}");
}

#[test]
fn one_date_that_is_over_makes_no_forecast_fail() {
    let once = json!({"timeZone": "Etc/UTC", "schedules": [
        {"name": "move", "once": "2026-12-01T10:00", "duration": "2h"}]});
    let forecast = forecast(&[window("move", once, Value::Null)], "2026-12-06T00:00", 30);
    let found: Vec<(Severity, &str)> =
        forecast.findings.iter().map(|found| (found.severity, found.message.as_str())).collect();
    let message = "schedule move does not open any more: 1 Dec 2026 10:00 is over";
    assert_eq!(found, [(Severity::Warning, message)]);
}

#[test]
fn no_text_forges_a_line_of_a_forecast() {
    let freeze = json!([
        {"name": "early", "from": "2026-12-13", "until": "2026-12-13T03:00", "reason": "sales",
         "onOverlap": "Truncate"},
        {"name": "late", "from": "2026-12-27", "until": "2027-01-02", "reason": "freeze"}]);
    let mut status = open("2026-12-06T03:30:00Z", json!({"extendedBy": "30m"}));
    status["current"]["closing"] = json!({"outcome": "Cancelled", "message": "jane closed it"});
    status["history"] = json!([{"id": "weekly-20261220T0100Z", "outcome": "Failed",
        "opensAt": "2026-12-20T01:00:00Z", "closesAt": "2026-12-20T03:00:00Z", "message": "no"}]);
    let schedules = json!([{"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"},
                           {"name": "fifth", "cron": "0 5 * * SUN#5", "duration": "1h"}]);
    let planned = with(weekly(), json!({"blackouts": freeze, "schedules": schedules}));
    let once = json!([{"name": "fix", "once": "2026-12-08T23:00", "duration": "2h"}]);
    let emergency = json!({"reason": "full", "requestedBy": "jane", "for": ["weekly"]});
    let fix = with(weekly(), json!({"schedules": once, "emergency": emergency}));
    let always = json!({"timeZone": "Etc/UTC", "always": true, "blackouts": freeze});
    let objects = [(planned, status, 11), (fix, json!({}), 5), (always, json!({}), 6)];
    for (spec, status, least) in objects {
        let object = serde_json::to_value(window("weekly", spec, status)).unwrap();
        let shown = printed(&object, |window: &MaintenanceWindow| {
            show::render(&forecast(std::slice::from_ref(window), "2026-12-06T02:00", 30), WIDE)
        });
        assert!(shown >= least, "{shown} of {object}");
    }
}
