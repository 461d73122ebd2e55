//! Invariants of moves of an alias: G1, G3, C1, C4, C5, C6.

use groundcrew::{
    api::{
        FINALIZER,
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Outcome},
    },
    facts::lambda::{Alias, AliasChange},
};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::{Found, ObjectPast, aliases::AliasPast};
use crate::world::lambda::percent;

/// An UpdateAlias that was carried out.
pub struct Moved<'a> {
    pub now: Timestamp,
    pub before: &'a Alias,
    pub change: &'a AliasChange,
    /// The object that it was for, as the API server had it then.
    pub object: Option<&'a CanaryRollout>,
    /// It was sent long before: what is told by now may be something else.
    pub late: bool,
}

/// What is wrong with it.
pub fn updated(moved: &Moved<'_>, alias: &AliasPast, past: &mut ObjectPast) -> Found {
    let Moved { now, before, change, object, late } = *moved;
    let mut found = Found::new();
    if change.revision_id != before.revision_id {
        found.push(("C5", format!("carried {} at {}", change.revision_id, before.revision_id)));
    }
    let Some(object) = object else {
        // A person let it go while the way back was being sent.
        let undo = change.weight.is_none() && change.version == before.version;
        if !(undo && past.finalizer_taken.is_some()) {
            found.push(("G3", "the alias was moved for an object that is gone".into()));
        }
        return found;
    };
    let finalizer = object.finalizers().iter().any(|one| one == FINALIZER);
    if change.weight.is_some() && !finalizer && past.finalizer_taken.is_none() {
        found.push(("G1", "weights were set without our finalizer".into()));
    }
    let Some(status) = &object.status else { return found };
    let decided = status.put_backs.iter().any(|one| one.revision_id == before.revision_id);
    if status.conflict.is_some() && decided {
        // That the last write was carried out may not be known.
        found.extend(past.put_backs.check(now, change, object, alias.left().take(2)));
        return found;
    }
    if !late {
        found.extend(direction(before, change, status));
    }
    if let Some((canary, weight)) = change.weight.as_ref().map(percent) {
        found.extend(step_taken(moved, (&canary, weight), status, alias, past.hurried));
    }
    found
}

/// C1 and C6: the weight is that of the step that may be taken now.
fn step_taken(
    moved: &Moved<'_>,
    (canary, weight): (&str, i32),
    status: &CanaryRolloutStatus,
    past: &AliasPast,
    hurried: bool,
) -> Found {
    let Moved { now, before, .. } = *moved;
    let declared: Vec<i32> = status.steps.iter().filter_map(|step| step.weight).collect();
    if !declared.contains(&weight) {
        return vec![("C1", format!("{weight}% is no step of {declared:?}"))];
    }
    let had = before.weights.iter().map(percent).find(|(version, _)| version == canary);
    match had {
        None if !hurried && declared.first() != Some(&weight) => {
            vec![("C6", format!("{canary} started at {weight}%, not at step 0"))]
        }
        None => Vec::new(),
        Some((_, left)) => {
            let so = |alias: &Alias| {
                alias.weights.iter().map(percent).any(|had| had == (canary.to_owned(), left))
            };
            let since = past.left_since(so);
            let step = status.steps.iter().find(|step| step.weight == Some(left));
            let hold = step.and_then(|step| step.hold).unwrap_or_default().signed();
            let next = declared.iter().find(|percent| **percent > left);
            let mut found = Vec::new();
            if next != Some(&weight) && !hurried {
                found.push(("C1", format!("{left}% was followed by {weight}%, not {next:?}")));
            }
            if now.duration_since(since) < hold && !hurried {
                found.push(("C1", format!("{left}% was left before its hold was over")));
            }
            found
        }
    }
}

/// C4: where an alias may move to.
fn direction(before: &Alias, change: &AliasChange, status: &CanaryRolloutStatus) -> Found {
    let canary = status.canary.as_ref().map(|canary| canary.version.as_str());
    let stable = status.stable.as_ref().map(|stable| stable.version.as_str());
    let promotes = status.ending.as_ref().is_some_and(|ending| ending.outcome == Outcome::Promoted);
    let goes_back = status.ending.is_some() && !promotes;
    let mut found = Found::new();
    let version = Some(change.version.as_str());
    if before.version == "$LATEST" && change.weight.is_none() {
        return found;
    }
    let may = if promotes { canary } else { stable };
    if change.version != before.version && (version != may || status.ending.is_none()) {
        found.push(("C4", format!("{} became {}", before.version, change.version)));
    }
    if let Some((extra, weight)) = change.weight.as_ref().map(percent) {
        let had = before.weights.iter().map(percent).find(|(version, _)| *version == extra);
        if had.is_some_and(|(_, had)| had >= weight) {
            found.push(("C4", format!("the weight of {extra} fell to {weight}%")));
        }
        if goes_back || Some(extra.as_str()) != canary {
            found.push(("C4", format!("{extra} got {weight}% although it is not on its way")));
        }
    }
    found
}
