//! The status of a CanaryRollout.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    analysis::{METRICS_MAX, MetricStatus},
    canary_findings::{Conflict, PreflightFinding, PutBack},
    canary_rollout::{STEPS_MAX, Step},
    channel::{NoticeFailure, NoticeSent},
    check::{CHECKS_MAX, CheckStatus},
    counted::Counted,
    duration::Duration,
    fit,
    notifications::Happened,
    shared::LastAction,
};

/// What the rollout is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Not looked at yet, or waiting for something that the message names.
    #[default]
    Pending,
    /// The release becomes a version of the function.
    Publishing,
    /// A step invokes the new version directly.
    Smoke,
    /// The alias serves the stable version and, by weight, the new one.
    Progressing,
    /// A step waits for a person.
    WaitingApproval,
    /// It waits for a MaintenanceWindow to open.
    WaitingWindow,
    /// The step's time is over, but data or invocations are missing.
    WaitingData,
    /// The alias is being set to the new version alone.
    Promoting,
    /// The alias serves the release, which is still watched.
    Baking,
    /// The alias serves the release.
    Healthy,
    /// The alias is being set back to the stable version.
    RollingBack,
    /// The alias is back at the stable version; the release failed.
    RolledBack,
    /// The alias is at the stable version; a person, an approval that ran out, or with `onConflict:
    /// Adopt` somebody who moved the alias, ended it.
    Aborted,
    /// Nothing is done until a person decides.
    Held,
    /// Someone else moved the alias.
    Conflict,
    /// `spec.suspend` is set.
    Suspended,
    /// The spec, or what it names, cannot work; the message says why.
    Invalid,
}

impl Phase {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Publishing => "Publishing",
            Self::Smoke => "Smoke",
            Self::Progressing => "Progressing",
            Self::WaitingApproval => "WaitingApproval",
            Self::WaitingWindow => "WaitingWindow",
            Self::WaitingData => "WaitingData",
            Self::Promoting => "Promoting",
            Self::Baking => "Baking",
            Self::Healthy => "Healthy",
            Self::RollingBack => "RollingBack",
            Self::RolledBack => "RolledBack",
            Self::Aborted => "Aborted",
            Self::Held => "Held",
            Self::Conflict => "Conflict",
            Self::Suspended => "Suspended",
            Self::Invalid => "Invalid",
        }
    }
}

/// What is true, and what is awaited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryRolloutStatus {
    /// Generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// AWS region, pinned when first resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub region: Option<String>,
    /// AWS account, pinned when first resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    pub account_id: Option<String>,
    /// What the rollout is doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// One sentence: what is awaited or wrong, until when, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = fit::MESSAGE_MAX))]
    pub message: Option<String>,
    /// Hash of what is released: CodeSha256, configuration and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub revision: Option<String>,
    /// The version that the alias goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<StableVersion>,
    /// The version that is being released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryVersion>,
    /// The version that is being made of the release; absent once its rollout starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing: Option<PublishingStatus>,
    /// The step that the rollout is in; absent when none is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepStatus>,
    /// The steps of this revision, frozen when it started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = STEPS_MAX))]
    pub steps: Vec<Step>,
    /// Why and how the revision in flight ends, written before the alias is moved for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Why a failed rollout is held at its weight, with `onFailure: Hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What the metrics say in this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = METRICS_MAX))]
    pub analysis: Vec<MetricStatus>,
    /// What the checks said last, of those that ran last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = CHECKS_MAX))]
    pub checks: Vec<CheckStatus>,
    /// Alarms that fired before the start and are ignored until they are OK.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::IGNORED_ALARMS_MAX), inner(length(max = 255)))]
    pub ignored_alarms: Vec<String>,
    /// Set while a person paused the rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Time>,
    /// The alias is not where it was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// When the alias was put back, newest first, with `onConflict: Enforce`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::PUT_BACKS_MAX))]
    pub put_backs: Vec<PutBack>,
    /// The alias as it was last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasStatus>,
    /// Revision after which old versions were deleted, as `spec.history` asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pruned: Option<String>,
    /// How earlier revisions ended, newest first: the last ten that were served, and the last ten that
    /// were not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::HISTORY_MAX))]
    pub history: Vec<HistoryEntry>,
    /// What people were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::NOTICES_MAX))]
    pub notices: Vec<NoticeSent>,
    /// What people could not be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::NOTICES_MAX))]
    pub notice_failures: Vec<NoticeFailure>,
    /// What people are told of, newest last, for a day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::HAPPENED_MAX))]
    pub happened: Vec<Happened>,
    /// What speaks against the release that is to start, or started last; what keeps it from starting
    /// comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::PREFLIGHT_MAX))]
    pub preflight: Vec<PreflightFinding>,
    /// With `mode: Audit`: what would be done, in order; each write in the words that it has when it
    /// is carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::PLAN_MAX), inner(length(max = fit::SENTENCE_MAX)))]
    pub plan: Vec<String>,
    /// How the last verb ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_action: Option<LastAction>,
    /// Verbs that were answered, newest first: none of them is acted on again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::ANSWERED_MAX), inner(length(max = fit::ACTION_MAX)))]
    pub answered: Vec<String>,
    /// Ready, Reconciling, Stalled, Progressing, AnalysisPassing, AliasInSync, WindowOpen, Notified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// The version that the alias goes back to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct StableVersion {
    /// Version number, or $LATEST.
    #[schemars(length(max = 64))]
    pub version: String,
}

