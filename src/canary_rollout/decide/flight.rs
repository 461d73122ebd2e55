//! A rollout in flight: step by step towards 100.

use jiff::Timestamp;

use super::{
    audit, conflict,
    plan::{Action, Plan, Purpose, Report, Revisit},
    position::Position,
    preflight, publish,
    release::Unready,
    situation::{Destination, FLIGHT_POLL, Situation, clock_time},
    unread,
    watch::{Finding, watch},
};
use crate::{
    api::{
        analysis::OnFailure,
        canary_rollout::{Held, OnTimeout, Outcome, Phase, SmokeStatus},
        duration::Duration,
    },
    canary_rollout::{
        evidence::{later, next_due},
        judge::Failed,
        memory::{Canary, Flight},
        rollout::{Smoke, Step},
    },
    facts::lambda::{Alias, Source},
};

/// Longest wait for data and invocations, where a step does not say.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(2 * 3_600);

/// Rule: what is in flight goes back, goes on, waits, or is superseded.
pub(super) fn proceed(situation: &Situation<'_>) -> Option<Plan> {
    let flight = situation.memory.flight.as_ref()?;
    let canary = situation.memory.canary.as_ref()?;
    let alias = situation.facts.alias.as_ref()?;
    let here = Here { situation, flight, canary, alias };
    match Position::of(situation, flight, alias) {
        Position::Elsewhere => Some(here.lost_sight()),
        Position::Marked(mark) => Some(situation.taken(&mark)),
        // The weight may have come after this pass's time was taken: the next pass records it.
        Position::Arrived(_) if situation.facts.alias_source == Source::Read => {
            Some(here.arriving())
        }
        Position::Arrived(index) => Some(here.enter(index)),
        Position::Here if flight.entered_at.is_none() => Some(here.choose(None)),
        Position::Here => {
            let watched = watch(situation, flight);
            let mut looked = situation.with_flight(watched.flight.clone());
            looked.memory.ignored_alarms = watched.ignored_alarms;
            let here = Here { situation: &looked, flight: &watched.flight, canary, alias };
            match watched.finding {
                Finding::Failed(failed) => Some(here.fail(&failed)),
                Finding::Awaiting(what) => Some(here.choose(Some(what))),
                Finding::Satisfied => Some(here.choose(None)),
            }
        }
    }
}

/// A rollout in flight and the alias that it moves.
pub(super) struct Here<'s, 'f> {
    pub(super) situation: &'s Situation<'f>,
    pub(super) flight: &'s Flight,
    pub(super) canary: &'s Canary,
    pub(super) alias: &'s Alias,
}

impl Here<'_, '_> {
    /// Someone else moved the alias. Once it is put back, its step starts anew: while it was away
    /// the canary did not have its weight.
    fn lost_sight(&self) -> Plan {
        let mut plan = conflict::settle(self.situation);
        if plan.unread.is_some() {
            return plan;
        }
        if let Some(flight) = plan.memory.flight.as_mut().filter(|flight| !flight.is_baking()) {
            let held = flight.held.take();
            *flight = Flight { held, ..Flight::before(flight.steps.clone(), flight.index) };
        }
        plan
    }

    /// What to do where the alias is where it was left; `awaited` is what the evidence lacks.
    fn choose(&self, awaited: Option<String>) -> Plan {
        let situation = self.situation;
        if let Some(held) = &self.flight.held {
            return self.held(&held.message);
        }
        if let Some(plan) = audit::stays(situation, self.canary) {
            return plan;
        }
        match &situation.facts.wanted {
            // What was seen of this flight is remembered all the same.
            Err(Unready::Unusable(unusable)) => preflight::unusable(situation, unusable),
            Err(Unready::Unpublished(draft)) => publish::release(situation, draft),
            Err(Unready::Unread(unread)) => unread::stay(situation, unread),
            Ok(wanted) if situation.memory.revision.as_ref() != Some(&wanted.revision) => {
                self.supersede(&wanted.version)
            }
            Ok(_) => {
                let closed = self.window_closed();
                closed.unwrap_or_else(|| match situation.memory.paused_at {
                    Some(_) => self.paused(),
                    None => self.go_on(awaited),
                })
            }
        }
    }

