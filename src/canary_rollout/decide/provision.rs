//! Provisioned concurrency on the alias: Lambda moves it with the alias, and meanwhile sends everybody
//! to the version that has it, by weights of its own.

use super::{
    plan::{Plan, Report, Revisit},
    situation::{FLIGHT_POLL, Situation},
    unread::{self, Unread},
};
use crate::{
    api::canary_rollout::{Ending, Outcome, Phase},
    canary_rollout::memory::{Canary, Flight, Memory},
    facts::lambda::{Alias, Provisioned, ProvisionedStatus, Source},
};
use jiff::SignedDuration;

/// How often a move is looked at: it takes minutes, and both calls count against the 15 a second.
const MOVE_POLL: SignedDuration = SignedDuration::from_secs(15);

/// The reason of what waits for Lambda.
const PENDING: &str = "ProvisionedConcurrencyPending";

/// Whether a decision about this alias needs to know of its provisioned concurrency: when everybody
/// was just sent to the canary, and when there are weights that only Lambda writes.
#[must_use]
pub fn matters(memory: &Memory, alias: &Alias) -> bool {
    let promoting = memory.flight.as_ref().is_some_and(|flight| {
        let ending = flight.ending.as_ref();
        ending.is_some_and(|ending| !ending.goes_back()) && !flight.is_baking()
    });
    let canary = memory.canary.as_ref().map(|canary| &canary.version);
    promoting && canary == Some(&alias.version) || is_lambdas(alias)
}

/// Whether an alias has a weight that is none of ours: everybody goes to the additional version.
fn is_lambdas(alias: &Alias) -> bool {
    matches!(alias.weights.as_slice(), [extra] if extra.weight >= 1.0)
}

/// Whether the weights of the alias are those that Lambda writes while it moves provisioned
/// concurrency to the version of the alias.
pub(super) fn moves(situation: &Situation<'_>, alias: &Alias) -> bool {
    matches!(situation.facts.provisioned, Ok(Some(_))) && is_lambdas(alias)
}

/// Why it is not known whether the weights of the alias are Lambda's, where they look like that.
pub(super) fn unknown<'s>(situation: &'s Situation<'_>, alias: &Alias) -> Option<&'s Unread> {
    situation.facts.provisioned.as_ref().err().filter(|_| is_lambdas(alias))
}

/// The alias is at the canary alone, as far as we are concerned: what its provisioned concurrency
/// has to say. None when it is there, or there is none.
pub(super) fn promoted(
    situation: &Situation<'_>,
    flight: &Flight,
    canary: &Canary,
    alias: &Alias,
) -> Option<Plan> {
    if alias.version != canary.version || flight.is_baking() {
        return None;
    }
    let provisioned = match &situation.facts.provisioned {
        Ok(provisioned) => provisioned.as_ref()?,
        Err(unread) => return Some(unread::stay(situation, unread)),
    };
    let there = provisioned.status == ProvisionedStatus::Ready && alias.weights.is_empty();
    if there {
        return None;
    }
    if provisioned.status == ProvisionedStatus::Failed {
        return Some(failed(situation, flight, canary, provisioned));
    }
    let message = format!(
        "version {} is promoted once its provisioned concurrency is there: {} of {}",
        canary.version, provisioned.allocated, provisioned.requested
    );
    Some(wait(situation, Phase::Promoting, PENDING, message))
}

fn failed(
    situation: &Situation<'_>,
    flight: &Flight,
    canary: &Canary,
    provisioned: &Provisioned,
) -> Plan {
    let why = why(provisioned);
    let message = format!("provisioned concurrency of version {} failed: {why}", canary.version);
    let reason = "ProvisionedConcurrencyFailed";
    let report = situation.report(Phase::RollingBack, reason, message.clone());
    let mut plan = situation.plan(report, Revisit::Now);
    let ending = Ending { outcome: Outcome::RolledBack, reason: reason.into(), message };
    plan.memory.flight = Some(Flight { ending: Some(ending), ..flight.clone() });
    plan
}

fn why(provisioned: &Provisioned) -> &str {
    match provisioned.reason.as_str() {
        "" => "no reason given",
        reason => reason,
    }
}

