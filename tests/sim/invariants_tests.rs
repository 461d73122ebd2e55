//! Each checker flags a history that breaks its invariant, and only then.

use groundcrew::{
    api::{
        canary_rollout::{
            AliasStatus, CanaryVersion, Conflict, Ending, OnConflict, PutBack, StableVersion,
            StepStatus,
        },
        shared::Mode,
    },
    facts::{cloudwatch::Span, lambda::VersionWeight},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::*;
use crate::{
    evidence::error_rate,
    history::Evidence,
    scenarios::{rollout, weight},
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
        alias: "live".into(),
        version: version.into(),
        weight: alias(version, weight, revision).weights.into_iter().next(),
        description: String::new(),
        revision_id: revision.into(),
    }
}

/// Version 43 on its way in place of 42, by 10% for a minute and 50% for a minute.
fn flying() -> CanaryRollout {
    let mut object = rollout("43", Some(vec![weight(10, 60), weight(50, 60)]), None);
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
        before: Some(before.clone()),
        change,
        after: Some(after),
        object: Some(Box::new(object)),
        leads: true,
        late: false,
    }
}

fn applied(before: CanaryRollout, after: CanaryRollout, alias: &Alias) -> Event {
    Event::StatusApplied {
        before: Box::new(before),
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

#[test]
fn a_rollout_that_keeps_its_steps_breaks_nothing() {
    let weighted = alias("42", Some(("43", 0.5)), "next");
    let promotion = write(&weighted, change("43", None, "next"), ending(Outcome::Promoted));
    check(&[(0, first_weight()), (60, second_weight(flying())), (120, promotion)], &[]);
}

#[test]
fn weights_need_the_finalizer_first() {
    let mut object = flying();
    object.metadata.finalizers = None;
    let event =
        write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), object.clone());
    check(&[(0, event.clone())], &["G1"]);
    let mut invariants = Invariants::default();
    invariants.finalizer_taken(7);
    assert_eq!(invariants.observe(at(0), &event), Vec::<String>::new(), "a person took it unseen");
    invariants.seen(7);
    let again = write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), object);
    assert_eq!(invariants.observe(at(1), &again).len(), 1, "the operator has seen it");
}

#[test]
fn the_finalizer_stays_while_there_are_weights() {
    let weighted = alias("42", Some(("43", 0.1)), "r1");
    let event = |alias| Event::FinalizerRemoved { object: Box::new(flying()), alias: Some(alias) };
    check(&[(0, event(weighted.clone()))], &["G3"]);
    check(&[(0, event(alias("42", None, "r1")))], &[]);
    check(&[(0, Event::ForeignAlias { after: weighted.clone() }), (1, event(weighted))], &[]);
}

#[test]
fn an_alias_is_not_moved_for_an_object_that_is_gone() {
    let Event::AliasUpdated { before, change, after, leads, late, .. } = first_weight() else {
        unreachable!()
    };
    let event = Event::AliasUpdated { before, change, after, object: None, leads, late };
    check(&[(0, event)], &["G3"]);
}

#[test]
fn a_status_write_leaves_the_spec_alone_and_changes_something() {
    let bare = alias("42", None, "r0");
    let other = rollout("44", None, None);
    let changed = CanaryRollout { spec: other.spec, ..with(|status| status.message = None) };
    let told = with(|status| status.message = Some("news".into()));
    check(&[(0, applied(told.clone(), changed, &bare))], &["G5"]);
    check(&[(0, applied(told.clone(), told.clone(), &bare))], &["G8"]);
    check(&[(0, applied(flying(), told, &bare))], &[]);
}

#[test]
fn a_write_needs_the_lease() {
    let Event::AliasUpdated { before, change, after, object, late, .. } = first_weight() else {
        unreachable!()
    };
    let event = Event::AliasUpdated { before, change, after, object, leads: false, late };
    check(&[(0, event)], &["G7"]);
    let made = Event::AliasCreated { after: alias("43", None, "r0"), leads: false };
    check(&[(0, made)], &["G7"]);
}

#[test]
fn a_write_carries_the_current_revision_id() {
    let before = alias("42", None, "r1");
    check(&[(0, write(&before, change("42", Some(("43", 0.1)), "r0"), flying()))], &["C5"]);
}

