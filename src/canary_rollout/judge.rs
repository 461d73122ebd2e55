//! What the data says of the new version. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    criteria::{Criteria, Criterion, Source, Versus, builtin_unit},
    evidence::{self, Evidence, Subject, Who, earlier},
    memory::{Flight, Memory},
    tally,
};
use crate::{
    api::{
        analysis::{Builtin, Measured, MetricStatus, MetricUnit, OnNoData, Verdict},
        canary_rollout::{Counted, Tally},
    },
    facts::cloudwatch::{Datapoint, Series},
    stats::{Count, newcombe_lower},
};

/// Fewest invocations of each version before their rates are compared: below it the interval is
/// too wide to say anything.
const COMPARED_MIN: i64 = 30;

/// From here on a value is written as a power of ten: more digits tell nobody anything.
const LONG: f64 = 1e15;

/// A failed evaluation that ends the rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence with numbers.
    pub message: String,
}

/// Evaluates what was read; returns the flight with the new verdicts, and what ends it.
#[must_use]
pub fn evaluate(
    criteria: &Criteria,
    memory: &Memory,
    flight: &Flight,
    subject: Subject<'_>,
    evidence: &Evidence,
) -> (Flight, Option<Failed>) {
    let mut judged = flight.clone();
    let (Some(canary), Some(entered)) = (&memory.canary, flight.entered_at) else {
        return (judged, None);
    };
    let data = Data { subject, evidence, start: evidence::start(entered) };
    let least = evidence::min_invocations(flight).unwrap_or(0);
    let who = evidence::canary_of(flight, &canary.version);
    let stable = match who {
        Who::Version(_) => memory.stable.as_deref().map(Who::Version),
        Who::Alias => None,
    };
    let base = tally::base(criteria, flight, data.start);
    let count = |to| data.count(&base, who, stable, to);
    let until = evidence.span.until;
    let counts = count(until);
    judged.counted = Some(count(tally::settled(criteria, base.before.0, until)));
    judged.invocations = counts.canary.invocations;
    judged.through = Some(until);
    // Fewer invocations than asked for say nothing, neither good nor bad.
    let enough = judged.invocations >= least;
    let entries = criteria.metrics.iter().filter_map(|criterion| {
        let before = flight.analysis.iter().find(|entry| entry.name == criterion.name);
        // After 100 there is nothing to compare with: only absolute limits hold.
        let absolute = criterion.max.is_some() || criterion.min.is_some();
        (stable.is_some() || absolute).then(|| {
            let stable = stable.zip(counts.stable);
            let entry = data.entry(criterion, (who, counts.canary), stable, before);
            (criterion, if enough { entry } else { undecided(entry, before) })
        })
    });
    let entries: Vec<_> = entries.collect();
    let failed = entries.iter().find_map(|(criterion, entry)| failure(criterion, entry));
    judged.analysis = entries.into_iter().map(|(_, entry)| entry).collect();
    (judged, failed)
}

/// The entry without a verdict, as if it had not been evaluated.
fn undecided(entry: MetricStatus, before: Option<&MetricStatus>) -> MetricStatus {
    MetricStatus {
        verdict: Verdict::Waiting,
        failures: before.map_or(0, |before| before.failures),
        passed: before.is_some_and(|before| before.passed),
        ..entry
    }
}

/// What ends the rollout, if this entry does.
fn failure(criterion: &Criterion, entry: &MetricStatus) -> Option<Failed> {
    if entry.failures <= criterion.failure_limit {
        return None;
    }
    let reason = match &criterion.source {
        Source::Builtin(builtin) => builtin.as_str(),
        Source::Custom { .. } => "MetricFailed",
    };
    let shown =
        |measured: &Option<Measured>| measured.as_ref().and_then(|measured| measured.value.clone());
    let value = shown(&entry.canary).unwrap_or_else(|| "no data".to_owned());
    let samples = entry.canary.as_ref().map_or(0, |canary| canary.samples);
    let stable = shown(&entry.stable).map_or_else(String::new, |value| format!("; stable {value}"));
    let message = format!(
        "{}: {value} in {samples} samples{stable}; the limit is {}",
        entry.name, entry.limit
    );
    Some(Failed { reason, message })
}

