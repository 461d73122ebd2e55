//! What a MaintenanceWindow says that contradicts itself, and what is right.

mod checked;
mod metrics;
mod tasks;

use serde_json::{Value, json};

use super::{Case, WINDOW, checks};
use crate::harness::run;

/// A spec with schedules that has every field that goes with them.
pub(super) fn full() -> Value {
    json!({
        "timeZone": "Europe/Berlin",
        "schedules": [
            {"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"},
            {"name": "monthly", "cron": "0 1 * * TUE#2", "until": "04:00", "plusDays": 2},
            {"name": "dc-move", "once": "2026-12-05T23:00", "duration": "7h"},
        ],
        "blackouts": [{
            "name": "year-end", "from": "2026-12-18", "until": "2027-01-04T06:00",
            "yearly": true, "reason": "change freeze", "onOverlap": "Skip",
        }],
        "aws": {"region": "eu-central-1", "accountId": "123456789012"},
        "alarms": {
            "mode": "Mute",
            "names": ["db"],
            "namePrefixes": ["flightdata-"],
            "excludePrefixes": ["flightdata-security-"],
            "regions": ["eu-central-1", "us-east-1"],
        },
        "notices": {
            "before": ["7d", "24h", "1h"],
            "every": "30m",
            "title": "Scheduled maintenance",
            "message": "Flight plans are read-only.",
            "channels": super::notices::channels(true),
        },
        "tasks": tasks::all(),
        "metrics": metrics::all(),
        "cutoff": "30m",
        "lateOpen": {"minRemaining": "45m"},
        "extend": {"max": "1h"},
        "preChecks": checks(),
        "preCheckLead": "24h",
        "onPreCheckFailure": "Block",
        "postChecks": checks(),
        "postCheckFor": "30m",
        "purpose": "Maintenance",
        "mode": "Enforce",
        "suspend": false,
    })
}

pub(super) fn always() -> Value {
    json!({"timeZone": "Etc/UTC", "always": true})
}

fn emergency() -> Value {
    json!({
        "timeZone": "Europe/Berlin",
        "schedules": [{"name": "fix", "once": "2026-12-05T23:00", "duration": "4h"}],
        "emergency": {"reason": "disk is full", "requestedBy": "jane", "for": ["weekly"]},
    })
}

/// Specs that together have every field.
pub(super) fn all() -> Vec<Value> {
    vec![full(), always(), emergency()]
}

pub(super) fn with(base: fn() -> Value, field: &str, value: Value) -> Value {
    let mut spec = base();
    spec[field] = value;
    spec
}

/// A spec with one schedule that has this beside its name.
fn scheduled(mut schedule: Value) -> Value {
    schedule["name"] = json!("weekly");
    json!({"timeZone": "Europe/Berlin", "schedules": [schedule]})
}

fn opened(cron: &str) -> Value {
    scheduled(json!({"cron": cron, "duration": "2h"}))
}

/// A spec with one blackout that has this beside its name.
fn dark(mut blackout: Value) -> Value {
    blackout["name"] = json!("freeze");
    with(always, "blackouts", json!([blackout]))
}

pub(super) fn refused<'a>(cases: impl IntoIterator<Item = (Value, &'a str)>) {
    run(WINDOW.refuses(cases.into_iter().map(|(spec, told)| Case::of(spec, told)).collect()));
}

