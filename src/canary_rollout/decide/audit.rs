//! `spec.mode: Audit`: nothing new is done, and what would be done is told. What stands still in
//! flight, for this or for `spec.suspend`, is still watched.

use jiff::SignedDuration;

use super::{
    ending::suspended,
    idle::{at_rest, served_lately},
    plan::{Plan, Revisit},
    release::Wanted,
    situation::{FLIGHT_POLL, SETTLED_POLL, Situation},
};
use crate::{
    api::{canary_rollout::Phase, shared::Mode},
    canary_rollout::memory::{Canary, Flight},
    facts::lambda::Alias,
};

/// The reason of every plan that leaves something undone because of the mode.
pub const REASON: &str = "Audit";

/// Whether nothing new may be done.
pub(super) fn is_on(situation: &Situation<'_>) -> bool {
    situation.facts.mode == Mode::Audit
}

/// What is in flight stays where it is, if the spec says so.
pub(super) fn stays(situation: &Situation<'_>, canary: &Canary) -> Option<Plan> {
    if situation.facts.suspended {
        return Some(suspended(situation, canary));
    }
    if !is_on(situation) {
        return None;
    }
    let baking = situation.memory.flight.as_ref().is_some_and(Flight::is_baking);
    let phase = if baking { Phase::Baking } else { Phase::Progressing };
    let message = format!(
        "audit: version {} stays at {}%; see status.plan for what would be done; set spec.mode to Enforce to go on",
        canary.version,
        situation.weight().unwrap_or(0)
    );
    let report = situation.report(phase, REASON, message);
    Some(situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL))))
}

/// The alias would be made.
pub(super) fn would_make(situation: &Situation<'_>, wanted: &Wanted) -> Plan {
    let (function, alias) = (&situation.facts.function, &situation.facts.alias_name);
    let what = format!("make alias {alias} of {function} at version {}", wanted.version);
    would(situation, &what, SETTLED_POLL)
}

/// A rollout would start.
pub(super) fn would_start(situation: &Situation<'_>, alias: &Alias, wanted: &Wanted) -> Plan {
    let (version, stable) = (&wanted.version, &alias.version);
    let lately = served_lately(situation, &wanted.revision);
    would(
        situation,
        &match wanted.steps.len() {
            _ if lately => format!("go back to version {version}, which was served lately"),
            0 => format!("release version {version} in place of {stable} at once"),
            1 => format!("release version {version} in place of {stable} in 1 step"),
            count => format!("release version {version} in place of {stable} in {count} steps"),
        },
        at_rest(wanted),
    )
}

/// Something would be done; `poll` is how often it is looked at.
pub(super) fn would(situation: &Situation<'_>, what: &str, poll: SignedDuration) -> Plan {
    let message =
        format!("audit: would {what}; see status.plan; set spec.mode to Enforce to start");
    let report = situation.report(Phase::Pending, REASON, message);
    situation.plan(report, Revisit::At(situation.later(poll)))
}
