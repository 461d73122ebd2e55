//! Whom a rollout tells, and what its status keeps of that.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{
    channel::{CHANNELS_MAX, Channel, OCCURRENCE_MAX, STAGE_MAX},
    fit::SENTENCE_MAX,
};

/// Whom people are told by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Notifications {
    /// Where people are told.
    #[schemars(length(min = 1, max = CHANNELS_MAX))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into()]),
        validation = Rule::new("!self.exists(channel, has(channel.statuspage))").message("a status page shows what has a beginning and an end: use it in notices of a MaintenanceWindow"),
    )]
    pub channels: Vec<Channel>,
}

/// Something that people are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Happened {
    /// The revision; empty where there was none.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub revision: String,
    /// What happened: Started, Promoted, RolledBack, Held, AwaitingApproval.
    #[schemars(length(max = STAGE_MAX))]
    pub stage: String,
    /// When.
    pub at: Time,
    /// Why, in a sentence.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
}
