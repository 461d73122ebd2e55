//! What Lambda says about functions, versions and aliases.

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

/// A function or one of its versions, as GetFunction returns its Configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionVersion {
    /// Version number, or `$LATEST`.
    pub version: String,
    /// Base64 of the SHA-256 of the deployment package.
    pub code_sha256: String,
    /// Whether it can be invoked.
    pub state: FunctionState,
    /// Lambda's code and words for the state, empty when it gives none.
    pub state_reason: String,
    /// The longest that an invocation may take, in seconds.
    pub timeout_secs: u64,
    /// ARN of the execution role; both versions of a weighted alias must share it.
    pub role: String,
    /// ARN of the dead-letter queue or topic; both versions of a weighted alias must share it.
    pub dead_letter_target: Option<String>,
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
