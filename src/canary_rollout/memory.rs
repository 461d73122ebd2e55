//! What a rollout remembers between passes: the part of the status that decisions read.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::rollout::Steps;
use crate::api::{
    analysis::MetricStatus,
    canary_rollout::{
        CanaryRolloutStatus, Conflict, Counted, Ending, HISTORY_MAX, HISTORY_SORT_MAX, Held,
        HistoryEntry, Outcome, PUT_BACKS_MAX, PublishingStatus, PutBack, SmokeStatus, StepStatus,
    },
    check::CheckStatus,
    duration::Duration,
    fit::{ACTION_MAX, ANSWERED_MAX, Fit, IGNORED_ALARMS_MAX, cut},
    shared::LastAction,
};

/// Longest that the answer to a read may lie behind a write: GetAlias is some seconds late.
const READ_AGE_MAX: SignedDuration = SignedDuration::from_secs(120);

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
    /// The release that is being made a version; none once its rollout starts.
    pub publishing: Option<Publishing>,
    /// Revision after which old versions were deleted.
    pub pruned: Option<String>,
    /// Alarms that fired before the start and are ignored until they are OK.
    pub ignored_alarms: Vec<String>,
    /// When a person paused it.
    pub paused_at: Option<Timestamp>,
    /// How earlier revisions ended, newest first.
    pub history: Vec<HistoryEntry>,
    /// How the last verb ended.
    pub last_action: Option<LastAction>,
    /// Verbs that were answered, newest first.
    pub answered: Vec<String>,
    /// What the checks said last.
    pub checks: Vec<CheckStatus>,
    /// The alias is not where it was left.
    pub conflict: Option<Conflict>,
    /// When the alias was put back, newest first.
    pub put_backs: Vec<PutBack>,
}

/// A release on its way to being a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publishing {
    /// Revision that it becomes.
    pub revision: String,
    /// CodeSha256 that `$LATEST` had after its code was replaced for this.
    pub uploaded: Option<String>,
    /// What is published next, if it still is so then.
    pub intent: Option<Intent>,
    /// The version that came of it.
    pub version: Option<String>,
}

