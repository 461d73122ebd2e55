//! Invariants of a status: G5, G8, C1, C2, C3, and what Healthy and Ready mean.

use groundcrew::{
    api::{
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Phase, Step},
        shared::ActionResult,
    },
    facts::lambda::Alias,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Found, ObjectPast, aliases::AliasPast, evidence_read::EvidenceRead};
use crate::{history::Asked, world::lambda::percent};

/// A status that was applied.
pub struct Applied<'a> {
    pub now: Timestamp,
    /// The object.
    pub key: &'a str,
    pub before: &'a CanaryRollout,
    pub after: &'a CanaryRollout,
    /// What the observed generation asks for.
    pub asked: Option<&'a Asked>,
    /// The alias at that time.
    pub alias: Option<&'a Alias>,
}

/// What is wrong with it.
pub fn applied(
    applied: &Applied<'_>,
    alias: &AliasPast,
    evidence: &EvidenceRead,
    past: &mut ObjectPast,
) -> Found {
    let Applied { before, after, .. } = *applied;
    let mut found = Found::new();
    if after.spec != before.spec || after.metadata.generation != before.metadata.generation {
        found.push(("G5", "a status write changed the spec".into()));
    }
    if after.status == before.status && !std::mem::take(&mut past.status_unanswered) {
        found.push(("G8", "a status write changed nothing".into()));
    }
    let Some(status) = &after.status else { return found };
    past.hurried = hurries(status, past.hurried);
    found.extend(ready(status, before.metadata.generation));
    let old = before.status.as_ref();
    if let Some(why) = entered_early(alias, old, status) {
        found.push(("C1", why));
    }
    if !past.hurried {
        found.extend(evidence.left(before, status));
    }
    let ended = |status: &CanaryRolloutStatus| (status.phase, status.revision.clone());
    if old.map(ended) != Some(ended(status)) {
        found.extend(ended_well(applied, status, alias));
    }
    found
}

/// C3 and Healthy: what ended left no weights, and what is Healthy is served.
fn ended_well(applied: &Applied<'_>, status: &CanaryRolloutStatus, past: &AliasPast) -> Found {
    let Applied { now, asked, alias, .. } = *applied;
    let mut found = Found::new();
    let bare = |alias: Option<&Alias>| alias.is_none_or(|alias| alias.weights.is_empty());
    if matches!(status.phase, Some(Phase::Healthy | Phase::RolledBack | Phase::Aborted))
        && !past.is_foreign(applied.key)
        && !past.lately(now, bare)
        && !bare(alias)
    {
        found.push(("C3", format!("{:?} with weights on the alias", status.phase)));
    }
    // What cannot be looked at keeps its phase, but is not Ready.
    let is_ready = |one: &Condition| one.type_ == "Ready" && one.status == "True";
    if status.phase == Some(Phase::Healthy) && status.conditions.iter().any(is_ready) {
        let stable = status.stable.as_ref().map(|stable| stable.version.as_str());
        let serves = |alias: Option<&Alias>| {
            alias.is_some_and(|alias| {
                alias.weights.is_empty() && Some(alias.version.as_str()) == stable
            })
        };
        let other = asked.is_none_or(|asked| {
            asked.version.as_deref().is_some_and(|version| Some(version) != stable)
                || asked.code_sha256.is_some() && asked.code_sha256 != asked.served_code
        });
        if other || !(serves(alias) || past.lately(now, serves)) {
            found.push(("Healthy", format!("{asked:?} is asked for, {stable:?} is stable")));
        }
    }
    found
}

/// C1: a step counts from when its weight was on the alias, never from before.
fn entered_early(
    past: &AliasPast,
    old: Option<&CanaryRolloutStatus>,
    status: &CanaryRolloutStatus,
) -> Option<String> {
    let entered = |status: &CanaryRolloutStatus| {
        let step = status.step.as_ref()?;
        Some((step.index, step.entered_at.as_ref()?.0))
    };
    let (index, at) = entered(status)?;
    if old.and_then(entered) == Some((index, at)) {
        return None;
    }
    let step: &Step = status.steps.get(usize::try_from(index).ok()?)?;
    let weight = (status.canary.as_ref()?.version.clone(), step.weight?);
    let so = |alias: &Alias| alias.weights.iter().map(percent).any(|had| had == weight);
    match (past.was_ever(so), past.since(so)) {
        (false, _) => Some(format!("step {index} was entered, {weight:?} never was there")),
        // Somebody took the weight away since it was read.
        (true, since) if since == Timestamp::MAX => None,
        (true, since) => (at < since)
            .then(|| format!("step {index} was entered at {at}, its weight came at {since}")),
    }
}

/// Ready=True is about the generation that the status speaks of, and never about a later one.
fn ready(status: &CanaryRolloutStatus, generation: Option<i64>) -> Found {
    let ready = status.conditions.iter().find(|one| one.type_ == "Ready" && one.status == "True");
    let Some(ready) = ready else { return Found::new() };
    if status.observed_generation > generation || ready.observed_generation > generation {
        return vec![("Ready", "of a generation that is not there yet".into())];
    }
    if ready.reason != "Suspended" && ready.observed_generation != status.observed_generation {
        return vec![("Ready", "of another generation than the status".into())];
    }
    Found::new()
}

/// Whether a person's word shortens holds in this flight.
fn hurries(status: &CanaryRolloutStatus, before: bool) -> bool {
    let verb = status.last_action.as_ref().filter(|last| last.result == ActionResult::Accepted);
    let hurry = verb.is_some_and(|last| {
        let current = status.revision.as_ref().is_some_and(|one| last.value.contains(one));
        current && (last.value.starts_with("promote") || last.value.starts_with("skip-step"))
    });
    status.step.is_some() && (before || hurry)
}
