//! Scenarios with evidence: metrics and alarms decide.

use groundcrew::{
    api::{
        analysis::{Analysis, AnalysisAlarms, AnalysisMetric, Builtin, OnFailure},
        canary_rollout::{CanaryRollout, Phase},
        duration::Duration,
    },
    facts::cloudwatch::AlarmState,
};

use jiff::SignedDuration;

use crate::{
    scenarios::{self, End, Scenario, minutes, rollout, weight},
    script::{Edit, View, baking, first_step, rule, second_step},
    world::State,
};

pub fn error_rate() -> Analysis {
    let metric = AnalysisMetric {
        name: "errors".into(),
        builtin: Some(Builtin::ErrorRate),
        metric: None,
        max: Some("5%".into()),
        min: None,
        vs_stable: None,
        failure_limit: None,
        on_no_data: None,
        window: None,
    };
    Analysis { metrics: Some(vec![metric]), ..Analysis::default() }
}

pub fn with_alarm() -> Analysis {
    let alarms = AnalysisAlarms { names: Some(vec!["red".into()]), ..AnalysisAlarms::default() };
    Analysis { alarms: Some(alarms), ..Analysis::default() }
}

/// Two steps of 90 s judged by `analysis`, with this many errors in 100 invocations a minute of the
/// new version.
pub fn judged(analysis: Analysis, errors: f64, state: &mut State) -> CanaryRollout {
    state.cloudwatch.traffic.insert("42", (100.0, 1.0));
    state.cloudwatch.traffic.insert("43", (100.0, errors));
    state.cloudwatch.alarms.insert("red", AlarmState::Ok);
    let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
    object.spec.analysis = Some(analysis);
    object
}

fn scenario(name: &'static str, prepare: fn(&mut State), ends: End) -> Scenario {
    scenarios::scenario(name, prepare, Vec::new, ends)
}

fn pending(view: &View<'_>) -> bool {
    view.phase(Phase::Pending)
}

fn held(view: &View<'_>) -> bool {
    view.phase(Phase::Held)
}

pub fn all() -> Vec<Scenario> {
    let mut all = in_steps();
    all.extend(without_evidence());
    all.extend(by_alarm());
    all.extend(at_100());
    all
}

fn in_steps() -> Vec<Scenario> {
    let promoted = End::At(Phase::Healthy, "43");
    let back = End::At(Phase::RolledBack, "42");
    vec![
        scenario(
            "good-on-evidence",
            |state| {
                let object = judged(error_rate(), 1.0, state);
                state.create_object(object);
            },
            promoted,
        ),
        scenario(
            "bad-on-evidence",
            |state| {
                let object = judged(error_rate(), 30.0, state);
                state.create_object(object);
            },
            back,
        ),
        // An invocation counts at its start, and is known to fail at its end.
        Scenario {
            lasts: minutes(60),
            ..scenario(
                "late-errors",
                |state| {
                    let object = judged(error_rate(), 30.0, state);
                    state.lambda.functions.set_timeout(600);
                    state.cloudwatch.late.insert("Errors", SignedDuration::from_secs(600));
                    state.create_object(object);
                },
                back,
            )
        },
        // CloudWatch's clock is behind the operator's, by less than the newest data is ignored.
        scenario(
            "clock-ahead",
            |state| {
                let object = judged(error_rate(), 1.0, state);
                for metric in ["Invocations", "Errors"] {
                    state.cloudwatch.late.insert(metric, SignedDuration::from_secs(110));
                }
                state.create_object(object);
            },
            promoted,
        ),
        Scenario {
            lasts: minutes(30),
            ..scenario(
                "no-traffic",
                |state| {
                    let mut object = judged(error_rate(), 0.0, state);
                    waits_ten_minutes(&mut object);
                    state.cloudwatch.traffic.remove("43");
                    state.create_object(object);
                },
                back,
            )
        },
    ]
}

