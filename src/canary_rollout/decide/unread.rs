//! What could not be read is a fact, too: it fails the rules that need it, and nothing else. Undo and
//! verbs must not wait for a permission that they do not need.

use super::{
    plan::{Plan, Revisit},
    situation::{FLIGHT_POLL, Situation},
};
use crate::{api::canary_rollout::Phase, error::Remedy};

pub use crate::plan::Unread;

impl Unread {
    /// What nobody asked for, because nothing needs it.
    #[must_use]
    pub fn unasked() -> Self {
        let message = "the release was not read, because it is not needed".to_owned();
        Self { remedy: Remedy::Retry, reason: "NotSent", message }
    }
}

/// The plan of a rule that lacks what could not be read: everything stays as it is and as it was told,
/// and the pass fails. In flight the alarms are looked at all the same.
pub(super) fn stay(situation: &Situation<'_>, unread: &Unread) -> Plan {
    let report = situation.report(Phase::Invalid, unread.reason, unread.message.clone());
    let mut plan = situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL)));
    // What it guards may be what could not be read.
    plan.finalizer |= situation.facts.finalizer;
    plan.unread = Some(unread.clone());
    plan
}
