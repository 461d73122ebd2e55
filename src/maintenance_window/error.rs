//! Why something in AWS could not be read or done.

use crate::{
    aws::{self, Class},
    context::NoSession,
    error::{Remedy, chain, without_request},
    plan::Unread,
};

/// Why something in AWS could not be read or done. Each variant names the operation and its object; the
/// cause is its `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Role, region or account of the object cannot be used.
    #[error(transparent)]
    NoSession(#[from] NoSession),
    /// The alarms could not be read.
    #[error("cannot read the alarms of {region}")]
    ReadAlarms {
        /// Their region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// Mute rules could not be read.
    #[error("cannot read the mute rules of {region}")]
    ReadRules {
        /// Their region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// A mute rule could not be made.
    #[error("cannot mute alarms of {region}")]
    Mute {
        /// Their region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// Alarms could not be switched off.
    #[error("cannot switch off alarms of {region}")]
    SwitchOff {
        /// Their region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// Alarms could not be switched on.
    #[error("cannot switch on alarms of {region}")]
    SwitchOn {
        /// Their region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
    /// A mute rule could not be taken away.
    #[error("cannot take away a mute rule of {region}")]
    Unmute {
        /// Its region.
        region: String,
        /// What AWS said.
        source: aws::Error,
    },
}

impl Error {
    /// It as a fact. The request id, another one at each try, is for the log alone: the same failure
    /// again is no news.
    #[must_use]
    pub fn unread(&self) -> Unread {
        let message = without_request(&chain(self)).to_owned();
        Unread { remedy: self.remedy(), reason: self.reason(), message }
    }

    /// Whether AWS refused this one call, and may take another one in the same place.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NoSession(_) => false,
            Self::ReadAlarms { source, .. }
            | Self::ReadRules { source, .. }
            | Self::Mute { source, .. }
            | Self::Unmute { source, .. }
            | Self::SwitchOff { source, .. }
            | Self::SwitchOn { source, .. } => match source.class {
                Class::NotFound | Class::Conflict | Class::Denied | Class::Invalid => true,
                Class::Stale
                | Class::Throttled
                | Class::Credentials
                | Class::Unknown
                | Class::Refused
                | Class::NoTurn => false,
            },
        }
    }

    /// Who must move next.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoSession(error) => error.remedy(),
            Self::ReadAlarms { source, .. }
            | Self::ReadRules { source, .. }
            | Self::Mute { source, .. }
            | Self::Unmute { source, .. }
            | Self::SwitchOff { source, .. }
            | Self::SwitchOn { source, .. } => source.remedy(),
        }
    }

    /// Why, in CamelCase: the reason of the conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoSession(error) => error.reason(),
            Self::ReadAlarms { source, .. }
            | Self::ReadRules { source, .. }
            | Self::Mute { source, .. }
            | Self::Unmute { source, .. }
            | Self::SwitchOff { source, .. }
            | Self::SwitchOn { source, .. } => source.reason(),
        }
    }
}
