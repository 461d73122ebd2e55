//! What a rollout remembers between passes: the part of the status that decisions read.

use jiff::Timestamp;

use super::rollout::Steps;
use crate::api::{
    analysis::MetricStatus,
    canary_rollout::{
        CanaryRolloutStatus, Ending, HISTORY_MAX, Held, HistoryEntry, Outcome, StepStatus,
    },
    duration::Duration,
    shared::LastAction,
};

/// What a rollout remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Revision that is in flight, or was the last one.
    pub revision: Option<String>,
    /// Version that the alias goes back to, or that it serves when nothing is in flight.
    pub stable: Option<String>,
    /// Version in flight, or the last one that went back.
    pub canary: Option<Canary>,
    /// Where the rollout stands; none when nothing is in flight.
    pub flight: Option<Flight>,
    /// Alarms that fired before the start and are ignored until they are OK.
    pub ignored_alarms: Vec<String>,
    /// When a person paused it.
    pub paused_at: Option<Timestamp>,
    /// How earlier revisions ended, newest first.
    pub history: Vec<HistoryEntry>,
    /// How the last verb ended.
    pub last_action: Option<LastAction>,
}

/// A version on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Version number.
    pub version: String,
    /// Its CodeSha256.
    pub code_sha256: Option<String>,
    /// The function's timeout in this version.
    pub timeout: Option<Duration>,
    /// When its rollout started.
    pub started_at: Timestamp,
}

/// Where a rollout in flight stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    /// The steps, frozen when it started.
    pub steps: Steps,
    /// Step that is being entered or was entered; `steps.len()` once all are behind.
    pub index: usize,
    /// When the step was entered; none until its weight was read back.
    pub entered_at: Option<Timestamp>,
    /// Invocations of the canary that were counted since the step was entered.
    pub invocations: i64,
    /// End of the data that was evaluated.
    pub through: Option<Timestamp>,
    /// The newest verdicts of this step.
    pub analysis: Vec<MetricStatus>,
    /// Why it failed and is held.
    pub held: Option<Held>,
    /// How it is about to end; the alias is moved only after this was published.
    pub ending: Option<Ending>,
}

impl Ending {
    /// Whether the alias goes back to the stable version.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.outcome != Outcome::Promoted
    }
}

impl Flight {
    /// A flight that is about to enter a step, with nothing counted yet.
    #[must_use]
    pub fn before(steps: Steps, index: usize) -> Self {
        Self {
            steps,
            index,
            entered_at: None,
            invocations: 0,
            through: None,
            analysis: Vec::new(),
            held: None,
            ending: None,
        }
    }

    /// Whether the alias is at 100 and still watched.
    #[must_use]
    pub fn is_baking(&self) -> bool {
        self.index >= self.steps.len() && self.entered_at.is_some()
    }

    /// Percentage at which the alias was left, before 100.
    #[must_use]
    pub fn weight(&self) -> i32 {
        match self.entered_at {
            Some(_) => self.steps.weight_at(self.index),
            None => self.steps.weight_before(self.index),
        }
    }
}

impl Memory {
    /// Reads the memory out of a status. What makes no sense there is forgotten, with everything
    /// that hangs on it: the alias and its mark then tell what is safe.
    #[must_use]
    pub fn recall(status: Option<&CanaryRolloutStatus>) -> Self {
        let Some(status) = status else { return Self::default() };
        let people = Self {
            history: status.history.clone(),
            last_action: status.last_action.clone(),
            ..Self::default()
        };
        let (Some(revision), Some(stable)) = (&status.revision, &status.stable) else {
            return people;
        };
        let canary = status.canary.as_ref().filter(|canary| canary.version != stable.version);
        let canary = canary.map(|canary| Canary {
            version: canary.version.clone(),
            code_sha256: canary.code_sha256.clone(),
            timeout: canary.timeout,
            started_at: canary.started_at.0,
        });
        let flight = canary.as_ref().and(status.step.as_ref()).and_then(|s| flight(status, s));
        if status.step.is_some() && flight.is_none() {
            return people;
        }
        Self {
            revision: Some(revision.clone()),
            stable: Some(stable.version.clone()),
            paused_at: flight.as_ref().and(status.paused_at.as_ref()).map(|time| time.0),
            flight,
            canary,
            ignored_alarms: status.ignored_alarms.clone(),
            ..people
        }
    }

    /// How the current revision ended, if it did.
    #[must_use]
    pub fn concluded(&self) -> Option<&HistoryEntry> {
        let newest = self.history.first()?;
        (self.flight.is_none() && self.revision.as_ref() == Some(&newest.revision))
            .then_some(newest)
    }

    /// Writes the end of a revision into the history.
    pub fn remember(&mut self, entry: HistoryEntry) {
        self.history.insert(0, entry);
        self.history.truncate(HISTORY_MAX);
    }

