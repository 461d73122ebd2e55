//! Finds everything that keeps a rollout from starting: each problem that a decision tells is mended
//! in the model, and it is asked again.

use jiff::Timestamp;

use crate::{
    api::canary_rollout::{Phase, Severity},
    canary_rollout::{
        decide::{AlarmReport, Facts, Plan, Preflight, decide},
        memory::Memory,
        rollout::Rollout,
        walk::model::published,
    },
};

/// Most looks for problems: each mends one sort of them, and there are fewer sorts.
const PROBLEMS_MAX: usize = 16;

/// What was found.
pub(super) struct Mended {
    /// The problems, in the operator's words.
    pub(super) problems: Vec<String>,
    /// What is told beside them.
    pub(super) warnings: Vec<String>,
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
    let mut mended = Mended { problems: Vec::new(), warnings: Vec::new(), can_start: true };
    facts.preflight.get_or_insert_default();
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
            if let Some(findings) = plan.findings {
                mended.warnings.extend(findings.into_iter().map(|finding| finding.message));
                facts.preflight = Some(Preflight::default());
            }
            continue;
        }
        let mut reason = plan.report.reason.to_owned();
        let findings = plan.findings.clone().unwrap_or_default();
        let (blocking, warnings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|one| one.severity == Severity::Blocking);
        mended.warnings.extend(warnings.into_iter().map(|finding| finding.message));
        if !is_stuck(&plan) {
            if let Some((wanted, alias)) = unpublished {
                (facts.wanted, facts.alias) = (wanted, alias);
            }
            return mended;
        }
        if let Some(first) = blocking.first() {
            reason.clone_from(&first.reason);
            // They were told all at once.
            facts.preflight = Some(Preflight::default());
            facts.alarms = facts.alarms.take().map(|_| Ok(AlarmReport::default()));
            mended.problems.extend(blocking.iter().map(|finding| finding.message.clone()));
        } else {
            mended.problems.push(plan.report.message.clone());
        }
        match mend_one(facts, rollout, &reason) {
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
        // Mended where they are told.
        "AlarmsUnreadable"
        | "AlarmNotFound"
        | "AlarmAlreadyFiring"
        | "RoleMismatch"
        | "DeadLetterMismatch"
        | "CodeDeployInProgress" => Mend::Whole,
        _ => Mend::Not,
    }
}
