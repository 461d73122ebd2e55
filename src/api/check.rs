//! A condition that must hold, such as "no alarm fires" or "the page answers".

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{analysis::MetricUnit, duration::Duration, fit::SENTENCE_MAX};

/// Most checks of one list.
pub const CHECKS_MAX: usize = 16;

/// A condition that must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.alarms), has(self.http), has(self.metric), has(self.lambda), has(self.dynamodb), has(self.rds), has(self.job)].filter(x, x).size() == 1").message("a check has exactly one of alarms, http, metric, lambda, dynamodb, rds and job"),
    validation = Rule::new("!has(self.timeout) || self.timeout >= duration('1s') && self.timeout <= (has(self.job) ? duration('6h') : duration('5m'))").message("timeout must be 1s to 5m, that of a job at most 6h"),
    validation = Rule::new("!has(self.job) || !has(self.region)").message("a job has no region: it runs in this cluster")
)]
pub struct Check {
    /// Name in the status.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// How long one attempt may take; then it counts as failed. Default 1m, of a job 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How often a check that does not pass is tried again, a few seconds apart. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub retries: Option<i32>,
    /// AWS region that is looked at. Default: that of the object.
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
    /// A Job that must succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobCheck>,
}

/// Metric and composite alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.all) != (has(self.names) || has(self.namePrefixes))").message("give names, namePrefixes or both, or all: true"),
    validation = Rule::new("!has(self.excludePrefixes) || has(self.all) || has(self.namePrefixes)").message("excludePrefixes takes alarms out of namePrefixes or all")
)]
pub struct AlarmsCheck {
    /// Alarms by name; each must exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 255)))]
    pub names: Option<Vec<String>>,
    /// Every alarm whose name starts so; each prefix must match one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 255)))]
    pub name_prefixes: Option<Vec<String>>,
    /// Alarms whose names start so are left out of namePrefixes and all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 255)))]
    pub exclude_prefixes: Option<Vec<String>>,
    /// Every alarm of the account and region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self").message("all is true or left out"))]
    pub all: Option<bool>,
    /// How many of them may be in ALARM. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5000))]
    pub max_in_alarm: Option<i32>,
}

/// A request without credentials; redirects are not followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCheck {
    /// Address: https, and a host with public addresses only, unless the operator's
    /// --allow-http-host names it.
    #[schemars(
        length(min = 9, max = 2048),
        regex(pattern = r"^https?://[^\s@/?#]+([/?][^\s#]*)?$")
    )]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getHostname() != ''").message("url is written like https://api.example.com/health"))]
    pub url: String,
    /// Status code that it must answer with. Default 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub expect_status: Option<i32>,
    /// Text that the first 64 KiB of the answer must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub body_contains: Option<String>,
}

/// A metric or an expression of metrics, and its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.max) || has(self.min)").message("give a limit: max, min or both"),
)]
pub struct MetricCheck {
    /// What is measured.
    #[serde(flatten)]
    pub source: MetricSource,
    /// The check fails when the last so many whole periods all break a limit. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub periods: Option<i32>,
    /// Highest value that passes, with its unit: 5%, 800ms, 2s, 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 24),
        regex(pattern = r"^[0-9]{1,12}([.][0-9]{1,6})?(%|ms|s)?$")
    )]
    #[x_kube(validation = Rule::new("!self.endsWith('%') || double(self.replace('%','')) <= 100.0").message("a percentage is at most 100%"))]
    pub max: Option<String>,
    /// Lowest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 24),
        regex(pattern = r"^[0-9]{1,12}([.][0-9]{1,6})?(%|ms|s)?$")
    )]
    #[x_kube(validation = Rule::new("!self.endsWith('%') || double(self.replace('%','')) <= 100.0").message("a percentage is at most 100%"))]
    pub min: Option<String>,
    /// What no data means: Fail (default) or Pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_no_data: Option<NoData>,
}

