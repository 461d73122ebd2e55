//! Nothing is open: it waits, and opens when its time has come.

use super::{
    ahead,
    checks::{self, Standing},
    metrics,
    plan::{Plan, Revisit},
    silence::{self, MUTE_LEAD, Quiet, Target},
    situation::Situation,
};
use crate::{
    api::{
        duration::Duration,
        maintenance_window::{Outcome, Phase},
    },
    maintenance_window::{
        memory::{Current, Part},
        window::Window,
    },
    time::{Opening, moments},
};

/// Reason of a Routine whose last round failed.
pub const ROUND_FAILED: &str = "RoundFailed";

/// Rule: a spec that cannot work opens nothing.
pub(super) fn unusable(situation: &Situation<'_>) -> Option<Plan> {
    let why = match &situation.facts.window {
        Err(invalid) => invalid.to_string(),
        Ok(window) if window.calendar.is_always() => return None,
        Ok(_) => situation.upcoming().err()?.to_string(),
    };
    Some(situation.plan(Phase::Invalid, "Invalid", why))
}

/// Rule: a suspended window opens nothing.
pub(super) fn suspended(situation: &Situation<'_>) -> Option<Plan> {
    if !situation.facts.suspended() {
        return None;
    }
    let watch = situation.memory.after.as_ref();
    let watch = watch.map(|watch| format!("; the post-checks of {} go on then", watch.occurrence));
    let message = format!(
        "suspended: set spec.suspend to false to let it open; {}{}",
        next(situation),
        watch.unwrap_or_default()
    );
    Some(situation.plan(Phase::Suspended, "Suspended", message))
}

/// Rule: a window without schedules is open but for blackouts.
pub(super) fn always(situation: &Situation<'_>) -> Option<Plan> {
    let calendar = &situation.window()?.calendar;
    if !calendar.is_always() || situation.facts.audits() {
        return None;
    }
    let local = |moment| calendar.zone().told(moment);
    Some(match calendar.blackout_at(situation.now) {
        Some(dark) => {
            let until = local(dark.until);
            let message = format!("closed by {}, opens {until}", dark.blackout);
            situation.plan(Phase::Scheduled, "Blackout", message)
        }
        None => {
            let message = match calendar.next_blackout(situation.now) {
                Some(dark) => {
                    format!("always open until {} begins, {}", dark.blackout, local(dark.from))
                }
                None => "always open".to_owned(),
            };
            situation.plan(Phase::Open, "Open", message)
        }
    })
}

/// Rule: in Audit it is told what would happen.
pub(super) fn audit(situation: &Situation<'_>) -> Option<Plan> {
    if !situation.facts.audits() {
        return None;
    }
    let window = situation.window()?;
    let message = format!("in Audit: the gate stays closed; {}", next(situation));
    let mut plan = situation.plan(Phase::Scheduled, "Audit", message);
    plan.ahead = ahead::told(situation, window);
    Some(plan)
}

/// Rule: its time has come. It opens once its pre-checks hold and its alarms are quiet; an emergency
/// does not wait for that.
pub(super) fn open(situation: &Situation<'_>) -> Option<Plan> {
    let window = situation.window()?;
    let opening = situation.due()?;
    if let Some(why) = situation.too_late(window, &opening) {
        let mut memory = situation.memory.clone();
        let outcome = situation.missed(window, &opening);
        memory.remember(situation.entry(&opening, outcome, why), situation.now);
        let mut plan = wait(&Situation { memory, ..*situation });
        plan.revisit = Revisit::Now;
        return Some(plan);
    }
    match checks::keeps_closed(situation, window, &opening) {
        Some(Standing::Broken(words)) if window.routine => {
            let mut memory = situation.memory.clone();
            let why = format!("its pre-checks do not hold: {words}");
            memory.remember(situation.entry(&opening, Outcome::Failed, why), situation.now);
            memory.before = None;
            let mut plan = wait(&Situation { memory, ..*situation });
            plan.revisit = Revisit::Now;
            return Some(plan);
        }
        Some(standing) => return Some(kept_closed(situation, window, &opening, standing)),
        None => {}
    }
    if window.emergency.is_none()
        && let Some(plan) = prepared(situation, window, &opening)
    {
        return Some(plan);
    }
    let parts = opening.parts.iter().map(|part| Part {
        schedule: part.schedule.clone(),
        from: part.from,
        until: part.until,
    });
    let mut memory = situation.memory.clone();
    // Those that have not said anything yet may do so while it is open.
    let known = memory.before.take_if(|known| known.at.is_some());
    memory.current = Some(Current {
        id: opening.id.clone(),
        parts: parts.collect(),
        opens_at: opening.opens_at,
        closes_at: opening.closes_at,
        extended_by: Duration::ZERO,
        opened_at: moments::stamp(situation.now),
        checks: known.map(|known| known.results).unwrap_or_default(),
        closing: None,
        tasks: Vec::new(),
        metrics: metrics::unknown(situation.facts.spec.metrics.as_deref().unwrap_or_default()),
        spec: Box::new(situation.facts.spec.clone()),
        window: window.clone(),
    });
    metrics::begin(&mut memory);
    super::running::stay(&Situation { memory, ..*situation })
}

/// Rule: its alarms are made ready to be quiet before it opens.
pub(super) fn prepare(situation: &Situation<'_>) -> Option<Plan> {
    let window = situation.window()?;
    let opening = situation.coming()?;
    if let Some(standing) = checks::keeps_closed(situation, window, &opening) {
        return awaited(situation, window, &opening, standing);
    }
    if situation.now < moments::before(opening.opens_at, MUTE_LEAD) || !window.mutes() {
        return None;
    }
    if let Some(plan) = prepared(situation, window, &opening) {
        return Some(plan);
    }
    let local = opening.local(window.calendar.zone());
    let message = format!("its alarms will be quiet; opens {local}");
    Some(situation.plan(Phase::Preparing, "Preparing", message))
}