#[test]
fn weights_are_those_of_the_steps_in_their_order_and_time() {
    let bare = alias("42", None, "r0");
    let odd = write(&bare, change("42", Some(("43", 0.25)), "r0"), flying());
    check(&[(0, odd)], &["C1"]);
    check(&[(0, first_weight()), (59, second_weight(flying()))], &["C1"]);
    let late_start = write(&bare, change("42", Some(("43", 0.5)), "r0"), flying());
    check(&[(0, late_start)], &["C6"]);
}

#[test]
fn a_step_counts_from_when_its_weight_was_there() {
    let entered =
        |second| with(|status| status.step.as_mut().unwrap().entered_at = Some(Time(at(second))));
    let weighted = alias("42", Some(("43", 0.1)), "next");
    let event = |second| applied(flying(), entered(second), &weighted);
    check(&[(10, first_weight()), (11, event(9))], &["C1"]);
    check(&[(10, first_weight()), (11, event(10))], &[]);
    check(&[(11, event(11))], &["C1"]);
}

#[test]
fn what_ended_has_no_weights() {
    for phase in [Phase::Healthy, Phase::RolledBack, Phase::Aborted] {
        let ended = with(|status| {
            status.phase = Some(phase);
            status.stable = Some(StableVersion { version: "43".into() });
            status.conditions = vec![is_ready()];
        });
        let weighted = alias("42", Some(("43", 0.1)), "next");
        let history = [(0, first_weight()), (5, applied(flying(), ended.clone(), &weighted))];
        let healthy = phase == Phase::Healthy;
        check(&history, if healthy { &["C3", "Healthy"] } else { &["C3"] });
    }
}

#[test]
fn an_alias_moves_forward_or_back_to_stable_only() {
    let weighted = alias("42", Some(("43", 0.5)), "r1");
    let lower = write(&weighted, change("42", Some(("43", 0.1)), "r1"), flying());
    let found = {
        let mut invariants = Invariants::default();
        invariants.observe(at(0), &lower)
    };
    assert!(found.iter().any(|line| line.starts_with("C4: the weight of 43 fell")), "{found:?}");
    let unannounced = write(&weighted, change("43", None, "r1"), flying());
    check(&[(0, unannounced)], &["C4"]);
    let elsewhere = write(&weighted, change("44", None, "r1"), ending(Outcome::Promoted));
    check(&[(0, elsewhere)], &["C4"]);
    let promoted_on_the_way_back =
        write(&weighted, change("43", None, "r1"), ending(Outcome::Aborted));
    check(&[(0, promoted_on_the_way_back)], &["C4"]);
    let back = write(&alias("43", None, "r1"), change("42", None, "r1"), ending(Outcome::Aborted));
    check(&[(0, back)], &[]);
}

