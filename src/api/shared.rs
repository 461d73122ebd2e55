//! Shapes that every kind has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::{ACTION_MAX, MESSAGE_MAX};

/// Where in AWS the objects of the spec live. The role and its credentials come from the Namespace,
/// never from here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwsLocation {
    /// AWS region, for example eu-central-1. Default: the namespace annotation
    /// groundcrew.dev/region, else the operator's --aws-region. Immutable once set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub region: Option<String>,
    /// The 12 digits of the account that the credentials must belong to; another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 12, max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,
}

/// Whether an object acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// It does what its spec asks for.
    #[default]
    Enforce,
    /// It starts nothing, and tells what it would do. Undo runs.
    Audit,
}

/// How the last verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ActionResult {
    /// The verb was carried out.
    Accepted,
    /// The verb was not carried out; the message says why.
    Refused,
}

/// The acknowledgement of a verb: each distinct annotation value is acted on once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastAction {
    /// The whole value of the annotation groundcrew.dev/action.
    #[schemars(length(max = ACTION_MAX))]
    pub value: String,
    /// Who asked, as groundcrew.dev/action-by says; absent when it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = ACTION_MAX))]
    pub by: String,
    /// Whether it was carried out.
    pub result: ActionResult,
    /// One sentence: what was done, or why not.
    #[schemars(length(max = MESSAGE_MAX))]
    pub message: String,
    /// When it was handled.
    pub at: Time,
}