/// The alias is back at the stable version, and Lambda still sends everybody to the canary.
pub(super) fn going_back(situation: &Situation<'_>, stable: &str, alias: &Alias) -> Option<Plan> {
    if alias.version != stable || !is_lambdas(alias) {
        return None;
    }
    let provisioned = match &situation.facts.provisioned {
        Ok(provisioned) => provisioned.as_ref()?,
        // Once they came back with our own write, nothing but Lambda can take them away.
        Err(unread) if situation.facts.alias_source == Source::Write => {
            return Some(unread::stay(situation, unread));
        }
        Err(_) => return None,
    };
    let left = situation.found();
    let message = match provisioned.status {
        ProvisionedStatus::InProgress | ProvisionedStatus::Ready => format!(
            "{left} until its provisioned concurrency is there: {} of {}",
            provisioned.allocated, provisioned.requested
        ),
        ProvisionedStatus::Failed => format!(
            "{left}, because its provisioned concurrency failed; remove it from the alias, then the weights go"
        ),
    };
    Some(wait(situation, Phase::RollingBack, PENDING, message))
}

/// Rule: the bake began before Lambda moved the provisioned concurrency, and now everybody is at the old
/// version again. What was seen meanwhile was of that one: the promotion is not done, and the bake
/// starts anew once it is.
pub(super) fn bake_anew(situation: &Situation<'_>) -> Option<Plan> {
    let (flight, canary) = (situation.memory.flight.as_ref()?, situation.memory.canary.as_ref()?);
    let alias = situation.facts.alias.as_ref()?;
    let goes_back = flight.ending.as_ref().is_some_and(Ending::goes_back);
    let theirs = alias.version == canary.version && moves(situation, alias);
    let to_stable =
        alias.weights.iter().all(|extra| Some(&extra.version) == situation.memory.stable.as_ref());
    if !flight.is_baking() || goes_back || !theirs || !to_stable {
        return None;
    }
    let found = situation.found();
    let message = format!("{found} while Lambda moves its provisioned concurrency");
    if flight.held.is_some() {
        // A person decides, now as before.
        return Some(wait(situation, Phase::Held, PENDING, message));
    }
    let mut plan = wait(situation, Phase::Promoting, PENDING, message.clone());
    let steps = flight.steps.clone();
    let done = || Ending { outcome: Outcome::Promoted, reason: "StepsCompleted".into(), message };
    let ending = flight.ending.clone().unwrap_or_else(done);
    let count = steps.len();
    plan.memory.flight = Some(Flight { ending: Some(ending), ..Flight::before(steps, count) });
    Some(plan)
}

/// Nothing is in flight, and Lambda moves the provisioned concurrency of somebody's change.
pub(super) fn at_rest(situation: &Situation<'_>) -> Option<Plan> {
    let alias = situation.facts.alias.as_ref()?;
    if situation.memory.flight.is_some() {
        return None;
    }
    if let Some(unread) = unknown(situation, alias) {
        return Some(unread::stay(situation, unread));
    }
    if !moves(situation, alias) {
        return None;
    }
    let found = situation.found();
    let provisioned = situation.facts.provisioned.as_ref().ok()?.as_ref()?;
    if provisioned.status == ProvisionedStatus::Failed {
        let message = format!(
            "{found}, because its provisioned concurrency failed: {}; mend the function and ask for the concurrency again, or remove it from the alias",
            why(provisioned)
        );
        return Some(wait(situation, Phase::Held, "ProvisionedConcurrencyFailed", message));
    }
    let message = format!("{found} while Lambda moves its provisioned concurrency");
    Some(wait(situation, Phase::Pending, PENDING, message))
}

fn wait(situation: &Situation<'_>, phase: Phase, reason: &'static str, message: String) -> Plan {
    let report: Report = situation.report(phase, reason, message);
    let rests = matches!(phase, Phase::Pending | Phase::Held);
    let poll = if rests { FLIGHT_POLL } else { MOVE_POLL };
    situation.plan(report, Revisit::At(situation.later(poll)))
}
