//! Finds everything that keeps a rollout from starting: each problem that a decision tells is mended
//! in the model, and it is asked again.

use jiff::Timestamp;

use crate::{
    api::canary_rollout::Phase,
    canary_rollout::{
        decide::{Facts, Plan, Wanted, decide},
        memory::Memory,
        rollout::Rollout,
    },
};

/// Most problems that are looked for: 50 alarms and 10 prefixes may each be missing, or their
/// alarms firing, and there are a few others.
const PROBLEMS_MAX: usize = 128;

/// Stands for a revision that cannot be computed, because the version is not there.
const NO_REVISION: &str = "<revision>";

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
    /// Enough to look for further problems.
    Partly,
    /// Not at all.
    Not,
}

/// Mends what can be mended, and tells all of it.
pub(super) fn mend(facts: &mut Facts, rollout: Option<&Rollout>, now: Timestamp) -> Mended {
    let mut mended = Mended { problems: Vec::new(), can_start: true };
    for _ in 0..PROBLEMS_MAX {
        let plan = decide(facts, &Memory::default(), now);
        if !is_stuck(&plan) {
            return mended;
        }
        mended.problems.push(plan.report.message.clone());
        match mend_one(facts, rollout, plan.report.reason) {
            Mend::Whole => {}
            Mend::Partly => mended.can_start = false,
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
        "VersionNotFound" | "VersionPending" | "VersionFailed" | "VersionNotReady"
        | "CodeSha256Mismatch" => {
            let Some(rollout) = rollout else { return Mend::Not };
            facts.wanted = Ok(Wanted {
                revision: NO_REVISION.to_owned(),
                version: rollout.release.version.clone(),
                code_sha256: rollout.release.code_sha256.clone().unwrap_or_default(),
                timeout: None,
                steps: rollout.steps.clone(),
            });
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
        // Which version it would become is not known; a number lets the search go on.
        "AliasAtLatest" => {
            facts.alias.iter_mut().for_each(|alias| alias.version = "0".to_owned());
            Mend::Partly
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
