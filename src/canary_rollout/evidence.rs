//! Which data an evaluation reads, and from when. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    criteria::{Criteria, Source},
    memory::{Canary, Flight, Memory},
    tally,
};
use crate::{
    api::analysis::Builtin,
    canary_rollout::rollout::Step,
    facts::cloudwatch::{Datapoint, Metric, Series, Span},
};

pub(super) use crate::time::moments::{after as later, before as earlier};

/// Farthest back that data is read, for instance after the operator was away: CloudWatch answers
/// 100,800 points a call, and one day of a rollout's series is a tenth of that.
const READ_BACK_MAX: SignedDuration = SignedDuration::from_hours(24);
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const MINUTE_SECS: u32 = 60;

/// What CloudWatch had of one span.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The whole minutes that were read.
    pub span: Span,
    /// Datapoints of each series, oldest first; none where there was no data.
    pub series: BTreeMap<Series, Vec<Datapoint>>,
}

/// Whose metrics are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// One version, as far as it served the alias.
    Version(&'a str),
    /// The alias, whichever version served it.
    Alias,
}

/// Function and alias whose metrics are read.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Function name.
    pub function: &'a str,
    /// Alias name.
    pub alias: &'a str,
}

/// The first whole minute that counts for a step entered at `entered`.
#[must_use]
pub fn start(entered: Timestamp) -> Timestamp {
    let floor = floor_minute(entered);
    if floor == entered { floor } else { later(floor, MINUTE) }
}

/// Whether there is anything to evaluate in the current step: a version that serves nobody yet has
/// no metrics, and those of others say nothing of it.
#[must_use]
pub fn is_judged(criteria: &Criteria, flight: &Flight) -> bool {
    let serves = flight.index >= flight.steps.len() || flight.steps.weight_at(flight.index) > 0;
    serves && (!criteria.metrics.is_empty() || min_invocations(flight).is_some())
}

/// When the next evaluation of a step is due, counted from the last one or from its entry; none
/// where there is nothing to evaluate.
#[must_use]
pub fn next_due(criteria: &Criteria, canary: &Canary, flight: &Flight) -> Option<Timestamp> {
    let entered = flight.entered_at.filter(|_| is_judged(criteria, flight))?;
    let data_until = match flight.through {
        Some(through) => later(through, criteria.interval.signed()),
        None => later(start(entered), MINUTE),
    };
    Some(later(data_until, criteria.settle_for(canary.timeout)))
}

/// The span that an evaluation at `now` reads; none when none is due, or nothing needs data.
#[must_use]
pub fn due(criteria: &Criteria, memory: &Memory, now: Timestamp) -> Option<Span> {
    let (flight, canary) = (memory.flight.as_ref()?, memory.canary.as_ref()?);
    let entered = flight.entered_at?;
    if next_due(criteria, canary, flight)? > now {
        return None;
    }
    let start = start(entered);
    let until = floor_minute(earlier(now, criteria.settle_for(canary.timeout)));
    let window_from = earlier(until, criteria.longest_window()).max(start);
    let counted = tally::base(criteria, flight, start).before.0;
    let from = counted.min(window_from).max(earlier(until, READ_BACK_MAX));
    (from < until).then_some(Span { from, until })
}

/// Invocations that the current step waits for.
#[must_use]
pub fn min_invocations(flight: &Flight) -> Option<i64> {
    match flight.steps.get(flight.index)? {
        Step::Weight { min_invocations, .. } => *min_invocations,
        Step::Approve { .. } | Step::Smoke(_) => None,
    }
}

/// Everything that an evaluation reads.
#[must_use]
pub fn wanted(criteria: &Criteria, memory: &Memory, subject: Subject<'_>) -> BTreeSet<Series> {
    let mut all = BTreeSet::new();
    let (Some(flight), Some(canary)) = (&memory.flight, &memory.canary) else { return all };
    let who = canary_of(flight, &canary.version);
    all.insert(lambda(subject, who, "Invocations", "Sum"));
    for criterion in &criteria.metrics {
        match &criterion.source {
            Source::Custom { metric, statistic, .. } => {
                all.insert(series(metric.clone(), statistic));
            }
            Source::Builtin(builtin) => {
                all.extend(value_of(subject, who, *builtin));
                let stable = memory.stable.as_deref().filter(|_| criterion.versus.is_some());
                if let (Some(stable), Who::Version(_)) = (stable, who) {
                    all.insert(lambda(subject, Who::Version(stable), "Invocations", "Sum"));
                    all.extend(value_of(subject, Who::Version(stable), *builtin));
                }
            }
        }
    }
    all
}

/// Whose metrics stand for the canary: its own while it shares the alias, the alias's afterwards,
/// because Lambda is not known to count per version without weights.
#[must_use]
pub fn canary_of<'a>(flight: &Flight, version: &'a str) -> Who<'a> {
    if flight.index >= flight.steps.len() { Who::Alias } else { Who::Version(version) }
}

/// The series that a built-in metric's value is made of, beside the invocations.
#[must_use]
pub fn value_of(subject: Subject<'_>, who: Who<'_>, builtin: Builtin) -> Option<Series> {
    let (metric, statistic) = match builtin {
        Builtin::ErrorRate | Builtin::Errors => ("Errors", "Sum"),
        Builtin::Throttles => ("Throttles", "Sum"),
        Builtin::Invocations => return None,
        Builtin::DurationP50 => ("Duration", "p50"),
        Builtin::DurationP90 => ("Duration", "p90"),
        Builtin::DurationP95 => ("Duration", "p95"),
        Builtin::DurationP99 => ("Duration", "p99"),
        Builtin::DurationAverage => ("Duration", "Average"),
        Builtin::DurationMaximum => ("Duration", "Maximum"),
    };
    Some(lambda(subject, who, metric, statistic))
}

/// A metric of Lambda for an alias. `Resource` is `<name>:<alias>`, not an ARN.
///
/// Source: Lambda developer guide, "Types of metrics for Lambda functions", dimensions.
#[must_use]
pub fn lambda(subject: Subject<'_>, who: Who<'_>, name: &str, statistic: &str) -> Series {
    let Subject { function, alias } = subject;
    let mut dimensions = vec![
        ("FunctionName".to_owned(), function.to_owned()),
        ("Resource".to_owned(), format!("{function}:{alias}")),
    ];
    if let Who::Version(version) = who {
        dimensions.insert(0, ("ExecutedVersion".to_owned(), version.to_owned()));
    }
    let metric = Metric { namespace: "AWS/Lambda".into(), name: name.into(), dimensions };
    series(metric, statistic)
}

fn series(metric: Metric, statistic: &str) -> Series {
    Series { metric, statistic: statistic.into(), period: MINUTE_SECS }
}

fn floor_minute(time: Timestamp) -> Timestamp {
    let seconds = time.as_second();
    let rest = seconds.rem_euclid(60);
    Timestamp::from_second(seconds.saturating_sub(rest)).unwrap_or(time)
}

#[cfg(test)]
mod tests;
