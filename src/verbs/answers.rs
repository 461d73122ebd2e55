//! Which verbs were answered, and how: each distinct value is acted on once.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::shared::{ActionResult, LastAction},
    facts::kubernetes::ActionRequest,
    time::moments::stamp,
};

/// Why a verb is not acted on, or that it is; none when it is the one that was answered last.
///
/// An old value may come again by itself: a tool writes back what it knew.
#[must_use]
pub fn asked(
    request: &ActionRequest,
    last: Option<&LastAction>,
    answered: &[String],
) -> Option<Result<(), String>> {
    if last.is_some_and(|last| last.value == request.value) {
        return None;
    }
    let again = answered.contains(&request.value).then(|| {
        format!(
            "{} was answered before; to mean it again, give it with another #nonce",
            request.value
        )
    });
    Some(again.map_or(Ok(()), Err))
}

/// Keeps an answer: a sentence that says what was done, or why not.
pub fn keep(
    request: &ActionRequest,
    outcome: Result<String, String>,
    now: Timestamp,
    last: &mut Option<LastAction>,
    answered: &mut Vec<String>,
) {
    let (result, message) = match outcome {
        Ok(message) => (ActionResult::Accepted, message),
        Err(message) => (ActionResult::Refused, message),
    };
    answered.retain(|value| *value != request.value);
    answered.insert(0, request.value.clone());
    *last = Some(LastAction {
        value: request.value.clone(),
        by: request.by.clone(),
        result,
        message,
        at: Time(stamp(now)),
    });
}
