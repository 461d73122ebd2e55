//! How an AWS call fails, in the few classes that decisions need.

use std::{fmt, time::Duration};

use crate::{aws::operations::Operation, error::Remedy};

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The object does not exist.
    NotFound,
    /// The object exists already, or is busy with another change.
    Conflict,
    /// The object changed since it was read (412): read again, decide again.
    Stale,
    /// Too many calls.
    Throttled,
    /// The credentials may not do this.
    Denied,
    /// There are no usable credentials.
    Credentials,
    /// AWS does not accept the request as it is.
    Invalid,
    /// The call may or may not have been carried out: a time-out, a broken connection, a 5xx.
    Unknown,
    /// We did not send it: no lease, or too late for its window.
    Refused,
    /// We did not send it: other calls go first, and this one can wait for better times.
    NoTurn,
}

/// A failed AWS call: operation, object, class, and what AWS said.
#[derive(Clone, Debug)]
pub struct Error {
    /// The operation.
    pub operation: Operation,
    /// What it was about, for example `function processor alias production`.
    pub resource: String,
    /// What kind of failure.
    pub class: Class,
    /// AWS's error code; empty when the answer had none.
    pub code: String,
    /// AWS's words, or ours when AWS did not answer; never holds a secret.
    pub message: String,
    /// AWS's request id, to quote to AWS support.
    pub request_id: Option<String>,
    /// How long AWS asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Who must move next.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self.class {
            Class::NotFound | Class::Denied | Class::Credentials | Class::Invalid => {
                Remedy::AwaitEdit
            }
            Class::Conflict | Class::Stale | Class::Unknown => Remedy::Retry,
            Class::Throttled | Class::Refused => Remedy::Later,
            Class::NoTurn => Remedy::NextTurn,
        }
    }
}

impl Error {
    /// Why, in CamelCase: the reason of the conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.class {
            Class::NotFound => "NotFound",
            Class::Conflict => "ResourceBusy",
            Class::Stale => "Changed",
            Class::Throttled => "Throttled",
            Class::Denied => "AccessDenied",
            Class::Credentials => "NoCredentials",
            Class::Invalid => "RefusedByAWS",
            Class::Unknown => "Unavailable",
            Class::Refused | Class::NoTurn => "NotSent",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} failed", self.operation, self.resource)?;
        if !self.code.is_empty() {
            write!(f, " with {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", crate::error::clean(&self.message))?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {})", crate::error::clean(id)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
