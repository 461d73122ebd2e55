//! What a run of years notes of its windows: each spec and its time, what was told to be open, and how
//! each opening ended. At the end every opening that the calendar has must be accounted for.

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::api::maintenance_window::{
    CurrentOpening, MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus, Outcome,
    WindowHistoryEntry,
};
use groundcrew::api::shared::Mode;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{
    counts::Counts,
    oracle::{self, Opening},
};
use crate::{faults::Fault, history::Event, world::kubernetes::key};

/// How long a process must lead, without any trouble, to have done everything that was due.
pub const SETTLED: SignedDuration = SignedDuration::from_mins(10);
/// How long before an opening a process must know of it to be held to it.
const KNOWN: SignedDuration = SignedDuration::from_mins(20);
/// What a pass and a watch take.
const SLACK: SignedDuration = SignedDuration::from_secs(45);
/// How late an opening and a close may be told where nothing went wrong, whatever channels do.
const LATE: SignedDuration = SignedDuration::from_secs(5);
/// How long a channel must have worked to have taken what it was to be told.
const HEARD: SignedDuration = SignedDuration::from_hours(3);

/// What is noted.
#[derive(Debug, Default)]
pub struct Chronicle {
    windows: BTreeMap<String, Story>,
    /// From when until when processes led.
    led: Vec<(Timestamp, Option<Timestamp>)>,
    /// When channels took nothing.
    broken: Vec<(&'static str, Timestamp, Option<Timestamp>)>,
    /// When something went wrong.
    troubles: Vec<Timestamp>,
    pub counts: Counts,
}

/// One window.
#[derive(Debug, Default)]
struct Story {
    versions: Vec<Version>,
    /// Openings that were told to be open, by id.
    opened: BTreeMap<String, Opened>,
    ends: BTreeMap<String, WindowHistoryEntry>,
    skipped: BTreeSet<String>,
    /// Times of which nothing is told: the status was emptied, or the window went.
    forgotten: Vec<(Timestamp, Timestamp)>,
    /// When it was looked at last.
    told: Option<Timestamp>,
}

/// What was told to be open.
#[derive(Debug)]
struct Opened {
    /// When first.
    at: Timestamp,
    /// Who is told of it.
    channels: Vec<String>,
}

/// A spec, from when until when it was asked for.
#[derive(Debug)]
struct Version {
    uid: Option<String>,
    generation: Option<i64>,
    spec: MaintenanceWindowSpec,
    deleted: bool,
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Version {
    fn opens(&self) -> bool {
        let audits = self.spec.mode == Some(Mode::Audit);
        !self.deleted && !audits && self.spec.suspend != Some(true)
    }
}

impl Chronicle {
    /// A process leads.
    pub fn process_leads(&mut self, now: Timestamp) {
        self.led.push((now, None));
        self.counts.processes += 1;
    }

    /// It leads no more.
    pub fn process_died(&mut self, now: Timestamp) {
        if let Some((_, until)) = self.led.last_mut() {
            until.get_or_insert(now);
        }
    }

    /// A call is made.
    pub fn called(&mut self, now: Timestamp, fault: Option<&Fault>) {
        self.counts.calls += 1;
        if fault.is_some() {
            self.counts.faults += 1;
            self.trouble(now);
        }
    }

    /// A channel takes nothing from now on, or does so again.
    pub fn channel(&mut self, now: Timestamp, name: &'static str, broken: bool) {
        if broken {
            self.broken.push((name, now, None));
        }
        let ended = self.broken.iter_mut().filter(|(one, ..)| *one == name && !broken);
        ended.for_each(|(_, _, until)| *until = until.or(Some(now)));
    }

    /// Something goes wrong now, or did until now.
    pub fn trouble(&mut self, now: Timestamp) {
        self.troubles.push(now);
    }

    /// Whether a process led from then to now, and nothing went wrong.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.is_calm(now - SETTLED, now)
    }

    fn is_calm(&self, from: Timestamp, until: Timestamp) -> bool {
        let leads = |(since, end): &(Timestamp, Option<Timestamp>)| {
            *since <= from && end.is_none_or(|end| until <= end)
        };
        let led = self.led.partition_point(|(since, _)| *since <= from);
        let led = self.led[..led].last().is_some_and(leads);
        let trouble = self.troubles.partition_point(|at| *at < from);
        led && self.troubles.get(trouble).is_none_or(|at| until < *at)
    }

    /// Whether a process led in some calm time within this.
    fn was_calm(&self, from: Timestamp, until: Timestamp) -> bool {
        self.calm(from, until, SETTLED).is_some()
    }

