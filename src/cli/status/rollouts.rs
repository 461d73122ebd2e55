//! CanaryRollouts as they are shown.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Shown, details,
    table::{age, none},
};
use crate::{
    api::canary_rollout::{CanaryRollout, Phase},
    cli::terminal::{Terminal, Tone},
};

impl Shown for CanaryRollout {
    const PREFIX: &'static str = "";
    const HEADER: &'static [&'static str] =
        &["PHASE", "STEP", "WEIGHT", "STABLE", "CANARY", "SINCE", "MESSAGE"];

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let status = self.status.as_ref();
        let canary = status.and_then(|status| status.canary.as_ref());
        let message = self.message().unwrap_or("not looked at yet");
        vec![
            status.and_then(|status| status.phase).unwrap_or_default().as_str().to_owned(),
            status.and_then(|s| s.step.as_ref()).map_or_else(none, |step| step.display.clone()),
            canary.map_or_else(none, |canary| format!("{}%", canary.weight)),
            status.and_then(|s| s.stable.as_ref()).map_or_else(none, |s| s.version.clone()),
            canary.map_or_else(none, |canary| canary.version.clone()),
            since(self).map_or_else(none, |since| age(since, now)),
            message.to_owned(),
        ]
    }

    fn phase(&self) -> (&'static str, String) {
        let status = self.status.as_ref();
        let phase = status.and_then(|status| status.phase).unwrap_or_default();
        let step = status.and_then(|status| status.step.as_ref());
        let step = step.map(|step| format!(" {}", step.display)).unwrap_or_default();
        let weight = status.and_then(|status| status.canary.as_ref());
        let weight = weight.map(|canary| format!(" {}%", canary.weight)).unwrap_or_default();
        (phase.as_str(), format!("{step}{weight}"))
    }

    fn tone(phase: &str) -> Option<Tone> {
        serde_json::from_value(phase.into()).ok().map(tone)
    }

    fn message(&self) -> Option<&str> {
        self.status.as_ref()?.message.as_deref()
    }

    fn status(&self) -> Value {
        json!(self.status)
    }

    fn details(&self, now: Timestamp, terminal: Terminal) -> String {
        details::render(self, now, terminal)
    }
}

/// The colour of a phase.
pub(super) fn tone(phase: Phase) -> Tone {
    match phase {
        Phase::Healthy => Tone::Good,
        Phase::Pending
        | Phase::Publishing
        | Phase::Smoke
        | Phase::Progressing
        | Phase::Promoting
        | Phase::Baking => Tone::Busy,
        Phase::WaitingApproval | Phase::WaitingWindow | Phase::WaitingData | Phase::Suspended => {
            Tone::Asks
        }
        Phase::RollingBack
        | Phase::RolledBack
        | Phase::Aborted
        | Phase::Held
        | Phase::Conflict
        | Phase::Invalid => Tone::Bad,
    }
}

/// Since when it is where it is: the step that it is in, the end of the last release, or its
/// creation.
fn since(object: &CanaryRollout) -> Option<Timestamp> {
    let status = object.status.as_ref();
    let flight = status.and_then(|status| status.step.as_ref());
    let entered = flight.and_then(|step| step.entered_at.as_ref());
    let started = status.and_then(|s| s.canary.as_ref()).filter(|_| flight.is_some());
    let ended = status.and_then(|status| status.history.first()).map(|entry| &entry.ended_at);
    let time = entered
        .or(started.map(|canary| &canary.started_at))
        .or(ended)
        .or(object.metadata.creation_timestamp.as_ref());
    time.map(|time| time.0)
}
