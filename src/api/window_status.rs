//! The status of a MaintenanceWindow.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    channel::{NoticeFailure, NoticeSent},
    duration::Duration,
    fit,
    maintenance_window::{MaintenanceWindowSpec, SCHEDULES_MAX},
    shared::LastAction,
    window_alarms::Silenced,
    window_checks::{Checking, WindowCheck},
    window_metrics::{METRICS_MAX, Measuring, WindowMetricStatus},
    window_notices::{Ending, Moved},
    window_tasks::{TASKS_MAX, TaskStatus},
};

pub use super::window_history::{Outcome, WindowHistoryEntry};

/// What the window is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// It waits for its next opening.
    #[default]
    Scheduled,
    /// It waits for its next opening, and people were told of that.
    Announced,
    /// It is about to open.
    Preparing,
    /// It is open.
    Open,
    /// It is closed again, and its post-checks are watched.
    Verifying,
    /// Its time has come, and its pre-checks do not hold.
    Blocked,
    /// It is suspended.
    Suspended,
    /// The spec cannot work; the message says why.
    Invalid,
}

impl Phase {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Announced => "Announced",
            Self::Preparing => "Preparing",
            Self::Open => "Open",
            Self::Verifying => "Verifying",
            Self::Blocked => "Blocked",
            Self::Suspended => "Suspended",
            Self::Invalid => "Invalid",
        }
    }
}

/// What is true, and what is awaited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindowStatus {
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
    /// What the window is doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// One sentence: what is awaited or wrong, until when, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = fit::MESSAGE_MAX))]
    pub message: Option<String>,
    /// Whether work may start; what other objects read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The next opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<OpeningStatus>,
    /// The next five openings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::UPCOMING_MAX))]
    pub upcoming: Vec<OpeningStatus>,
    /// What is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CurrentOpening>,
    /// The alarms that are quiet, or are about to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced: Option<Silenced>,
    /// What people were told of openings to come, of what is open, and of what ended lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::NOTICES_MAX))]
    pub notices: Vec<NoticeSent>,
    /// What people could not be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::NOTICES_MAX))]
    pub notice_failures: Vec<NoticeFailure>,
    /// Ends that people are told of, newest first, for a day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::ENDINGS_MAX))]
    pub endings: Vec<Ending>,
    /// Openings that were announced at other times, under other ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::MOVED_MAX))]
    pub moved: Vec<Moved>,
    /// The pre-checks of the next opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_checks: Option<Checking>,
    /// The post-checks of the last opening, while they are watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_checks: Option<Checking>,
    /// What is still to be read of the metrics of what is open, or was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measuring: Option<Measuring>,
    /// Openings that a person skipped, and that have not passed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::SKIPPED_MAX))]
    pub skipped: Vec<SkippedOpening>,
    /// How the last openings went, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::WINDOW_HISTORY_MAX))]
    pub history: Vec<WindowHistoryEntry>,
    /// With `mode: Audit`: what would happen next, in order.
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
    /// Ready, Reconciling, Stalled, Open, AlarmsSilenced, ChecksPassed, Notified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// Why a gate is open or closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GateReason {
    /// The window is open.
    Open,
    /// The window is not open, or takes no new work any more.
    #[default]
    Closed,
    /// A blackout holds.
    Blackout,
    /// The window is suspended.
    Suspended,
    /// The window cannot work.
    Invalid,
    /// The window only tells what it would do.
    Audit,
    /// Its pre-checks do not hold.
    PreChecks,
}

impl GateReason {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Closed => "Closed",
            Self::Blackout => "Blackout",
            Self::Suspended => "Suspended",
            Self::Invalid => "Invalid",
            Self::Audit => "Audit",
            Self::PreChecks => "PreChecks",
        }
    }
}

/// Whether work may start. Who reads it compares the times with its own clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Gate {
    /// Whether new work is accepted, until `until`.
    pub open: bool,
    /// New work is accepted until then; absent where there is no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// When what is open closes: work under way should have ended then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<Time>,
    /// Why it is open or closed.
    pub reason: GateReason,
    /// Why, in a sentence.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
    /// The schedules that are open; each until its own end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::PARTS_MAX))]
    pub schedules: Vec<GateSchedule>,
    /// The blackout that holds, or comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blackout: Option<GateBlackout>,
}

/// A schedule that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct GateSchedule {
    /// Its name.
    #[schemars(length(max = 32))]
    pub name: String,
    /// It opened then.
    pub from: Time,
    /// New work is accepted until then.
    pub until: Time,
}

/// A blackout, as other objects read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct GateBlackout {
    /// Its name.
    #[schemars(length(max = 32))]
    pub name: String,
    /// Its start.
    pub from: Time,
    /// The first moment after it.
    pub until: Time,
}

/// An opening that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpeningStatus {
    /// Its id: the schedule and the start, in UTC.
    #[schemars(length(max = 64))]
    pub id: String,
    /// The schedules that it comes of.
    #[schemars(length(max = SCHEDULES_MAX), inner(length(max = 32)))]
    pub schedules: Vec<String>,
    /// When it opens.
    pub opens_at: Time,
    /// When it closes.
    pub closes_at: Time,
    /// Both in the window's time zone, for people.
    #[schemars(length(max = 128))]
    pub local: String,
    /// What a change of the clocks does to it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub note: String,
}

/// What is open, as it was when it opened: edits of the spec apply to the next opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentOpening {
    /// Its id.
    #[schemars(length(max = 64))]
    pub id: String,
    /// What each schedule has of it.
    #[schemars(length(max = fit::PARTS_MAX))]
    pub parts: Vec<OpeningPart>,
    /// When it was to open.
    pub opens_at: Time,
    /// When it closes, extensions included.
    pub closes_at: Time,
    /// The same in the window's time zone, for people.
    #[schemars(length(max = 64))]
    pub closes: String,
    /// How much of it was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_by: Option<Duration>,
    /// When it opened.
    pub opened_at: Time,
    /// How many alarms are quiet for it, or are about to be; absent where none is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<i32>,
    /// What its pre-checks said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::WINDOW_CHECKS_MAX))]
    pub checks: Vec<WindowCheck>,
    /// Why it closes, written before anything is undone for it; absent while it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    /// Its tasks, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = TASKS_MAX))]
    pub tasks: Vec<TaskStatus>,
    /// What its metrics were before it opened, as far as they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = METRICS_MAX))]
    pub metrics: Vec<WindowMetricStatus>,
    /// The spec that it opened with.
    pub spec: FrozenSpec,
}

/// Why an opening closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Closing {
    /// How it ends.
    pub outcome: Outcome,
    /// Why, in a sentence.
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
}

/// A part of an opening that one schedule has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct OpeningPart {
    /// Name of the schedule.
    #[schemars(length(max = 32))]
    pub schedule: String,
    /// Its start.
    pub from: Time,
    /// Its end.
    pub until: Time,
}

/// A spec as it was. The API server keeps it as it is: rules of today must not refuse it tomorrow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrozenSpec(pub Box<MaintenanceWindowSpec>);

impl JsonSchema for FrozenSpec {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrozenSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}

/// An opening that a person skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SkippedOpening {
    /// Its id.
    #[schemars(length(max = 64))]
    pub id: String,
    /// When it would have closed; it is forgotten then.
    pub until: Time,
}
