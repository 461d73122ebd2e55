//! What a rollout would do from where AWS is now: the decisions of the operator on a model of the
//! alias. Nothing is written.

mod mend;
mod model;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use self::model::Model;
use super::{
    criteria::{self, Criteria},
    decide::{Facts, Plan, Revisit, decide, found, learn},
    memory::Memory,
    observe,
    rollout::{InvalidSpec, Rollout, Step, Steps},
};
use crate::{
    api::{
        analysis::OnFailure,
        canary_rollout::{CanaryRollout, Phase},
        check::CheckVerdict,
    },
    context::Context,
    facts::{
        check::{CheckResult, CheckRun},
        kubernetes::ActionRequest,
        lambda::Source,
    },
    names::Mark,
    verbs::{self, Verb},
};

pub use super::error::Error;

/// Most passes of a preview: 32 steps take about five each, and the rest is a reserve.
const PASSES_MAX: usize = 512;

/// What a rollout would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What the alias serves now.
    pub found: String,
    /// What keeps the rollout from starting, in the operator's words, all at once.
    pub problems: Vec<String>,
    /// What happens then, in order; empty when the problems leave nothing to go by.
    pub lines: Vec<Line>,
}

/// One thing that would be told in `status.message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How long after the start, at least: approvals and data are taken to be there at once.
    pub after: SignedDuration,
    /// The message.
    pub message: String,
    /// The writes that go with it.
    pub actions: Vec<String>,
    /// What it depends on.
    pub terms: Vec<String>,
}

/// Reads AWS and tells what the rollout would do, as if the object had just been made.
///
/// # Errors
///
/// [`Error`] when AWS cannot be read; objects that do not exist are problems in the preview.
pub async fn look(object: &CanaryRollout, context: &Context) -> Result<Preview, Error> {
    let now = context.clock.now();
    let session = observe::session(object, context).await?;
    let key = observe::alias_key(object, &session);
    let place = observe::Place { context, session: &session, key: &key, now };
    let facts = observe::observe(object, &Memory::default(), &place).await?;
    Ok(preview(facts, Rollout::parse(&object.spec).as_ref(), now))
}

fn preview(mut facts: Facts, rollout: Result<&Rollout, &InvalidSpec>, now: Timestamp) -> Preview {
    // They are told, and do not run: one may invoke a function.
    facts.terms.iter_mut().for_each(|terms| terms.checks.clear());
    let found = found(&facts, now);
    own_the_mark(&mut facts);
    let mended = mend::mend(&mut facts, rollout.ok(), now);
    let lines = match rollout {
        Ok(rollout) if mended.can_start => Walk::new(facts, rollout, now).lines(),
        Ok(_) | Err(_) => Vec::new(),
    };
    Preview { found, problems: mended.problems, lines }
}

/// A mark with our namespace and name is taken for ours: which cluster we are in is not known.
fn own_the_mark(facts: &mut Facts) {
    let mark = facts.alias.as_ref().and_then(|alias| Mark::read(&alias.description));
    let same = |mark: &Mark| {
        (&mark.owner.namespace, &mark.owner.name) == (&facts.owner.namespace, &facts.owner.name)
    };
    if let Some(mark) = mark.filter(same) {
        facts.owner = mark.owner;
    }
}

/// Passes of the operator, one after the other, on a model of the alias.
struct Walk<'a> {
    rollout: &'a Rollout,
    facts: Facts,
    memory: Memory,
    begun: Timestamp,
    now: Timestamp,
    lines: Vec<Line>,
    model: Model<'a>,
}

impl<'a> Walk<'a> {
    /// The evidence is taken to be good: what it has to be is told beside each step.
    fn new(mut facts: Facts, rollout: &'a Rollout, now: Timestamp) -> Self {
        // The model knows of every write.
        facts.alias_source = Source::Write;
        facts.evidence = Ok(None);
        facts.alarms = None;
        if let Some(terms) = &mut facts.terms {
            terms.criteria.metrics.clear();
            terms.criteria.alarms = None;
        }
        if let Ok(wanted) = &mut facts.wanted {
            wanted.steps = without_counts(&wanted.steps);
        }
        let memory = Memory::default();
        let model = Model { rollout };
        Self { rollout, facts, memory, begun: now, now, lines: Vec::new(), model }
    }

