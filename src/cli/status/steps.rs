//! Steps in words.

use crate::api::canary_rollout::{Approve, CanaryRollout, OnTimeout, Step};

/// One step of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) text: String,
    /// Whether the rollout is in it now.
    pub(super) current: bool,
    /// Whether it is behind.
    pub(super) done: bool,
}

/// The steps of the flight, with 100 at the end; none when nothing is in flight.
pub(super) fn entries(object: &CanaryRollout) -> Vec<Entry> {
    let Some(status) = &object.status else { return Vec::new() };
    let Some(at) = status.step.as_ref().and_then(|step| usize::try_from(step.index).ok()) else {
        return Vec::new();
    };
    let bake = object.spec.bake.filter(|bake| bake.as_secs() > 0);
    let last = bake.map_or_else(|| "100%".to_owned(), |bake| format!("100%, watched for {bake}"));
    let texts = status.steps.iter().map(words).chain([last]).enumerate();
    texts.map(|(index, text)| Entry { text, current: index == at, done: index < at }).collect()
}

fn words(step: &Step) -> String {
    match (&step.approve, &step.smoke, step.weight) {
        (Some(approve), _, _) => approval(approve),
        (None, Some(smoke), _) => {
            let status = smoke.expect_status.map(|status| format!(", expects {status}"));
            format!("smoke test{}", status.unwrap_or_default())
        }
        (None, None, Some(weight)) => {
            let hold = step.hold.filter(|hold| hold.as_secs() > 0);
            let hold = hold.map(|hold| format!(", held for {hold}")).unwrap_or_default();
            let least = step.min_invocations;
            let least = least.map(|n| format!(", at least {n} invocations")).unwrap_or_default();
            let longest = step.max_wait;
            let longest = longest.map(|wait| format!(", at most {wait}")).unwrap_or_default();
            format!("{weight}%{hold}{least}{longest}")
        }
        (None, None, None) => "a step that this version of groundcrew does not know".to_owned(),
    }
}

fn approval(approve: &Approve) -> String {
    let message = approve.message.as_deref().filter(|message| !message.is_empty());
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    let then = match approve.on_timeout.unwrap_or_default() {
        OnTimeout::Abort => "aborts",
        OnTimeout::Promote => "goes on",
    };
    let timeout = approve.timeout.map(|timeout| format!(", {then} after {timeout}"));
    format!("approval{message}{}", timeout.unwrap_or_default())
}
