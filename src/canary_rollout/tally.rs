//! Which minutes are counted for good since a step began, and which anew by each evaluation, because
//! CloudWatch may get their data late. Pure.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    criteria::{Criteria, Versus},
    evidence::earlier,
    memory::Flight,
};
use crate::api::canary_rollout::{Counted, Tally};

/// How long minutes are counted anew: CloudWatch was seen to be more than ten minutes late
/// (elastic/integrations#1941). A longer window is read again anyway.
const LATE_MAX: SignedDuration = SignedDuration::from_mins(15);

/// What was counted so far. Counts that the criteria did not ask for before, because they were
/// edited, begin anew with the step.
#[must_use]
pub fn base(criteria: &Criteria, flight: &Flight, start: Timestamp) -> Counted {
    let compared = flight.index < flight.steps.len();
    let versus = criteria.metrics.iter().filter_map(|criterion| criterion.versus.as_ref());
    let rates = versus.clone().any(|versus| matches!(versus, Versus::MaxIncrease { .. }));
    let nothing = Tally { invocations: 0, errors: rates.then_some(0) };
    let wanted = Counted {
        before: Time(start),
        canary: nothing,
        stable: (compared && versus.count() > 0).then_some(nothing),
    };
    flight.counted.as_ref().and_then(|counted| narrowed(counted, &wanted)).unwrap_or(wanted)
}

/// Those of the counts that are wanted; none where one is missing.
fn narrowed(counted: &Counted, wanted: &Counted) -> Option<Counted> {
    let tally = |counted: Tally, wanted: Tally| match wanted.errors {
        Some(_) => counted.errors.is_some().then_some(counted),
        None => Some(Tally { errors: None, ..counted }),
    };
    let stable = match (counted.stable, wanted.stable) {
        (_, None) => None,
        (counted, Some(wanted)) => Some(tally(counted?, wanted)?),
    };
    let canary = tally(counted.canary, wanted.canary)?;
    Some(Counted { before: counted.before.clone(), canary, stable })
}

/// Up to where an evaluation of data until `until` counts for good; never before `counted`.
#[must_use]
pub fn settled(criteria: &Criteria, counted: Timestamp, until: Timestamp) -> Timestamp {
    earlier(until, criteria.longest_window().max(LATE_MAX)).max(counted)
}