    /// The end of the first calm time of this length.
    fn calm(&self, from: Timestamp, until: Timestamp, length: SignedDuration) -> Option<Timestamp> {
        let mut at = from;
        while at + length <= until {
            if self.is_calm(at, at + length) {
                return Some(at + length);
            }
            at += SignedDuration::from_mins(1);
        }
        None
    }

    /// Ends that people should have been told of by now, and were not. `told`: what was told of which
    /// opening, by window, id and channel.
    pub fn untold(&self, end: Timestamp, told: &BTreeSet<(String, String, String)>) -> Vec<String> {
        let mut found = Vec::new();
        for (key, story) in &self.windows {
            for (id, Opened { at, channels }) in &story.opened {
                let closed = story.ends.get(id).and_then(|entry| entry.closed_at.as_ref());
                let Some(closed) = closed.map(|closed| closed.0) else { continue };
                let until = end.min(closed + SignedDuration::from_hours(20));
                let Some(heard) = self.calm(closed, until, HEARD) else { continue };
                for channel in channels {
                    let broken = self.broken.iter().any(|(name, from, to)| {
                        name == channel && *from <= heard && to.is_none_or(|to| closed <= to)
                    });
                    let place = (key.clone(), id.clone(), channel.clone());
                    if !broken && !story.is_forgotten(*at, heard) && !told.contains(&place) {
                        found
                            .push(format!("Year: {channel} never heard of the end of {key}, {id}"));
                    }
                }
            }
        }
        found
    }

    /// Takes in what happened, and tells what of it must not be.
    pub fn observe(&mut self, now: Timestamp, event: &Event) -> Vec<String> {
        if let Event::WindowEdited(object) = event {
            self.counts.edits += 1;
            self.windows.entry(key(&**object)).or_default().edited(now, object);
        }
        if let Event::RulePut(put) = event {
            self.counts.rules += usize::from(put.taken);
        }
        if let Event::WindowTold { after, .. } = event {
            let story = self.windows.entry(key(&**after)).or_default();
            return story.told(now, after, &mut self.counts);
        }
        Vec::new()
    }

    /// Openings of the calendar that nobody tells what became of, and ends that have no reason.
    pub fn unaccounted(&mut self, end: Timestamp) -> Vec<String> {
        let mut found = Vec::new();
        let mut accounted = 0;
        for (key, story) in &self.windows {
            for version in story.versions.iter().filter(|version| version.opens()) {
                let until = version.until.unwrap_or(end);
                let due = oracle::openings(&version.spec, version.since, until);
                for opening in due.iter().filter(|one| self.is_due(story, version, until, one)) {
                    accounted += 1;
                    found.extend(self.is_lost(key, story, opening));
                }
            }
            for (id, Opened { at, .. }) in &story.opened {
                let lasts = SignedDuration::from_hours(24);
                let lost = story.is_forgotten(*at, *at + lasts) || end < *at + lasts;
                if !story.ends.contains_key(id) && !lost {
                    found.push(format!("Year: {key}: {id} opened at {at}, and never ended"));
                }
            }
        }
        self.counts.accounted = accounted;
        found
    }

    /// Whether nothing but the operator decided over it: a process knew of it in time, and could tell of
    /// it before it was asked for something else.
    fn is_due(&self, story: &Story, version: &Version, until: Timestamp, one: &Opening) -> bool {
        let extended = version.spec.extend.as_ref().map(|extend| extend.max.signed());
        let over = one.closes + extended.unwrap_or_default();
        version.since + KNOWN < one.opens
            && over < until
            && self.was_calm(version.since, one.opens)
            && self.was_calm(over, until.min(over + SignedDuration::from_hours(14 * 24)))
            && !story.is_forgotten(version.since.max(one.opens - KNOWN * 72), until)
    }

    fn is_lost(&self, key: &str, story: &Story, opening: &Opening) -> Option<String> {
        let Opening { id, opens, closes } = opening;
        if story.skipped.contains(id) {
            return None;
        }
        let Some(entry) = story.ends.get(id) else {
            return Some(format!("Year: {key}: nothing tells what became of {id}"));
        };
        let calm = self.is_calm(*opens - SETTLED, *closes + SLACK);
        if calm && entry.outcome == Outcome::Missed {
            return Some(format!(
                "Year: {key}: {id} is missed without a reason: {}",
                entry.message
            ));
        }
        if entry.outcome != Outcome::Completed {
            return None;
        }
        let told = story.opened.get(id).map(|opened| opened.at);
        let late = self.is_calm(*opens - SETTLED, *opens + SLACK)
            && told.is_some_and(|at| *opens + LATE < at);
        let closes = entry.closes_at.0;
        let closed = entry.closed_at.as_ref().map_or(closes, |closed| closed.0);
        let long = self.is_calm(closes - SETTLED, closes + SLACK) && closes + LATE < closed;
        (late || long).then(|| format!("Year: {key}: {id} opened at {told:?}, closed at {closed}"))
    }
}

impl Story {
    fn edited(&mut self, now: Timestamp, object: &MaintenanceWindow) {
        let deleted = object.metadata.deletion_timestamp.is_some();
        let emptied = object.status.is_none();
        if deleted || emptied {
            self.forgotten.push((now, now));
        }
        let (uid, generation) = (object.uid(), object.metadata.generation);
        let same = |last: &Version| last.uid == uid && last.generation == generation;
        if self.versions.last().is_some_and(same) {
            return;
        }
        if let Some(last) = self.versions.last_mut() {
            last.until = Some(now);
        }
        let (spec, until) = (object.spec.clone(), None);
        self.versions.push(Version { uid, generation, spec, deleted, since: now, until });
    }

