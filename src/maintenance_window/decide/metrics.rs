//! Metrics around an opening: when they are read, and what becomes of those that cannot be.
//!
//! What is left to be read stands in the memory from the opening on. It is asked for last, when
//! nothing else is to be done, and not shortly before an opening or a close: no other rule waits for it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    Facts,
    plan::{Ask, Note, Plan, Revisit},
    situation::Situation,
};
use crate::{
    api::{
        maintenance_window::Outcome,
        window_checks::WindowStage::{self, AfterClose, BeforeOpening},
        window_metrics::{FrozenMetrics, Measuring, MetricDue, WindowMetric, WindowMetricStatus},
    },
    facts::kubernetes::Deletion,
    maintenance_window::{
        memory::{Current, Memory},
        metrics::{Found, Reading, Wanted},
    },
    time::moments,
};

/// How long after its period a number is read: before, CloudWatch may not have all of it. There is no
/// hurry; what is late by more is rare.
const SETTLE: SignedDuration = SignedDuration::from_mins(5);
/// How long it is tried to read a number.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// Pauses between two tries grow from this,
const PAUSE_MIN: SignedDuration = SignedDuration::from_mins(1);
/// to this.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// How soon it is asked for what could not be asked for now.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// The metrics of what opens, with nothing known of them.
pub(super) fn unknown(metrics: &[WindowMetric]) -> Vec<WindowMetricStatus> {
    let of = |metric: &WindowMetric| WindowMetricStatus {
        name: metric.name.clone(),
        ..WindowMetricStatus::default()
    };
    metrics.iter().map(of).collect()
}

/// An opening begins: its first numbers are to be read, and none of the one before any more.
pub(super) fn begin(memory: &mut Memory) {
    give_up(memory, "the next opening came first");
    let Some(current) = &memory.current else { return };
    let metrics = frozen(current);
    let due = |metric: &WindowMetric| MetricDue {
        name: metric.name.clone(),
        stage: BeforeOpening,
        until: Time(whole(current.opened_at, metric)),
        due_at: Time(moments::after(current.opened_at, SETTLE)),
    };
    memory.measuring = measuring(current, metrics.iter().map(due).collect(), metrics);
}

/// An opening is over, and in the history: its second numbers are to be read, unless it was cut off.
pub(super) fn end(memory: &mut Memory, current: &Current, outcome: Outcome, now: Timestamp) {
    let metrics = frozen(current);
    let closed_at = moments::stamp(now);
    let due = |metric: &WindowMetric| {
        let length = metric.metric.period.signed();
        let watched = current.window.post_check_for.max(length);
        // The first whole period that ends no sooner.
        let least = moments::after(moments::after(closed_at, watched), length);
        let until = whole(moments::before(least, SignedDuration::from_secs(1)), metric);
        MetricDue {
            name: metric.name.clone(),
            stage: AfterClose,
            until: Time(until),
            due_at: Time(moments::after(until, SETTLE)),
        }
    };
    let more: Vec<MetricDue> = metrics.iter().map(due).collect();
    match &mut memory.measuring {
        Some(measuring) => measuring.left.extend(more),
        None => memory.measuring = measuring(current, more, metrics),
    }
    if outcome == Outcome::Cancelled {
        give_up(memory, "it was cancelled");
    }
}

/// Nothing more is read for what is suspended, deleted or in Audit.
pub(super) fn stop(situation: &mut Situation<'_>) {
    let Facts { deletion, .. } = situation.facts;
    let why = match deletion {
        Deletion::Undo | Deletion::Abandon => "the window is deleted",
        Deletion::None if situation.facts.suspended() => "the window is suspended",
        Deletion::None if situation.facts.audits() => "the window is in Audit",
        Deletion::None => return,
    };
    give_up(&mut situation.memory, why);
}

/// Writes down what was read, and asks for what is due, when nothing else is to be done.
pub(super) fn look(situation: &Situation<'_>, mut plan: Plan) -> Plan {
    let Situation { facts, now, .. } = situation;
    if let Some(readings) = &facts.metrics {
        plan.notes.extend(record(&mut plan.memory, readings, *now));
    }
    let Some(measuring) = &plan.memory.measuring else { return plan };
    let next = next(measuring);
    if next > *now {
        plan.revisit = plan.revisit.no_later_than(next);
    } else if facts.metrics.is_some() || !is_idle(&plan) {
        plan.revisit = plan.revisit.no_later_than(moments::after(*now, SOON));
    } else if let Some(change) = plan.change_ahead(*now) {
        plan.revisit = plan.revisit.no_later_than(change);
    } else {
        let wanted = wanted(measuring, *now);
        plan.asks = Some(Ask::Metrics(wanted));
    }
    plan
}

/// Whether nothing is done by a plan, and nothing comes right after it.
fn is_idle(plan: &Plan) -> bool {
    let Plan { actions, asks, task, revisit, .. } = plan;
    actions.is_empty() && asks.is_none() && task.is_none() && *revisit != Revisit::Now
}

/// The metrics of an opening, as its spec has them.
fn frozen(current: &Current) -> Vec<WindowMetric> {
    current.spec.metrics.clone().unwrap_or_default()
}

fn measuring(
    current: &Current,
    left: Vec<MetricDue>,
    metrics: Vec<WindowMetric>,
) -> Option<Measuring> {
    let occurrence = current.id.clone();
    let metrics = FrozenMetrics(metrics);
    (!left.is_empty()).then(|| Measuring { occurrence, left, metrics, ..Measuring::default() })
}

