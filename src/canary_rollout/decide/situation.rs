//! The facts of a pass beside its memory, with the questions that every rule asks.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Facts, lost,
    plan::{Action, Note, Plan, Purpose, Report, Revisit, percentage},
    window,
};
use crate::{
    api::{
        ABANDON_ANNOTATION,
        canary_rollout::{Ending, HistoryEntry, Outcome, Phase},
        check::CheckStatus,
    },
    canary_rollout::memory::{Canary, Flight, Memory},
    facts::kubernetes::Deletion,
    facts::lambda::{Alias, AliasChange, VersionWeight},
    names::{self, Mark},
    time::moments,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How often the alias is read while a rollout is in flight: a foreign change is noticed within
/// this time, and 200 rollouts take a quarter of Lambda's 15 calls/s.
pub(super) const FLIGHT_POLL: SignedDuration = SignedDuration::from_secs(60);
/// How often an alias at rest is read: 10,000 of them take 11 of the calls that nobody else wants.
pub(super) const SETTLED_POLL: SignedDuration = SignedDuration::from_secs(15 * 60);
/// How often something that ends by itself within seconds or minutes is looked at.
pub(super) const PENDING_POLL: SignedDuration = SignedDuration::from_secs(5);
/// Weights this close are the same: Lambda keeps two decimals of a share.
const WEIGHT_TOLERANCE: f64 = 1e-6;

pub(super) struct Situation<'a> {
    pub(super) facts: &'a Facts,
    pub(super) memory: Memory,
    pub(super) now: Timestamp,
    pub(super) notes: Vec<Note>,
}

impl<'a> Situation<'a> {
    pub(super) fn new(facts: &'a Facts, memory: Memory, now: Timestamp) -> Self {
        Self { facts, memory, now, notes: Vec::new() }
    }

    /// The same with another flight in memory.
    pub(super) fn with_flight(&self, flight: Flight) -> Self {
        let mut memory = self.memory.clone();
        memory.flight = Some(flight);
        Self { facts: self.facts, memory, now: self.now, notes: self.notes.clone() }
    }

    /// The same with other checks in memory.
    pub(super) fn with_checks(&self, checks: Vec<CheckStatus>) -> Self {
        let mut memory = self.memory.clone();
        memory.checks = checks;
        Self { facts: self.facts, memory, now: self.now, notes: self.notes.clone() }
    }

    /// The canary, if a rollout is in flight.
    pub(super) fn flying(&self) -> Option<&Canary> {
        self.memory.flight.as_ref().and(self.memory.canary.as_ref())
    }

    /// A message about the next release, with what becomes of the one in flight meanwhile.
    pub(super) fn beside_flight(&self, message: String) -> String {
        match (self.flying(), self.weight()) {
            (Some(canary), Some(weight)) => {
                format!("{message}; version {} stays at {weight}%", canary.version)
            }
            (_, _) => message,
        }
    }

    pub(super) fn later(&self, span: SignedDuration) -> Timestamp {
        moments::after(self.now, span)
    }

    /// The time with which something that was seen now is recorded.
    pub(super) fn stamp(&self) -> Timestamp {
        moments::stamp(self.now)
    }

    /// Percentage that the canary has by the alias; none when the alias is in no state of ours.
    pub(super) fn weight(&self) -> Option<i32> {
        let alias = self.facts.alias.as_ref()?;
        let canary = self.memory.canary.as_ref()?;
        match alias.weights.as_slice() {
            [] if alias.version == canary.version => Some(100),
            [] => Some(0),
            [extra] if extra.version == canary.version => percent(extra.weight),
            [_, ..] => None,
        }
    }

    /// Whether the alias is at the stable version with exactly this percentage for the canary.
    pub(super) fn carries(&self, alias: &Alias, weight: i32) -> bool {
        let canary = self.memory.canary.as_ref().map(|canary| &canary.version);
        let weighted = match alias.weights.as_slice() {
            [] => weight == 0,
            [extra] => canary == Some(&extra.version) && percent(extra.weight) == Some(weight),
            [_, _, ..] => false,
        };
        weighted && self.memory.stable.as_ref() == Some(&alias.version)
    }

