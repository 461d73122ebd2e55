//! How Lambda and the others refuse.

use groundcrew::aws::{self, Class, operations::Operation};
use tokio::time::Duration;

use super::super::functions::Refusal;
use crate::faults::Fault;

/// The alias has none.
pub const UNPROVISIONED: Refusal =
    (Class::NotFound, "ProvisionedConcurrencyConfigNotFoundException");

/// A refusal, as the port tells it.
pub fn error(operation: Operation, about: &str, class: Class, code: &str) -> aws::Error {
    aws::Error {
        operation,
        resource: about.to_owned(),
        class,
        code: code.to_owned(),
        message: String::new(),
        request_id: None,
        retry_after: None,
    }
}

/// What a fault looks like to the caller.
pub fn refusal(operation: Operation, about: &str, fault: &Fault) -> aws::Error {
    let refuse = |class, code| error(operation, about, class, code);
    match fault {
        Fault::Denied => refuse(Class::Denied, "AccessDeniedException"),
        Fault::Throttled => aws::Error {
            retry_after: Some(Duration::from_secs(1)),
            ..refuse(Class::Throttled, "TooManyRequestsException")
        },
        Fault::Stale => refuse(Class::Stale, "PreconditionFailedException"),
        Fault::Conflict => refuse(Class::Conflict, "ResourceConflictException"),
        Fault::Lost
        | Fault::CrashBefore
        | Fault::CrashAfter
        | Fault::AppliedUnanswered
        | Fault::AppliedLate
        | Fault::OldAnswers
        | Fault::LeaseLost
        | Fault::WatchLost
        | Fault::Meanwhile(_) => refuse(Class::Unknown, ""),
    }
}
