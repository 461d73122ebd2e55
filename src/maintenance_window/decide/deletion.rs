//! The object is being deleted: what is open closes first, then it is let go.

use super::{plan::Plan, situation::Situation};
use crate::{api::maintenance_window::Phase, facts::kubernetes::Deletion};

/// Rule: nothing is open any more, or nothing shall be undone.
pub(super) fn let_go(situation: &Situation<'_>) -> Option<Plan> {
    let open = situation.memory.current.is_some();
    match situation.facts.deletion {
        Deletion::None => return None,
        Deletion::Undo if open => return None,
        Deletion::Undo | Deletion::Abandon => {}
    }
    let mut plan =
        situation.plan(Phase::Scheduled, "Deleted", "nothing is left to undo".to_owned());
    plan.memory.current = None;
    Some(plan)
}
