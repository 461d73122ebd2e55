//! The object is being deleted: what is open closes first, then it is let go.

use super::{
    plan::{Note, Plan},
    situation::Situation,
    tasks, toggle,
};
use crate::{api::maintenance_window::Phase, facts::kubernetes::Deletion};

/// Rule: nothing is open any more, or nothing shall be undone.
pub(super) fn let_go(situation: &Situation<'_>) -> Option<Plan> {
    let open = situation.memory.current.is_some() || situation.memory.silenced.is_some();
    match situation.facts.deletion {
        Deletion::None => return None,
        Deletion::Undo if open => return None,
        Deletion::Undo | Deletion::Abandon => {}
    }
    let mut plan =
        situation.plan(Phase::Scheduled, "Deleted", "nothing is left to undo".to_owned());
    if let Some(silenced) = toggle::ledger(situation) {
        plan.notes.push(toggle::abandoned(silenced));
    } else if let Some(silenced) = &situation.memory.silenced {
        // What stays where it is let go without undoing.
        let rules = silenced.regions.iter().flat_map(|region| &region.rules);
        let until = rules.clone().map(|rule| rule.until.0).max().unwrap_or(situation.now);
        let names: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
        plan.notes.push(Note {
            warning: true,
            reason: "Abandoned",
            message: format!(
                "let go without undoing: alarms stay quiet until {until} by the mute rules {}",
                names.join(", ")
            ),
        });
    }
    if let Some(current) = situation.memory.current.as_ref().filter(|c| tasks::runs(Some(c))) {
        let running = current.tasks.iter().filter(|task| !task.state.ended());
        let names: Vec<&str> = running.map(|task| task.name.as_str()).collect();
        plan.notes.push(Note {
            warning: true,
            reason: "Abandoned",
            message: format!("let go without cancelling the task {}", names.join(", ")),
        });
    }
    plan.memory.current = None;
    plan.memory.silenced = None;
    Some(plan)
}
