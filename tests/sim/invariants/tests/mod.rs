//! Each checker flags a history that breaks its invariant, and only then.

mod alarms;
mod checked;
mod evidence;
mod frozen;
mod moves;
mod play;
mod prompt;
mod silence;
mod statuses;
mod tasks;
mod toggled;
mod windows;
mod written;

use groundcrew::{
    api::{
        FINALIZER,
        canary_rollout::{
            AliasStatus, CanaryRollout, CanaryRolloutStatus, CanaryVersion, Ending, Outcome, Phase,
            StableVersion, StepStatus,
        },
    },
    facts::lambda::{Alias, AliasChange, VersionWeight},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Invariants;
use crate::{
    history::{Asked, Event},
    scenarios::{rollout, weight},
    world::{ALIAS, MAIN, NAMESPACE},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn alias(version: &str, weight: Option<(&str, f64)>, revision: &str) -> Alias {
    let weights = weight.into_iter();
    let weights =
        weights.map(|(version, weight)| VersionWeight { version: version.into(), weight });
    Alias {
        version: version.into(),
        weights: weights.collect(),
        revision_id: revision.into(),
        description: String::new(),
    }
}

fn change(version: &str, weight: Option<(&str, f64)>, revision: &str) -> AliasChange {
    AliasChange {
        function: "f".into(),
        alias: ALIAS.into(),
        version: version.into(),
        weight: alias(version, weight, revision).weights.into_iter().next(),
        description: String::new(),
        revision_id: revision.into(),
    }
}

/// Version 43 on its way in place of 42, by 10% for a minute and 50% for a minute.
fn flying() -> CanaryRollout {
    let mut object = rollout("43", Some(vec![weight(10, 60), weight(50, 60)]), None);
    object.metadata.namespace = Some(NAMESPACE.into());
    object.metadata.generation = Some(1);
    object.metadata.finalizers = Some(vec![FINALIZER.into()]);
    object.status = Some(CanaryRolloutStatus {
        observed_generation: Some(1),
        phase: Some(Phase::Progressing),
        revision: Some("rev".into()),
        stable: Some(StableVersion { version: "42".into() }),
        canary: Some(CanaryVersion {
            timeout: None,
            version: "43".into(),
            code_sha256: None,
            weight: 0,
            started_at: Time(at(0)),
        }),
        step: Some(StepStatus {
            index: 0,
            count: 2,
            display: "1/2".into(),
            ..StepStatus::default()
        }),
        steps: vec![weight(10, 60), weight(50, 60)],
        alias: Some(AliasStatus { revision_id: "r0".into() }),
        ..CanaryRolloutStatus::default()
    });
    object
}

fn with(change: impl FnOnce(&mut CanaryRolloutStatus)) -> CanaryRollout {
    let mut object = flying();
    change(object.status.as_mut().unwrap());
    object
}

fn ending(outcome: Outcome) -> CanaryRollout {
    let (reason, message) = (String::new(), String::new());
    with(|status| status.ending = Some(Ending { outcome, reason, message }))
}

fn write(before: &Alias, change: AliasChange, object: CanaryRollout) -> Event {
    let after = Alias {
        version: change.version.clone(),
        weights: change.weight.clone().into_iter().collect(),
        revision_id: "next".into(),
        description: String::new(),
    };
    Event::AliasUpdated {
        by: MAIN.into(),
        before: Some(before.clone()),
        change,
        after: Some(after),
        spec: Some(Box::new(object.spec.clone())),
        object: Some(Box::new(object)),
        leads: true,
        late: false,
        provisioned: false,
    }
}

fn applied(before: CanaryRollout, after: CanaryRollout, alias: &Alias) -> Event {
    Event::StatusApplied {
        before: Box::new(before),
        spec: Some(Box::new(after.spec.clone())),
        after: Box::new(after),
        asked: Some(Asked { version: Some("43".into()), code_sha256: None, served_code: None }),
        alias: Some(alias.clone()),
    }
}

#[track_caller]
fn check(history: &[(i64, Event)], expected: &[&str]) {
    let mut invariants = Invariants::default();
    for (second, event) in history {
        invariants.observe(at(*second), event);
    }
    let names: Vec<_> =
        invariants.violations.iter().filter_map(|found| Some(found.split_once(':')?.0)).collect();
    assert_eq!(names, expected, "{:?}", invariants.violations);
}

fn first_weight() -> Event {
    write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), flying())
}

fn second_weight(object: CanaryRollout) -> Event {
    let before = alias("42", Some(("43", 0.1)), "next");
    write(&before, change("42", Some(("43", 0.5)), "next"), object)
}

/// The same write for an object that is gone.
fn without_object(mut event: Event) -> Event {
    if let Event::AliasUpdated { object, .. } = &mut event {
        *object = None;
    }
    event
}

/// The same write of a process that has no lease.
fn without_lease(mut event: Event) -> Event {
    if let Event::AliasUpdated { leads, .. } = &mut event {
        *leads = false;
    }
    event
}

/// The same write, sent long before.
fn late(mut event: Event) -> Event {
    if let Event::AliasUpdated { late, .. } = &mut event {
        *late = true;
    }
    event
}

fn is_ready() -> Condition {
    Condition {
        type_: "Ready".into(),
        status: "True".into(),
        reason: "Promoted".into(),
        message: String::new(),
        observed_generation: Some(1),
        last_transition_time: Time(at(0)),
    }
}

#[test]
fn of_two_rollouts_on_one_alias_the_older_acts() {
    let acted = |by: &str, oldest: Option<&str>| Event::Acted {
        by: by.into(),
        oldest: oldest.map(str::to_owned),
    };
    check(&[(0, acted("younger", Some("older")))], &["C9"]);
    check(&[(0, acted("older", Some("older"))), (1, acted("younger", Some("younger")))], &[]);
}

#[test]
fn a_write_needs_the_lease() {
    check(&[(0, without_lease(first_weight()))], &["G7"]);
    let made = Event::AliasCreated {
        by: MAIN.into(),
        alias: ALIAS.into(),
        after: alias("43", None, "r0"),
        leads: false,
    };
    check(&[(0, made)], &["G7"]);
}

#[test]
fn the_finalizer_stays_while_there_are_weights() {
    let weighted = alias("42", Some(("43", 0.1)), "r1");
    let event = |alias| Event::FinalizerRemoved { object: Box::new(flying()), alias: Some(alias) };
    check(&[(0, event(weighted.clone()))], &["G3"]);
    check(&[(0, event(alias("42", None, "r1")))], &[]);
    check(
        &[
            (0, Event::ForeignAlias { alias: ALIAS.into(), after: weighted.clone() }),
            (1, event(weighted)),
        ],
        &[],
    );
}

#[test]
fn a_version_that_is_deleted_was_published_for_the_object_and_nobody_goes_to_it() {
    let deleted = |description: Option<&str>, users: &[&str]| Event::VersionDeleted {
        by: MAIN.into(),
        version: 41,
        description: description.map(str::to_owned),
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        leads: true,
    };
    let ours = Some("[groundcrew sim/flights/processor 0123456789ab]");
    check(&[(0, deleted(ours, &[]))], &[]);
    check(&[(0, deleted(Some("made by hand"), &[]))], &["G4"]);
    check(&[(0, deleted(Some("[groundcrew sim/flights/younger 0123456789ab]"), &[]))], &["G4"]);
    check(&[(0, deleted(ours, &["freight/other"]))], &["C10"]);
    // It was gone before.
    check(&[(0, deleted(None, &[]))], &[]);
}
