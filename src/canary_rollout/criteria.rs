//! What the new version is judged by, parsed once into types that cannot be wrong.

use jiff::SignedDuration;

use super::rollout::{InvalidSpec, Step, Steps, invalid};
use crate::{
    api::{
        analysis::{
            AlreadyFiring, Analysis, AnalysisAlarms, AnalysisMetric, Builtin, METRICS_MAX,
            MetricRef, MetricUnit, OnNoData, VsStable,
        },
        duration::Duration,
    },
    facts::cloudwatch::Metric,
    thresholds::{self, Bare},
};

/// Default of `analysis.interval`, and the shortest: CloudWatch has one datapoint a minute.
const INTERVAL: Duration = Duration::from_secs(60);
/// Default of `analysis.window`.
const WINDOW: Duration = Duration::from_secs(300);
/// Default of `analysis.settle`: Lambda's metrics are complete after this time but for long
/// invocations, which count at the time of their start.
const SETTLE: Duration = Duration::from_secs(120);
/// A step's first datapoint is of its first whole minute, which may begin a minute after it.
const FIRST_DATA: Duration = Duration::from_secs(120);
/// Default of `vsStable.confidence`.
const CONFIDENCE: f64 = 0.95;

/// What the new version is judged by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// Time between two evaluations; whole minutes.
    pub interval: Duration,
    /// How long the newest data is ignored, before the function's timeout is looked at.
    pub settle: Duration,
    /// The metrics.
    pub metrics: Vec<Criterion>,
    /// The alarms, if any must not fire.
    pub alarms: Option<Alarms>,
}

/// One metric with its limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// Name in the status.
    pub name: String,
    /// What is measured.
    pub source: Source,
    /// Highest value that passes, in the source's unit.
    pub max: Option<f64>,
    /// Lowest value that passes, in the source's unit.
    pub min: Option<f64>,
    /// Comparison with the stable version.
    pub versus: Option<Versus>,
    /// Evaluations of a step that may fail.
    pub failure_limit: i32,
    /// What no data means.
    pub on_no_data: OnNoData,
    /// How far back an evaluation looks; whole minutes.
    pub window: Duration,
    /// The limits, as the spec writes them.
    pub limit: String,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Per version, from Lambda.
    Builtin(Builtin),
    /// Anything else.
    Custom {
        /// The metric.
        metric: Metric,
        /// Its statistic.
        statistic: String,
        /// Its unit, where limits are written with one.
        unit: Option<MetricUnit>,
    },
}

/// A comparison with the stable version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Versus {
    /// Highest quotient of the two values.
    MaxRatio(f64),
    /// Highest difference of the two rates.
    MaxIncrease {
        /// As a share of 1.
        share: f64,
        /// How sure it must be, 0.5 to below 1.
        confidence: f64,
    },
}

/// Alarms that must not fire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// By name.
    pub names: Vec<String>,
    /// By the beginning of their names.
    pub prefixes: Vec<String>,
    /// What one means that fires before the start.
    pub already_firing: AlreadyFiring,
    /// What INSUFFICIENT_DATA means.
    pub on_insufficient_data: OnNoData,
}

impl Criteria {
    /// Parses `spec.analysis`.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first field that cannot work.
    pub fn parse(analysis: Option<&Analysis>) -> Result<Self, InvalidSpec> {
        let Some(analysis) = analysis else {
            return Ok(Self { interval: INTERVAL, settle: SETTLE, ..Self::default() });
        };
        let window = whole_minutes(analysis.window.unwrap_or(WINDOW));
        let metrics = analysis.metrics.as_deref().unwrap_or_default();
        if metrics.len() > METRICS_MAX {
            return Err(invalid("analysis.metrics", "at most 16 metrics"));
        }
        let metrics = metrics.iter().enumerate();
        Ok(Self {
            interval: whole_minutes(analysis.interval.unwrap_or(INTERVAL)),
            settle: analysis.settle.unwrap_or(SETTLE),
            metrics: metrics.map(|(i, m)| criterion(m, i, window)).collect::<Result<_, _>>()?,
            alarms: analysis.alarms.as_ref().map(alarms),
        })
    }

    /// The longest window of all metrics; nothing without any.
    #[must_use]
    pub fn longest_window(&self) -> SignedDuration {
        let windows = self.metrics.iter().map(|metric| metric.window);
        windows.max().unwrap_or_default().signed()
    }

    /// Whether each step that waits for data waits until there can be any. Asked of a spec alone: a
    /// rollout in flight keeps its steps.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first step that gives up before.
    pub fn are_awaited_by(&self, steps: &Steps) -> Result<(), InvalidSpec> {
        let first = self.settle.as_secs().saturating_add(FIRST_DATA.as_secs());
        let steps = (0..steps.len()).filter_map(|index| Some((index, steps.get(index)?)));
        for (index, step) in steps {
            let Step::Weight { min_invocations, max_wait: Some(wait), .. } = step else { continue };
            let awaits = min_invocations.is_some() || !self.metrics.is_empty();
            if awaits && wait.as_secs() < first {
                let expected = "at least 2m longer than analysis.settle, which is 2m by default";
                return Err(invalid(format!("steps[{index}].maxWait"), expected));
            }
        }
        Ok(())
    }

    /// How long the newest data is ignored for a function with this timeout: an invocation counts
    /// when it started, and is counted when it ended.
    #[must_use]
    pub fn settle_for(&self, timeout: Option<Duration>) -> SignedDuration {
        self.settle.max(timeout.unwrap_or_default()).signed()
    }
}

