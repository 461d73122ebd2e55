//! One rollout in detail.

use std::fmt::Write as _;

use jiff::{Timestamp, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;

use super::{rollouts::tone, steps, table::age};
use crate::{
    api::{
        analysis::{Measured, MetricStatus, Verdict},
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, HistoryEntry, Release, Severity},
        shared::LastAction,
    },
    cli::{
        table::{heading, section},
        terminal::{Terminal, Tone},
    },
    error::one_line,
};

/// Reasons of conditions that are False for a while, and become True or go away without anybody's doing.
const ON_THEIR_WAY: [&str; 4] = ["ChecksPending", "NotActive", "Restoring", "Silencing"];

/// Name, phase and message of an object, and whether they speak of an older spec.
pub(super) fn head(
    name: &str,
    phase: &str,
    message: Option<&str>,
    outdated: bool,
    terminal: Terminal,
) -> String {
    let name = terminal.paint(&one_line(name), Tone::Strong);
    let line = one_line(message.unwrap_or("not looked at yet"));
    let mut text = format!("{name}  {phase}\n  {line}\n");
    if outdated && message.is_some() {
        let news = "the spec was changed since; the operator has not looked at it yet";
        let _ = writeln!(text, "  {}", terminal.paint(news, Tone::Asks));
    }
    text.push('\n');
    text
}

/// Everything that a person wants to know of one rollout.
pub(super) fn render(object: &CanaryRollout, now: Timestamp, terminal: Terminal) -> String {
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let default = CanaryRolloutStatus::default();
    let status = object.status.as_ref().unwrap_or(&default);
    let phase = status.phase.unwrap_or_default();
    let word = terminal.paint(phase.as_str(), tone(phase));
    let outdated = status.observed_generation != object.metadata.generation;
    let mut text = head(&name, &word, status.message.as_deref(), outdated, terminal);
    list(&mut text, &facts(object, status, now));
    preflight(&mut text, status, terminal);
    plan(&mut text, &status.plan, terminal);
    steps_of(&mut text, object, terminal);
    analysis(&mut text, status, terminal);
    history(&mut text, status, terminal);
    let message = status.message.as_deref().unwrap_or_default();
    conditions(&mut text, &status.conditions, message, &["Progressing"], terminal);
    text
}

/// Facts, a line each.
pub(super) fn list(text: &mut String, facts: &[(&str, String)]) {
    for (label, value) in facts {
        let _ = writeln!(text, "  {label:<12}{}", one_line(value));
    }
}

/// What the spec asks for.
fn asked(release: &Release) -> Option<String> {
    let Release { version, latest, image, s3, code_sha256: _ } = release;
    let version = version.as_ref().map(|version| format!("version {version}"));
    let latest = latest.map(|_| "what $LATEST holds".to_owned());
    let image = image.as_ref().map(|image| format!("image {}", image.uri));
    let s3 = s3.as_ref().map(|s3| {
        let version = s3.object_version.as_ref().map(|v| format!(" version {v}"));
        format!("s3://{}/{}{}", s3.bucket, s3.key, version.unwrap_or_default())
    });
    version.or(latest).or(image).or(s3)
}

fn facts(
    object: &CanaryRollout,
    status: &CanaryRolloutStatus,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let function = &object.spec.function;
    let place = match (&status.region, &status.account_id) {
        (Some(region), Some(account)) => format!(" ({region}, account {account})"),
        (Some(region), None) => format!(" ({region})"),
        (None, _) => String::new(),
    };
    let mut facts = vec![("Function", format!("{}:{}{place}", function.name, function.alias))];
    facts.extend(asked(&object.spec.release).map(|release| ("Release", release)));
    facts.extend(status.revision.clone().map(|revision| ("Revision", revision)));
    facts.extend(status.stable.as_ref().map(|s| ("Stable", format!("version {}", s.version))));
    if let Some(canary) = &status.canary {
        let started = format!(
            "started {} ({} ago)",
            time(canary.started_at.0),
            age(canary.started_at.0, now)
        );
        let text = format!("version {} at {}%, {started}", canary.version, canary.weight);
        facts.push(("Canary", text));
    }
    let held = status.step.as_ref().and_then(|step| step.hold_until.as_ref());
    facts.extend(held.map(|until| ("Until", time(until.0))));
    facts.extend(status.paused_at.as_ref().map(|at| ("Paused", format!("since {}", time(at.0)))));
    facts.extend(status.held.as_ref().map(|h| ("Held", format!("{}: {}", h.reason, h.message))));
    facts.extend(status.ending.as_ref().map(|ending| {
        ("Ending", format!("{} ({}): {}", ending.outcome.as_str(), ending.reason, ending.message))
    }));
    if !status.ignored_alarms.is_empty() {
        let names = status.ignored_alarms.join(", ");
        facts.push(("Ignored", format!("alarms that fired before the start: {names}")));
    }
    facts.extend(status.last_action.as_ref().map(last_action));
    facts
}

/// How the last verb ended.
pub(super) fn last_action(last: &LastAction) -> (&'static str, String) {
    let by = if last.by.is_empty() { String::new() } else { format!(" by {}", last.by) };
    let LastAction { value, result, message, at, by: _ } = last;
    ("Last action", format!("{value}{by} at {}: {result:?}: {message}", time(at.0)))
}

