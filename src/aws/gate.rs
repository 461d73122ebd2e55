//! May this write go now? Asked once the call has its token, right before it is sent.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    aws::{Class, Error, operations::Operation},
    kubernetes::leader::Leadership,
};

/// Longest that one attempt of a control-plane call may take, credentials included.
///
/// It must be shorter than the lease's duration less its renew deadline (15 s − 10 s): a write that
/// is let through with this much of our lease left is over before another replica can take over.
/// Two may last longer, see [`Operation::timeout`].
pub const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// Refuses writes that would come too late.
#[derive(Clone)]
pub struct Gate {
    leadership: Leadership,
}

impl Gate {
    /// A gate that lets writes through while `leadership` lasts.
    #[must_use]
    pub fn new(leadership: Leadership) -> Self {
        Self { leadership }
    }

    /// Lets `operation` on `resource` go, or says why not. Reads always go.
    ///
    /// A write needs a lease with at least [`CALL_TIMEOUT`] left, and `now` before `not_after`, the
    /// exclusive end of what allows it (the window's close).
    ///
    /// # Errors
    ///
    /// [`Class::Refused`]: the call was not sent.
    pub fn permit(
        &self,
        operation: Operation,
        resource: &str,
        not_after: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !operation.entry().write {
            return Ok(());
        }
        let refused = |message: String| Error {
            operation,
            resource: resource.to_owned(),
            class: Class::Refused,
            code: String::new(),
            message,
            request_id: None,
            retry_after: None,
        };
        self.admits(not_after, now).map_err(refused)
    }

    /// Whether a write may go now, to whatever it is; else why not.
    ///
    /// # Errors
    ///
    /// Why not, in a sentence.
    pub fn admits(&self, not_after: Option<Timestamp>, now: Timestamp) -> Result<(), String> {
        if self.leadership.time_left() < CALL_TIMEOUT {
            return Err(format!(
                "not sent, because this replica's lease has less than {} s left; the leader goes on",
                CALL_TIMEOUT.as_secs()
            ));
        }
        match not_after {
            Some(end) if now >= end => Err(format!(
                "not sent, because it was allowed until {end} only; it waits for the next opening"
            )),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::leader::{LEASE_DURATION, RENEW_DEADLINE};

    const WRITE: Operation = Operation::LambdaUpdateAlias;
    const READ: Operation = Operation::LambdaGetAlias;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn permit(
        leadership: Leadership,
        operation: Operation,
        not_after: Option<Timestamp>,
    ) -> Result<(), Error> {
        Gate::new(leadership).permit(operation, "function f alias live", not_after, at(100))
    }

    #[test]
    fn a_call_ends_before_another_replica_can_lead() {
        assert!(CALL_TIMEOUT < LEASE_DURATION - RENEW_DEADLINE);
    }

    #[test]
    fn two_calls_alone_may_outlast_the_lease() {
        let longer = Operation::ALL
            .into_iter()
            .filter(|operation| operation.entry().write && operation.timeout() > CALL_TIMEOUT);
        // The first is refused when anything moved since, the other writes nothing.
        let known = [Operation::LambdaInvoke, Operation::LambdaUpdateFunctionCode];
        assert_eq!(longer.collect::<Vec<_>>(), known);
    }

    #[test]
    fn without_a_lease_reads_go_and_writes_do_not() {
        permit(Leadership::none(), READ, Some(at(0))).unwrap();
        let error = permit(Leadership::none(), WRITE, None).unwrap_err();
        assert_eq!(error.class, Class::Refused);
        assert!(error.to_string().contains("lease has less than 4 s left"), "{error}");
    }

    #[test]
    fn the_end_of_what_allows_a_write_is_exclusive() {
        permit(Leadership::always(), WRITE, None).unwrap();
        permit(Leadership::always(), WRITE, Some(at(101))).unwrap();
        for end in [at(100), at(99)] {
            let error = permit(Leadership::always(), WRITE, Some(end)).unwrap_err();
            assert_eq!(error.class, Class::Refused);
            assert!(error.to_string().contains(&end.to_string()), "{error}");
        }
    }
}