    pub(super) fn report(&self, phase: Phase, reason: &'static str, message: String) -> Report {
        Report {
            phase,
            reason,
            message,
            weight: self.weight(),
            hold_until: None,
            difference: None,
            alias_revision: self.facts.alias.as_ref().map(|alias| alias.revision_id.clone()),
            window: window::told(self, phase),
        }
    }

    /// A plan without writes. The finalizer is there exactly while a rollout is in flight; also while
    /// only its mark tells of it.
    pub(super) fn plan(&self, report: Report, revisit: Revisit) -> Plan {
        Plan {
            memory: self.memory.clone(),
            report,
            actions: Vec::new(),
            not_after: None,
            finalizer: self.memory.flight.is_some() || self.keeps_finalizer(),
            notes: self.notes.clone(),
            revisit,
            needs: None,
            spared: Vec::new(),
            findings: None,
            unread: None,
            ahead: Vec::new(),
        }
    }

    /// Whether our finalizer guards weights of ours that nobody remembers: they can be taken up only
    /// once the release is a version.
    fn keeps_finalizer(&self) -> bool {
        self.facts.finalizer && self.memory.revision.is_none() && lost::marked(self).is_some()
    }

    /// A plan that moves the alias to `version`, with the canary at `weight` if that is above 0.
    ///
    /// Without our finalizer nothing moves forward: the pass only asks for it. Undo does not wait,
    /// because an object that is being deleted gets no finalizer any more.
    pub(super) fn moving(
        &self,
        alias: &Alias,
        to: Destination,
        report: Report,
        purpose: Purpose,
    ) -> Plan {
        let mut plan = self.plan(report, Revisit::Now);
        if self.facts.finalizer || purpose == Purpose::Undo {
            let change = self.change(alias, to);
            if purpose == Purpose::Advance {
                plan.not_after = window::not_after(self);
            }
            plan.actions.push(Action::UpdateAlias { change, purpose });
        }
        plan
    }

    fn change(&self, alias: &Alias, to: Destination) -> AliasChange {
        let (version, weight, description) = match to {
            Destination::Alone(version) => (version, None, names::unmarked(&alias.description)),
            Destination::Weighted { canary, weight, step } => {
                // Where somebody else moved the alias, it is put back with the weight.
                let stable = self.memory.stable.as_ref().unwrap_or(&alias.version);
                let mark = Mark {
                    owner: self.facts.owner.clone(),
                    revision: self.memory.revision.clone().unwrap_or_default(),
                    step,
                };
                let share = VersionWeight { version: canary, weight: f64::from(weight) / 100.0 };
                (stable.clone(), Some(share), mark.write(&alias.description))
            }
        };
        AliasChange {
            function: self.facts.function.clone(),
            alias: self.facts.alias_name.clone(),
            version,
            weight,
            description,
            revision_id: alias.revision_id.clone(),
        }
    }

    /// Someone else moved the alias: nothing is touched until it is as it was, or a person decides.
    pub(super) fn conflict(&self) -> Plan {
        let difference = match self.left() {
            Some(left) => format!("{}; it belongs at {left}", self.found()),
            None => self.found(),
        };
        let message = format!("{difference}; {}", self.way_out());
        self.out_of_sync(Phase::Conflict, "AliasMoved", message, difference)
    }

    /// The alias carries the mark of another rollout.
    pub(super) fn taken(&self, mark: &Mark) -> Plan {
        let difference = format!(
            "alias {} is moved by the CanaryRollout {}/{} of cluster {}",
            self.facts.alias_name, mark.owner.namespace, mark.owner.name, mark.owner.cluster
        );
        let message = format!(
            "{difference}; delete one of the two, or end this one with the verb abort@{}",
            self.revision()
        );
        self.out_of_sync(Phase::Conflict, "AliasMoved", message, difference)
    }

    pub(super) fn out_of_sync(
        &self,
        phase: Phase,
        reason: &'static str,
        message: String,
        difference: String,
    ) -> Plan {
        let report = Report { difference: Some(difference), ..self.report(phase, reason, message) };
        self.plan(report, Revisit::At(self.later(FLIGHT_POLL)))
    }