    /// The new version failed: back to stable, or held for a person to decide.
    pub(super) fn fail(&self, failed: &Failed) -> Plan {
        let Failed { reason, message } = failed;
        let terms = self.situation.facts.terms.as_ref();
        match terms.map(|terms| terms.on_failure).unwrap_or_default() {
            OnFailure::Rollback => {
                self.end(Outcome::RolledBack, reason, message.clone(), Phase::RollingBack)
            }
            OnFailure::Hold => {
                let mut plan = self.held(message);
                if let Some(flight) = &mut plan.memory.flight {
                    flight.held.get_or_insert_with(|| Held {
                        reason: (*reason).to_owned(),
                        message: message.clone(),
                    });
                }
                plan
            }
        }
    }

    fn held(&self, message: &str) -> Plan {
        let revision = self.situation.memory.revision.as_deref().unwrap_or_default();
        let weight = self.situation.weight().unwrap_or(0);
        let message = format!(
            "failed and held at {weight}%: {message}; go back with the verb abort@{revision}, or go on with fresh evidence with resume@{revision}"
        );
        let report = self.situation.report(Phase::Held, "Failed", message);
        self.situation.plan(report, Revisit::At(self.situation.later(FLIGHT_POLL)))
    }

    /// A newer release takes the place of this one. It starts from stable; one that is already at
    /// 100 becomes the stable one.
    fn supersede(&self, version: &str) -> Plan {
        let message = format!("release {version} takes the place of {}", self.canary.version);
        if self.flight.is_baking() {
            return self.end(Outcome::Promoted, "Superseded", message, Phase::Promoting);
        }
        self.end(Outcome::Superseded, "Superseded", message, Phase::RollingBack)
    }

    fn arriving(&self) -> Plan {
        let weight = self.situation.weight().unwrap_or(0);
        let message = format!("version {} is at {weight}%", self.canary.version);
        let report = self.situation.report(Phase::Progressing, "Progressing", message);
        self.situation.plan(report, Revisit::Now)
    }

    /// The step's weight was read back, or it needs none: from now on it counts.
    fn enter(&self, index: usize) -> Plan {
        let stamp = self.situation.stamp();
        let steps = self.flight.steps.clone();
        let entered = Flight { entered_at: Some(stamp), ..Flight::before(steps, index) };
        let entering = self.situation.with_flight(entered.clone());
        let here = Here { situation: &entering, flight: &entered, ..*self };
        match entered.steps.get(index) {
            Some(Step::Smoke(smoke)) => here.smoke(smoke),
            Some(Step::Weight { .. } | Step::Approve { .. }) | None => here.waiting(stamp, None),
        }
    }

    fn paused(&self) -> Plan {
        let revision = self.situation.memory.revision.as_deref().unwrap_or_default();
        let weight = self.situation.weight().unwrap_or(0);
        let message = format!(
            "paused: version {} stays at {weight}%; go on with the verb resume@{revision}",
            self.canary.version
        );
        let report = self.situation.report(Phase::Progressing, "Paused", message);
        self.situation.plan(report, Revisit::At(self.situation.later(FLIGHT_POLL)))
    }

    fn go_on(&self, awaited: Option<String>) -> Plan {
        let flight = self.flight;
        match (flight.entered_at, flight.steps.get(flight.index)) {
            (None, Some(step)) => self.take(flight.index, step),
            (Some(_), Some(Step::Smoke(smoke))) => self.smoke(smoke),
            (Some(entered), Some(step)) => self.wait_or_leave(entered, step, awaited),
            (Some(entered), None) => self.bake_and_check(entered, awaited),
            (None, None) => self.finish(),
        }
    }

