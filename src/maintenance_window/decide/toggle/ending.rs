//! What was switched off is switched on again, and read back.

use super::{SETTLE, entries, facts_of, few, ledger, ledger::is_kept_off, names};
use crate::{
    api::{
        maintenance_window::Phase,
        window_alarms::{Silenced, SwitchedAlarm},
    },
    facts::alarms::ACTION_NAMES_MAX,
    maintenance_window::{
        alarms::{Question, RegionFacts, unread},
        decide::{
            plan::{Action, Ask, Note, Plan, Revisit},
            restore,
            silence::{counted, still_firing},
            situation::Situation,
            toggle::is_as_left,
        },
    },
    time::moments,
};

/// What becomes of an alarm at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It acts, or is gone, or another window keeps it off and will switch it on.
    Done,
    /// It is switched on.
    SwitchOn,
    /// Somebody changed it while it was off: it stays off.
    Changed,
    /// It was off before: it stays off.
    Before,
    /// Nobody knows how it is.
    Unread,
}

/// Switches on what is off because of this window, and reads back that it is on.
pub(in super::super) fn undo(situation: &Situation<'_>, ledger: &Silenced, phase: Phase) -> Plan {
    let ours = entries(ledger).filter(|(_, alarm)| alarm.state.is_ours()).count();
    let message =
        format!("switching on {} that were switched off for {}", counted(ours), ledger.occurrence);
    let mut plan = situation.plan(phase, "Restoring", message.clone());
    plan.revisit = Revisit::Now;
    if !ledger.is_ending() {
        plan.memory.silenced = Some(Silenced { ending: Some(true), ..ledger.clone() });
        return plan;
    }
    let soon = Revisit::At(moments::after(situation.now, SETTLE));
    match &situation.facts.alarms {
        None => {
            let switched = Some(names(ledger));
            let question = Question { switched, apart: true, ..Question::default() };
            plan.asks = Some(Ask::Alarms(question));
        }
        Some(Err(unread)) => {
            plan = restore::cannot(situation, plan, &message, "", unread);
        }
        Some(Ok(found)) => {
            let shown = is_shown(ledger, found);
            if shown {
                plan.actions = switch_on(ledger, found);
            }
            let unread = unread(found);
            let goes_on = !shown || !plan.actions.is_empty();
            if let Some((regions, unread)) = unread {
                plan = restore::cannot(situation, plan, &message, &regions, unread);
            } else if !goes_on {
                plan.memory.silenced = None;
                plan.silenced = None;
                plan.notes = notes(situation, ledger, found);
            }
            if goes_on {
                plan.revisit = soon;
            }
        }
    }
    plan
}

/// Whether the watch shows that this window is ending; see rule 3.
fn is_shown(ledger: &Silenced, found: &[RegionFacts]) -> bool {
    let mut regions = ledger.regions.iter().filter(|region| !region.alarms.is_empty());
    regions.all(|region| {
        let ledgers = facts_of(found, &region.region).into_iter().flat_map(|facts| &facts.ledgers);
        ledgers.into_iter().any(|ledger| ledger.own && ledger.ending)
    })
}

fn fate(region: &str, alarm: &SwitchedAlarm, found: &[RegionFacts]) -> Fate {
    let facts = facts_of(found, region).filter(|facts| facts.unread.is_none());
    let Some(facts) = facts else { return Fate::Unread };
    match facts.switches.get(&alarm.name) {
        None => Fate::Done,
        Some(switch) if switch.on => Fate::Done,
        Some(_) if !alarm.state.is_ours() => Fate::Before,
        Some(switch) if !is_as_left(alarm, switch) => Fate::Changed,
        Some(switch) if is_kept_off(&alarm.name, switch, facts) => Fate::Done,
        Some(_) => Fate::SwitchOn,
    }
}

fn switch_on(ledger: &Silenced, found: &[RegionFacts]) -> Vec<Action> {
    let mut actions = Vec::new();
    for region in &ledger.regions {
        let off = |alarm: &&SwitchedAlarm| fate(&region.region, alarm, found) == Fate::SwitchOn;
        let alarms: Vec<SwitchedAlarm> = region.alarms.iter().filter(off).cloned().collect();
        actions.extend(alarms.chunks(ACTION_NAMES_MAX).map(|alarms| Action::SwitchOn {
            region: region.region.clone(),
            alarms: alarms.to_vec(),
        }));
    }
    actions
}

/// Names of the alarms with this fate.
fn with<'l>(fate_of: Fate, ledger: &'l Silenced, found: &[RegionFacts]) -> Vec<&'l str> {
    let all = entries(ledger).filter(|(region, alarm)| fate(region, alarm, found) == fate_of);
    all.map(|(_, alarm)| alarm.name.as_str()).collect()
}

/// What is told once at the end: nobody is called for what happened while alarms were off.
fn notes(situation: &Situation<'_>, ledger: &Silenced, found: &[RegionFacts]) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut tell = |reason, message| notes.push(Note { warning: true, reason, message });
    let changed = with(Fate::Changed, ledger, found);
    if !changed.is_empty() {
        let message = format!(
            "left off, since somebody changed them while they were switched off for {}: {}; switch them on if they are to act",
            ledger.occurrence,
            changed.join(", ")
        );
        tell("LeftOff", message);
    }
    let firing = still_firing(situation.facts.alarms.as_ref());
    if !firing.is_empty() {
        let message = format!(
            "in ALARM at the end of {}, and they act only at their next change: {}",
            ledger.occurrence,
            firing.join(", ")
        );
        tell("StillInAlarm", message);
    }
    notes
}

/// What stays off after the close, as the end of a sentence; empty where nothing does.
pub(in super::super) fn stays(situation: &Situation<'_>) -> String {
    let (Some(ledger), Some(Ok(found))) = (ledger(situation), &situation.facts.alarms) else {
        return String::new();
    };
    let said = |fate, words: &str| match with(fate, ledger, found).as_slice() {
        [] => String::new(),
        names => format!("; {words}: {}", few(names)),
    };
    let changed = said(Fate::Changed, "left off, since somebody changed them meanwhile");
    let before = said(Fate::Before, "off before, and left so");
    format!("{changed}{before}")
}

/// What is told where nothing is switched on any more.
pub(in super::super) fn abandoned(ledger: &Silenced) -> Note {
    let ours = entries(ledger).filter(|(_, alarm)| alarm.state.is_ours());
    let names: Vec<&str> = ours.map(|(_, alarm)| alarm.name.as_str()).collect();
    Note {
        warning: true,
        reason: "Abandoned",
        message: format!(
            "let go without undoing: {} stay switched off until somebody switches them on: {}",
            counted(names.len()),
            names.join(", ")
        ),
    }
}
