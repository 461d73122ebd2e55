//! What must never be, checked after everything that happens.
//!
//! The names are those of the project's list: G1 finalizer before weights, G3 finalizer leaves after
//! the undo, G4 nothing of others is deleted, G5 spec never written, G7 no write without a lease, G8
//! quiet when nothing changes, G9 no object waits for another one's fault, G11 undo while the Namespace
//! ends, C1 declared weights in their time, C2 no step without evidence, C3 ended means no weights, C4
//! weights only rise or go, C5 each write carries the current revision id, C6 a new release starts at
//! step 0, C7 going back waits for nothing that it does not need, C8 an alarm that fires before the start
//! is told as such, C9 of two rollouts on one alias the older acts, C10 no version in use is deleted,
//! Audit nothing goes forward in Audit, M7 an
//! occurrence opens once, Gate nothing goes forward outside of its windows, Prompt what waits for a
//! window goes on soon after it opens, N1 a notice goes out twice only where a process died, M1 mute
//! rules go when nobody wants them, and what was switched off is switched on, M2 what a person switched
//! off stays so, M3 alarms of several windows stay off until the last one closes, M4 alarms are quiet
//! for nothing but an opening, M5 a rule that mutes is never changed, M6 a call has at most a hundred
//! names, Ledger what makes alarms quiet was told before, Told what is told to be quiet is, Loud what is
//! to be quiet is, Checked a window opens only while its pre-checks hold, Task what it does is begun once.

mod alarms;
mod aliases;
mod checked;
mod due;
mod evidence_read;
mod gated;
mod ledgers;
mod limits;
mod moves;
mod planned;
mod prompt;
mod silence;
mod statuses;
mod tasks;
#[cfg(test)]
mod tests;
mod toggled;
mod versions;
mod windows;

use std::collections::BTreeMap;

use groundcrew::{
    api::{
        ABANDON_ANNOTATION, canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow,
    },
    facts::lambda::{Alias, AliasChange},
};
use jiff::Timestamp;
use kube::ResourceExt as _;

use self::{
    alarms::Alarms,
    aliases::AliasPast,
    checked::Checked,
    evidence_read::EvidenceRead,
    limits::{PutBacks, audited},
    moves::Moved,
    prompt::Prompt,
    silence::Silence,
    statuses::Applied,
    tasks::Tasks,
    versions::{deleted, published},
    windows::Windows,
};
use crate::{
    faults::Sort,
    history::{Event, Made},
    world::kubernetes::key,
};

/// The checkers and what they remember.
#[derive(Debug, Default)]
pub struct Invariants {
    /// What was broken.
    pub violations: Vec<String>,
    aliases: BTreeMap<String, AliasPast>,
    /// By `namespace/name`.
    objects: BTreeMap<String, ObjectPast>,
    /// What was read of the new version.
    evidence: EvidenceRead,
    alarms: Alarms,
    /// What is due.
    pub prompt: Prompt,
    pub windows: Windows,
    pub silence: Silence,
    checked: Checked,
    tasks: Tasks,
}

/// What is remembered of an object.
#[derive(Debug, Default)]
struct ObjectPast {
    /// When a person gave a verb that ends a hold; holds then count no more for this flight.
    hurried: bool,
    /// resourceVersion at which a person took our finalizer, until the operator saw it.
    finalizer_taken: Option<u64>,
    /// A person emptied the status of a flight that left no mark: nothing tells of its weights.
    untold: bool,
    /// A status write was carried out whose answer nobody got.
    status_unanswered: bool,
    put_backs: PutBacks,
}

