use super::*;
use crate::maintenance_window::{tasks::Work, world::spec};

#[track_caller]
fn refused(yaml: &str, expected: &str) {
    let told = Window::parse(&spec(yaml)).unwrap_err().to_string();
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn what_cannot_work_is_named_with_its_field() {
    let weekly = "schedules: [{name: weekly, cron: '0 2 * * SUN', duration: 2h}]";
    refused(&format!("{{timeZone: Mars/Olympus, {weekly}}}"), "spec.timeZone: ");
    refused(&format!("{{timeZone: Etc/UTC, always: true, {weekly}}}"), "spec.schedules: give");
    refused("{timeZone: Etc/UTC}", "spec.schedules: give schedules or always: true, not both");
    let schedule = |text: &str| format!("{{timeZone: Etc/UTC, schedules: [{{name: a, {text}}}]}}");
    refused(&schedule("cron: '0 2 * *', duration: 2h"), "spec.schedules[0].cron: ");
    refused(&schedule("cron: '0 2 1-7 * SUN', duration: 2h"), "spec.schedules[0].cron: ");
    refused(
        &schedule("once: 2026-02-30T10:00, duration: 2h"),
        "spec.schedules[0].once: there is no",
    );
    refused(&schedule("cron: '0 2 * * *', until: '25:00'"), "spec.schedules[0].until: ");
    refused(
        &schedule("cron: '0 2 * * *'"),
        "spec.schedules[0]: a schedule has exactly one of duration",
    );
    refused(
        &schedule("duration: 1h"),
        "spec.schedules[0]: a schedule has exactly one of cron and once",
    );
    refused(&schedule("cron: '0 * * * *', duration: 2h"), "spec.schedules: it would not close");
    let dark = |from: &str, until: &str| {
        format!(
            "{{timeZone: Etc/UTC, {weekly}, blackouts: [{{name: x, from: '{from}', until: '{until}'}}]}}"
        )
    };
    refused(&dark("2026-13-01", "2026-12-02"), "spec.blackouts[0].from: there is no");
    refused(&dark("2026-12-03", "2026-12-02"), "spec.schedules: blackout \"x\" must end after");
    let emergency = "emergency: {reason: r, requestedBy: a, for: [b]}";
    refused(
        &format!("{{timeZone: Etc/UTC, {weekly}, {emergency}}}"),
        "spec.emergency: an emergency has",
    );
}

#[test]
fn metrics_that_cannot_be_measured_are_refused() {
    let window = |metrics: &str| {
        format!(
            "{{timeZone: Etc/UTC, schedules: [{{name: a, cron: '0 2 * * SUN', duration: 2h}}], \
             metrics: [{metrics}]}}"
        )
    };
    let metric = |period: &str| {
        format!(
            "{{name: p95, metric: {{namespace: N, metricName: M, statistic: p95, period: {period}}}}}"
        )
    };
    assert!(Window::parse(&spec(&window(&metric("10m")))).is_ok());
    let period = "spec.metrics[0].metric.period: write whole minutes, 1m to 24h";
    refused(&window(&metric("90s")), period);
    refused(&window(&metric("25h")), period);
    let both = "{name: p95, metric: {namespace: N, metricName: M, expression: e, period: 1m}}";
    refused(&window(both), "spec.metrics[0].metric.metricName: write given with namespace");
    let twice = format!("{}, {}", metric("1m"), metric("1m"));
    refused(&window(&twice), "spec.metrics[1].name: write another name: this one is taken");
    let many = vec![metric("1m"); 17].join(", ");
    refused(&window(&many), "spec.metrics: write at most 16 metrics");
    refused(
        &format!("{{timeZone: Etc/UTC, always: true, metrics: [{}]}}", metric("1m")),
        "spec.metrics: a window that is always open has no openings to measure around",
    );
}

#[test]
fn what_is_left_out_has_its_default() {
    let spec = spec(
        "
timeZone: Etc/UTC
schedules: [{name: a, cron: '0 2 * * SUN', duration: 2h}]
blackouts: [{name: b, from: '2026-12-18', until: '2026-12-20'}]
alarms: {names: [api]}
preChecks: [{name: db, rds: {instance: db}}]
tasks:
- {name: patch, timeout: 1h, ssm: {command: {document: AWS-RunPatchBaseline, targets: [{key: 'tag:role', values: [gpu]}]}}}
- {name: image, timeout: 1h, ssm: {automation: {document: AWS-UpdateLinuxAmi}}}
",
    );
    let window = Window::parse(&spec).unwrap();
    assert!(!window.routine && !window.proceeds && window.emergency.is_none());
    assert_eq!(window.pre_check_lead, SignedDuration::from_mins(15));
    let none = [window.cutoff, window.extend_max, window.post_check_for];
    assert_eq!(none, [SignedDuration::ZERO; 3]);
    assert_eq!(window.min_remaining, None);
    assert!(window.mutes());
    // Those of the window, as it turns out.
    assert_eq!(window.alarms.unwrap().regions, Vec::<String>::new());
    let dark = blackout(&spec.blackouts.unwrap()[0], "").unwrap();
    assert_eq!((dark.on_overlap, dark.yearly), (Overlap::Skip, false));
    for task in window.tasks {
        assert!(task.stops && task.schedules.is_none());
        let (Work::Command(run) | Work::Automation { run, .. }) = &task.work else {
            panic!("{task:?}")
        };
        assert_eq!((run.max_concurrency.as_str(), run.max_errors.as_str()), ("1", "0"));
    }
}

#[test]
fn with_mode_none_alarms_are_not_even_read() {
    let weekly = "schedules: [{name: weekly, cron: '0 2 * * SUN', duration: 2h}]";
    let none =
        format!("{{timeZone: Etc/UTC, {weekly}, alarms: {{mode: None, namePrefixes: [api-]}}}}");
    assert_eq!(Window::parse(&spec(&none)).unwrap().alarms, None);
}