fn steps_of(text: &mut String, object: &CanaryRollout, terminal: Terminal) {
    let entries = steps::entries(object);
    if entries.is_empty() {
        return;
    }
    heading(text, "Steps", terminal);
    for (number, entry) in entries.iter().enumerate() {
        let mark = if entry.current { "→" } else { " " };
        let line = format!("{mark} {:>2}  {}", number.saturating_add(1), one_line(&entry.text));
        let line = match (entry.current, entry.done) {
            (true, _) => terminal.paint(&line, Tone::Strong),
            (false, true) => terminal.paint(&format!("{line}  (done)"), Tone::Faint),
            (false, false) => line,
        };
        let _ = writeln!(text, "  {line}");
    }
}

/// What speaks against the release.
fn preflight(text: &mut String, status: &CanaryRolloutStatus, terminal: Terminal) {
    if status.preflight.is_empty() {
        return;
    }
    heading(text, "Preflight", terminal);
    for finding in &status.preflight {
        let (word, tone) = match finding.severity {
            Severity::Blocking => ("blocking", Tone::Bad),
            Severity::Warning => ("warning", Tone::Asks),
        };
        let word = terminal.paint(&format!("{word:<8}"), tone);
        let what = one_line(&format!("{}: {}", finding.reason, finding.message));
        let _ = writeln!(text, "  {word}  {what}");
    }
}

/// What would be done if the mode were not Audit.
pub(super) fn plan(text: &mut String, plan: &[String], terminal: Terminal) {
    for (number, line) in (1..).zip(plan) {
        if number == 1 {
            heading(text, "Would be done", terminal);
        }
        let _ = writeln!(text, "  {number:>4}  {}", one_line(line));
    }
}

fn analysis(text: &mut String, status: &CanaryRolloutStatus, terminal: Terminal) {
    let through = status.analysis.iter().filter_map(|metric| metric.through.as_ref()).max();
    let through = through.map(|t| format!(", data until {}", time(t.0))).unwrap_or_default();
    let row = |metric: &MetricStatus| {
        let MetricStatus { name, verdict, canary, stable, limit, failures, .. } = metric;
        vec![
            name.clone(),
            verdict.as_str().to_owned(),
            measured(canary.as_ref()),
            measured(stable.as_ref()),
            failures.to_string(),
            limit.clone(),
        ]
    };
    let header = ["METRIC", "VERDICT", "CANARY", "STABLE", "FAILED", "LIMIT"];
    let rows: Vec<_> = status.analysis.iter().map(row).collect();
    let verdict = Some((1, verdict_tone as fn(&str) -> _));
    section(text, &format!("Analysis{through}"), &header, &rows, verdict, terminal);
}

fn verdict_tone(word: &str) -> Option<Tone> {
    Some(match serde_json::from_value(word.into()).ok()? {
        Verdict::Passing => Tone::Good,
        Verdict::Failing => Tone::Bad,
        Verdict::NoData | Verdict::Waiting => Tone::Asks,
    })
}

fn measured(measured: Option<&Measured>) -> String {
    let Some(Measured { samples, value, .. }) = measured else { return "-".to_owned() };
    let value = value.as_deref().unwrap_or("no data");
    format!("{value} in {samples}")
}

fn history(text: &mut String, status: &CanaryRolloutStatus, terminal: Terminal) {
    let row = |entry: &HistoryEntry| {
        vec![
            entry.version.clone(),
            entry.revision.clone(),
            entry.outcome.as_str().to_owned(),
            time(entry.started_at.0),
            time(entry.ended_at.0),
            entry.reason.clone(),
        ]
    };
    let header = ["VERSION", "REVISION", "OUTCOME", "STARTED", "ENDED", "REASON"];
    let rows: Vec<_> = status.history.iter().map(row).collect();
    section(text, "History", &header, &rows, None, terminal);
}

/// Conditions that are not as they should be, and before them those that will be so by themselves. Ready
/// is False while work goes on by itself; those in `either` may be as they like.
pub(super) fn conditions(
    text: &mut String,
    all: &[Condition],
    told: &str,
    either: &[&str],
    terminal: Terminal,
) {
    let on_its_way = all.iter().any(|c| c.type_ == "Reconciling" && c.status == "True");
    let wrong = all.iter().filter(|condition| {
        match (condition.type_.as_str(), condition.status.as_str()) {
            ("Ready", "True") | ("Reconciling", _) => false,
            (kind, _) if either.contains(&kind) => false,
            ("Ready", _) => !on_its_way,
            ("Stalled", status) => status == "True",
            (_, status) => status != "True",
        }
    });
    let (busy, wrong): (Vec<_>, Vec<_>) = wrong.partition(|condition| {
        !["Ready", "Stalled"].contains(&condition.type_.as_str())
            && ON_THEIR_WAY.contains(&condition.reason.as_str())
    });
    // What the message on top says already is not said again.
    let busy = busy.into_iter().filter(|condition| condition.message != told);
    let groups =
        [("On its way", Tone::Busy, busy.collect()), ("Not as it should be", Tone::Bad, wrong)];
    for (name, tone, conditions) in groups {
        if !conditions.is_empty() {
            heading(text, name, terminal);
        }
        for condition in conditions {
            let what = format!("{}={}", condition.type_, condition.status);
            let what = terminal.paint(&one_line(&what), tone);
            let message = if condition.message == told { "" } else { &condition.message };
            let line = one_line(&format!("{} {message}", condition.reason));
            let _ = writeln!(text, "  {what} {}", line.trim_end());
        }
    }
}

/// Whole seconds, in UTC.
pub(super) fn time(time: Timestamp) -> String {
    time.round(Unit::Second).unwrap_or(time).to_string()
}
