//! What to do next: facts and memory in, a plan out. Pure.

mod deletion;
mod gate;
mod passed;
mod plan;
mod running;
mod situation;
#[cfg(test)]
mod tests;
mod verbs;
mod waiting;

use jiff::Timestamp;

pub use plan::Plan;
use situation::Situation;

use super::{
    memory::Memory,
    window::{InvalidSpec, Window},
};
use crate::{
    api::{fit::Fit as _, maintenance_window::MaintenanceWindowSpec, shared::Mode},
    facts::kubernetes::{ActionRequest, Deletion},
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
    /// A verb, handled or not.
    pub request: Option<ActionRequest>,
}

impl Facts {
    fn suspended(&self) -> bool {
        self.spec.suspend.unwrap_or(false)
    }

    fn audits(&self) -> bool {
        self.spec.mode == Some(Mode::Audit)
    }
}

/// Decides what a pass does and says.
#[must_use]
pub fn decide(facts: &Facts, memory: &Memory, now: Timestamp) -> Plan {
    let mut situation = Situation::new(facts, memory.clone(), now);
    verbs::answer(&mut situation);
    passed::record(&mut situation);
    let rules = [
        deletion::let_go,
        running::close,
        running::stay,
        waiting::unusable,
        waiting::suspended,
        waiting::always,
        waiting::audit,
        waiting::open,
    ];
    let plan = rules.iter().find_map(|rule| rule(&situation));
    let mut plan = plan.unwrap_or_else(|| waiting::wait(&situation));
    plan.memory.fit();
    plan
}