#[test]
fn a_window_that_contradicts_itself_is_refused_with_the_fix() {
    let which = "give exactly one of schedules and always";
    let once = "an emergency has exactly one schedule, with once";
    let no_end = "a window that is always open has no end: leave cutoff, lateOpen and extend out";
    let late = "lateOpen.minRemaining must be more than cutoff";
    let mut both_emergencies = emergency();
    let other = json!({"name": "more", "once": "2026-12-06T23:00", "duration": "4h"});
    both_emergencies["schedules"].as_array_mut().unwrap().push(other);
    let weekly = json!([{"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"}]);
    let mut emergency_always = always();
    emergency_always["emergency"] = emergency()["emergency"].clone();
    let blackout = json!([{"name": "freeze", "from": "2026-12-18", "until": "2026-12-19"}]);
    let twice = |list: Value| {
        let one = list[0].clone();
        json!([one, one])
    };
    refused([
        (json!({"timeZone": "Etc/UTC"}), which),
        (with(full, "always", json!(true)), which),
        (with(always, "always", json!(false)), "always can only be true"),
        (with(full, "schedules", twice(weekly.clone())), "Duplicate value"),
        (with(full, "blackouts", twice(blackout.clone())), "Duplicate value"),
        (with(always, "cutoff", json!("30m")), no_end),
        (with(always, "lateOpen", json!({"minRemaining": "30m"})), no_end),
        (with(always, "extend", json!({"max": "30m"})), no_end),
        (with(emergency, "schedules", weekly), once),
        (both_emergencies, once),
        (emergency_always, once),
        (with(emergency, "blackouts", blackout), "blackouts do not apply to an emergency"),
        (with(full, "lateOpen", json!({"minRemaining": "30m"})), late),
        (with(full, "lateOpen", json!({"minRemaining": "29m"})), late),
    ]);
}

#[test]
fn alarms_that_contradict_themselves_are_refused_with_the_fix() {
    let alarms = |alarms: Value| with(full, "alarms", alarms);
    refused([
        (alarms(json!({})), "alarms needs names or namePrefixes"),
        (alarms(json!({"mode": "Mute"})), "alarms needs names or namePrefixes"),
        (alarms(json!({"mode": "Toggle"})), "alarms needs names or namePrefixes"),
        (
            alarms(json!({"names": ["a"], "excludePrefixes": ["b"]})),
            "excludePrefixes takes away from namePrefixes: it needs them",
        ),
        (
            alarms(json!({"names": ["a"], "regions": ["eu-central-1", "eu-central-1"]})),
            "regions names each region once",
        ),
        (
            with(always, "alarms", json!({"mode": "Toggle", "names": ["a"]})),
            "a window that is always open cannot keep alarms quiet: leave alarms out",
        ),
        (
            with(always, "alarms", json!({"names": ["a"]})),
            "a window that is always open cannot keep alarms quiet: leave alarms out",
        ),
    ]);
}

#[test]
fn a_schedule_that_contradicts_itself_is_refused_with_the_fix() {
    let start = "a schedule has exactly one of cron and once";
    let length = "a schedule has exactly one of duration and until";
    let minutes = "duration must be whole minutes, 1m to 14d";
    let (cron, once) = ("0 2 * * SUN", "2026-12-05T23:00");
    let lasting = |duration: &str| scheduled(json!({"cron": cron, "duration": duration}));
    let late = |remaining: &str| with(full, "lateOpen", json!({ "minRemaining": remaining }));
    let extended = |max: &str| with(full, "extend", json!({ "max": max }));
    let remaining = "lateOpen.minRemaining must be 1s to 14d";
    let extend = "extend.max must be whole minutes, 1m to 24h";
    refused([
        (scheduled(json!({"duration": "2h"})), start),
        (scheduled(json!({"cron": cron, "once": once, "duration": "2h"})), start),
        (scheduled(json!({ "cron": cron })), length),
        (scheduled(json!({"cron": cron, "duration": "2h", "until": "04:00"})), length),
        (
            scheduled(json!({"once": once, "duration": "2h", "plusDays": 2})),
            "plusDays belongs to cron",
        ),
        (lasting("59s"), minutes),
        (lasting("0s"), minutes),
        (lasting("90s"), minutes),
        (lasting("14d1m"), minutes),
        (lasting("2 h"), "spec.schedules[0].duration"),
        (scheduled(json!({"cron": cron, "duration": "2h", "plusDays": 28})), "plusDays"),
        (with(full, "cutoff", json!("25h")), "cutoff must be at most 24h"),
        (late("0s"), remaining),
        (late("14d1s"), remaining),
        (extended("59s"), extend),
        (extended("90s"), extend),
        (extended("25h"), extend),
    ]);
}

