//! Whether the windows of a namespace let work start. Pure, and the same for all kinds that obey.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    facts::windows::{GateFact, GateState, WindowFact},
    time::moments,
};

#[cfg(test)]
mod tests;

/// How soon windows are asked again that were not read yet: where there are none, nobody tells.
const UNREAD_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Which windows an object obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// By name, or by label.
    pub by: By,
    /// Only openings of these schedules count; empty: all.
    pub schedules: Vec<String>,
}

/// How windows are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// These; each must exist.
    Names(Vec<String>),
    /// Those that carry all these labels; there must be one.
    Labels(BTreeMap<String, String>),
}

/// What the windows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Work may start.
    Open(Opened),
    /// It may not any more, but what is under way has until then.
    Ending(Closed, Timestamp),
    /// It may not, by what the windows say.
    Closed(Closed),
    /// It may not, because not all of them can be asked: fail closed.
    Unknown(Closed),
}

/// Open windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The window that is open longest.
    pub window: String,
    /// New work may start until then; none: without end.
    pub until: Option<Timestamp>,
    /// Work under way should have ended then; none: without end.
    pub closes: Option<Timestamp>,
}

/// Why nothing may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// In CamelCase.
    pub reason: &'static str,
    /// In a sentence, with the windows' names.
    pub message: String,
    /// When to ask again although nobody tells of a change: when a schedule that counts begins in a window
    /// that is open for others already, or soon where no window was read yet.
    pub again: Option<Timestamp>,
}

/// Asks the windows of a namespace.
///
/// A selected window that does not exist, was not looked at since it was edited, is invalid or
/// suspended closes the gate, whatever the others say, and so does a blackout of one of them. An
/// emergency that is open stands in for those that it names, blackouts and all.
#[must_use]
pub fn ask(selection: &Selection, windows: &[WindowFact], now: Timestamp) -> Verdict {
    let (selected, missing) = select(&selection.by, windows);
    if !missing.is_empty() {
        return unknown("WindowMissing", missing);
    }
    let emergencies = windows.iter().filter(|window| !window.emergency_for.is_empty());
    let emergencies: Vec<(&WindowFact, Opened)> =
        emergencies.filter_map(|window| Some((window, running(window, &[], now)?))).collect();
    let covers = |window: &WindowFact| {
        emergencies.iter().any(|(emergency, _)| emergency.emergency_for.contains(&window.name))
    };
    let (covered, own): (Vec<&WindowFact>, Vec<&WindowFact>) =
        selected.iter().copied().partition(|window| covers(window));
    if let Some(stopped) = stopped(&own, now) {
        return stopped;
    }
    let stands_in = emergencies.into_iter().filter(|(emergency, _)| {
        covered.iter().any(|window| emergency.emergency_for.contains(&window.name))
    });
    let stands_in: Vec<Opened> = stands_in.map(|(_, open)| open).collect();
    // What an emergency stands in for counts again once it is over.
    let over = stands_in.iter().filter_map(|open| open.closes).min();
    let own_running = own.iter().filter_map(|window| running(window, &selection.schedules, now));
    let all: Vec<Opened> = own_running.chain(stands_in).collect();
    let takes_work = |open: &&Opened| open.until.is_none_or(|until| now < until);
    // No end is later than any.
    let key = |open: &&Opened| (open.until.is_none(), open.until, open.closes);
    if let Some(open) = all.iter().filter(takes_work).max_by_key(key) {
        let open = end_at(open.clone(), next_blackout(&own, now));
        let sooner = |over: &Timestamp| open.until.is_none_or(|until| *over < until);
        return Verdict::Open(match over.filter(sooner) {
            Some(over) => match ask(selection, windows, over) {
                Verdict::Open(then) => end_at(open, then.until),
                Verdict::Ending(..) | Verdict::Closed(_) | Verdict::Unknown(_) => {
                    end_at(open, Some(over))
                }
            },
            None => open,
        });
    }
    let counted = own.iter().filter_map(|window| next_part(window, &selection.schedules, now));
    let again = counted.min();
    let ending = all.iter().filter_map(|open| Some((open.closes?, &open.window))).max();
    match ending {
        Some((closes, window)) => {
            let message =
                format!("window {window} takes no new work any more, it closes at {closes}");
            Verdict::Ending(Closed { reason: "WindowEnding", message, again }, closes)
        }
        None => {
            let waits = selected.iter().map(|window| waits(window, &selection.schedules, now));
            let all: Vec<String> = waits.collect();
            let message = all.join("; ");
            Verdict::Closed(Closed { reason: "WindowClosed", message, again })
        }
    }
}

/// What keeps everything closed, whatever else is open.
fn stopped(windows: &[&WindowFact], now: Timestamp) -> Option<Verdict> {
    let silent: Vec<String> = windows.iter().filter_map(|window| silent(window)).collect();
    if !silent.is_empty() {
        return Some(unknown("WindowUnusable", silent));
    }
    let suspended = windows.iter().filter(|window| {
        window.gate.as_ref().is_some_and(|gate| gate.state == GateState::Suspended)
    });
    let suspended: Vec<String> =
        suspended.map(|window| format!("window {} is suspended", window.name)).collect();
    if !suspended.is_empty() {
        return Some(closed("WindowSuspended", suspended));
    }
    let blackouts: Vec<String> =
        windows.iter().filter_map(|window| blackout(window, now)).collect();
    (!blackouts.is_empty()).then(|| closed("Blackout", blackouts))
}

/// What keeps everything closed before any window was read.
#[must_use]
pub fn unread(now: Timestamp) -> Closed {
    Closed {
        reason: "WindowUnusable",
        message: "the MaintenanceWindows were not read yet; if that stays so, see the operator's \
                  log: is their CRD installed, and may it list them?"
            .to_owned(),
        again: Some(moments::after(now, UNREAD_AGAIN)),
    }
}