    /// Takes a step that was not entered yet.
    fn take(&self, index: usize, step: &Step) -> Plan {
        let Some(weight) = step.percent() else { return self.enter(index) };
        if let Some(waiting) = self.before_weight(index) {
            return waiting;
        }
        let message = format!("setting version {} to {weight}%", self.canary.version);
        let report = self.situation.report(Phase::Progressing, "Progressing", message);
        let canary = self.canary.version.clone();
        let to = Destination::Weighted { canary, weight, step: index };
        self.situation.moving(self.alias, to, report, Purpose::Advance)
    }

    fn wait_or_leave(&self, entered: Timestamp, step: &Step, awaited: Option<String>) -> Plan {
        let over = self.until(entered, step).is_some_and(|until| until <= self.situation.now);
        match (step, awaited) {
            (Step::Weight { .. }, None) if over => self.leave(),
            (Step::Weight { hold, max_wait, .. }, Some(what)) if over => {
                let longest = max_wait.unwrap_or(MAX_WAIT).max(*hold);
                self.wait_for_data(later(entered, longest.signed()), &what)
            }
            (Step::Approve { on_timeout: OnTimeout::Promote, .. }, None) if over => self.leave(),
            // Silence is a yes, but no evidence.
            (Step::Approve { on_timeout: OnTimeout::Promote, timeout, .. }, Some(what)) if over => {
                let longest = timeout.unwrap_or_default().max(MAX_WAIT);
                self.wait_for_data(later(entered, longest.signed()), &what)
            }
            (Step::Approve { on_timeout: OnTimeout::Abort, .. }, _) if over => {
                let message = format!("nobody approved step {} in time", self.flight.index);
                self.end(Outcome::Aborted, "ApprovalTimedOut", message, Phase::RollingBack)
            }
            (Step::Weight { .. } | Step::Approve { .. } | Step::Smoke(_), awaited) => {
                self.waiting(entered, awaited)
            }
        }
    }

    /// Invokes the new version once, and goes by how it went.
    fn smoke(&self, smoke: &Smoke) -> Plan {
        let version = &self.canary.version;
        match &self.flight.smoke {
            Some(smoke) if smoke.passed => self.leave(),
            Some(SmokeStatus { message, .. }) => {
                let message = format!("smoke test of version {version}: {message}");
                self.fail(&Failed { reason: "SmokeFailed", message })
            }
            None => {
                let message = format!("invoking version {version} directly");
                let report = self.situation.report(Phase::Smoke, "Smoke", message);
                let mut plan = self.situation.plan(report, Revisit::Now);
                plan.actions.push(Action::Invoke {
                    function: self.situation.facts.function.clone(),
                    version: version.clone(),
                    smoke: smoke.clone(),
                });
                plan
            }
        }
    }

    /// The time of the step is over and the evidence is not there: it waits, and then fails.
    pub(super) fn wait_for_data(&self, until: Timestamp, what: &str) -> Plan {
        let now = self.situation.now;
        let weight = self.situation.weight().unwrap_or(0);
        if until <= now {
            let message = format!("no evidence in time: {what}");
            return self.fail(&Failed { reason: "NoData", message });
        }
        let limit = clock_time(until, self.flight.entered_at.unwrap_or(now));
        let message = format!("{weight}%: {what}; waits until {limit}, then fails");
        let report = self.situation.report(Phase::WaitingData, "WaitingData", message);
        self.situation.plan(report, Revisit::At(self.wake(Some(until))))
    }

    /// The alias is at 100: watched until the bake is over.
    pub(super) fn bake(&self, entered: Timestamp, awaited: Option<String>) -> Plan {
        let situation = self.situation;
        let bake = situation.facts.terms.as_ref().map_or(Duration::ZERO, |terms| terms.bake);
        let until = later(entered, bake.signed());
        match awaited {
            Some(what) if until <= situation.now => {
                self.wait_for_data(later(entered, MAX_WAIT.max(bake).signed()), &what)
            }
            None if until <= situation.now => {
                let checked = bake == Duration::ZERO;
                let message =
                    if checked { "its checks hold" } else { "the bake is over" }.to_owned();
                self.end(Outcome::Promoted, "StepsCompleted", message, Phase::Baking)
            }
            awaited => {
                let what = awaited.map_or_else(String::new, |what| format!("{what}; "));
                let limit = clock_time(until, entered);
                let message = format!("100%: {what}watched until {limit}");
                let report = Report {
                    hold_until: Some(until),
                    ..situation.report(Phase::Baking, "Baking", message)
                };
                situation.plan(report, Revisit::At(self.wake(Some(until))))
            }
        }
    }

