//! The status was lost while a rollout was in flight: the mark on the alias tells of it.

use super::{
    plan::{Plan, Revisit},
    release::Wanted,
    situation::Situation,
};
use crate::{
    api::canary_rollout::{Outcome, Phase},
    canary_rollout::{
        memory::{Canary, Flight, Memory},
        rollout::Steps,
    },
    facts::lambda::Alias,
    names::Mark,
};

/// An alias with a weight and our mark.
pub(super) struct Marked<'f> {
    alias: &'f Alias,
    /// Version that has the weight.
    version: &'f str,
    mark: Mark,
}

/// The alias, if it carries a weight and our mark.
pub(super) fn marked<'f>(situation: &Situation<'f>) -> Option<Marked<'f>> {
    let alias = situation.facts.alias.as_ref()?;
    let [extra] = alias.weights.as_slice() else { return None };
    let mark = Mark::read(&alias.description)?;
    let ours = mark.owner == situation.facts.owner && extra.version != alias.version;
    ours.then_some(Marked { alias, version: &extra.version, mark })
}

/// Takes up a flight: at the step of the mark if it is the same revision and the weight agrees,
/// else on the way back to stable.
pub(super) fn take_up(situation: &Situation<'_>, marked: &Marked<'_>, wanted: &Wanted) -> Plan {
    let Marked { alias, version, mark } = marked;
    let same = mark.revision == wanted.revision && *version == wanted.version;
    let known = same.then_some(wanted);
    let mut memory = flying(situation, marked, wanted.steps.clone(), known);
    let resumed = Situation::new(situation.facts, memory.clone(), situation.now);
    let fits =
        mark.step < wanted.steps.len() && resumed.carries(alias, wanted.steps.weight_at(mark.step));
    let message = if same && fits {
        format!("version {version} is taken up where its mark on the alias says")
    } else {
        format!("version {version} was left on the alias by a release that nobody remembers")
    };
    if !(same && fits) {
        memory.end(Outcome::Superseded, "Superseded", message.clone());
    }
    let report = situation.report(Phase::Progressing, "Resumed", message);
    let mut plan = situation.plan(report, Revisit::Now);
    plan.memory = memory;
    plan.finalizer = true;
    plan
}

/// The memory of a flight that only its mark tells of, to be ended whatever it was.
pub(super) fn to_be_undone(situation: &Situation<'_>) -> Option<Memory> {
    let marked = marked(situation)?;
    Some(flying(situation, &marked, Steps::default(), None))
}

fn flying(
    situation: &Situation<'_>,
    marked: &Marked<'_>,
    steps: Steps,
    known: Option<&Wanted>,
) -> Memory {
    let Marked { alias, version, mark } = marked;
    Memory {
        revision: Some(mark.revision.clone()),
        stable: Some(alias.version.clone()),
        canary: Some(Canary {
            version: (*version).to_owned(),
            code_sha256: known.map(|wanted| wanted.code_sha256.clone()),
            timeout: known.and_then(|wanted| wanted.timeout),
            started_at: situation.stamp(),
        }),
        flight: Some(Flight::before(steps.clone(), mark.step.min(steps.len()))),
        paused_at: None,
        ..situation.memory.clone()
    }
}
