//! Who is told what of a rollout: what happened between two statuses, and what is due of that. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{
        canary_rollout::{CanaryRolloutStatus, Outcome, Phase},
        fit::{HAPPENED_MAX, NOTICES_MAX, SENTENCE_MAX, cut},
        notifications::{Happened, Notifications},
    },
    names::Owner,
    notify::{
        due::{Due, Dues, LATE_MAX, Ledger, of_events},
        message::{About, Message},
        post::{Letter, Posted},
        stage::{Listener, Stage},
    },
    status::conditions,
    time::moments,
};

/// What a pass sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Notices that go out once the status is published.
    pub letters: Vec<Letter>,
    /// When something is tried again.
    pub next: Option<Timestamp>,
}

/// Adds to a status what happened since the old one, and says who is to be told. `posted` is what
/// became of notices and is in no status yet.
pub fn follow(
    notifications: Option<&Notifications>,
    owner: &Owner,
    old: Option<&CanaryRolloutStatus>,
    new: &mut CanaryRolloutStatus,
    posted: &[Posted],
    now: Timestamp,
) -> Outgoing {
    let Some(Notifications { channels }) = notifications else {
        (new.notices, new.notice_failures, new.happened) = Default::default();
        return Outgoing::default();
    };
    for (stage, message) in events(old, new) {
        happen(new, stage, message, now);
    }
    new.happened.retain(|happened| now.duration_since(happened.at.0) <= LATE_MAX);
    let mut ledger = ledger(new);
    ledger.record(posted);
    let mut revisions: Vec<&str> =
        new.happened.iter().map(|happened| happened.revision.as_str()).collect();
    revisions.dedup();
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    ledger.keep(&revisions, &names);
    let listeners: Vec<Listener> = channels.iter().map(Listener::all).collect();
    let mut dues = Dues::default();
    for revision in revisions {
        let of = new.happened.iter().filter(|happened| happened.revision == revision);
        let events: Vec<(Stage, Timestamp)> =
            of.filter_map(|happened| Some((happened.stage.parse().ok()?, happened.at.0))).collect();
        let of = of_events(revision, &events, &listeners, &ledger, now);
        dues.next = dues.next.into_iter().chain(of.next).min();
        dues.now.extend(of.now);
    }
    let letter = |due: &Due| {
        let channel = channels.iter().find(|channel| channel.name == due.channel)?.clone();
        Some(Letter { due: due.clone(), channel, message: message(owner, new, due) })
    };
    let letters = dues.now.iter().filter_map(letter).collect();
    write(new, old, ledger, now);
    Outgoing { letters, next: dues.next }
}

/// The status with what became of notices.
#[must_use]
pub fn recorded(
    status: &CanaryRolloutStatus,
    posted: &[Posted],
    now: Timestamp,
) -> CanaryRolloutStatus {
    let mut new = status.clone();
    let mut ledger = ledger(status);
    ledger.record(posted);
    write(&mut new, Some(status), ledger, now);
    new
}

fn ledger(status: &CanaryRolloutStatus) -> Ledger {
    Ledger { sent: status.notices.clone(), failing: status.notice_failures.clone() }
}

/// Writes a ledger into a status, with what its condition says.
fn write(
    new: &mut CanaryRolloutStatus,
    old: Option<&CanaryRolloutStatus>,
    ledger: Ledger,
    now: Timestamp,
) {
    let known = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    let (stated, generation) = (ledger.statement(), new.observed_generation);
    conditions::restate(&mut new.conditions, known, "Notified", stated, generation, now);
    let Ledger { mut sent, mut failing } = ledger;
    sent.drain(..sent.len().saturating_sub(NOTICES_MAX));
    failing.drain(..failing.len().saturating_sub(NOTICES_MAX));
    (new.notices, new.notice_failures) = (sent, failing);
}

