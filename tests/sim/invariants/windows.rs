//! M7 and Gate: a window opens each occurrence at most once, tells its end once, and its gate is open
//! only while its specs let it be.

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::api::{
    maintenance_window::{
        Gate, MaintenanceWindow, MaintenanceWindowStatus, Outcome, WindowHistoryEntry,
    },
    window_checks::WindowStage,
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{
    Found,
    due::{CHANNEL, Gated, Trouble},
    planned::{Planned, Running},
};
use crate::world::{kubernetes::key, shelf::Stored as _};

/// How long a pass takes from its look at the clock to its last call.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The windows by `namespace/name`.
#[derive(Debug, Default)]
pub struct Windows {
    pub all: BTreeMap<String, WindowPast>,
    /// Since when the process leads.
    pub leads: Option<Timestamp>,
    /// What went wrong in whose calls; those that are shared go by nothing.
    pub trouble: BTreeMap<String, Trouble>,
    /// Until when it may not have been noticed that clocks were set.
    pub stepped: Option<Timestamp>,
    /// The rollouts that wait for a window.
    pub rollouts: BTreeMap<String, Gated>,
}

/// What is remembered of a window.
#[derive(Debug, Default)]
pub struct WindowPast {
    uid: Option<String>,
    pub planned: Planned,
    /// Ids of openings that were open.
    opened: BTreeSet<String>,
    /// As it is in the API server.
    pub status: Option<MaintenanceWindowStatus>,
    /// A person emptied it, which is seen when the window is looked at next.
    pub emptied: bool,
    /// When that was seen.
    pub recovered: Option<Timestamp>,
    /// Generation and annotations, as the process was told.
    news: Option<(Option<i64>, BTreeMap<String, String>)>,
    /// When the process was told of something that a person did.
    pub heard: Option<Timestamp>,
    /// When a notice was last on its way.
    noticed: Option<Timestamp>,
    /// When a status was written, and for the how many-th time without a pause.
    pub wrote: Option<Timestamp>,
    pub in_a_row: u32,
    /// When statuses were written whose writer does not know that they were.
    unanswered: Vec<Timestamp>,
}

impl Windows {
    /// A person made or changed it.
    pub fn edited(&mut self, now: Timestamp, object: &MaintenanceWindow) {
        let past = self.all.entry(key(object)).or_default();
        if past.uid != object.uid() {
            *past = WindowPast { uid: object.uid(), ..WindowPast::default() };
        }
        past.planned.edited(now, object);
        if object.metadata.deletion_timestamp.is_some() && object.finalizers().is_empty() {
            past.status = None;
        }
    }

    /// A person emptied its status: nothing tells of what was, and it may open again.
    pub fn status_emptied(&mut self, key: &str) {
        if let Some(past) = self.all.get_mut(key) {
            past.opened.clear();
            past.planned.forget();
            (past.status, past.heard, past.emptied) = (None, None, true);
        }
    }

    /// A process is told of it.
    pub fn told(&mut self, now: Timestamp, key: &str, object: &MaintenanceWindow) {
        if let Some(past) = self.all.get_mut(key).filter(|past| past.uid == object.uid()) {
            past.planned.told(now, object.metadata.generation);
            let news = (object.metadata.generation, object.annotations().clone());
            if past.news.replace(news.clone()) != Some(news) {
                past.heard = Some(now);
            }
        }
    }

    /// A process is told that it is gone.
    pub fn forgotten(&mut self, now: Timestamp, key: &str) {
        if let Some(past) = self.all.get_mut(key) {
            past.planned.gone(now);
        }
    }

    /// A notice about a window, which is given by kind and key, is on its way.
    pub fn notices(&mut self, now: Timestamp, about: &str) {
        let key = about.strip_prefix("MaintenanceWindow ").unwrap_or_default();
        self.all.get_mut(key).into_iter().for_each(|past| past.noticed = Some(now));
    }

    /// A call was carried out for somebody whose answer nobody got.
    pub fn unanswered(&mut self, now: Timestamp, what: &str, by: &str) {
        let key = by.strip_prefix(MaintenanceWindow::CALLS).unwrap_or_default();
        if what.ends_with("apply status")
            && let Some(past) = self.all.get_mut(key)
        {
            past.unanswered.push(now);
        }
    }

    /// A status was applied. `news`: there was something to tell of its alarms.
    pub fn applied(
        &mut self,
        now: Timestamp,
        before: &MaintenanceWindow,
        after: &MaintenanceWindow,
        news: bool,
    ) -> Found {
        let harmless = match (&before.status, &after.status) {
            // Its account is learned when AWS is asked for the first time, or once that can be written.
            (Some(before), Some(after)) => {
                only_forgets(before, after) || before.account_id != after.account_id
            }
            _ => false,
        };
        let mut found = match after.status == before.status {
            true => self.is_repeated(now, &key(after)),
            false if news || harmless => Found::new(),
            false => self.is_silent(now, before, &key(after)),
        };
        let slow = self.slack(now, &format!("window {}", key(after)));
        let Some(past) = self.all.get_mut(&key(after)) else { return found };
        let slack =
            if past.was_told_of(|at| at <= now && now < at + CHANNEL) { CHANNEL } else { slow };
        let Some(status) = &after.status else { return found };
        let row = past.wrote.is_some_and(|at| now < at + SLACK);
        past.in_a_row = if row { past.in_a_row + 1 } else { 1 };
        past.wrote = Some(now);
        found.extend(past.opens(before.status.as_ref(), status));
        found.extend(past.planned.goes_by(now - slack, status.current.as_ref()));
        found.extend(past.tells_ends(before.status.as_ref(), status));
        let stepped = self.stepped.is_some_and(|until| now < until);
        if let Some(gate) = status.gate.as_ref().filter(|gate| gate.open && !stepped) {
            found.extend(past.is_open_wrongly(now, slack, gate, status));
        }
        past.status = Some(status.clone());
        if std::mem::take(&mut past.emptied) {
            past.recovered = Some(now);
        }
        found
    }
}

impl WindowPast {
    /// Whether the writer of a status knows of all that were written before. Another one that says the
    /// same is one too many then.
    pub fn knows_its_status(&mut self, now: Timestamp) -> bool {
        let all = self.unanswered.len();
        self.unanswered.retain(|at| now <= *at);
        self.unanswered.len() == all
    }

    /// Whether a notice was on its way a moment ago: what became of it is written down.
    pub fn was_told_of(&self, moved: impl Fn(Timestamp) -> bool) -> bool {
        self.noticed.is_some_and(moved)
    }

    /// M7: no occurrence opens twice.
    fn opens(
        &mut self,
        before: Option<&MaintenanceWindowStatus>,
        after: &MaintenanceWindowStatus,
    ) -> Found {
        let current = |status: &MaintenanceWindowStatus| Some(status.current.as_ref()?.id.clone());
        let Some(id) = current(after) else { return Found::new() };
        if before.and_then(current).as_ref() == Some(&id) {
            return Found::new();
        }
        let known = before.is_some_and(|before| before.history.iter().any(|one| one.id == id));
        let again = !self.opened.insert(id.clone());
        match again || known {
            true => vec![("M7", format!("{id} opened again"))],
            false => Found::new(),
        }
    }

    /// M7: the history has each occurrence once, and what it says of it stays, but for what its
    /// post-checks say while they are watched.
    fn tells_ends(
        &mut self,
        before: Option<&MaintenanceWindowStatus>,
        after: &MaintenanceWindowStatus,
    ) -> Found {
        let mut found = Found::new();
        let ids: BTreeSet<&str> = after.history.iter().map(|entry| entry.id.as_str()).collect();
        if ids.len() < after.history.len() {
            found.push(("M7", format!("an end was told twice: {:?}", after.history)));
        }
        let old = before.map(|before| before.history.as_slice()).unwrap_or_default();
        let room = after.history.len() >= 10;
        let watched =
            before.and_then(|before| Some(before.post_checks.as_ref()?.occurrence.as_str()));
        let stays = |entry: &WindowHistoryEntry| {
            let told = |one: &WindowHistoryEntry| {
                one == entry || watched == Some(&*entry.id) && is_verified(entry, one)
            };
            after.history.iter().any(told)
        };
        if !room && !old.iter().all(stays) {
            found.push(("M7", format!("{old:?} became {:?}", after.history)));
        }
        if let Some(current) = &after.current
            && ids.contains(current.id.as_str())
        {
            found.push(("M7", format!("{} is over and open", current.id)));
        }
        self.planned.over.extend(ids.into_iter().map(str::to_owned));
        if let Some(closing) = after.current.as_ref().filter(|one| one.closing.is_some()) {
            self.planned.over.insert(closing.id.clone());
        }
        found
    }

    /// Gate: what is open is an opening of a spec, within its time.
    fn is_open_wrongly(
        &self,
        now: Timestamp,
        slack: SignedDuration,
        gate: &Gate,
        status: &MaintenanceWindowStatus,
    ) -> Found {
        let wrong = |why: String| vec![("Gate", why)];
        let version = self.planned.version(status.observed_generation);
        if version.is_none_or(|version| version.stops()) {
            return wrong(
                "it is open by a spec that is suspended, Audit, deleted or unknown".into(),
            );
        }
        let both = [(now, slack), (now - SLACK, SignedDuration::ZERO)];
        let Some(current) = &status.current else {
            let mut both = both.into_iter();
            let open = both.any(|(at, slack)| self.planned.always_open(at, slack));
            return if open { Found::new() } else { wrong("it is open without an opening".into()) };
        };
        let running: Vec<Running> = both
            .into_iter()
            .flat_map(|(at, slack)| self.planned.running(at, slack))
            .filter(|one| one.opening.id == current.id)
            .collect();
        let fits = |one: &Running| {
            let (until, closes) = (one.closes - one.cutoff, one.closes);
            let parts = gate.schedules.iter().all(|part| {
                one.opening.parts.iter().any(|own| {
                    own.schedule == part.name
                        && own.from <= part.from.0
                        && part.until.0 <= own.until + one.extended - one.cutoff
                })
            });
            gate.until.as_ref().is_some_and(|told| told.0 <= until && now - SLACK < told.0)
                && gate.closes.as_ref().is_some_and(|told| told.0 <= closes)
                && parts
        };
        match running.iter().any(fits) {
            true => Found::new(),
            false => wrong(format!("{} is open: {gate:?}, not one of {running:?}", current.id)),
        }
    }
}

/// Whether a status is like the one before, but for notices that need not be known any more.
fn only_forgets(before: &MaintenanceWindowStatus, after: &MaintenanceWindowStatus) -> bool {
    let MaintenanceWindowStatus { notices, notice_failures, endings, moved, .. } = before;
    let others = |status: &MaintenanceWindowStatus| {
        let conditions = status.conditions.iter().filter(|one| one.type_ != "Notified");
        conditions.cloned().collect::<Vec<_>>()
    };
    let rest = MaintenanceWindowStatus {
        conditions: before.conditions.clone(),
        notices: notices.clone(),
        notice_failures: notice_failures.clone(),
        endings: endings.clone(),
        moved: moved.clone(),
        ..after.clone()
    };
    rest == *before
        && others(after) == others(before)
        && after.notices.iter().all(|one| notices.contains(one))
        && after.notice_failures.iter().all(|one| notice_failures.contains(one))
        && after.endings.iter().all(|one| endings.contains(one))
        && after.moved.iter().all(|one| moved.contains(one))
}

/// Whether an end became another one by its post-checks alone: they may turn Completed into Failed.
fn is_verified(before: &WindowHistoryEntry, after: &WindowHistoryEntry) -> bool {
    let fails = before.outcome == Outcome::Completed && after.outcome == Outcome::Failed;
    let without_post_checks = |entry: &WindowHistoryEntry| {
        let mut entry = entry.clone();
        entry.checks.retain(|check| check.stage != WindowStage::AfterClose);
        entry
    };
    let mut expected = without_post_checks(before);
    if fails {
        (expected.outcome, expected.message) = (after.outcome, after.message.clone());
    }
    expected == without_post_checks(after)
}
