//! What went out, and what does not go out: kept in the status.

use std::time::Duration as Wait;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Due, Occurrence};
use crate::{
    api::{
        channel::{NoticeFailure, NoticeSent},
        duration::Duration,
        fit::{SENTENCE_MAX, cut},
    },
    error::clean,
    notify::stage::{Span, Stage},
    plan::Note,
    status::conditions::Statement,
};

/// First pause before a channel is tried again; doubled each time.
const BACKOFF: SignedDuration = SignedDuration::from_secs(15);
/// Longest pause: a mended channel is noticed within this time.
const BACKOFF_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Doublings until the longest pause is reached.
const DOUBLINGS_MAX: u32 = 6;

/// What was told, and what could not be.
///
/// Bounded by those who are told: at most one entry for each occurrence, channel and stage, and of
/// the leads only the last. [`Ledger::keep`] forgets occurrences that nobody asks about any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What went out.
    pub sent: Vec<NoticeSent>,
    /// What does not go out.
    pub failing: Vec<NoticeFailure>,
}

impl Ledger {
    /// A notice went out.
    pub fn record_sent(&mut self, due: &Due, now: Timestamp) {
        let Due { occurrence, channel, stage, at, span, .. } = due;
        self.sent.retain(|sent| {
            let revoked = is_about(sent, occurrence, channel) && sent.revoked_at.is_some();
            !(revoked || is_of(sent, occurrence, channel) && covers(*stage, sent))
        });
        self.sent.push(NoticeSent {
            occurrence: occurrence.clone(),
            stage: stage.to_string(),
            channel: channel.clone(),
            sent_at: Time(now),
            due_at: Time(*at),
            opens_at: span.map(|span| Time(span.opens)),
            closes_at: span.map(|span| Time(span.closes)),
            revoked_at: None,
        });
        self.failing.retain(|failing| !is_for(failing, occurrence, channel));
    }

    /// A notice did not go out. `wait` is what the channel asks for; it is waited for at least.
    pub fn record_failed(&mut self, due: &Due, now: Timestamp, message: &str, wait: Option<Wait>) {
        let Due { occurrence, channel, stage, .. } = due;
        let before = self.failing.iter().find(|failing| is_for(failing, occurrence, channel));
        let attempts = before.map_or(0, |before| before.attempts).saturating_add(1);
        let mut message = clean(message);
        cut(&mut message, SENTENCE_MAX);
        self.failing.retain(|failing| !is_for(failing, occurrence, channel));
        self.failing.push(NoticeFailure {
            occurrence: occurrence.clone(),
            channel: channel.clone(),
            stage: stage.to_string(),
            attempts,
            not_before: Time(now.checked_add(pause(attempts, wait)).unwrap_or(Timestamp::MAX)),
            message,
        });
    }

