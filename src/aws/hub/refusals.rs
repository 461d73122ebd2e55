//! What AWS refused for good, for callers that ask each minute.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::{AliasKey, Hub};

/// How long a refusal counts: shorter than the time between two looks at what is at rest.
const REFUSAL_KEPT: SignedDuration = SignedDuration::from_secs(14 * 60);

/// Why old versions could not be cleared away, by alias.
#[derive(Default)]
pub(super) struct Refusals {
    kept: Mutex<HashMap<AliasKey, (Timestamp, Refusal)>>,
}

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}

fn counts(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).abs() < REFUSAL_KEPT
}

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, HashMap<AliasKey, (Timestamp, Refusal)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Remembers why AWS does not let old versions be cleared away.
    pub fn refused_pruning(&self, key: &AliasKey, refusal: Refusal, now: Timestamp) {
        let mut kept = self.refusals.lock();
        kept.retain(|_, (at, _)| counts(*at, now));
        kept.insert(key.clone(), (now, refusal));
    }

    /// Why AWS did not let old versions be cleared away within the last 14 minutes; none if it did, or
    /// was not asked.
    #[must_use]
    pub fn pruning_refusal(&self, key: &AliasKey, now: Timestamp) -> Option<Refusal> {
        let kept = self.refusals.lock();
        kept.get(key).filter(|(at, _)| counts(*at, now)).map(|(_, refusal)| refusal.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_for_its_alias_and_for_fourteen_minutes() {
        let key = |alias: &str| AliasKey {
            account: "111122223333".into(),
            region: "eu-central-1".into(),
            function: "checkout".into(),
            alias: alias.into(),
        };
        let time = |text: &str| -> Timestamp { text.parse().unwrap() };
        let hub = Hub::default();
        let denied = Refusal { reason: "AccessDenied", message: "denied".into() };
        let refused = |alias, text| {
            hub.refused_pruning(&key(alias), denied.clone(), time(text));
        };
        refused("live", "2026-12-06T01:00:00Z");
        let at = |alias, text| hub.pruning_refusal(&key(alias), time(text));
        assert_eq!(at("live", "2026-12-06T01:13:59Z"), Some(denied.clone()));
        assert_eq!(at("live", "2026-12-06T01:14:00Z"), None);
        assert_eq!(at("test", "2026-12-06T01:01:00Z"), None);
        refused("test", "2026-12-06T01:20:00Z");
        assert_eq!(hub.refusals.lock().len(), 1, "what no longer counts is not kept");
    }
}
