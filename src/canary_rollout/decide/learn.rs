//! What the answer to a write adds to the memory, beside what the next look shows. Pure.

use super::plan::Plan;
use crate::{
    api::canary_rollout::SmokeStatus,
    canary_rollout::rollout::{Smoke, Step},
    facts::lambda::{Changed, Invocation},
};

/// Longest type of an error that is told: what a runtime calls its exceptions is shorter.
const ERROR_TYPE_MAX: usize = 128;

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
///
/// Of what the function returned only its `statusCode` and the type of its error are told: the rest
/// may hold what is nobody's business.
#[must_use]
pub fn judge(smoke: &Smoke, invocation: &Invocation) -> SmokeStatus {
    let longest = smoke.max_duration;
    let Invocation::Answered { function_error, payload, took } = invocation else {
        return failed(format!("no answer within {longest}"));
    };
    let returned = serde_json::from_slice::<serde_json::Value>(payload).ok();
    let field = |name: &str| returned.as_ref().and_then(|returned| returned.get(name));
    let millis = took.as_millis();
    if function_error.is_some() {
        let kind = field("errorType").and_then(|kind| kind.as_str()).unwrap_or("no type given");
        let kind: String = crate::error::clean(kind).chars().take(ERROR_TYPE_MAX).collect();
        return failed(format!("the function failed after {millis} ms: {kind}"));
    }
    let status = field("statusCode").and_then(serde_json::Value::as_i64);
    match (smoke.expect_status, status) {
        (Some(expected), Some(status)) if status != expected => {
            return failed(format!("statusCode {status} after {millis} ms, expected {expected}"));
        }
        (Some(expected), None) => {
            return failed(format!(
                "what it returned has no statusCode, expected {expected}; it took {millis} ms"
            ));
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
    if u128::from(longest.as_secs()).saturating_mul(1_000) < millis {
        return failed(format!("took {millis} ms, longer than {longest}"));
    }
    let message = match status {
        Some(status) => format!("statusCode {status} after {millis} ms"),
        None => format!("answered after {millis} ms"),
    };
    SmokeStatus { passed: true, message }
}

fn failed(message: String) -> SmokeStatus {
    SmokeStatus { passed: false, message }
}
