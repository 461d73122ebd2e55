//! Alarms that are quiet while a window is open: which mute rules there have to be, and which ones not.
//!
//! A rule that mutes is never changed: what it would do in between, AWS does not say. New alarms and
//! extensions get rules of their own, and all of them end by themselves.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    plan::{Action, Ask, Plan, Revisit},
    restore,
    situation::Situation,
    toggle,
};
use crate::{
    api::{
        fit::{ALARMS_PER_RULE_MAX, MUTE_RULES_MAX},
        maintenance_window::Phase,
        window_alarms::{AlarmMode, Silenced, SilencedRegion, SilencedRule},
    },
    facts::mute_rules::{MuteRule, MuteSchedule, MuteStatus, NewMuteRule, OwnMuteRule},
    maintenance_window::alarms::{AlarmFacts, Choice, KIND, Question, RegionFacts},
    names,
    plan::Unread,
    time::moments,
};

/// Most alarms of one window. Source: api.md.
const ALARMS_MAX: usize = 2_000;
/// A rule that is put now starts this much later at the earliest, at a whole minute: it has to be
/// written into the status first, and then into CloudWatch.
const PUT_AHEAD: SignedDuration = SignedDuration::from_secs(15);
/// A rule that is not there and begins sooner than this is not put any more: CloudWatch would get it
/// when it should mute already, and does not say what it does then.
const PUT_LEAST: SignedDuration = SignedDuration::from_secs(10);
/// How long before an opening its rules are put.
pub(super) const MUTE_LEAD: SignedDuration = SignedDuration::from_secs(5 * 60);
/// How soon something that could not be done is tried again.
pub(super) const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// An opening that alarms are to be quiet for.
pub(super) struct Target<'t> {
    pub(super) id: &'t str,
    pub(super) opens_at: Timestamp,
    pub(super) closes_at: Timestamp,
}

/// How far it is.
pub(super) enum Quiet {
    /// Nothing is to be quiet.
    Off,
    /// This is done first.
    First(Box<Plan>),
    /// It cannot be done now.
    Trouble(Unread),
    /// All rules are there.
    There,
}

/// Brings the rules of an opening about. `phase` is told meanwhile.
pub(super) fn bring_about(
    situation: &Situation<'_>,
    choice: Option<&Choice>,
    target: &Target<'_>,
    phase: Phase,
) -> Quiet {
    let Some(choice) = choice else { return Quiet::Off };
    if choice.mode == AlarmMode::Toggle {
        return toggle::bring_about(situation, choice, target, phase);
    }
    let known = restore::known(situation, target.id);
    let ledger = known
        .filter(|silenced| silenced.occurrence == target.id && silenced.mode == AlarmMode::Mute);
    if known.is_some() && ledger.is_none() {
        return restore::undo(situation, phase)
            .map_or(Quiet::Off, |plan| Quiet::First(Box::new(plan)));
    }
    let found = match &situation.facts.alarms {
        None => {
            return Quiet::First(Box::new(ask(
                situation,
                phase,
                Ask::Alarms(question(situation, choice, ledger)),
            )));
        }
        Some(Err(unread)) => return Quiet::Trouble(unread.clone()),
        Some(Ok(found)) => found,
    };
    let count: usize = found.iter().map(|region| region.chosen.len()).sum();
    if count > ALARMS_MAX {
        return Quiet::Trouble(too_many(count));
    }
    let wanted = match wanted(situation, ledger, found, target) {
        Ok(wanted) => wanted,
        Err(trouble) => return Quiet::Trouble(trouble),
    };
    if ledger != Some(&wanted) {
        let message = format!("{} will be quiet for {}", counted(count), target.id);
        let mut plan = situation.plan(phase, "Silencing", message.clone());
        plan.memory.silenced = Some(wanted);
        plan.silenced = Some((false, "Silencing", message));
        plan.revisit = Revisit::Now;
        return Quiet::First(Box::new(plan));
    }
    let actions = puts(situation, &wanted, found);
    if actions.is_empty() {
        return Quiet::There;
    }
    let mut plan = situation.plan(
        phase,
        "Silencing",
        format!("making {} quiet for {}", counted(count), target.id),
    );
    // The finalizer is there before anything is that deletion would have to undo.
    if situation.facts.finalizer {
        plan.actions = actions;
    }
    plan.revisit = Revisit::Now;
    Quiet::First(Box::new(plan))
}

pub(super) fn too_many(count: usize) -> Unread {
    Unread {
        remedy: crate::error::Remedy::AwaitEdit,
        reason: "TooManyAlarms",
        message: format!(
            "spec.alarms chooses {count} alarms, at most {ALARMS_MAX} are possible: choose fewer, or make several windows"
        ),
    }
}

fn question(situation: &Situation<'_>, choice: &Choice, ledger: Option<&Silenced>) -> Question {
    let rules = ledger.into_iter().flat_map(|silenced| &silenced.regions);
    let own = |region: &SilencedRegion| (region.region.clone(), own_rules(situation, region));
    Question {
        choice: Some(choice.clone()),
        rules: rules.map(own).collect(),
        ..Question::default()
    }
}

