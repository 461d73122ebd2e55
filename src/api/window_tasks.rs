//! What a window does while it is open.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    check::{
        AlarmsCheck, Check, DynamoDbCheck, HttpCheck, JobCheck, LambdaCheck, MetricCheck, RdsCheck,
    },
    duration::Duration,
    fit,
    maintenance_window::SCHEDULES_MAX,
};

/// Most tasks of one window.
pub const TASKS_MAX: usize = 16;

/// Something to be done while the window is open, once in each opening.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.job), has(self.check), has(self.rds), has(self.ecs), has(self.ssm)].filter(x, x).size() == 1").message("a task has exactly one of job, check, rds, ecs and ssm"),
)]
pub struct Task {
    /// Name.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// Only in openings of these schedules, and only while they last. Default: in each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEDULES_MAX), inner(length(min = 1, max = 32)))]
    pub schedules: Option<Vec<String>>,
    /// How long it may take, 1m to 24h. It starts only if that fits before the close.
    #[x_kube(validation = Rule::new("self >= duration('1m') && self <= duration('24h')").message("timeout must be 1m to 24h"))]
    pub timeout: Duration,
    /// What becomes of the tasks after it when it does not succeed: Stop (default) or Continue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnTaskFailure>,
    /// A Job that is made of the template of a CronJob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobCheck>,
    /// A condition that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<TaskCheck>,
    /// Something about a DB instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rds: Option<RdsTask>,
    /// Something about a service of ECS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecs: Option<EcsTask>,
    /// A document of Systems Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssm: Option<SsmTask>,
}

/// A condition that is waited for: it is looked at until it holds. A Job is a task of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new("[has(self.alarms), has(self.http), has(self.metric), has(self.lambda), has(self.dynamodb), has(self.rds)].filter(x, x).size() == 1").message("the check of a task has exactly one of alarms, http, metric, lambda, dynamodb and rds; a Job is a task of its own: write job beside name, not in check"),
    validation = Rule::new("!has(self.timeout) || self.timeout >= duration('1s') && self.timeout <= duration('5m')").message("timeout of one look must be 1s to 5m"),
)]
pub struct TaskCheck {
    /// How long one look may take. Default 1m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// AWS region that is looked at. Default: that of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"))]
    pub region: Option<String>,
    /// Alarms of CloudWatch that must not be in ALARM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<AlarmsCheck>,
    /// An address that must answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpCheck>,
    /// A metric of CloudWatch that must stay within limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricCheck>,
    /// A function that must be Active, or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<LambdaCheck>,
    /// A table that must be ACTIVE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamodb: Option<DynamoDbCheck>,
    /// A database that must be available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rds: Option<RdsCheck>,
}

impl TaskCheck {
    /// The same as a check of a list, by the name of its task.
    #[must_use]
    pub fn named(&self, task: &str) -> Check {
        let Self { timeout, region, alarms, http, metric, lambda, dynamodb, rds } = self.clone();
        Check {
            name: task.to_owned(),
            timeout,
            // It is repeated in any case.
            retries: None,
            region,
            alarms,
            http,
            metric,
            lambda,
            dynamodb,
            rds,
            job: None,
        }
    }
}

/// What becomes of the tasks after one that does not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnTaskFailure {
    /// They are left out.
    #[default]
    Stop,
    /// They go on.
    Continue,
}

/// Something about a DB instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct RdsTask {
    /// Name of the instance.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9-]*$"))]
    pub instance: String,
    /// What is done.
    pub action: RdsAction,
}

/// What is done to a DB instance. It is over when the instance is available again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RdsAction {
    /// It is rebooted if parameters wait for that.
    #[default]
    RebootIfPending,
    /// The maintenance actions that wait for it are applied, one after the other.
    ApplyPendingMaintenance,
}

/// Something about a service of ECS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct EcsTask {
    /// Name of the cluster.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub cluster: String,
    /// Name of the service.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub service: String,
    /// What is done.
    pub action: EcsAction,
}