pub type Found = Vec<(&'static str, String)>;

impl Invariants {
    fn object(&mut self, key: &str) -> &mut ObjectPast {
        self.objects.entry(key.to_owned()).or_default()
    }

    /// A person took our finalizer away.
    pub fn finalizer_taken(&mut self, key: &str, version: u64) {
        self.object(key).finalizer_taken = Some(version);
    }

    /// A person emptied the status; `marked` tells whether the alias carries our mark.
    pub fn status_emptied(&mut self, key: &str, marked: bool) {
        let past = self.object(key);
        past.untold |= !marked;
        past.put_backs.forget();
        self.alarms.forget(key);
    }

    /// A person emptied the status of a window.
    pub fn window_status_emptied(&mut self, now: Timestamp, key: &str) {
        self.windows.status_emptied(key);
        self.silence.lose(now, key);
    }

    /// The operator has seen the object: it looks at it, or was answered.
    pub fn seen(&mut self, now: Timestamp, key: &str, object: &CanaryRollout) {
        let version = object.resource_version().and_then(|version| version.parse().ok());
        let past = self.object(key);
        past.finalizer_taken = past.finalizer_taken.filter(|taken| Some(*taken) > version);
        self.known(now, key, object);
    }

    /// The watch told the operator of the object, which it may be looking at as it was before.
    pub fn told(&mut self, now: Timestamp, key: &str, object: &CanaryRollout) {
        self.known(now, key, object);
        self.prompt.told(now, key, object);
    }

    fn known(&mut self, now: Timestamp, key: &str, object: &CanaryRollout) {
        self.windows.rollout(now, key, object);
        let alias = self.aliases.get(&object.spec.function.alias);
        self.prompt.seen(now, key, object, alias.is_some_and(|alias| alias.is_left_by(key)));
    }

    /// The watch told the operator that the object is gone.
    pub fn forgotten(&mut self, key: &str) {
        self.prompt.forgotten(key);
        self.windows.rollout_forgotten(key);
    }

    /// A process leads.
    pub fn process_leads(&mut self, now: Timestamp) {
        self.prompt.process_leads();
        self.windows.process_leads(now);
        self.tasks.process_leads(now);
    }

    /// The process died, or must not write any more.
    pub fn process_died(&mut self) {
        self.prompt.process_died();
        self.windows.process_died();
    }

    /// A call was carried out whose answer nobody got.
    pub fn unanswered(&mut self, now: Timestamp, sort: Sort, (what, by): (&str, Option<&str>)) {
        let Some(by) = by else { return };
        self.object(by).status_unanswered |= sort == Sort::KubernetesWrite;
        self.windows.unanswered(now, what, by);
    }

    /// Checks a call that is sent.
    pub fn called(&mut self, now: Timestamp, made: &Made<'_>) -> Vec<String> {
        let mut found = self.prompt.called(now, made, &self.aliases);
        self.windows.called(now, made);
        self.checked.called(now, made);
        self.tasks.called(now, made);
        found.extend(self.silence.overdue(now, &self.windows));
        self.report(found)
    }

    /// Checks what should have been done by now.
    pub fn overdue(&mut self, now: Timestamp) -> Vec<String> {
        let found = self.late(now);
        self.report(found)
    }

    fn late(&mut self, now: Timestamp) -> Found {
        let mut found = self.prompt.overdue(now);
        found.extend(self.windows.overdue(now));
        found.extend(self.silence.overdue(now, &self.windows));
        found
    }

    /// Checks what happened, and returns what it breaks.
    pub fn observe(&mut self, now: Timestamp, event: &Event) -> Vec<String> {
        let mut found = self.late(now);
        found.extend(self.check(now, event));
        self.report(found)
    }

    fn report(&mut self, found: Found) -> Vec<String> {
        let found: Vec<String> =
            found.into_iter().map(|(name, why)| format!("{name}: {why}")).collect();
        self.violations.extend(found.iter().cloned());
        found
    }

    fn check(&mut self, now: Timestamp, event: &Event) -> Found {
        match event {
            Event::AliasUpdated { by, change, leads, .. } => {
                let mut found = lease(*leads);
                found.extend(self.updated(now, event, (by, change)));
                found
            }
            Event::MetricsRead(evidence) => {
                self.evidence.read(evidence);
                Found::new()
            }
            Event::AlarmsRead(alarms) => {
                self.alarms.read(now, alarms);
                self.checked.alarms(now, alarms);
                Found::new()
            }
            Event::DatabaseRead(status) => self.checked.database(now, status),
            Event::Acted { by, oldest } => acted(by, oldest.as_deref()),
            Event::AliasCreated { by, alias, after, leads } => {
                self.aliases.entry(alias.clone()).or_default().made(now, by, after);
                lease(*leads)
            }
            Event::ForeignAlias { alias, after } => {
                self.prompt.disturbed(alias, None);
                self.aliases.entry(alias.clone()).or_default().disturbed(now, after);
                Found::new()
            }
            Event::StatusApplied { before, after, asked, spec, alias } => {
                let key =
                    &format!("{}/{}", after.namespace().unwrap_or_default(), after.name_any());
                let (asked, alias) = (asked.as_ref(), alias.as_ref());
                let applied = Applied { now, key, before, after, asked, alias };
                let mut found = self.applied(&applied);
                found.extend(self.windows.started(now, key, (before, after), spec.as_deref()));
                found
            }
            Event::FinalizerRemoved { object, alias } => self.let_go(object, alias.as_ref()),
            Event::AliasRead { alias, answer } => {
                self.aliases.entry(alias.clone()).or_default().read(answer.as_ref());
                Found::new()
            }
            Event::Published { publication, object, leads } => {
                published(publication, object.as_deref(), *leads)
            }
            Event::VersionDeleted { by, version, description, users, leads } => {
                self.prompt.version_gone(&version.to_string());
                let mut found = lease(*leads);
                found.extend(deleted((by.as_str(), *version), description.as_deref(), users));
                found
            }
            Event::VersionTaken { version } => {
                self.prompt.version_gone(version);
                Found::new()
            }
            Event::WindowEdited(object) => {
                self.windows.edited(now, object);
                Found::new()
            }
            Event::WindowTold { before, after } => self.window_told(now, before, after),
            Event::WindowLetGo(window) => self.silence.let_go(now, window),
            Event::RulePut(put) => self.silence.put(now, &self.windows, put),
            Event::RuleDeleted { by, name, leads } => self.silence.deleted(by, name, *leads),
            Event::AlarmMade { name, rule } => self.silence.made(now, name, rule.as_ref()),
            Event::AlarmTaken(name) => self.silence.taken(now, name),
            Event::AlarmPut { name, on, told } => self.silence.person_put(now, name, *on, *told),
            Event::TaskBegun(begun) => self.tasks.begun(now, begun),
            Event::AlarmsSwitched(act) => self.silence.toggled.switched(now, &self.windows, act),
            Event::FinalizerAdded | Event::PersonEdited => Found::new(),
        }
    }

    /// The status of a window that was applied.
    fn window_told(
        &mut self,
        now: Timestamp,
        before: &MaintenanceWindow,
        after: &MaintenanceWindow,
    ) -> Found {
        let key = key(after);
        let news = self.silence.has_news(now, &key)
            || self.checked.has_news(now, &after.spec)
            || self.tasks.has_news(before);
        let slack = self.windows.slack(now, &format!("window {key}"));
        let mut found = self.windows.applied(now, before, after, news);
        found.extend(self.silence.applied(now, &self.windows, (before, after)));
        found.extend(self.checked.applied(now, (before, after), slack));
        found.extend(self.tasks.applied(now, before, after));
        found
    }

    /// An UpdateAlias that was sent.
    fn updated(
        &mut self,
        now: Timestamp,
        event: &Event,
        (by, change): (&String, &AliasChange),
    ) -> Found {
        let Event::AliasUpdated { before, after, object, spec, late, provisioned, .. } = event
        else {
            return Found::new();
        };
        if !late {
            self.prompt.sent(by, *provisioned);
        }
        let Some(after) = after else { return Found::new() };
        let Some(before) = before else {
            return vec![("C5", "an alias that is not there was moved".into())];
        };
        let object = object.as_deref();
        let alias = self.aliases.entry(change.alias.clone()).or_default();
        let past = self.objects.entry(by.clone()).or_default();
        let moved = Moved { now, before, change, object, late: *late };
        let mut found = moves::updated(&moved, alias, past);
        // What was sent before it was told may still arrive.
        found.extend(audited(change, object).filter(|_| !late));
        if let Some(object) = object.filter(|_| !late) {
            let spec = spec.as_deref();
            found.extend(self.windows.moved(now, by, (before, change), object, spec));
        }
        self.prompt.disturbed(&change.alias, Some(by.as_str()));
        alias.moved(now, by, after);
        found
    }

    /// A status that was applied.
    fn applied(&mut self, applied: &Applied<'_>) -> Found {
        let Applied { now, key, before, after, alias: served, .. } = *applied;
        if let Some(status) = &after.status {
            self.prompt.published(key, status);
        }
        let alias = self.aliases.entry(after.spec.function.alias.clone()).or_default();
        let past = self.objects.entry(key.to_owned()).or_default();
        let mut found = statuses::applied(applied, alias, &self.evidence, past);
        found.extend(self.alarms.status(now, key, (before, after), served));
        found
    }

    /// The operator let the object go.
    fn let_go(&mut self, object: &CanaryRollout, served: Option<&Alias>) -> Found {
        let key = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
        let abandoned = object.annotations().contains_key(ABANDON_ANNOTATION);
        // What Lambda itself writes for provisioned concurrency is everything.
        let ours = |alias: &Alias| alias.weights.iter().any(|extra| extra.weight < 1.0);
        let weighted = served.is_some_and(ours);
        let untold = self.object(&key).untold && object.metadata.deletion_timestamp.is_some();
        let alias = self.aliases.get(&object.spec.function.alias);
        let foreign = alias.is_some_and(|alias| alias.is_foreign(&key));
        if weighted && !abandoned && !foreign && !untold {
            return vec![("G3", "the finalizer left, the weights stayed".into())];
        }
        Found::new()
    }
}

fn lease(leads: bool) -> Found {
    if leads { Vec::new() } else { vec![("G7", "a write was sent without the lease".into())] }
}

/// C9: of several rollouts on one alias the oldest acts, and no other.
fn acted(by: &str, oldest: Option<&str>) -> Found {
    match oldest.filter(|oldest| *oldest != by) {
        Some(oldest) => vec![("C9", format!("{by} moved the alias of {oldest}"))],
        None => Vec::new(),
    }
}
