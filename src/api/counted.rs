//! What is counted since a step began.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What was counted since a step began, but for the last minutes: CloudWatch may get data late, so
/// each evaluation counts those anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// End of the minutes that are in it.
    pub before: Time,
    /// Of the new version.
    pub canary: Tally,
    /// Of the stable version, where the two are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Tally>,
}

/// Counts of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Invocations.
    pub invocations: i64,
    /// Errors, where rates are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<i64>,
}
