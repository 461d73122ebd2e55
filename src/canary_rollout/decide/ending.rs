//! The revision in flight is about to end: the alias goes back, or to the new version alone.

use super::{
    Terms, audit, conflict, gone,
    plan::{Plan, Purpose, Revisit},
    position::Position,
    provision,
    situation::{Destination, FLIGHT_POLL, Situation},
    window,
};
use crate::{
    api::{
        canary_rollout::{Ending, Outcome, Phase},
        duration::Duration,
    },
    canary_rollout::memory::{Canary, Flight},
    facts::lambda::Source,
};

fn ending<'s>(situation: &'s Situation<'_>) -> Option<(&'s Flight, &'s Canary, &'s Ending)> {
    let flight = situation.memory.flight.as_ref()?;
    Some((flight, situation.memory.canary.as_ref()?, flight.ending.as_ref()?))
}

/// Whether the alias is known to be so now. A read is not enough to end on: it may be older than a
/// write of ours whose answer was lost, and that write may be on its way still. Writing the same once
/// more settles both, because of the revision id.
fn proved(situation: &Situation<'_>) -> bool {
    situation.facts.alias_source == Source::Write
}

/// Rule: back to the stable version. Runs whatever else is true.
pub(super) fn go_back(situation: &Situation<'_>) -> Option<Plan> {
    let (_, canary, ending) = ending(situation)?;
    if !ending.goes_back() {
        return None;
    }
    let stable = situation.memory.stable.clone().unwrap_or_default();
    let Some(alias) = &situation.facts.alias else { return Some(gone_back(situation, ending)) };
    let reaches = alias.version == canary.version
        || alias.weights.iter().any(|extra| extra.version == canary.version);
    let at_stable = alias.version == stable && alias.weights.is_empty();
    if !reaches && (proved(situation) || !at_stable) {
        return Some(gone_back(situation, ending));
    }
    if let Some(plan) = provision::going_back(situation, &stable, alias) {
        return Some(plan);
    }
    if let Some(plan) = gone::no_way_back(situation, ending) {
        return Some(plan);
    }
    let ours = match alias.weights.as_slice() {
        [] => true,
        [extra] => {
            // All traffic is at stable already: to leave it there alone takes nothing from anybody.
            let harmless =
                extra.version == stable && provision::unknown(situation, alias).is_some();
            alias.version == stable || provision::moves(situation, alias) || harmless
        }
        [_, _, ..] => false,
    };
    if !ours {
        return Some(conflict::settle(situation));
    }
    let message = format!("going back to version {stable}: {}", ending.message);
    let report = situation.report(Phase::RollingBack, reason(ending), message);
    Some(situation.moving(alias, Destination::Alone(stable), report, Purpose::Undo))
}

/// The canary gets no traffic any more.
fn gone_back(situation: &Situation<'_>, ending: &Ending) -> Plan {
    let mut memory = situation.conclude(ending.outcome, &ending.reason, &ending.message);
    if ending.outcome == Outcome::Superseded {
        memory.canary = None;
    }
    let phase = match ending.outcome {
        Outcome::RolledBack => Phase::RolledBack,
        Outcome::Aborted => Phase::Aborted,
        Outcome::Superseded | Outcome::Promoted | Outcome::Initialized => Phase::Pending,
    };
    let report = situation.report(phase, reason(ending), ending.message.clone());
    let mut plan = situation.plan(report, Revisit::Now);
    // Without the finalizer only the next pass lets go: it has seen the end published.
    plan.memory = memory;
    plan
}

