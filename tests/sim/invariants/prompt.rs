//! C7, G9 and G11: what is due is done soon. Going back is sent once the process knows of it, also
//! while the Namespace ends, and asks for nothing but what it needs; a change of the object is answered.
//! Only what goes wrong in the object's own calls, or in those that it shares, counts as a reason to
//! wait: never what goes wrong for another object, and for going back never what it does not need.

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::api::{
    ABANDON_ANNOTATION, ACTION_ANNOTATION,
    canary_rollout::{CanaryRollout, CanaryRolloutStatus, Ending},
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{Found, aliases::AliasPast};
use crate::{faults::Fault, history::Made};

/// How soon, where nothing goes wrong: a pass that is under way ends before, and what it waits for is
/// silent for 6 s at most.
const PROMPT: SignedDuration = SignedDuration::from_secs(15);
/// How soon after something went wrong. What was denied is tried again after 150 s at most, what was
/// throttled after 19 s, anything else after 75 s.
const AFTER_DENIAL: SignedDuration = SignedDuration::from_secs(165);
const AFTER_THROTTLE: SignedDuration = SignedDuration::from_secs(35);
const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(90);
/// How long credentials that could not be had are not asked for again, and a moment more.
const REFUSAL_KEPT: SignedDuration = SignedDuration::from_secs(6);

/// What is due, by object.
#[derive(Debug, Default)]
pub struct Prompt {
    owed: BTreeMap<String, Owed>,
    /// Objects that went back where Lambda may take its time.
    sent: BTreeMap<String, Back>,
    /// Versions that are gone.
    gone: BTreeSet<String>,
    /// The process died or must not write any more, and the next one does not lead yet.
    leaderless: bool,
    /// Credentials could not be had: until when that answers all who ask, and what it excuses.
    refused: Option<(Timestamp, Timestamp)>,
    /// How often something that was due was done.
    pub gone_back: usize,
    pub answered: usize,
}

#[derive(Debug, Default)]
struct Owed {
    /// resourceVersion of the newest that the process has: the watch may be behind it.
    version: u64,
    alias: String,
    /// It goes back, as far as the process knows.
    back: Option<Back>,
    undo: Option<Due>,
    /// What the watch told last: a change of nothing but the status is none.
    told: Option<News>,
    news: Option<(News, Due)>,
}

/// Which revision goes back, and to which version.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Back {
    revision: Option<String>,
    stable: String,
    canary: Option<String>,
}

/// What a person did to the object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct News {
    generation: Option<i64>,
    verb: Option<String>,
    deleted: bool,
}

#[derive(Debug)]
struct Due {
    since: Timestamp,
    until: Timestamp,
}

impl Due {
    fn at(now: Timestamp, refused: Option<(Timestamp, Timestamp)>) -> Self {
        let mut due = Self { since: now, until: now + PROMPT };
        refused
            .filter(|(kept, _)| now < *kept)
            .into_iter()
            .for_each(|(_, until)| due.excuse(until));
        due
    }

    fn excuse(&mut self, until: Timestamp) {
        self.until = self.until.max(until);
    }
}

impl Prompt {
    /// The process has a version of the object. `ours`: the alias is as the object left it.
    pub fn seen(&mut self, now: Timestamp, key: &str, object: &CanaryRollout, ours: bool) {
        if self.leaderless {
            return;
        }
        let owed = self.owed.entry(key.to_owned()).or_default();
        if version(object) < owed.version {
            return;
        }
        owed.version = version(object);
        owed.alias.clone_from(&object.spec.function.alias);
        let back = object.status.as_ref().and_then(going_back);
        if owed.back == back {
            return;
        }
        let due = back.as_ref().filter(|back| {
            ours && !self.gone.contains(&back.stable) && self.sent.get(key) != Some(*back)
        });
        owed.undo = due.map(|_| Due::at(now, self.refused));
        owed.back = back;
    }

    /// The watch tells of the object.
    pub fn told(&mut self, now: Timestamp, key: &str, object: &CanaryRollout) {
        let Some(owed) = self.owed.get_mut(key) else { return };
        if version(object) < owed.version {
            return;
        }
        let status = object.status.as_ref();
        let deleted = object.metadata.deletion_timestamp.is_some();
        let generation = object.metadata.generation;
        let verb = object.annotations().get(ACTION_ANNOTATION).cloned();
        let news = News { generation, verb: verb.filter(|_| !deleted), deleted };
        let abandoned = object.annotations().contains_key(ABANDON_ANNOTATION);
        if abandoned || status.is_some_and(|status| news.is_in(status)) {
            owed.news = None;
        } else if owed.told.as_ref() != Some(&news) {
            owed.news = Some((news.clone(), Due::at(now, self.refused)));
        }
        owed.told = Some(news);
    }

    /// A process leads, and is about to be told of everything.
    pub fn process_leads(&mut self) {
        self.leaderless = false;
    }

    /// The process, or all that it knows, is gone.
    pub fn process_died(&mut self) {
        self.leaderless = true;
        self.owed.clear();
        self.refused = None;
    }

    /// The object is gone, as far as the process knows.
    pub fn forgotten(&mut self, key: &str) {
        self.owed.remove(key);
    }

    /// UpdateAlias was sent for the object. `held`: Lambda may keep weights of its own there.
    pub fn sent(&mut self, key: &str, held: bool) {
        let Some(owed) = self.owed.get_mut(key) else { return };
        self.gone_back += usize::from(owed.undo.take().is_some());
        owed.news.take_if(|(news, _)| news.deleted);
        if let Some(back) = owed.back.clone().filter(|_| held) {
            self.sent.insert(key.to_owned(), back);
        }
    }