pub(super) fn own_rules(situation: &Situation<'_>, region: &SilencedRegion) -> Vec<OwnMuteRule> {
    let cluster = &situation.facts.owner.cluster;
    region.rules.iter().filter_map(|rule| OwnMuteRule::found(cluster, &rule.name)).collect()
}

/// A plan that only asks; it is never published.
pub(super) fn ask(situation: &Situation<'_>, phase: Phase, ask: Ask) -> Plan {
    let mut plan = situation.plan(phase, "Asking", String::new());
    plan.asks = Some(ask);
    plan
}

/// The rules that there have to be: those that are known, and more where alarms or time are missing.
fn wanted(
    situation: &Situation<'_>,
    ledger: Option<&Silenced>,
    found: &[RegionFacts],
    target: &Target<'_>,
) -> Result<Silenced, Unread> {
    let mut regions = Vec::new();
    for facts in found {
        let old = ledger.into_iter().flat_map(|silenced| &silenced.regions);
        let old = old.filter(|old| old.region == facts.region).flat_map(|old| old.rules.clone());
        let mut region =
            SilencedRegion { region: facts.region.clone(), ..SilencedRegion::default() };
        // One that was to begin and is not there cannot be put any more: another one takes its place.
        let least = moments::after(situation.now, PUT_LEAST);
        let (kept, lost): (Vec<_>, Vec<_>) =
            old.partition(|rule| rule.from.0 > least || is_there(rule, facts));
        region.rules.extend(kept);
        // The name of one that was never put is free.
        let exists = |rule: &&SilencedRule| facts.rules.values().any(|one| one.name == rule.name);
        let taken = region.rules.iter().chain(lost.iter().filter(exists));
        let numbers = taken.filter_map(|rule| names::muter(&rule.name));
        let mut next = numbers.map(|muter| muter.batch.saturating_add(1)).max().unwrap_or(0);
        for (alarms, from) in lacking(situation, &region, facts, target) {
            for batch in alarms.chunks(ALARMS_PER_RULE_MAX) {
                let name = OwnMuteRule::of(&situation.facts.owner, target.id, next);
                next = next.saturating_add(1);
                region.rules.push(SilencedRule {
                    name: name.as_str().to_owned(),
                    from: Time(from),
                    until: Time(target.closes_at),
                    alarms: batch.to_vec(),
                });
            }
        }
        if region.rules.len() > MUTE_RULES_MAX {
            return Err(Unread {
                remedy: crate::error::Remedy::Later,
                reason: "TooManyMuteRules",
                message: format!(
                    "{} mute rules would be needed in {}, at most {MUTE_RULES_MAX} are made for one opening",
                    region.rules.len(),
                    facts.region
                ),
            });
        }
        regions.push(region);
    }
    let occurrence = target.id.to_owned();
    Ok(Silenced { mode: AlarmMode::Mute, occurrence, ending: None, regions })
}

/// Alarms without a rule up to the close, by the moment from which they need one.
fn lacking(
    situation: &Situation<'_>,
    region: &SilencedRegion,
    facts: &RegionFacts,
    target: &Target<'_>,
) -> Vec<(Vec<String>, Timestamp)> {
    let soon = moments::whole_minute(moments::after(situation.now, PUT_AHEAD));
    let start = target.opens_at.max(soon);
    let mut groups: Vec<(Vec<String>, Timestamp)> = Vec::new();
    for alarm in &facts.chosen {
        let rules = region.rules.iter().filter(|rule| rule.alarms.contains(alarm));
        let covered = rules.map(|rule| rule.until.0).max();
        let from = match covered {
            Some(until) if until >= target.closes_at => continue,
            // A minute together, so that nothing sounds in between.
            Some(until) => moments::before(until, SignedDuration::from_mins(1)).max(soon),
            None => start,
        };
        if moments::after(from, SignedDuration::from_mins(1)) > target.closes_at {
            continue; // Too short for a rule.
        }
        match groups.iter_mut().find(|(_, other)| *other == from) {
            Some((alarms, _)) => alarms.push(alarm.clone()),
            None => groups.push((vec![alarm.clone()], from)),
        }
    }
    groups
}

/// Whether CloudWatch has a rule that does what this one says.
fn is_there(rule: &SilencedRule, facts: &RegionFacts) -> bool {
    let found = facts.rules.values().find(|found| found.name == rule.name);
    found.is_some_and(|found| {
        let mut alarms: Vec<&String> = rule.alarms.iter().collect();
        alarms.sort();
        let spans = match found.schedule {
            MuteSchedule::Once { starts_at, duration } => {
                starts_at <= rule.from.0 && moments::after(starts_at, duration) >= rule.until.0
            }
            MuteSchedule::Other { .. } => false,
        };
        spans && found.alarms.iter().eq(alarms)
    })
}

