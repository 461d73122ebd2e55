//! Whether a release is where someone waits for it to be. Pure.

use crate::api::canary_rollout::{
    CanaryRollout, CanaryRolloutStatus, HistoryEntry, Outcome, Phase,
};

/// Which release is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// By `status.revision`.
    Revision(String),
    /// By the number of the Lambda version.
    Version(String),
    /// Whatever the spec asks for, where no number says it.
    Current,
}

/// What it shall have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Goal {
    /// It was promoted: the alias serves it alone, and the bake is over
    #[default]
    Promoted,
    /// The alias serves it now, and nothing is left to do
    Healthy,
    /// It ended, whichever way
    Concluded,
}

impl Goal {
    /// The word that users write.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Healthy => "healthy",
            Self::Concluded => "concluded",
        }
    }
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there.
    Done(String),
    /// It will not get there.
    Failed(String),
    /// Neither yet.
    Waiting(String),
}

impl Wanted {
    /// The release that a spec asks for.
    pub(super) fn of_spec(object: &CanaryRollout) -> Self {
        object.spec.release.version.clone().map_or(Self::Current, Self::Version)
    }

    fn is(&self, revision: Option<&str>, version: Option<&str>) -> bool {
        match self {
            Self::Revision(wanted) => revision == Some(wanted),
            Self::Version(wanted) => version == Some(wanted),
            Self::Current => true,
        }
    }

    fn named(&self) -> String {
        match self {
            Self::Revision(revision) => format!("revision {revision}"),
            Self::Version(version) => format!("version {version}"),
            Self::Current => "the release".to_owned(),
        }
    }
}

/// Judges a rollout as it is now.
pub(super) fn judge(object: &CanaryRollout, wanted: &Wanted, goal: Goal) -> Verdict {
    let seen = object.status.as_ref().and_then(|status| status.observed_generation);
    let status = object.status.as_ref().filter(|_| seen == object.metadata.generation);
    let Some(status) = status else {
        return Verdict::Waiting("the operator has not looked at the spec yet".into());
    };
    if *wanted == Wanted::Current {
        return judge_current(status, goal);
    }
    // Whether the spec still asks for it; of a revision only the status can tell.
    let asked = match wanted {
        Wanted::Version(version) => object.spec.release.version.as_ref() == Some(version),
        Wanted::Revision(_) | Wanted::Current => true,
    };
    if flies(status, wanted) {
        return Verdict::Waiting(line(status));
    }
    let matches = |entry: &&HistoryEntry| wanted.is(Some(&entry.revision), Some(&entry.version));
    let entry = status.history.iter().find(matches);
    let current = |entry: &&HistoryEntry| {
        status.step.is_none() && status.revision.as_ref() == Some(&entry.revision)
    };
    match (entry, entry.filter(current)) {
        (_, Some(entry)) => concluded(status, wanted, goal, entry),
        (Some(entry), None) if goal == Goal::Promoted && succeeded(entry) => {
            Verdict::Done(outcome(entry))
        }
        // It ended before, and the spec asks for it again.
        (Some(_) | None, None) if asked && status.phase != Some(Phase::Invalid) => {
            Verdict::Waiting(line(status))
        }
        (Some(_) | None, None) if asked => Verdict::Failed(line(status)),
        (Some(entry), None) if goal == Goal::Concluded => Verdict::Done(outcome(entry)),
        (Some(entry), None) => Verdict::Failed(format!(
            "{} ({}), and the spec asks for another release now",
            outcome(entry),
            entry.reason
        )),
        (None, None) => Verdict::Failed(format!(
            "{} was superseded: the spec asks for {} now",
            wanted.named(),
            Wanted::of_spec(object).named()
        )),
    }
}

/// Judges what the spec asks for by what the operator made of it.
fn judge_current(status: &CanaryRolloutStatus, goal: Goal) -> Verdict {
    let ended = matches!(status.phase, Some(Phase::Healthy | Phase::RolledBack | Phase::Aborted));
    let newest = status.history.first();
    let entry = newest.filter(|entry| ended && status.revision.as_ref() == Some(&entry.revision));
    match entry {
        Some(entry) => concluded(status, &Wanted::Current, goal, entry),
        None if status.phase == Some(Phase::Invalid) => Verdict::Failed(line(status)),
        None => Verdict::Waiting(line(status)),
    }
}

