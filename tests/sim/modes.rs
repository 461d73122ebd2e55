//! Scenarios in which the spec says how much may be done: `mode`,
//! `onConflict`, and what speaks against a release before it starts.

use std::time::Duration;

use groundcrew::{
    api::{
        canary_rollout::{OnConflict, Phase},
        shared::Mode,
    },
    facts::{cloudwatch::AlarmState, codedeploy::Stage},
};

use crate::{
    evidence::{error_rate, judged, with_alarm},
    explore,
    faults::Faults,
    releases::{archive, latest},
    scenarios::{End, Scenario, minutes, rollout, scenario, weight},
    script::{Edit, View, aborted, first_step, healthy, rule},
    world::State,
};

fn first_step_at_42(view: &View<'_>) -> bool {
    view.entered(0) && view.serves("42")
}

fn audited(view: &View<'_>) -> bool {
    view.ready_reason("Audit")
}

fn blocked(view: &View<'_>) -> bool {
    view.ready_reason("AlarmAlreadyFiring")
}

/// Two steps, with a word on what happens when somebody else moves the alias.
fn two_steps(on_conflict: OnConflict, state: &mut State) {
    let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
    object.spec.on_conflict = Some(on_conflict);
    state.create_object(object);
}

fn enforcing(state: &mut State) {
    two_steps(OnConflict::Enforce, state);
}

fn adopting(state: &mut State) {
    two_steps(OnConflict::Adopt, state);
}

const FOREIGN: Edit = Edit::ForeignVersion("45");

pub fn all() -> Vec<Scenario> {
    let mut all = audits();
    all.extend(conflicts());
    all.push(preflight());
    all.push(unpublished());
    all.push(deployment());
    all
}

/// Neither the role nor the alarms let it start; a person mends one after the other.
fn preflight() -> Scenario {
    scenario(
        "preflight",
        |state| {
            let mut object = judged(with_alarm(), 0.0, state);
            object.spec.release.version = Some("45".into());
            state.lambda.functions.odd_role = Some("45");
            state.cloudwatch.alarms.remove("red");
            state.create_object(object);
        },
        || {
            vec![
                rule(failed_preflight, 90, Edit::Alarm("red", AlarmState::Ok)),
                rule(other_role, 90, Edit::Release("43")),
            ]
        },
        End::At(Phase::Healthy, "43"),
    )
}

/// An alarm is missing, so the archive is not published; a person makes the alarm.
fn unpublished() -> Scenario {
    scenario(
        "preflight-before-publishing",
        |state| {
            let mut object = judged(with_alarm(), 0.0, state);
            object.spec.release = archive("a.zip");
            state.cloudwatch.traffic.insert("46", (100.0, 0.0));
            state.cloudwatch.alarms.remove("red");
            state.create_object(object);
        },
        || vec![rule(alarm_missing, 90, Edit::Alarm("red", AlarmState::Ok))],
        End::At(Phase::Healthy, "46"),
    )
}

fn alarm_missing(view: &View<'_>) -> bool {
    view.ready_reason("AlarmNotFound")
}

#[test]
fn nothing_is_changed_for_a_release_that_cannot_start() {
    let begun = |alarm: bool| {
        let prepare = |state: &mut State| {
            (unpublished().prepare)(state);
            if alarm {
                state.edit(&Edit::Alarm("red", AlarmState::Ok));
            }
        };
        let run = explore::simulate(prepare, (unpublished().rules)(), Faults::none, minutes(10));
        let changes = |label: &str| label.starts_with("Update") || label.starts_with("Publish");
        let first = run.calls.iter().find(|call| changes(&call.label)).expect("it is published");
        first.at.duration_since(run.calls[0].at)
    };
    assert!((90..=160).contains(&begun(false).as_secs()), "{:?}", begun(false));
    assert!(begun(true) < Duration::from_secs(10), "{:?}", begun(true));
}

#[test]
fn what_latest_holds_anew_is_looked_at_whole_although_it_was_at_rest() {
    let prepare = |state: &mut State| {
        let mut object = judged(with_alarm(), 0.0, state);
        object.spec.release = latest();
        state.cloudwatch.traffic.insert("45", (100.0, 0.0));
        state.cloudwatch.traffic.insert("46", (100.0, 0.0));
        state.create_object(object);
    };
    let rules = vec![rule(healthy, 90, Edit::ForeignCode("sha-of-x"))];
    let run = explore::simulate(prepare, rules, Faults::none, minutes(40));
    let told = |event: &str| run.calls.iter().filter(|call| call.label.starts_with(event)).count();
    assert_eq!((told("event Healthy"), told("event Blocked")), (2, 0), "{}", run.trace);
}

