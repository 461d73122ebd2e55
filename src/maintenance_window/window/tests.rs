use super::*;
use crate::maintenance_window::world::spec;

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
