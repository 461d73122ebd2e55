//! What windows make due: a rollout that waits goes on soon after one has opened, a gate closes soon
//! after its end, and nothing is written where nothing changes.

use groundcrew::api::{
    canary_rollout::{CanaryRollout, Phase},
    maintenance_window::MaintenanceWindow,
    window_alarms::AlarmMode,
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{
    Found,
    windows::{WindowPast, Windows},
};
use crate::{faults::Fault, history::Made};

/// How soon, where nothing goes wrong: a second, and what the watches take.
const SOON: SignedDuration = SignedDuration::from_millis(1_200);
/// How much later where alarms are switched off first: that is read back after two seconds.
const SWITCHED: SignedDuration = SignedDuration::from_secs(4);
/// How soon after something went wrong: as in `prompt`.
const AFTER_DENIAL: SignedDuration = SignedDuration::from_secs(165);
const AFTER_FAULT: SignedDuration = SignedDuration::from_secs(90);
/// How long a channel may hold up what people ask for; never what is due by the clock.
pub const CHANNEL: SignedDuration = SignedDuration::from_secs(21);
/// For how long a fault makes a pass longer.
const SLOW: SignedDuration = SignedDuration::from_secs(20);
/// A pass without faults is over after this time.
const SWIFT: SignedDuration = SignedDuration::from_secs(2);
/// How often windows are looked at, and what that takes.
const RECHECK: SignedDuration = SignedDuration::from_secs(5 * 60 + 10);
/// An opening that begins so late may be missed.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// What went wrong in the calls of somebody.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    at: Timestamp,
    until: Timestamp,
}

/// A rollout, as far as windows matter.
#[derive(Debug)]
pub struct Gated {
    object: CanaryRollout,
    /// Since when it waits for a window, and the process knows.
    since: Timestamp,
    /// It was told that it waits in vain.
    told: bool,
}

impl Windows {
    /// A process leads, and is about to be told of everything.
    pub fn process_leads(&mut self, now: Timestamp) {
        self.leads = Some(now);
    }

    /// The process is gone, or must not write any more.
    pub fn process_died(&mut self) {
        self.leads = None;
    }

    /// Clocks were set, and this is the later one of before and after: what is due by the clock may be
    /// noticed as late as windows are looked at anyway, and what has begun may lie ahead again.
    pub fn clocks_stepped(&mut self, later: Timestamp) {
        let until = later + RECHECK;
        self.stepped = Some(until);
        let trouble = Trouble { at: later, until };
        self.trouble.insert(String::new(), trouble);
    }

    /// A call is sent, and what goes wrong.
    pub fn called(&mut self, now: Timestamp, made: &Made<'_>) {
        let after = match made.fault {
            None => return,
            Some(Fault::Denied) => AFTER_DENIAL,
            Some(_) => AFTER_FAULT,
        };
        // All windows are told of by one watch.
        let unwatched = made.fault == Some(&Fault::WatchLost)
            && made.by.is_some_and(|by| by.starts_with("window "));
        let shared = made.by.is_none() || made.what == "GetCallerIdentity" || unwatched;
        let who = if shared { String::new() } else { made.by.unwrap_or_default().to_owned() };
        let trouble = self.trouble.entry(who).or_insert(Trouble { at: now, until: now + after });
        *trouble = Trouble { at: now, until: trouble.until.max(now + after) };
    }

    fn troubles(&self, who: &str) -> impl Iterator<Item = &Trouble> {
        [self.trouble.get(who), self.trouble.get("")].into_iter().flatten()
    }

    /// Whether something that went wrong excuses somebody.
    fn is_excused(&self, now: Timestamp, who: &str) -> bool {
        self.troubles(who).any(|trouble| now < trouble.until)
    }

    /// The same for a window, given as `namespace/name`.
    pub fn troubled(&self, now: Timestamp, key: &str) -> bool {
        self.is_excused(now, &format!("window {key}"))
    }

