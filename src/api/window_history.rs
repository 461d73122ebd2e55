//! How the openings of a window went.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    duration::Duration,
    fit,
    window_checks::WindowCheck,
    window_metrics::{METRICS_MAX, WindowMetricStatus},
    window_tasks::{TASKS_MAX, TaskStatus},
};

/// How an opening ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// It opened and closed.
    Completed,
    /// It did not open in time.
    Missed,
    /// A person, a suspension or a deletion kept it from opening, or closed it before its time.
    Cancelled,
    /// Its checks do not hold, or a task did not succeed.
    Failed,
}

impl Outcome {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::Missed => "Missed",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
    }
}

/// How an opening went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowHistoryEntry {
    /// Its id.
    #[schemars(length(max = 64))]
    pub id: String,
    /// When it was to open.
    pub opens_at: Time,
    /// When it was to close, extensions included.
    pub closes_at: Time,
    /// When it opened; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Time>,
    /// When it closed; absent when it did not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a sentence.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
    /// How much its close was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_by: Option<Duration>,
    /// How many alarms were quiet for it; absent where none was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<i32>,
    /// What its pre-checks and post-checks said last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::WINDOW_CHECKS_MAX))]
    pub checks: Vec<WindowCheck>,
    /// What became of its tasks, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = TASKS_MAX))]
    pub tasks: Vec<TaskStatus>,
    /// What its metrics were before it opened and after it closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = METRICS_MAX))]
    pub metrics: Vec<WindowMetricStatus>,
    /// Alarms that were quiet and were in ALARM when it closed, the first 50 by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::STILL_IN_ALARM_MAX), inner(length(max = 255)))]
    pub still_in_alarm: Vec<String>,
}
