//! What a window in Audit says it would do.

use crate::maintenance_window::world::{Cloud, WEEKLY, World};

const SUNDAY: &str = "weekly-20261206T0100Z";

const ALL: &str = "
alarms: {names: [db], namePrefixes: [web-, api-], excludePrefixes: [web-security-], regions: [eu-central-1]}
preCheckLead: 30m
preChecks: [{name: pre, http: {url: 'https://a.com/'}}]
postCheckFor: 30m
postChecks: [{name: post, http: {url: 'https://b.com/'}}]
metrics: [{name: p95, metric: {namespace: N, metricName: M, statistic: p95, period: 10m}}]
tasks: [{name: patch, job: {fromCronJob: patch}, timeout: 20m}]
notices:
  before: [1h, 7d]
  every: 30m
  channels:
  - {name: ops, webhook: {url: 'https://hooks.example.com/ops'}}
  - {name: page, statuspage: {pageId: abc, tokenFrom: {secretKeyRef: {name: a, key: b}}}, stages: [Opened, Closed]}
";

/// In Audit on the Saturday before.
fn plan(yaml: &str) -> Vec<String> {
    let mut world = World::new(&format!("{yaml}\nmode: Audit\n"), "05T12:00");
    world.cloud = Cloud::of(&["db"]);
    world.passes();
    assert!(world.cloud.rules.is_empty() && world.mail.all.is_empty());
    world.told().plan.clone()
}

#[test]
fn each_step_of_the_next_opening_is_told_in_its_order() {
    let expected = [
        "Notice 7d to ops at Sun 29 Nov 2026 02:00 CET".to_owned(),
        "Notice 1h to ops at Sun 6 Dec 2026 01:00 CET".to_owned(),
        "Check pre: https://a.com/ answers 200, from Sun 6 Dec 2026 01:30 CET on".to_owned(),
        "PutAlarmMuteRule in eu-central-1: alarms db, web-*, api-* but web-security-*, \
         Sun 6 Dec 2026 02:00 CET for 2h"
            .to_owned(),
        format!("Open {SUNDAY} at Sun 6 Dec 2026 02:00 CET"),
        "Notice Opened to ops, page at the opening".to_owned(),
        "Task patch: create a Job of CronJob patch".to_owned(),
        "Notice Progress to ops each 30m".to_owned(),
        format!("Close {SUNDAY} at Sun 6 Dec 2026 04:00 CET"),
        "DeleteAlarmMuteRule in eu-central-1: alarms db, web-*, api-* but web-security-*"
            .to_owned(),
        "Notice Verifying to page at the close".to_owned(),
        "Check post: https://b.com/ answers 200, after the close, until Sun 6 Dec 2026 04:30 CET"
            .to_owned(),
        "Notice Closed to ops, page by Sun 6 Dec 2026 04:30 CET".to_owned(),
        "GetMetricData p95: before the opening, and after the close".to_owned(),
    ];
    assert_eq!(plan(&format!("{WEEKLY}{ALL}")), expected);
}

#[test]
fn alarms_are_told_to_be_switched_where_they_are() {
    let toggle = "alarms: {mode: Toggle, names: [db]}\n";
    let expected = [
        "DisableAlarmActions: alarms db".to_owned(),
        format!("Open {SUNDAY} at Sun 6 Dec 2026 02:00 CET"),
        format!("Close {SUNDAY} at Sun 6 Dec 2026 04:00 CET"),
        "EnableAlarmActions: alarms db".to_owned(),
    ];
    assert_eq!(plan(&format!("{WEEKLY}{toggle}")), expected);
}

#[test]
fn tasks_of_other_schedules_are_not_told() {
    let yaml = "
timeZone: Europe/Berlin
schedules:
- {name: weekly, cron: '0 2 * * SUN', duration: 2h}
- {name: monthly, cron: '0 2 20 * *', duration: 2h}
tasks:
- {name: vacuum, job: {fromCronJob: vacuum}, timeout: 20m, schedules: [monthly]}
- {name: patch, job: {fromCronJob: patch}, timeout: 20m, schedules: [weekly]}
";
    assert_eq!(plan(yaml)[1..2], ["Task patch: create a Job of CronJob patch"]);
    assert_eq!(plan(yaml).len(), 3);
}
