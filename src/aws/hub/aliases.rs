//! What was read of aliases.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::Hub;
use crate::{
    aws::{Class, Error, port},
    facts::lambda::{Alias, Source},
};

/// Age from which an alias is read again while a rollout is in flight: shorter than the interval
/// at which it is looked at, longer than what lies between such a look and the next step.
const ALIAS_FRESH: SignedDuration = SignedDuration::from_secs(55);
/// The same for what is at rest, and looked at for another reason.
const ALIAS_FRESH_AT_REST: SignedDuration = SignedDuration::from_secs(14 * 60);
/// How long a version counts that an alias named: longer than the watch may be behind that tells which
/// rollout may go back to it.
const NAMED_LATELY: SignedDuration = SignedDuration::from_mins(30);
/// How often answers that are of no use to anybody are looked for.
const SWEEP: SignedDuration = SignedDuration::from_mins(1);

/// An alias in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AliasKey {
    /// The 12 digits of the account.
    pub account: String,
    /// Region.
    pub region: String,
    /// Function name.
    pub function: String,
    /// Alias name.
    pub alias: String,
}

/// How badly a read is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Work under way: waits for its turn; a recent answer will do.
    Work,
    /// A look at what should be at rest: only when calls are to spare.
    Drift,
    /// The same for the sake of something else, more often: an answer that is younger than the time
    /// between two looks for drift will do.
    Follow,
}

/// The aliases that were read last.
#[derive(Default)]
pub(super) struct Aliases {
    seen: Mutex<Answers>,
}

#[derive(Default)]
struct Answers {
    by_key: HashMap<AliasKey, Known>,
    swept_at: Option<Timestamp>,
}

impl Answers {
    /// Drops what is of no use to anybody any more.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept_at.is_some_and(|at| now.duration_since(at).abs() < SWEEP) {
            return;
        }
        self.swept_at = Some(now);
        self.by_key.retain(|_, known| known.is_of_use(now));
        self.by_key.shrink_to_fit();
    }
}

/// What is known of an alias.
#[derive(Default)]
struct Known {
    seen: Option<Seen>,
    /// The versions that it named before, and when it was last seen to.
    left: Vec<(String, Timestamp)>,
}

/// An alias as Lambda answered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The alias.
    pub alias: Alias,
    /// What it is the answer to.
    pub source: Source,
    at: Timestamp,
}

impl Seen {
    fn is_younger(&self, age: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.at).abs() < age
    }
}

impl Known {
    /// It was seen like this; with none, nobody knows how it is.
    fn becomes(&mut self, seen: Option<Seen>) {
        let Some(before) = std::mem::replace(&mut self.seen, seen) else { return };
        let now = self.seen.as_ref().map(|seen| names(&seen.alias).collect::<Vec<_>>());
        let left = |version: &&String| now.as_ref().is_none_or(|now| !now.contains(version));
        let at = before.at;
        self.left.retain(|(_, left)| is_lately(*left, at));
        self.left.extend(names(&before.alias).filter(left).map(|version| (version.clone(), at)));
    }

    /// The versions that it named lately.
    fn named(&self, now: Timestamp) -> impl Iterator<Item = &String> {
        let left = self.left.iter().filter(move |(_, at)| is_lately(*at, now));
        let named = self.seen.iter().flat_map(|seen| names(&seen.alias));
        left.map(|(version, _)| version).chain(named)
    }

    fn is_of_use(&self, now: Timestamp) -> bool {
        let fresh = self.seen.as_ref().is_some_and(|it| it.is_younger(ALIAS_FRESH_AT_REST, now));
        fresh || self.left.iter().any(|(_, at)| is_lately(*at, now))
    }
}

/// The versions that an alias names.
fn names(alias: &Alias) -> impl Iterator<Item = &String> {
    alias.weights.iter().map(|extra| &extra.version).chain([&alias.version])
}

fn is_lately(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).abs() < NAMED_LATELY
}

