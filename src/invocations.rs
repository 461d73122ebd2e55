//! What an invocation that was made as a test says. Pure.

use crate::{api::duration::Duration, facts::lambda::Invocation};

/// Longest type of an error that is told: what a runtime calls its exceptions is shorter.
const ERROR_TYPE_MAX: usize = 128;

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
