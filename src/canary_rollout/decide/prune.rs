//! Old versions that were published for this rollout go, once for each release that serves.

use jiff::Timestamp;

use super::{
    Facts, audit,
    plan::{Action, Plan, Revisit},
    situation::{FLIGHT_POLL, SETTLED_POLL, Situation},
    unread::Unread,
};
use crate::{
    api::canary_rollout::Phase,
    canary_rollout::memory::Memory,
    error::{Remedy, without_request},
    facts::lambda::Alias,
};

/// Whether it is time to look for versions that may go: the release serves, and that was not done for
/// it yet.
#[must_use]
pub fn is_due(memory: &Memory, alias: &Alias) -> bool {
    let ended = memory.concluded().filter(|entry| entry.outcome.serves());
    ended.is_some_and(|entry| {
        memory.pruned.as_ref() != Some(&entry.revision)
            && entry.version == alias.version
            && alias.weights.is_empty()
    })
}

/// Adds to the plan of a release that serves what goes next; one version in each pass, so that the
/// aliases are read again before each.
pub(super) fn prune(situation: &Situation<'_>, mut plan: Plan) -> Plan {
    if plan.report.phase != Phase::Healthy || audit::is_on(situation) {
        return plan;
    }
    let due = situation.facts.alias.as_ref().is_some_and(|alias| is_due(&situation.memory, alias));
    let surplus = match &situation.facts.surplus {
        Ok(Some(surplus)) if due => surplus,
        Err(unread) if due => {
            not_pruned(&mut plan, situation.facts, unread, situation.now);
            return plan;
        }
        Ok(_) | Err(_) => return plan,
    };
    plan.revisit = Revisit::Now;
    match surplus.first() {
        Some(oldest) => plan.actions.push(Action::DeleteVersion(oldest.clone())),
        None => plan.memory.pruned = plan.memory.revision.clone(),
    }
    plan
}

/// Old versions stay for now: the release serves all the same. What only a person can mend is told.
pub fn not_pruned(plan: &mut Plan, facts: &Facts, failed: &Unread, now: Timestamp) {
    let follows = facts.wanted.as_ref().is_ok_and(|wanted| wanted.follows_latest);
    let poll = match failed.remedy {
        Remedy::AwaitEdit if !follows => SETTLED_POLL,
        Remedy::AwaitEdit | Remedy::Retry | Remedy::Later | Remedy::NextTurn => FLIGHT_POLL,
    };
    plan.revisit = Revisit::At(now.saturating_add(poll).unwrap_or(Timestamp::MAX));
    if failed.remedy == Remedy::AwaitEdit {
        let why = without_request(&failed.message);
        plan.report.message = format!("{}; old versions stay: {why}", plan.report.message);
    }
}
