//! What was read of aliases.

use std::{
    collections::HashMap,
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
    by_key: HashMap<AliasKey, Seen>,
    swept_at: Option<Timestamp>,
}

impl Answers {
    /// Drops what is of no use to anybody any more.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept_at.is_some_and(|at| now.duration_since(at).abs() < SWEEP) {
            return;
        }
        self.swept_at = Some(now);
        self.by_key.retain(|_, seen| seen.is_younger(ALIAS_FRESH_AT_REST, now));
        self.by_key.shrink_to_fit();
    }
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
        let seen = aliases.by_key.get(key).filter(|seen| seen.source == Source::Write);
        seen.is_some_and(|seen| seen.alias.revision_id == alias.revision_id)
    }

    fn fresh(&self, key: &AliasKey, want: Want, now: Timestamp) -> Option<Seen> {
        let fresh = match want {
            Want::Work | Want::Drift => ALIAS_FRESH,
            Want::Follow => ALIAS_FRESH_AT_REST,
        };
        let aliases = self.aliases.lock();
        let seen = aliases.by_key.get(key)?;
        seen.is_younger(fresh, now).then(|| seen.clone())
    }

    /// Remembers an alias as a write was answered at or after `at`.
    pub fn wrote(&self, key: &AliasKey, alias: Alias, at: Timestamp) {
        self.keep(key, Seen { alias, source: Source::Write, at });
    }

    fn keep(&self, key: &AliasKey, seen: Seen) {
        let mut aliases = self.aliases.lock();
        let now = seen.at;
        aliases.by_key.insert(key.clone(), seen);
        aliases.sweep(now);
    }

    /// Forgets an alias that was only read: what may be old is read again. The answer to a write stays.
    pub fn forget_read(&self, key: &AliasKey) {
        let mut aliases = self.aliases.lock();
        if aliases.by_key.get(key).is_some_and(|seen| seen.source != Source::Write) {
            aliases.by_key.remove(key);
        }
    }

    /// Forgets an alias: it is read again before anything is decided on it.
    pub fn forget(&self, key: &AliasKey) {
        let mut aliases = self.aliases.lock();
        aliases.by_key.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use std::time::Duration;

    use crate::facts::{
        lambda::{
            AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion, Invocation,
            NamedPage, Provisioned, Publication, VersionPage,
        },
        surplus::Surplus,
    };

    /// Answers reads with what was true at this revision.
    struct At(&'static str);

    /// Before the last write.
    const BEHIND: At = At("old");

    #[async_trait]
    impl port::Lambda for At {
        async fn get_alias(&self, _: &str, _: &str) -> Result<Alias, Error> {
            Ok(alias(self.0))
        }
        async fn create_alias(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Alias, Error> {
            panic!("nothing is written")
        }
        async fn update_alias(&self, _: &AliasChange) -> Result<Alias, Error> {
            panic!("nothing is written")
        }
        async fn get_function(&self, _: &str, _: Option<&str>) -> Result<FunctionVersion, Error> {
            panic!("only the alias is read")
        }
        async fn update_function_code(&self, _: &CodeChange) -> Result<Changed, Error> {
            panic!("only the alias is read")
        }
        async fn update_function_configuration(
            &self,
            _: &ConfigurationChange,
        ) -> Result<Changed, Error> {
            panic!("only the alias is read")
        }
        async fn publish_version(&self, _: &Publication) -> Result<Changed, Error> {
            panic!("only the alias is read")
        }
        async fn get_provisioned_concurrency(
            &self,
            _: &str,
            _: &str,
        ) -> Result<Provisioned, Error> {
            panic!("only the alias is read")
        }
        async fn invoke(
            &self,
            _: &str,
            _: &str,
            _: &str,
            _: Duration,
        ) -> Result<Invocation, Error> {
            panic!("only the alias is read")
        }
        async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<VersionPage, Error> {
            panic!("only the alias is read")
        }
        async fn list_named(&self, _: &str, _: Option<&str>) -> Result<NamedPage, Error> {
            panic!("only the alias is read")
        }
        async fn delete_version(&self, _: &Surplus) -> Result<(), Error> {
            panic!("only the alias is read")
        }
    }

    fn alias(revision: &str) -> Alias {
        Alias {
            version: "42".into(),
            weights: Vec::new(),
            revision_id: revision.into(),
            description: String::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    async fn seen(hub: &Hub, want: Want, second: i64) -> (String, Source) {
        let text = String::new;
        let key = AliasKey { account: text(), region: text(), function: text(), alias: text() };
        let seen = hub.alias(&BEHIND, &key, want, at(second)).await.unwrap().unwrap();
        (seen.alias.revision_id, seen.source)
    }

    fn wrote(hub: &Hub, second: i64) {
        let text = String::new;
        let key = AliasKey { account: text(), region: text(), function: text(), alias: text() };
        hub.wrote(&key, alias("new"), at(second));
    }

    #[tokio::test]
    async fn right_after_a_write_its_answer_is_believed_whoever_asks() {
        let hub = Hub::default();
        wrote(&hub, 0);
        for want in [Want::Work, Want::Drift] {
            assert_eq!(seen(&hub, want, 54).await, ("new".into(), Source::Write));
        }
        assert_eq!(seen(&hub, Want::Drift, 55).await, ("old".into(), Source::Read));
    }

    #[tokio::test]
    async fn a_read_that_shows_the_last_write_counts_as_its_answer() {
        let hub = Hub::default();
        let text = String::new;
        let key = &AliasKey { account: text(), region: text(), function: text(), alias: text() };
        let read = async |answer: At, second: i64| {
            hub.alias(&answer, key, Want::Work, at(second)).await.unwrap().unwrap().source
        };
        wrote(&hub, 0);
        assert_eq!(read(At("new"), 55).await, Source::Write);
        assert_eq!(read(At("new"), 110).await, Source::Write);
        // Somebody else wrote, or it shows what was before.
        assert_eq!(read(At("other"), 165).await, Source::Read);
        assert_eq!(read(At("new"), 220).await, Source::Read);
        // A write of ours was not answered.
        wrote(&hub, 300);
        hub.forget(key);
        assert_eq!(read(At("new"), 355).await, Source::Read);
    }

    #[tokio::test]
    async fn a_read_is_the_next_passes_earlier_read() {
        let hub = Hub::default();
        assert_eq!(seen(&hub, Want::Work, 0).await, ("old".into(), Source::Read));
        assert_eq!(seen(&hub, Want::Work, 54).await, ("old".into(), Source::EarlierRead));
        assert_eq!(seen(&hub, Want::Work, 55).await, ("old".into(), Source::Read));
    }

    #[tokio::test]
    async fn what_is_at_rest_and_followed_is_read_again_when_drift_would_be() {
        let hub = Hub::default();
        assert_eq!(seen(&hub, Want::Follow, 0).await, ("old".into(), Source::Read));
        assert_eq!(seen(&hub, Want::Follow, 839).await, ("old".into(), Source::EarlierRead));
        assert_eq!(seen(&hub, Want::Work, 839).await, ("old".into(), Source::Read));
        let hub = Hub::default();
        assert_eq!(seen(&hub, Want::Follow, 0).await, ("old".into(), Source::Read));
        assert_eq!(seen(&hub, Want::Follow, 840).await, ("old".into(), Source::Read));
    }

    #[tokio::test]
    async fn what_was_only_read_can_be_forgotten_and_what_was_written_not() {
        let hub = Hub::default();
        let text = String::new;
        let key = &AliasKey { account: text(), region: text(), function: text(), alias: text() };
        assert_eq!(seen(&hub, Want::Work, 0).await, ("old".into(), Source::Read));
        hub.forget_read(key);
        assert_eq!(seen(&hub, Want::Work, 1).await, ("old".into(), Source::Read));
        wrote(&hub, 2);
        hub.forget_read(key);
        assert_eq!(seen(&hub, Want::Work, 3).await, ("new".into(), Source::Write));
    }

    #[tokio::test]
    async fn what_is_of_use_to_nobody_any_more_is_forgotten() {
        let hub = Hub::default();
        let key = |number: i64| AliasKey {
            account: String::new(),
            region: String::new(),
            function: String::new(),
            alias: number.to_string(),
        };
        for second in 0..10_000 {
            hub.wrote(&key(second), alias("new"), at(second));
            let kept = hub.aliases.lock().by_key.len();
            assert!(kept <= 901, "{kept} are kept of what is of use to nobody");
        }
        assert!(hub.fresh(&key(9_999), Want::Work, at(9_999)).is_some());
        // Once all are at rest nothing is written or kept.
        hub.alias(&BEHIND, &key(1), Want::Drift, at(20_000)).await.unwrap();
        assert_eq!(hub.aliases.lock().by_key.len(), 0);
    }
}
