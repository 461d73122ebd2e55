//! The object is being deleted: undo first, then let go.

use jiff::Timestamp;

use super::{
    lost,
    plan::{Note, Plan, Report, Revisit},
    situation::{SETTLED_POLL, Situation},
};
use crate::{
    api::canary_rollout::{Ending, Outcome, Phase},
    canary_rollout::memory::Memory,
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
    match (situation.facts.deletion, situation.flying()) {
        (Deletion::None, _) | (Deletion::Undo, Some(_)) => return None,
        (Deletion::Undo, None) => {}
        (Deletion::Abandon, _) => {
            let left = Left {
                function: &situation.facts.function,
                alias: &situation.facts.alias_name,
                weight: situation.weight(),
                revision_id: situation.facts.alias.as_ref().map(|alias| alias.revision_id.clone()),
                finalizer: situation.facts.finalizer,
            };
            return Some(abandon(&situation.memory, left, situation.now));
        }
    }
    let report = situation.report(Phase::Pending, "Deleted", "nothing is left to undo".into());
    let mut plan = situation.plan(report, Revisit::At(situation.later(SETTLED_POLL)));
    plan.finalizer = false;
    Some(plan)
}

/// What is known without AWS of an object that is let go without undoing.
#[derive(Debug)]
pub struct Left<'a> {
    /// Function name.
    pub function: &'a str,
    /// Alias name.
    pub alias: &'a str,
    /// Percentage that the version in flight had when it was looked at last.
    pub weight: Option<i32>,
    /// Revision id of the alias then.
    pub revision_id: Option<String>,
    /// Whether our finalizer is on the object.
    pub finalizer: bool,
}

/// Lets go without undoing, and tells what the status knows of what is left. AWS is not asked: the
/// account may be gone, or closed to us, and that may be the reason for it.
#[must_use]
pub fn abandon(memory: &Memory, left: Left<'_>, now: Timestamp) -> Plan {
    let message = format!(
        "let go without undoing: alias {} of {} {}",
        left.alias,
        left.function,
        was_left(memory, left.weight)
    );
    let abandoned = Note { warning: true, reason: "Abandoned", message: message.clone() };
    let report = Report {
        phase: Phase::Pending,
        reason: "Deleted",
        message,
        weight: left.weight,
        hold_until: None,
        difference: None,
        alias_revision: left.revision_id,
        window: None,
    };
    Plan {
        memory: memory.clone(),
        report,
        actions: Vec::new(),
        not_after: None,
        finalizer: false,
        notes: if left.finalizer { vec![abandoned] } else { Vec::new() },
        revisit: Revisit::At(now.saturating_add(SETTLED_POLL).unwrap_or(Timestamp::MAX)),
        needs: None,
        spared: Vec::new(),
        findings: None,
        unread: None,
        ahead: Vec::new(),
    }
}

/// How an alias was left, as far as the status knows.
fn was_left(memory: &Memory, weight: Option<i32>) -> String {
    let Some(stable) = &memory.stable else { return "may carry weights of this rollout".into() };
    match (&memory.flight, &memory.canary, weight) {
        (Some(_), Some(canary), Some(100)) => format!("was left at version {}", canary.version),
        (Some(_), Some(canary), Some(weight @ 1..)) => {
            format!("was left at version {stable} with {} at {weight}%", canary.version)
        }
        (Some(_), Some(canary), None) => {
            format!("was left at version {stable} with a weight for {}", canary.version)
        }
        (_, _, _) => format!("was left at version {stable}"),
    }
}
