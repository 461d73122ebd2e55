//! What the answer to a write adds to the memory, beside what the next look shows. Pure.

use super::plan::Plan;
use crate::{
    api::canary_rollout::SmokeStatus,
    canary_rollout::rollout::{Smoke, Step},
    facts::lambda::{Changed, Invocation},
    invocations,
};

/// What AWS answered to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The alias or the configuration was changed: the next look shows how.
    Changed,
    /// `$LATEST` has the code of the release.
    CodeReplaced(Changed),
    /// The release is a version.
    Published(Changed),
    /// The new version was invoked.
    Invoked(Invocation),
}

/// Adds what an answer says.
pub fn learn(plan: &mut Plan, answer: &Answer) {
    let memory = &mut plan.memory;
    match answer {
        Answer::Changed => {}
        Answer::CodeReplaced(changed) => {
            if let Some(publishing) = &mut memory.publishing {
                publishing.uploaded = Some(changed.code_sha256.clone());
            }
        }
        Answer::Published(changed) => {
            if let Some(publishing) = &mut memory.publishing {
                publishing.version = Some(changed.version.clone());
            }
        }
        Answer::Invoked(invocation) => {
            let Some(flight) = &mut memory.flight else { return };
            if let Some(Step::Smoke(smoke)) = flight.steps.get(flight.index) {
                flight.smoke = Some(judge(smoke, invocation));
            }
        }
    }
}

/// Whether an invocation did what a smoke test expects.
#[must_use]
pub fn judge(smoke: &Smoke, invocation: &Invocation) -> SmokeStatus {
    let judged = invocations::judge(smoke.expect_status, smoke.max_duration, invocation);
    match judged {
        Ok(message) => SmokeStatus { passed: true, message },
        Err(message) => SmokeStatus { passed: false, message },
    }
}
