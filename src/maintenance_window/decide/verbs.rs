//! A person's word, as an annotation: bound to an opening, acted on once, answered in the status.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::situation::Situation;
use crate::{
    api::{
        duration::Duration,
        fit::SKIPPED_MAX,
        maintenance_window::{Closing, Outcome, SkippedOpening},
    },
    maintenance_window::memory::{Current, Memory},
    verbs::{
        answers,
        windows::{Request, Verb},
    },
};

/// Answers a verb that was not answered yet.
pub(super) fn answer(situation: &mut Situation<'_>) {
    let Some(request) = &situation.facts.request else { return };
    let Memory { last_action, answered, .. } = &situation.memory;
    let Some(asked) = answers::asked(request, last_action.as_ref(), answered) else { return };
    let outcome = asked.and_then(|()| carry_out(situation, &request.value, &request.by));
    let Memory { last_action, answered, .. } = &mut situation.memory;
    answers::keep(request, outcome, situation.now, last_action, answered);
}

/// Changes the memory as the verb says.
///
/// # Errors
///
/// A sentence that says why it was refused; the memory is unchanged then.
fn carry_out(situation: &mut Situation<'_>, value: &str, by: &str) -> Result<String, String> {
    let Request { verb, opening } = Request::parse(value)?;
    match verb {
        Verb::Close => close(situation, opening, by),
        Verb::Extend(span) => extend(situation, opening, span),
        Verb::Skip => skip(situation, opening, by),
    }
}

/// What is open, if that is what the verb means.
fn open<'m>(memory: &'m mut Memory, verb: &str, id: &str) -> Result<&'m mut Current, String> {
    match &mut memory.current {
        Some(current) if current.id != id => {
            Err(format!("{verb} is for {id}; {} is open", current.id))
        }
        Some(Current { closing: Some(_), .. }) => Err(format!("{id} is closing")),
        Some(current) => Ok(current),
        None => Err(format!("{id} is not open; nothing is")),
    }
}

fn close(situation: &mut Situation<'_>, id: &str, by: &str) -> Result<String, String> {
    let current = open(&mut situation.memory, "close", id)?;
    let who = if by.is_empty() { "a person".to_owned() } else { by.to_owned() };
    let message = format!("{who} closed it before its time");
    current.closing = Some(Closing { outcome: Outcome::Completed, message });
    Ok(format!("{id} is closing"))
}

fn extend(situation: &mut Situation<'_>, id: &str, by: Duration) -> Result<String, String> {
    let now = situation.now;
    let current = open(&mut situation.memory, "extend", id)?;
    let max = current.window.extend_max;
    if max == SignedDuration::ZERO {
        return Err(format!("{id} opened with a spec without extend: it cannot be extended"));
    }
    let total = Duration::from_secs(current.extended_by.as_secs().saturating_add(by.as_secs()));
    if total.signed() > max {
        return Err(format!(
            "{id} was extended by {} and may be extended by {max:#} in all",
            current.extended_by
        ));
    }
    if current.closes_at <= now {
        return Err(format!("the time of {id} is over"));
    }
    let zone = current.window.calendar.zone();
    if let Some(dark) = current.next_blackout().filter(|_| by.signed() > current.room()) {
        return Err(format!(
            "blackout {} begins {}: {id} cannot be extended into it",
            dark.blackout.name,
            zone.told(dark.from)
        ));
    }
    current.push(by.signed());
    let closes = current.window.calendar.zone().told(current.closes_at);
    Ok(format!("{id} closes {closes}"))
}

fn skip(situation: &mut Situation<'_>, id: &str, by: &str) -> Result<String, String> {
    if situation.memory.current.as_ref().is_some_and(|current| current.id == id) {
        return Err(format!("{id} is open: close it with the verb close@{id}"));
    }
    if situation.memory.skips(id) {
        return Ok(format!("{id} was skipped before"));
    }
    let upcoming = situation.upcoming().map_err(|why| why.to_string())?;
    let Some(opening) = upcoming.iter().find(|opening| opening.id == id) else {
        let known: Vec<&str> = upcoming.iter().map(|opening| opening.id.as_str()).collect();
        return Err(match known.as_slice() {
            [] => format!("{id} is not to come; nothing is"),
            known => format!("{id} is not among the next openings: {}", known.join(", ")),
        });
    };
    if situation.memory.skipped.len() >= SKIPPED_MAX {
        return Err(format!(
            "{SKIPPED_MAX} openings are skipped already: suspend the window instead"
        ));
    }
    let who = if by.is_empty() { "a person" } else { by };
    let entry = situation.entry(opening, Outcome::Cancelled, format!("{who} skipped it"));
    situation.memory.skipped.push(SkippedOpening { id: id.into(), until: Time(opening.closes_at) });
    situation.memory.remember(entry, situation.now);
    Ok(format!("{id} will not open"))
}
