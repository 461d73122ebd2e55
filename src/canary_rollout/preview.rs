//! What a rollout would do from where AWS is now: the decisions of the operator on a model of the
//! alias. Nothing is written.

mod mend;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::{
    criteria::{self, Criteria},
    decide::{Facts, Plan, Preflight, found},
    memory::Memory,
    observe,
    rollout::{InvalidSpec, Rollout, Step},
    walk::Walk,
};
use crate::{
    api::{analysis::OnFailure, canary_rollout::CanaryRollout, shared::Mode},
    context::Context,
    names::Mark,
};

pub use super::error::Error;

/// What a rollout would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What the alias serves now.
    pub found: String,
    /// What keeps the rollout from starting, in the operator's words, all at once.
    pub problems: Vec<String>,
    /// What speaks against it, but does not keep it from starting.
    pub warnings: Vec<String>,
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
    // What is suspended would not be looked at as closely.
    let mut awake = object.clone();
    awake.spec.suspend = None;
    let mut facts = observe::observe(&awake, &Memory::default(), &place).await?;
    facts.suspended = object.spec.suspend.unwrap_or(false);
    Ok(preview(facts, Rollout::parse(&object.spec).as_ref(), now))
}

fn preview(mut facts: Facts, rollout: Result<&Rollout, &InvalidSpec>, now: Timestamp) -> Preview {
    // They are told, and do not run: one may invoke a function.
    facts.terms.iter_mut().for_each(|terms| terms.checks.clear());
    let found = found(&facts, now);
    // It tells what the manifest would do once it is enforced.
    facts.mode = Mode::Enforce;
    own_the_mark(&mut facts);
    let unread = facts.preflight.as_ref().map(unlooked).unwrap_or_default();
    let mut mended = mend::mend(&mut facts, rollout.ok(), now);
    mended.warnings.extend(unread);
    let lines = match rollout {
        Ok(rollout) if mended.can_start => {
            let mut teller = Teller { rollout, begun: now, lines: Vec::new() };
            Walk::new(facts, Some(rollout), Memory::default(), now)
                .each(|plan, at| teller.tell(plan, at));
            teller.lines
        }
        Ok(_) | Err(_) => Vec::new(),
    };
    Preview { found, problems: mended.problems, warnings: mended.warnings, lines }
}

/// What was not looked at: who asks by hand is told that, too.
fn unlooked(preflight: &Preflight) -> Vec<String> {
    let tell = |what: &str, why: &Option<String>| {
        why.as_ref().map(|why| format!("{what} was not looked at: {why}"))
    };
    let deployments = tell("whether CodeDeploy moves the alias", &preflight.deployments_unread);
    let scaling =
        tell("whether Application Auto Scaling scales the alias", &preflight.scaling_unread);
    deployments.into_iter().chain(scaling).collect()
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

/// What a walk tells.
struct Teller<'a> {
    rollout: &'a Rollout,
    begun: Timestamp,
    lines: Vec<Line>,
}

impl Teller<'_> {
    fn tell(&mut self, plan: &Plan, now: Timestamp) {
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
            after: now.duration_since(self.begun),
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
