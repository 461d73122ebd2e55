//! What is told once, as Events.

use crate::{
    api::canary_rollout::{CanaryRolloutStatus, Outcome, Phase, PreflightFinding, Severity},
    canary_rollout::decide::Note,
};

/// What people are told beside the object, once: transitions between two statuses.
#[must_use]
pub fn notes(old: Option<&CanaryRolloutStatus>, new: &CanaryRolloutStatus) -> Vec<Note> {
    let mut notes = Vec::new();
    let message = new.message.clone().unwrap_or_default();
    let mut tell = |warning, reason, message| notes.push(Note { warning, reason, message });

    let phase = |status: &CanaryRolloutStatus| status.phase.unwrap_or_default();
    if let Some((warning, reason)) = phase_event(phase(new))
        && old.map(phase) != Some(phase(new))
    {
        tell(warning, reason, message.clone());
    }
    let position = |status: &CanaryRolloutStatus| {
        let step = status.step.as_ref()?;
        step.entered_at.as_ref().map(|_| (status.revision.clone(), step.index))
    };
    if let (Some(step), Some(canary)) = (&new.step, &new.canary)
        && position(new).is_some()
        && old.and_then(position) != position(new)
        && phase(new) == Phase::Progressing
    {
        let text =
            format!("step {}: version {} at {}%", step.display, canary.version, canary.weight);
        tell(false, "StepEntered", text);
    }
    let started = |status: &CanaryRolloutStatus| status.step.as_ref().and(status.revision.clone());
    if started(new).is_some() && old.and_then(started) != started(new) {
        tell(false, "Started", message.clone());
    }
    if let Some(action) = &new.last_action
        && old.and_then(|old| old.last_action.as_ref()) != Some(action)
    {
        let text = format!("{}: {:?}: {}", action.value, action.result, action.message);
        tell(false, "ActionAnswered", text);
    }
    let known = old.map(|old| old.preflight.as_slice()).unwrap_or_default();
    let warns = |finding: &&PreflightFinding| finding.severity == Severity::Warning;
    for finding in new.preflight.iter().filter(warns).filter(|one| !known.contains(one)) {
        tell(true, "Preflight", format!("{}: {}", finding.reason, finding.message));
    }
    if !new.plan.is_empty() && old.is_none_or(|old| old.plan != new.plan) {
        tell(false, "Audit", message);
    }
    let newest = |status: &CanaryRolloutStatus| status.history.first().cloned();
    if let Some(entry) = newest(new).filter(|entry| entry.outcome == Outcome::Superseded)
        && old.and_then(newest).as_ref() != Some(&entry)
    {
        tell(false, "Superseded", format!("version {} was superseded", entry.version));
    }
    notes
}

/// The Event that entering a phase is worth.
fn phase_event(phase: Phase) -> Option<(bool, &'static str)> {
    match phase {
        Phase::Publishing => Some((false, "Publishing")),
        Phase::Smoke => Some((false, "Smoke")),
        Phase::WaitingApproval => Some((false, "WaitingApproval")),
        Phase::WaitingData => Some((false, "WaitingData")),
        Phase::Baking => Some((false, "Baking")),
        Phase::Healthy => Some((false, "Healthy")),
        Phase::RollingBack => Some((true, "RollingBack")),
        Phase::RolledBack => Some((true, "RolledBack")),
        Phase::Aborted => Some((true, "Aborted")),
        Phase::Held => Some((true, "Held")),
        Phase::Conflict => Some((true, "Conflict")),
        Phase::Invalid => Some((true, "Invalid")),
        Phase::Pending | Phase::Progressing | Phase::Promoting | Phase::Suspended => None,
    }
}