/// Whether the release is in flight.
fn flies(status: &CanaryRolloutStatus, wanted: &Wanted) -> bool {
    let version = status.canary.as_ref().map(|canary| canary.version.as_str());
    status.step.is_some() && wanted.is(status.revision.as_deref(), version)
}

fn succeeded(entry: &HistoryEntry) -> bool {
    match entry.outcome {
        Outcome::Promoted | Outcome::Initialized => true,
        Outcome::RolledBack | Outcome::Aborted | Outcome::Superseded => false,
    }
}

/// The newest revision is the wanted one, and it ended.
fn concluded(
    status: &CanaryRolloutStatus,
    wanted: &Wanted,
    goal: Goal,
    entry: &HistoryEntry,
) -> Verdict {
    let healthy = status.phase == Some(Phase::Healthy);
    match (goal, succeeded(entry)) {
        (Goal::Concluded, _) | (Goal::Promoted, true) => Verdict::Done(outcome(entry)),
        (Goal::Healthy, true) if healthy => Verdict::Done(outcome(entry)),
        // It was there, and is to be looked after: by someone who put the alias elsewhere, or us.
        (Goal::Healthy, true) => Verdict::Waiting(line(status)),
        (Goal::Promoted | Goal::Healthy, false) => {
            let message = status.message.as_deref().unwrap_or_default();
            Verdict::Failed(format!(
                "{} is {} ({}): {message}",
                wanted.named(),
                entry.outcome.as_str(),
                entry.reason
            ))
        }
    }
}

fn outcome(entry: &HistoryEntry) -> String {
    format!("version {} (revision {}): {}", entry.version, entry.revision, entry.outcome.as_str())
}

