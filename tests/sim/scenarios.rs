//! The scenarios: an object, what people do, and how it ends.

use std::time::Duration;

use groundcrew::api::{
    canary_rollout::{
        Approve, CanaryRollout, CanaryRolloutSpec, FunctionAlias, OnTimeout, Phase, Preset,
        Release, Step,
    },
    duration,
};

use crate::{
    checks, claims, denied, evidence, explore, modes, releases,
    script::{Edit, Rule, View, aborted, always, first_step, healthy, rule, second_step},
    windows,
    world::{ALIAS, FUNCTION, NAME, State},
};

/// One scenario.
pub struct Scenario {
    /// Its name, in the file of fault points.
    pub name: &'static str,
    /// What is there before the operator starts.
    pub prepare: fn(&mut State),
    /// What people do.
    pub rules: fn() -> Vec<Rule>,
    /// When it begins, in Unix seconds.
    pub begins: i64,
    /// How long it lasts.
    pub lasts: Duration,
    /// How it ends.
    pub ends: End,
    /// How it may end as well, where people race with the operator; what led there may then differ.
    pub or_ends: Option<End>,
    /// It has tasks, which may be lost where a fault hits them.
    pub tasks: bool,
}

/// How a scenario ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// In this phase, with the alias at this version alone.
    At(Phase, &'static str),
    /// The object is gone, and the alias is at this version alone.
    Gone(&'static str),
    /// The object is gone, and the alias is as it was left.
    Abandoned(&'static str),
}

/// A scenario of 40 minutes with what people do.
pub fn scenario(
    name: &'static str,
    prepare: fn(&mut State),
    rules: fn() -> Vec<Rule>,
    ends: End,
) -> Scenario {
    let (begins, lasts) = (explore::EPOCH_SECOND, minutes(40));
    Scenario { name, prepare, rules, begins, lasts, ends, or_ends: None, tasks: false }
}

impl Scenario {
    /// The same with another end that it may have.
    pub fn or(self, end: End) -> Self {
        Self { or_ends: Some(end), ..self }
    }
}

/// Minutes.
pub const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// A step with a weight.
pub fn weight(percent: i32, hold_seconds: u64) -> Step {
    Step {
        weight: Some(percent),
        hold: Some(duration::Duration::from_secs(hold_seconds)),
        ..Step::default()
    }
}

/// A step that waits for a person.
pub fn approval(timeout_seconds: Option<u64>, on_timeout: OnTimeout) -> Step {
    let approve = Approve {
        message: None,
        timeout: timeout_seconds.map(duration::Duration::from_secs),
        on_timeout: Some(on_timeout),
    };
    Step { approve: Some(approve), ..Step::default() }
}

/// An object that asks for a version by steps.
pub fn rollout(version: &str, steps: Option<Vec<Step>>, preset: Option<Preset>) -> CanaryRollout {
    let function = FunctionAlias { name: FUNCTION.into(), alias: ALIAS.into() };
    let release = Release { version: Some(version.into()), ..Release::default() };
    let spec =
        CanaryRolloutSpec { function, release, steps, preset, ..CanaryRolloutSpec::default() };
    CanaryRollout::new(NAME, spec)
}

/// The alias serves the release already.
pub fn at_rest(state: &mut State) {
    state.create_object(rollout("42", Some(vec![weight(10, 90)]), None));
}

fn two_steps(state: &mut State) {
    state.create_object(rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None));
}

fn with_approval(timeout: Option<u64>, on_timeout: OnTimeout, state: &mut State) {
    let steps = vec![weight(10, 30), approval(timeout, on_timeout), weight(50, 30)];
    state.create_object(rollout("43", Some(steps), None));
}

fn conflict(view: &View<'_>) -> bool {
    view.phase(Phase::Conflict)
}

fn promoting(view: &View<'_>) -> bool {
    view.phase(Phase::Promoting) && view.serves("43")
}

fn suspended(view: &View<'_>) -> bool {
    view.phase(Phase::Suspended)
}

fn paused(view: &View<'_>) -> bool {
    view.paused()
}

fn waits(view: &View<'_>) -> bool {
    view.phase(Phase::WaitingApproval)
}

/// A scenario on two steps with what people do.
fn flight(name: &'static str, rules: fn() -> Vec<Rule>, ends: End) -> Scenario {
    scenario(name, two_steps, rules, ends)
}

const PROMOTED: End = End::At(Phase::Healthy, "43");

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = ordinary();
    all.extend(interrupted());
    all.extend(deleted());
    all.extend(disturbed());
    all.extend(evidence::all());
    all.extend(releases::all());
    all.extend(claims::all());
    all.extend(checks::all());
    all.extend(modes::all());
    all.extend(denied::all());
    all.extend(windows::all());
    all
}