#[test]
fn a_cron_that_others_read_differently_is_refused_with_the_fix() {
    let fields = "cron has five fields with one space between them";
    let both = "for the first Sunday write 0 2 * * SUN#1";
    let names = "write weekdays by name: SUN, MON-FRI, SUN#1, SUNL";
    let wrapped = "write FRI-SUN,MON instead of FRI-MON";
    let cases = [
        ("0 0 2 * * SUN", fields),
        ("0 2 * * SUN 2027", fields),
        ("0 2  * * SUN", fields),
        ("0 2 * * SUN ", fields),
        ("@weekly   ", fields),
        ("0 2 1-7 * SUN", both),
        ("0 2 13 * FRI", both),
        ("0 2 L * SUN#1", both),
        ("0 2 * * 0", names),
        ("0 2 * * 7", names),
        ("0 2 * * 1-5", names),
        ("0 2 * * SUN,6", names),
        ("0 2 * * SUN#6", names),
        ("0 2 * * sunday", names),
        ("0 2 * * */2", names),
        ("0 2 * * ?", names),
        ("0 2 * * FRI-MON", wrapped),
        ("0 2 * * SAT-TUE,WED", wrapped),
        ("* * * *", "spec.schedules[0].cron"),
    ];
    refused(cases.map(|(cron, told)| (opened(cron), told)));
}

#[test]
fn a_time_zone_that_nobody_knows_is_refused_with_the_fix() {
    let told = "timeZone must be an IANA name such as Europe/Berlin or Etc/UTC";
    let names = [
        "Europe/Berln",
        "Local",
        "Factory",
        "+02:00",
        "02:00",
        "-05",
        "CEST",
        "UTC+1",
        "GMT+2",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "Europe/",
        "/Europe/Berlin",
        "Europe/../Berlin",
        "../etc/localtime",
        "Europe/Berlin ",
        "Europe/Berlin\n",
        "Europe Berlin",
    ];
    refused(names.map(|name| (with(full, "timeZone", json!(name)), told)));
}

#[test]
fn dates_and_times_that_do_not_exist_are_refused_with_the_fix() {
    let form = "once is a local date and time without a zone, such as 2026-12-05T23:00";
    let exists = "once must be a date and time that exists, from 1980 to 4000";
    let until = "until is a time of day such as 04:00";
    let once = |once: &str| scheduled(json!({"once": once, "duration": "2h"}));
    let closes = |until: &str| scheduled(json!({"cron": "0 2 * * SUN", "until": until}));
    let from_form = "from is a date or a local date and time";
    let until_form = "until is a date or a local date and time";
    let order = "from must be before until, which is the first moment after the blackout";
    let year = "a yearly blackout lasts less than a year";
    let span = |from: &str, until: &str| dark(json!({"from": from, "until": until}));
    let yearly =
        |from: &str, until: &str| dark(json!({"from": from, "until": until, "yearly": true}));
    refused([
        (once("2026-12-05 23:00"), form),
        (once("26-12-05T23:00:0"), form),
        (once("2026-12-05T23:0Z"), form),
        (once("2026-02-30T23:00"), exists),
        (once("2027-02-29T23:00"), exists),
        (once("2026-13-01T23:00"), exists),
        (once("2026-12-05T24:00"), exists),
        (once("2026-12-05T23:60"), exists),
        (once("1979-12-05T23:00"), exists),
        (once("4001-12-05T23:00"), exists),
        (closes("24:00"), until),
        (closes("4:00 "), until),
        (closes("04:60"), until),
        (span("18.12.2026", "2027-01-04"), from_form),
        (span("2026-12-18T18", "2027-01-04"), from_form),
        (span("2026-12-18", "2027-01-04T0600"), until_form),
        (span("2026-02-30", "2027-01-04"), "from must be a date that exists"),
        (span("2026-12-18", "2027-02-29T06:00"), "until must be a date that exists"),
        (span("2026-12-18T24:00", "2027-01-04"), "from must be a date that exists"),
        (span("1979-12-18", "2027-01-04"), "from must be a date that exists"),
        (span("2027-01-04", "2026-12-18"), order),
        (span("2026-12-18", "2026-12-18"), order),
        (span("2026-12-18", "2026-12-18T00:00"), order),
        (span("2026-12-18T18:00", "2026-12-18"), order),
        (yearly("2026-12-18", "2027-12-18"), year),
        (yearly("2026-12-18", "2027-12-19"), year),
        (yearly("2026-12-18", "2028-01-04"), year),
        (yearly("2027-01-04", "2026-12-18"), year),
        (yearly("2026-12-18", "2026-12-18"), year),
    ]);
}

