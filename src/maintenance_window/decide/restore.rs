//! Alarms come back: mute rules are taken away, and what is gone is read back.

use std::collections::BTreeSet;

use super::{
    checks,
    plan::{Action, Ask, Plan, Revisit},
    silence::{AGAIN, ask, counted, own_rules},
    situation::Situation,
    toggle,
};
use crate::{
    api::{maintenance_window::Phase, window_alarms::AlarmMode},
    facts::mute_rules::OwnMuteRule,
    maintenance_window::alarms::{Choice, Question, RegionFacts},
    time::moments,
};

/// Takes away every rule of the status, or switches its alarms on, and reads back that this is done;
/// none when nothing is left.
pub(super) fn undo(situation: &Situation<'_>, phase: Phase) -> Option<Plan> {
    let silenced = situation.memory.silenced.as_ref()?;
    if silenced.mode == AlarmMode::Toggle {
        return Some(toggle::undo(situation, silenced, phase));
    }
    let rules = silenced.regions.iter();
    let rules = rules.map(|region| (region.region.clone(), own_rules(situation, region)));
    let alarms = silenced.alarms();
    let message = format!(
        "bringing back {} that were quiet for {}",
        counted(alarms.len()),
        silenced.occurrence
    );
    let mut plan = situation.plan(phase, "Restoring", message.clone());
    plan.revisit = Revisit::Now;
    match &situation.facts.alarms {
        None => {
            let regions = silenced.regions.iter().map(|region| region.region.clone());
            let names: BTreeSet<&str> = alarms.iter().map(|(_, name)| *name).collect();
            let names = names.into_iter().map(str::to_owned).collect();
            let choice = Choice { names, regions: regions.collect(), ..Choice::default() };
            let question = Question {
                choice: Some(choice),
                told_only: true,
                rules: rules.collect(),
                ..Question::default()
            };
            plan.asks = Some(Ask::Alarms(question));
        }
        Some(Ok(found)) => {
            plan.actions = deletions(found, |facts| facts.rules.keys().cloned().collect());
            // What they were before is not told: it is not so any more.
            plan.silenced = Some((false, "Restoring", message));
            if plan.actions.is_empty() {
                plan.memory.silenced = None;
                plan.silenced = None;
            }
        }
        Some(Err(unread)) => {
            plan.report.message = format!("{message}, and that cannot be done: {}", unread.message);
            // What cannot be read may be taken away all the same; it counts as gone once that is read.
            plan.actions = rules.flat_map(|(region, rules)| deletions_of(&region, rules)).collect();
            plan.revisit = Revisit::At(moments::after(situation.now, AGAIN));
            plan.trouble = Some(unread.clone());
        }
    }
    Some(plan)
}

fn deletions(
    found: &[RegionFacts],
    rules: impl Fn(&RegionFacts) -> Vec<OwnMuteRule>,
) -> Vec<Action> {
    found.iter().flat_map(|facts| deletions_of(&facts.region, rules(facts))).collect()
}

fn deletions_of(region: &str, rules: Vec<OwnMuteRule>) -> Vec<Action> {
    let delete = |rule| Action::DeleteMuteRule { region: region.to_owned(), rule };
    rules.into_iter().map(delete).collect()
}

/// Rule: what is left of an opening that is not to come, or is over, goes away.
pub(super) fn left_over(situation: &Situation<'_>) -> Option<Plan> {
    let silenced = situation.memory.silenced.as_ref()?;
    if situation.memory.current.is_some() {
        return None;
    }
    let prepared = situation.coming().filter(|opening| opening.id == silenced.occurrence);
    let opens = prepared.zip(situation.window()).is_some_and(|(opening, window)| {
        checks::keeps_closed(situation, window, &opening).is_none()
    });
    if opens && situation.may_open() {
        return None;
    }
    undo(situation, situation.resting_phase())
}

/// Rule: mute rules of this window that nobody knows of go away.
pub(super) fn sweep(situation: &Situation<'_>) -> Option<Plan> {
    let choice = situation.window()?.alarms.as_ref()?;
    let idle = situation.memory.silenced.is_none() && choice.mode == AlarmMode::Mute;
    if !situation.facts.sweeps || !idle {
        return None;
    }
    let found = match &situation.facts.alarms {
        None => {
            let regions = Choice { regions: choice.regions.clone(), ..Choice::default() };
            let question = Question { choice: Some(regions), strays: true, ..Question::default() };
            return Some(ask(situation, situation.resting_phase(), Ask::Alarms(question)));
        }
        Some(Ok(found)) => found,
        // Told where alarms are to be quiet; what is left over ends by itself.
        Some(Err(_)) => return None,
    };
    let actions = deletions(found, |facts| facts.strays.clone());
    if actions.is_empty() {
        return None;
    }
    let message = format!("taking away {} mute rules that were left over", actions.len());
    let mut plan = situation.plan(situation.resting_phase(), "Restoring", message);
    plan.actions = actions;
    plan.revisit = Revisit::Now;
    Some(plan)
}
