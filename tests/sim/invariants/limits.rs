//! Invariants of what the spec lets the operator do: `mode`, `onConflict`.

use groundcrew::{
    api::{
        canary_rollout::{CanaryRollout, OnConflict},
        shared::Mode,
    },
    facts::lambda::{Alias, AliasChange},
};
use jiff::{SignedDuration, Timestamp};

use super::Found;
use crate::world::lambda::percent;

/// How often an alias may be put back within an hour, less what faults may delay the first one.
const PUT_BACKS_MAX: usize = 3;
const PUT_BACKS_WITHIN: SignedDuration = SignedDuration::from_mins(45);

/// Once it is told that the spec says Audit, the alias goes back at most.
pub fn audited(
    change: &AliasChange,
    object: Option<&CanaryRollout>,
) -> Option<(&'static str, String)> {
    let object = object?;
    let status = object.status.as_ref()?;
    let told = status.conditions.iter().any(|one| one.type_ == "Ready" && one.reason == "Audit");
    let current = status.observed_generation == object.metadata.generation;
    let stable = status.stable.as_ref().map(|stable| stable.version.as_str());
    let forward = change.weight.is_some() || Some(change.version.as_str()) != stable;
    let broken = told && current && object.spec.mode == Some(Mode::Audit) && forward;
    broken.then(|| ("Audit", format!("version {} was moved to in Audit", change.version)))
}

/// When the alias was put back after somebody else had moved it.
#[derive(Debug, Default)]
pub struct PutBacks(Vec<Timestamp>);

impl PutBacks {
    /// The status was emptied: how often it was put back is known from there alone.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// C5: an alias that somebody else moved becomes what it was left at, if the spec says so, and
    /// not too often.
    pub fn check<'a>(
        &mut self,
        now: Timestamp,
        change: &AliasChange,
        object: &CanaryRollout,
        mut left: impl Iterator<Item = &'a Alias>,
    ) -> Found {
        let mut found = Found::new();
        if object.spec.on_conflict != Some(OnConflict::Enforce) {
            found.push(("C5", "put back although the spec does not say so".into()));
        }
        let weights: Vec<_> = change.weight.iter().map(percent).collect();
        let as_left = left.any(|left| {
            let had: Vec<_> = left.weights.iter().map(percent).collect();
            left.version == change.version && had == weights
        });
        let stable = object.status.as_ref().and_then(|status| status.stable.as_ref());
        let bare = weights.is_empty() && stable.is_some_and(|one| one.version == change.version);
        if !as_left && !bare {
            found.push(("C5", format!("put back to {change:?}, where it was not left")));
        }
        self.0.retain(|at| now.duration_since(*at) < PUT_BACKS_WITHIN);
        self.0.push(now);
        if self.0.len() > PUT_BACKS_MAX {
            found.push(("C5", format!("put back at {:?}", self.0)));
        }
        found
    }
}
