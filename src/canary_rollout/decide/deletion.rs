//! The object is being deleted: undo first, then let go.

use super::{
    lost,
    plan::{Note, Plan, Revisit},
    situation::{SETTLED_POLL, Situation},
};
use crate::{
    api::canary_rollout::{Ending, Outcome, Phase},
    facts::kubernetes::Deletion,
};

/// A rollout in flight ends because its object is deleted; also one that only its mark tells of.
pub(super) fn prepare(situation: &mut Situation<'_>) {
    if situation.facts.deletion != Deletion::Undo {
        return;
    }
    if situation.memory.flight.is_none()
        && let Some(memory) = lost::to_be_undone(situation)
    {
        situation.memory = memory;
    }
    let undoing = situation.memory.flight.as_ref().and_then(|flight| flight.ending.as_ref());
    if !undoing.is_some_and(Ending::goes_back) {
        situation.memory.end(Outcome::Aborted, "Deleted", "the CanaryRollout is deleted".into());
    }
}

/// Rule: nothing is in flight any more, or nothing shall be undone.
pub(super) fn let_go(situation: &Situation<'_>) -> Option<Plan> {
    let flying = situation.flying();
    let message = match (situation.facts.deletion, flying) {
        (Deletion::None, _) | (Deletion::Undo, Some(_)) => return None,
        (Deletion::Undo, None) => "nothing is left to undo".to_owned(),
        (Deletion::Abandon, _) => format!("let go without undoing: {}", situation.found()),
    };
    let report = situation.report(Phase::Pending, "Deleted", message.clone());
    let mut plan = situation.plan(report, Revisit::At(situation.later(SETTLED_POLL)));
    plan.finalizer = false;
    if situation.facts.deletion == Deletion::Abandon && situation.facts.finalizer {
        plan.notes.push(Note { warning: true, reason: "Abandoned", message });
    }
    Some(plan)
}
