//! CanaryRollout: a Lambda alias moves to a new version step by step, or goes back.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    analysis::{Analysis, OnFailure},
    check::{CHECKS_MAX, Check},
    duration::Duration,
    notifications::Notifications,
    shared::{AwsLocation, Mode},
    windows::Windows,
};

pub use super::canary_findings::{Conflict, PreflightFinding, PutBack, Severity};
pub use super::canary_status::{
    AliasStatus, CanaryRolloutStatus, CanaryVersion, Ending, Held, HistoryEntry, Outcome, Phase,
    PublishingStatus, SmokeStatus, StableVersion, StepStatus,
};
pub use super::counted::{Counted, Tally};
pub use super::fit::{HISTORY_MAX, HISTORY_SORT_MAX, PREFLIGHT_MAX, PUT_BACKS_MAX};

/// Most steps of one rollout: bounds the status, where they are frozen per revision.
pub const STEPS_MAX: usize = 32;

/// Moves a Lambda alias to a new version step by step, or back to the stable one.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "groundcrew.dev",
    version = "v1alpha1",
    kind = "CanaryRollout",
    plural = "canaryrollouts",
    namespaced,
    status = "CanaryRolloutStatus",
    derive = "PartialEq",
    shortname = "cro",
    category = "groundcrew",
    doc = "CanaryRollout moves a Lambda alias to a new version step by step, or back to the stable one.",
    label("app.kubernetes.io/part-of", "groundcrew"),
    validation = Rule::new("self.metadata.name.size() <= 52").message("metadata.name must be at most 52 characters"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Step", type_ = "string", json_path = ".status.step.display"),
    printcolumn(name = "Weight", type_ = "integer", json_path = ".status.canary.weight"),
    printcolumn(name = "Stable", type_ = "string", json_path = ".status.stable.version"),
    printcolumn(name = "Canary", type_ = "string", json_path = ".status.canary.version"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", priority = 1, json_path = ".status.message")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.steps) != has(self.preset)").message("give exactly one of steps and preset"),
    validation = Rule::new("!has(self.configuration) || !has(self.release.version)").message("configuration is put in force before publishing: it needs release.latest, release.image or release.s3"),
    validation = Rule::new("!has(self.analysis) || !has(self.analysis.metrics) || self.analysis.metrics.size() == 0 || has(self.postChecks) || (has(self.bake) && self.bake > duration('0s')) || (has(self.preset) && self.preset != 'AllAtOnce') || (has(self.steps) && self.steps.exists(s, has(s.weight)))").message("analysis.metrics would judge nothing: give a step with a weight, a bake or postChecks"),
    validation = Rule::new("!(has(self.configuration) && has(self.configuration.runtime) && has(self.release.image))").message("a container image brings its own runtime: leave configuration.runtime out"),
    validation = Rule::new("!has(self.steps) || self.steps.all(s, !has(s.maxWait) || !(has(s.minInvocations) || has(self.analysis) && has(self.analysis.metrics)) || s.maxWait >= (has(self.analysis) && has(self.analysis.settle) ? self.analysis.settle : duration('2m')) + duration('2m'))").message("maxWait ends before there can be any data: it must be at least 2m longer than analysis.settle, which is 2m by default"),
    validation = Rule::new("!has(self.windowGate) || has(self.windows)").message("windowGate says how windows are obeyed: it needs windows"),
    validation = Rule::new("!has(oldSelf.aws) || !has(oldSelf.aws.region) || (has(self.aws) && has(self.aws.region) && self.aws.region == oldSelf.aws.region)")
        .message("aws.region is immutable: make a new CanaryRollout for another region")
)]
pub struct CanaryRolloutSpec {
    /// Where the function lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsLocation>,
    /// The alias that is moved. Immutable.
    #[x_kube(validation = Rule::new("self == oldSelf").message("function is immutable: make a new CanaryRollout for another alias"))]
    pub function: FunctionAlias,
    /// What the alias shall serve.
    pub release: Release,
    /// Settings of the function that are put in force before it is published; with latest, image
    /// and s3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    /// How traffic moves; 100 is implied at the end. Exactly one of steps and preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = STEPS_MAX))]
    #[x_kube(
        validation = Rule::new("self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && self.filter(s, has(s.weight)).map(s, s.weight).all(w, self.filter(s, has(s.weight) && s.weight == w).size() == 1)")
            .message("weights must rise from step to step"),
        validation = Rule::new("self.filter(s, has(s.hold)).map(s, s.hold).sum() <= duration('168h')")
            .message("all holds together must be at most 168h"),
        validation = Rule::new("self.filter(s, has(s.smoke) && has(s.smoke.payload)).map(s, s.smoke.payload.size()).sum() <= 65536")
            .message("all smoke payloads together must be at most 65536 characters"),
        // Not at the field: what is frozen in the status must stay valid under every later rule.
        validation = Rule::new("self.filter(s, has(s.approve) && has(s.approve.timeout)).map(s, s.approve.timeout).all(t, t >= duration('1m') && t <= duration('672h'))")
            .message("approve.timeout must be 1m to 4w: leave it out to wait without limit"),
    )]
    pub steps: Option<Vec<Step>>,
    /// Steps under the names that AWS SAM and CodeDeploy use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// How long the new version is still watched, and rolled back, after it serves everybody.
    /// Default 0s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self <= duration('168h')").message("bake must be at most 168h"))]
    pub bake: Option<Duration>,
    /// What the new version is judged by; edits apply at once, also in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// What must hold before a rollout starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = CHECKS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub checks: Option<Vec<Check>>,
    /// What must hold when the new version serves everybody, and again when the bake is over: a
    /// failure is that of the release. After a rollback they run once, for the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = CHECKS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub post_checks: Option<Vec<Check>>,
    /// What a failure leads to: Rollback (default) or Hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// The MaintenanceWindows in which the rollout may go forward; absent: at any time. What goes back
    /// waits for none, and nor does a release that rollbackWindow lets skip the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// What waits for a window, and what becomes of a rollout that is in flight when it closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_gate: Option<WindowGate>,
    /// Lets a release that was served lately skip the steps; absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_window: Option<RollbackWindow>,
    /// What is kept of what was released; absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// What happens when somebody else moves the alias: Hold (default) touches nothing, Adopt accepts
    /// what is there, Enforce puts the alias back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
    /// Who is told of starts, ends, and what waits for a person; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// Enforce (default), or Audit: start nothing new, and tell in status.plan what would be done. A
    /// canary that must go back still goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Start nothing new. A canary that must go back still goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// A Lambda function and one of its aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct FunctionAlias {
    /// Plain name of the function: no ARN, no qualifier.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub name: String,
    /// Name of the alias that callers use; made on first use.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    #[x_kube(validation = Rule::new("!self.matches('^[0-9]+$')").message("an alias is not a number: name the alias that callers use"))]
    pub alias: String,
}

