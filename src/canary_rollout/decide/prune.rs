//! Old versions that were published for this rollout go, once for each release that serves.

use super::{
    audit,
    plan::{Action, Plan, Revisit},
    situation::Situation,
};
use crate::{api::canary_rollout::Phase, canary_rollout::memory::Memory, facts::lambda::Alias};

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
    let Some(surplus) = situation.facts.surplus.as_ref().filter(|_| due) else { return plan };
    plan.revisit = Revisit::Now;
    match surplus.first() {
        Some(oldest) => plan.actions.push(Action::DeleteVersion(oldest.clone())),
        None => plan.memory.pruned = plan.memory.revision.clone(),
    }
    plan
}
