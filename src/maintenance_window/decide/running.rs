//! An opening under way: it stays open until its end, or until somebody ends it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    checks, metrics,
    plan::{Plan, Revisit},
    restore,
    silence::{self, Quiet, Target},
    situation::Situation,
    tasks, toggle,
};
use crate::{
    api::{
        maintenance_window::{Closing, Outcome, Phase},
        window_checks::{Checking, FrozenChecks},
    },
    facts::kubernetes::Deletion,
    maintenance_window::{memory::Current, window::Window},
    time::moments,
};

/// Rule: what is open closes: first the gate, with the reason; then the alarms come back; and when that
/// was read back, it is over.
pub(super) fn close(situation: &Situation<'_>) -> Option<Plan> {
    let current = situation.memory.current.as_ref()?;
    let closing = current.closing.clone().or_else(|| ends(situation, current))?;
    let Closing { outcome, message } = &closing;
    let mut plan = if situation.closing_told {
        if let Some(plan) = tasks::wind_up(situation, Phase::Scheduled) {
            return Some(plan);
        }
        let undo = restore::undo(situation, Phase::Scheduled);
        let waits = |plan: &Plan| {
            let quiet = plan.memory.silenced.as_ref();
            // What cannot be taken away ends by itself, and is tried on after the end was told.
            let over = plan.trouble.is_some()
                && quiet.is_some_and(|quiet| restore::is_over(situation, quiet));
            quiet.is_some() && !over
        };
        match undo {
            Some(plan) if waits(&plan) => return Some(plan),
            undone => ended(situation, current, &closing, undone),
        }
    } else {
        let text = format!("closing {}: {message}", current.id);
        let mut plan = situation.plan(Phase::Scheduled, "Closing", text);
        let closing = Closing { outcome: *outcome, message: message.clone() };
        plan.memory.current = Some(Current { closing: Some(closing), ..current.clone() });
        plan
    };
    plan.revisit = Revisit::Now;
    Some(plan)
}

/// The end, written into the history.
fn ended(
    situation: &Situation<'_>,
    current: &Current,
    closing: &Closing,
    undone: Option<Plan>,
) -> Plan {
    let Closing { outcome, message } = closing;
    let text = format!("closed {}: {message}", current.id);
    let mut plan = situation.plan(Phase::Scheduled, "Closed", text);
    let undone = undone.map(|undone| (undone.memory.silenced, undone.silenced, undone.notes));
    let (silenced, told, notes) = undone.unwrap_or_default();
    plan.silenced = told;
    plan.notes = notes;
    let stays = toggle::stays(situation);
    plan.memory = situation.ended(current, *outcome, format!("{message}{stays}"));
    plan.memory.after = watch(situation, current, *outcome);
    metrics::end(&mut plan.memory, current, *outcome, situation.now);
    plan.memory.silenced = silenced;
    plan
}

/// The post-checks of what ended, to be watched; none where it has none, or was cut off.
fn watch(situation: &Situation<'_>, current: &Current, outcome: Outcome) -> Option<Checking> {
    let Window { post_checks, post_check_for, .. } = &current.window;
    let verifies = outcome != Outcome::Cancelled && !post_checks.is_empty();
    let frozen = current.spec.post_checks.clone().unwrap_or_default();
    verifies.then(|| Checking {
        occurrence: current.id.clone(),
        until: Some(Time(moments::after(moments::stamp(situation.now), *post_check_for))),
        checks: Some(FrozenChecks(frozen)),
        ..Checking::default()
    })
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
    let over = current.closes_at <= situation.now;
    if current.window.routine && (over || is_done(situation, current)) {
        return match (checks::broken(&current.checks), &situation.memory.before) {
            (Some(words), _) => {
                closing(Outcome::Failed, &format!("its pre-checks did not hold: {words}"))
            }
            (None, Some(_)) => closing(Outcome::Failed, "its pre-checks did not end in time"),
            (None, None) if !is_done(situation, current) => {
                closing(Outcome::Completed, "its time is over")
            }
            (None, None) => closing(Outcome::Completed, "its round is over"),
        };
    }
    if over {
        return closing(Outcome::Completed, "its time is over");
    }
    None
}

/// Whether it is a round with nothing left to do.
fn is_done(situation: &Situation<'_>, current: &Current) -> bool {
    current.window.routine && situation.memory.before.is_none() && !tasks::are_left(current)
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
        None if current.window.routine => "its round runs".to_owned(),
        None => "open".to_owned(),
    };
    let task = tasks::told(current).map(|task| format!("; {task}")).unwrap_or_default();
    let message = format!("{why} until {closes}{work}: {}{task}", current.id);
    let mut plan = situation.plan(Phase::Open, "Open", message);
    if is_done(situation, current) {
        plan.revisit = Revisit::Now;
    }
    if let Some(then) = tasks::wakes(current, situation.now) {
        plan.revisit = plan.revisit.no_later_than(then);
    }
    let target =
        Target { id: &current.id, opens_at: current.opens_at, closes_at: current.closes_at };
    let choice = current.window.alarms.as_ref();
    let plan = match silence::bring_about(situation, choice, &target, Phase::Open) {
        Quiet::First(first) => return Some(plan.doing(*first)),
        Quiet::Off => plan,
        Quiet::There => silence::watched(situation, plan),
        Quiet::Trouble(unread) => silence::tell(situation, plan, unread),
    };
    Some(tasks::advance(situation, plan))
}
