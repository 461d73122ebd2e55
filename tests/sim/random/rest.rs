//! What must be so once nothing has happened for long, whatever happened before.

use groundcrew::api::{
    FINALIZER,
    canary_rollout::{CanaryRollout, CanaryRolloutStatus, Ending, Phase},
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
    shared::Mode,
};
use kube::ResourceExt as _;

use crate::world::{ALIAS, MAIN, State, kubernetes::key};

/// What is not as it must be.
pub fn unrest(state: &State) -> Vec<String> {
    let mut found: Vec<String> = state.objects().flat_map(|object| of(state, object)).collect();
    let other = state.other.iter().map(|other| other.alias);
    found.extend(state.windows().filter_map(finalized));
    for alias in [ALIAS].into_iter().chain(other.filter(|alias| *alias != ALIAS)) {
        let weighted =
            state.lambda.alias_named(alias).is_some_and(|alias| !alias.weights.is_empty());
        let named = state.objects().any(|object| object.spec.function.alias == alias);
        if weighted && !named && !is_excused(state, alias) {
            found.push(format!("weights were left on {alias} by an object that is gone"));
        }
    }
    found
}

/// Whether people chose to leave this alias as it is, or other tools moved it.
fn is_excused(state: &State, alias: &str) -> bool {
    let other = state.other.iter().map(|other| (other.key.as_str(), other.alias));
    let left = |key: &str| state.let_go_by_people(key) || state.status_is_lost(key);
    state.lambda.is_disturbed(alias)
        || state.lambda.provision_failed(alias)
        || [(MAIN, ALIAS)].into_iter().chain(other).any(|(key, its)| its == alias && left(key))
}

/// The finalizer of a window is there exactly while alarms are quiet, or are about to be.
fn finalized(window: &MaintenanceWindow) -> Option<String> {
    let finalizer = window.finalizers().iter().any(|one| one == FINALIZER);
    let status = window.status.as_ref();
    let silenced = status.is_some_and(|status| status.silenced.is_some());
    // So it is while people were told of what is to come, or cannot be told.
    let told = |status: &MaintenanceWindowStatus| {
        !status.notices.is_empty() || !status.notice_failures.is_empty()
    };
    let key = key(window);
    let owed = finalizer && status.is_some_and(told);
    (finalizer != silenced && !owed)
        .then(|| format!("{key}: finalizer {finalizer}, silenced {silenced}"))
}

fn of(state: &State, object: &CanaryRollout) -> Vec<String> {
    let Some(status) = &object.status else { return vec!["there is no status".into()] };
    let alias = object.spec.function.alias.as_str();
    let weighted = state.lambda.alias_named(alias).is_some_and(|alias| !alias.weights.is_empty());
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{}: {what}", key(object)));
        }
    };
    let finalizer = object.finalizers().iter().any(|one| one == FINALIZER);
    let phase = status.phase.unwrap_or_default();
    must(status.observed_generation == object.metadata.generation, "an old generation is told");
    must(
        finalizer == status.step.is_some() || phase == Phase::Held || (finalizer && weighted),
        "the finalizer is there exactly while in flight",
    );
    let no_way_back = has_no_way_back(state, status);
    let deleted = object.metadata.deletion_timestamp.is_some();
    must(!deleted || phase == Phase::Conflict || no_way_back, "still there");
    let audited = object.spec.mode == Some(Mode::Audit);
    let moving = matches!(phase, Phase::Promoting | Phase::RollingBack | Phase::Pending);
    let blocked = phase == Phase::Pending && (audited || is_blocked(state, status));
    let failed = state.lambda.provision_failed(alias);
    let lost = has_lost_its_version(state, status) || is_refused(state, status, alias);
    must(!moving || blocked || failed || lost, "it is still under way");
    let stays = status.paused_at.is_some() || audited || lost;
    must(phase != Phase::Progressing || stays, "it still progresses");
    must(audited || status.plan.is_empty(), "what Audit would do is told without it");
    if matches!(phase, Phase::Healthy | Phase::Aborted | Phase::RolledBack) {
        must(!weighted, "it ended, and the alias carries weights");
    }
    if phase == Phase::Healthy {
        must(serves(state, object), "it is Healthy, and the alias does not serve the release");
    }
    if matches!(phase, Phase::Conflict | Phase::Held) {
        let taken = state.oldest_object(alias) != Some(key(object));
        let reason = is_excused(state, alias) || taken || no_way_back;
        must(reason, "it is in conflict, and nobody else touched the alias");
    }
    found
}

/// Whether an alarm that fires is told to keep the release from starting.
fn is_blocked(state: &State, status: &CanaryRolloutStatus) -> bool {
    let mut conditions = status.conditions.iter();
    let told = conditions.any(|one| one.type_ == "Ready" && one.reason == "AlarmAlreadyFiring");
    state.cloudwatch.fires() && told
}

/// Whether the version to go back to is gone.
fn has_no_way_back(state: &State, status: &CanaryRolloutStatus) -> bool {
    let back = status.ending.as_ref().is_some_and(Ending::goes_back);
    let stable = status.stable.as_ref();
    back && stable.is_some_and(|stable| !state.lambda.functions.exists(&stable.version))
}

/// Whether the new version is gone before it had a weight.
fn has_lost_its_version(state: &State, status: &CanaryRolloutStatus) -> bool {
    let canary = status.canary.as_ref();
    canary.is_some_and(|canary| !state.lambda.functions.exists(&canary.version))
}

/// Whether Lambda refuses to put the alias back: the stable version is gone, or its provisioned
/// concurrency does not take another version and a weight at once.
fn is_refused(state: &State, status: &CanaryRolloutStatus, alias: &str) -> bool {
    let stable = status.stable.as_ref();
    let gone = stable.is_some_and(|stable| !state.lambda.functions.exists(&stable.version));
    status.conflict.is_some() && (gone || state.lambda.is_provisioned(alias))
}

fn serves(state: &State, object: &CanaryRollout) -> bool {
    let Some(alias) = state.lambda.alias_named(&object.spec.function.alias) else { return false };
    let asked = state.asked(&object.spec.release, Some(&alias.version));
    asked.version.is_none_or(|version| version == alias.version)
        && asked.code_sha256.is_none_or(|code| asked.served_code == Some(code))
}