    /// What a person can do about an alias that is not where it was left.
    pub(super) fn way_out(&self) -> String {
        let revision = self.revision();
        let weighted = self.facts.alias.as_ref().is_some_and(|alias| !alias.weights.is_empty());
        let flight = self.memory.flight.as_ref();
        let back = flight.and_then(|flight| flight.ending.as_ref()).is_some_and(Ending::goes_back);
        match (flight, weighted) {
            (Some(_), true) if back && self.facts.deletion == Deletion::Undo => format!(
                "remove the weights, then the rest is undone, or let go without undoing with the annotation {ABANDON_ANNOTATION}: \"true\""
            ),
            (Some(_), true) if back => "remove the weights, then the rest is undone".into(),
            (Some(_), true) => {
                format!("put it back, or end the rollout with the verb abort@{revision}")
            }
            (Some(_), false) => {
                format!("put it back, or start again from there with the verb retry@{revision}")
            }
            (None, true) => "remove the weights".into(),
            (None, false) => format!("put it back, or accept it with the verb retry@{revision}"),
        }
    }

    /// The revision as verbs name it.
    pub(super) fn revision(&self) -> &str {
        self.memory.revision.as_deref().unwrap_or_default()
    }

    /// Where the alias belongs, in words: `version 42 with 43 at 10%`; none when nobody knows.
    fn left(&self) -> Option<String> {
        let stable = self.memory.stable.as_ref()?;
        let flight = self.memory.flight.as_ref();
        let weight = flight.map_or(0, |flight| flight.steps.weight_at(flight.index));
        let baking = self.memory.flight.as_ref().is_some_and(Flight::is_baking);
        Some(match &self.memory.canary {
            Some(canary) if baking => format!("version {}", canary.version),
            Some(canary) if weight > 0 => {
                format!("version {stable} with {} at {weight}%", canary.version)
            }
            Some(_) | None => format!("version {stable}"),
        })
    }

    /// The alias in words: `production serves version 42 with 43 at 10%`.
    pub(super) fn found(&self) -> String {
        let name = &self.facts.alias_name;
        let Some(alias) = &self.facts.alias else { return format!("alias {name} does not exist") };
        let mut text = format!("alias {name} serves version {}", alias.version);
        for extra in &alias.weights {
            text.push_str(&format!(" with {} at {}", extra.version, percentage(extra.weight)));
        }
        text
    }

    /// Ends the flight in memory and writes it into the history.
    pub(super) fn conclude(&self, outcome: Outcome, reason: &str, message: &str) -> Memory {
        let mut memory = self.memory.clone();
        memory.flight = None;
        memory.paused_at = None;
        if let (Some(canary), Some(revision)) = (&self.memory.canary, &self.memory.revision) {
            memory.remember(HistoryEntry {
                version: canary.version.clone(),
                revision: revision.clone(),
                code_sha256: canary.code_sha256.clone(),
                stable: self.memory.stable.clone(),
                outcome,
                reason: reason.into(),
                message: message.into(),
                started_at: Time(canary.started_at),
                ended_at: Time(self.stamp()),
            });
        }
        memory
    }
}

/// Where an alias is moved to.
pub(super) enum Destination {
    /// One version for everybody.
    Alone(String),
    /// The stable version, and a share for the canary.
    Weighted { canary: String, weight: i32, step: usize },
}

/// A share of invocations as a whole percentage; none when it is not one.
fn percent(share: f64) -> Option<i32> {
    let percent = share * 100.0;
    let whole = percent.round();
    let fits = (percent - whole).abs() < WEIGHT_TOLERANCE && (0.0..=100.0).contains(&whole);
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100, as just checked")]
    fits.then_some(whole as i32)
}

/// A time for a message: the time of day, with its date where that is another day than `since`.
pub(super) fn clock_time(time: Timestamp, since: Timestamp) -> String {
    let (time, since) = (time.to_zoned(TimeZone::UTC), since.to_zoned(TimeZone::UTC));
    if time.date() == since.date() {
        time.strftime("%H:%M:%SZ").to_string()
    } else {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