/// CodeDeploy moves the alias; a person stops it.
fn deployment() -> Scenario {
    scenario(
        "codedeploy",
        |state| {
            state.codedeploy.deployment = Some(Stage::UnderWay);
            state.create_object(rollout("43", Some(vec![weight(10, 90)]), None));
        },
        || vec![rule(|_| true, 150, Edit::Deployment(Stage::Ended))],
        End::At(Phase::Healthy, "43"),
    )
}

#[test]
fn nothing_is_written_while_codedeploy_moves_the_alias() {
    let begun = |stage, rules| {
        let prepare = |state: &mut State| {
            (deployment().prepare)(state);
            state.codedeploy.deployment = stage;
        };
        let run = explore::simulate(prepare, rules, Faults::none, minutes(10));
        let write = run.calls.iter().find(|call| call.label.starts_with("UpdateAlias"));
        write.expect("it starts").at.duration_since(run.calls[0].at)
    };
    let waited = begun(Some(Stage::UnderWay), (deployment().rules)());
    // It is looked at each minute.
    assert!((150..=220).contains(&waited.as_secs()), "{waited:?}");
    for stage in [None, Some(Stage::Ended)] {
        let waited = begun(stage, Vec::new());
        assert!(waited < Duration::from_secs(10), "{waited:?} with {stage:?}");
    }
}

fn failed_preflight(view: &View<'_>) -> bool {
    view.ready_reason("PreflightFailed")
}

fn other_role(view: &View<'_>) -> bool {
    view.ready_reason("RoleMismatch")
}

fn conflicts() -> Vec<Scenario> {
    let promoted = End::At(Phase::Healthy, "43");
    let accepted = End::At(Phase::Aborted, "45");
    vec![
        scenario("enforced-in-flight", enforcing, || vec![rule(first_step, 20, FOREIGN)], promoted),
        scenario(
            "enforced-from-weights",
            enforcing,
            || vec![rule(first_step, 20, Edit::ForeignWeight("45", 0.25))],
            promoted,
        ),
        scenario("enforced-at-rest", enforcing, || vec![rule(healthy, 20, FOREIGN)], promoted),
        scenario(
            "enforced-three-times",
            enforcing,
            || (0..4).map(|_| rule(first_step_at_42, 20, FOREIGN)).collect(),
            End::At(Phase::Conflict, "45"),
        ),
        scenario("adopted-in-flight", adopting, || vec![rule(first_step, 20, FOREIGN)], accepted),
        scenario("adopted-at-rest", adopting, || vec![rule(healthy, 20, FOREIGN)], accepted),
        scenario(
            "adopted-then-retried",
            adopting,
            || vec![rule(healthy, 20, FOREIGN), rule(aborted, 90, Edit::Verb("retry", 1))],
            promoted,
        ),
    ]
}

fn audits() -> Vec<Scenario> {
    let promoted = End::At(Phase::Healthy, "43");
    vec![
        scenario(
            "audit-then-enforced",
            |state| {
                let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
                object.spec.mode = Some(Mode::Audit);
                state.create_object(object);
            },
            || vec![rule(audited, 90, Edit::Mode(Mode::Enforce))],
            promoted,
        ),
        scenario(
            "audit-in-flight",
            |state| {
                let steps = vec![weight(10, 90), weight(50, 90)];
                state.create_object(rollout("43", Some(steps), None));
            },
            || {
                vec![
                    rule(first_step, 20, Edit::Mode(Mode::Audit)),
                    rule(audited, 150, Edit::Mode(Mode::Enforce)),
                ]
            },
            promoted,
        ),
        scenario(
            "audit-goes-back",
            |state| {
                let object = judged(error_rate(), 1.0, state);
                state.create_object(object);
            },
            || {
                vec![
                    rule(first_step, 20, Edit::Mode(Mode::Audit)),
                    rule(audited, 0, Edit::Traffic("43", 100.0, 50.0)),
                ]
            },
            End::At(Phase::RolledBack, "42"),
        ),
        scenario(
            "blocked-by-an-alarm-after-another-release",
            |state| {
                let mut object = judged(with_alarm(), 0.0, state);
                object.spec.release.version = Some("42".into());
                state.create_object(object);
            },
            || {
                vec![
                    rule(healthy, 5, Edit::Alarm("red", AlarmState::Alarm)),
                    rule(healthy, 60, Edit::Release("43")),
                    rule(blocked, 150, Edit::Alarm("red", AlarmState::Ok)),
                ]
            },
            promoted,
        ),
    ]
}