struct Data<'a> {
    subject: Subject<'a>,
    evidence: &'a Evidence,
    /// First minute of the step.
    start: Timestamp,
}

impl Data<'_> {
    fn entry(
        &self,
        criterion: &Criterion,
        canary: (Who<'_>, Tally),
        stable: Option<(Who<'_>, Tally)>,
        before: Option<&MetricStatus>,
    ) -> MetricStatus {
        let canary = self.measure(criterion, canary);
        let stable = stable.filter(|_| criterion.versus.is_some());
        let stable = stable.map(|stable| self.measure(criterion, stable));
        let found = verdict(criterion, &canary, stable.as_ref());
        let verdict = match (found, criterion.on_no_data) {
            (Verdict::NoData, OnNoData::Pass) => Verdict::Passing,
            (Verdict::NoData, OnNoData::Fail) => Verdict::Failing,
            (found, _) => found,
        };
        let failures = before.map_or(0, |before| before.failures);
        let failed = i32::from(verdict == Verdict::Failing);
        MetricStatus {
            name: criterion.name.clone(),
            verdict,
            canary: Some(canary.status),
            stable: stable.map(|stable| stable.status),
            limit: criterion.limit.clone(),
            failures: failures.saturating_add(failed),
            passed: verdict == Verdict::Passing || before.is_some_and(|before| before.passed),
            through: Some(Time(self.evidence.span.until)),
        }
    }

    fn measure(&self, criterion: &Criterion, (who, tally): (Who<'_>, Tally)) -> Value {
        let from = earlier(self.evidence.span.until, criterion.window.signed()).max(self.start);
        let (value, samples, errors) = match &criterion.source {
            Source::Custom { metric, statistic, .. } => {
                let series =
                    Series { metric: metric.clone(), statistic: statistic.clone(), period: 60 };
                let points = self.points(&series, from);
                let samples = i64::try_from(points.len()).unwrap_or(i64::MAX);
                (combine(statistic, &points), samples, None)
            }
            Source::Builtin(builtin) => {
                let rates = matches!(criterion.versus, Some(Versus::MaxIncrease { .. }));
                let errors = tally.errors.filter(|_| rates);
                (self.builtin(*builtin, who, from), tally.invocations, errors)
            }
        };
        let value_shown = value.map(|value| show(value, &criterion.source));
        Value { number: value, status: Measured { samples, errors, value: value_shown } }
    }

    /// Value of a built-in metric since `from`; none without data.
    fn builtin(&self, builtin: Builtin, who: Who<'_>, from: Timestamp) -> Option<f64> {
        let invocations = self.points(&self.lambda(who, "Invocations"), from);
        let invoked: f64 = total(&invocations);
        let series = evidence::value_of(self.subject, who, builtin);
        let points = series.map(|series| self.points(&series, from)).unwrap_or_default();
        match builtin {
            // No datapoint of Errors means no error, as long as there were invocations.
            Builtin::ErrorRate => (invoked > 0.0).then(|| 100.0 * total(&points) / invoked),
            Builtin::Errors => (invoked > 0.0).then(|| total(&points)),
            // A throttled request is no invocation.
            Builtin::Throttles => (invoked > 0.0 || total(&points) > 0.0).then(|| total(&points)),
            Builtin::Invocations => (!invocations.is_empty()).then_some(invoked),
            Builtin::DurationMaximum => combine("Maximum", &points),
            Builtin::DurationP50
            | Builtin::DurationP90
            | Builtin::DurationP95
            | Builtin::DurationP99
            | Builtin::DurationAverage => weighted(&points, &invocations),
        }
    }

    /// What was counted, and the minutes from there to `to`.
    fn count(
        &self,
        base: &Counted,
        who: Who<'_>,
        stable: Option<Who<'_>>,
        to: Timestamp,
    ) -> Counted {
        let sum = |who, name: &str| {
            let mut points = self.points(&self.lambda(who, name), base.before.0);
            points.retain(|point| point.at < to);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and counts are far below"
            )]
            let whole = total(&points).round() as i64;
            whole
        };
        let tally = |who, old: Tally| Tally {
            invocations: old.invocations.saturating_add(sum(who, "Invocations")),
            errors: old.errors.map(|errors| errors.saturating_add(sum(who, "Errors"))),
        };
        Counted {
            before: Time(to),
            canary: tally(who, base.canary),
            stable: stable.zip(base.stable).map(|(who, old)| tally(who, old)),
        }
    }

    fn lambda(&self, who: Who<'_>, name: &str) -> Series {
        evidence::lambda(self.subject, who, name, "Sum")
    }

    /// Sound datapoints of a series since `from`.
    fn points(&self, series: &Series, from: Timestamp) -> Vec<Datapoint> {
        let points = self.evidence.series.get(series).map(Vec::as_slice).unwrap_or_default();
        let until = self.evidence.span.until;
        let within =
            |point: &&Datapoint| point.at >= from && point.at < until && point.value.is_finite();
        points.iter().filter(within).copied().collect()
    }
}