    /// How long a pass of somebody may take.
    pub fn slack(&self, now: Timestamp, who: &str) -> SignedDuration {
        let slow = self.troubles(who).any(|trouble| now < trouble.at + SLOW);
        if slow { SLOW } else { SWIFT }
    }

    /// A rollout is like this, as far as the process knows.
    pub fn rollout(&mut self, now: Timestamp, key: &str, object: &CanaryRollout) {
        let waits = |object: &CanaryRollout| {
            let status = object.status.as_ref().filter(|_| object.spec.windows.is_some());
            status.is_some_and(|status| {
                let mut ready = status.conditions.iter().filter(|one| one.type_ == "Ready");
                status.phase == Some(Phase::WaitingWindow)
                    && status.observed_generation == object.metadata.generation
                    && ready.all(|one| one.reason != "WindowTooShort")
            })
        };
        if !waits(object) {
            self.rollouts.remove(key);
            return;
        }
        let gated = self.rollouts.entry(key.to_owned()).or_insert_with(|| Gated {
            object: object.clone(),
            since: now,
            told: false,
        });
        if gated.object.spec.windows != object.spec.windows {
            gated.since = now;
        }
        gated.object = object.clone();
    }

    /// A rollout is gone.
    pub fn rollout_forgotten(&mut self, key: &str) {
        self.rollouts.remove(key);
    }

    /// What should have been done by now.
    pub fn overdue(&mut self, now: Timestamp) -> Found {
        let Some(leads) = self.leads else { return Found::new() };
        let mut found = Found::new();
        let waiting: Vec<String> = self
            .rollouts
            .iter()
            .filter(|(key, gated)| !gated.told && self.waits_in_vain(now, leads, key, gated))
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            found.push(("Prompt", format!("{key} waits, and its window is open")));
            self.rollouts.get_mut(&key).into_iter().for_each(|gated| gated.told = true);
        }
        let late: Vec<String> = self
            .all
            .iter()
            .filter(|(key, past)| {
                leads + SOON < now
                    && !self.is_excused(now, &format!("window {key}"))
                    && past.is_open_after_its_end(now, now - SOON)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in late {
            found.push(("Prompt", format!("the gate of {key} is open after its end")));
            self.all.get_mut(&key).into_iter().for_each(|past| past.status = None);
        }
        found
    }

    fn waits_in_vain(&self, now: Timestamp, leads: Timestamp, key: &str, gated: &Gated) -> bool {
        let object = &gated.object;
        let Some(selection) = &object.spec.windows else { return false };
        let namespace = object.namespace().unwrap_or_default();
        let selected = self.selected(&namespace, selection);
        let sound = selected.iter().all(|(_, past)| past.is_some_and(WindowPast::is_sound));
        let excused = self.is_excused(now, key)
            || selected
                .iter()
                .any(|(name, _)| self.is_excused(now, &format!("window {namespace}/{name}")));
        let schedules = selection.schedules.clone().unwrap_or_default();
        let opened = selected.iter().filter_map(|(_, past)| past.as_ref()?.opened(now, &schedules));
        let Some(since) = opened.min() else { return false };
        // What all selected windows are must be known for as long.
        let told = selected.iter().filter_map(|(_, past)| past.as_ref()?.told()).max();
        let since = since.max(gated.since).max(leads).max(told.unwrap_or(since));
        let switches = selected.iter().any(|(_, past)| past.is_some_and(WindowPast::switches));
        let soon = if switches { SOON + SWITCHED } else { SOON };
        sound && !excused && since + soon < now
    }

    /// G8: a status that says what the one before it said is written only where nobody knew of that.
    pub fn is_repeated(&mut self, now: Timestamp, key: &str) -> Found {
        let past = self.all.get_mut(key);
        match past.is_none_or(|past| !past.knows_its_status(now)) {
            true => Found::new(),
            false => vec![("G8", format!("{key} was written as it was"))],
        }
    }

    /// Whether a status that was applied had a reason: something that changed just before.
    pub fn is_silent(&self, now: Timestamp, before: &MaintenanceWindow, key: &str) -> Found {
        let Some(past) = self.all.get(key) else { return Found::new() };
        let moved = |at: Timestamp| at <= now && now < at + SWIFT;
        let caused = self.leads.is_none_or(moved)
            || past.heard.is_none_or(moved)
            || past.wrote.is_some_and(|at| moved(at) && past.in_a_row < 4)
            || past.was_told_of(moved)
            || past.planned.has_boundary(now - SWIFT, now)
            || self.is_excused(now, &format!("window {key}"));
        match caused {
            true => Found::new(),
            false => {
                let message = before.status.as_ref().and_then(|status| status.message.as_ref());
                vec![("G8", format!("{key} was written although nothing changed: {message:?}"))]
            }
        }
    }
}

impl WindowPast {
    /// Whether nothing but the time keeps it closed, as far as a process was told.
    fn is_sound(&self) -> bool {
        self.planned.latest().is_some_and(|last| {
            let plain = last.object.spec.blackouts.is_none() && !last.stops();
            let told = last.told.is_some() && last.until.is_none() && !self.emptied;
            told && last.calendar.is_some() && plain
        })
    }

