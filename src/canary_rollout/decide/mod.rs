//! What to do next: facts and memory in, a plan out. Pure.

mod audit;
mod checks;
mod conflict;
mod deletion;
mod ending;
mod flight;
mod gone;
mod idle;
mod learn;
mod lost;
mod plan;
mod position;
mod preflight;
mod provision;
mod prune;
mod publish;
pub(super) mod release;
mod situation;
#[cfg(test)]
mod tests;
mod unread;
mod verbs;
mod watch;
mod window;

use jiff::Timestamp;

pub use audit::REASON as AUDIT;
pub use deletion::{Left, abandon};
pub use gone::way_back;
pub use learn::{Answer, learn};
pub use plan::{Action, Note, Plan, Purpose, Report, Revisit};
pub use preflight::{Coming, Preflight, Traffic, UNCHECKED, is_way_back, mixes};
pub use provision::matters as provisioned_matters;
pub use prune::{is_due as pruning_is_due, not_pruned};
#[cfg(test)]
pub use release::Draft;
pub use release::{ReleaseFacts, Unready, VersionFact, Wanted, wanted};
use situation::Situation;
pub use unread::Unread;
pub use watch::AlarmReport;

use super::{criteria::Criteria, evidence::Evidence, memory::Memory, rollout::Gate};
use crate::{
    api::{
        analysis::OnFailure, canary_rollout::OnConflict, duration::Duration, fit::Fit as _,
        shared::Mode,
    },
    facts::{
        check::CheckRun,
        kubernetes::{ActionRequest, Deletion},
        lambda::{Alias, FunctionVersion, Provisioned, Source},
        surplus::Surplus,
    },
    names::Owner,
    window_gate::Verdict,
};

/// What a pass knows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whose rollout this is.
    pub owner: Owner,
    /// Function name.
    pub function: String,
    /// Alias name.
    pub alias_name: String,
    /// `spec.suspend`.
    pub suspended: bool,
    /// `spec.mode`.
    pub mode: Mode,
    /// `spec.onConflict`.
    pub on_conflict: OnConflict,
    /// What deletion asks for.
    pub deletion: Deletion,
    /// Whether our finalizer is on the object.
    pub finalizer: bool,
    /// A verb, handled or not.
    pub request: Option<ActionRequest>,
    /// The alias; none when it does not exist.
    pub alias: Option<Alias>,
    /// What tells of the alias.
    pub alias_source: Source,
    /// An older rollout of the same alias, as `namespace/name`: that one acts.
    pub taken_by: Option<String>,
    /// The version that the alias has to be pointed at to go back does not exist; asked only then.
    pub stable_gone: bool,
    /// The provisioned concurrency of the alias; none when there is none, or it does not matter now.
    pub provisioned: Result<Option<Provisioned>, Unread>,
    /// `$LATEST`; none when it does not matter now, or there is no such function.
    pub latest: Option<FunctionVersion>,
    /// The version that is known to hold what `$LATEST` holds, where the alias is there.
    pub published: Option<FunctionVersion>,
    /// Versions that may be deleted, oldest first; none when they were not looked for.
    pub surplus: Result<Option<Vec<Surplus>>, Unread>,
    /// The release that the spec asks for, or why there is none.
    pub wanted: Result<Wanted, Unready>,
    /// What the new version is judged by; none when the spec cannot be read.
    pub terms: Option<Terms>,
    /// What CloudWatch has of the time that is to be evaluated now; none when nothing is.
    pub evidence: Result<Option<Evidence>, String>,
    /// What speaks against a start; none when that was not asked for.
    pub preflight: Option<Preflight>,
    /// The alarms that the spec names; none when they were not asked for.
    pub alarms: Option<Result<AlarmReport, String>>,
    /// What checks said in this pass; none when none ran.
    pub checks: Option<CheckRun>,
    /// What the windows say that it obeys; none when it obeys none, or the spec cannot be read.
    pub windows: Option<Verdict>,
    /// Whether the spec changed since the last pass.
    pub edited: bool,
}

/// What the new version is judged by, and what follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Metrics and alarms.
    pub criteria: Criteria,
    /// How long it is watched after 100.
    pub bake: Duration,
    /// What a failure leads to.
    pub on_failure: OnFailure,
    /// The windows that it obeys; none: none.
    pub gate: Option<Gate>,
    /// How many revisions ago a release may have been promoted that skips the steps; 0 for none.
    pub rollback_window: usize,
    /// Names of the checks before the start.
    pub checks: Vec<String>,
    /// Names of those of them that invoke a function.
    pub invoking: Vec<String>,
    /// Names of the checks at 100 and after the bake.
    pub post_checks: Vec<String>,
}

/// What the alias serves, in words: `alias production serves version 42 with 43 at 10%`.
#[must_use]
pub fn found(facts: &Facts, now: Timestamp) -> String {
    Situation::new(facts, Memory::default(), now).found()
}

/// Chooses the next steps.
///
/// Rules are asked in order; the first that has something to say makes the plan. Undo comes before
/// everything, and what is wrong comes before what could go on.
#[must_use]
pub fn decide(facts: &Facts, memory: &Memory, now: Timestamp) -> Plan {
    let mut situation = Situation::new(facts, memory.clone(), now);
    verbs::answer(&mut situation);
    deletion::prepare(&mut situation);
    let rules: [fn(&Situation<'_>) -> Option<Plan>; 13] = [
        deletion::let_go,
        ending::go_back,
        provision::bake_anew,
        ending::promote,
        flight::proceed,
        idle::taken,
        release::unusable,
        provision::at_rest,
        publish::leave_latest,
        idle::unowned_weights,
        publish::publish,
        idle::alias_missing,
        idle::settle_or_start,
    ];
    let plan = rules.iter().find_map(|rule| rule(&situation));
    let plan = plan.unwrap_or_else(|| situation.conflict());
    let mut plan = conflict::forget_what_is_over(plan);
    if let Some(change) = window::next_change(&situation) {
        plan = plan.no_later_than(change);
    }
    plan.memory.fit();
    plan.with_changes_of(memory)
}
