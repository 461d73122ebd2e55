//! What Lambda says about functions, versions and aliases.

use super::surplus::ListedVersion;

/// An alias, as GetAlias, CreateAlias and UpdateAlias return it.
///
/// Source: Lambda API reference, AliasConfiguration.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// Version that gets what the weights leave.
    pub version: String,
    /// Additional versions and their share of invocations, 0.0 to 1.0 inclusive; Lambda allows one.
    pub weights: Vec<VersionWeight>,
    /// Changes with every change of the alias.
    pub revision_id: String,
    /// Free text, at most 256 characters; empty when there is none.
    pub description: String,
}

/// What an answer about an alias is the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// To our last write: nothing is newer but what others did since.
    Write,
    /// To a read of an earlier pass. A read may show what was before the last change.
    EarlierRead,
    /// To a read of this pass, after its time was taken.
    Read,
}

/// An additional version of an alias.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionWeight {
    /// Version number.
    pub version: String,
    /// Share of invocations, 0.0 to 1.0 inclusive.
    pub weight: f64,
}

/// What UpdateAlias shall make of an alias.
///
/// Weights are always sent, an empty map too: leaving them out would keep the old ones.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasChange {
    /// Function name.
    pub function: String,
    /// Alias name.
    pub alias: String,
    /// New FunctionVersion.
    pub version: String,
    /// New additional version, or none.
    pub weight: Option<VersionWeight>,
    /// New description.
    pub description: String,
    /// The alias must still be at this revision, or the write is refused (412).
    pub revision_id: String,
}

/// A function or one of its versions, as GetFunction returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionVersion {
    /// Version number, or `$LATEST`.
    pub version: String,
    /// Base64 of the SHA-256 of the deployment package.
    pub code_sha256: String,
    /// Changes with every change, of its state too; updates and publishing are guarded by it.
    pub revision_id: String,
    /// Whether it can be invoked.
    pub state: FunctionState,
    /// Lambda's code and words for the state, empty when it gives none.
    pub state_reason: String,
    /// How the last change of code or configuration went.
    pub last_update: LastUpdate,
    /// Lambda's code and words for that, empty when it gives none.
    pub last_update_reason: String,
    /// SnapStart's snapshot.
    pub snapshot: Snapshot,
    /// The longest that an invocation may take, in seconds.
    pub timeout_secs: u64,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Runtime in Lambda's word; none for container images.
    pub runtime: Option<String>,
    /// Instruction sets in Lambda's words: `arm64`.
    pub architectures: Vec<String>,
    /// Hash of the whole configuration but memory, time-out and runtime. Values of environment
    /// variables are in it and cannot be read from it.
    pub settings: String,
    /// Whether Lambda let us see the environment variables; where it did not, a change of theirs
    /// is not in `settings`.
    pub environment_readable: bool,
    /// The container image that it runs, by digest: `….dkr.ecr.…/processor@sha256:…`.
    pub image: Option<String>,
    /// What a person wrote about it; versions that groundcrew published carry its mark here.
    pub description: String,
    /// ARN of the execution role; both versions of a weighted alias must share it.
    pub role: String,
    /// ARN of the dead-letter queue or topic; both versions of a weighted alias must share it.
    pub dead_letter_target: Option<String>,
    /// CloudFormation stack that the function belongs to; told only to a role that may list tags.
    pub stack: Option<String>,
}

/// How the last change of a function went. Source: Lambda API reference,
/// FunctionConfiguration.LastUpdateStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUpdate {
    /// It is in force.
    Successful,
    /// Invocations still use what was before; nothing else may be changed or published.
    InProgress,
    /// What was before stays in force.
    Failed,
}

/// SnapStart's snapshot of a version. Source: Lambda developer guide, "Activating SnapStart".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// The version was published without SnapStart.
    NotWanted,
    /// It is still being taken.
    Pending,
    /// It is used.
    Ready,
}

/// Where the code of a release comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeSource {
    /// A container image.
    Image {
        /// URI with a digest.
        uri: String,
    },
    /// A ZIP archive in S3.
    S3 {
        /// Bucket, in the function's region.
        bucket: String,
        /// Key.
        key: String,
        /// Version of the object.
        object_version: Option<String>,
    },
}

/// What UpdateFunctionCode shall make of `$LATEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChange {
    /// Function name.
    pub function: String,
    /// The new code.
    pub source: CodeSource,
    /// `$LATEST` must still be at this revision, or the write is refused (412).
    pub revision_id: String,
}

/// What UpdateFunctionConfiguration shall make of `$LATEST`; what is none stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationChange {
    /// Function name.
    pub function: String,
    /// Memory in MB.
    pub memory_mb: Option<u64>,
    /// Time-out in seconds.
    pub timeout_secs: Option<u64>,
    /// Runtime in Lambda's word.
    pub runtime: Option<String>,
    /// `$LATEST` must still be at this revision, or the write is refused (412).
    pub revision_id: String,
}

/// What PublishVersion shall publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Function name.
    pub function: String,
    /// `$LATEST` must still hold this code, or the write is refused.
    pub code_sha256: String,
    /// `$LATEST` must still be at this revision, or the write is refused (412).
    pub revision_id: String,
    /// Description of the new version.
    pub description: String,
}

/// What a function is after a change, or the version that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Version number, or `$LATEST`.
    pub version: String,
    /// Base64 of the SHA-256 of the deployment package.
    pub code_sha256: String,
    /// Its revision id.
    pub revision_id: String,
}

/// A page of the versions that the aliases of a function name, by weight too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedPage {
    /// Version numbers, or `$LATEST`.
    pub versions: Vec<String>,
    /// What asks for the next page.
    pub next: Option<String>,
}

/// A page of the versions of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions, `$LATEST` too.
    pub versions: Vec<ListedVersion>,
    /// What asks for the next page.
    pub next: Option<String>,
}

/// How a synchronous invocation went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// The function ended, well or not.
    Answered {
        /// Lambda's word when the function failed: `Unhandled`.
        function_error: Option<String>,
        /// What the function returned, cut where it is too long to be of use.
        payload: Vec<u8>,
        /// From the request to its answer.
        took: std::time::Duration,
    },
    /// No answer came in the time that was given.
    Unanswered,
}

/// Provisioned concurrency of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioned {
    /// Whether it is there.
    pub status: ProvisionedStatus,
    /// Lambda's words when it failed; else empty.
    pub reason: String,
    /// Execution environments that were asked for.
    pub requested: i64,
    /// Execution environments that are there.
    pub allocated: i64,
}

/// Source: Lambda API reference, GetProvisionedConcurrencyConfig.Status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisionedStatus {
    /// Being allocated.
    InProgress,
    /// All of it is there.
    Ready,
    /// It could not be allocated.
    Failed,
}

/// State of a function or version. Source: Lambda API reference, FunctionConfiguration.State.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionState {
    /// Can be invoked.
    Active,
    /// Is being made.
    Pending,
    /// Was idle; the next invocation wakes it.
    Inactive,
    /// Cannot be invoked; the reason says why.
    Failed,
    /// Any other state, in Lambda's word.
    Other(String),
}
