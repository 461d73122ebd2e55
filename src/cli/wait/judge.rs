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
    /// By the CodeSha256 of its code.
    Code(String),
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
        let release = &object.spec.release;
        match (&release.version, &release.latest, &release.code_sha256) {
            (Some(version), _, _) => Self::Version(version.clone()),
            (None, Some(_), Some(code)) => Self::Code(code.clone()),
            (None, _, _) => Self::Current,
        }
    }

    fn is(&self, revision: Option<&str>, version: &str, code: Option<&str>) -> bool {
        match self {
            Self::Revision(wanted) => revision == Some(wanted),
            Self::Version(wanted) => version == wanted,
            Self::Code(wanted) => code == Some(wanted),
            Self::Current => true,
        }
    }

    /// Whether the spec asks for it; none when the spec does not tell.
    fn asked(&self, object: &CanaryRollout) -> Option<bool> {
        let number = object.spec.release.version.as_ref();
        match self {
            Self::Version(wanted) => number.map(|number| number == wanted),
            Self::Revision(_) | Self::Code(_) | Self::Current => None,
        }
    }

    fn named(&self) -> String {
        match self {
            Self::Revision(revision) => format!("revision {revision}"),
            Self::Version(version) => format!("version {version}"),
            Self::Code(code) => format!("code {code}"),
            Self::Current => "the release".to_owned(),
        }
    }
}

/// Judges a rollout as it is now. `seen` says whether the release was on its way at some time of
/// this wait.
pub(super) fn judge(object: &CanaryRollout, wanted: &Wanted, goal: Goal, seen: bool) -> Verdict {
    let Some(status) = current(object) else {
        return Verdict::Waiting("the operator has not looked at the spec yet".into());
    };
    if *wanted == Wanted::Current {
        return judge_current(status, goal);
    }
    if flies(object, wanted) {
        return Verdict::Waiting(line(status));
    }
    let matches = |entry: &&HistoryEntry| {
        wanted.is(Some(&entry.revision), &entry.version, entry.code_sha256.as_deref())
    };
    let newest = |entry: &&HistoryEntry| {
        status.step.is_none() && status.revision.as_ref() == Some(&entry.revision)
    };
    let entry = status.history.iter().find(matches);
    if let Some(entry) = entry.filter(newest) {
        return concluded(status, wanted, goal, entry);
    }
    match (wanted, wanted.asked(object)) {
        // Only the operator knows what `$LATEST` holds, and it may not have looked: what it says yet
        // is of the release before.
        (Wanted::Code(_), _) if !seen => Verdict::Waiting(line(status)),
        // The spec asks for it, perhaps once more.
        (_, Some(true)) if status.phase == Some(Phase::Invalid) => Verdict::Failed(line(status)),
        (_, Some(true)) => Verdict::Waiting(line(status)),
        (_, Some(false)) => replaced(object, wanted, goal, entry),
        (_, None) => match entry {
            Some(entry) if goal == Goal::Promoted && succeeded(entry) => {
                Verdict::Done(outcome(entry))
            }
            entry @ Some(_) if seen => replaced(object, wanted, goal, entry),
            Some(_) | None if status.phase == Some(Phase::Invalid) => Verdict::Failed(line(status)),
            Some(_) | None => Verdict::Waiting(line(status)),
        },
    }
}

/// Judges a release in whose place there is another one now.
fn replaced(
    object: &CanaryRollout,
    wanted: &Wanted,
    goal: Goal,
    entry: Option<&HistoryEntry>,
) -> Verdict {
    match entry {
        Some(entry) if goal == Goal::Concluded || (goal == Goal::Promoted && succeeded(entry)) => {
            Verdict::Done(outcome(entry))
        }
        Some(entry) => Verdict::Failed(format!(
            "{} ({}), and the spec asks for another release now",
            outcome(entry),
            entry.reason
        )),
        None => Verdict::Failed(format!(
            "{} was superseded: the spec asks for {} now",
            wanted.named(),
            Wanted::of_spec(object).named()
        )),
    }
}

/// The status, if it is of the spec as it is now.
fn current(object: &CanaryRollout) -> Option<&CanaryRolloutStatus> {
    let status = object.status.as_ref();
    status.filter(|status| status.observed_generation == object.metadata.generation)
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
pub(super) fn flies(object: &CanaryRollout, wanted: &Wanted) -> bool {
    let Some(status) = current(object).filter(|status| status.step.is_some()) else {
        return false;
    };
    status.canary.as_ref().is_some_and(|canary| {
        let (version, code) = (&canary.version, canary.code_sha256.as_deref());
        wanted.is(status.revision.as_deref(), version, code)
    })
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
mod tests;
