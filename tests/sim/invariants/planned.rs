//! When a window may be open, by the specs that people gave it: worked out from the calendar alone, and
//! as much as could ever be. What holds in the operator's eyes may be less.

use std::{cell::RefCell, collections::BTreeSet};

use groundcrew::{
    api::{
        ACTION_ANNOTATION,
        duration::Duration,
        maintenance_window::{
            Blackout as RawBlackout, CurrentOpening, MaintenanceWindow, MaintenanceWindowSpec,
            OnOverlap, Schedule as RawSchedule,
        },
        shared::Mode,
    },
    time::{
        Blackout, Calendar, Cron, Length, Opening, Overlap, Schedule, Start, Times, UPCOMING_MAX,
        Zone,
    },
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::Found;

/// How long before an opening its alarms are prepared.
pub const LEAD: SignedDuration = SignedDuration::from_mins(5);

/// How far back openings are looked for: longer than any of them lasts.
const REACH: SignedDuration = SignedDuration::from_hours(36);
/// How often windows are looked at.
const RECHECK: SignedDuration = SignedDuration::from_mins(5);
/// How long a spec is remembered that no process goes by any more.
const KEPT: SignedDuration = SignedDuration::from_hours(4 * 24);

/// One spec of a window.
#[derive(Debug)]
pub struct Version {
    pub object: MaintenanceWindow,
    pub since: Timestamp,
    /// When a process was first told of it, and of a later one.
    pub told: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// None when it cannot work.
    pub calendar: Option<Calendar>,
    /// What was worked out last: the openings that begin in a time.
    begun: RefCell<Option<(Timestamp, Timestamp, Vec<Opening>)>>,
}

/// An opening that may be under way.
#[derive(Clone, Debug)]
pub struct Running {
    pub opening: Opening,
    /// Its end, as far as it may have been pushed.
    pub closes: Timestamp,
    pub extended: SignedDuration,
    pub cutoff: SignedDuration,
}

/// What is told to be open, and by which spec: by that and by no other it goes until its end.
#[derive(Debug)]
struct Frozen {
    id: String,
    version: Version,
}

/// A window, as people made it.
#[derive(Debug, Default)]
pub struct Planned {
    pub versions: Vec<Version>,
    frozen: Option<Frozen>,
    /// What is told to be over, or not to come.
    pub over: BTreeSet<String>,
    /// Opening and time of verbs that push its close.
    extensions: Vec<(String, SignedDuration)>,
    verbs: BTreeSet<String>,
}

impl Version {
    fn spec(&self) -> &MaintenanceWindowSpec {
        &self.object.spec
    }

    /// It opens nothing, and closes what is open.
    pub fn stops(&self) -> bool {
        self.object.metadata.deletion_timestamp.is_some()
            || self.spec().suspend == Some(true)
            || self.spec().mode == Some(Mode::Audit)
    }

    /// Whether a process may go by it at some time from `since` on.
    pub fn is_known(&self, since: Timestamp) -> bool {
        self.until.is_none_or(|until| until >= since)
    }

    pub fn is_always(&self) -> bool {
        self.calendar.as_ref().is_some_and(Calendar::is_always)
    }

    pub fn is_dark(&self, at: Timestamp) -> bool {
        self.dark(at).is_some()
    }

    /// The blackout that holds, and until when.
    fn dark(&self, at: Timestamp) -> Option<(&str, Timestamp)> {
        let held = self.calendar.as_ref()?.blackout_at(at)?;
        Some((held.blackout.name.as_str(), held.until))
    }

    /// Windows that it stands in for.
    pub fn stands_for(&self, name: &str) -> bool {
        let emergency = self.spec().emergency.as_ref();
        emergency.is_some_and(|one| one.stands_for.iter().any(|other| other == name))
    }

    /// Opening that may have begun by then, the last ones.
    fn begun(&self, at: Timestamp) -> Vec<Opening> {
        let Some(calendar) = self.calendar.as_ref().filter(|_| !self.is_always()) else {
            return Vec::new();
        };
        let since = at - REACH;
        let mut begun = self.begun.borrow_mut();
        if !begun.as_ref().is_some_and(|(from, until, _)| *from <= since && at <= *until) {
            let until = at + REACH;
            let all = calendar.starts_between(since, until).unwrap_or_default();
            if all.len() >= UPCOMING_MAX {
                return calendar.starts_between(since, at).unwrap_or_default();
            }
            *begun = Some((since, until, all));
        }
        let all = begun.iter().flat_map(|(_, _, all)| all);
        all.filter(|one| since < one.opens_at && one.opens_at <= at).cloned().collect()
    }
}

impl Planned {
    /// A person made or changed it.
    pub fn edited(&mut self, now: Timestamp, object: &MaintenanceWindow) {
        if let Some(verb) = object.annotations().get(ACTION_ANNOTATION)
            && self.verbs.insert(verb.clone())
            && let Some((by, target)) =
                verb.strip_prefix("extend=").and_then(|rest| rest.split_once('@'))
            && let Ok(by) = by.parse::<Duration>()
        {
            let id = target.split('#').next().unwrap_or_default();
            self.extensions.push((id.to_owned(), by.signed()));
        }
        let same = |last: &Version| {
            last.object.spec == object.spec
                && last.object.metadata.generation == object.metadata.generation
        };
        if !self.versions.last().is_some_and(same) {
            self.versions.retain(|one| one.until.is_none_or(|until| now < until + KEPT));
            let calendar = calendar(&object.spec);
            let (object, begun) = (object.clone(), RefCell::default());
            let version = Version { object, since: now, told: None, until: None, calendar, begun };
            self.versions.push(version);
        }
    }

    /// A process is told of a generation.
    pub fn told(&mut self, now: Timestamp, generation: Option<i64>) {
        let Some(at) =
            self.versions.iter().position(|one| one.object.metadata.generation == generation)
        else {
            return;
        };
        self.versions[at].told.get_or_insert(now);
        if at + 1 == self.versions.len() {
            // The end of another object of the name may have been told in between.
            self.versions[at].until = None;
        }
        for before in &mut self.versions[..at] {
            before.until.get_or_insert(now);
        }
    }

    /// A process is told that it is gone.
    pub fn gone(&mut self, now: Timestamp) {
        for version in &mut self.versions {
            version.until.get_or_insert(now);
        }
        if let Some(last) = self.versions.last_mut() {
            last.told.get_or_insert(now);
        }
    }

    /// The spec that a status speaks of.
    pub fn version(&self, generation: Option<i64>) -> Option<&Version> {
        self.versions.iter().find(|one| one.object.metadata.generation == generation)
    }

    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// A person emptied the status: nothing tells any more of what was.
    pub fn forget(&mut self) {
        self.over.clear();
        self.frozen = None;
    }

    /// Gate: what a status tells to be open goes by a spec that a process may have gone by `then` or
    /// later, and by the same one until its end.
    pub fn goes_by(&mut self, then: Timestamp, current: Option<&CurrentOpening>) -> Found {
        let Some(CurrentOpening { id, spec, .. }) = current else {
            self.frozen = None;
            return Found::new();
        };
        if let Some(frozen) = self.frozen.as_ref().filter(|frozen| frozen.id == *id) {
            return match *frozen.version.spec() == *spec.0 {
                true => Found::new(),
                false => vec![("Gate", format!("{id} goes by another spec than it opened with"))],
            };
        }
        // Another one of the same spec may be its deletion.
        let mut known = self.versions.iter().filter(|one| one.is_known(then) && !one.stops());
        let Some(asked) = known.rfind(|one| *one.spec() == *spec.0) else {
            return vec![("Gate", format!("{id} opened by a spec that nobody asked for"))];
        };
        let version = Version {
            object: asked.object.clone(),
            since: asked.since,
            told: asked.told,
            until: None,
            calendar: calendar(&spec.0),
            begun: RefCell::default(),
        };
        self.frozen = Some(Frozen { id: id.clone(), version });
        Found::new()
    }

    /// The longest that the close of an opening may have been pushed.
    fn extension(&self, id: &str, version: &Version) -> SignedDuration {
        if !self.extensions.iter().any(|(of, _)| of == id) {
            return SignedDuration::ZERO;
        }
        self.pushes(id, version).pop_last().unwrap_or_default()
    }

    /// How far the close of an opening may have been pushed: a verb may be replaced before it is heard.
    fn pushes(&self, id: &str, version: &Version) -> BTreeSet<SignedDuration> {
        let asked = self.extensions.iter().filter(|(of, _)| of == id);
        let none = BTreeSet::from([SignedDuration::ZERO]);
        let mut sums = asked.fold(none, |sums, (_, by)| {
            let more: Vec<_> = sums.iter().map(|sum| *sum + *by).collect();
            sums.into_iter().chain(more).collect()
        });
        let max = version.spec().extend.as_ref().map(|extend| extend.max.signed());
        sums.retain(|sum| *sum <= max.unwrap_or_default());
        sums
    }

    /// Openings that may be under way at `at`: each began with a spec that a process may have gone by,
    /// and was not ended by what a process was told more than `slack` before.
    pub fn running(&self, at: Timestamp, slack: SignedDuration) -> Vec<Running> {
        let mut found = Vec::new();
        for (index, version, opening) in self.begun(at).filter(|(_, one, _)| !one.stops()) {
            let later = &self.versions[index + 1..];
            let told = later.iter().filter(|one| one.stops()).filter_map(|one| one.told).min();
            if told.is_some_and(|told| told + slack < at) {
                continue;
            }
            let extended = self.extension(&opening.id, version);
            let closes = opening.closes_at + extended;
            let begins = opening.opens_at.max(version.since);
            let known = version.is_known(begins - slack);
            if known && at < closes && version.since <= at && !self.over.contains(&opening.id) {
                let cutoff = version.spec().cutoff.unwrap_or_default().signed();
                found.push(Running { opening, closes, extended, cutoff });
            }
        }
        found
    }

    /// Openings that began by `at`, each with its spec and the place of that: of what is told to be open
    /// the spec that it goes by.
    fn begun(&self, at: Timestamp) -> impl Iterator<Item = (usize, &Version, Opening)> {
        let frozen = self.frozen.as_ref();
        let is_frozen =
            move |opening: &Opening| frozen.is_some_and(|frozen| frozen.id == opening.id);
        let free = self.versions.iter().enumerate().flat_map(move |(index, version)| {
            let all = version.begun(at).into_iter().filter(move |opening| !is_frozen(opening));
            all.map(move |opening| (index, version, opening))
        });
        let held = frozen.into_iter().flat_map(move |Frozen { version, .. }| {
            let generation = version.object.metadata.generation;
            let same = |one: &Version| one.object.metadata.generation == generation;
            let index = self.versions.iter().position(same).unwrap_or_default();
            let all = version.begun(at).into_iter().filter(is_frozen);
            all.map(move |opening| (index, version, opening))
        });
        free.chain(held)
    }

    /// Openings of this id that began by `at`, or come soon; each with the place of its spec.
    fn named(&self, id: &str, at: Timestamp) -> impl Iterator<Item = (usize, &Version, Opening)> {
        let soon = at + SignedDuration::from_mins(10);
        self.begun(soon).filter(move |(.., opening)| opening.id == id)
    }

    /// From when until when the opening of this id may last, by any of its specs.
    pub fn span(&self, id: &str, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let spans = self.named(id, at).map(|(_, version, opening)| {
            (opening.opens_at, opening.closes_at + self.extension(id, version))
        });
        spans.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// Whether the opening of this id may be under way at `at`, or come: what is open already goes by
    /// the spec that it began with.
    pub fn awaits(&self, id: &str, at: Timestamp, open: bool) -> bool {
        let mut awaited = self.named(id, at).filter(|(index, version, opening)| {
            let later = &self.versions[index + 1..];
            let stopped = later.iter().any(|one| one.stops() && one.told.is_some());
            let known = if open { !stopped } else { version.until.is_none() };
            known && !version.stops() && at < opening.closes_at + self.extension(id, version)
        });
        awaited.next().is_some() && !self.over.contains(id)
    }

    /// Whether something begins or ends in this time, by any of its specs.
    pub fn has_boundary(&self, from: Timestamp, until: Timestamp) -> bool {
        let within = |at: Timestamp| from <= at && at <= until;
        self.versions.iter().any(|version| {
            let cutoff = version.spec().cutoff.unwrap_or_default().signed();
            let lead = if version.spec().alarms.is_some() { LEAD } else { SignedDuration::ZERO };
            let ends = version.begun(until + lead).into_iter().any(|opening| {
                let pushes = self.pushes(&opening.id, version).into_iter();
                let mut closes = pushes.map(|push| opening.closes_at + push);
                within(opening.opens_at)
                    || within(opening.opens_at - lead)
                    || closes.any(|at| within(at) || within(at - cutoff))
            });
            // Of blackouts that overlap, the later one is noticed as late as windows are looked at.
            let dark = version.dark(from);
            let later = dark.is_some() && version.dark(from - RECHECK) != dark;
            ends || later || dark != version.dark(until)
        })
    }

    /// Whether a window without schedules may be open.
    pub fn always_open(&self, at: Timestamp, slack: SignedDuration) -> bool {
        let mut known = self.versions.iter().filter(|one| one.is_known(at - slack));
        known.any(|one| one.is_always() && !one.stops() && !one.is_dark(at))
    }
}

/// The times of a spec; none when they cannot work.
fn calendar(spec: &MaintenanceWindowSpec) -> Option<Calendar> {
    let zone = Zone::parse(&spec.time_zone).ok()?;
    let times = match &spec.schedules {
        None => Times::Always,
        Some(all) => Times::Schedules(all.iter().map(schedule).collect::<Option<_>>()?),
    };
    let blackouts = spec.blackouts.iter().flatten().map(blackout).collect::<Option<_>>()?;
    Calendar::new(zone, times, blackouts).ok()
}

fn schedule(raw: &RawSchedule) -> Option<Schedule> {
    let start = match (&raw.cron, &raw.once) {
        (Some(cron), _) => {
            let plus_days = raw.plus_days.unwrap_or_default();
            Start::Cron { cron: Cron::parse(cron).ok()?, plus_days }
        }
        (None, once) => Start::Once(once.as_ref()?.parse().ok()?),
    };
    let length = match raw.duration {
        Some(duration) => Length::For(duration.signed()),
        None => Length::Until(raw.until.as_ref()?.parse().ok()?),
    };
    Some(Schedule { name: raw.name.clone(), start, length })
}

fn blackout(raw: &RawBlackout) -> Option<Blackout> {
    Some(Blackout {
        name: raw.name.clone(),
        from: raw.from.parse().ok()?,
        until: raw.until.parse().ok()?,
        yearly: raw.yearly.unwrap_or_default(),
        reason: String::new(),
        on_overlap: match raw.on_overlap {
            None | Some(OnOverlap::Skip) => Overlap::Skip,
            Some(OnOverlap::Truncate) => Overlap::Truncate,
        },
    })
}
