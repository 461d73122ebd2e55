//! Whom a window tells of its openings, and what its status keeps of that.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    channel::{CHANNELS_MAX, OCCURRENCE_MAX, StagedChannel},
    duration::Duration,
    fit::SENTENCE_MAX,
};

/// Most notices ahead of one opening.
pub const BEFORE_MAX: usize = 8;

/// Whom people are told of openings by, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notices {
    /// So long before each of the next five openings, 1m to 28d each; what was missed is told at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = BEFORE_MAX))]
    #[x_kube(
        validation = Rule::new("self.all(lead, lead >= duration('1m') && lead <= duration('672h'))").message("before has durations from 1m to 28d"),
        validation = Rule::new("self.all(lead, self.exists_one(other, other == lead))").message("before names each duration once"),
    )]
    pub before: Option<Vec<Duration>>,
    /// How often while it is open, 5m to 24h. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= duration('5m') && self <= duration('24h')").message("notices.every must be 5m to 24h"))]
    pub every: Option<Duration>,
    /// What it is called: the title on a status page. Default there: Scheduled maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 90))]
    pub title: Option<String>,
    /// What users will notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub message: Option<String>,
    /// Where people are told.
    #[schemars(length(min = 1, max = CHANNELS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub channels: Vec<StagedChannel>,
}

/// How an opening ended, for those who are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EndingKind {
    /// It was open.
    Closed,
    /// Somebody decided that it does not open.
    Cancelled,
    /// The operator was away.
    Missed,
    /// Its checks kept it from opening.
    Blocked,
}

/// The end of an opening that people are told of: of one that was announced also where it was skipped,
/// suspended or edited away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// Id of the opening.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub occurrence: String,
    /// When it was to open.
    pub opens_at: Time,
    /// When it was to close.
    pub closes_at: Time,
    /// When it ended with its post-checks, or was given up.
    pub ended_at: Time,
    /// How it ended.
    pub end: EndingKind,
    /// Why, in a sentence.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
    /// The `notices` that it opened with; of one that did not open, as they were then.
    pub notices: FrozenNotices,
}

/// Notices as they were. The API server keeps them as they are: rules of today must not refuse them
/// tomorrow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrozenNotices(pub Box<Notices>);

impl JsonSchema for FrozenNotices {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrozenNotices".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}

/// An opening that takes the place of one that was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Its id.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub occurrence: String,
    /// Id of the one that was announced.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub replaces: String,
}
