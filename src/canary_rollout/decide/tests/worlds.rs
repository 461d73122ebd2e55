//! Generated facts, statuses and times.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    api::{
        canary_rollout::{
            CanaryRolloutStatus, CanaryVersion, Conflict, Ending, HistoryEntry, OnConflict,
            OnTimeout, Outcome, PutBack, StableVersion, Step, StepStatus,
        },
        shared::Mode,
    },
    canary_rollout::{
        decide::{Facts, Wanted},
        world::{
            NEXT_REVISION, REVISION, World, alias, approve, denied, mark, owner, release, steps,
            stored, time, unusable as unusable_release, weight,
        },
    },
    facts::{
        kubernetes::{ActionRequest, Deletion},
        lambda::Alias,
    },
    names::{Mark, Owner},
    verbs::Verb,
};

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap()
}

fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => select(vec!["0s", "30m"]).prop_map(|hold| weight(1, hold)),
        1 => (option::of(select(vec!["0s", "10m"])), any::<bool>()).prop_map(|(timeout, promote)| {
            let silence = if promote { OnTimeout::Promote } else { OnTimeout::Abort };
            approve("", timeout, silence)
        }),
    ];
    vec(step, 0..5).prop_map(|mut raw| {
        let weighted = raw.iter_mut().filter(|step| step.weight.is_some());
        for (step, percent) in weighted.zip((10..).step_by(10)) {
            step.weight = Some(percent);
        }
        raw
    })
}

fn versions() -> impl Strategy<Value = String> {
    select(vec!["41", "42", "43", "44", "$LATEST"]).prop_map(str::to_owned)
}

fn revisions() -> impl Strategy<Value = String> {
    select(vec![REVISION, NEXT_REVISION]).prop_map(str::to_owned)
}

fn descriptions() -> impl Strategy<Value = String> {
    let foreign = Owner { cluster: "dr".into(), ..owner() };
    prop_oneof![
        2 => Just(String::new()),
        1 => Just("live traffic".to_owned()),
        1 => Just("x".repeat(250)),
        4 => (revisions(), 0_usize..5).prop_map(|(revision, step)| mark(&revision, step)),
        1 => Just(Mark { owner: foreign, revision: REVISION.into(), step: 0 }.write("")),
    ]
}

fn aliases() -> impl Strategy<Value = Option<Alias>> {
    let share = select(vec![0.0, 0.1, 0.2, 0.3, 0.305, 1.0]);
    let weights = vec((versions(), share), 0..3);
    let any = (versions(), weights, descriptions()).prop_map(|(version, weights, description)| {
        let weights: Vec<_> = weights.iter().map(|(v, w)| (v.as_str(), *w)).collect();
        alias(&version, &weights, &description)
    });
    option::weighted(0.9, any)
}

fn requests() -> impl Strategy<Value = Option<ActionRequest>> {
    let verb =
        (select(Verb::ALL.to_vec()), revisions(), 0_usize..5).prop_map(|(verb, revision, step)| {
            match verb.names_step() {
                true => format!("{verb}@{revision}/{step}"),
                false => format!("{verb}@{revision}"),
            }
        });
    let value = prop_oneof![6 => verb, 1 => ".{0,256}"];
    option::of((value, ".{0,256}").prop_map(|(value, by)| ActionRequest { value, by }))
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    select(vec![
        Outcome::Promoted,
        Outcome::RolledBack,
        Outcome::Aborted,
        Outcome::Initialized,
        Outcome::Superseded,
    ])
}

fn times() -> impl Strategy<Value = Timestamp> {
    (-7_200_i64..7_200)
        .prop_map(|seconds| later(time("01:44:00"), SignedDuration::from_secs(seconds)))
}

fn k8s_times() -> impl Strategy<Value = Time> {
    times().prop_map(Time)
}

fn revision_ids() -> impl Strategy<Value = String> {
    select(vec!["alias-0", "alias-1"]).prop_map(str::to_owned)
}

fn conflicts() -> impl Strategy<Value = Conflict> {
    (k8s_times(), revision_ids(), option::of(-5_i32..120))
        .prop_map(|(since, revision_id, left)| Conflict { since, revision_id, left })
}

fn put_backs() -> impl Strategy<Value = PutBack> {
    (k8s_times(), revision_ids()).prop_map(|(at, revision_id)| PutBack { at, revision_id })
}