fn ordinary() -> Vec<Scenario> {
    vec![
        flight("promotion", Vec::new, PROMOTED),
        Scenario {
            name: "first-use",
            prepare: |state| {
                state.lambda.without_alias();
                two_steps(state);
            },
            ..flight("", Vec::new, PROMOTED)
        },
        Scenario {
            name: "all-at-once",
            prepare: |state| state.create_object(rollout("43", None, Some(Preset::AllAtOnce))),
            ..flight("", Vec::new, PROMOTED)
        },
        Scenario {
            name: "linear-preset",
            prepare: |state| {
                let preset = Some(Preset::Linear10PercentEvery1Minute);
                state.create_object(rollout("43", None, preset));
            },
            ..flight("", Vec::new, PROMOTED)
        },
        Scenario {
            name: "approval-given",
            prepare: |state| with_approval(None, OnTimeout::Abort, state),
            ..flight("", || vec![rule(waits, 40, Edit::StepVerb("promote", 1))], PROMOTED)
        },
        Scenario {
            name: "approval-timed-out",
            prepare: |state| with_approval(Some(120), OnTimeout::Abort, state),
            ..flight("", Vec::new, End::At(Phase::Aborted, "42"))
        },
        Scenario {
            name: "approval-by-silence",
            prepare: |state| with_approval(Some(120), OnTimeout::Promote, state),
            ..flight("", Vec::new, PROMOTED)
        },
        Scenario {
            name: "description-without-room-for-a-mark",
            prepare: |state| {
                state.lambda.describe(&"x".repeat(250));
                two_steps(state);
            },
            ..flight("", Vec::new, PROMOTED)
        },
    ]
}

fn interrupted() -> Vec<Scenario> {
    let aborted_at_42 = End::At(Phase::Aborted, "42");
    vec![
        flight("abort", || vec![rule(second_step, 20, Edit::Verb("abort", 1))], aborted_at_42),
        flight(
            "abort-then-retry",
            || {
                vec![
                    rule(first_step, 20, Edit::Verb("abort", 1)),
                    rule(aborted, 20, Edit::Verb("retry", 2)),
                ]
            },
            PROMOTED,
        ),
        flight(
            "promote-full",
            || vec![rule(first_step, 20, Edit::Verb("promote-full", 1))],
            PROMOTED,
        ),
        flight(
            "skip-step",
            || vec![rule(first_step, 20, Edit::StepVerb("skip-step", 1))],
            PROMOTED,
        ),
        flight(
            "pause-and-resume",
            || {
                vec![
                    rule(first_step, 20, Edit::Verb("pause", 1)),
                    rule(paused, 150, Edit::Verb("resume", 2)),
                ]
            },
            PROMOTED,
        ),
        flight(
            "superseded",
            || vec![rule(second_step, 20, Edit::Release("44"))],
            End::At(Phase::Healthy, "44"),
        ),
        flight(
            "released-twice",
            || vec![rule(healthy, 120, Edit::Release("44"))],
            End::At(Phase::Healthy, "44"),
        ),
        flight(
            "suspended-and-resumed",
            || {
                vec![
                    rule(first_step, 20, Edit::Suspend(true)),
                    rule(suspended, 150, Edit::Suspend(false)),
                ]
            },
            PROMOTED,
        ),
    ]
}

fn deleted() -> Vec<Scenario> {
    vec![
        flight("deleted", || vec![rule(second_step, 20, Edit::Delete)], End::Gone("42")),
        flight("deleted-before-a-weight", || vec![rule(always, 0, Edit::Delete)], End::Gone("42")),
        Scenario {
            // The pass that records the promotion may not have seen the deletion yet.
            or_ends: Some(End::Gone("43")),
            ..flight(
                "deleted-while-promoting",
                || vec![rule(promoting, 0, Edit::Delete)],
                End::Gone("42"),
            )
        },
        flight("deleted-when-healthy", || vec![rule(healthy, 5, Edit::Delete)], End::Gone("43")),
        flight(
            "abandoned",
            || vec![rule(second_step, 20, Edit::Abandon), rule(always, 1, Edit::Delete)],
            End::Abandoned("42"),
        ),
        flight(
            "deleted-with-its-namespace",
            || vec![rule(second_step, 20, Edit::DeleteNamespace)],
            End::Gone("42"),
        ),
    ]
}

fn disturbed() -> Vec<Scenario> {
    vec![
        flight(
            "conflict-put-back",
            || {
                vec![
                    rule(first_step, 20, Edit::ForeignVersion("45")),
                    rule(conflict, 90, Edit::PutBack),
                ]
            },
            PROMOTED,
        ),
        flight(
            "conflict-then-retry",
            || {
                vec![
                    rule(first_step, 20, Edit::ForeignVersion("45")),
                    rule(conflict, 90, Edit::Verb("retry", 1)),
                ]
            },
            PROMOTED,
        ),
        flight("status-lost", || vec![rule(second_step, 20, Edit::WipeStatus)], PROMOTED),
        flight("finalizer-taken", || vec![rule(first_step, 20, Edit::DropFinalizer)], PROMOTED),
    ]
}
