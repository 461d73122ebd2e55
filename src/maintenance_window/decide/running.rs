//! An opening under way: it stays open until its end, or until somebody ends it.

use super::{
    plan::{Plan, Revisit},
    situation::Situation,
};
use crate::{
    api::maintenance_window::{Closing, Outcome, Phase},
    facts::kubernetes::Deletion,
    maintenance_window::memory::Current,
    time::moments,
};

/// Rule: what is open closes, in two steps: first the gate, with the reason; then the rest.
pub(super) fn close(situation: &Situation<'_>) -> Option<Plan> {
    let current = situation.memory.current.as_ref()?;
    let closing = current.closing.clone().or_else(|| ends(situation, current))?;
    let Closing { outcome, message } = &closing;
    let mut plan = if situation.closing_told {
        let text = format!("closed {}: {message}", current.id);
        let mut plan = situation.plan(Phase::Scheduled, "Closed", text);
        plan.memory = situation.ended(current, *outcome, message.clone());
        plan
    } else {
        let text = format!("closing {}: {message}", current.id);
        let mut plan = situation.plan(Phase::Scheduled, "Closing", text);
        plan.memory.current = Some(Current { closing: Some(closing), ..current.clone() });
        plan
    };
    plan.revisit = Revisit::Now;
    Some(plan)
}

/// Why it closes now, if it does.
fn ends(situation: &Situation<'_>, current: &Current) -> Option<Closing> {
    let closing = |outcome, message: &str| Some(Closing { outcome, message: message.to_owned() });
    if situation.facts.deletion != Deletion::None {
        return closing(Outcome::Cancelled, "the window is deleted");
    }
    if situation.facts.suspended() {
        return closing(Outcome::Cancelled, "the window is suspended");
    }
    if situation.facts.audits() {
        return closing(Outcome::Cancelled, "the window is in Audit");
    }
    if current.closes_at <= situation.now {
        return closing(Outcome::Completed, "its time is over");
    }
    None
}

/// Rule: what is open stays open.
pub(super) fn stay(situation: &Situation<'_>) -> Option<Plan> {
    let current = situation.memory.current.as_ref()?;
    let calendar = &current.window.calendar;
    let closes = calendar.zone().told(current.closes_at);
    let until = moments::before(current.closes_at, current.window.cutoff);
    let work = match until {
        until if until == current.closes_at => String::new(),
        until if situation.now < until => {
            format!(", takes new work until {}", calendar.zone().told(until))
        }
        _ => ", takes no new work any more".to_owned(),
    };
    let why = match &current.window.emergency {
        Some(emergency) => format!(
            "open for an emergency ({}, asked for by {})",
            emergency.reason, emergency.requested_by
        ),
        None => "open".to_owned(),
    };
    let message = format!("{why} until {closes}{work}: {}", current.id);
    Some(situation.plan(Phase::Open, "Open", message))
}