#[test]
fn an_emergency_says_why_and_for_what() {
    let emergency = |field: &str, value: Value| {
        let mut spec = emergency();
        spec["emergency"][field] = value;
        spec
    };
    refused([
        (emergency("reason", json!("")), "spec.emergency.reason"),
        (emergency("requestedBy", json!("")), "spec.emergency.requestedBy"),
        (emergency("for", json!([])), "spec.emergency.for"),
        (emergency("for", json!(["n".repeat(53)])), "spec.emergency.for[0]"),
        (emergency("for", json!(vec!["n"; 33])), "spec.emergency.for"),
    ]);
}

#[test]
fn a_window_that_is_right_is_accepted_up_to_its_bounds() {
    let schedules: Vec<Value> = (10..26)
        .map(
            |number| json!({"name": format!("s{number}"), "cron": "0 2 * * SUN", "duration": "2h"}),
        )
        .collect();
    let blackouts: Vec<Value> = (10..74)
        .map(|number| json!({"name": format!("b{number}"), "from": "2026-12-18", "until": "2027-01-04"}))
        .collect();
    let crons = [
        "0 2 * * SUN",
        "0 1 * * SUN#1",
        "0 1 * * SUN#2,SUN#4",
        "0 1 * * SUNL",
        "0 3 L * *",
        "30 3 15W * *",
        "0 3 LW * *",
        "*/15 * * * *",
        "0 22 * * MON-FRI",
        "0 22 1,15 JAN-JUN *",
        "0 22 * * FRI-SUN",
        "0 22 * * SUN-TUE",
        "0 22 * * SUN-SAT",
        "0 22 * * MON,WED,FRI-SAT",
    ];
    let zones = ["UTC", "Etc/UTC", "CET", "Etc/GMT-1", "America/Argentina/Buenos_Aires"];
    let lengths = [
        json!({"duration": "1m"}),
        json!({"duration": "14d"}),
        json!({"duration": "1h30m"}),
        json!({"until": "00:00"}),
        json!({"until": "23:59"}),
    ];
    let mut most = with(full, "schedules", json!(schedules));
    most["tasks"] = tasks::most(&most["schedules"]);
    let mut good = vec![
        most,
        with(always, "blackouts", json!(blackouts)),
        with(full, "mode", json!("Audit")),
        with(full, "suspend", json!(true)),
        with(full, "cutoff", json!("0s")),
        with(full, "extend", json!({"max": "24h"})),
        with(emergency, "extend", json!({"max": "1m"})),
        scheduled(json!({"once": "2028-02-29T23:59", "duration": "2h"})),
        scheduled(json!({"cron": "0 1 * * TUE#2", "plusDays": 27, "duration": "2h"})),
        scheduled(json!({"cron": "0 1 * * TUE#2", "plusDays": 0, "duration": "2h"})),
        dark(json!({"from": "2026-12-18", "until": "2026-12-18T00:01"})),
        dark(json!({"from": "2026-12-18", "until": "2029-12-18", "onOverlap": "Truncate"})),
        dark(json!({"from": "2026-12-18", "until": "2027-12-17", "yearly": true})),
        dark(json!({"from": "2026-12-18", "until": "2026-01-04", "yearly": true})),
        dark(json!({"from": "2026-06-01", "until": "2026-09-01", "yearly": true})),
    ];
    good.extend(all());
    good.push(checked::round_of_tasks());
    good.extend(crons.map(opened));
    good.extend(zones.map(|zone| with(full, "timeZone", json!(zone))));
    good.extend(lengths.map(|mut length| {
        length["cron"] = json!("0 2 * * SUN");
        scheduled(length)
    }));
    run(async {
        for spec in good {
            assert_eq!(WINDOW.judge("good", &spec).await, Ok(()), "{spec}");
        }
    });
}
