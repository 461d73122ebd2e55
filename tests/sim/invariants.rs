//! What must never be, checked after everything that happens.
//!
//! The names are those of the project's list: G1 finalizer before weights, G3 finalizer leaves after
//! the undo, G5 spec never written, G7 no write without a lease, G8 quiet when nothing changes, C1
//! declared weights in their time, C3 ended means no weights, C4 weights only rise or go, C5 each
//! write carries the current revision id, C6 a new release starts at step 0, C9 of two rollouts on one
//! alias the older acts, Audit nothing goes forward in Audit.

use groundcrew::{
    api::{
        FINALIZER,
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Outcome, Phase, Step},
        shared::ActionResult,
    },
    facts::lambda::{Alias, AliasChange, Publication},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;

use crate::{
    evidence_read::EvidenceRead,
    faults::Sort,
    history::{Asked, Event},
    limits::{PutBacks, audited},
    world::lambda::{STALENESS, percent},
};

/// The checkers and what they remember.
#[derive(Debug, Default)]
pub struct Invariants {
    /// What was broken.
    pub violations: Vec<String>,
    /// What the alias was, and since when.
    aliases: Vec<(Timestamp, Option<Alias>)>,
    /// The same without what other tools did: a hold is not broken by what is put back.
    own: Vec<(Timestamp, Alias)>,
    /// Whether the last change of the alias was by another tool.
    foreign: bool,
    /// When a person gave a verb that ends a hold; holds then count no more for this flight.
    hurried: bool,
    /// resourceVersion at which a person took our finalizer, until the operator saw it.
    finalizer_taken: Option<u64>,
    /// A person emptied the status of a flight that left no mark: nothing tells of its weights.
    untold: bool,
    /// A status write was carried out whose answer nobody got.
    status_unanswered: bool,
    put_backs: PutBacks,
    /// What was read of the new version.
    evidence: EvidenceRead,
}

