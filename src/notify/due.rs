//! What is due: which channel is told what, now or later. Pure.
//!
//! Each notice goes out once per occurrence, stage and channel. What was missed collapses into the
//! latest: who was not told 7 days and 24 hours ahead is told once. What follows covers what went
//! before, so that nobody hears of the opening after the close. A channel that fails is tried again
//! on a clock of its own, and holds up nobody else.

mod ledger;

use jiff::{SignedDuration, Timestamp};

pub use self::ledger::{Ledger, news};
use super::stage::{Listener, Span, Stage};
use crate::api::duration::Duration;

/// How long after its end an occurrence is still told about: what is older helps nobody.
pub const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// An opening of a window, as far as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its id.
    pub id: String,
    /// Id of the occurrence that was announced before in its place.
    pub replaces: Option<String>,
    /// When it opens and closes, as of now.
    pub span: Span,
    /// How it stands.
    pub state: State,
    /// Since when a check that the opening depends on fails; only while it is ahead.
    pub check_failed: Option<Timestamp>,
}

/// How an occurrence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not opened.
    Ahead,
    /// It is open since.
    Open(Timestamp),
    /// Its last checks run since.
    Verifying(Timestamp),
    /// It is over since.
    Over(Timestamp, End),
}

/// How an occurrence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was open.
    Closed,
    /// Somebody decided that it does not open.
    Cancelled,
    /// The operator was away.
    Missed,
    /// Something kept it from opening.
    Blocked,
}

/// When people want to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// So long before the opening each.
    pub before: Vec<Duration>,
    /// How often while it is open; none: never.
    pub every: Option<Duration>,
}

/// A notice that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Id of the occurrence, or of the revision.
    pub occurrence: String,
    /// Name of the channel.
    pub channel: String,
    /// What is told.
    pub stage: Stage,
    /// Since when it is due; of a change, when the times were told that it changes. Part of its
    /// identity: the same in each attempt.
    pub at: Timestamp,
    /// The times that are told; none for a rollout.
    pub span: Option<Span>,
    /// The times that were told before, where they were others.
    pub was: Option<Span>,
    /// What was missed, and is not told any more.
    pub collapsed: Vec<Stage>,
    /// Whether nothing that the channel was told of it holds, also under the id that it replaces.
    pub is_first: bool,
}

/// What is due now, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dues {
    /// At most one for each occurrence and channel. Once they are recorded, more may be due: decide
    /// again at once when any of them went out.
    pub now: Vec<Due>,
    /// When something becomes due, or is tried again.
    pub next: Option<Timestamp>,
}

/// What is due of the openings of a window.
#[must_use]
pub fn of_window(
    occurrences: &[Occurrence],
    timing: &Timing,
    listeners: &[Listener],
    ledger: &Ledger,
    now: Timestamp,
) -> Dues {
    let mut dues = Dues::default();
    for occurrence in occurrences {
        for listener in listeners {
            let told = ledger.told(occurrence, &listener.channel);
            let look = Look { occurrence, timing, listener, ledger, told, now };
            let wanted = look.wanted();
            dues.next = earlier(dues.next, look.next());
            if let Some((stage, at)) = wanted {
                let differs = |told: &Span| *told != occurrence.span;
                dues.offer(ledger, now, look.due(stage, at, told.filter(differs)));
            }
        }
    }
    dues
}

/// What is due of the events of a rollout, in their order: the last one counts.
#[must_use]
pub fn of_events(
    revision: &str,
    events: &[(Stage, Timestamp)],
    listeners: &[Listener],
    ledger: &Ledger,
    now: Timestamp,
) -> Dues {
    let mut dues = Dues::default();
    for listener in listeners {
        let since = ledger.last_due(revision, &listener.channel);
        let is_new = |at: Timestamp| since.is_none_or(|since| at > since);
        let fresh = |at: Timestamp| now.duration_since(at) <= LATE_MAX;
        let mut missed: Vec<(Stage, Timestamp)> = events
            .iter()
            .copied()
            .filter(|(stage, at)| listener.takes(*stage) && is_new(*at) && fresh(*at))
            .collect();
        let Some((stage, at)) = missed.pop() else { continue };
        let due = Due {
            occurrence: revision.to_owned(),
            channel: listener.channel.clone(),
            stage,
            at,
            span: None,
            was: None,
            collapsed: missed.into_iter().map(|(stage, _)| stage).collect(),
            is_first: since.is_none(),
        };
        dues.offer(ledger, now, due);
    }
    dues
}