/// Any status that the CRD lets in, sensible or not.
fn statuses() -> impl Strategy<Value = CanaryRolloutStatus> {
    let canary = (versions(), k8s_times()).prop_map(|(version, started_at)| CanaryVersion {
        code_sha256: Some("sha".into()),
        timeout: None,
        weight: 10,
        version,
        started_at,
    });
    let step = (-1_i32..6, option::of(k8s_times())).prop_map(|(index, entered_at)| StepStatus {
        index,
        count: 3,
        display: "?".into(),
        entered_at,
        ..StepStatus::default()
    });
    let ending = (outcomes(), ".{0,64}", ".{0,512}")
        .prop_map(|(outcome, reason, message)| Ending { outcome, reason, message });
    let entry = (versions(), revisions(), outcomes(), k8s_times()).prop_map(
        |(version, revision, outcome, at)| HistoryEntry {
            version,
            revision,
            code_sha256: None,
            stable: None,
            outcome,
            reason: "Why".into(),
            message: "because".into(),
            started_at: at.clone(),
            ended_at: at,
        },
    );
    let garbage = vec(
        (option::of(-5_i32..120), any::<bool>()).prop_map(|(weight, held)| Step {
            weight,
            hold: held.then(|| "30m".parse().unwrap()),
            ..Step::default()
        }),
        0..3,
    );
    let raw = prop_oneof![6 => some_steps(), 1 => garbage];
    (
        option::weighted(0.9, revisions()),
        option::weighted(0.9, versions()),
        option::weighted(0.8, canary),
        option::weighted(0.7, step),
        raw,
        option::weighted(0.4, ending),
        option::weighted(0.2, k8s_times()),
        vec(entry, 0..3),
        (option::weighted(0.4, conflicts()), vec(put_backs(), 0..4)),
    )
        .prop_map(
            |(revision, stable, canary, step, steps, ending, paused_at, history, moved)| {
                CanaryRolloutStatus {
                    conflict: moved.0,
                    put_backs: moved.1,
                    revision,
                    stable: stable.map(|version| StableVersion { version }),
                    canary,
                    step,
                    steps,
                    ending,
                    paused_at,
                    history,
                    ..CanaryRolloutStatus::default()
                }
            },
        )
}

/// What keeps a release from being served.
#[derive(Clone, Copy, Debug)]
enum Lack {
    Pending,
    Version,
    Permission,
}

prop_compose! {
    fn facts()(
        alias in aliases(),
        request in requests(),
        raw in some_steps(),
        newer in prop::bool::weighted(0.3),
        unusable in option::weighted(0.2, select(vec![Lack::Pending, Lack::Version, Lack::Permission])),
        unread in prop::bool::weighted(0.2),
        suspended in prop::bool::weighted(0.2),
        audit in prop::bool::weighted(0.2),
        on_conflict in select(vec![OnConflict::Hold, OnConflict::Adopt, OnConflict::Enforce]),
        finalizer in prop::bool::weighted(0.8),
        stable_gone in prop::bool::weighted(0.1),
        deletion in prop_oneof![
            6 => Just(Deletion::None),
            1 => Just(Deletion::Undo),
            1 => Just(Deletion::Abandon),
        ],
    ) -> Facts {
        let wanted = match unusable {
            Some(Lack::Pending) => Err(unusable_release(true, "VersionNotFound", "no version")),
            Some(Lack::Version) => Err(unusable_release(false, "VersionNotFound", "no version")),
            Some(Lack::Permission) => Err(denied("GetFunction").into()),
            None => {
                let wanted = if newer { release("44", NEXT_REVISION) } else { release("43", REVISION) };
                Ok(Wanted { steps: steps(&raw), ..wanted })
            }
        };
        let mode = if audit { Mode::Audit } else { Mode::Enforce };
        let provisioned = if unread { Err(denied("GetProvisionedConcurrencyConfig")) } else { Ok(None) };
        Facts {
            alias, request, suspended, mode, on_conflict, finalizer, stable_gone, deletion, wanted, provisioned,
            ..World::new().facts
        }
    }
}

/// Anything that can be found, remembered in any way, at any time.
pub(super) fn any_world() -> impl Strategy<Value = World> {
    (facts(), statuses(), times(), 0_i64..1_000).prop_map(|(facts, status, now, millis)| {
        let mut world = World::new();
        world.facts = facts;
        world.status = stored(&status);
        world.now = later(now, SignedDuration::from_millis(millis));
        world
    })
}

/// A rollout in flight as we left it, which the time, a person and the spec may meet.
pub(super) fn flights() -> impl Strategy<Value = World> {
    (any_world(), 0_usize..3, any::<bool>(), option::weighted(0.3, outcomes())).prop_map(
        |(any, index, entered, ending)| {
            let mut world = World::flying(index, entered.then_some("01:30:00"));
            let (alias, base) = (world.facts.alias.take(), world.facts);
            // What a flight is judged by stays as it is.
            world.facts = Facts {
                alias,
                alias_source: base.alias_source,
                terms: base.terms,
                evidence: base.evidence,
                alarms: base.alarms,
                ..any.facts
            };
            world.now = any.now;
            world.status.ending = ending.map(|outcome| Ending {
                outcome,
                reason: "Why".into(),
                message: "because".into(),
            });
            world
        },
    )
}