/// The end of the last whole period of a metric.
fn whole(moment: Timestamp, metric: &WindowMetric) -> Timestamp {
    let second = moment.as_second();
    let period = i64::try_from(metric.metric.period.as_secs()).unwrap_or(i64::MAX).max(1);
    let end = second.saturating_sub(second.rem_euclid(period));
    Timestamp::from_second(end).unwrap_or(moment)
}

/// When something is to be read next.
fn next(measuring: &Measuring) -> Timestamp {
    let tried = measuring.tried_at.as_ref().map(|at| at.0);
    let since = measuring.failing_since.as_ref().map(|at| at.0);
    let due = |due: &MetricDue| {
        let first = due.due_at.0;
        match tried.filter(|tried| *tried >= first) {
            // As long again as it has failed.
            Some(tried) => {
                let failing = tried.duration_since(since.unwrap_or(first).max(first));
                moments::after(tried, failing.clamp(PAUSE_MIN, PAUSE_MAX))
            }
            None => first,
        }
    };
    let known = measuring.left.iter().filter(|due| metric(measuring, &due.name).is_some());
    known.map(due).min().unwrap_or(Timestamp::MAX)
}

/// A metric as it is measured.
fn metric<'m>(measuring: &'m Measuring, name: &str) -> Option<&'m WindowMetric> {
    measuring.metrics.0.iter().find(|metric| metric.name == name)
}

/// All that is due.
fn wanted(measuring: &Measuring, now: Timestamp) -> Vec<Wanted> {
    let due = measuring.left.iter().filter(|due| due.due_at.0 <= now);
    let wanted = due.filter_map(|due| {
        let metric = metric(measuring, &due.name)?.clone();
        Some(Wanted { metric, stage: due.stage, until: due.until.0 })
    });
    wanted.collect()
}

/// Writes down what was read; what to tell of numbers that are given up.
fn record(memory: &mut Memory, readings: &[Reading], now: Timestamp) -> Option<Note> {
    // Nothing was asked.
    if readings.is_empty() {
        return None;
    }
    let mut measuring = memory.measuring.take()?;
    let is_due = |due: &MetricDue| due.due_at.0 <= now;
    let seen = moments::stamp(now);
    let since = measuring.failing_since.take().map_or(seen, |since| since.0);
    let (mut failing, mut lost) = (Vec::new(), Vec::new());
    for Reading { name, stage, found } in readings {
        let this = |due: &MetricDue| due.name == *name && due.stage == *stage && is_due(due);
        let Some(due) = measuring.left.iter().find(|due| this(due)) else { continue };
        let words = match found {
            Found::Unread(why) if now < moments::after(since.max(due.due_at.0), PATIENCE) => {
                failing.push(format!("{name} {}: {why}", stage.told()));
                continue;
            }
            Found::Unread(why) => {
                lost.push(format!("{name} {}: {why}", stage.told()));
                Err(format!("it could not be read: {why}"))
            }
            Found::Nothing(why) => Err(why.clone()),
            Found::Number(number) => Ok(number.clone()),
        };
        if let Some(told) = told(memory, &measuring.occurrence, name) {
            write(told, *stage, words);
        }
        measuring.left.retain(|due| !this(due));
    }
    let is_failing = !failing.is_empty();
    measuring.failing_since = is_failing.then_some(Time(since));
    measuring.tried_at = is_failing.then_some(Time(seen));
    measuring.message = is_failing.then(|| failing.join("; "));
    let note = (!lost.is_empty()).then(|| Note {
        warning: true,
        reason: "MetricUnread",
        message: format!("{}: metric {}", measuring.occurrence, lost.join("; metric ")),
    });
    memory.measuring = Some(measuring).filter(|measuring| !measuring.left.is_empty());
    note
}

/// Nothing that is left is read any more.
fn give_up(memory: &mut Memory, why: &str) {
    let Some(Measuring { occurrence, left, .. }) = memory.measuring.take() else { return };
    for due in left {
        if let Some(told) = told(memory, &occurrence, &due.name) {
            write(told, due.stage, Err(format!("not read: {why}")));
        }
    }
}

/// Where a metric of an opening is told.
fn told<'m>(
    memory: &'m mut Memory,
    occurrence: &str,
    name: &str,
) -> Option<&'m mut WindowMetricStatus> {
    let Memory { current, history, .. } = memory;
    let open = current.as_mut().filter(|current| current.id == occurrence);
    let open = open.map(|current| &mut current.metrics);
    let past = history.iter_mut().find(|entry| entry.id == occurrence);
    let metrics = open.or(past.map(|entry| &mut entry.metrics))?;
    metrics.iter_mut().find(|metric| metric.name == name)
}

/// Writes down a number, or why there is none.
fn write(told: &mut WindowMetricStatus, stage: WindowStage, found: Result<String, String>) {
    match (found, stage) {
        (Ok(number), BeforeOpening) => told.before = Some(number),
        (Ok(number), AfterClose) => told.after = Some(number),
        (Err(why), _) => {
            let before = told.message.take().map(|before| format!("{before}; "));
            told.message = Some(format!("{}{}: {why}", before.unwrap_or_default(), stage.told()));
        }
    }
}