/// What is done to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EcsAction {
    /// It is deployed once more as it is; over when that deployment is COMPLETED.
    #[default]
    ForceNewDeployment,
}

/// A document of Systems Manager. The operator's flag --allow-ssm-documents has to name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.command) != has(self.automation)").message("ssm has exactly one of command and automation"))]
pub struct SsmTask {
    /// A command, run on nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<SsmCommand>,
    /// An automation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation: Option<SsmAutomation>,
}

/// A command, run on nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SsmCommand {
    /// Name or ARN of the document.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9_.:/-]+$"))]
    pub document: String,
    /// Values of its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    pub parameters: Option<BTreeMap<String, ParameterValues>>,
    /// The nodes.
    #[schemars(length(min = 1, max = 5))]
    pub targets: Vec<SsmTarget>,
    /// On how many nodes at once: a number or a percentage. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 7), regex(pattern = r"^([1-9][0-9]*|[1-9][0-9]?%|100%)$"))]
    pub max_concurrency: Option<String>,
    /// After more failures than this it runs on no more nodes: a number or a percentage. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 7),
        regex(pattern = r"^([1-9][0-9]*|0|[1-9][0-9]?%|0%|100%)$")
    )]
    pub max_errors: Option<String>,
}

/// An automation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.targets) == has(self.targetParameter)").message("targets and targetParameter belong together"),
    validation = Rule::new("has(self.targets) || !(has(self.maxConcurrency) || has(self.maxErrors))").message("maxConcurrency and maxErrors need targets"),
)]
pub struct SsmAutomation {
    /// Name or ARN of the document.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[A-Za-z0-9_.:/-]+$"))]
    pub document: String,
    /// Values of its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    pub parameters: Option<BTreeMap<String, ParameterValues>>,
    /// What it runs on; absent: it runs once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 5))]
    pub targets: Option<Vec<SsmTarget>>,
    /// The parameter that takes each target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub target_parameter: Option<String>,
    /// On how many targets at once: a number or a percentage. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 7), regex(pattern = r"^([1-9][0-9]*|[1-9][0-9]?%|100%)$"))]
    pub max_concurrency: Option<String>,
    /// After more failures than this it runs on no more: a number or a percentage. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 7),
        regex(pattern = r"^([1-9][0-9]*|0|[1-9][0-9]?%|0%|100%)$")
    )]
    pub max_errors: Option<String>,
}

/// The values of a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ParameterValues(
    #[schemars(length(max = 50), inner(length(max = 2048)))] pub Vec<String>,
);

/// Nodes or resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SsmTarget {
    /// By what: tag:role, InstanceIds, resource-groups:Name.
    #[schemars(length(min = 1, max = 163))]
    pub key: String,
    /// Any of these.
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 256)))]
    pub values: Vec<String>,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TaskState {
    /// It has not begun.
    #[default]
    Pending,
    /// It was begun, or is about to be.
    Running,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// It was not begun, and will not be in this opening.
    Skipped,
    /// It took too long or the window closed, and it was told to stop.
    Cancelled,
    /// Nobody knows what became of it. It is not begun again.
    Unknown,
}

impl TaskState {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Cancelled => "Cancelled",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Whether it was begun and did not do what it was to do, as far as is known.
    #[must_use]
    pub const fn failed(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Unknown)
    }
}

/// A task of an opening.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskStatus {
    /// Its name.
    #[schemars(length(max = 32))]
    pub name: String,
    /// How far it is.
    pub state: TaskState,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it was seen to have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// What it is doing, or how it ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = fit::SENTENCE_MAX))]
    pub message: String,
    /// What is about to be begun, written before it is; only while the window is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<TaskIntent>,
    /// What AWS calls what was begun, or name and uid of its Job; only while the window is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub id: Option<String>,
}

/// What is about to be begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct TaskIntent {
    /// When that was decided.
    pub at: Time,
    /// What tells the new from the old: the deployment that was there before, or the maintenance
    /// action that is to be applied.
    #[schemars(length(max = 128))]
    pub mark: String,
}
