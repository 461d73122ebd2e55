//! Passes of the operator, one after the other, on a model of AWS. Pure.

use jiff::Timestamp;

use super::{
    decide::{AUDIT, Facts, Plan, Preflight, Revisit, decide, learn},
    memory::{Flight, Memory},
    rollout::{Rollout, Step, Steps},
};
use crate::{
    api::{
        canary_rollout::{OnTimeout, Phase},
        check::CheckVerdict,
        duration::Duration,
        fit::PLAN_MAX,
        shared::Mode,
    },
    facts::{
        check::{CheckResult, CheckRun},
        kubernetes::ActionRequest,
        lambda::Source,
    },
    verbs::{self, Verb},
};

pub mod model;
#[cfg(test)]
mod tests;

use model::Model;

/// Most passes of a walk: 32 steps take about five each, and the rest is a reserve.
const PASSES_MAX: usize = 512;

/// Decides, and in Audit tells what would be done. Without a rollout nothing is told that needs a
/// version to be published.
#[must_use]
pub fn decide_and_look_ahead(
    facts: &Facts,
    rollout: Option<&Rollout>,
    memory: &Memory,
    now: Timestamp,
) -> Plan {
    let mut plan = decide(facts, memory, now);
    if plan.report.reason == AUDIT {
        plan.ahead = ahead(facts.clone(), rollout, plan.memory.clone(), now);
    }
    plan
}

/// What would be done: each write in its own words, and what is waited for between them. Times are
/// lengths, so it stays the same while nothing changes.
fn ahead(facts: Facts, rollout: Option<&Rollout>, memory: Memory, now: Timestamp) -> Vec<String> {
    let begun = (memory.revision.clone(), memory.flight.clone());
    let bake = facts.terms.as_ref().map(|terms| terms.bake).unwrap_or_default();
    let later = match (&facts.wanted, rollout) {
        (Ok(wanted), _) => wanted.steps.clone(),
        (Err(_), Some(rollout)) => rollout.steps.clone(),
        (Err(_), None) => Steps::default(),
    };
    let mut place = begun.1.as_ref().map(|flight| (begun.0.clone(), flight.index));
    let mut lines = Vec::new();
    Walk::new(facts, rollout, memory, now).each(|plan, _| {
        lines.extend(plan.actions.iter().map(ToString::to_string));
        let Some(flight) = plan.memory.flight.as_ref().filter(|f| f.entered_at.is_some()) else {
            return;
        };
        let here = Some((plan.memory.revision.clone(), flight.index));
        if here == place {
            return;
        }
        place = here;
        // The walk's own steps lack the invocations that they wait for.
        let steps = match &begun {
            (revision, Some(flight)) if *revision == plan.memory.revision => &flight.steps,
            (_, _) => &later,
        };
        lines.extend(waits(steps, flight, bake));
    });
    lines.truncate(PLAN_MAX);
    lines
}

/// What is waited for where the flight is; nothing where an invocation is the whole step.
fn waits(steps: &Steps, flight: &Flight, bake: Duration) -> Option<String> {
    Some(match steps.get(flight.index) {
        Some(Step::Weight { percent, hold, min_invocations, .. }) => {
            let least = min_invocations.map(|least| format!(", at least {least} invocations"));
            format!("{percent}%: holds for {hold}{}", least.unwrap_or_default())
        }
        Some(Step::Approve { message, timeout, on_timeout }) => {
            let weight = steps.weight_at(flight.index);
            let look = if message.is_empty() { String::new() } else { format!(" ({message})") };
            let silence = match (timeout, on_timeout) {
                (None, _) => String::new(),
                (Some(timeout), OnTimeout::Abort) => format!("; aborts after {timeout}"),
                (Some(timeout), OnTimeout::Promote) => format!("; goes on after {timeout}"),
            };
            format!("{weight}%: waits for approval{look}{silence}")
        }
        Some(Step::Smoke(_)) => return None,
        None => format!("100%: watched for {bake}"),
    })
}

/// Passes of the operator, one after the other, on a model of AWS.
pub struct Walk<'a> {
    facts: Facts,
    model: Model<'a>,
    memory: Memory,
    now: Timestamp,
}