/// Rule: the new version alone.
pub(super) fn promote(situation: &Situation<'_>) -> Option<Plan> {
    let (flight, canary, ending) = ending(situation)?;
    if ending.goes_back() {
        return None;
    }
    let Some(alias) = &situation.facts.alias else { return Some(situation.conflict()) };
    if let Some(plan) = provision::promoted(situation, flight, canary, alias) {
        return Some(plan);
    }
    let arrived = alias.version == canary.version && alias.weights.is_empty();
    if arrived && (proved(situation) || flight.is_baking()) {
        let watched = |terms: &Terms| terms.bake > Duration::ZERO || !terms.post_checks.is_empty();
        let bakes = situation.facts.terms.as_ref().is_some_and(watched) && !flight.is_baking();
        return Some(match bakes {
            true => start_baking(situation, flight, canary),
            false => promoted(situation, canary, ending),
        });
    }
    match Position::of(situation, flight, alias) {
        Position::Here | Position::Arrived(_) => {}
        Position::Elsewhere if arrived => {}
        Position::Marked(mark) => return Some(situation.taken(&mark)),
        Position::Elsewhere => return Some(conflict::settle(situation)),
    }
    let held = audit::stays(situation, canary);
    if let Some(plan) = held.or_else(|| window::holds_promotion(situation, flight, ending)) {
        return Some(plan);
    }
    let message = format!("setting the alias to version {} alone", canary.version);
    let report = situation.report(Phase::Promoting, "Promoting", message);
    let to = Destination::Alone(canary.version.clone());
    Some(situation.moving(alias, to, report, Purpose::Advance))
}

/// The alias serves the release: from now on it is watched at 100.
fn start_baking(situation: &Situation<'_>, flight: &Flight, canary: &Canary) -> Plan {
    let steps = flight.steps.clone();
    let count = steps.len();
    let message = format!("100%: watching version {}", canary.version);
    let report = situation.report(Phase::Baking, "Baking", message);
    let mut plan = situation.plan(report, Revisit::Now);
    plan.memory.flight =
        Some(Flight { entered_at: Some(situation.stamp()), ..Flight::before(steps, count) });
    plan
}

fn promoted(situation: &Situation<'_>, canary: &Canary, ending: &Ending) -> Plan {
    let message = serves(&situation.facts.alias_name, &canary.version);
    // Healthy speaks of what the spec asks for now, which may be something else by now.
    let wanted = situation.facts.wanted.as_ref().ok().map(|wanted| &wanted.revision);
    let current = wanted.is_some() && wanted == situation.memory.revision.as_ref();
    let phase = if current { Phase::Healthy } else { Phase::Pending };
    let report = situation.report(phase, "Promoted", message);
    let mut plan = situation.plan(report, Revisit::Now);
    plan.memory = situation.conclude(Outcome::Promoted, &ending.reason, &ending.message);
    plan.memory.stable = Some(canary.version.clone());
    plan.memory.canary = None;
    plan.report.weight = None;
    plan
}

pub(super) fn serves(alias: &str, version: &str) -> String {
    format!("alias {alias} serves version {version}")
}

/// `spec.suspend` stops what is in flight where it is.
pub(super) fn suspended(situation: &Situation<'_>, canary: &Canary) -> Plan {
    let weight = situation.weight().unwrap_or(0);
    let message = format!(
        "suspended: version {} stays at {weight}%; set spec.suspend to false to go on",
        canary.version
    );
    let report = situation.report(Phase::Suspended, "Suspended", message);
    situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL)))
}

/// The reason of an ending is one of a closed set; what a newer operator wrote is shown as such.
fn reason(ending: &Ending) -> &'static str {
    const KNOWN: [&str; 23] = [
        "AbortedByUser",
        "AlarmFiring",
        "AlarmInsufficientData",
        "ApprovalTimedOut",
        "Deleted",
        "DurationAverage",
        "DurationMaximum",
        "DurationP50",
        "DurationP90",
        "DurationP95",
        "DurationP99",
        "ErrorRate",
        "Errors",
        "Invocations",
        "MetricFailed",
        "NoData",
        "PostCheckFailed",
        "ProvisionedConcurrencyFailed",
        "RolledBackByUser",
        "SmokeFailed",
        "Superseded",
        "Throttles",
        "WindowClosed",
    ];
    KNOWN.into_iter().find(|known| *known == ending.reason).unwrap_or("Ended")
}