    /// Starts to end the flight; the alias is moved once this is published. Ending what is not in
    /// flight does nothing.
    pub fn end(&mut self, outcome: Outcome, reason: &str, message: String) {
        if let Some(flight) = &mut self.flight {
            flight.ending = Some(Ending { outcome, reason: reason.into(), message });
        }
    }
}

fn flight(status: &CanaryRolloutStatus, step: &StepStatus) -> Option<Flight> {
    let steps = Steps::parse(&status.steps, "steps").ok()?;
    let index = usize::try_from(step.index).ok().filter(|index| *index <= steps.len())?;
    Some(Flight {
        steps,
        index,
        entered_at: step.entered_at.as_ref().map(|time| time.0),
        invocations: step.invocations.unwrap_or(0).max(0),
        through: step.through.as_ref().map(|time| time.0),
        analysis: status.analysis.clone(),
        held: status.held.clone(),
        ending: status.ending.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary_rollout::world::{REVISION, World, ended, k8s_time, stored, time, weight};

    /// Recalls a status that was damaged in one way.
    fn damaged(damage: impl FnOnce(&mut CanaryRolloutStatus)) -> Memory {
        let mut status = World::flying(0, Some("01:44:00")).status;
        status.history = vec![ended("b07d3e", "42", Outcome::Promoted, "StepsCompleted")];
        damage(&mut status);
        Memory::recall(Some(&stored(&status)))
    }

    #[test]
    fn what_was_published_is_recalled() {
        let memory = damaged(|_| {});
        assert_eq!(memory.revision.as_deref(), Some(REVISION));
        assert_eq!(memory.stable.as_deref(), Some("42"));
        assert_eq!(memory.canary.unwrap().started_at, time("01:43:00"));
        let flight = memory.flight.unwrap();
        assert_eq!((flight.index, flight.entered_at), (0, Some(time("01:44:00"))));
        assert_eq!(Memory::recall(None), Memory::default());
    }

    #[test]
    fn a_status_that_makes_no_sense_is_forgotten_but_its_history_is_not() {
        let damages: [fn(&mut CanaryRolloutStatus); 8] = [
            |status| status.revision = None,
            |status| status.stable = None,
            |status| status.canary = None,
            |status| status.canary.as_mut().unwrap().version = "42".into(),
            |status| status.step.as_mut().unwrap().index = -1,
            |status| status.step.as_mut().unwrap().index = 4,
            |status| status.steps = vec![weight(50, "0s"), weight(10, "0s")],
            |status| status.steps = vec![crate::api::canary_rollout::Step::default()],
        ];
        for (index, damage) in damages.into_iter().enumerate() {
            let memory = damaged(damage);
            assert_eq!(memory.history.len(), 1, "damage {index}");
            assert_eq!(Memory { history: Vec::new(), ..memory }, Memory::default(), "{index}");
        }
    }

    #[test]
    fn a_pause_belongs_to_a_flight() {
        let paused = damaged(|status| status.paused_at = Some(k8s_time("01:45:00")));
        assert_eq!(paused.paused_at, Some(time("01:45:00")));
        let mut status = World::concluded(Outcome::Promoted, "x").status;
        status.paused_at = Some(k8s_time("01:45:00"));
        assert_eq!(Memory::recall(Some(&status)).paused_at, None);
    }

    #[test]
    fn a_revision_is_concluded_when_the_newest_entry_is_about_it_and_nothing_flies() {
        let memory = World::concluded(Outcome::Aborted, "AbortedByUser").memory();
        assert_eq!(memory.concluded().map(|entry| entry.outcome), Some(Outcome::Aborted));
        let other = Memory { revision: Some("b07d3e".into()), ..memory.clone() };
        assert_eq!(other.concluded(), None);
        let flying = Memory { flight: World::flying(0, None).memory().flight, ..memory };
        assert_eq!(flying.concluded(), None);
    }

    #[test]
    fn the_history_keeps_the_newest_ten() {
        let mut memory = Memory::default();
        for version in 1..=12 {
            let version = version.to_string();
            memory.remember(ended("b07d3e", &version, Outcome::Promoted, "StepsCompleted"));
        }
        let kept: Vec<_> = memory.history.iter().map(|entry| entry.version.as_str()).collect();
        assert_eq!(kept, ["12", "11", "10", "9", "8", "7", "6", "5", "4", "3"]);
    }

    #[test]
    fn what_is_not_in_flight_cannot_end() {
        let mut memory = Memory::default();
        memory.end(Outcome::Aborted, "AbortedByUser", "aborted".into());
        assert_eq!(memory, Memory::default());
    }

    #[test]
    fn a_flight_was_left_at_the_weight_of_the_last_step_that_was_entered() {
        let weight =
            |index, entered| World::flying(index, entered).memory().flight.unwrap().weight();
        let now = Some("01:44:00");
        assert_eq!([0, 1, 2, 3].map(|index| weight(index, None)), [0, 10, 10, 50]);
        assert_eq!([0, 1, 2].map(|index| weight(index, now)), [10, 10, 50]);
    }
}