/// What has to be put.
fn puts(situation: &Situation<'_>, wanted: &Silenced, found: &[RegionFacts]) -> Vec<Action> {
    let mut actions = Vec::new();
    for (region, facts) in wanted.regions.iter().zip(found) {
        for rule in region.rules.iter().filter(|rule| !is_there(rule, facts)) {
            let Some(name) = OwnMuteRule::found(&situation.facts.owner.cluster, &rule.name) else {
                continue;
            };
            let owner = &situation.facts.owner;
            actions.push(Action::PutMuteRule {
                region: region.region.clone(),
                rule: NewMuteRule {
                    name,
                    description: format!(
                        "MaintenanceWindow {}/{} of cluster {}, opening {}",
                        owner.namespace, owner.name, owner.cluster, wanted.occurrence
                    ),
                    alarms: rule.alarms.clone(),
                    starts_at: rule.from.0,
                    duration: rule.until.0.duration_since(rule.from.0),
                    tags: names::tags(owner, KIND, &situation.facts.uid),
                },
            });
        }
    }
    actions
}

/// The plan of an opening whose rules are there: looked at again soon until all of them mute.
pub(super) fn watched(situation: &Situation<'_>, mut plan: Plan) -> Plan {
    if let Some(silenced) = toggle::ledger(situation) {
        return toggle::watched(situation, silenced, plan);
    }
    if plan.silenced.as_ref().is_some_and(|(quiet, ..)| !quiet) {
        plan.revisit = plan.revisit.no_later_than(moments::after(situation.now, AGAIN));
    }
    plan
}

/// The same plan, with what keeps alarms from being quiet.
pub(super) fn tell(situation: &Situation<'_>, mut plan: Plan, unread: Unread) -> Plan {
    plan.revisit = plan.revisit.no_later_than(moments::after(situation.now, AGAIN));
    plan.silenced = Some((false, unread.reason, unread.message.clone()));
    plan.trouble = Some(unread);
    plan
}

/// Whether all that is to be quiet is, by what AWS says; and in words.
pub(super) fn told(situation: &Situation<'_>) -> Option<(bool, &'static str, String)> {
    let silenced = situation.memory.silenced.as_ref()?;
    if silenced.mode == AlarmMode::Toggle {
        return toggle::told(situation, silenced);
    }
    let rules = || silenced.regions.iter().flat_map(|region| &region.rules);
    let alarms = silenced.alarms();
    let regions = match &situation.facts.alarms {
        Some(Ok(regions)) => regions,
        Some(Err(unread)) => return Some((false, unread.reason, unread.message.clone())),
        None => return None,
    };
    let nowhere = nowhere(regions);
    if alarms.is_empty() {
        let message = format!("there is nothing to be quiet{nowhere}");
        return Some((false, "NoAlarms", message));
    }
    let covered: BTreeSet<(&str, &str)> =
        silenced.regions.iter().flat_map(|region| quiet(region, regions, situation.now)).collect();
    let until = rules().map(|rule| rule.until.0).max()?;
    Some(if covered.len() == alarms.len() {
        let count = alarms.len();
        let message = format!("{} quiet until {until} at the latest{nowhere}", counted(count));
        (true, "Active", message)
    } else {
        let (quiet, all) = (covered.len(), alarms.len());
        (
            false,
            "NotActive",
            format!(
                "{quiet} of {} quiet; mute rules begin at whole minutes{nowhere}",
                counted(all)
            ),
        )
    })
}

/// The alarms of a region that are quiet now, by what AWS says of its rules.
fn quiet<'s>(
    region: &'s SilencedRegion,
    found: &[RegionFacts],
    now: Timestamp,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    // Rules of other regions have the same names.
    let found = found.iter().filter(|facts| facts.region == region.region);
    let found: Vec<&MuteRule> = found.flat_map(|facts| facts.rules.values()).collect();
    let active = |rule: &SilencedRule| {
        found.iter().any(|found| found.name == rule.name && found.status == MuteStatus::Active)
    };
    let due = region.rules.iter().filter(|rule| rule.from.0 <= now && now < rule.until.0);
    let quiet: Vec<&SilencedRule> = due.filter(|rule| active(rule)).collect();
    let alarms = quiet.into_iter().flat_map(|rule| &rule.alarms);
    alarms.map(|alarm| (region.region.as_str(), alarm.as_str()))
}

/// So many alarms, in words.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 alarm".to_owned() } else { format!("{count} alarms") }
}

/// The names and prefixes that choose nothing in any region, as the end of a sentence.
pub(super) fn nowhere(regions: &[RegionFacts]) -> String {
    let Some((first, others)) = regions.split_first() else { return String::new() };
    let missing = first.missing.iter();
    let missing = missing.filter(|name| others.iter().all(|other| other.missing.contains(name)));
    let names: Vec<&str> = missing.map(String::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; there is no alarm of the name or prefix {}", names.join(", ")),
    }
}

/// The alarms that fire, of those that were quiet.
pub(super) fn still_firing(facts: Option<&AlarmFacts>) -> Vec<String> {
    let regions = facts.and_then(|facts| facts.as_ref().ok()).into_iter().flatten();
    let firing: BTreeSet<&String> = regions.flat_map(|region| &region.firing).collect();
    firing.into_iter().cloned().collect()
}