/// The first step gives up after ten minutes.
fn waits_ten_minutes(object: &mut CanaryRollout) {
    let first = object.spec.steps.as_mut().and_then(|steps| steps.first_mut());
    first.expect("a step").max_wait = Some(Duration::from_secs(600));
}

fn without_evidence() -> Vec<Scenario> {
    let back = End::At(Phase::RolledBack, "42");
    let short = |name, prepare| Scenario { lasts: minutes(30), ..scenario(name, prepare, back) };
    vec![
        short("data-never-whole", |state| {
            let mut object = judged(error_rate(), 0.0, state);
            waits_ten_minutes(&mut object);
            state.cloudwatch.withheld = Some("Errors");
            state.create_object(object);
        }),
        short("too-few-calls", |state| {
            let mut object = judged(error_rate(), 0.0, state);
            waits_ten_minutes(&mut object);
            let first = object.spec.steps.as_mut().and_then(|steps| steps.first_mut());
            first.expect("a step").min_invocations = Some(1_000_000);
            state.create_object(object);
        }),
    ]
}

fn by_alarm() -> Vec<Scenario> {
    let promoted = End::At(Phase::Healthy, "43");
    let back = End::At(Phase::RolledBack, "42");
    vec![
        // Had it started meanwhile, the alarm would have taken it back.
        Scenario {
            rules: || vec![rule(pending, 300, Edit::Alarm("red", AlarmState::Ok))],
            ..scenario(
                "alarm-before-the-start",
                |state| {
                    let object = judged(with_alarm(), 0.0, state);
                    state.cloudwatch.alarms.insert("red", AlarmState::Alarm);
                    state.create_object(object);
                },
                promoted,
            )
        },
        Scenario {
            rules: || vec![rule(second_step, 20, Edit::Alarm("red", AlarmState::Alarm))],
            ..scenario(
                "alarm",
                |state| {
                    let object = judged(with_alarm(), 0.0, state);
                    state.create_object(object);
                },
                back,
            )
        },
        // One that is not there would never fire.
        Scenario {
            rules: || vec![rule(first_step, 20, Edit::AlarmDeleted("red"))],
            lasts: minutes(30),
            ..scenario(
                "alarm-deleted-in-flight",
                |state| {
                    let mut object = judged(with_alarm(), 0.0, state);
                    waits_ten_minutes(&mut object);
                    state.create_object(object);
                },
                back,
            )
        },
    ]
}

fn at_100() -> Vec<Scenario> {
    let promoted = End::At(Phase::Healthy, "43");
    let back = End::At(Phase::RolledBack, "42");
    vec![
        scenario(
            "bake",
            |state| {
                let mut object = judged(error_rate(), 1.0, state);
                object.spec.bake = Some(Duration::from_secs(600));
                state.create_object(object);
            },
            promoted,
        ),
        Scenario {
            rules: || vec![rule(baking, 60, Edit::Traffic("43", 100.0, 50.0))],
            ..scenario(
                "bad-in-the-bake",
                |state| {
                    let mut object = judged(error_rate(), 1.0, state);
                    object.spec.bake = Some(Duration::from_secs(1_200));
                    state.create_object(object);
                },
                back,
            )
        },
        Scenario {
            rules: || {
                vec![
                    rule(first_step, 20, Edit::Verb("promote-full", 1)),
                    rule(baking, 60, Edit::Verb("abort", 2)),
                ]
            },
            ..scenario(
                "promoted-in-full-then-aborted",
                |state| {
                    let mut object = judged(error_rate(), 1.0, state);
                    object.spec.bake = Some(Duration::from_secs(1_200));
                    state.create_object(object);
                },
                End::At(Phase::Aborted, "42"),
            )
        },
        Scenario {
            rules: || vec![rule(held, 60, Edit::Verb("abort", 1))],
            ..scenario(
                "held-then-aborted",
                |state| {
                    let mut object = judged(error_rate(), 30.0, state);
                    object.spec.on_failure = Some(OnFailure::Hold);
                    state.create_object(object);
                },
                End::At(Phase::Aborted, "42"),
            )
        },
    ]
}
