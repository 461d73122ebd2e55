//! Checks around an opening, and what they say.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    check::{CHECKS_MAX, Check, CheckVerdict},
    fit::SENTENCE_MAX,
};

/// What a window is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Purpose {
    /// Others work while it is open.
    #[default]
    Maintenance,
    /// A round of checks and tasks at its time; its gate never opens.
    Routine,
}

/// What becomes of an opening whose pre-checks do not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnPreCheckFailure {
    /// It stays closed until they hold, or it is too late.
    #[default]
    Block,
    /// It opens, and tells.
    Proceed,
}

/// Around which end of an opening a check ran.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum WindowStage {
    /// Before it opened.
    BeforeOpening,
    /// After it closed.
    AfterClose,
}

impl WindowStage {
    /// When its checks run, for people.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::BeforeOpening => "before the opening",
            Self::AfterClose => "after the close",
        }
    }
}

/// What a check of a window said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WindowCheck {
    /// Name of the check in the spec.
    #[schemars(length(max = 63))]
    pub name: String,
    /// When it ran.
    pub stage: WindowStage,
    /// What it said.
    pub verdict: CheckVerdict,
    /// Why, in a sentence with numbers.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
    /// Time of the pass that learned of it.
    pub at: Time,
}

/// Checks of one opening that run again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checking {
    /// Id of the opening.
    #[schemars(length(max = 64))]
    pub occurrence: String,
    /// When all of them had said something last; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Since when not all of them hold; absent while they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_since: Option<Time>,
    /// Post-checks are watched until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What each of them said then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = CHECKS_MAX))]
    pub results: Vec<WindowCheck>,
    /// The `postChecks` that it opened with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<FrozenChecks>,
}

/// Checks as they were. The API server keeps them as they are: rules of today must not refuse them
/// tomorrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrozenChecks(pub Vec<Check>);

impl JsonSchema for FrozenChecks {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrozenChecks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "maxItems": CHECKS_MAX,
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        })
    }
}