impl Aliases {
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// The alias; none when it does not exist.
    ///
    /// An answer that is fresh (55 s) is not asked for again: writes carry the revision id, so one
    /// on stale facts is refused by Lambda. Right after a write it is also the better answer: reads
    /// may show the alias as it was before. A read that shows what the last write was answered counts as
    /// that answer.
    ///
    /// # Errors
    ///
    /// Those of GetAlias.
    pub async fn alias(
        &self,
        lambda: &dyn port::Lambda,
        key: &AliasKey,
        want: Want,
        now: Timestamp,
    ) -> Result<Option<Seen>, Error> {
        if let Some(seen) = self.fresh(key, want, now) {
            return Ok(Some(seen));
        }
        let read = lambda.get_alias(&key.function, &key.alias);
        match read.await {
            Ok(alias) => {
                let written = self.is_as_written(key, &alias);
                let source = if written { Source::Write } else { Source::Read };
                if want == Want::Drift {
                    self.aliases.lock().sweep(now);
                } else {
                    let later = if written { Source::Write } else { Source::EarlierRead };
                    self.keep(key, Seen { alias: alias.clone(), source: later, at: now });
                }
                Ok(Some(Seen { alias, source, at: now }))
            }
            Err(error) if error.class == Class::NotFound => {
                self.forget(key);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a read shows what our last write was answered: nothing was written since, also nothing of
    /// ours that was late.
    fn is_as_written(&self, key: &AliasKey, alias: &Alias) -> bool {
        let aliases = self.aliases.lock();
        let seen = aliases.by_key.get(key).and_then(|known| known.seen.as_ref());
        let written = seen.filter(|seen| seen.source == Source::Write);
        written.is_some_and(|seen| seen.alias.revision_id == alias.revision_id)
    }

    fn fresh(&self, key: &AliasKey, want: Want, now: Timestamp) -> Option<Seen> {
        let fresh = match want {
            Want::Work | Want::Drift => ALIAS_FRESH,
            Want::Follow => ALIAS_FRESH_AT_REST,
        };
        let aliases = self.aliases.lock();
        let seen = aliases.by_key.get(key)?.seen.as_ref()?;
        seen.is_younger(fresh, now).then(|| seen.clone())
    }

    /// Remembers an alias as a write was answered at or after `at`.
    pub fn wrote(&self, key: &AliasKey, alias: Alias, at: Timestamp) {
        self.keep(key, Seen { alias, source: Source::Write, at });
    }

    fn keep(&self, key: &AliasKey, seen: Seen) {
        let mut aliases = self.aliases.lock();
        let now = seen.at;
        aliases.by_key.entry(key.clone()).or_default().becomes(Some(seen));
        aliases.sweep(now);
    }

    /// Forgets an alias that was only read: what may be old is read again. The answer to a write stays.
    pub fn forget_read(&self, key: &AliasKey) {
        let mut aliases = self.aliases.lock();
        let read = |known: &&mut Known| {
            known.seen.as_ref().is_some_and(|seen| seen.source != Source::Write)
        };
        aliases.by_key.get_mut(key).filter(read).into_iter().for_each(|known| known.becomes(None));
    }

    /// An alias is at rest: what was read of it is of no use any more. Before it is moved it is read again.
    pub fn rests(&self, key: &AliasKey) {
        let mut aliases = self.aliases.lock();
        let Some(known) = aliases.by_key.get_mut(key) else { return };
        known.seen.take_if(|seen| seen.source != Source::Write);
        if known.seen.is_none() && known.left.is_empty() {
            aliases.by_key.remove(key);
        }
    }

    /// Forgets an alias: it is read again before anything is decided on it.
    pub fn forget(&self, key: &AliasKey) {
        let mut aliases = self.aliases.lock();
        aliases.by_key.get_mut(key).into_iter().for_each(|known| known.becomes(None));
    }

    /// The versions that the other aliases of the function were seen to name lately, whatever they name
    /// now: a rollout may go back to one, and the watch may not have told of it yet.
    #[must_use]
    pub fn named_by_others(&self, key: &AliasKey, now: Timestamp) -> BTreeSet<String> {
        let other = |one: &AliasKey| {
            (&one.account, &one.region, &one.function) == (&key.account, &key.region, &key.function)
                && one.alias != key.alias
        };
        let aliases = self.aliases.lock();
        let others = aliases.by_key.iter().filter(|(one, _)| other(one));
        others.flat_map(|(_, known)| known.named(now)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