/// What PublishVersion is about to be sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// CodeSha256 of `$LATEST`.
    pub code_sha256: String,
    /// Revision id of `$LATEST`.
    pub revision_id: String,
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
    /// What was counted of the minutes that are not read again; none before the first evaluation.
    pub counted: Option<Counted>,
    /// The newest verdicts of this step.
    pub analysis: Vec<MetricStatus>,
    /// How the smoke test of this step went.
    pub smoke: Option<SmokeStatus>,
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
            counted: None,
            analysis: Vec::new(),
            smoke: None,
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
            answered: status.answered.clone(),
            publishing: status.publishing.clone().map(Publishing::from),
            checks: status.checks.clone(),
            put_backs: status.put_backs.clone(),
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
            pruned: status.pruned.clone(),
            ignored_alarms: status.ignored_alarms.clone(),
            conflict: status.conflict.clone(),
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

    /// The version that a revision became, as far as is remembered.
    #[must_use]
    pub fn version_of(&self, revision: &str) -> Option<&str> {
        let made = self.publishing.as_ref().filter(|one| one.revision == revision);
        let flown = self.canary.as_ref().filter(|_| self.revision.as_deref() == Some(revision));
        let ended = self.history.iter().find(|entry| entry.revision == revision);
        made.and_then(|one| one.version.as_deref())
            .or(flown.map(|canary| canary.version.as_str()))
            .or(ended.map(|entry| entry.version.as_str()))
    }

    /// The releases that were served at most `window` revisions ago, before the one that was served
    /// last.
    pub fn served_lately(&self, window: usize) -> impl Iterator<Item = &HistoryEntry> {
        let served = self.history.iter().filter(|entry| entry.outcome.serves());
        served.take(window.saturating_add(1)).skip(1)
    }

    /// The versions that a person, or a release within the window, may go back to.
    #[must_use]
    pub fn ways_back(&self, window: usize) -> BTreeSet<String> {
        let served = self.history.iter().find(|entry| entry.outcome.serves());
        let before = served.and_then(|served| served.stable.clone());
        let lately = self.served_lately(window).map(|entry| entry.version.clone());
        lately.chain(before).collect()
    }

    /// The versions that are known never to have been served by a release of theirs.
    #[must_use]
    pub fn failed(&self) -> BTreeSet<String> {
        let of = |serves: bool| {
            let entries = self.history.iter().filter(move |e| e.outcome.serves() == serves);
            entries.map(|entry| entry.version.clone()).collect::<BTreeSet<_>>()
        };
        of(false).difference(&of(true)).cloned().collect()
    }

    /// Whether the current revision went back so lately that a read may still show it as served.
    #[must_use]
    pub fn went_back_lately(&self, now: Timestamp) -> bool {
        self.concluded().is_some_and(|entry| {
            matches!(entry.outcome, Outcome::RolledBack | Outcome::Aborted)
                && now.duration_since(entry.ended_at.0) < READ_AGE_MAX
        })
    }

    /// Writes the end of a revision into the history. Releases that failed push none out that was
    /// served: `rollbackWindow` looks for these.
    pub fn remember(&mut self, entry: HistoryEntry) {
        self.history.insert(0, entry);
        let (mut served, mut others) = (HISTORY_SORT_MAX, HISTORY_SORT_MAX);
        self.history.retain(|entry| {
            let room = if entry.outcome.serves() { &mut served } else { &mut others };
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
    }

    /// Starts to end the flight; the alias is moved once this is published. Ending what is not in
    /// flight does nothing.
    pub fn end(&mut self, outcome: Outcome, reason: &str, message: String) {
        if let Some(flight) = &mut self.flight {
            flight.ending = Some(Ending { outcome, reason: reason.into(), message });
        }
    }
}

/// What is decided is what is remembered: a text that the status has cut would else differ from its
/// own memory at each pass.
impl Fit for Memory {
    fn fit(&mut self) {
        let Self {
            flight,
            ignored_alarms,
            history,
            last_action,
            answered,
            checks,
            put_backs,
            revision: _,
            stable: _,
            canary: _,
            publishing: _,
            pruned: _,
            paused_at: _,
            conflict: _,
        } = self;
        if let Some(flight) = flight {
            flight.analysis.fit();
            flight.smoke.fit();
            flight.held.fit();
            flight.ending.fit();
        }
        ignored_alarms.truncate(IGNORED_ALARMS_MAX);
        history.truncate(HISTORY_MAX);
        history.fit();
        last_action.fit();
        answered.truncate(ANSWERED_MAX);
        answered.iter_mut().for_each(|value| cut(value, ACTION_MAX));
        checks.fit();
        put_backs.truncate(PUT_BACKS_MAX);
    }
}

impl From<PublishingStatus> for Publishing {
    fn from(status: PublishingStatus) -> Self {
        let PublishingStatus { revision, uploaded, code_sha256, revision_id, version } = status;
        let intent = code_sha256
            .zip(revision_id)
            .map(|(code_sha256, revision_id)| Intent { code_sha256, revision_id });
        Self { revision, uploaded, intent, version }
    }
}

impl From<Publishing> for PublishingStatus {
    fn from(publishing: Publishing) -> Self {
        let Publishing { revision, uploaded, intent, version } = publishing;
        let (code_sha256, revision_id) =
            intent.map(|intent| (intent.code_sha256, intent.revision_id)).unzip();
        Self { revision, uploaded, code_sha256, revision_id, version }
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
        counted: step.counted.clone(),
        analysis: status.analysis.clone(),
        smoke: step.smoke.clone(),
        held: status.held.clone(),
        ending: status.ending.clone(),
    })
}

#[cfg(test)]
mod tests;