    /// What the condition Notified says; none where nobody was told anything.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        let stated = |holds, reason: &str, message| {
            let (kind, reason) = ("Notified", reason.to_owned());
            Some(Statement { kind, holds, reason, message })
        };
        let Some(failing) = self.failing.last() else {
            let told = !self.sent.is_empty();
            return told.then(|| stated(true, "Told", "every notice went out".into()))?;
        };
        let more = match self.failing.len() {
            1 => String::new(),
            all => format!("; and {} more, see status.noticeFailures", all.saturating_sub(1)),
        };
        stated(false, "ChannelFails", format!("{}{more}", not_told(failing)))
    }

    /// Forgets what is about none of these occurrences or to none of these channels. An occurrence
    /// that another one replaces is of use until that one was told.
    pub fn keep(&mut self, occurrences: &[&str], channels: &[&str]) {
        let kept = |occurrence: &str, channel: &str| {
            occurrences.contains(&occurrence) && channels.contains(&channel)
        };
        self.sent.retain(|sent| kept(&sent.occurrence, &sent.channel));
        self.failing.retain(|failing| kept(&failing.occurrence, &failing.channel));
    }

    /// What was told to be over is to come after all: it is told anew.
    pub fn reopen(&mut self, id: &str, now: Timestamp) {
        let is_end = |stage: &str| stage.parse().is_ok_and(Stage::is_end);
        for sent in self.sent.iter_mut().filter(|sent| sent.occurrence == id) {
            if is_end(&sent.stage) {
                sent.revoked_at.get_or_insert(Time(now));
            }
        }
        self.failing.retain(|failing| failing.occurrence != id);
    }

    /// The times that a channel was told last, also under the id that was replaced.
    pub(super) fn told(&self, occurrence: &Occurrence, channel: &str) -> Option<Span> {
        let last = |id: &str| {
            let of = self.sent.iter().filter(|sent| is_of(sent, id, channel));
            of.max_by_key(|sent| sent.sent_at.0)
        };
        let last = last(&occurrence.id).or_else(|| last(occurrence.replaces.as_ref()?))?;
        let (opens, closes) = (last.opens_at.as_ref()?.0, last.closes_at.as_ref()?.0);
        Some(Span { opens, closes })
    }

    /// Since when what a channel was told of its end holds no more; none when it does, or there is none.
    pub(super) fn reopened_at(&self, id: &str, channel: &str) -> Option<Timestamp> {
        let of = self.sent.iter().filter(|sent| is_about(sent, id, channel));
        of.filter_map(|sent| sent.revoked_at.as_ref()).map(|at| at.0).max()
    }

    /// When a stage went out last.
    pub(super) fn sent_at(&self, id: &str, channel: &str, stage: Stage) -> Option<Timestamp> {
        let name = stage.to_string();
        let mut of = self.sent.iter().filter(|sent| is_of(sent, id, channel));
        of.find(|sent| sent.stage == name).map(|sent| sent.sent_at.0)
    }

    /// When anything went out last.
    pub(super) fn last_sent(&self, id: &str, channel: &str) -> Option<Timestamp> {
        let of = self.sent.iter().filter(|sent| is_of(sent, id, channel));
        of.map(|sent| sent.sent_at.0).max()
    }

    /// Since when the latest that went out was due.
    pub(super) fn last_due(&self, id: &str, channel: &str) -> Option<Timestamp> {
        let of = self.sent.iter().filter(|sent| is_of(sent, id, channel));
        of.map(|sent| sent.due_at.0).max()
    }

    /// The shortest lead that was told.
    pub(super) fn least_lead(&self, id: &str, channel: &str) -> Option<Duration> {
        let of = self.sent.iter().filter(|sent| is_of(sent, id, channel));
        of.filter_map(lead).min()
    }

    /// When what failed is tried again. What is due meanwhile in its place is tried at once: it may
    /// be the opening.
    pub(super) fn not_before(&self, due: &Due) -> Option<Timestamp> {
        let Due { occurrence, channel, stage, .. } = due;
        let failing = self.failing.iter().find(|failing| is_for(failing, occurrence, channel))?;
        (failing.stage == stage.to_string()).then_some(failing.not_before.0)
    }
}

/// What of the failures of a status was not in the one before: told once, as Events.
#[must_use]
pub fn news(old: &[NoticeFailure], new: &[NoticeFailure]) -> Vec<Note> {
    let same = |one: &NoticeFailure, other: &NoticeFailure| {
        is_for(one, &other.occurrence, &other.channel) && one.stage == other.stage
    };
    let known = |failing: &&NoticeFailure| old.iter().any(|one| same(one, failing));
    let note = |failing| Note { warning: true, reason: "NoticeFailed", message: not_told(failing) };
    new.iter().filter(|failing| !known(failing)).map(note).collect()
}

fn not_told(failing: &NoticeFailure) -> String {
    let NoticeFailure { occurrence, channel, stage, message, .. } = failing;
    format!("channel {channel} was not told {stage} of {occurrence}: {message}")
}

fn is_about(sent: &NoticeSent, id: &str, channel: &str) -> bool {
    sent.occurrence == id && sent.channel == channel
}

/// The same, and it holds.
fn is_of(sent: &NoticeSent, id: &str, channel: &str) -> bool {
    is_about(sent, id, channel) && sent.revoked_at.is_none()
}

fn is_for(failing: &NoticeFailure, id: &str, channel: &str) -> bool {
    failing.occurrence == id && failing.channel == channel
}

fn lead(sent: &NoticeSent) -> Option<Duration> {
    match sent.stage.parse() {
        Ok(Stage::Lead(lead)) => Some(lead),
        Ok(_) | Err(_) => None,
    }
}

/// Whether an entry is of no use any more once this stage went out: its own, those of longer leads,
/// and all when nothing follows.
fn covers(stage: Stage, sent: &NoticeSent) -> bool {
    if stage.is_end() || sent.stage == stage.to_string() {
        return true;
    }
    match stage {
        Stage::Lead(own) => lead(sent).is_some_and(|lead| lead > own),
        // Of a release only the last is asked for.
        Stage::Started
        | Stage::Promoted
        | Stage::RolledBack
        | Stage::Held
        | Stage::AwaitingApproval => true,
        Stage::CheckFailed
        | Stage::Opened
        | Stage::Progress
        | Stage::Extended
        | Stage::Changed
        | Stage::Verifying
        | Stage::Closed
        | Stage::Cancelled
        | Stage::Missed
        | Stage::Blocked => false,
    }
}

fn pause(attempts: i32, wait: Option<Wait>) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(DOUBLINGS_MAX);
    let factor = 2_i32.saturating_pow(doublings);
    let pause = BACKOFF.saturating_mul(factor).min(BACKOFF_MAX);
    let asked = wait.and_then(|wait| SignedDuration::try_from(wait).ok());
    asked.map_or(pause, |asked| asked.max(pause))
}
