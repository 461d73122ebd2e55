//! Why a pass stopped.

use super::decide::Unread;
use crate::{
    aws,
    context::NoSession,
    error::{Remedy, chain},
};

/// Why a pass stopped. Each variant names the operation and its object; the cause is its `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Role, region or account of the object cannot be used.
    #[error(transparent)]
    NoSession(#[from] NoSession),
    /// The alias could not be read.
    #[error("cannot read alias {alias}")]
    ReadAlias {
        /// Alias name.
        alias: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// The release could not be read.
    #[error("cannot read version {version}")]
    ReadVersion {
        /// Version number.
        version: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// Provisioned concurrency of the alias could not be read.
    #[error("cannot read the provisioned concurrency of alias {alias}")]
    ReadProvisioned {
        /// Alias name.
        alias: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// The release could not be made a version.
    #[error("cannot publish the release of function {function}")]
    Publish {
        /// Function name.
        function: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// The versions that may go could not be found out.
    #[error("cannot list the versions of function {function}")]
    ListVersions {
        /// Function name.
        function: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// An old version could not be deleted.
    #[error("cannot delete version {version}")]
    Prune {
        /// Version number.
        version: u64,
        /// What AWS said.
        source: aws::Error,
    },
    /// The new version could not be invoked.
    #[error("cannot invoke version {version}")]
    Invoke {
        /// Version number.
        version: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// The alias could not be moved.
    #[error("cannot move alias {alias}")]
    MoveAlias {
        /// Alias name.
        alias: String,
        /// What AWS said.
        source: aws::Error,
    },
}

impl From<&Error> for Unread {
    fn from(error: &Error) -> Self {
        Self { remedy: error.remedy(), reason: error.reason(), message: chain(error) }
    }
}

impl Error {
    /// Who must move next.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoSession(error) => error.remedy(),
            Self::ReadAlias { source, .. }
            | Self::ReadVersion { source, .. }
            | Self::ReadProvisioned { source, .. }
            | Self::Publish { source, .. }
            | Self::ListVersions { source, .. }
            | Self::Prune { source, .. }
            | Self::Invoke { source, .. }
            | Self::MoveAlias { source, .. } => source.remedy(),
        }
    }

    /// Why, in CamelCase: the reason of the conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSession(error) => error.reason(),
            Self::ReadAlias { source, .. }
            | Self::ReadVersion { source, .. }
            | Self::ReadProvisioned { source, .. }
            | Self::Publish { source, .. }
            | Self::ListVersions { source, .. }
            | Self::Prune { source, .. }
            | Self::Invoke { source, .. }
            | Self::MoveAlias { source, .. } => source.reason(),
        }
    }
}