/// The version that is being released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryVersion {
    /// Version number.
    #[schemars(length(max = 64))]
    pub version: String,
    /// Digest of its code, as Lambda gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_sha256: Option<String>,
    /// The function's timeout in this version: metrics are late by as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Percentage of invocations that it gets, as last read from the alias.
    pub weight: i32,
    /// When this revision started.
    pub started_at: Time,
}

/// How far a release is on its way to being a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishingStatus {
    /// Revision that it becomes.
    #[schemars(length(max = 64))]
    pub revision: String,
    /// CodeSha256 that `$LATEST` had after its code was replaced for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub uploaded: Option<String>,
    /// CodeSha256 that is published; written before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_sha256: Option<String>,
    /// Revision id of `$LATEST` that is published; written before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub revision_id: Option<String>,
    /// The version that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
}

/// How a smoke test went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SmokeStatus {
    /// Whether the version did what was expected.
    pub passed: bool,
    /// What it did.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
}

/// Where a rollout stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Index of the step, from 0; equal to count once the alias is at 100.
    pub index: i32,
    /// Number of steps before 100.
    pub count: i32,
    /// For people: 2/4.
    #[schemars(length(max = 16))]
    pub display: String,
    /// When the step was entered: for a weight, when it was read back from the alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Time>,
    /// Invocations of the new version since then, where they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocations: Option<i64>,
    /// End of the data that was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Time>,
    /// What was counted of the minutes that are not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// Until when it holds, or an approval may be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Time>,
    /// How the smoke test of this step went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<SmokeStatus>,
}

/// How a revision ended, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// The alias serves it alone.
    Promoted,
    /// It failed and the alias went back.
    RolledBack,
    /// A person, or an approval that ran out, ended it and the alias went back; or somebody else moved
    /// the alias and that was accepted.
    Aborted,
    /// The alias was made for it, or served it when the rollout was first seen.
    Initialized,
    /// A newer release took its place.
    Superseded,
}

impl Outcome {
    /// Whether the alias served the revision when it had ended so.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Promoted | Self::Initialized)
    }

    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "Promoted",
            Self::RolledBack => "RolledBack",
            Self::Aborted => "Aborted",
            Self::Initialized => "Initialized",
            Self::Superseded => "Superseded",
        }
    }
}

/// The intended end of the revision in flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Ending {
    /// How it ends.
    pub outcome: Outcome,
    /// Why, in CamelCase.
    #[schemars(length(max = fit::REASON_MAX))]
    pub reason: String,
    /// Why, in a sentence.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
}

/// Why a failed rollout is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Held {
    /// Why, in CamelCase.
    #[schemars(length(max = fit::REASON_MAX))]
    pub reason: String,
    /// Why, in a sentence.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
}

/// The alias as it was last read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AliasStatus {
    /// Changes with every change of the alias; every write of ours carries it.
    #[schemars(length(max = 64))]
    pub revision_id: String,
}

/// How an earlier revision ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Version number.
    #[schemars(length(max = 64))]
    pub version: String,
    /// Its revision.
    #[schemars(length(max = 64))]
    pub revision: String,
    /// Digest of its code, as Lambda gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_sha256: Option<String>,
    /// The version that the alias served before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub stable: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in CamelCase.
    #[schemars(length(max = fit::REASON_MAX))]
    pub reason: String,
    /// Why, in a sentence with numbers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
    /// When it started.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Time,
}
