//! Alarms that are switched off while a window is open, and on again at its close.
//!
//! CloudWatch keeps no trace of who switched an alarm off, so a ledger in the status does. These rules
//! bring every alarm back once, whatever crashes in between, also where windows share alarms:
//!
//! 1. An alarm is written into the ledger as `Intended` before it is switched off. One that is `Intended`
//!    and found off is ours. One that is off and in no ledger is a person's, and stays so (`Left`).
//! 2. A ledger is published as ending before anything of it is switched on.
//! 3. An ending ledger leaves an alarm to another window only if that one holds it too and is not ending,
//!    and only once the watch shows the own ledger as ending. Both windows read one store, which never
//!    goes back: if each saw the other as not ending, each would have looked before the other. So of the
//!    last two one switches on.
//! 4. A window takes over as `Intended` what another one has `Off`, and writes `Off` only once the watch
//!    shows the entry and no ending ledger holds the alarm. Until then one that acts was switched on by
//!    an ending window, and is switched off again; from then on a person did that.
//! 5. What is `Off` carries the time of its configuration. Another time at the close: somebody changed it.

mod ending;
mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub(super) use self::ending::{abandoned, stays, undo};
pub use self::ledger::is_as_left;
use super::{
    plan::{Action, Ask, Plan, Revisit},
    restore,
    silence::{self, AGAIN, Quiet, Target, ask, counted},
    situation::Situation,
};
use crate::{
    api::{
        fit::SWITCHED_MAX,
        maintenance_window::Phase,
        window_alarms::{AlarmMode, Silenced, SilencedRegion, SwitchState, SwitchedAlarm},
    },
    facts::alarms::ACTION_NAMES_MAX,
    maintenance_window::alarms::{Choice, Question, RegionFacts},
    time::moments,
};

/// When it is looked whether a call did what it should, and whether the watch has followed.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);
/// Most alarms that a sentence names.
const NAMED_MAX: usize = 5;

/// What is switched off, or about to be, by this window.
pub(super) fn ledger<'s>(situation: &'s Situation<'_>) -> Option<&'s Silenced> {
    situation.memory.silenced.as_ref().filter(|silenced| silenced.mode == AlarmMode::Toggle)
}

/// Switches the alarms of an opening off. `phase` is told meanwhile.
pub(super) fn bring_about(
    situation: &Situation<'_>,
    choice: &Choice,
    target: &Target<'_>,
    phase: Phase,
) -> Quiet {
    let known = restore::known(situation, target.id);
    let ledger =
        ledger(situation).filter(|ledger| ledger.occurrence == target.id && !ledger.is_ending());
    if known.is_some() && ledger.is_none() {
        return restore::undo(situation, phase)
            .map_or(Quiet::Off, |plan| Quiet::First(Box::new(plan)));
    }
    let found = match &situation.facts.alarms {
        None => {
            let switched = Some(ledger.map(names).unwrap_or_default());
            let choice = Some(choice.clone());
            let question = Question { choice, switched, ..Question::default() };
            return Quiet::First(Box::new(ask(situation, phase, Ask::Alarms(question))));
        }
        Some(Err(unread)) => return Quiet::Trouble(unread.clone()),
        Some(Ok(found)) => found,
    };
    let wanted = wanted(ledger, found, target);
    let count = entries(&wanted).count();
    if count > SWITCHED_MAX {
        return Quiet::Trouble(silence::too_many(count));
    }
    let chosen = counted(count);
    if ledger != Some(&wanted) {
        let message = format!("{chosen} will be switched off for {}", target.id);
        let mut plan = situation.plan(phase, "Silencing", message);
        plan.silenced = told(situation, &wanted);
        plan.memory.silenced = Some(wanted);
        plan.revisit = Revisit::Now;
        return Quiet::First(Box::new(plan));
    }
    let actions = switch_off(&wanted, found, target.closes_at);
    if actions.is_empty() {
        return Quiet::There;
    }
    let message = format!("switching off {chosen} for {}", target.id);
    let mut plan = situation.plan(phase, "Silencing", message);
    plan.revisit = Revisit::Now;
    // The finalizer is there before anything is that deletion would have to undo.
    if situation.facts.finalizer {
        plan.actions = actions;
        plan.revisit = Revisit::At(moments::after(situation.now, SETTLE));
    }
    Quiet::First(Box::new(plan))
}

/// The ledger as it is to be.
fn wanted(ledger: Option<&Silenced>, found: &[RegionFacts], target: &Target<'_>) -> Silenced {
    let regions = found.iter().map(|facts| {
        let old = ledger.into_iter().flat_map(|ledger| &ledger.regions);
        let old = old.filter(|old| old.region == facts.region).flat_map(|old| &old.alarms);
        let alarms = ledger::brought_up(&old.collect::<Vec<_>>(), facts);
        SilencedRegion { region: facts.region.clone(), alarms, ..SilencedRegion::default() }
    });
    Silenced {
        mode: AlarmMode::Toggle,
        occurrence: target.id.to_owned(),
        ending: None,
        regions: regions.collect(),
    }
}