/// A metric or an expression of metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.expression) != has(self.metricName)").message("give exactly one of metricName and expression"),
    validation = Rule::new("has(self.metricName) == has(self.namespace) && has(self.metricName) == has(self.statistic)").message("namespace, metricName and statistic belong together"),
    validation = Rule::new("has(self.expression) == has(self.queries)").message("an expression needs queries, and queries an expression"),
    validation = Rule::new("!has(self.dimensions) || has(self.metricName)").message("dimensions belong to metricName; those of an expression stand in its queries"),
    validation = Rule::new("self.period >= duration('1m') && self.period <= duration('24h') && self.period.getSeconds() % 60 == 0").message("period must be whole minutes, 1m to 24h")
)]
pub struct MetricSource {
    /// For example AWS/ApiGateway, or your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:][A-Za-z0-9._/#:-]*$"))]
    pub namespace: Option<String>,
    /// Name of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: Option<String>,
    /// Its dimensions, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 30, "additionalProperties" = serde_json::json!({"type": "string", "minLength": 1, "maxLength": 1024})))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() >= 1 && name.size() <= 255)").message("names of dimensions have 1 to 255 characters"))]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// Sum, Average, Minimum, Maximum, SampleCount, or a percentile like p95 or p99.9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 12),
        regex(
            pattern = r"^(Sum|Average|Minimum|Maximum|SampleCount|p[0-9]{1,2}([.][0-9]{1,2})?)$"
        )
    )]
    pub statistic: Option<String>,
    /// CloudWatch metric math over the queries, for example 100*e/i.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub expression: Option<String>,
    /// The metrics that the expression names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub queries: Option<Vec<MetricQuery>>,
    /// Length of a period: whole minutes.
    pub period: Duration,
    /// Unit of the numbers. Default: none, but for some of AWS's metrics it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<MetricUnit>,
}

/// A metric that an expression names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricQuery {
    /// Its name in the expression.
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^[a-z][A-Za-z0-9_]*$"))]
    pub id: String,
    /// For example AWS/Lambda, or your own.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^:][A-Za-z0-9._/#:-]*$"))]
    pub namespace: String,
    /// Name of the metric.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// Its dimensions, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30, "additionalProperties" = serde_json::json!({"type": "string", "minLength": 1, "maxLength": 1024})))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() >= 1 && name.size() <= 255)").message("names of dimensions have 1 to 255 characters"))]
    pub dimensions: BTreeMap<String, String>,
    /// Sum, Average, Minimum, Maximum, SampleCount, or a percentile like p95 or p99.9.
    #[schemars(
        length(max = 12),
        regex(
            pattern = r"^(Sum|Average|Minimum|Maximum|SampleCount|p[0-9]{1,2}([.][0-9]{1,2})?)$"
        )
    )]
    pub statistic: String,
}

/// What no data means for a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoData {
    /// The check fails.
    #[default]
    Fail,
    /// It passes.
    Pass,
}

/// A function that is invoked; without invoke: State Active and LastUpdateStatus Successful.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LambdaCheck {
    /// Name of the function; `name:alias` or `name:version` for one of its versions.
    #[schemars(
        length(min = 1, max = 193),
        regex(pattern = r"^[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?$")
    )]
    pub function: String,
    /// Invokes it, and judges what it returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoke: Option<Invoke>,
}

/// An invocation that a check makes. It may be made more than once: also where the answer of the
/// first time was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoke {
    /// The event, in JSON. Default: `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub payload: Option<String>,
    /// The `statusCode` that the returned object must have. Default: any object will do, as long as
    /// the function does not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub expect_status: Option<i32>,
    /// The longest that the invocation may take, its cold start included; at most 60s. Default 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= duration('1s') && self <= duration('60s')").message("maxDuration must be 1s to 60s"))]
    pub max_duration: Option<Duration>,
}

/// A DynamoDB table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DynamoDbCheck {
    /// Name of the table.
    #[schemars(length(min = 3, max = 255), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub table: String,
}

/// An RDS instance, or an Aurora or Multi-AZ cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.instance) != has(self.cluster)").message("give exactly one of instance and cluster"))]
pub struct RdsCheck {
    /// Identifier of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9-]*$"))]
    pub instance: Option<String>,
    /// Identifier of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9-]*$"))]
    pub cluster: Option<String>,
}

/// A Job that is made of the template of a CronJob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobCheck {
    /// Name of a CronJob of the same namespace that has the annotation
    /// `groundcrew.dev/runnable: "true"`; it may be suspended.
    #[schemars(length(min = 1, max = 52), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub from_cron_job: String,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CheckVerdict {
    /// The condition holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be looked at: AWS refused, or did not answer.
    Unreadable,
    /// It is being looked at.
    Running,
}

impl CheckVerdict {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::Unreadable => "Unreadable",
            Self::Running => "Running",
        }
    }
}

/// When a check of a rollout ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CheckStage {
    /// Before the first weight.
    BeforeStart,
    /// When the alias served the new version alone.
    At100,
    /// When the bake was over.
    AfterBake,
    /// When the alias had gone back.
    AfterRollback,
}

/// What a check said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckStatus {
    /// Name of the check in the spec.
    #[schemars(length(max = 63))]
    pub name: String,
    /// When it ran.
    pub stage: CheckStage,
    /// What it said.
    pub verdict: CheckVerdict,
    /// Why, in a sentence with numbers.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
    /// Time of the pass that ran it.
    pub at: Time,
}
