//! An invocation that is made as a test: what it may ask for, and what its answer says. Pure.

use std::ops::RangeInclusive;

use crate::{api::duration::Duration, facts::lambda::Invocation};

/// How long one may take, where the spec does not say.
const DURATION: Duration = Duration::from_secs(30);
/// Shortest and longest that the spec may say: what waits for it is one of the few slots for passes.
const DURATION_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);
/// Longest type of an error that is told: what a runtime calls its exceptions is shorter.
const ERROR_TYPE_MAX: usize = 128;

/// The event that is sent, `{}` where the spec does not say; none when it is no JSON.
#[must_use]
pub fn payload(given: Option<&str>) -> Option<String> {
    let payload = given.unwrap_or("{}");
    let json = serde_json::from_str::<serde::de::IgnoredAny>(payload);
    json.is_ok().then(|| payload.to_owned())
}

/// The longest that it may take; none outside of 1s to 60s.
#[must_use]
pub fn max_duration(given: Option<Duration>) -> Option<Duration> {
    Some(given.unwrap_or(DURATION)).filter(|longest| DURATION_BOUNDS.contains(longest))
}

/// Whether an invocation did what is expected of it: no failure of the function, this `statusCode`
/// in what it returned if one is given, and no longer than `longest`.
///
/// Of what the function returned only its `statusCode` and the type of its error are told: the rest
/// may hold what is nobody's business.
///
/// # Errors
///
/// Why not, with numbers.
pub fn judge(
    expect_status: Option<i64>,
    longest: Duration,
    invocation: &Invocation,
) -> Result<String, String> {
    let Invocation::Answered { function_error, payload, took } = invocation else {
        return Err(format!("no answer within {longest}"));
    };
    let returned = serde_json::from_slice::<serde_json::Value>(payload).ok();
    let field = |name: &str| returned.as_ref().and_then(|returned| returned.get(name));
    let millis = took.as_millis();
    if function_error.is_some() {
        let kind = field("errorType").and_then(|kind| kind.as_str()).unwrap_or("no type given");
        let kind: String = crate::error::clean(kind).chars().take(ERROR_TYPE_MAX).collect();
        return Err(format!("the function failed after {millis} ms: {kind}"));
    }
    let status = field("statusCode").and_then(serde_json::Value::as_i64);
    match (expect_status, status) {
        (Some(expected), Some(status)) if status != expected => {
            return Err(format!("statusCode {status} after {millis} ms, expected {expected}"));
        }
        (Some(expected), None) => {
            return Err(format!(
                "what it returned has no statusCode, expected {expected}; it took {millis} ms"
            ));
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
    if u128::from(longest.as_secs()).saturating_mul(1_000) < millis {
        return Err(format!("took {millis} ms, longer than {longest}"));
    }
    Ok(match status {
        Some(status) => format!("statusCode {status} after {millis} ms"),
        None => format!("answered after {millis} ms"),
    })
}
