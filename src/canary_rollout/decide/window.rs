//! The windows that a rollout obeys: what waits for them, and what becomes of it when they close.
//!
//! Nothing that goes back asks here, and nor does a release that was served lately.

use jiff::Timestamp;

use super::{
    flight::Here,
    idle::{at_rest, served_lately},
    plan::{Plan, Revisit},
    release::Wanted,
    situation::{FLIGHT_POLL, Situation, clock_time},
};
use crate::{
    api::{
        canary_rollout::{Ending, GatePoint, OnClose, Outcome, Phase},
        duration::Duration,
    },
    canary_rollout::{
        memory::Flight,
        rollout::{Gate, Step, Steps},
    },
    window_gate::{Closed, Opened, Verdict},
};

/// Why a release that skips the steps because it was served lately ends as it does.
pub(super) const LATELY: &str = "RollbackWindow";
/// Why a rollout goes back at the close of a window.
const CLOSED: &str = "WindowClosed";

/// What keeps a rollout from going on, and until when if that is known.
struct Shut {
    reason: &'static str,
    message: String,
}

fn gate<'s>(situation: &'s Situation<'_>) -> Option<(&'s Gate, &'s Verdict)> {
    let gate = situation.facts.terms.as_ref()?.gate.as_ref()?;
    Some((gate, situation.facts.windows.as_ref()?))
}

/// Why this point cannot be passed now, if so; `left` is what has to fit before the close.
fn shut(situation: &Situation<'_>, at: &[GatePoint], left: Duration) -> Option<Shut> {
    let (gate, verdict) = gate(situation)?;
    let asks = |point: &GatePoint| match point {
        GatePoint::Start => gate.start,
        GatePoint::Advance => gate.advance,
        GatePoint::Promote => gate.promote,
    };
    if !at.iter().any(asks) {
        return None;
    }
    match verdict {
        Verdict::Open(open) if gate.require_fit => too_short(situation, open, left),
        Verdict::Open(_) => None,
        Verdict::Ending(closed, _) | Verdict::Closed(closed) | Verdict::Unknown(closed) => {
            let Closed { reason, message, again: _ } = closed;
            Some(Shut { reason, message: message.clone() })
        }
    }
}

fn too_short(situation: &Situation<'_>, open: &Opened, left: Duration) -> Option<Shut> {
    let closes = open.closes?;
    let rest = closes.duration_since(situation.now);
    (rest < left.signed()).then(|| Shut {
        reason: "WindowTooShort",
        message: format!(
            "what is left takes {left}, and window {} closes at {}",
            open.window,
            clock_time(closes, situation.now)
        ),
    })
}

/// The holds and smoke tests from step `index` on.
fn takes(steps: &Steps, index: usize) -> Duration {
    let all = (index..steps.len()).filter_map(|index| steps.get(index)).map(|step| match step {
        Step::Weight { hold, .. } => hold.as_secs(),
        Step::Smoke(smoke) => smoke.max_duration.as_secs(),
        Step::Approve { .. } => 0,
    });
    Duration::from_secs(all.fold(0, u64::saturating_add))
}

/// A release waits to start; none when it may.
pub(super) fn before_start(situation: &Situation<'_>, wanted: &Wanted) -> Option<Plan> {
    if served_lately(situation, &wanted.revision) {
        return None;
    }
    // Without steps the start is the promotion.
    let both = [GatePoint::Start, GatePoint::Promote];
    let at = if wanted.steps.is_empty() { both.as_slice() } else { &[GatePoint::Start] };
    let Shut { reason, message } = shut(situation, at, takes(&wanted.steps, 0))?;
    let message = format!("version {} waits: {message}", wanted.version);
    let report = situation.report(Phase::WaitingWindow, reason, message);
    Some(situation.plan(report, Revisit::At(situation.later(at_rest(wanted)))))
}

/// Why a person's word cannot send everybody to the new version now, if so.
pub(super) fn refuses_promotion(situation: &Situation<'_>) -> Option<String> {
    let flight = situation.memory.flight.as_ref()?;
    let held = stopped(situation, flight).map(|(_, shut)| shut);
    let shut = held.or_else(|| shut(situation, &[GatePoint::Promote], Duration::ZERO))?;
    Some(format!(
        "{}; an emergency window opens the gate for all that waits, see its docs",
        shut.message
    ))
}

/// Before 100 the windows closed: what that means, and why.
fn stopped(situation: &Situation<'_>, flight: &Flight) -> Option<(OnClose, Shut)> {
    let (gate, verdict) = gate(situation)?;
    let lately = flight.ending.as_ref().is_some_and(|ending| ending.reason == LATELY);
    if flight.is_baking() || lately {
        return None;
    }
    let told = |closed: &Closed| Shut { reason: closed.reason, message: closed.message.clone() };
    match (gate.on_close, verdict) {
        (OnClose::Continue, _) | (_, Verdict::Open(_) | Verdict::Ending(..)) => None,
        (OnClose::Hold, Verdict::Closed(closed) | Verdict::Unknown(closed)) => {
            Some((OnClose::Hold, told(closed)))
        }
        (OnClose::Rollback, Verdict::Closed(closed)) => Some((OnClose::Rollback, told(closed))),
        // A window that cannot be asked for a moment is no reason to go back.
        (OnClose::Rollback, Verdict::Unknown(closed)) => Some((OnClose::Hold, told(closed))),
    }
}

