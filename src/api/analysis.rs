//! What a rollout is judged by: metrics and alarms.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    duration::Duration,
    fit::{LIMIT_MAX, VALUE_MAX},
};

/// Most metrics of one rollout.
pub const METRICS_MAX: usize = 16;

/// Evidence for and against the new version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.interval) || self.interval >= duration('1m') && self.interval <= duration('24h')").message("interval must be 1m to 24h: CloudWatch has one datapoint a minute"),
    validation = Rule::new("!has(self.window) || self.window >= duration('1m') && self.window <= duration('24h')").message("window must be 1m to 24h"),
    validation = Rule::new("!has(self.settle) || self.settle <= duration('1h')").message("settle must be at most 1h"),
    validation = Rule::new("has(self.metrics) || has(self.alarms)").message("give metrics, alarms, or both")
)]
pub struct Analysis {
    /// How often the metrics are evaluated. Default 1m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// How far back each evaluation looks. Default 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// The newest data is ignored this long, because CloudWatch is late. Default 2m, and never less
    /// than the function's timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<Duration>,
    /// What is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = METRICS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub metrics: Option<Vec<AnalysisMetric>>,
    /// Alarms that must not fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<AnalysisAlarms>,
}

/// One metric with its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.builtin) != has(self.metric)").message("a metric has exactly one of builtin and metric"),
    validation = Rule::new("has(self.max) || has(self.min) || has(self.vsStable)").message("give a limit: max, min or vsStable"),
    validation = Rule::new("!has(self.vsStable) || has(self.builtin)").message("vsStable needs a builtin: only those are counted per version"),
    validation = Rule::new("!has(self.builtin) || self.builtin != 'ErrorRate' || ((!has(self.max) || self.max.endsWith('%')) && (!has(self.min) || self.min.endsWith('%')))").message("ErrorRate is a percentage: write limits like 5%"),
    validation = Rule::new("!has(self.builtin) || !self.builtin.startsWith('Duration') || ((!has(self.max) || self.max.endsWith('s')) && (!has(self.min) || self.min.endsWith('s')))").message("durations have limits like 800ms or 2s"),
    validation = Rule::new("!has(self.builtin) || !(self.builtin in ['Errors', 'Throttles', 'Invocations']) || ((!has(self.max) || self.max.matches('^[0-9]+$')) && (!has(self.min) || self.min.matches('^[0-9]+$')))").message("counts have limits like 10"),
    validation = Rule::new("!has(self.vsStable) || !has(self.vsStable.maxIncreasePoints) || self.builtin == 'ErrorRate'").message("maxIncreasePoints compares rates: use it with ErrorRate"),
    validation = Rule::new("!has(self.window) || self.window >= duration('1m') && self.window <= duration('24h')").message("window must be 1m to 24h")
)]
pub struct AnalysisMetric {
    /// Name in the status.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// A metric that Lambda keeps per version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<Builtin>,
    /// Any metric in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricRef>,
    /// Highest value that passes, with its unit: 5%, 800ms, 2s, 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 24),
        regex(pattern = r"^[0-9]{1,12}([.][0-9]{1,6})?(%|ms|s)?$")
    )]
    #[x_kube(validation = Rule::new("!self.endsWith('%') || double(self.replace('%','')) <= 100.0").message("a percentage is at most 100%"))]
    pub max: Option<String>,
    /// Lowest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 24),
        regex(pattern = r"^[0-9]{1,12}([.][0-9]{1,6})?(%|ms|s)?$")
    )]
    #[x_kube(validation = Rule::new("!self.endsWith('%') || double(self.replace('%','')) <= 100.0").message("a percentage is at most 100%"))]
    pub min: Option<String>,
    /// Compares the new version with the stable one in the same minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vs_stable: Option<VsStable>,
    /// How many evaluations of a step may fail. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub failure_limit: Option<i32>,
    /// What no data means: Wait (default), Fail or Pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_no_data: Option<OnNoData>,
    /// How far back each evaluation of this metric looks; default: the analysis's window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
}

/// Metrics that Lambda keeps per version of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "Lambda's own names, with the statistic")]
pub enum Builtin {
    ErrorRate,
    Errors,
    Throttles,
    Invocations,
    DurationP50,
    DurationP90,
    DurationP95,
    DurationP99,
    DurationAverage,
    DurationMaximum,
}

impl Builtin {
    /// The word that users write.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ErrorRate => "ErrorRate",
            Self::Errors => "Errors",
            Self::Throttles => "Throttles",
            Self::Invocations => "Invocations",
            Self::DurationP50 => "DurationP50",
            Self::DurationP90 => "DurationP90",
            Self::DurationP95 => "DurationP95",
            Self::DurationP99 => "DurationP99",
            Self::DurationAverage => "DurationAverage",
            Self::DurationMaximum => "DurationMaximum",
        }
    }
}

