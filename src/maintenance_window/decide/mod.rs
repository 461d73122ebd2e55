//! What to do next: facts and memory in, a plan out. Pure.

mod ahead;
mod checks;
mod deletion;
mod gate;
mod metrics;
mod notices;
mod passed;
mod plan;
mod restore;
mod running;
mod silence;
mod situation;
mod tasks;
#[cfg(test)]
mod tests;
mod toggle;
mod verbs;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use checks::broken;
pub use plan::{Action, Ask, Plan, Report};
use situation::Situation;
pub use toggle::is_as_left;
pub use waiting::ROUND_FAILED;

use super::{
    alarms::AlarmFacts,
    memory::Memory,
    metrics::Reading,
    tasks::TaskFacts,
    window::{InvalidSpec, Window},
};
use crate::{
    api::{
        fit::Fit as _, maintenance_window::MaintenanceWindowSpec, shared::Mode,
        window_checks::WindowStage,
    },
    facts::{
        check::CheckResult,
        documents::AllowedDocuments,
        kubernetes::{ActionRequest, Deletion},
    },
    names::Owner,
};

/// What a pass knows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The spec, to be kept by an opening.
    pub spec: MaintenanceWindowSpec,
    /// The same, parsed.
    pub window: Result<Window, InvalidSpec>,
    /// Whether the status speaks of an older spec.
    pub edited: bool,
    /// What deletion asks for.
    pub deletion: Deletion,
    /// Since when it is being deleted.
    pub deleted_at: Option<Timestamp>,
    /// When the object was made.
    pub created_at: Option<Timestamp>,
    /// A verb, handled or not.
    pub request: Option<ActionRequest>,
    /// Whose window this is.
    pub owner: Owner,
    /// Its uid, for tags.
    pub uid: String,
    /// Whether our finalizer is on the object.
    pub finalizer: bool,
    /// What AWS says of alarms and mute rules; none when it was not asked.
    pub alarms: Option<AlarmFacts>,
    /// What checks say, as far as they were asked.
    pub checks: BTreeMap<WindowStage, Vec<CheckResult>>,
    /// What AWS says of the task that it is at; none when it was not asked.
    pub task: Option<TaskFacts>,
    /// What CloudWatch says of metrics; none when it was not asked.
    pub metrics: Option<Vec<Reading>>,
    /// What this process published that it is about to begin, and has not tried yet.
    pub intents: BTreeSet<String>,
    /// Documents of Systems Manager that may be run.
    pub documents: AllowedDocuments,
    /// Whether rules that nobody knows of are to be looked for.
    pub sweeps: bool,
}

impl Facts {
    fn suspended(&self) -> bool {
        self.spec.suspend.unwrap_or(false)
    }

    fn audits(&self) -> bool {
        self.spec.mode == Some(Mode::Audit)
    }

    /// Whether nothing but the time keeps it from opening.
    fn may_open(&self) -> bool {
        !self.suspended() && !self.audits() && self.deletion == Deletion::None
    }
}

/// Decides what a pass does and says.
#[must_use]
pub fn decide(facts: &Facts, memory: &Memory, now: Timestamp) -> Plan {
    let mut situation = Situation::new(facts, memory.clone(), now);
    verbs::answer(&mut situation);
    passed::record(&mut situation);
    metrics::stop(&mut situation);
    if let Some(ask) = checks::learn(&mut situation) {
        return held(silence::ask(&situation, situation.resting_phase(), ask));
    }
    let rules: [fn(&Situation<'_>) -> Option<Plan>; 11] = [
        deletion::let_go,
        running::close,
        running::stay,
        restore::left_over,
        waiting::unusable,
        waiting::suspended,
        waiting::always,
        waiting::audit,
        waiting::open,
        waiting::prepare,
        waiting::verify,
    ];
    let plan = rules.iter().find_map(|rule| rule(&situation));
    let plan = plan.unwrap_or_else(|| waiting::wait(&situation));
    let plan = metrics::look(&situation, held(plan));
    let plan = restore::sweep(&situation, plan);
    let mut plan = notices::tell(facts, memory, plan, now);
    plan.memory.fit();
    plan
}

/// Deletion waits for what it would have to undo.
fn held(mut plan: Plan) -> Plan {
    let Memory { silenced, current, .. } = &plan.memory;
    plan.finalizer = silenced.is_some() || tasks::runs(current.as_ref());
    plan
}
