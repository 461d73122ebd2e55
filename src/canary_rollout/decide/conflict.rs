//! Somebody else moved the alias: `spec.onConflict` says what follows.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    audit,
    plan::{Note, Plan, Purpose, Report, Revisit},
    provision,
    situation::{Destination, Situation, clock_time},
    unread,
};
use crate::{
    api::canary_rollout::{
        Conflict, HistoryEntry, OnConflict, Outcome, PUT_BACKS_MAX, Phase, PutBack,
    },
    canary_rollout::{
        memory::{Flight, Memory},
        rollout::Step,
    },
    facts::{kubernetes::Deletion, lambda::Alias},
    names::Mark,
};

/// Within this time the alias is put back [`PUT_BACKS_MAX`] times: enough for somebody who tries
/// again, few enough that two tools which both put it back do not fight for ever.
const PUT_BACKS_WITHIN: SignedDuration = SignedDuration::from_secs(3_600);
/// How long an alias must have been so before it is put back: a read may be some seconds old.
const PUT_BACK_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// How long an alias must have been so before it is accepted: long enough for somebody who notices
/// a mistake.
const ADOPT_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The alias is not where it was left.
///
/// Nothing but `Hold` applies while nothing may be done, to an alias that is gone, to one that another
/// rollout has marked or that belongs to an older one, and while Lambda moves its provisioned concurrency.
pub(super) fn settle(situation: &Situation<'_>) -> Plan {
    let Some(alias) = &situation.facts.alias else { return situation.conflict() };
    if let Some(unread) = provision::unknown(situation, alias) {
        return unread::stay(situation, unread);
    }
    let still = situation.facts.suspended || audit::is_on(situation);
    let marked = Mark::read(&alias.description).is_some_and(|m| m.owner != situation.facts.owner);
    // Lambda's own weights go away by themselves.
    let moves = provision::moves(situation, alias);
    let held = still || marked || moves || situation.facts.deletion != Deletion::None;
    let found = find(situation, alias);
    let mut plan = match (older(situation), situation.facts.on_conflict) {
        (Some(older), _) => taken(situation, older),
        (None, OnConflict::Adopt) if !held => adopt(situation, alias, &found),
        (None, OnConflict::Enforce) if !held => enforce(situation, alias, &found),
        (None, OnConflict::Hold | OnConflict::Adopt | OnConflict::Enforce) => situation.conflict(),
    };
    if plan.report.difference.is_some() {
        plan.memory.conflict = Some(found);
    }
    plan
}

/// The words for an alias that an older rollout has.
pub(super) fn older(situation: &Situation<'_>) -> Option<String> {
    let older = situation.facts.taken_by.as_ref()?;
    let (alias, function) = (&situation.facts.alias_name, &situation.facts.function);
    Some(format!("alias {alias} of {function} belongs to the older CanaryRollout {older}"))
}

/// An older rollout moved the alias while this one was in flight: it is never moved against it.
fn taken(situation: &Situation<'_>, difference: String) -> Plan {
    let revision = situation.revision();
    let message = format!(
        "{difference}; delete one of the two, or end the release with the verb abort@{revision}"
    );
    situation.out_of_sync(Phase::Held, "AliasTaken", message, difference)
}

/// An alias that is where it belongs is in no conflict.
pub(super) fn forget_what_is_over(mut plan: Plan) -> Plan {
    if plan.report.difference.is_none() {
        plan.memory.conflict = None;
    }
    plan
}

/// What is known of this conflict. An alias that was moved again is a new one, but it still belongs
/// where it was left at first.
fn find(situation: &Situation<'_>, alias: &Alias) -> Conflict {
    let known = situation.memory.conflict.as_ref();
    if let Some(known) = known.filter(|known| known.revision_id == alias.revision_id) {
        return known.clone();
    }
    Conflict {
        since: Time(situation.stamp()),
        revision_id: alias.revision_id.clone(),
        left: match (known, &situation.memory.flight) {
            (Some(known), Some(_)) if known.left.is_some() => known.left,
            (_, Some(flight)) if is_promoted(situation, flight, alias) => Some(100),
            (_, Some(flight)) => Some(flight.weight()),
            (_, None) => None,
        },
    }
}

/// Whether the alias was set to the new version alone before it was moved: that its last write was
/// carried out may not be known yet.
fn is_promoted(situation: &Situation<'_>, flight: &Flight, alias: &Alias) -> bool {
    let canary = situation.memory.canary.as_ref().map(|canary| &canary.version);
    let promotes = flight.ending.as_ref().is_some_and(|ending| !ending.goes_back());
    flight.is_baking() || promotes && canary == Some(&alias.version)
}

/// When something is done about a conflict, if the alias stays as it is.
fn due(found: &Conflict, after: SignedDuration) -> Timestamp {
    found.since.0.saturating_add(after).unwrap_or(Timestamp::MAX)
}

/// The same plan with other words at the end of its message.
fn conflict_until(situation: &Situation<'_>, then: &str, until: Option<Timestamp>) -> Plan {
    let mut plan = situation.conflict();
    let difference = plan.report.difference.clone().unwrap_or_default();
    plan.report.message = format!("{difference}; {then}");
    plan.revisit = until.map_or(plan.revisit, Revisit::At);
    plan
}