struct Value {
    number: Option<f64>,
    status: Measured,
}

fn verdict(criterion: &Criterion, canary: &Value, stable: Option<&Value>) -> Verdict {
    let Some(value) = canary.number else { return Verdict::NoData };
    let over = criterion.max.is_some_and(|max| value > max);
    let under = criterion.min.is_some_and(|min| value < min);
    if over || under {
        return Verdict::Failing;
    }
    match (criterion.versus, stable) {
        (None, _) | (_, None) => Verdict::Passing,
        (Some(Versus::MaxRatio(ratio)), Some(stable)) => match stable.number {
            Some(stable) if value > ratio * stable => Verdict::Failing,
            Some(_) => Verdict::Passing,
            None => Verdict::NoData,
        },
        (Some(Versus::MaxIncrease { share, confidence }), Some(stable)) => {
            let few = [canary, stable].iter().any(|value| value.status.samples < COMPARED_MIN);
            let counts = (count(&canary.status), count(&stable.status));
            match newcombe_lower(counts.0, counts.1, confidence) {
                Some(lower) if !few && lower > share => Verdict::Failing,
                Some(_) if !few => Verdict::Passing,
                Some(_) | None => Verdict::NoData,
            }
        }
    }
}

fn count(measured: &Measured) -> Count {
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    Count { hits: number(measured.errors.unwrap_or(0)), trials: number(measured.samples) }
}

/// Sum of the values. Not `sum()`: that of nothing is -0.
fn total(points: &[Datapoint]) -> f64 {
    points.iter().fold(0.0, |sum, point| sum + point.value)
}

/// One value out of the minutes' values; none without any.
fn combine(statistic: &str, points: &[Datapoint]) -> Option<f64> {
    let values = points.iter().map(|point| point.value);
    match statistic {
        _ if points.is_empty() => None,
        "Sum" | "SampleCount" => Some(values.sum()),
        "Maximum" => values.reduce(f64::max),
        "Minimum" => values.reduce(f64::min),
        _ => Some(values.sum::<f64>() / points.len() as f64),
    }
}

/// Mean of the minutes' values, weighted by the minutes' invocations.
fn weighted(points: &[Datapoint], invocations: &[Datapoint]) -> Option<f64> {
    let weight_at = |at| {
        let minute = invocations.iter().find(|minute| minute.at == at);
        minute.map_or(0.0, |minute| minute.value)
    };
    let weights: f64 = points.iter().map(|point| weight_at(point.at)).sum();
    let sum: f64 = points.iter().map(|point| point.value * weight_at(point.at)).sum();
    (weights > 0.0).then(|| sum / weights)
}

/// A value with its unit: `0.47%`, `182ms`, `12`.
fn show(value: f64, source: &Source) -> String {
    let unit = match source {
        Source::Builtin(builtin) => builtin_unit(*builtin),
        Source::Custom { unit, .. } => *unit,
    };
    let (digits, suffix) = match unit {
        Some(MetricUnit::Percent) => (2, "%"),
        Some(MetricUnit::Milliseconds) => (0, "ms"),
        Some(MetricUnit::Seconds) => (3, "s"),
        None => (2, ""),
    };
    let text =
        if value.abs() < LONG { format!("{value:.digits$}") } else { format!("{value:.2e}") };
    let text = if text.contains('.') && value.abs() < LONG {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    format!("{text}{suffix}")
}

#[cfg(test)]
mod tests;