    fn lines(mut self) -> Vec<Line> {
        for _ in 0..PASSES_MAX {
            let plan = self.decide();
            self.tell(&plan);
            let changed = !plan.actions.is_empty()
                || plan.finalizer != self.facts.finalizer
                || plan.memory != self.memory;
            self.facts.finalizer = plan.finalizer;
            let mut plan = plan;
            for action in plan.actions.clone() {
                let answer = self.model.carry_out(&action, &mut self.facts);
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
                | Phase::Baking
                | Phase::RollingBack => false,
                Phase::WaitingData
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
        self.lines
    }

    /// Checks are taken to hold.
    fn decide(&mut self) -> Plan {
        let plan = decide(&self.facts, &self.memory, self.now);
        let Some(stage) = plan.needs else { return plan };
        let names = self.rollout.post_checks.iter().map(|check| check.name.clone());
        let holds =
            |name| CheckResult { name, verdict: CheckVerdict::Passed, message: String::new() };
        self.facts.checks = Some(CheckRun { stage, results: names.map(holds).collect() });
        let plan = decide(&self.facts, &self.memory, self.now);
        self.facts.checks = None;
        plan
    }

    fn tell(&mut self, plan: &Plan) {
        let actions = plan.actions.iter().map(ToString::to_string);
        if let Some(last) = self.lines.last_mut().filter(|l| l.message == plan.report.message) {
            last.actions.extend(actions);
            return;
        }
        let mut terms =
            if plan.report.hold_until.is_some() { self.terms(plan) } else { Vec::new() };
        let checks = match plan.report.reason {
            "Starting" => self.rollout.checks.as_slice(),
            "Baking" if plan.report.hold_until.is_none() => self.rollout.post_checks.as_slice(),
            _ => &[],
        };
        terms.extend(checks.iter().map(|check| format!("check {check}")));
        self.lines.push(Line {
            after: self.now.duration_since(self.begun),
            message: plan.report.message.clone(),
            actions: actions.collect(),
            terms,
        });
    }

    /// What the step that is entered depends on.
    fn terms(&self, plan: &Plan) -> Vec<String> {
        let Some(flight) = &plan.memory.flight else { return Vec::new() };
        let mut terms = Vec::new();
        match self.rollout.steps.get(flight.index) {
            Some(Step::Approve { .. } | Step::Smoke(_)) => return terms,
            Some(Step::Weight { min_invocations, max_wait, .. }) => {
                terms.extend(min_invocations.map(|least| format!("at least {least} invocations")));
                terms.extend(max_wait.map(|wait| format!("waits for data at most {wait}")));
            }
            None => {}
        }
        terms.splice(0..0, judged_by(&self.rollout.criteria, flight.is_baking()));
        if !terms.is_empty() {
            terms.push(match self.rollout.on_failure {
                OnFailure::Rollback => match &plan.memory.stable {
                    Some(stable) => format!("a failure goes back to version {stable}"),
                    None => "a failure goes back".to_owned(),
                },
                OnFailure::Hold => "a failure holds the weight for a person to decide".to_owned(),
            });
        }
        terms
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

/// What the new version is judged by, in words.
fn judged_by(criteria: &Criteria, baking: bool) -> Vec<String> {
    let metrics = criteria.metrics.iter();
    // After 100 there is nothing to compare with: only absolute limits hold.
    let metrics = metrics.filter(|metric| !baking || metric.max.is_some() || metric.min.is_some());
    let mut terms: Vec<String> = metrics
        .map(|metric| {
            let of = match &metric.source {
                criteria::Source::Builtin(builtin) => builtin.as_str().to_owned(),
                criteria::Source::Custom { metric, statistic, .. } => {
                    format!("{statistic} of {} {}", metric.namespace, metric.name)
                }
            };
            format!("{} ({of}): limit {}, over {}", metric.name, metric.limit, metric.window)
        })
        .collect();
    if let Some(alarms) = &criteria.alarms {
        let prefixes = alarms.prefixes.iter().map(|prefix| format!("{prefix}*"));
        let names: Vec<String> = alarms.names.iter().cloned().chain(prefixes).collect();
        terms.push(format!("no alarm of {} fires", names.join(", ")));
    }
    terms
}
