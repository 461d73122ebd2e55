//! C8: an alarm that fires before the start is told as such. Nothing starts while it does, or, where
//! the spec says so, it is ignored until it was OK; and nothing goes back for an alarm that was not
//! seen in ALARM.

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::{
    api::{
        analysis::{AlreadyFiring, AnalysisAlarms},
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Ending},
    },
    facts::{
        cloudwatch::{Alarm, AlarmState},
        lambda::Alias,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::Found;

/// Longest between an answer and what starts on it: the hub keeps it for a minute, and a pass ends
/// after two.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(180);

/// What CloudWatch told of alarms.
#[derive(Debug, Default)]
pub struct Alarms {
    answers: BTreeMap<String, (Timestamp, AlarmState)>,
    /// Alarms that fired when the object's release started, and were never OK since.
    ignored: BTreeMap<String, BTreeSet<String>>,
}

impl Alarms {
    /// CloudWatch gave an answer.
    pub fn read(&mut self, now: Timestamp, alarms: &[Alarm]) {
        for Alarm { name, state } in alarms {
            self.answers.insert(name.clone(), (now, *state));
            if *state == AlarmState::Ok {
                self.ignored.values_mut().for_each(|ignored| {
                    ignored.remove(name);
                });
            }
        }
    }

    /// A person emptied the status: what is ignored is known from there alone.
    pub fn forget(&mut self, key: &str) {
        self.ignored.remove(key);
    }

    /// What is wrong with a status.
    pub fn status(
        &mut self,
        now: Timestamp,
        key: &str,
        (before, after): (&CanaryRollout, &CanaryRollout),
        alias: Option<&Alias>,
    ) -> Found {
        let Some(status) = &after.status else { return Found::new() };
        let analysis = after.spec.analysis.as_ref();
        let Some(alarms) = analysis.and_then(|analysis| analysis.alarms.as_ref()) else {
            return Found::new();
        };
        let mut found = Found::new();
        let old = before.status.as_ref();
        if starts(old, status, alias) {
            found.extend(self.started(now, key, alarms, status));
        }
        let ending = |status: &CanaryRolloutStatus| status.ending.clone();
        let ended = ending(status).filter(|new| old.and_then(ending).as_ref() != Some(new));
        if ended.is_some_and(|ending| ending.reason == "AlarmFiring") {
            found.extend(self.went_back(key, alarms));
        }
        let blocked = |status: &CanaryRolloutStatus| {
            let mut conditions = status.conditions.iter();
            conditions.any(|one| one.type_ == "Ready" && one.reason == "AlarmAlreadyFiring")
        };
        if blocked(status) && !old.is_some_and(blocked) && self.firing(alarms).next().is_none() {
            found.push(("C8", format!("told to fire already: {:?}", self.answers)));
        }
        found
    }

    fn started(
        &mut self,
        now: Timestamp,
        key: &str,
        alarms: &AnalysisAlarms,
        status: &CanaryRolloutStatus,
    ) -> Found {
        let lately = status.ending.as_ref().is_some_and(|ending| ending.reason == "RollbackWindow");
        let mut found = Found::new();
        for name in names(alarms) {
            let answer = self.answers.get(name);
            if answer.is_none_or(|(at, _)| now.duration_since(*at) > AGE_MAX) && !lately {
                found.push(("C8", format!("started without a look at {name}: {answer:?}")));
            }
        }
        let firing: BTreeSet<String> = self.firing(alarms).cloned().collect();
        let blocks = alarms.already_firing.unwrap_or_default() == AlreadyFiring::Block && !lately;
        if blocks && !firing.is_empty() {
            found.push(("C8", format!("started while {firing:?} fired")));
        }
        if !firing.iter().all(|name| status.ignored_alarms.contains(name)) {
            found.push(("C8", format!("{firing:?} fired, and is not told to be ignored")));
        }
        self.ignored.insert(key.to_owned(), firing);
        found
    }

    fn went_back(&self, key: &str, alarms: &AnalysisAlarms) -> Option<(&'static str, String)> {
        let ignored = self.ignored.get(key);
        let counts = |name: &&String| !ignored.is_some_and(|ignored| ignored.contains(*name));
        let firing: Vec<_> = self.firing(alarms).collect();
        let nothing = !firing.iter().any(counts);
        nothing.then(|| ("C8", format!("went back for {firing:?}, of which {ignored:?} are old")))
    }

    /// Those of the spec that were in ALARM when they were last looked at.
    fn firing<'a>(&'a self, alarms: &'a AnalysisAlarms) -> impl Iterator<Item = &'a String> {
        names(alarms).filter(|name| {
            self.answers.get(*name).is_some_and(|(_, state)| *state == AlarmState::Alarm)
        })
    }
}

fn names(alarms: &AnalysisAlarms) -> impl Iterator<Item = &String> {
    alarms.names.iter().flatten()
}

/// Whether a status starts a release: not one that is taken up where its mark says, or undone.
fn starts(
    old: Option<&CanaryRolloutStatus>,
    status: &CanaryRolloutStatus,
    alias: Option<&Alias>,
) -> bool {
    let undone = status.ending.as_ref().is_some_and(Ending::goes_back);
    let flew = old.is_some_and(|old| old.step.is_some());
    let bare = alias.is_some_and(|alias| alias.weights.is_empty());
    status.step.is_some() && !flew && bare && !undone
}
