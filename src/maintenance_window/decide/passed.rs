//! What was to open and did not: suspended, or missed. Told once, in the history.

use jiff::SignedDuration;

use super::situation::Situation;
use crate::{
    api::maintenance_window::Outcome,
    time::{Opening, SearchFailed, moments},
};

/// Writes openings into the history that will not happen any more. Only those that people were told
/// of: nobody waited for what a new or edited window would have done before.
pub(super) fn record(situation: &mut Situation<'_>) {
    let passed = passed(situation).unwrap_or_default();
    for (opening, outcome, message) in passed {
        let entry = situation.entry(&opening, outcome, message);
        situation.memory.remember(entry, situation.now);
    }
    let now = situation.now;
    situation.memory.skipped.retain(|skipped| skipped.until.0 > now);
}

fn passed(situation: &Situation<'_>) -> Result<Vec<(Opening, Outcome, String)>, SearchFailed> {
    let Situation { facts, memory, now, .. } = situation;
    let (Some(window), Some(promised)) = (situation.window(), &memory.promised) else {
        return Ok(Vec::new());
    };
    if facts.audits() || window.calendar.is_always() {
        return Ok(Vec::new());
    }
    let before = moments::before(promised.opens_at, SignedDuration::from_secs(1));
    let mut openings = window.calendar.starts_between(before, *now)?;
    openings.retain(|opening| {
        let dealt_with = memory.knows(&opening.id) || memory.skips(&opening.id);
        !dealt_with && (!facts.edited || opening.id == promised.id)
    });
    let over = |opening: &Opening| opening.closes_at <= *now;
    let judged = openings.into_iter().filter_map(|opening| {
        let (outcome, why) = if facts.suspended() {
            over(&opening).then_some(())?;
            (Outcome::Cancelled, "the window was suspended".to_owned())
        } else {
            let why = situation.too_late(window, &opening)?;
            (situation.missed(window, &opening), why)
        };
        Some((opening, outcome, why))
    });
    Ok(judged.collect())
}
