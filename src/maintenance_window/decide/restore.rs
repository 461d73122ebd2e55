//! Alarms come back: mute rules are taken away, and what is gone is read back.

use std::collections::BTreeSet;

use super::{
    checks,
    plan::{Action, Ask, Plan, Revisit},
    silence::{AGAIN, MUTE_LEAD, counted, own_rules},
    situation::Situation,
    toggle,
};
use crate::{
    api::{
        maintenance_window::Phase,
        window_alarms::{AlarmMode, Silenced, SilencedRegion},
    },
    facts::{kubernetes::Deletion, mute_rules::OwnMuteRule},
    maintenance_window::alarms::{Choice, Question, RegionFacts, unread},
    plan::Unread,
    time::{Opening, moments},
};

/// Takes away every rule of the status, or switches its alarms on, and reads back that this is done;
/// none when nothing is left.
pub(super) fn undo(situation: &Situation<'_>, phase: Phase) -> Option<Plan> {
    let silenced = situation.memory.silenced.as_ref()?;
    if silenced.mode == AlarmMode::Toggle {
        return Some(toggle::undo(situation, silenced, phase));
    }
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
            let regions = silenced.regions.iter();
            let rules = regions.map(|region| (region.region.clone(), own_rules(situation, region)));
            let regions = silenced.regions.iter().map(|region| region.region.clone());
            let names: BTreeSet<&str> = alarms.iter().map(|(_, name)| *name).collect();
            let names = names.into_iter().map(str::to_owned).collect();
            let choice = Choice { names, regions: regions.collect(), ..Choice::default() };
            let question = Question {
                choice: Some(choice),
                told_only: true,
                rules: rules.collect(),
                apart: true,
                ..Question::default()
            };
            plan.asks = Some(Ask::Alarms(question));
        }
        Some(Ok(found)) => {
            plan.actions = deletions(found, |facts| facts.rules.keys().cloned().collect());
            // What they were before is not told: it is not so any more.
            plan.silenced = Some((false, "Restoring", message.clone()));
            if let Some((regions, unread)) = unread(found) {
                // What cannot be read may be taken away all the same, after the rest; it counts as gone
                // once that is read.
                plan.actions.extend(unseen(situation, silenced, found));
                plan = cannot(situation, plan, &message, &regions, unread);
            } else if plan.actions.is_empty() {
                plan.memory.silenced = None;
                plan.silenced = None;
            }
        }
        Some(Err(unread)) => {
            plan = cannot(situation, plan, &message, "", unread);
        }
    }
    Some(plan)
}

/// The same plan of an undo, where something keeps it from its end: in these regions, if not
/// everywhere.
pub(super) fn cannot(
    situation: &Situation<'_>,
    mut plan: Plan,
    message: &str,
    regions: &str,
    unread: &Unread,
) -> Plan {
    let place = if regions.is_empty() { String::new() } else { format!(" in {regions}") };
    plan.report.message = format!("{message}, and that cannot be done{place}: {}", unread.message);
    plan.silenced = Some((false, unread.reason, unread.message.clone()));
    plan.revisit = Revisit::At(moments::after(situation.now, AGAIN));
    plan.trouble = Some(unread.clone());
    plan
}

fn deletions(
    found: &[RegionFacts],
    rules: impl Fn(&RegionFacts) -> Vec<OwnMuteRule>,
) -> Vec<Action> {
    found.iter().flat_map(|facts| deletions_of(&facts.region, rules(facts))).collect()
}

/// Deletions of the rules where nothing could be read.
fn unseen(situation: &Situation<'_>, silenced: &Silenced, found: &[RegionFacts]) -> Vec<Action> {
    let is_unread = |region: &&SilencedRegion| {
        found.iter().any(|facts| facts.region == region.region && facts.unread.is_some())
    };
    let regions = silenced.regions.iter().filter(is_unread);
    let rules =
        |region: &SilencedRegion| deletions_of(&region.region, own_rules(situation, region));
    regions.flat_map(rules).collect()
}

fn deletions_of(region: &str, rules: Vec<OwnMuteRule>) -> Vec<Action> {
    let delete = |rule| Action::DeleteMuteRule { region: region.to_owned(), rule };
    rules.into_iter().map(delete).collect()
}

/// Whether every rule has ended by itself. What is switched off does not.
pub(super) fn is_over(situation: &Situation<'_>, silenced: &Silenced) -> bool {
    let mut rules = silenced.regions.iter().flat_map(|region| &region.rules);
    silenced.mode == AlarmMode::Mute && rules.all(|rule| rule.until.0 <= situation.now)
}

/// What is quiet, or was, and has to be brought back before the alarms of another opening are quiet.
/// Rules that have ended by themselves hold up nothing: where they cannot be taken away, they are
/// forgotten for those of the opening, and left to [`sweep`].
pub(super) fn known<'s>(situation: &'s Situation<'_>, opening: &str) -> Option<&'s Silenced> {
    let silenced = situation.memory.silenced.as_ref()?;
    (silenced.occurrence == opening || !is_over(situation, silenced)).then_some(silenced)
}

/// Rule: what is left of an opening that is not to come, or is over, goes away.
pub(super) fn left_over(situation: &Situation<'_>) -> Option<Plan> {
    let silenced = situation.memory.silenced.as_ref()?;
    if situation.memory.current.is_some() {
        return None;
    }
    let soon = moments::after(situation.now, MUTE_LEAD);
    let opens = |opening: &Opening| {
        let next = || opening.opens_at <= soon && is_over(situation, silenced);
        situation.may_open() && (opening.id == silenced.occurrence || next())
    };
    if let Some((opening, window)) = situation.coming().filter(opens).zip(situation.window())
        && checks::keeps_closed(situation, window, &opening).is_none()
    {
        return None;
    }
    undo(situation, situation.resting_phase())
}

/// Adds to a plan that mute rules of this window go away that nobody knows of: where nothing is quiet,
/// and nothing is about to be. What is told stays as it is.
pub(super) fn sweep(situation: &Situation<'_>, mut plan: Plan) -> Plan {
    let facts = situation.facts;
    let choice = situation.window().and_then(|window| window.alarms.as_ref());
    let Some(choice) = choice.filter(|choice| choice.mode == AlarmMode::Mute) else { return plan };
    let quiet = plan.memory.silenced.is_some() || situation.memory.silenced.is_some();
    let busy = matches!(plan.report.phase, Phase::Open | Phase::Preparing)
        || situation.memory.current.is_some()
        || plan.asks.is_some();
    if !facts.sweeps || facts.deletion != Deletion::None || quiet || busy {
        return plan;
    }
    match &facts.alarms {
        None => {
            let regions = Choice { regions: choice.regions.clone(), ..Choice::default() };
            let question = Question { choice: Some(regions), strays: true, ..Question::default() };
            plan.asks = Some(Ask::Alarms(question));
        }
        Some(Ok(found)) => plan.actions.extend(deletions(found, |facts| facts.strays.clone())),
        // Told where alarms are to be quiet; what is left over ends by itself.
        Some(Err(_)) => {}
    }
    plan
}