/// What to release: exactly one of version, latest, image and s3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.version), has(self.latest), has(self.image), has(self.s3)].filter(x, x).size() == 1").message("give exactly one of version, latest, image and s3"),
    validation = Rule::new("!has(self.s3) || has(self.s3.objectVersion) || has(self.codeSha256)").message("s3 needs objectVersion, or codeSha256 beside it: an object that is overwritten would else change the release unnoticed"),
)]
pub struct Release {
    /// A published version, by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), regex(pattern = r"^[1-9][0-9]{0,9}$"))]
    pub version: Option<String>,
    /// Whatever `$LATEST` holds: read every minute, published when its code or its configuration
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self").message("latest can only be true: leave it out otherwise"))]
    pub latest: Option<bool>,
    /// A container image: becomes the code of the function, and is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageRelease>,
    /// A ZIP archive in S3: becomes the code of the function, and is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Release>,
    /// Guard: the CodeSha256 that the version must have, as Lambda prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 44, max = 64),
        regex(pattern = r"^([A-Za-z0-9+/]{43}=|[0-9a-f]{64})$")
    )]
    pub code_sha256: Option<String>,
}

/// A container image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ImageRelease {
    /// URI in ECR, with a digest: Lambda resolves a tag once, so a tag says nothing about what runs.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9][a-z0-9._/-]*@sha256:[0-9a-f]{64}$')").message("give the image by digest, without a tag: registry/repository@sha256:<64 hex digits>"))]
    pub uri: String,
}

/// A ZIP archive in S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3Release {
    /// Bucket, in the function's region.
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[0-9A-Za-z.\-_]*[0-9A-Za-z]$"))]
    pub bucket: String,
    /// Key of the object.
    #[schemars(length(min = 1, max = 1024))]
    pub key: String,
    /// Version of the object, in a bucket with versioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub object_version: Option<String>,
}

