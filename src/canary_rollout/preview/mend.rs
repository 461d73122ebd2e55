//! Finds everything that keeps a rollout from starting: each problem that a decision tells is mended
//! in the model, and it is asked again.

use jiff::Timestamp;

use crate::{
    api::canary_rollout::Phase,
    canary_rollout::{
        decide::{Facts, Plan, decide},
        memory::Memory,
        rollout::Rollout,
        walk::model::published,
    },
};

/// Most problems that are looked for: 50 alarms and 10 prefixes may each be missing, or their
/// alarms firing, and there are a few others.
const PROBLEMS_MAX: usize = 128;

/// What was found.
pub(super) struct Mended {
    /// The problems, in the operator's words.
    pub(super) problems: Vec<String>,
    /// Whether the model is now one that a rollout can start from.
    pub(super) can_start: bool,
}

/// How well a problem could be mended.
enum Mend {
    /// As a person would.
    Whole,
    /// Not at all.
    Not,
}

/// Mends what can be mended, and tells all of it.
pub(super) fn mend(facts: &mut Facts, rollout: Option<&Rollout>, now: Timestamp) -> Mended {
    let mut mended = Mended { problems: Vec::new(), can_start: true };
    // Publishing comes before most of what may be wrong: what is wrong is looked for behind it.
    let mut unpublished = None;
    for _ in 0..PROBLEMS_MAX {
        let plan = decide(facts, &Memory::default(), now);
        if plan.memory.publishing.is_some()
            && let Some(rollout) = rollout
        {
            unpublished.get_or_insert_with(|| (facts.wanted.clone(), facts.alias.clone()));
            facts.wanted = Ok(published(rollout));
            if let Some(alias) = facts.alias.as_mut().filter(|alias| alias.version == "$LATEST") {
                alias.version = "0".to_owned();
            }
            continue;
        }
        if !is_stuck(&plan) {
            if let Some((wanted, alias)) = unpublished {
                (facts.wanted, facts.alias) = (wanted, alias);
            }
            return mended;
        }
        mended.problems.push(plan.report.message.clone());
        match mend_one(facts, rollout, plan.report.reason) {
            Mend::Whole => {}
            Mend::Not => break,
        }
    }
    mended.can_start = false;
    mended
}

/// Whether a plan neither does nor starts anything, and is not content either.
fn is_stuck(plan: &Plan) -> bool {
    let moves = plan.memory.flight.is_some() || !plan.actions.is_empty();
    !moves && plan.report.phase != Phase::Healthy
}

fn mend_one(facts: &mut Facts, rollout: Option<&Rollout>, reason: &str) -> Mend {
    match reason {
        "VersionNotFound"
        | "VersionPending"
        | "VersionFailed"
        | "VersionNotReady"
        | "CodeSha256Mismatch"
        | "UpdateFailed"
        | "UpdateInProgress"
        | "EnvironmentUnreadable" => {
            let Some(rollout) = rollout else { return Mend::Not };
            facts.wanted = Ok(published(rollout));
            Mend::Whole
        }
        "Suspended" => {
            facts.suspended = false;
            Mend::Whole
        }
        "UnownedWeights" => {
            facts.alias.iter_mut().for_each(|alias| alias.weights.clear());
            Mend::Whole
        }
        "AlarmsUnreadable" => {
            facts.alarms = Some(Ok(Default::default()));
            Mend::Whole
        }
        "AlarmNotFound" | "AlarmAlreadyFiring" => {
            let Some(Ok(report)) = &mut facts.alarms else { return Mend::Not };
            let list =
                if reason == "AlarmNotFound" { &mut report.missing } else { &mut report.firing };
            if list.is_empty() {
                return Mend::Not;
            }
            list.remove(0);
            Mend::Whole
        }
        _ => Mend::Not,
    }
}