/// The selected windows, and what is missing, in sentences.
fn select<'w>(by: &By, windows: &'w [WindowFact]) -> (Vec<&'w WindowFact>, Vec<String>) {
    match by {
        By::Names(names) => {
            let find = |name: &String| windows.iter().find(|window| window.name == *name);
            let missing = names.iter().filter(|name| find(name).is_none());
            let missing = missing.map(|name| format!("there is no MaintenanceWindow {name}"));
            (names.iter().filter_map(find).collect(), missing.collect())
        }
        By::Labels(labels) => {
            let matches = |window: &&WindowFact| {
                !window.routine
                    && labels.iter().all(|(key, value)| window.labels.get(key) == Some(value))
            };
            let selected: Vec<&WindowFact> = windows.iter().filter(matches).collect();
            let pairs = labels.iter().map(|(key, value)| format!("{key}={value}"));
            let missing = format!(
                "no MaintenanceWindow has the labels {}",
                pairs.collect::<Vec<_>>().join(",")
            );
            let missing = selected.is_empty().then_some(missing);
            (selected, missing.into_iter().collect())
        }
    }
}

/// Why a window cannot be asked, if it cannot.
fn silent(window: &WindowFact) -> Option<String> {
    let name = &window.name;
    match &window.gate {
        _ if window.routine => {
            Some(format!("window {name} is a Routine, whose gate never opens: name another one"))
        }
        _ if window.deleting => Some(format!("window {name} is being deleted")),
        None => Some(format!("window {name} was not looked at yet")),
        Some(_) if !window.current => {
            Some(format!("window {name} was edited and not looked at since"))
        }
        Some(gate) if gate.state == GateState::Invalid => {
            Some(format!("window {name} is invalid: {}", gate.message))
        }
        Some(_) => None,
    }
}

/// The blackout that holds, in a sentence.
fn blackout(window: &WindowFact, now: Timestamp) -> Option<String> {
    let (name, from, until) = window.gate.as_ref()?.blackout.as_ref()?;
    (*from <= now && now < *until)
        .then(|| format!("blackout {name} of window {} holds until {until}", window.name))
}

/// What of a window is open now, its end included, when no new work is taken any more; none when it
/// is closed.
fn running(window: &WindowFact, schedules: &[String], now: Timestamp) -> Option<Opened> {
    let gate: &GateFact = window.gate.as_ref().filter(|_| window.current)?;
    let runs = match (gate.state, gate.closes) {
        (GateState::Open | GateState::Closed, Some(closes)) => now < closes,
        (GateState::Open, None) => true,
        (GateState::Closed, None) | (GateState::Suspended | GateState::Invalid, _) => false,
    };
    if !runs {
        return None;
    }
    let (mut until, mut closes) = (gate.until, gate.closes);
    if !schedules.is_empty() {
        // The end of new work lies before the close by as much as it does for the whole window.
        let cutoff = closes.zip(until).map(|(closes, until)| closes.duration_since(until));
        let closing = |end: Timestamp| cutoff.map_or(end, |cutoff| moments::after(end, cutoff));
        let counted = gate.schedules.iter().filter(|(name, from, end)| {
            schedules.contains(name) && *from <= now && now < closing(*end)
        });
        let end = counted.map(|(_, _, end)| *end).max()?;
        (until, closes) = (Some(end), Some(closing(end)));
    }
    Some(Opened { window: window.name.clone(), until, closes })
}

/// When the next of these schedules begins, in what is open of a window for others.
fn next_part(window: &WindowFact, schedules: &[String], now: Timestamp) -> Option<Timestamp> {
    let gate = window.gate.as_ref().filter(|_| window.current)?;
    let parts = gate.schedules.iter().filter(|(name, ..)| schedules.contains(name));
    parts.map(|(_, from, _)| *from).filter(|from| *from > now).min()
}

/// When the next blackout of these windows begins.
fn next_blackout(windows: &[&WindowFact], now: Timestamp) -> Option<Timestamp> {
    let all = windows.iter().filter_map(|window| window.gate.as_ref()?.blackout.as_ref());
    all.map(|(_, from, _)| *from).filter(|from| *from > now).min()
}

/// Ends what is open at `end`, if it lasts longer.
fn end_at(mut open: Opened, end: Option<Timestamp>) -> Opened {
    let Some(end) = end else { return open };
    let is_longer = |own: Option<Timestamp>| own.is_none_or(|own| end < own);
    if is_longer(open.until) {
        open.until = Some(end);
    }
    if is_longer(open.closes) && open.until == Some(end) {
        open.closes = Some(end);
    }
    open
}

fn waits(window: &WindowFact, schedules: &[String], now: Timestamp) -> String {
    if running(window, &[], now).is_some() {
        let begins = next_part(window, schedules, now);
        let begins = begins.map(|at| format!(", which begins at {at}")).unwrap_or_default();
        let (name, schedules) = (&window.name, schedules.join(" or "));
        return format!("window {name} is open, but not by its schedule {schedules}{begins}");
    }
    match &window.next {
        Some(next) => format!("window {} is closed, it opens {next}", window.name),
        None => format!("window {} is closed, and no opening is to come", window.name),
    }
}

fn closed(reason: &'static str, sentences: Vec<String>) -> Verdict {
    Verdict::Closed(Closed { reason, message: sentences.join("; "), again: None })
}

fn unknown(reason: &'static str, sentences: Vec<String>) -> Verdict {
    Verdict::Unknown(Closed { reason, message: sentences.join("; "), again: None })
}
