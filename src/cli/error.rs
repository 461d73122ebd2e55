//! Why a subcommand did not do what was asked.

use std::{io, path::PathBuf};

use kube::{
    config::{InferConfigError, KubeconfigError},
    runtime::watcher,
};

use super::{EXIT_FAILED, EXIT_USAGE};
use crate::{
    aws::{accounts::InvalidSetting, sdk::InvalidEnvironment},
    canary_rollout::preview,
    error::chain,
    kubernetes::client::ClientError,
    verbs::{Unbound, windows},
};

/// Why a subcommand did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot use the kubeconfig")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    #[error("cannot find out how to reach Kubernetes: set KUBECONFIG, or give --kubeconfig")]
    Infer(#[source] Box<InferConfigError>),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("there is no {what} in namespace {namespace}")]
    NotFound { what: String, namespace: String },
    #[error("{window} has no opening {id} in its status{}", known_ids(known))]
    NoOpening { id: String, window: String, known: Vec<String> },
    #[error(
        "cannot {action}: this cluster does not know the kind; install the chart, or apply \
         `groundcrew crds`"
    )]
    NoCrd { action: String },
    #[error(
        "{name} releases what $LATEST holds, and nothing in it says which: name the code with \
         --code-sha256, as UpdateFunctionCode answered it, or give --revision or --version"
    )]
    WhichLatest { name: String },
    #[error("cannot {action}: {message}")]
    Api { action: String, message: String },
    #[error(transparent)]
    Unbound(#[from] Unbound),
    #[error(transparent)]
    UnboundWindow(#[from] windows::Unbound),
    #[error("cannot begin: threads and timers are not to be had")]
    Runtime(#[source] io::Error),
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("cannot read {}", path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("{place}: {message}")]
    Manifest { place: String, message: String },
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
    #[error("cannot look at {object} in AWS")]
    Look { object: String, source: Box<preview::Error> },
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kube's errors are many, and few are told apart"
)]
impl Error {
    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Kubeconfig(_)
            | Self::Infer(_)
            | Self::ReadFile { .. }
            | Self::Manifest { .. }
            | Self::Setting(_)
            | Self::WhichLatest { .. }
            | Self::Unbound(Unbound::Malformed(_))
            | Self::UnboundWindow(windows::Unbound::Malformed(_)) => EXIT_USAGE,
            Self::Client(_)
            | Self::NotFound { .. }
            | Self::NoOpening { .. }
            | Self::NoCrd { .. }
            | Self::Api { .. }
            | Self::Unbound(Unbound::NoRevision(_) | Unbound::NoStep { .. })
            | Self::UnboundWindow(windows::Unbound::NoOpening { .. })
            | Self::Runtime(_)
            | Self::Output(_)
            | Self::WriteFile { .. }
            | Self::Environment(_)
            | Self::Look { .. } => EXIT_FAILED,
        }
    }

    /// A failed call to the API server, in its own words where it answered.
    pub(super) fn api(action: impl Into<String>, source: &kube::Error) -> Self {
        let action = action.into();
        let message = match source {
            kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
            _ => chain(source),
        };
        // What the API server says of a path that no CRD is behind.
        if message.contains("page not found") {
            return Self::NoCrd { action };
        }
        Self::Api { action, message }
    }

    /// What a failed watch of a kind means.
    pub(super) fn watch(kind: &str, source: &watcher::Error) -> FailedWatch {
        let error = match source {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => error,
            watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => {
                return FailedWatch::Broken;
            }
        };
        let told = || Self::api(format!("watch {kind}s"), error);
        match error {
            kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404) => {
                FailedWatch::Refused(told())
            }
            kube::Error::SerdeError(_) => FailedWatch::Unreadable(told()),
            _ => FailedWatch::Broken,
        }
    }
}

/// The openings that there are, as the end of a sentence.
fn known_ids(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(": it has {}", known.join(", ")) }
}

/// What a failed watch means.
#[derive(Debug)]
pub(super) enum FailedWatch {
    /// It is taken up again.
    Broken,
    /// The API server does not allow it, or does not know the kind.
    Refused(Error),
    /// An object cannot be read.
    Unreadable(Error),
}