/// Notes something, never at the time of what was before it.
fn happen(status: &mut CanaryRolloutStatus, stage: Stage, message: String, now: Timestamp) {
    let ends = matches!(stage, Stage::Promoted | Stage::RolledBack);
    let ended = status.history.first().filter(|_| ends);
    let revision = ended.map(|entry| entry.revision.clone()).or_else(|| status.revision.clone());
    let last = status.happened.iter().map(|happened| happened.at.0).max();
    let after = last.map(|last| moments::after(last, SignedDuration::from_secs(1)));
    let at = after.into_iter().chain([moments::stamp(now)]).max().unwrap_or(now);
    let mut message = message;
    cut(&mut message, SENTENCE_MAX);
    status.happened.push(Happened {
        revision: revision.unwrap_or_default(),
        stage: stage.to_string(),
        at: Time(at),
        message,
    });
    let all = status.happened.len();
    status.happened.drain(..all.saturating_sub(HAPPENED_MAX));
}

/// What happened between two statuses, in its order.
fn events(old: Option<&CanaryRolloutStatus>, new: &CanaryRolloutStatus) -> Vec<(Stage, String)> {
    let mut events = Vec::new();
    let message = || new.message.clone().unwrap_or_default();
    let newest = |status: &CanaryRolloutStatus| status.history.first().cloned();
    if let Some(entry) = newest(new).filter(|entry| old.and_then(newest).as_ref() != Some(entry)) {
        let version = &entry.version;
        match entry.outcome {
            Outcome::Promoted => {
                let message = format!("version {version}: {}", entry.message);
                events.push((Stage::Promoted, message));
            }
            Outcome::RolledBack | Outcome::Aborted => {
                let outcome = entry.outcome.as_str();
                let message = format!("version {version}: {outcome}: {}", entry.message);
                events.push((Stage::RolledBack, message));
            }
            Outcome::Initialized | Outcome::Superseded => {}
        }
    }
    let started = |status: &CanaryRolloutStatus| status.step.as_ref().and(status.revision.clone());
    if started(new).is_some() && old.and_then(started) != started(new) {
        let version = new.canary.as_ref().map(|canary| canary.version.clone()).unwrap_or_default();
        let stable = new.stable.as_ref().map(|stable| stable.version.clone()).unwrap_or_default();
        let message = format!("version {version} takes the place of {stable}");
        events.push((Stage::Started, message));
    }
    // Another step that waits is another approval.
    let stands = |status: &CanaryRolloutStatus| {
        (status.phase, status.revision.clone(), status.step.as_ref().map(|step| step.index))
    };
    if old.map(stands) != Some(stands(new)) {
        let (phase, was) = (new.phase.unwrap_or_default(), old.and_then(|old| old.phase));
        if phase == Phase::WaitingApproval {
            events.push((Stage::AwaitingApproval, message()));
        }
        if matches!(phase, Phase::Held | Phase::Conflict) && was != Some(phase) {
            events.push((Stage::Held, message()));
        }
    }
    events
}

/// What a notice says.
fn message(owner: &Owner, status: &CanaryRolloutStatus, due: &Due) -> Message {
    let Owner { cluster, namespace, name } = owner;
    let about = About {
        cluster: cluster.clone(),
        kind: "CanaryRollout",
        namespace: namespace.clone(),
        name: name.clone(),
    };
    let mut message = Message::new(about, due, TimeZone::UTC);
    let (stage, at) = (due.stage.to_string(), due.at);
    let happened = status.happened.iter();
    let happened = happened.rev().find(|one| one.stage == stage && one.at.0 == at);
    message.why = happened.map(|happened| happened.message.clone()).unwrap_or_default();
    let is_current = status.revision.as_deref() == Some(due.occurrence.as_str());
    let step = status.step.as_ref().filter(|_| is_current);
    message.runs.extend(step.map(|step| format!("step {}", step.display)));
    if due.stage == Stage::AwaitingApproval {
        let named = format!("{name} -n {namespace}");
        message.todo = format!("groundcrew promote {named}, or groundcrew abort {named}");
    } else if matches!(due.stage, Stage::Held | Stage::RolledBack) {
        message.todo = format!("look: groundcrew status {name} -n {namespace}");
    }
    message
}

#[cfg(test)]
mod tests;