/// Phase, step and message in one line.
fn line(status: &CanaryRolloutStatus) -> String {
    let step = status.step.as_ref().map(|step| format!(" {}", step.display)).unwrap_or_default();
    let phase = status.phase.unwrap_or_default().as_str();
    format!("{phase}{step}: {}", status.message.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::canary_rollout::Release;
    use serde_json::{Value, json};

    /// A rollout whose spec asks for version 2, with this status.
    fn rollout(status: Value) -> CanaryRollout {
        let mut status = status;
        if status.is_object() && status.get("observedGeneration").is_none() {
            status["observedGeneration"] = json!(3);
        }
        serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
            "metadata": {"name": "web", "namespace": "shop", "generation": 3},
            "spec": {"function": {"name": "web", "alias": "live"}, "release": {"version": "2"}},
            "status": status,
        }))
        .unwrap()
    }

    fn ended(version: &str, outcome: &str) -> Value {
        let time = "2026-12-05T10:00:00Z";
        json!({"version": version, "revision": format!("r{version}"), "outcome": outcome,
               "reason": "Why", "startedAt": time, "endedAt": time})
    }

    fn flying(version: &str) -> Value {
        json!({
            "phase": "Progressing", "message": "10%: holds", "revision": format!("r{version}"),
            "step": {"index": 0, "count": 2, "display": "1/2"},
            "canary": {"version": version, "weight": 10, "startedAt": "2026-12-05T10:00:00Z"},
        })
    }

    fn at_rest(phase: &str, revision: &str, history: &[Value]) -> Value {
        json!({"phase": phase, "message": "so it is", "revision": revision, "history": history})
    }

    /// One letter for the verdict on promoted, healthy and concluded, of version 2 and revision r2.
    #[track_caller]
    fn check(status: Value, expected: &str) {
        let object = rollout(status.clone());
        for wanted in [Wanted::Version("2".into()), Wanted::Revision("r2".into())] {
            let goals = [Goal::Promoted, Goal::Healthy, Goal::Concluded];
            let seen: String = goals.map(|goal| letter(&judge(&object, &wanted, goal))).concat();
            assert_eq!(seen, expected, "{wanted:?} {status}");
        }
    }

    fn letter(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Done(_) => "D",
            Verdict::Failed(_) => "F",
            Verdict::Waiting(_) => "W",
        }
    }

    #[test]
    fn a_release_without_a_number_is_judged_by_what_the_operator_made_of_it() {
        let check = |status: Value, expected: &str| {
            let mut object = rollout(status.clone());
            object.spec.release = Release { latest: Some(true), ..Release::default() };
            assert_eq!(Wanted::of_spec(&object), Wanted::Current);
            let goals = [Goal::Promoted, Goal::Healthy, Goal::Concluded];
            let judged = goals.map(|goal| letter(&judge(&object, &Wanted::Current, goal)));
            assert_eq!(judged.concat(), expected, "{status}");
        };
        let old = ended("1", "Promoted");
        check(at_rest("Publishing", "r2", std::slice::from_ref(&old)), "WWW");
        check(at_rest("Healthy", "r2", std::slice::from_ref(&old)), "WWW");
        check(flying("2"), "WWW");
        check(at_rest("Invalid", "r1", std::slice::from_ref(&old)), "FFF");
        check(at_rest("Healthy", "r2", &[ended("2", "Promoted"), old.clone()]), "DDD");
        check(at_rest("RolledBack", "r2", &[ended("2", "RolledBack"), old]), "FFD");
    }

    #[test]
    fn a_status_of_an_older_spec_says_nothing() {
        check(Value::Null, "WWW");
        check(json!({"observedGeneration": -1}), "WWW");
        let mut old = at_rest("Healthy", "r2", &[ended("2", "Promoted")]);
        old["observedGeneration"] = json!(2);
        check(old, "WWW");
    }

    #[test]
    fn what_is_in_flight_is_waited_for() {
        check(flying("2"), "WWW");
        let mut baking = flying("2");
        baking["phase"] = json!("Baking");
        check(baking, "WWW");
        let mut going_back = flying("2");
        going_back["phase"] = json!("RollingBack");
        check(going_back, "WWW");
        let mut again = flying("2");
        again["history"] = json!([ended("2", "RolledBack")]);
        check(again, "WWW");
    }

    #[test]
    fn how_it_ended_counts() {
        check(at_rest("Healthy", "r2", &[ended("2", "Promoted")]), "DDD");
        check(at_rest("Healthy", "r2", &[ended("2", "Initialized")]), "DDD");
        check(at_rest("RolledBack", "r2", &[ended("2", "RolledBack")]), "FFD");
        check(at_rest("Aborted", "r2", &[ended("2", "Aborted")]), "FFD");
        check(at_rest("Conflict", "r2", &[ended("2", "Promoted")]), "DWD");
    }

    #[test]
    fn an_earlier_end_does_not_count_when_the_spec_asks_for_it_again() {
        let history = [ended("1", "Promoted"), ended("2", "RolledBack")];
        check(at_rest("Pending", "r1", &history), "WWW");
        check(at_rest("Pending", "r1", &[ended("1", "Promoted")]), "WWW");
    }

    #[test]
    fn what_cannot_work_fails() {
        check(at_rest("Invalid", "r1", &[ended("1", "Promoted")]), "FFF");
    }

    #[test]
    fn another_release_in_its_place_fails_it_unless_it_had_been_promoted() {
        let judged = |status: Value, goal| {
            let mut object = rollout(status);
            object.spec.release.version = Some("3".into());
            judge(&object, &Wanted::Version("2".into()), goal)
        };
        let text = "version 2 was superseded: the spec asks for version 3 now".to_owned();
        assert_eq!(judged(flying("3"), Goal::Promoted), Verdict::Failed(text));
        let mut after = flying("3");
        after["history"] = json!([ended("2", "Promoted")]);
        let done = Verdict::Done("version 2 (revision r2): Promoted".into());
        assert_eq!(judged(after.clone(), Goal::Promoted), done);
        assert_eq!(letter(&judged(after, Goal::Healthy)), "F");
        let mut superseded = flying("3");
        superseded["history"] = json!([ended("2", "Superseded")]);
        assert_eq!(letter(&judged(superseded.clone(), Goal::Promoted)), "F");
        assert_eq!(letter(&judged(superseded, Goal::Concluded)), "D");
    }

    #[test]
    fn progress_and_failure_are_told_with_the_operators_words() {
        let judged = |status| judge(&rollout(status), &Wanted::Version("2".into()), Goal::Promoted);
        assert_eq!(judged(flying("2")), Verdict::Waiting("Progressing 1/2: 10%: holds".into()));
        assert_eq!(
            judged(at_rest("RolledBack", "r2", &[ended("2", "RolledBack")])),
            Verdict::Failed("version 2 is RolledBack (Why): so it is".into())
        );
    }
}