/// `Adopt`: the version that the alias serves is the stable one from now on. Weights that are not
/// ours are never touched: with them it waits until they are gone.
fn adopt(situation: &Situation<'_>, alias: &Alias, found: &Conflict) -> Plan {
    if !alias.weights.is_empty() {
        let then =
            format!("what is there is accepted once the weights are gone; {}", situation.way_out());
        return conflict_until(situation, &then, None);
    }
    if alias.version.parse::<u64>().is_err() {
        let then =
            format!("what is there is accepted once it is a version; {}", situation.way_out());
        return conflict_until(situation, &then, None);
    }
    let due = due(found, ADOPT_AFTER);
    if situation.now < due {
        let at = clock_time(due, found.since.0);
        let then = format!("accepted at {at} if it stays so, or put it back before");
        return conflict_until(situation, &then, Some(due));
    }
    accept(situation, alias)
}

fn accept(situation: &Situation<'_>, alias: &Alias) -> Plan {
    let version = &alias.version;
    let message = format!(
        "somebody else pointed alias {} at version {version}, which is accepted",
        situation.facts.alias_name
    );
    let canary = situation.memory.canary.as_ref().map(|canary| &canary.version);
    let (mut memory, phase) = match &situation.memory.flight {
        // Somebody promoted it by hand.
        Some(_) if canary == Some(version) => {
            (situation.conclude(Outcome::Promoted, "AliasMoved", &message), Phase::Pending)
        }
        // Aborted, not Superseded: it is not to be tried again by itself, or the two would fight.
        Some(_) => (situation.conclude(Outcome::Aborted, "AliasMoved", &message), Phase::Aborted),
        None => (given_up(situation, &message), Phase::Pending),
    };
    if canary == Some(version) {
        memory.canary = None;
    }
    memory.stable = Some(version.clone());
    let report = situation.report(phase, "AliasMoved", message.clone());
    let mut plan = situation.plan(report, Revisit::Now);
    plan.memory = memory;
    plan.notes.push(Note { warning: true, reason: "Adopted", message });
    plan
}

/// At rest a revision that was served counts as aborted: it is tried again when the release changes,
/// or when a person says so.
fn given_up(situation: &Situation<'_>, message: &str) -> Memory {
    let mut memory = situation.memory.clone();
    if let Some(served) = memory.concluded().filter(|entry| entry.outcome.serves()).cloned() {
        memory.remember(HistoryEntry {
            outcome: Outcome::Aborted,
            reason: "AliasMoved".into(),
            message: message.into(),
            ended_at: Time(situation.stamp()),
            ..served
        });
    }
    memory
}

/// `Enforce`: the alias is put back. That it will be is published first, and counted.
fn enforce(situation: &Situation<'_>, alias: &Alias, found: &Conflict) -> Plan {
    let (to, words) = destination(situation, found);
    let put_backs = &situation.memory.put_backs;
    let decided = put_backs.iter().any(|one| one.revision_id == alias.revision_id);
    if !decided && is_used_up(put_backs, found) {
        let then = format!(
            "it was put back {PUT_BACKS_MAX} times within an hour and moved again: stop what moves it, then {}",
            situation.way_out()
        );
        return conflict_until(situation, &then, None);
    }
    let due = due(found, PUT_BACK_AFTER);
    let message = format!("{}; it is put back to {words}", situation.found());
    let report = Report {
        difference: Some(message.clone()),
        ..situation.report(phase(situation), "PuttingBack", message.clone())
    };
    if decided && situation.memory.conflict.as_ref() != Some(found) {
        return situation.plan(report, Revisit::Now);
    }
    if decided {
        let purpose = match &to {
            Destination::Alone(version) if situation.memory.stable.as_ref() == Some(version) => {
                Purpose::Undo
            }
            Destination::Alone(_) | Destination::Weighted { .. } => Purpose::Advance,
        };
        return situation.moving(alias, to, report, purpose);
    }
    if situation.now < due {
        return situation.plan(report, Revisit::At(due));
    }
    let mut plan = situation.plan(report, Revisit::Now);
    let decision = PutBack { at: Time(situation.stamp()), revision_id: alias.revision_id.clone() };
    plan.memory.put_backs.insert(0, decision);
    plan.memory.put_backs.truncate(PUT_BACKS_MAX);
    plan.notes.push(Note { warning: true, reason: "PutBack", message });
    plan
}

/// Whether the alias was put back as often as it may be, when this conflict began.
fn is_used_up(put_backs: &[PutBack], found: &Conflict) -> bool {
    let since = found.since.0.saturating_sub(PUT_BACKS_WITHIN).unwrap_or(Timestamp::MIN);
    put_backs.iter().filter(|one| one.at.0 > since).count() >= PUT_BACKS_MAX
}

fn phase(situation: &Situation<'_>) -> Phase {
    match &situation.memory.flight {
        None => Phase::Pending,
        Some(flight) if flight.is_baking() => Phase::Baking,
        Some(_) => Phase::Progressing,
    }
}

/// Where the alias was left, also in words.
fn destination(situation: &Situation<'_>, found: &Conflict) -> (Destination, String) {
    let stable = situation.memory.stable.clone().unwrap_or_default();
    let back = |flight: &Flight| flight.ending.as_ref().is_some_and(|ending| ending.goes_back());
    let forward = situation.memory.flight.as_ref().filter(|flight| !back(flight));
    if let (Some(flight), Some(canary)) = (forward, &situation.memory.canary) {
        let version = canary.version.clone();
        if found.left == Some(100) {
            let words = format!("version {version}");
            return (Destination::Alone(version), words);
        }
        let sets = |index: &usize| flight.steps.get(*index).and_then(Step::percent) == found.left;
        let step = found.left.and_then(|_| (0..=flight.index).rev().find(sets));
        if let (Some(step), Some(weight)) = (step, found.left) {
            let words = format!("version {stable} with {version} at {weight}%");
            return (Destination::Weighted { canary: version, weight, step }, words);
        }
    }
    let words = format!("version {stable}");
    (Destination::Alone(stable), words)
}
