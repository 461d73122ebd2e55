//! Many faults at random, beside whatever people might do; then quiet, and a look at what is left.

use std::time::Duration;

use groundcrew::{
    api::{
        FINALIZER,
        analysis::Analysis,
        canary_rollout::{CanaryRollout, OnConflict, OnTimeout, Phase, Preset},
        shared::Mode,
    },
    facts::cloudwatch::AlarmState,
};
use kube::ResourceExt as _;
use tokio::time::Instant;

use crate::{
    evidence::{error_rate, with_alarm},
    explore::{Run, simulate},
    faults::{Faults, Random},
    scenarios::{approval, minutes, rollout, weight},
    world::{NAME, State},
};

/// How long faults and edits happen.
const WILD: Duration = minutes(20);
/// How long after that everything must have come to rest: all holds, time-outs and polls fit.
const QUIET: Duration = minutes(45);
/// Most edits of a run.
const EDITS: u64 = 8;

/// Runs a seed. Returns what went wrong, and the run.
pub fn run(seed: u64) -> (Vec<String>, Run) {
    let mut random = Random::new(seed);
    let edits = u32::try_from(random.below(EDITS)).expect("small");
    let sort = random.below(6);
    let (rarity, edit_rarity) = (random.pick(&[3, 8, 15, 40]), random.pick(&[4, 12, 30]));
    let on_conflict = random.pick(&[OnConflict::Hold, OnConflict::Adopt, OnConflict::Enforce]);
    let judged = random.below(2) == 0;
    let draw = move || {
        let until = Instant::now() + WILD;
        Faults::Drawn { random, until, rarity, edits, edit_rarity }
    };
    let run = simulate(
        move |state| prepare(state, sort, on_conflict, judged),
        Vec::new(),
        draw,
        WILD + QUIET,
    );
    let mut found = run.violations.clone();
    found.extend(run.unrest.clone());
    (found, run)
}

fn prepare(state: &mut State, sort: u64, on_conflict: OnConflict, judged: bool) {
    let two_steps = Some(vec![weight(10, 90), weight(50, 90)]);
    let mut object = match sort {
        0 => rollout("43", None, Some(Preset::Canary10Percent5Minutes)),
        1 => rollout("43", None, Some(Preset::AllAtOnce)),
        2 => {
            let steps = [weight(10, 30), approval(Some(240), OnTimeout::Abort), weight(50, 30)];
            rollout("43", Some(steps.to_vec()), None)
        }
        3 => {
            state.lambda.without_alias();
            rollout("43", two_steps, None)
        }
        4 => {
            state.lambda.describe(&"x".repeat(250));
            rollout("43", two_steps, None)
        }
        _ => rollout("43", two_steps, None),
    };
    object.spec.on_conflict = Some(on_conflict);
    if judged {
        state.cloudwatch.ordinary = Some((100.0, 1.0));
        state.cloudwatch.alarms.insert("red", AlarmState::Ok);
        object.spec.analysis = Some(Analysis { alarms: with_alarm().alarms, ..error_rate() });
        object.spec.bake = Some("5m".parse().expect("a duration"));
    }
    state.create_object(object);
}

/// What must be so once nothing has happened for long, whatever happened before.
pub fn unrest(state: &State) -> Vec<String> {
    let weighted = state.lambda.alias().is_some_and(|alias| !alias.weights.is_empty());
    let Some(object) = state.object(NAME) else {
        let left = weighted
            && !state.lambda.disturbed
            && !state.let_go_by_people()
            && !state.status_is_lost();
        return if left {
            vec!["weights were left by an object that is gone".into()]
        } else {
            Vec::new()
        };
    };
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let Some(status) = &object.status else { return vec!["there is no status".into()] };
    let finalizer = object.finalizers().iter().any(|one| one == FINALIZER);
    let phase = status.phase.unwrap_or_default();
    must(status.observed_generation == object.metadata.generation, "an old generation is told");
    must(
        finalizer == status.step.is_some() || phase == Phase::Held || (finalizer && weighted),
        "the finalizer is there exactly while in flight",
    );
    must(object.metadata.deletion_timestamp.is_none() || phase == Phase::Conflict, "still there");
    let audited = object.spec.mode == Some(Mode::Audit);
    let moving = matches!(phase, Phase::Promoting | Phase::RollingBack | Phase::Pending);
    let blocked = phase == Phase::Pending && (audited || state.cloudwatch.fires());
    must(!moving || blocked, "it is still under way");
    let stays = status.paused_at.is_some() || audited;
    must(phase != Phase::Progressing || stays, "it still progresses");
    must(audited || status.plan.is_empty(), "what Audit would do is told without it");
    if matches!(phase, Phase::Healthy | Phase::Aborted | Phase::RolledBack) {
        must(!weighted, "it ended, and the alias carries weights");
    }
    if phase == Phase::Healthy {
        must(serves(state, object), "it is Healthy, and the alias does not serve the release");
    }
    if matches!(phase, Phase::Conflict | Phase::Held) {
        let reason = state.lambda.disturbed || state.status_is_lost();
        must(reason, "it is in conflict, and nobody else touched the alias");
    }
    found
}

fn serves(state: &State, object: &CanaryRollout) -> bool {
    let Some(alias) = state.lambda.alias() else { return false };
    let asked = state.asked(&object.spec.release, Some(&alias.version));
    asked.version.is_none_or(|version| version == alias.version)
        && asked.code_sha256.is_none_or(|code| asked.served_code == Some(code))
}