impl Dues {
    /// Takes it, unless it failed and its time has not come.
    fn offer(&mut self, ledger: &Ledger, now: Timestamp, due: Due) {
        match ledger.not_before(&due).filter(|at| *at > now) {
            Some(at) => self.next = earlier(self.next, Some(at)),
            None => self.now.push(due),
        }
    }
}

/// One occurrence for one channel.
struct Look<'a> {
    occurrence: &'a Occurrence,
    timing: &'a Timing,
    listener: &'a Listener,
    ledger: &'a Ledger,
    /// The times that the channel was told last.
    told: Option<Span>,
    now: Timestamp,
}

impl Look<'_> {
    fn due(&self, stage: Stage, at: Timestamp, was: Option<Span>) -> Due {
        let Self { occurrence: Occurrence { id, .. }, listener: Listener { channel, .. }, .. } =
            self;
        // What is told anew must not pass for what was told before.
        let reopened = self.ledger.reopened_at(id, channel);
        Due {
            occurrence: id.clone(),
            channel: channel.clone(),
            stage,
            at: reopened.map_or(at, |reopened| at.max(reopened)),
            span: Some(self.occurrence.span),
            was,
            collapsed: self.collapsed(stage),
            is_first: self.told.is_none(),
        }
    }

    /// What is to be told, and since when.
    fn wanted(&self) -> Option<(Stage, Timestamp)> {
        let wanted = match self.occurrence.state {
            State::Ahead => self.ahead(),
            State::Open(since) => self.open(since),
            State::Verifying(since) => self.once(Stage::Verifying, since),
            State::Over(since, end) => self.over(since, end),
        };
        wanted.filter(|_| !self.has_ended())
    }

    fn ahead(&self) -> Option<(Stage, Timestamp)> {
        let moved = self.told.filter(|told| *told != self.occurrence.span);
        if moved.is_some() && self.listener.takes(Stage::Changed) {
            return Some((Stage::Changed, self.told_at()));
        }
        let lead = self.leads().filter(|(_, at)| *at <= self.now).last();
        let lead = lead.filter(|_| self.now < self.occurrence.span.opens);
        let failed = || self.once(Stage::CheckFailed, self.occurrence.check_failed?);
        lead.map(|(lead, at)| (Stage::Lead(lead), at)).or_else(failed)
    }

    fn open(&self, since: Timestamp) -> Option<(Stage, Timestamp)> {
        if let Some(opened) = self.once(Stage::Opened, since) {
            return Some(opened);
        }
        let changed = self.told.and_then(|told| {
            let Span { opens, closes } = self.occurrence.span;
            match told {
                told if told.closes < closes && told.opens == opens => Some(Stage::Extended),
                told if told != self.occurrence.span => Some(Stage::Changed),
                _ => None,
            }
        });
        if let Some(stage) = changed.filter(|stage| self.listener.takes(*stage)) {
            return Some((stage, self.told_at()));
        }
        let at = self.progress(since).filter(|at| *at <= self.now)?;
        Some((Stage::Progress, at))
    }

    fn over(&self, since: Timestamp, end: End) -> Option<(Stage, Timestamp)> {
        let stage = match end {
            End::Closed => Stage::Closed,
            // Nobody has to hear that something is off of which they never heard.
            End::Cancelled if self.told.is_none() => return None,
            End::Cancelled => Stage::Cancelled,
            End::Missed => Stage::Missed,
            End::Blocked => Stage::Blocked,
        };
        self.once(stage, since).filter(|_| self.now.duration_since(since) <= LATE_MAX)
    }

    /// A stage that is told once.
    fn once(&self, stage: Stage, at: Timestamp) -> Option<(Stage, Timestamp)> {
        let wanted = self.listener.takes(stage) && !self.was_sent(stage) && at <= self.now;
        wanted.then_some((stage, at))
    }

    /// The leads that are not covered yet, in the order of their times.
    fn leads(&self) -> impl Iterator<Item = (Duration, Timestamp)> {
        let least = self.ledger.least_lead(&self.occurrence.id, &self.listener.channel);
        let changed =
            self.ledger.sent_at(&self.occurrence.id, &self.listener.channel, Stage::Changed);
        let mut leads: Vec<(Duration, Timestamp)> = self
            .timing
            .before
            .iter()
            .filter(|lead| self.listener.takes(Stage::Lead(**lead)))
            .filter(|lead| least.is_none_or(|least| **lead < least))
            .map(|lead| (*lead, back(self.occurrence.span.opens, *lead)))
            .filter(|(_, at)| changed.is_none_or(|changed| *at > changed))
            .collect();
        leads.sort_by_key(|(_, at)| *at);
        leads.into_iter()
    }

    /// The latest time of progress that was not told, or the next one.
    fn progress(&self, since: Timestamp) -> Option<Timestamp> {
        let every = self.timing.every.filter(|every| *every > Duration::ZERO)?;
        if !self.listener.takes(Stage::Progress) {
            return None;
        }
        let every = every.signed();
        let told = self.ledger.last_sent(&self.occurrence.id, &self.listener.channel);
        let told = told.map_or(since, |told| told.max(since));
        // The slot that began last.
        let passed = self.now.max(told).duration_since(since).as_secs();
        let slot = |count: i64| {
            let ahead = every.checked_mul(i32::try_from(count).ok()?)?;
            since.checked_add(ahead).ok()
        };
        let count = passed.checked_div(every.as_secs())?;
        let latest = slot(count).filter(|at| count > 0 && *at > told);
        let at = latest.or_else(|| slot(count.saturating_add(1)))?;
        (at < self.occurrence.span.closes).then_some(at)
    }

    /// When something becomes due that is not due yet.
    fn next(&self) -> Option<Timestamp> {
        let next = match self.occurrence.state {
            State::Ahead => self.leads().map(|(_, at)| at).find(|at| *at > self.now),
            State::Open(since) => self.progress(since),
            State::Verifying(_) | State::Over(..) => None,
        };
        next.filter(|at| *at > self.now && !self.has_ended())
    }

    /// When the channel was told last, also of what was replaced.
    fn told_at(&self) -> Timestamp {
        let last = |id: &str| self.ledger.last_sent(id, &self.listener.channel);
        let Occurrence { id, replaces, .. } = self.occurrence;
        last(id).or_else(|| last(replaces.as_ref()?)).unwrap_or(self.now)
    }

    fn was_sent(&self, stage: Stage) -> bool {
        let Self { occurrence, listener, .. } = self;
        self.ledger.sent_at(&occurrence.id, &listener.channel, stage).is_some()
    }

    fn has_ended(&self) -> bool {
        [Stage::Closed, Stage::Cancelled, Stage::Missed, Stage::Blocked]
            .into_iter()
            .any(|stage| self.was_sent(stage))
    }

    /// What would have been told before, had anybody been there.
    fn collapsed(&self, chosen: Stage) -> Vec<Stage> {
        let last = self.ledger.last_sent(&self.occurrence.id, &self.listener.channel);
        let is_missed = |at: Timestamp| at <= self.now && last.is_none_or(|last| at > last);
        let missed = self.leads().filter(|(_, at)| is_missed(*at)).map(|(lead, _)| lead);
        let mut stages: Vec<Stage> = missed.map(Stage::Lead).collect();
        if matches!(self.occurrence.state, State::Over(_, End::Closed) | State::Verifying(_))
            && self.listener.takes(Stage::Opened)
            && !self.was_sent(Stage::Opened)
        {
            stages.push(Stage::Opened);
        }
        // A check that fails takes the place of no lead.
        stages.retain(|stage| *stage != chosen && chosen != Stage::CheckFailed);
        stages
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// So long before; the beginning of all time where that is before it.
fn back(at: Timestamp, lead: Duration) -> Timestamp {
    at.checked_sub(lead.signed()).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