/// Every alarm of a ledger, with its region.
fn entries(ledger: &Silenced) -> impl Iterator<Item = (&String, &SwitchedAlarm)> {
    let regions = ledger.regions.iter();
    regions.flat_map(|region| region.alarms.iter().map(|alarm| (&region.region, alarm)))
}

/// The names of a ledger, by region.
fn names(ledger: &Silenced) -> BTreeMap<String, BTreeSet<String>> {
    let regions = ledger.regions.iter().map(|region| {
        let names = region.alarms.iter().map(|alarm| alarm.name.clone());
        (region.region.clone(), names.collect())
    });
    regions.collect()
}

/// What was read of a region.
fn facts_of<'f>(found: &'f [RegionFacts], region: &str) -> Option<&'f RegionFacts> {
    found.iter().find(|facts| facts.region == region)
}

/// What acts and should not.
fn switch_off(ledger: &Silenced, found: &[RegionFacts], until: Timestamp) -> Vec<Action> {
    let mut actions = Vec::new();
    for region in &ledger.regions {
        let facts = facts_of(found, &region.region);
        let acts = |alarm: &&SwitchedAlarm| {
            let switch = facts.and_then(|facts| facts.switches.get(&alarm.name));
            alarm.state == SwitchState::Intended && switch.is_some_and(|switch| switch.on)
        };
        let names: Vec<String> =
            region.alarms.iter().filter(acts).map(|alarm| alarm.name.clone()).collect();
        actions.extend(names.chunks(ACTION_NAMES_MAX).map(|names| Action::SwitchOff {
            region: region.region.clone(),
            alarms: names.to_vec(),
            until,
        }));
    }
    actions
}

/// The plan of an opening whose alarms are off: looked at again soon until all of them are written down
/// as such.
pub(super) fn watched(situation: &Situation<'_>, ledger: &Silenced, mut plan: Plan) -> Plan {
    let Some(Ok(found)) = &situation.facts.alarms else { return plan };
    let mut open = entries(ledger).filter(|(_, alarm)| alarm.state == SwitchState::Intended);
    let contested = found.iter().any(ledger::is_contested);
    let wait = match (contested, open.next()) {
        (true, _) => AGAIN,
        (false, Some(_)) => SETTLE,
        (false, None) => return plan,
    };
    plan.revisit = plan.revisit.no_later_than(moments::after(situation.now, wait));
    plan
}

/// Whether all that is to be quiet is, by what AWS says; and in words.
pub(super) fn told(
    situation: &Situation<'_>,
    ledger: &Silenced,
) -> Option<(bool, &'static str, String)> {
    let found = match &situation.facts.alarms {
        Some(Err(unread)) => return Some((false, unread.reason, unread.message.clone())),
        _ if ledger.is_ending() => {
            let message = format!("alarms of {} are being switched on", ledger.occurrence);
            return Some((false, "Restoring", message));
        }
        Some(Ok(found)) => found,
        None => return None,
    };
    let nowhere = silence::nowhere(found);
    let (mut quiet, mut loud) = (0_usize, 0_usize);
    let (mut before, mut meanwhile) = (Vec::new(), Vec::new());
    for (region, alarm) in entries(ledger) {
        let facts = facts_of(found, region);
        let acts = facts.and_then(|facts| facts.switches.get(&alarm.name)).map(|it| it.on);
        match (alarm.state.is_ours(), acts) {
            (_, None) => {}
            (true, Some(true)) => loud = loud.saturating_add(1),
            (true, Some(false)) => quiet = quiet.saturating_add(1),
            (false, Some(true)) => meanwhile.push(alarm.name.as_str()),
            (false, Some(false)) => before.push(alarm.name.as_str()),
        }
    }
    let off = match before.as_slice() {
        [] => String::new(),
        names => format!("; off already, and stays so: {}", few(names)),
    };
    Some(if loud > 0 {
        let all = counted(quiet.saturating_add(loud));
        (false, "NotActive", format!("{quiet} of {all} switched off{off}{nowhere}"))
    } else if !meanwhile.is_empty() {
        let names = few(&meanwhile);
        let message = format!(
            "{} switched off; left alone, since somebody switched it on: {names}{off}{nowhere}",
            counted(quiet)
        );
        (false, "LeftAlone", message)
    } else if quiet == 0 && before.is_empty() {
        (false, "NoAlarms", format!("there is nothing to be quiet{nowhere}"))
    } else {
        let until = &ledger.occurrence;
        let message = format!("{} switched off until {until} closes{off}{nowhere}", counted(quiet));
        (true, "Active", message)
    })
}

/// Some names, and how many more there are.
fn few(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED_MAX).copied().collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
