//! Is the new version good enough: evidence and alarms of the step that was entered.

use super::{Facts, situation::Situation};
use crate::{
    api::analysis::{OnNoData, Verdict},
    canary_rollout::{
        criteria::Criteria,
        evidence::{self, Subject, is_judged, min_invocations},
        judge::{self, Failed},
        memory::Flight,
    },
};

/// What DescribeAlarms said of the alarms that a spec names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmReport {
    /// In ALARM.
    pub firing: Vec<String>,
    /// In INSUFFICIENT_DATA.
    pub insufficient: Vec<String>,
    /// Names that do not exist, and prefixes that match none.
    pub missing: Vec<String>,
}

/// The step after a look at its evidence.
pub(super) struct Watched {
    /// With the new verdicts.
    pub(super) flight: Flight,
    /// Alarms that are still ignored.
    pub(super) ignored_alarms: Vec<String>,
    /// What was found.
    pub(super) finding: Finding,
}

/// What a look found.
pub(super) enum Finding {
    /// The new version failed.
    Failed(Failed),
    /// There is something to wait for.
    Awaiting(String),
    /// Nothing speaks against going on.
    Satisfied,
}

/// Looks at the evidence for a step that was entered.
pub(super) fn watch(situation: &Situation<'_>, flight: &Flight) -> Watched {
    let facts = situation.facts;
    let mut watched = Watched {
        flight: flight.clone(),
        ignored_alarms: situation.memory.ignored_alarms.clone(),
        finding: Finding::Satisfied,
    };
    let Some(terms) = &facts.terms else {
        watched.finding = Finding::Awaiting("the spec cannot be read".into());
        return watched;
    };
    if let Ok(Some(read)) = &facts.evidence {
        let subject = Subject { function: &facts.function, alias: &facts.alias_name };
        let memory = &situation.memory;
        let (judged, failed) = judge::evaluate(&terms.criteria, memory, flight, subject, read);
        watched.flight = judged;
        if let Some(failed) = failed {
            watched.finding = Finding::Failed(failed);
            return watched;
        }
    }
    watched.finding = match alarms(facts, &terms.criteria, &mut watched.ignored_alarms) {
        Finding::Satisfied => metrics(situation, &terms.criteria, &watched.flight),
        Finding::Failed(failed) => Finding::Failed(failed),
        Finding::Awaiting(what) => Finding::Awaiting(what),
    };
    watched
}

fn alarms(facts: &Facts, criteria: &Criteria, ignored: &mut Vec<String>) -> Finding {
    let Some(alarms) = &criteria.alarms else {
        ignored.clear();
        return Finding::Satisfied;
    };
    let report = match &facts.alarms {
        Some(Ok(report)) => report,
        Some(Err(why)) => return Finding::Awaiting(format!("the alarms cannot be read: {why}")),
        None => return Finding::Awaiting("the alarms were not read".into()),
    };
    // One that was OK meanwhile counts again.
    ignored.retain(|name| report.firing.contains(name) || report.insufficient.contains(name));
    let counts = |name: &&String| !ignored.contains(name);
    let failed = |reason, message| Finding::Failed(Failed { reason, message });
    if let Some(name) = report.firing.iter().find(counts) {
        return failed("AlarmFiring", format!("alarm {name} is in ALARM"));
    }
    if let Some(name) = report.missing.first() {
        return Finding::Awaiting(format!("there is no alarm {name}"));
    }
    match (report.insufficient.iter().find(counts), alarms.on_insufficient_data) {
        (Some(name), OnNoData::Fail) => {
            failed("AlarmInsufficientData", format!("alarm {name} is in INSUFFICIENT_DATA"))
        }
        (Some(name), OnNoData::Wait) => {
            Finding::Awaiting(format!("alarm {name} is in INSUFFICIENT_DATA"))
        }
        (Some(_), OnNoData::Pass) | (None, _) => Finding::Satisfied,
    }
}

fn metrics(situation: &Situation<'_>, criteria: &Criteria, flight: &Flight) -> Finding {
    if !is_judged(criteria, flight) {
        return Finding::Satisfied;
    }
    if let Err(why) = &situation.facts.evidence {
        return Finding::Awaiting(format!("the metrics cannot be read: {why}"));
    }
    let least = min_invocations(flight);
    if let Some(least) = least.filter(|least| flight.invocations < *least) {
        return Finding::Awaiting(format!("{} of {least} invocations", flight.invocations));
    }
    let baking = flight.index >= flight.steps.len();
    let judged_by = criteria
        .metrics
        .iter()
        .filter(|criterion| !baking || criterion.max.is_some() || criterion.min.is_some());
    for criterion in judged_by {
        let name = &criterion.name;
        let entry = flight.analysis.iter().find(|entry| entry.name == *name);
        let Some(entry) = entry else {
            return Finding::Awaiting(format!("{name}: first evaluation"));
        };
        match entry.verdict {
            Verdict::Passing => {}
            // After 100 quiet hours are no failure, if there was evidence before.
            Verdict::NoData if baking && entry.passed => {}
            Verdict::NoData => return Finding::Awaiting(format!("{name}: no data")),
            Verdict::Failing => {
                let (failures, limit) = (entry.failures, criterion.failure_limit);
                return Finding::Awaiting(format!("{name}: failed {failures} of {limit} times"));
            }
            Verdict::Waiting => {
                return Finding::Awaiting(format!("{name}: first evaluation"));
            }
        }
    }
    // An evaluation that is due and was not made leaves the verdicts stale.
    let stale =
        evidence::due(criteria, &situation.with_flight(flight.clone()).memory, situation.now);
    match stale {
        Some(_) => Finding::Awaiting("the next evaluation".into()),
        None => Finding::Satisfied,
    }
}

#[cfg(test)]
mod tests;