/// Its pre-checks do not all hold before it opens: told, and soon before also by the phase.
fn awaited(
    situation: &Situation<'_>,
    window: &Window,
    opening: &Opening,
    standing: Standing,
) -> Option<Plan> {
    let begins = moments::before(opening.opens_at, window.pre_check_lead.min(checks::NEAR));
    match standing {
        standing if situation.now >= begins => {
            Some(kept_closed(situation, window, opening, standing))
        }
        Standing::Broken(words) => {
            let message = format!("{}; its pre-checks do not hold: {words}", next(situation));
            Some(situation.plan(situation.resting_phase(), "Scheduled", message))
        }
        Standing::Hold | Standing::Pending => None,
    }
}

/// It does not open before its pre-checks hold.
fn kept_closed(
    situation: &Situation<'_>,
    window: &Window,
    opening: &Opening,
    standing: Standing,
) -> Plan {
    let due = opening.opens_at <= situation.now;
    let then = format!(
        "it opens {} once they do, while enough of it is left",
        opening.local(window.calendar.zone())
    );
    match standing {
        Standing::Broken(words) => {
            let phase = if due { Phase::Blocked } else { Phase::Preparing };
            let message = format!("its pre-checks do not hold: {words}; {then}");
            situation.plan(phase, "ChecksFailed", message)
        }
        Standing::Hold | Standing::Pending => {
            let message = format!("its pre-checks run, and have to hold: {then}");
            situation.plan(Phase::Preparing, "ChecksPending", message)
        }
    }
}

/// Rule: the post-checks of the last opening are watched.
pub(super) fn verify(situation: &Situation<'_>) -> Option<Plan> {
    let watch = situation.memory.after.as_ref()?;
    let zone = situation.window()?.calendar.zone();
    let state = match checks::broken(&watch.results) {
        Some(words) => format!("its post-checks do not hold: {words}"),
        None if watch.results.is_empty() => "its post-checks run".to_owned(),
        None => format!("{} hold", checks::counted(watch.results.len())),
    };
    let until = watch.until.as_ref().map(|until| until.0).filter(|until| *until > situation.now);
    let until =
        until.map(|until| format!(", watched until {}", zone.told(until))).unwrap_or_default();
    let message = format!("{} is over; {state}{until}; {}", watch.occurrence, next(situation));
    let reason = if last_failed(situation).is_some() { ROUND_FAILED } else { "Verifying" };
    Some(situation.plan(Phase::Verifying, reason, message))
}

/// What has to be done first; none when it may open.
fn prepared(situation: &Situation<'_>, window: &Window, opening: &Opening) -> Option<Plan> {
    let target =
        Target { id: &opening.id, opens_at: opening.opens_at, closes_at: opening.closes_at };
    match silence::bring_about(situation, window.alarms.as_ref(), &target, Phase::Preparing) {
        Quiet::First(plan) => Some(*plan),
        Quiet::Off | Quiet::There => None,
        Quiet::Trouble(unread) => {
            let then = match window.emergency {
                Some(_) => " all the same",
                None => " once they are, while enough of it is left",
            };
            let message = format!(
                "its alarms cannot be made quiet: {}; it opens {}{then}",
                unread.message,
                opening.local(window.calendar.zone())
            );
            let plan = situation.plan(Phase::Preparing, unread.reason, message);
            Some(silence::tell(situation, plan, unread))
        }
    }
}

/// Nothing is to be done now.
pub(super) fn wait(situation: &Situation<'_>) -> Plan {
    match last_failed(situation) {
        Some(why) => {
            let message = format!("its last round failed: {why}; {}", next(situation));
            situation.plan(Phase::Scheduled, ROUND_FAILED, message)
        }
        None => situation.plan(Phase::Scheduled, "Scheduled", next(situation)),
    }
}

/// Why the last round of a Routine failed, if it did. One that did not take place mends nothing.
fn last_failed<'s>(situation: &'s Situation<'_>) -> Option<&'s str> {
    situation.window().filter(|window| window.routine)?;
    let took_place = |outcome| matches!(outcome, Outcome::Completed | Outcome::Failed);
    let last = situation.memory.history.iter().find(|entry| took_place(entry.outcome))?;
    (last.outcome == Outcome::Failed).then_some(last.message.as_str())
}

/// The next opening in words, and what keeps it closed until then.
fn next(situation: &Situation<'_>) -> String {
    let Some(window) = situation.window() else { return String::new() };
    let calendar = &window.calendar;
    let dark = calendar.blackout_at(situation.now).map(|dark| {
        format!("{} holds until {}; ", dark.blackout, calendar.zone().told(dark.until))
    });
    let next = situation.upcoming().unwrap_or_default().into_iter().next();
    let next = match next {
        Some(next) => {
            let note =
                if next.note.is_empty() { String::new() } else { format!(" ({})", next.note) };
            format!("opens {}{note}{}", next.local(calendar.zone()), no_work(window, &next))
        }
        None if calendar.is_always() => "without schedules it would always be open".to_owned(),
        None => "no opening is to come".to_owned(),
    };
    format!("{}{next}", dark.unwrap_or_default())
}

/// That an opening takes no work at all, if so.
fn no_work(window: &Window, opening: &Opening) -> String {
    let length = opening.closes_at.duration_since(opening.opens_at);
    if length > window.cutoff {
        return String::new();
    }
    format!(", and takes no new work: it lasts {length:#}, and cutoff is {:#}", window.cutoff)
}