/// Settings of the function; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.memorySize) || has(self.timeout) || has(self.runtime)").message("give at least one of memorySize, timeout and runtime"))]
pub struct Configuration {
    /// Memory in MB, 128 to 10240.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 128, max = 10240))]
    pub memory_size: Option<i32>,
    /// The longest that an invocation may take, 1s to 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= duration('1s') && self <= duration('15m')").message("timeout must be 1s to 15m"))]
    pub timeout: Option<Duration>,
    /// Runtime as Lambda names it: `python3.13`. Not for container images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z][a-z0-9._-]*$"))]
    pub runtime: Option<String>,
}

/// What happens when somebody else moves the alias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnConflict {
    /// Nothing is touched until it is as it was left, or a person decides.
    #[default]
    Hold,
    /// The version that it serves now is accepted, and the release ends.
    Adopt,
    /// It is put back, at most three times an hour.
    Enforce,
}

/// How windows are obeyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowGate {
    /// What happens only while a window takes new work: Start (default) is the first step, Advance
    /// each further weight, Promote the move to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(validation = Rule::new("self.all(point, self.exists_one(other, other == point))").message("at names each point once"))]
    pub at: Option<Vec<GatePoint>>,
    /// What becomes of a rollout before 100 when the window closes: Hold (default) stays where it is
    /// until a window opens, Continue goes on, Rollback goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_close: Option<OnClose>,
    /// The holds and smoke tests that are left must fit before the close. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_fit: Option<bool>,
}

/// A point at which a rollout waits for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GatePoint {
    /// Before the first step.
    Start,
    /// Before each further weight.
    Advance,
    /// Before 100.
    Promote,
}

/// What becomes of a rollout in flight when the window closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnClose {
    /// It stays where it is until a window opens.
    #[default]
    Hold,
    /// It goes on.
    Continue,
    /// It goes back.
    Rollback,
}

/// How long a release that was served counts as proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct RollbackWindow {
    /// A release that was promoted at most this many revisions ago goes straight to 100, also while
    /// an alarm fires.
    #[schemars(range(min = 1, max = 9))]
    pub revisions: i32,
}

/// What is kept of what was released.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Versions that this rollout published, older than the one that serves, of which this many are
    /// kept; what is older is deleted, unless an alias names it or a rollout may go back to it.
    #[schemars(range(min = 1, max = 100))]
    pub keep_versions: i32,
}

/// One step: a weight, an approval or a smoke test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.weight), has(self.approve), has(self.smoke)].filter(x, x).size() == 1").message("a step has exactly one of weight, approve and smoke"),
    validation = Rule::new("has(self.weight) || !(has(self.hold) || has(self.minInvocations) || has(self.maxWait))").message("hold, minInvocations and maxWait belong to a step with a weight"),
    validation = Rule::new("!(has(self.maxWait) && has(self.hold)) || self.maxWait >= self.hold").message("maxWait counts from the start of the step: it must be at least as long as hold"),
)]
pub struct Step {
    /// Percentage of invocations that the new version gets, 1 to 99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    pub weight: Option<i32>,
    /// How long the weight stays before the next step. Default 0s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Duration>,
    /// Invocations that the new version must have had in this step before it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000000000))]
    pub min_invocations: Option<i32>,
    /// How long, from its start, the step waits for data and invocations before it fails. Default 2h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self <= duration('168h')").message("maxWait must be at most 168h"))]
    pub max_wait: Option<Duration>,
    /// Waits for a person: `kubectl groundcrew promote NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<Approve>,
    /// Invokes the new version directly; callers of the alias notice nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<Smoke>,
}

/// A step that invokes the new version and judges what it returns. It may run more than once: also
/// where the answer of the first time was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Smoke {
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

/// A step that waits for a person's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// What the person should look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub message: Option<String>,
    /// How long to wait, 1m to 4w. Default: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// What happens then: Abort (default) goes back to stable, Promote takes silence for a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<OnTimeout>,
}

/// What an approval that nobody gave means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnTimeout {
    /// The rollout is aborted and the alias goes back.
    #[default]
    Abort,
    /// The rollout goes on as if approved.
    Promote,
}

/// The deployment preferences of AWS SAM and CodeDeploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the names say it: Canary<weight><hold>, Linear<weight>Every<hold>"
)]
pub enum Preset {
    Canary10Percent5Minutes,
    Canary10Percent10Minutes,
    Canary10Percent15Minutes,
    Canary10Percent30Minutes,
    Linear10PercentEvery1Minute,
    Linear10PercentEvery2Minutes,
    Linear10PercentEvery3Minutes,
    Linear10PercentEvery10Minutes,
    AllAtOnce,
}
