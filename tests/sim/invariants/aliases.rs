//! What an alias was.

use groundcrew::facts::lambda::Alias;
use jiff::{SignedDuration, Timestamp};

use crate::world::lambda::STALENESS;

/// Longest that an answer may lie between its read and the status that it leads to: the hub keeps
/// answers 55 s, a pass lasts a few seconds.
const READ_AGE: SignedDuration = SignedDuration::from_secs(60);

/// The past of an alias.
#[derive(Debug, Default)]
pub struct AliasPast {
    /// What it was, and since when.
    changes: Vec<(Timestamp, Option<Alias>)>,
    /// The same without what other tools did: a hold is not broken by what is put back.
    own: Vec<(Timestamp, Alias)>,
    last: Last,
}

/// Who changed it last.
#[derive(Debug, Default)]
enum Last {
    #[default]
    Nobody,
    /// Another tool.
    Tool,
    /// The operator, for this object.
    By(String),
}

impl AliasPast {
    /// The operator read it.
    pub fn read(&mut self, answer: Option<&Alias>) {
        if self.changes.is_empty() {
            self.changes.push((Timestamp::MIN, answer.cloned()));
        }
    }

    /// The operator made it for an object.
    pub fn made(&mut self, now: Timestamp, by: &str, after: &Alias) {
        self.last = Last::By(by.to_owned());
        self.changes.push((now, Some(after.clone())));
    }

    /// The operator moved it for an object.
    pub fn moved(&mut self, now: Timestamp, by: &str, after: &Alias) {
        self.made(now, by, after);
        self.own.push((now, after.clone()));
    }

    /// Another tool changed it.
    pub fn disturbed(&mut self, now: Timestamp, after: &Alias) {
        self.last = Last::Tool;
        self.changes.push((now, Some(after.clone())));
    }

    /// Whether somebody other than this object changed it last.
    pub fn is_foreign(&self, key: &str) -> bool {
        match &self.last {
            Last::Nobody => false,
            Last::Tool => true,
            Last::By(by) => by != key,
        }
    }

    /// Whether it is as this object left it.
    pub fn is_left_by(&self, key: &str) -> bool {
        matches!(&self.last, Last::By(by) if by == key)
    }

    /// Whether it sends anything to this version.
    pub fn reaches(&self, version: &str) -> bool {
        let alias = self.changes.last().and_then(|(_, alias)| alias.as_ref());
        alias.is_some_and(|alias| {
            alias.version == version || alias.weights.iter().any(|extra| extra.version == version)
        })
    }

    /// What the operator left it at, newest first.
    pub fn left(&self) -> impl Iterator<Item = &Alias> {
        self.own.iter().rev().map(|(_, left)| left)
    }

    /// Whether it ever was so.
    pub fn was_ever(&self, so: impl Fn(&Alias) -> bool) -> bool {
        self.changes.iter().any(|(_, alias)| alias.as_ref().is_some_and(&so))
    }

    /// Since when the operator has left it so; else since when it has been so.
    pub fn left_since(&self, so: impl Fn(&Alias) -> bool) -> Timestamp {
        let own = self.own.iter().rev().take_while(|(_, alias)| so(alias));
        own.last().map_or_else(|| self.since(&so), |(at, _)| *at)
    }

    /// Since when it has been so without a break.
    pub fn since(&self, so: impl Fn(&Alias) -> bool) -> Timestamp {
        let held = self.changes.iter().rev();
        let held = held.take_while(|(_, alias)| alias.as_ref().is_some_and(&so));
        held.last().map_or(Timestamp::MAX, |(at, _)| *at)
    }

    /// Whether it was so at some time as late as a read may have answered.
    pub fn lately(&self, now: Timestamp, so: impl Fn(Option<&Alias>) -> bool) -> bool {
        let limit = now - SignedDuration::try_from(STALENESS).expect("short") - READ_AGE;
        let mut until = Timestamp::MAX;
        for (at, alias) in self.changes.iter().rev() {
            if until < limit {
                return false;
            }
            if so(alias.as_ref()) {
                return true;
            }
            until = *at;
        }
        false
    }
}