impl<'a> Walk<'a> {
    /// A walk from here with the mode `Enforce`. The evidence is taken to be good.
    #[must_use]
    pub fn new(
        mut facts: Facts,
        rollout: Option<&'a Rollout>,
        mut memory: Memory,
        now: Timestamp,
    ) -> Self {
        facts.mode = Mode::Enforce;
        // The model knows of every write.
        facts.alias_source = Source::Write;
        facts.evidence = Ok(None);
        facts.alarms = None;
        facts.preflight = Some(Preflight::default());
        facts.windows = None;
        if let Some(terms) = &mut facts.terms {
            terms.criteria.metrics.clear();
            terms.criteria.alarms = None;
            terms.checks.clear();
        }
        if let Ok(wanted) = &mut facts.wanted {
            wanted.steps = without_counts(&wanted.steps);
        }
        if let Some(flight) = &mut memory.flight {
            flight.steps = without_counts(&flight.steps);
        }
        Self { facts, model: Model { rollout }, memory, now }
    }

    /// Goes on until a pass waits for something that time alone does not bring; `tell` gets each
    /// plan and its time. Approvals are given at once.
    pub fn each(mut self, mut tell: impl FnMut(&Plan, Timestamp)) {
        for _ in 0..PASSES_MAX {
            let mut plan = self.decide();
            tell(&plan, self.now);
            let changed = !plan.actions.is_empty()
                || plan.finalizer != self.facts.finalizer
                || plan.memory != self.memory;
            self.facts.finalizer = plan.finalizer;
            for action in plan.actions.clone() {
                let Some(answer) = self.model.carry_out(&action, &mut self.facts) else { return };
                learn(&mut plan, &answer);
            }
            self.memory = plan.memory;
            let over = match plan.report.phase {
                Phase::WaitingApproval => {
                    self.approve();
                    continue;
                }
                Phase::Pending
                | Phase::Publishing
                | Phase::Smoke
                | Phase::Progressing
                | Phase::Promoting
                | Phase::Baking => self.memory.paused_at.is_some(),
                Phase::RollingBack => false,
                Phase::WaitingWindow
                | Phase::WaitingData
                | Phase::Healthy
                | Phase::RolledBack
                | Phase::Aborted
                | Phase::Held
                | Phase::Conflict
                | Phase::Suspended
                | Phase::Invalid => true,
            };
            match (changed, plan.report.hold_until, plan.revisit) {
                (true, _, _) => {}
                (false, _, _) if over => break,
                (false, Some(until), _) if until > self.now => self.now = until,
                (false, _, Revisit::At(then)) if then > self.now => self.now = then,
                (false, _, _) => break,
            }
        }
    }

    /// Checks are taken to hold.
    fn decide(&mut self) -> Plan {
        let plan = decide(&self.facts, &self.memory, self.now);
        let (Some(stage), Some(terms)) = (plan.needs, &self.facts.terms) else { return plan };
        let holds = |name: &String| CheckResult {
            name: name.clone(),
            verdict: CheckVerdict::Passed,
            message: String::new(),
        };
        let results = terms.post_checks.iter().map(holds).collect();
        self.facts.checks = Some(CheckRun { stage, results });
        let plan = decide(&self.facts, &self.memory, self.now);
        self.facts.checks = None;
        plan
    }

    fn approve(&mut self) {
        let (Some(flight), Some(revision)) = (&self.memory.flight, &self.memory.revision) else {
            return;
        };
        let target = verbs::Target { revision: revision.clone(), step: Some(flight.index) };
        let value = target.compose(Verb::Promote, "preview").ok();
        self.facts.request = value.map(|value| ActionRequest { value, by: String::new() });
    }
}

/// The steps without the invocations that they wait for.
fn without_counts(steps: &Steps) -> Steps {
    let mut raw = steps.to_api();
    raw.iter_mut().for_each(|step| step.min_invocations = None);
    Steps::parse(&raw, "steps").unwrap_or_else(|_| steps.clone())
}
