//! Where the alias is, compared with where the flight left it.

use super::situation::Situation;
use crate::{
    canary_rollout::{memory::Flight, rollout::Step},
    facts::lambda::Alias,
    names::Mark,
};

/// Where the alias is, compared with where the flight left it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Where it was left.
    Here,
    /// At the weight of the next step, which we ordered and did not record.
    Arrived(usize),
    /// It carries the mark of another rollout.
    Marked(Mark),
    /// Somewhere else.
    Elsewhere,
}

impl Position {
    /// The position of `alias` in `flight`.
    pub(super) fn of(situation: &Situation<'_>, flight: &Flight, alias: &Alias) -> Self {
        if flight.is_baking() {
            let canary = situation.memory.canary.as_ref().map(|canary| &canary.version);
            let alone = alias.weights.is_empty() && canary == Some(&alias.version);
            return if alone { Self::Here } else { Self::Elsewhere };
        }
        let mark = Mark::read(&alias.description);
        if let Some(mark) = mark.clone().filter(|mark| mark.owner != situation.facts.owner) {
            return Self::Marked(mark);
        }
        if situation.carries(alias, flight.weight()) {
            return Self::Here;
        }
        let next = match flight.entered_at {
            Some(_) => flight.index.saturating_add(1),
            None => flight.index,
        };
        // A mark that is there must agree: else someone else took the step before its time.
        let ordered = mark.is_none_or(|mark| mark.step == next);
        let weight = flight.steps.get(next).and_then(Step::percent);
        match weight {
            Some(weight) if ordered && situation.carries(alias, weight) => Self::Arrived(next),
            Some(_) | None => Self::Elsewhere,
        }
    }
}