    /// When to look again: when the step's time is over, the next evaluation is due, or the alias
    /// should be read again.
    fn wake(&self, until: Option<Timestamp>) -> Timestamp {
        let poll = self.situation.later(FLIGHT_POLL);
        let criteria = self.situation.facts.terms.as_ref().map(|terms| &terms.criteria);
        let evaluated = criteria
            .and_then(|criteria| next_due(criteria, self.canary, self.flight))
            .filter(|due| *due > self.situation.now);
        [until, evaluated].into_iter().flatten().fold(poll, Timestamp::min)
    }

    /// The step has done its work: on to the next one, or to 100.
    fn leave(&self) -> Plan {
        let next = self.flight.index.saturating_add(1);
        match self.flight.steps.get(next) {
            Some(step) => self.take(next, step),
            None => self.finish(),
        }
    }

    fn finish(&self) -> Plan {
        if let Some(waiting) = self.before_promotion() {
            return waiting;
        }
        let message = format!("setting the alias to version {} alone", self.canary.version);
        self.end(Outcome::Promoted, "StepsCompleted", message, Phase::Promoting)
    }

    pub(super) fn end(
        &self,
        outcome: Outcome,
        reason: &'static str,
        message: String,
        phase: Phase,
    ) -> Plan {
        let report = self.situation.report(phase, reason, message.clone());
        let mut plan = self.situation.plan(report, Revisit::Now);
        plan.memory.end(outcome, reason, message);
        plan
    }

    /// Until when a step that was entered then lasts; none: until a person speaks.
    fn until(&self, entered: Timestamp, step: &Step) -> Option<Timestamp> {
        let lasts = match step {
            Step::Weight { hold, .. } => *hold,
            Step::Approve { timeout, .. } => (*timeout)?,
            Step::Smoke(_) => Duration::ZERO,
        };
        Some(later(entered, lasts.signed()))
    }

    fn waiting(&self, entered: Timestamp, awaited: Option<String>) -> Plan {
        let Some(step) = self.flight.steps.get(self.flight.index) else { return self.finish() };
        let until = self.until(entered, step);
        let limit = until.map(|until| clock_time(until, entered));
        let (phase, reason, message) = match step {
            Step::Weight { percent, .. } => {
                let what = awaited.map_or_else(String::new, |what| format!("{what}; "));
                let limit = limit.unwrap_or_default();
                let message = format!("{percent}%: {what}holds until {limit}");
                (Phase::Progressing, "Progressing", message)
            }
            Step::Approve { message, on_timeout, .. } => {
                let message = self.asks(message, *on_timeout, limit);
                (Phase::WaitingApproval, "WaitingApproval", message)
            }
            Step::Smoke(smoke) => return self.smoke(smoke),
        };
        let report = Report { hold_until: until, ..self.situation.report(phase, reason, message) };
        self.situation.plan(report, Revisit::At(self.wake(until)))
    }

    /// What a person is asked.
    fn asks(&self, look_at: &str, on_timeout: OnTimeout, limit: Option<String>) -> String {
        let revision = self.situation.memory.revision.as_deref().unwrap_or_default();
        let look = if look_at.is_empty() { String::new() } else { format!(" ({look_at})") };
        let limit = match (limit, on_timeout) {
            (None, _) => String::new(),
            (Some(limit), OnTimeout::Abort) => format!("; aborts at {limit}"),
            (Some(limit), OnTimeout::Promote) => format!("; goes on at {limit}"),
        };
        let (index, weight) = (self.flight.index, self.flight.steps.weight_at(self.flight.index));
        format!("{weight}%: waits for approval{look}: verb promote@{revision}/{index}{limit}")
    }
}