    /// A status was applied.
    pub fn published(&mut self, key: &str, status: &CanaryRolloutStatus) {
        let Some(owed) = self.owed.get_mut(key) else { return };
        let answered = owed.news.take_if(|(news, _)| news.is_in(status)).is_some();
        self.answered += usize::from(answered);
    }

    /// Somebody other than this object changed the alias: where it belongs is another question.
    pub fn disturbed(&mut self, alias: &str, by: Option<&str>) {
        for (key, owed) in &mut self.owed {
            if owed.alias == alias && by != Some(key.as_str()) {
                owed.undo = None;
            }
        }
    }

    /// A version is gone: there is no way back to it.
    pub fn version_gone(&mut self, version: &str) {
        self.gone.insert(version.to_owned());
        for owed in self.owed.values_mut() {
            let lost = owed.back.as_ref().is_some_and(|back| back.stable == version);
            owed.undo.take_if(|_| lost);
        }
    }

    /// A call is sent: what is wrong with it, and whom it may delay.
    pub fn called(
        &mut self,
        now: Timestamp,
        made: &Made<'_>,
        aliases: &BTreeMap<String, AliasPast>,
    ) -> Found {
        if let Some(fault) = made.fault {
            self.excuse(now, made, fault);
        }
        // Once the new version gets nothing more, the next release may be looked at.
        let back = |key: &str, owed: &Owed| {
            let alias = aliases.get(&owed.alias)?;
            let back = owed.back.clone().filter(|back| !self.gone.contains(&back.stable))?;
            (alias.is_left_by(key) && alias.reaches(back.canary.as_deref()?)).then_some(back)
        };
        let needless = match made.by {
            Some(by) => {
                let back = self.owed.get(by).and_then(|owed| back(by, owed));
                back.is_some_and(|back| !is_needed(made.what, &back.stable))
            }
            None => {
                let evidence = ["GetMetricData", "DescribeAlarms"].contains(&made.what);
                let all_go_back = self.owed.iter().all(|(key, owed)| back(key, owed).is_some());
                evidence && all_go_back && !self.owed.is_empty()
            }
        };
        if !needless {
            return Found::new();
        }
        vec![("C7", format!("{} was asked for while {:?} goes back", made.what, made.by))]
    }

    fn excuse(&mut self, now: Timestamp, made: &Made<'_>, fault: &Fault) {
        let after = match fault {
            Fault::Denied => AFTER_DENIAL,
            Fault::Throttled => AFTER_THROTTLE,
            Fault::Lost
            | Fault::AppliedUnanswered
            | Fault::AppliedLate
            | Fault::Stale
            | Fault::Conflict => AFTER_FAULT,
            Fault::CrashBefore
            | Fault::CrashAfter
            | Fault::OldAnswers
            | Fault::LeaseLost
            | Fault::WatchLost
            | Fault::Meanwhile(_) => return,
        };
        let (until, everybody) = (now + after, made.what == "GetCallerIdentity");
        if everybody {
            self.refused = Some((now + REFUSAL_KEPT, until));
        }
        for (key, owed) in &mut self.owed {
            let own = made.by == Some(key.as_str());
            if let Some((_, news)) = &mut owed.news
                && (own || everybody || made.by.is_none())
            {
                news.excuse(until);
            }
            if let (Some(undo), Some(back)) = (&mut owed.undo, &owed.back)
                && (everybody || own && hinders(made.what, fault, &back.stable))
            {
                undo.excuse(until);
            }
        }
    }

    /// What should have been done by now.
    pub fn overdue(&mut self, now: Timestamp) -> Found {
        let mut found = Found::new();
        for (key, owed) in &mut self.owed {
            if let Some(due) = owed.undo.take_if(|due| due.until < now) {
                let why = format!("{key} was to go back since {}: {:?}", due.since, owed.back);
                found.push(("C7", why));
            }
            if let Some((news, due)) = owed.news.take_if(|(_, due)| due.until < now) {
                let rule = if news.deleted { "G11" } else { "G9" };
                found.push((rule, format!("{key} was told at {}: {news:?}", due.since)));
            }
        }
        found
    }
}

fn version(object: &CanaryRollout) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

impl News {
    /// Whether a status speaks of it.
    fn is_in(&self, status: &CanaryRolloutStatus) -> bool {
        let answered = status.last_action.as_ref().map(|last| &last.value);
        status.observed_generation >= self.generation
            && (self.verb.is_none() || answered == self.verb.as_ref())
    }
}

fn going_back(status: &CanaryRolloutStatus) -> Option<Back> {
    status.ending.as_ref().filter(|ending| Ending::goes_back(ending))?;
    let stable = status.stable.as_ref()?.version.clone();
    let canary = status.canary.as_ref().map(|canary| canary.version.clone());
    Some(Back { revision: status.revision.clone(), stable, canary })
}

/// Whether going back to this version needs the call.
fn is_needed(what: &str, stable: &str) -> bool {
    let alias = ["GetAlias ", "UpdateAlias ", "GetProvisionedConcurrencyConfig "];
    let told = ["GetCallerIdentity", "get", "apply status", "set finalizers"];
    alias.iter().any(|call| what.starts_with(call))
        || told.contains(&what)
        || what.starts_with("event ")
        || what == format!("GetFunction {stable}")
}

/// Whether going back has to wait when this goes wrong: what it can do without costs it no more than
/// the time until an answer fails to come.
fn hinders(what: &str, fault: &Fault, stable: &str) -> bool {
    let spared = what.starts_with("event ")
        || *fault == Fault::Denied
            && (what.starts_with("GetFunction ")
                || what.starts_with("GetProvisionedConcurrencyConfig "));
    is_needed(what, stable) && !spared
}
