//! Scenarios in which a permission is missing for good: undo, verbs and deletion do without it.

use groundcrew::{
    api::canary_rollout::{History, Phase, Release},
    facts::cloudwatch::AlarmState,
};

use crate::{
    evidence::{judged, with_alarm},
    explore,
    faults::Faults,
    releases::{archive, latest},
    scenarios::{End, Scenario, minutes, rollout, scenario, weight},
    script::{Edit, Rule, View, always, first_step, healthy, rule},
    world::{Call, State},
};

fn at_100(view: &View<'_>) -> bool {
    view.phase(Phase::Promoting) && !view.serves("42")
}

/// What `$LATEST` holds is released, watched by an alarm: the release is read in every pass.
fn watched(state: &mut State) {
    let mut object = judged(with_alarm(), 0.0, state);
    object.spec.release = latest();
    state.create_object(object);
}

/// From the first step on the release cannot be read; then something else is to happen.
macro_rules! unreadable {
    ($edit:expr) => {
        || vec![rule(first_step, 5, Edit::Deny("GetFunction")), rule(always, 20, $edit)]
    };
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = of_the_release();
    all.extend(of_provisioned_concurrency());
    all.extend(of_old_versions());
    all
}

fn of_the_release() -> Vec<Scenario> {
    vec![
        scenario(
            "release-unreadable-then-alarm",
            watched,
            unreadable!(Edit::Alarm("red", AlarmState::Alarm)),
            End::At(Phase::RolledBack, "42"),
        ),
        scenario(
            "release-unreadable-then-abort",
            watched,
            unreadable!(Edit::Verb("abort", 1)),
            End::At(Phase::Aborted, "42"),
        ),
        scenario(
            "release-unreadable-then-deleted",
            watched,
            unreadable!(Edit::Delete),
            End::Gone("42"),
        ),
    ]
}

fn with_provisioned_concurrency(state: &mut State) {
    state.lambda.provision(false);
    state.denied.push("GetProvisionedConcurrencyConfig");
    state.create_object(rollout("43", Some(vec![weight(10, 60)]), None));
}

fn of_provisioned_concurrency() -> Vec<Scenario> {
    vec![
        scenario(
            "provisioned-concurrency-unreadable-then-abort",
            with_provisioned_concurrency,
            || vec![rule(at_100, 20, Edit::Verb("abort", 1))],
            End::At(Phase::Aborted, "42"),
        ),
        scenario(
            "provisioned-concurrency-unreadable-then-deleted",
            with_provisioned_concurrency,
            || vec![rule(at_100, 20, Edit::Delete)],
            End::Gone("42"),
        ),
    ]
}

/// Would keep one older version.
fn keeps_one(release: Release, state: &mut State) {
    let mut object = rollout("43", Some(vec![weight(10, 30)]), None);
    object.spec.release = release;
    object.spec.history = Some(History { keep_versions: 1 });
    state.create_object(object);
}

fn archived(state: &mut State) {
    keeps_one(archive("a.zip"), state);
}

/// What `$LATEST` holds is looked at each minute.
fn following(state: &mut State) {
    keeps_one(latest(), state);
}

fn two_more() -> Vec<Rule> {
    vec![
        // At once: nothing is cleared away before the third one serves.
        rule(healthy, 0, Edit::ReleaseArchive("b.zip")),
        // So that the next rule waits for the second release.
        rule(first_step, 0, Edit::Traffic("42", 0.0, 0.0)),
        rule(healthy, 0, Edit::ReleaseArchive("c.zip")),
    ]
}

/// What `$LATEST` holds at first is published already, and not by us.
fn three_of_latest() -> Vec<Rule> {
    let releases = ["sha-of-x", "sha-of-y", "sha-of-z"].map(Edit::ForeignCode);
    // So that the next release waits for this one.
    let flies = || rule(first_step, 0, Edit::Traffic("42", 0.0, 0.0));
    releases.into_iter().flat_map(|release| [rule(healthy, 0, release), flies()]).collect()
}

fn of_old_versions() -> Vec<Scenario> {
    let served = End::At(Phase::Healthy, "48");
    // Each minute at rest is some more calls.
    let short = |name, prepare| {
        let scenario = scenario(name, prepare, two_more, served);
        Scenario { lasts: minutes(20), ..scenario }
    };
    vec![
        short("old-versions-cannot-be-deleted", |state| {
            state.denied.push("Delete");
            archived(state);
        }),
        short("old-versions-cannot-be-listed", |state| {
            state.denied.push("ListVersionsByFunction");
            archived(state);
        }),
    ]
}

#[test]
fn what_is_refused_for_good_is_not_tried_each_minute() {
    for (denied, label) in [("Delete", "Delete 46"), ("ListVersionsByFunction", "ListVersions")] {
        let prepare = |state: &mut State| {
            state.denied.push(denied);
            following(state);
        };
        let run = explore::simulate(prepare, three_of_latest(), Faults::none, minutes(40));
        let tried = |call: &&Call| call.label.starts_with(label);
        let tries: Vec<_> = run.calls.iter().filter(tried).map(|call| call.at).collect();
        let pairs = tries.iter().zip(tries.iter().skip(1));
        let between: Vec<_> = pairs.map(|(one, next)| next.duration_since(*one)).collect();
        assert!(between.len() >= 2, "{label}: {tries:?}");
        assert!(between.iter().all(|time| *time >= minutes(14)), "{label}: {between:?}");
    }
}