/// At least a minute, and whole ones.
fn whole_minutes(duration: Duration) -> Duration {
    let minutes = duration.as_secs().div_ceil(60).max(1);
    Duration::from_secs(minutes.saturating_mul(60))
}

fn alarms(alarms: &AnalysisAlarms) -> Alarms {
    Alarms {
        names: alarms.names.clone().unwrap_or_default(),
        prefixes: alarms.name_prefixes.clone().unwrap_or_default(),
        already_firing: alarms.already_firing.unwrap_or_default(),
        on_insufficient_data: alarms.on_insufficient_data.unwrap_or(OnNoData::Pass),
    }
}

fn criterion(
    raw: &AnalysisMetric,
    index: usize,
    window: Duration,
) -> Result<Criterion, InvalidSpec> {
    let field = |name: &str| format!("analysis.metrics[{index}].{name}");
    let source = match (&raw.builtin, &raw.metric) {
        (Some(builtin), None) => Source::Builtin(*builtin),
        (None, Some(metric)) => custom(metric),
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid(field("builtin"), "given, or metric, but not both"));
        }
    };
    let limit = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| threshold(text, &source, &field(name))).transpose()
    };
    let (max, min) = (limit("max", &raw.max)?, limit("min", &raw.min)?);
    let versus = raw.vs_stable.as_ref();
    let versus = versus.map(|versus| compare(versus, &source, &field("vsStable"))).transpose()?;
    if max.is_none() && min.is_none() && versus.is_none() {
        return Err(invalid(field("max"), "given, or min or vsStable"));
    }
    if max.zip(min).is_some_and(|(max, min)| max < min) {
        return Err(invalid(field("max"), "at least as high as min"));
    }
    Ok(Criterion {
        name: raw.name.clone(),
        source,
        max,
        min,
        versus,
        failure_limit: raw.failure_limit.unwrap_or(0).max(0),
        on_no_data: raw.on_no_data.unwrap_or_default(),
        window: raw.window.map_or(window, whole_minutes),
        limit: limit_text(raw),
    })
}

fn custom(metric: &MetricRef) -> Source {
    let dimensions = metric.dimensions.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    Source::Custom {
        metric: Metric {
            namespace: metric.namespace.clone(),
            name: metric.metric_name.clone(),
            dimensions,
        },
        statistic: metric.statistic.clone(),
        unit: metric
            .unit
            .or_else(|| thresholds::known_unit(&metric.namespace, &metric.metric_name)),
    }
}

/// A limit in the unit of its metric.
fn threshold(text: &str, source: &Source, field: &str) -> Result<f64, InvalidSpec> {
    let (unit, bare) = match source {
        Source::Builtin(builtin) => (builtin_unit(*builtin), Bare::Refused),
        // A custom metric with a unit still takes bare numbers, in that unit.
        Source::Custom { unit, .. } => (*unit, Bare::Taken),
    };
    thresholds::parse(text, unit, bare).map_err(|expected| invalid(field, expected))
}

/// Unit of a built-in metric; none for counts.
#[must_use]
pub fn builtin_unit(builtin: Builtin) -> Option<MetricUnit> {
    match builtin {
        Builtin::ErrorRate => Some(MetricUnit::Percent),
        Builtin::Errors | Builtin::Throttles | Builtin::Invocations => None,
        Builtin::DurationP50
        | Builtin::DurationP90
        | Builtin::DurationP95
        | Builtin::DurationP99
        | Builtin::DurationAverage
        | Builtin::DurationMaximum => Some(MetricUnit::Milliseconds),
    }
}

fn compare(raw: &VsStable, source: &Source, field: &str) -> Result<Versus, InvalidSpec> {
    let Source::Builtin(builtin) = source else {
        return Err(invalid(field, "left out: only a builtin is counted per version"));
    };
    let number = |text: &str| text.trim_end_matches('%').parse::<f64>().ok();
    match (&raw.max_ratio, &raw.max_increase_points) {
        (Some(ratio), None) => number(ratio)
            .filter(|ratio| ratio.is_finite())
            .map(Versus::MaxRatio)
            .ok_or_else(|| invalid(format!("{field}.maxRatio"), "a number, like 1.3")),
        (None, Some(points)) if *builtin == Builtin::ErrorRate => {
            let share = number(points).filter(|points| (0.0..=100.0).contains(points));
            let share =
                share.ok_or_else(|| invalid(format!("{field}.maxIncreasePoints"), "0% to 100%"))?;
            let confidence = raw.confidence.as_deref().map_or(Some(CONFIDENCE), |text| {
                number(text).map(|percent| percent / 100.0).filter(|c| (0.5..=0.999).contains(c))
            });
            let confidence =
                confidence.ok_or_else(|| invalid(format!("{field}.confidence"), "50% to 99.9%"))?;
            Ok(Versus::MaxIncrease { share: share / 100.0, confidence })
        }
        (None, Some(_)) => {
            Err(invalid(format!("{field}.maxIncreasePoints"), "with ErrorRate only"))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(invalid(field, "exactly one of maxRatio and maxIncreasePoints"))
        }
    }
}

/// The limits in one line: `5%`, `at least 5`, `1.3 times stable`.
fn limit_text(raw: &AnalysisMetric) -> String {
    let mut parts = Vec::new();
    parts.extend(raw.max.clone());
    parts.extend(raw.min.as_ref().map(|min| format!("at least {min}")));
    if let Some(versus) = &raw.vs_stable {
        parts.extend(versus.max_ratio.as_ref().map(|ratio| format!("{ratio} times stable")));
        parts.extend(versus.max_increase_points.as_ref().map(|p| format!("stable + {p}")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests;