impl Here<'_, '_> {
    /// The windows closed while the rollout was on its way; none where that stops nothing.
    pub(super) fn window_closed(&self) -> Option<Plan> {
        let (on_close, shut) = stopped(self.situation, self.flight)?;
        Some(match on_close {
            OnClose::Rollback => {
                self.end(Outcome::RolledBack, CLOSED, shut.message, Phase::RollingBack)
            }
            OnClose::Hold | OnClose::Continue => self.waits(&shut),
        })
    }

    /// The next weight waits for a window; none when it may be set.
    pub(super) fn before_weight(&self, index: usize) -> Option<Plan> {
        // The first one belongs to the start.
        let first = self.flight.steps.weight_before(index) == 0;
        let left = takes(&self.flight.steps, index);
        let shut = shut(self.situation, &[GatePoint::Advance], left).filter(|_| !first)?;
        Some(self.waits(&shut))
    }

    /// 100 waits for a window; none when it may be set.
    pub(super) fn before_promotion(&self) -> Option<Plan> {
        let shut = shut(self.situation, &[GatePoint::Promote], Duration::ZERO)?;
        Some(self.waits(&shut))
    }

    fn waits(&self, shut: &Shut) -> Plan {
        let Shut { reason, message } = shut;
        let weight = self.situation.weight().unwrap_or(0);
        let message = format!("version {} stays at {weight}%: {message}", self.canary.version);
        let report = self.situation.report(Phase::WaitingWindow, reason, message);
        self.situation.plan(report, Revisit::At(self.situation.later(FLIGHT_POLL)))
    }
}

/// A promotion that was intended is not carried out once the windows have closed.
pub(super) fn holds_promotion(
    situation: &Situation<'_>,
    flight: &Flight,
    ending: &Ending,
) -> Option<Plan> {
    if ending.reason == LATELY || flight.is_baking() {
        return None;
    }
    let (canary, alias) = (situation.flying()?, situation.facts.alias.as_ref()?);
    let here = Here { situation, flight, canary, alias };
    here.window_closed().or_else(|| here.before_promotion())
}

/// When the move forward that is sent now must have left: the close. None where nothing waits for one.
pub(super) fn not_after(situation: &Situation<'_>) -> Option<Timestamp> {
    let (gate, verdict) = gate(situation)?;
    let flight = situation.memory.flight.as_ref()?;
    let lately = flight.ending.as_ref().is_some_and(|ending| ending.reason == LATELY);
    let bound = gate.on_close != OnClose::Continue || gate.advance || gate.promote;
    let closes = match verdict {
        Verdict::Open(open) => open.closes,
        Verdict::Ending(_, closes) => Some(*closes),
        Verdict::Closed(_) | Verdict::Unknown(_) => None,
    };
    closes.filter(|_| bound && !lately && !flight.is_baking())
}

/// When a window closes, or a schedule of it begins, so that what it means is not late.
pub(super) fn next_change(situation: &Situation<'_>) -> Option<Timestamp> {
    let (_, verdict) = gate(situation)?;
    let at = match verdict {
        Verdict::Open(open) => open.until,
        Verdict::Ending(closed, closes) => Some(closed.again.unwrap_or(*closes).min(*closes)),
        Verdict::Closed(closed) | Verdict::Unknown(closed) => closed.again,
    };
    at.filter(|at| *at > situation.now)
}

/// Whether the windows take work, and what they say; none where nothing waits for them.
pub(super) fn told(situation: &Situation<'_>, phase: Phase) -> Option<WindowWord> {
    let (_, verdict) = gate(situation)?;
    let flies = situation.memory.flight.as_ref().is_some_and(|flight| !flight.is_baking());
    if !flies && phase != Phase::WaitingWindow {
        return None;
    }
    Some(match verdict {
        Verdict::Open(open) => WindowWord {
            open: true,
            reason: "Open",
            message: match open.until {
                Some(until) => format!(
                    "window {} takes new work until {}",
                    open.window,
                    clock_time(until, situation.now)
                ),
                None => format!("window {} takes new work", open.window),
            },
        },
        Verdict::Ending(closed, _) | Verdict::Closed(closed) | Verdict::Unknown(closed) => {
            WindowWord { open: false, reason: closed.reason, message: closed.message.clone() }
        }
    })
}

/// What the condition WindowOpen says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowWord {
    /// Whether new work may start.
    pub open: bool,
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}