    fn is_forgotten(&self, from: Timestamp, until: Timestamp) -> bool {
        self.forgotten.iter().any(|(since, to)| *since <= until && from <= *to)
    }

    fn told(
        &mut self,
        now: Timestamp,
        object: &MaintenanceWindow,
        counts: &mut Counts,
    ) -> Vec<String> {
        let Some(status) = &object.status else { return Vec::new() };
        self.skipped.extend(status.skipped.iter().map(|skipped| skipped.id.clone()));
        let fresh = status.history.iter().filter(|entry| !self.ends.contains_key(&entry.id));
        let fresh: Vec<WindowHistoryEntry> = fresh.cloned().collect();
        // There may have been more, for which there is no room.
        if let Some(oldest) = fresh.last().filter(|_| fresh.len() == 10) {
            self.forgotten.push((self.told.unwrap_or(now), oldest.opens_at.0));
        }
        for entry in fresh {
            match entry.outcome {
                Outcome::Completed => counts.completed += 1,
                Outcome::Missed => counts.missed += 1,
                Outcome::Cancelled => counts.cancelled += 1,
                Outcome::Failed => {}
            }
            self.ends.insert(entry.id.clone(), entry);
        }
        self.told = Some(now);
        let Some(current) = status.current.as_ref().filter(|one| one.closing.is_none()) else {
            return Vec::new();
        };
        if !self.opened.contains_key(&current.id) {
            counts.openings += 1;
            let notices = current.spec.0.notices.as_ref();
            let channels = notices.iter().flat_map(|notices| &notices.channels);
            let channels = channels.map(|one| one.channel.name.clone()).collect();
            self.opened.insert(current.id.clone(), Opened { at: now, channels });
        }
        let wrong = self.is_open_wrongly(now, object, status, current);
        let key = key(object);
        let told = |why| format!("Year: {key}: {} at {now}: {why}", current.id);
        wrong.map(told).into_iter().collect()
    }

    /// Why what is told to be open is not one of the calendar's.
    fn is_open_wrongly(
        &self,
        now: Timestamp,
        object: &MaintenanceWindow,
        status: &MaintenanceWindowStatus,
        current: &CurrentOpening,
    ) -> Option<String> {
        let (spec, opened) = (&*current.spec.0, current.opened_at.0);
        let asked = |one: &&Version| {
            one.uid == object.uid()
                && one.spec == *spec
                && one.opens()
                && one.since <= opened
                && one.until.is_none_or(|until| opened < until + SLACK)
        };
        if !self.versions.iter().any(|one| asked(&one)) {
            return Some("nobody asked for what it opened by".into());
        }
        let opens = current.opens_at.0;
        let minute = SignedDuration::from_mins(1);
        let found = oracle::openings(spec, opens, opens + minute);
        let Some(one) = found.iter().find(|one| one.id == current.id) else {
            return Some(format!("the calendar has {found:?}"));
        };
        let extended = current.extended_by.unwrap_or_default().signed();
        let most = spec.extend.as_ref().map(|extend| extend.max.signed()).unwrap_or_default();
        let closes = one.closes + extended;
        let gate = status.gate.as_ref().filter(|gate| gate.open);
        let until = gate.map(|gate| gate.until.as_ref().map(|until| until.0));
        let cutoff = spec.cutoff.unwrap_or_default().signed();
        let late = until.is_some_and(|until| until.is_none_or(|until| closes - cutoff < until));
        if one.opens != opens || current.closes_at.0 != closes || most < extended || late {
            return Some(format!("the calendar has {one:?}, told is {current:?}, {gate:?}"));
        }
        let early = now < opens || opened < opens;
        (early || closes <= opened).then(|| format!("it opened at {opened}, {one:?}"))
    }
}
