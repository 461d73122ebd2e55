//! What is told once, as Events.

use crate::{
    api::{
        canary_rollout::{CanaryRolloutStatus, Outcome, Phase, PreflightFinding, Severity},
        check::{CheckStage, CheckStatus, CheckVerdict},
    },
    canary_rollout::decide::Note,
    notify::due::news,
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
    } else if let Some(why) = blocked(new).filter(|why| old.and_then(blocked) != Some(*why)) {
        match phase(new) == Phase::Invalid {
            true => tell(true, "Invalid", message.clone()),
            false => tell(true, "Blocked", format!("{why}: {message}")),
        }
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
    if let Some(entry) = newest(new)
        && old.and_then(newest).as_ref() != Some(&entry)
    {
        let version = &entry.version;
        match entry.outcome {
            Outcome::Superseded => {
                tell(false, "Superseded", format!("version {version} was superseded"));
            }
            // Where it is what the spec asks for, entering Healthy says so.
            Outcome::Promoted if phase(new) != Phase::Healthy => {
                tell(false, "Promoted", format!("version {version}: {}", entry.message));
            }
            Outcome::Promoted | Outcome::RolledBack | Outcome::Aborted | Outcome::Initialized => {}
        }
    }
    let failed = old.map(|old| old.notice_failures.as_slice()).unwrap_or_default();
    notes.extend(news(failed, &new.notice_failures));
    notes
}

/// Why nothing starts, where somebody should know: the reason of Ready. What Lambda is still
/// preparing is waited for in silence.
fn blocked(status: &CanaryRolloutStatus) -> Option<&str> {
    const PREPARING: &str = "VersionPending";
    let found = |finding: &PreflightFinding| finding.severity == Severity::Blocking;
    let failed = |check: &CheckStatus| {
        check.stage == CheckStage::BeforeStart
            && matches!(check.verdict, CheckVerdict::Failed | CheckVerdict::Unreadable)
    };
    let stated = |kind: &str| status.conditions.iter().find(|condition| condition.type_ == kind);
    let waits = status.step.is_none()
        && (stated("Stalled").is_some()
            || status.preflight.iter().any(found)
            || status.checks.iter().any(failed));
    let blocked = match status.phase.unwrap_or_default() {
        Phase::Invalid => true,
        Phase::Pending => waits,
        Phase::Publishing
        | Phase::Smoke
        | Phase::Progressing
        | Phase::WaitingApproval
        | Phase::WaitingWindow
        | Phase::WaitingData
        | Phase::Promoting
        | Phase::Baking
        | Phase::Healthy
        | Phase::RollingBack
        | Phase::RolledBack
        | Phase::Aborted
        | Phase::Held
        | Phase::Conflict
        | Phase::Suspended => false,
    };
    let ready = stated("Ready")?;
    (blocked && ready.reason != PREPARING).then_some(ready.reason.as_str())
}

/// The Event that entering a phase is worth.
fn phase_event(phase: Phase) -> Option<(bool, &'static str)> {
    match phase {
        Phase::Publishing => Some((false, "Publishing")),
        Phase::Smoke => Some((false, "Smoke")),
        Phase::WaitingApproval => Some((false, "WaitingApproval")),
        Phase::WaitingWindow => Some((false, "WaitingWindow")),
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
