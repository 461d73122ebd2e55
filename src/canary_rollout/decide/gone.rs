//! There is no way back: the version that the alias should be pointed at again was deleted.

use super::{
    audit,
    plan::{Plan, Revisit},
    release::Unready,
    situation::{FLIGHT_POLL, Situation},
};
use crate::{
    api::{
        ABANDON_ANNOTATION,
        canary_rollout::{Ending, Phase},
    },
    canary_rollout::memory::Memory,
    facts::{kubernetes::Deletion, lambda::Alias},
};

/// The reason of what is told then.
pub(super) const REASON: &str = "StableVersionGone";

/// The version that must exist for the alias to go back. None while the alias still serves it, and only
/// weights have to go: Lambda deletes no version that an alias names.
#[must_use]
pub fn way_back<'m>(memory: &'m Memory, alias: &Alias) -> Option<&'m str> {
    let ending = memory.flight.as_ref()?.ending.as_ref()?;
    let stable = memory.stable.as_deref()?;
    let pointed = alias.version != stable && alias.weights.is_empty();
    (ending.goes_back() && pointed).then_some(stable)
}

/// The version that the alias should go back to, and does not exist.
pub(super) fn missing<'s>(situation: &'s Situation<'_>) -> Option<(&'s str, &'s Alias)> {
    let alias = situation.facts.alias.as_ref().filter(|_| situation.facts.stable_gone)?;
    Some((way_back(&situation.memory, alias)?, alias))
}

/// The alias stays where it is, whatever is asked of Lambda. A newer release may take over from there.
pub(super) fn no_way_back(situation: &Situation<'_>, ending: &Ending) -> Option<Plan> {
    let (stable, alias) = missing(situation)?;
    if is_superseded(situation) {
        return Some(give_up(situation, ending, alias));
    }
    let (served, name) = (&alias.version, &situation.facts.alias_name);
    let out = match situation.facts.deletion {
        Deletion::Undo => {
            format!("let go without undoing with the annotation {ABANDON_ANNOTATION}: \"true\"")
        }
        Deletion::None | Deletion::Abandon => format!(
            "release a good version, or accept version {served} with the verb retry@{}",
            situation.revision()
        ),
    };
    let difference = format!(
        "alias {name} still serves version {served}, because version {stable} of {}, which it should go back to, does not exist",
        situation.facts.function
    );
    let message = format!("{difference}; {out}; it goes back because: {}", ending.message);
    let mut plan = situation.out_of_sync(Phase::Held, REASON, message, difference);
    plan.revisit = Revisit::At(situation.later(FLIGHT_POLL));
    Some(plan)
}

/// Whether the spec asks for something else by now, and it may start.
fn is_superseded(situation: &Situation<'_>) -> bool {
    let facts = situation.facts;
    let wanted = match &facts.wanted {
        Ok(wanted) => Some(&wanted.revision),
        Err(Unready::Unpublished(draft)) => Some(&draft.revision),
        Err(Unready::Unusable(_) | Unready::Unread(_)) => None,
    };
    let newer = wanted.is_some_and(|wanted| wanted != situation.revision());
    newer && facts.deletion == Deletion::None && !facts.suspended && !audit::is_on(situation)
}

/// What the alias serves is where the next release starts from.
fn give_up(situation: &Situation<'_>, ending: &Ending, alias: &Alias) -> Plan {
    let served = &alias.version;
    let message = format!("version {served} stays until the next release takes its place");
    let mut memory = situation.conclude(ending.outcome, &ending.reason, &ending.message);
    memory.stable = Some(served.clone());
    memory.canary = None;
    let report = situation.report(Phase::Pending, REASON, message);
    let mut plan = situation.plan(report, Revisit::Now);
    plan.memory = memory;
    plan
}
