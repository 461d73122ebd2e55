//! What a CanaryRollout found beside its own work, as its status tells it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::{REASON_MAX, SENTENCE_MAX};

/// Something that speaks against a release, found before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct PreflightFinding {
    /// Whether it keeps the release from starting.
    pub severity: Severity,
    /// What it is, in CamelCase.
    #[schemars(length(max = REASON_MAX))]
    pub reason: String,
    /// What it is, and what to do, in a sentence.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// The release does not start.
    Blocking,
    /// The release starts all the same.
    Warning,
}

/// An alias that somebody else moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// When it was first found so.
    pub since: Time,
    /// The alias's revision id then.
    #[schemars(length(max = 64))]
    pub revision_id: String,
    /// Percentage at which the canary was left; absent when nothing was in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i32>,
}

/// An alias that is, or was, put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutBack {
    /// When that was decided.
    pub at: Time,
    /// Revision id of the alias that is put back.
    #[schemars(length(max = 64))]
    pub revision_id: String,
}
