//! What groundcrew writes to Kubernetes: few operations on objects of any kind, as plain JSON.

use async_trait::async_trait;
use serde_json::Value;

use crate::error::Remedy;

/// A custom resource definition of ours, by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KindNames {
    /// API version, for example `groundcrew.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Kind, for example `CanaryRollout`.
    pub kind: &'static str,
    /// Plural, for example `canaryrollouts`.
    pub plural: &'static str,
}

/// One object, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId {
    /// Its kind.
    pub kind: KindNames,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: a write never lands on a successor of the same name.
    pub uid: String,
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.kind, self.namespace, self.name)
    }
}

/// A note for people beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether something is wrong.
    pub warning: bool,
    /// Why, in CamelCase.
    pub reason: String,
    /// One sentence, at most 1,000 characters.
    pub note: String,
}

/// Kubernetes, as far as passes write to it.
#[async_trait]
pub trait Port: Send + Sync {
    /// Reads an object; none when it is gone.
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, Error>;

    /// Applies the whole status by server-side apply; returns the object as it is then.
    async fn apply_status(&self, object: &ObjectId, status: &Value) -> Result<Value, Error>;

    /// Sets the finalizers if the object is still at `resource_version`, else fails with
    /// `Conflict`; returns the object as it is then.
    async fn set_finalizers(
        &self,
        object: &ObjectId,
        resource_version: &str,
        finalizers: &[String],
    ) -> Result<Value, Error>;

    /// Publishes an Event beside the object.
    async fn publish_event(&self, object: &ObjectId, event: &Event) -> Result<(), Error>;
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The object is gone, or another one has its name.
    Gone,
    /// The object changed since it was read.
    Conflict,
    /// The ServiceAccount may not do this.
    Denied,
    /// The API server does not accept what was written.
    Invalid,
    /// No answer, or not now.
    Unavailable,
}

/// A failed call to Kubernetes.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} of {object}: {message}")]
pub struct Error {
    /// What was tried, for example `apply the status`.
    pub action: &'static str,
    /// The object.
    pub object: String,
    /// What kind of failure.
    pub class: Class,
    /// The API server's words.
    pub message: String,
}

impl Error {
    /// Who must move next.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self.class {
            Class::Gone | Class::Conflict | Class::Unavailable => Remedy::Retry,
            Class::Denied | Class::Invalid => Remedy::Later,
        }
    }
}
