//! Numbers that are written down around an opening.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    check::MetricSource,
    fit::{Fit, SENTENCE_MAX, VALUE_MAX, cut},
    window_checks::WindowStage,
};

/// Most metrics of one window.
pub const METRICS_MAX: usize = 16;

/// A number that is written down: the last period before an opening, and one after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WindowMetric {
    /// Name in the status.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// AWS region where it is read. Default: that of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub region: Option<String>,
    /// A metric of CloudWatch, or an expression of metrics.
    pub metric: MetricSource,
}

/// What a metric was around an opening.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WindowMetricStatus {
    /// Name of the metric in the spec.
    #[schemars(length(max = 63))]
    pub name: String,
    /// In the last whole period before it opened, with its unit; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = VALUE_MAX))]
    pub before: Option<String>,
    /// In a whole period after it closed; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = VALUE_MAX))]
    pub after: Option<String>,
    /// Why there is no number, in a sentence; absent while it is still to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: Option<String>,
}

/// What is still to be read of metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measuring {
    /// Id of the opening.
    #[schemars(length(max = 64))]
    pub occurrence: String,
    /// What is to be read, and when.
    #[schemars(length(max = 2 * METRICS_MAX))]
    pub left: Vec<MetricDue>,
    /// Since when some of it cannot be read; absent while nothing fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Time>,
    /// When that was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Time>,
    /// Why it failed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: Option<String>,
    /// The `metrics` that it opened with.
    pub metrics: FrozenMetrics,
}

/// One number that is to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricDue {
    /// Name of the metric.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Which of its two numbers.
    pub stage: WindowStage,
    /// End of the period that counts.
    pub until: Time,
    /// When it is read: CloudWatch has all of the period then.
    pub due_at: Time,
}

/// Metrics as they were. The API server keeps them as they are: rules of today must not refuse them
/// tomorrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrozenMetrics(pub Vec<WindowMetric>);

impl JsonSchema for FrozenMetrics {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrozenMetrics".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "maxItems": METRICS_MAX,
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        })
    }
}

impl Fit for WindowMetricStatus {
    fn fit(&mut self) {
        let Self { name: _, before, after, message } = self;
        [before, after].into_iter().flatten().for_each(|value| cut(value, VALUE_MAX));
        message.iter_mut().for_each(|message| cut(message, SENTENCE_MAX));
    }
}

impl Fit for Measuring {
    fn fit(&mut self) {
        self.message.iter_mut().for_each(|message| cut(message, SENTENCE_MAX));
    }
}