/// A metric in CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricRef {
    /// For example AWS/ApiGateway, or your own.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:][A-Za-z0-9._/#:-]*$"))]
    pub namespace: String,
    /// Name of the metric.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// Its dimensions, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30, "additionalProperties" = serde_json::json!({"type": "string", "minLength": 1, "maxLength": 1024})))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() >= 1 && name.size() <= 255)").message("names of dimensions have 1 to 255 characters"))]
    pub dimensions: BTreeMap<String, String>,
    /// Sum, Average, Minimum, Maximum, SampleCount, or a percentile like p95 or p99.9.
    #[schemars(
        length(max = 12),
        regex(
            pattern = r"^(Sum|Average|Minimum|Maximum|SampleCount|p[0-9]{1,2}([.][0-9]{1,2})?)$"
        )
    )]
    pub statistic: String,
    /// Unit of the numbers, where limits are written with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<MetricUnit>,
}

/// Unit of a metric's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "CloudWatch's own names")]
pub enum MetricUnit {
    Percent,
    Milliseconds,
    Seconds,
}

/// A comparison with the stable version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.maxRatio) != has(self.maxIncreasePoints)").message("vsStable has exactly one of maxRatio and maxIncreasePoints"),
    validation = Rule::new("!has(self.confidence) || has(self.maxIncreasePoints)").message("confidence belongs to maxIncreasePoints")
)]
pub struct VsStable {
    /// Highest quotient of the new version's value and the stable one's, for example 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 12), regex(pattern = r"^[0-9]{1,4}([.][0-9]{1,4})?$"))]
    pub max_ratio: Option<String>,
    /// Highest difference of the two rates in percentage points, for example 0.5%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 12), regex(pattern = r"^[0-9]{1,3}([.][0-9]{1,4})?%$"))]
    pub max_increase_points: Option<String>,
    /// How sure it must be that the difference is higher before it fails, for example 95%
    /// (the default): 50% to 99.9%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 12), regex(pattern = r"^(5[0-9]|[6-9][0-9])([.][0-9])?%$"))]
    pub confidence: Option<String>,
}

/// What no data means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnNoData {
    /// The step waits for data, at most its maxWait, then fails.
    #[default]
    Wait,
    /// It fails at once.
    Fail,
    /// It passes.
    Pass,
}

/// Alarms that must not fire while a rollout is in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.names) || has(self.namePrefixes)").message("give names, namePrefixes, or both"))]
pub struct AnalysisAlarms {
    /// Metric or composite alarms; each must exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 255)))]
    pub names: Option<Vec<String>>,
    /// Every alarm whose name starts so; each prefix must match one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 255)))]
    pub name_prefixes: Option<Vec<String>>,
    /// An alarm that fires before the start: Block (default) the start, or Ignore it until it is OK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already_firing: Option<AlreadyFiring>,
    /// What INSUFFICIENT_DATA means: Pass (default), Wait or Fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_insufficient_data: Option<OnNoData>,
}

/// What an alarm that fires before the start means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AlreadyFiring {
    /// The rollout does not start.
    #[default]
    Block,
    /// It starts; the alarm counts again once it was OK. For releases that mend what fires.
    Ignore,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// The alias goes back to the stable version.
    #[default]
    Rollback,
    /// The weight stays, and a person decides.
    Hold,
}

/// What a metric says of the new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Within its limits.
    Passing,
    /// Outside them.
    Failing,
    /// There were too few samples to tell.
    NoData,
    /// Not evaluated yet.
    Waiting,
}

impl Verdict {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "Passing",
            Self::Failing => "Failing",
            Self::NoData => "NoData",
            Self::Waiting => "Waiting",
        }
    }
}

/// What a metric says, with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricStatus {
    /// Name of the metric in the spec.
    #[schemars(length(max = 63))]
    pub name: String,
    /// The newest verdict.
    pub verdict: Verdict,
    /// Numbers of the new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Measured>,
    /// Numbers of the stable version in the same minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Measured>,
    /// The limits, as the spec writes them.
    #[schemars(length(max = LIMIT_MAX))]
    pub limit: String,
    /// Evaluations of this step that failed.
    pub failures: i32,
    /// Whether an evaluation of this step passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed: bool,
    /// End of the data that was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Time>,
}

/// Numbers of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Invocations since the step began; for metrics of your own, datapoints in the window.
    pub samples: i64,
    /// Errors since the step began, where rates are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<i64>,
    /// Value over the window, with its unit; absent without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = VALUE_MAX))]
    pub value: Option<String>,
}
