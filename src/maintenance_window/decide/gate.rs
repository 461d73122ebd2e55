//! What the objects that obey a window are told.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::situation::Situation;
use crate::{
    api::maintenance_window::{Gate, GateBlackout, GateReason, GateSchedule, Phase},
    maintenance_window::memory::Current,
    time::moments,
};

/// The gate of a window in this phase.
pub(super) fn gate(situation: &Situation<'_>, phase: Phase, message: &str) -> Gate {
    let blackout = blackout(situation);
    let closed = |reason: GateReason| Gate {
        reason,
        message: message.to_owned(),
        blackout: blackout.clone(),
        ..Gate::default()
    };
    let holds = blackout.as_ref().is_some_and(|dark| dark.from.0 <= situation.now);
    match (phase, &situation.memory.current) {
        (Phase::Invalid, _) => closed(GateReason::Invalid),
        (Phase::Suspended, _) => closed(GateReason::Suspended),
        (Phase::Blocked, _) => closed(GateReason::PreChecks),
        (Phase::Open, Some(current)) if current.window.routine => closed(GateReason::Closed),
        (Phase::Open, Some(current)) => running(situation, current, message, blackout),
        (Phase::Open, None) => Gate {
            open: true,
            // Always open: up to the next blackout.
            until: blackout.as_ref().map(|dark| dark.from.clone()),
            closes: blackout.as_ref().map(|dark| dark.from.clone()),
            reason: GateReason::Open,
            message: message.to_owned(),
            schedules: Vec::new(),
            blackout,
        },
        // It closes still, or its alarms come back.
        (Phase::Scheduled | Phase::Announced | Phase::Preparing | Phase::Verifying, _)
            if situation.facts.suspended() =>
        {
            closed(GateReason::Suspended)
        }
        (Phase::Scheduled | Phase::Announced | Phase::Preparing | Phase::Verifying, _)
            if situation.facts.audits() =>
        {
            closed(GateReason::Audit)
        }
        (Phase::Scheduled | Phase::Announced | Phase::Preparing | Phase::Verifying, _) if holds => {
            closed(GateReason::Blackout)
        }
        (Phase::Scheduled | Phase::Announced | Phase::Preparing | Phase::Verifying, _) => {
            closed(GateReason::Closed)
        }
    }
}

/// The gate while something is open: until the cutoff.
fn running(
    situation: &Situation<'_>,
    current: &Current,
    message: &str,
    blackout: Option<GateBlackout>,
) -> Gate {
    let cutoff = current.window.cutoff;
    let until = moments::before(current.closes_at, cutoff);
    let open = situation.now < until;
    let schedules = current.parts.iter().map(|part| GateSchedule {
        name: part.schedule.clone(),
        from: Time(part.from),
        until: Time(moments::before(part.until, cutoff)),
    });
    Gate {
        open,
        until: Some(Time(until)),
        closes: Some(Time(current.closes_at)),
        reason: if open { GateReason::Open } else { GateReason::Closed },
        message: message.to_owned(),
        schedules: schedules.collect(),
        // It opened when there was none, and keeps the spec that it opened with.
        blackout: blackout.filter(|dark| current.closes_at <= dark.from.0),
    }
}

/// The blackout that holds, or the next one.
fn blackout(situation: &Situation<'_>) -> Option<GateBlackout> {
    let calendar = &situation.window()?.calendar;
    let told = |name: &str, from: Timestamp, until: Timestamp| GateBlackout {
        name: name.to_owned(),
        from: Time(from),
        until: Time(until),
    };
    let dark =
        calendar.blackout_at(situation.now).or_else(|| calendar.next_blackout(situation.now));
    dark.map(|dark| told(&dark.blackout.name, dark.from, dark.until))
}