    /// Whether it switches alarms off before it opens.
    fn switches(&self) -> bool {
        let alarms = self.planned.latest().and_then(|last| last.object.spec.alarms.as_ref());
        alarms.is_some_and(|alarms| alarms.mode == Some(AlarmMode::Toggle))
    }

    /// Since when a process knows what it has to.
    fn told(&self) -> Option<Timestamp> {
        self.planned.latest()?.told.max(self.recovered)
    }

    /// Since when it must take new work; none when it need not.
    fn opened(&self, now: Timestamp, schedules: &[String]) -> Option<Timestamp> {
        let last = self.planned.latest()?;
        let (spec, told) = (&last.object.spec, last.told?);
        if last.is_always() {
            return schedules.is_empty().then_some(told);
        }
        let opening = last.calendar.as_ref()?.open_at(now).ok()??;
        let cutoff = spec.cutoff.unwrap_or_default().signed();
        let status = self.status.as_ref()?;
        let current = status.current.as_ref();
        let other = current.is_some_and(|one| one.id != opening.id || one.closing.is_some());
        let skipped = status.skipped.iter().any(|one| one.id == opening.id);
        let least = spec.late_open.as_ref().map(|late| late.min_remaining.signed());
        let left = opening.closes_at.duration_since(now);
        let late = now.duration_since(opening.opens_at) > LATE - SOON;
        let missed = current.is_none() && late && left < least.unwrap_or(cutoff) + LATE;
        let counted = |name: &String| {
            let mut parts = opening.parts.iter().filter(|part| part.schedule == *name);
            parts.any(|part| part.from + SOON <= now && now < part.until - cutoff)
        };
        let mine = schedules.is_empty() || schedules.iter().any(counted);
        let open = left > cutoff && !other && !skipped && !missed && mine;
        let from = opening.parts.iter().filter(|part| {
            schedules.contains(&part.schedule) && part.from <= now && now < part.until
        });
        let from = from.map(|part| part.from).min().unwrap_or(opening.opens_at);
        (open && !self.planned.over.contains(&opening.id)).then(|| from.max(told))
    }

    /// Whether its gate is told to be open, and was not to be at that time already.
    fn is_open_after_its_end(&self, now: Timestamp, at: Timestamp) -> bool {
        let status = self.status.as_ref();
        let gate = status.and_then(|status| status.gate.as_ref()).filter(|gate| gate.open);
        if gate.is_none() || self.wrote.is_none_or(|wrote| at < wrote) {
            return false;
        }
        let Some(current) = status.and_then(|status| status.current.as_ref()) else {
            return !self.planned.always_open(at, SignedDuration::ZERO);
        };
        let noticed = self.was_told_of(|noticed| now < noticed + CHANNEL);
        let slack = if noticed { CHANNEL } else { SignedDuration::ZERO };
        let running = self.planned.running(at, slack);
        let mut its = running.iter().filter(|one| one.opening.id == current.id);
        !its.any(|one| at < one.closes - one.cutoff)
    }
}