pub type Found = Vec<(&'static str, String)>;

impl Invariants {
    /// A person took our finalizer away.
    pub fn finalizer_taken(&mut self, version: u64) {
        self.finalizer_taken = Some(version);
    }

    /// A person emptied the status; `marked` tells whether the alias carries our mark.
    pub fn status_emptied(&mut self, marked: bool) {
        self.untold |= !marked;
        self.put_backs.forget();
    }

    /// The operator has seen the object as of a resourceVersion.
    pub fn seen(&mut self, version: u64) {
        self.finalizer_taken = self.finalizer_taken.filter(|taken| *taken > version);
    }

    /// A call was carried out whose answer nobody got.
    pub fn unanswered(&mut self, sort: Sort) {
        self.status_unanswered |= sort == Sort::KubernetesWrite;
    }

    /// Checks what happened, and returns what it breaks.
    pub fn observe(&mut self, now: Timestamp, event: &Event) -> Vec<String> {
        let found = match event {
            Event::AliasUpdated { before, change, after, object, leads, late } => {
                let mut found = match (before, after) {
                    (Some(before), Some(_)) => {
                        self.updated(now, before, change, object.as_deref(), *leads)
                    }
                    (_, None) => lease(*leads),
                    (None, Some(_)) => vec![("C5", "an alias that is not there was moved".into())],
                };
                if let Some(after) = after {
                    // What was sent before it was told may still arrive.
                    found.extend(audited(change, object.as_deref()).filter(|_| !late));
                    self.foreign = false;
                    self.aliases.push((now, Some(after.clone())));
                    self.own.push((now, after.clone()));
                }
                found
            }
            Event::MetricsRead(evidence) => {
                self.evidence.read(evidence);
                Vec::new()
            }
            Event::Acted { by, oldest } => acted(by, oldest.as_deref()),
            Event::AliasCreated { after, leads } => {
                self.foreign = false;
                self.aliases.push((now, Some(after.clone())));
                lease(*leads)
            }
            Event::ForeignAlias { after } => {
                self.foreign = true;
                self.aliases.push((now, Some(after.clone())));
                Vec::new()
            }
            Event::StatusApplied { before, after, asked, alias } => {
                self.status(now, before, after, asked.as_ref(), alias.as_ref())
            }
            Event::FinalizerRemoved { object, alias } => self.let_go(object, alias.as_ref()),
            Event::AliasRead { answer } => {
                if self.aliases.is_empty() {
                    self.aliases.push((Timestamp::MIN, answer.clone()));
                }
                Vec::new()
            }
            Event::Published { publication, object, leads, .. } => {
                published(publication, object.as_deref(), *leads)
            }
            Event::VersionDeleted { version, description, leads } => {
                let mut found = lease(*leads);
                let ours = |text: &String| text.contains("[groundcrew sim/flights/processor ");
                if description.as_ref().is_some_and(|text| !ours(text)) {
                    found.push(("G4", format!("version {version} was deleted: {description:?}")));
                }
                found
            }
            Event::FinalizerAdded | Event::PersonEdited => Vec::new(),
        };
        let found: Vec<String> =
            found.into_iter().map(|(name, why)| format!("{name}: {why}")).collect();
        self.violations.extend(found.iter().cloned());
        found
    }

    /// An UpdateAlias that was carried out.
    fn updated(
        &mut self,
        now: Timestamp,
        before: &Alias,
        change: &AliasChange,
        object: Option<&CanaryRollout>,
        leads: bool,
    ) -> Found {
        let mut found = lease(leads);
        if change.revision_id != before.revision_id {
            found.push(("C5", format!("carried {} at {}", change.revision_id, before.revision_id)));
        }
        let Some(object) = object else {
            // A person let it go while the way back was being sent.
            let undo = change.weight.is_none() && change.version == before.version;
            if !(undo && self.finalizer_taken.is_some()) {
                found.push(("G3", "the alias was moved for an object that is gone".into()));
            }
            return found;
        };
        let finalizer = object.finalizers().iter().any(|one| one == FINALIZER);
        if change.weight.is_some() && !finalizer && self.finalizer_taken.is_none() {
            found.push(("G1", "weights were set without our finalizer".into()));
        }
        let Some(status) = &object.status else { return found };
        let decided = status.put_backs.iter().any(|one| one.revision_id == before.revision_id);
        if status.conflict.is_some() && decided {
            // That the last write was carried out may not be known.
            let left = self.own.iter().rev().take(2).map(|(_, left)| left);
            found.extend(self.put_backs.check(now, change, object, left));
            return found;
        }
        found.extend(direction(before, change, status));
        if let Some((canary, weight)) = change.weight.as_ref().map(percent) {
            found.extend(self.step_taken(now, before, (&canary, weight), status));
        }
        found
    }

    /// C1 and C6: the weight is that of the step that may be taken now.
    fn step_taken(
        &self,
        now: Timestamp,
        before: &Alias,
        (canary, weight): (&str, i32),
        status: &CanaryRolloutStatus,
    ) -> Found {
        let declared: Vec<i32> = status.steps.iter().filter_map(|step| step.weight).collect();
        if !declared.contains(&weight) {
            return vec![("C1", format!("{weight}% is no step of {declared:?}"))];
        }
        let had = before.weights.iter().map(percent).find(|(version, _)| version == canary);
        match had {
            None if !self.hurried && declared.first() != Some(&weight) => {
                vec![("C6", format!("{canary} started at {weight}%, not at step 0"))]
            }
            None => Vec::new(),
            Some((_, left)) => {
                let so = |alias: &Alias| {
                    alias.weights.iter().map(percent).any(|had| had == (canary.to_owned(), left))
                };
                let own = self.own.iter().rev().take_while(|(_, alias)| so(alias));
                let since = own.last().map_or_else(|| self.since(so), |(at, _)| *at);
                let step = status.steps.iter().find(|step| step.weight == Some(left));
                let hold = step.and_then(|step| step.hold).unwrap_or_default().signed();
                let next = declared.iter().find(|percent| **percent > left);
                let mut found = Vec::new();
                if next != Some(&weight) && !self.hurried {
                    found.push(("C1", format!("{left}% was followed by {weight}%, not {next:?}")));
                }
                if now.duration_since(since) < hold && !self.hurried {
                    found.push(("C1", format!("{left}% was left before its hold was over")));
                }
                found
            }
        }
    }

    /// Since when the alias has been so without a break.
    fn since(&self, so: impl Fn(&Alias) -> bool) -> Timestamp {
        let held = self.aliases.iter().rev();
        let held = held.take_while(|(_, alias)| alias.as_ref().is_some_and(&so));
        held.last().map_or(Timestamp::MAX, |(at, _)| *at)
    }

    /// Whether the alias was so at some time as late as a read may have answered.
    fn lately(&self, now: Timestamp, so: impl Fn(Option<&Alias>) -> bool) -> bool {
        let limit = now - SignedDuration::try_from(STALENESS).expect("short") - READ_AGE;
        let mut until = Timestamp::MAX;
        for (at, alias) in self.aliases.iter().rev() {
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

    /// A status that was applied.
    fn status(
        &mut self,
        now: Timestamp,
        before: &CanaryRollout,
        after: &CanaryRollout,
        asked: Option<&Asked>,
        alias: Option<&Alias>,
    ) -> Found {
        let mut found = Found::new();
        if after.spec != before.spec || after.metadata.generation != before.metadata.generation {
            found.push(("G5", "a status write changed the spec".into()));
        }
        if after.status == before.status && !std::mem::take(&mut self.status_unanswered) {
            found.push(("G8", "a status write changed nothing".into()));
        }
        let Some(status) = &after.status else { return found };
        self.hurried = hurries(status, self.hurried);
        found.extend(ready(status, before.metadata.generation));
        let old = before.status.as_ref();
        if let Some(why) = self.entered_early(old, status) {
            found.push(("C1", why));
        }
        if !self.hurried {
            found.extend(self.evidence.left(before, status));
        }
        let ended = |status: &CanaryRolloutStatus| (status.phase, status.revision.clone());
        if old.map(ended) == Some(ended(status)) {
            return found;
        }
        let bare = |alias: Option<&Alias>| alias.is_none_or(|alias| alias.weights.is_empty());
        if matches!(status.phase, Some(Phase::Healthy | Phase::RolledBack | Phase::Aborted))
            && !self.foreign
            && !self.lately(now, bare)
            && !bare(alias)
        {
            found.push(("C3", format!("{:?} with weights on the alias", status.phase)));
        }
        // What cannot be looked at keeps its phase, but is not Ready.
        let is_ready = |one: &Condition| one.type_ == "Ready" && one.status == "True";
        if status.phase == Some(Phase::Healthy) && status.conditions.iter().any(is_ready) {
            let stable = status.stable.as_ref().map(|stable| stable.version.as_str());
            let serves = |alias: Option<&Alias>| {
                alias.is_some_and(|alias| {
                    alias.weights.is_empty() && Some(alias.version.as_str()) == stable
                })
            };
            let other = asked.is_none_or(|asked| {
                asked.version.as_deref().is_some_and(|version| Some(version) != stable)
                    || asked.code_sha256.is_some() && asked.code_sha256 != asked.served_code
            });
            if other || !(serves(alias) || self.lately(now, serves)) {
                found.push(("Healthy", format!("{asked:?} is asked for, {stable:?} is stable")));
            }
        }
        found
    }

    /// C1: a step counts from when its weight was on the alias, never from before.
    fn entered_early(
        &self,
        old: Option<&CanaryRolloutStatus>,
        status: &CanaryRolloutStatus,
    ) -> Option<String> {
        let entered = |status: &CanaryRolloutStatus| {
            let step = status.step.as_ref()?;
            Some((step.index, step.entered_at.as_ref()?.0))
        };
        let (index, at) = entered(status)?;
        if old.and_then(entered) == Some((index, at)) {
            return None;
        }
        let step: &Step = status.steps.get(usize::try_from(index).ok()?)?;
        let weight = (status.canary.as_ref()?.version.clone(), step.weight?);
        let since = self.since(|alias| alias.weights.iter().map(percent).any(|had| had == weight));
        let ever = self.aliases.iter().any(|(_, alias)| {
            alias.iter().flat_map(|alias| &alias.weights).map(percent).any(|had| had == weight)
        });
        match (ever, since) {
            (false, _) => Some(format!("step {index} was entered, {weight:?} never was there")),
            // Somebody took the weight away since it was read.
            (true, since) if since == Timestamp::MAX => None,
            (true, since) => (at < since)
                .then(|| format!("step {index} was entered at {at}, its weight came at {since}")),
        }
    }

    /// The operator let the object go.
    fn let_go(&self, object: &CanaryRollout, alias: Option<&Alias>) -> Found {
        let abandoned = object.annotations().contains_key(groundcrew::api::ABANDON_ANNOTATION);
        let weighted = alias.is_some_and(|alias| !alias.weights.is_empty());
        let untold = self.untold && object.metadata.deletion_timestamp.is_some();
        if weighted && !abandoned && !self.foreign && !untold {
            return vec![("G3", "the finalizer left, the weights stayed".into())];
        }
        Vec::new()
    }
}

/// Longest that an answer may lie between its read and the status that it leads to: the hub keeps
/// answers 55 s, a pass lasts a few seconds.
const READ_AGE: SignedDuration = SignedDuration::from_secs(60);

fn lease(leads: bool) -> Found {
    if leads { Vec::new() } else { vec![("G7", "a write was sent without the lease".into())] }
}

/// What is published was written down before: its code, and the revision of `$LATEST` that has it.
fn published(publication: &Publication, object: Option<&CanaryRollout>, leads: bool) -> Found {
    let mut found = lease(leads);
    let status = object.and_then(|object| object.status.as_ref());
    let intended = status.and_then(|status| status.publishing.as_ref());
    let same = intended.is_some_and(|intended| {
        intended.code_sha256.as_ref() == Some(&publication.code_sha256)
            && intended.revision_id.as_ref() == Some(&publication.revision_id)
    });
    if !same {
        found.push(("Intent", format!("{publication:?} was published, {intended:?} was intended")));
    }
    found
}

/// C9: of several rollouts on one alias the oldest acts, and no other.
fn acted(by: &str, oldest: Option<&str>) -> Found {
    match oldest.filter(|oldest| *oldest != by) {
        Some(oldest) => vec![("C9", format!("{by} moved the alias of {oldest}"))],
        None => Vec::new(),
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

/// Ready=True is about the generation that the status speaks of, and never about a later one.
fn ready(status: &CanaryRolloutStatus, generation: Option<i64>) -> Found {
    let ready = status.conditions.iter().find(|one| one.type_ == "Ready" && one.status == "True");
    let Some(ready) = ready else { return Found::new() };
    if status.observed_generation > generation || ready.observed_generation > generation {
        return vec![("Ready", "of a generation that is not there yet".into())];
    }
    if ready.reason != "Suspended" && ready.observed_generation != status.observed_generation {
        return vec![("Ready", "of another generation than the status".into())];
    }
    Found::new()
}

/// Whether a person's word shortens holds in this flight.
fn hurries(status: &CanaryRolloutStatus, before: bool) -> bool {
    let verb = status.last_action.as_ref().filter(|last| last.result == ActionResult::Accepted);
    let hurry = verb.is_some_and(|last| {
        let current = status.revision.as_ref().is_some_and(|one| last.value.contains(one));
        current && (last.value.starts_with("promote") || last.value.starts_with("skip-step"))
    });
    status.step.is_some() && (before || hurry)
}

#[cfg(test)]
#[path = "invariants_tests.rs"]
mod tests;