#[test]
fn healthy_means_that_the_release_is_served() {
    let healthy = with(|status| {
        status.phase = Some(Phase::Healthy);
        status.stable = Some(StableVersion { version: "43".into() });
        status.conditions = vec![is_ready()];
    });
    check(&[(0, applied(flying(), healthy.clone(), &alias("42", None, "r0")))], &["Healthy"]);
    check(&[(0, applied(flying(), healthy, &alias("43", None, "r0")))], &[]);
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
fn ready_is_of_the_generation_that_was_looked_at() {
    let ready = |generation| {
        let observed_generation = Some(generation);
        with(|status| status.conditions = vec![Condition { observed_generation, ..is_ready() }])
    };
    let bare = alias("42", None, "r0");
    check(&[(0, applied(flying(), ready(2), &bare))], &["Ready"]);
    check(&[(0, applied(flying(), ready(0), &bare))], &["Ready"]);
    check(&[(0, applied(flying(), ready(1), &bare))], &[]);
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
fn in_audit_an_alias_goes_back_at_most() {
    let audited = |mut object: CanaryRollout| {
        object.spec.mode = Some(Mode::Audit);
        object.status.as_mut().unwrap().conditions = vec![Condition {
            type_: "Ready".into(),
            status: "False".into(),
            reason: "Audit".into(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: Time(at(0)),
        }];
        object
    };
    let bare = alias("42", None, "r0");
    let step = change("42", Some(("43", 0.1)), "r0");
    let forward = write(&bare, step.clone(), audited(flying()));
    check(&[(0, forward.clone())], &["Audit"]);
    let Event::AliasUpdated { before, change: late, after, object, leads, .. } = forward else {
        unreachable!()
    };
    let late = Event::AliasUpdated { before, change: late, after, object, leads, late: true };
    check(&[(0, late)], &[]);
    let mut enforced = audited(flying());
    enforced.spec.mode = None;
    check(&[(0, write(&bare, step, enforced))], &[]);
    let weighted = alias("42", Some(("43", 0.5)), "r1");
    let promotion = write(&weighted, change("43", None, "r1"), audited(ending(Outcome::Promoted)));
    check(&[(0, promotion)], &["Audit"]);
    let back = write(&weighted, change("42", None, "r1"), audited(ending(Outcome::Aborted)));
    check(&[(0, back)], &[]);
}

#[test]
fn an_alias_is_put_back_to_where_it_was_left_and_not_too_often() {
    let decided = |on_conflict| {
        let mut object = with(|status| {
            let revision_id = "theirs".to_owned();
            let conflict = Conflict { since: Time(at(0)), revision_id, left: Some(10) };
            status.put_backs = vec![PutBack { at: Time(at(0)), revision_id: "theirs".into() }];
            status.conflict = Some(conflict);
        });
        object.spec.on_conflict = on_conflict;
        object
    };
    let enforced = || decided(Some(OnConflict::Enforce));
    let moved = alias("45", None, "theirs");
    let back = |change: AliasChange, object| write(&moved, change, object);
    let left = change("42", Some(("43", 0.1)), "theirs");
    let flown = (0, first_weight());
    check(&[flown.clone(), (9, back(left.clone(), enforced()))], &[]);
    check(&[flown.clone(), (9, back(change("42", None, "theirs"), enforced()))], &[]);
    check(&[flown.clone(), (9, back(left.clone(), decided(None)))], &["C5"]);
    let elsewhere = change("42", Some(("43", 0.5)), "theirs");
    check(&[flown.clone(), (9, back(elsewhere, enforced()))], &["C5"]);
    let again = |second| (second, back(left.clone(), enforced()));
    check(&[flown.clone(), again(1), again(2), again(3)], &[]);
    check(&[flown.clone(), again(1), again(2), again(3), again(4)], &["C5"]);
    check(&[flown, again(1), again(2), again(3), again(4_000)], &[]);
}

/// A step that began at second 60 is left after CloudWatch gave this.
fn left_after(answer: Option<Evidence>) -> Vec<(i64, Event)> {
    let judged = |index: i32, entered: bool| {
        let mut object = with(|status| {
            let step = status.step.as_mut().unwrap();
            step.index = index;
            step.entered_at = entered.then(|| Time(at(60)));
            status.steps[0].min_invocations = Some(50);
        });
        object.spec.analysis = Some(error_rate());
        object
    };
    let weighted = alias("42", Some(("43", 0.1)), "next");
    let begun = applied(judged(0, false), judged(0, true), &weighted);
    let left = applied(judged(0, true), judged(1, false), &weighted);
    let answer = answer.map(|answer| (240, Event::MetricsRead(answer)));
    [(50, first_weight()), (60, begun)].into_iter().chain(answer).chain([(300, left)]).collect()
}

#[test]
fn a_step_is_left_on_whole_and_good_evidence_of_its_own_time_only() {
    let told = |from: i64, minute: i64, calls: f64, errors: f64| Evidence {
        span: Span { from: at(from), until: at(120) },
        whole: true,
        minutes: [(at(minute), (calls, errors))].into(),
    };
    let good = told(60, 60, 100.0, 1.0);
    check(&left_after(Some(good.clone())), &[]);
    check(&left_after(Some(told(0, 60, 100.0, 1.0))), &[]);
    check(&left_after(None), &["C2"]);
    for bad in [
        Evidence { whole: false, ..good.clone() },
        Evidence { span: Span { from: at(0), until: at(60) }, ..good },
        told(0, 0, 100.0, 1.0),
        told(60, 60, 0.0, 0.0),
        told(60, 60, 49.0, 1.0),
        told(60, 60, 100.0, 6.0),
    ] {
        check(&left_after(Some(bad)), &["C2"]);
    }
}
