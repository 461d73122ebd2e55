//! Scenarios of releases that become versions first, of smoke tests, and of provisioned concurrency.

use groundcrew::{
    api::{
        canary_rollout::{
            Configuration, History, ImageRelease, OnTimeout, Phase, Release, S3Release, Smoke, Step,
        },
        duration::Duration,
    },
    facts::lambda::Invocation,
};

use crate::{
    scenarios::{End, Scenario, approval, rollout, scenario, weight},
    script::{Edit, Rule, View, baking, first_step, healthy, rule},
    world::{State, functions::answered},
};

/// Digest of the image that is released.
const DIGEST: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// An archive in S3.
pub fn archive(key: &str) -> Release {
    let s3 = S3Release {
        bucket: "artifacts".into(),
        key: key.into(),
        object_version: Some("v1".into()),
    };
    Release { s3: Some(s3), ..Release::default() }
}

fn image() -> Release {
    let uri = format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/processor@sha256:{DIGEST}");
    Release { image: Some(ImageRelease { uri }), ..Release::default() }
}

pub fn latest() -> Release {
    Release { latest: Some(true), ..Release::default() }
}

pub fn smoke() -> Step {
    Step { smoke: Some(Smoke { expect_status: Some(200), ..Smoke::default() }), ..Step::default() }
}

/// An object that asks for a release by two steps.
fn asks(release: Release, state: &mut State) {
    asks_by(release, vec![weight(10, 90), weight(50, 90)], state);
}

fn asks_by(release: Release, steps: Vec<Step>, state: &mut State) {
    let mut object = rollout("43", Some(steps), None);
    object.spec.release = release;
    state.create_object(object);
}

fn publishing(view: &View<'_>) -> bool {
    view.phase(Phase::Publishing)
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = of_latest();
    all.extend(of_code());
    all.extend(pruned());
    all.extend(smoked());
    all.extend(provisioned());
    all.extend(without_a_way_back());
    all.extend(provisioned_late());
    all
}

/// The first version that is published.
const MADE: End = End::At(Phase::Healthy, "46");

fn of_latest() -> Vec<Scenario> {
    vec![
        scenario("latest", |state| asks(latest(), state), Vec::new, End::At(Phase::Healthy, "45")),
        scenario(
            "latest-followed",
            |state| asks(latest(), state),
            || vec![rule(healthy, 90, Edit::ForeignCode("sha-of-x"))],
            MADE,
        ),
        scenario(
            "latest-moves-while-published",
            |state| {
                state.lambda.functions.somebody_updates("sha-of-x");
                asks(latest(), state);
            },
            || vec![rule(publishing, 0, Edit::ForeignCode("sha-of-y"))],
            MADE,
        )
        .or(End::At(Phase::Healthy, "47")),
        scenario(
            "latest-superseded-in-flight",
            |state| asks(latest(), state),
            || vec![rule(first_step, 20, Edit::ForeignCode("sha-of-x"))],
            MADE,
        ),
    ]
}

fn pruned() -> Vec<Scenario> {
    vec![scenario(
        "old-versions-go",
        |state| {
            let mut object = rollout("43", Some(vec![weight(10, 30)]), None);
            object.spec.release = archive("a.zip");
            object.spec.history = Some(History { keep_versions: 1 });
            state.create_object(object);
        },
        || {
            vec![
                rule(healthy, 30, Edit::ReleaseArchive("b.zip")),
                // So that the next rule waits for the second release.
                rule(first_step, 0, Edit::Traffic("42", 0.0, 0.0)),
                rule(healthy, 30, Edit::ReleaseArchive("c.zip")),
            ]
        },
        End::At(Phase::Healthy, "48"),
    )]
}

fn of_code() -> Vec<Scenario> {
    vec![
        scenario("archive", |state| asks(archive("a.zip"), state), Vec::new, MADE),
        scenario(
            "archive-superseded",
            |state| asks(archive("a.zip"), state),
            || vec![rule(first_step, 20, Edit::ReleaseArchive("b.zip"))],
            End::At(Phase::Healthy, "47"),
        ),
        scenario(
            "archive-that-lambda-cannot-use",
            |state| {
                state.lambda.functions.update_fails = true;
                asks(archive("a.zip"), state);
            },
            Vec::new,
            End::At(Phase::Invalid, "42"),
        ),
        scenario(
            "image-with-configuration",
            |state| {
                state.lambda.functions.become_image();
                let mut object = rollout("43", Some(vec![weight(10, 90)]), None);
                object.spec.release = image();
                object.spec.configuration =
                    Some(Configuration { memory_size: Some(512), ..Configuration::default() });
                state.create_object(object);
            },
            Vec::new,
            MADE,
        ),
        scenario(
            "status-lost-while-published",
            |state| asks(archive("a.zip"), state),
            || vec![rule(publishing, 3, Edit::WipeStatus)],
            MADE,
        ),
        scenario(
            "alias-at-latest",
            |state| {
                state.lambda.at_latest();
                asks(archive("a.zip"), state);
            },
            Vec::new,
            MADE,
        ),
        scenario(
            "alias-and-release-at-latest",
            |state| {
                state.lambda.at_latest();
                asks(latest(), state);
            },
            Vec::new,
            End::At(Phase::Healthy, "45"),
        ),
    ]
}

fn smoked() -> Vec<Scenario> {
    vec![
        scenario(
            "smoke-passed",
            |state| asks_by(version("43"), vec![smoke(), weight(10, 90)], state),
            Vec::new,
            End::At(Phase::Healthy, "43"),
        ),
        scenario(
            "smoke-failed",
            |state| {
                state.lambda.functions.invocation = answered(500);
                asks_by(version("43"), vec![smoke(), weight(10, 90)], state);
            },
            Vec::new,
            End::At(Phase::RolledBack, "42"),
        ),
        scenario(
            "smoke-unanswered-after-a-weight",
            |state| {
                state.lambda.functions.invocation = Invocation::Unanswered;
                asks_by(version("43"), vec![weight(10, 30), smoke(), weight(50, 30)], state);
            },
            Vec::new,
            End::At(Phase::RolledBack, "42"),
        ),
    ]
}

fn provisioned() -> Vec<Scenario> {
    vec![
        scenario(
            "provisioned-concurrency",
            |state| {
                state.lambda.provision(false);
                asks_by(version("43"), vec![weight(10, 60)], state);
            },
            Vec::new,
            End::At(Phase::Healthy, "43"),
        ),
        scenario(
            "provisioned-concurrency-fails",
            |state| {
                state.lambda.provision(true);
                asks_by(version("43"), vec![weight(10, 60)], state);
            },
            Vec::new,
            End::At(Phase::RolledBack, "42"),
        ),
        scenario(
            "smoke-then-approval",
            |state| {
                let steps = vec![smoke(), approval(Some(60), OnTimeout::Promote), weight(10, 30)];
                asks_by(version("43"), steps, state);
            },
            Vec::new,
            End::At(Phase::Healthy, "43"),
        ),
    ]
}

/// Version 43 by one step, then ten minutes at 100.
fn bakes(state: &mut State) {
    let mut object = rollout("43", Some(vec![weight(10, 30)]), None);
    object.spec.bake = Some(Duration::from_secs(600));
    state.create_object(object);
}

/// In the bake of version 43 somebody deletes version 42, and the release is aborted.
fn gone() -> Vec<Rule> {
    vec![rule(baking, 20, Edit::DeleteVersion("42")), rule(baking, 20, Edit::Verb("abort", 1))]
}

fn without_a_way_back() -> Vec<Scenario> {
    vec![
        scenario("stable-deleted-in-the-bake", bakes, gone, End::At(Phase::Held, "43")),
        scenario(
            "stable-deleted-then-released-anew",
            bakes,
            || {
                let held = |view: &View<'_>| view.ready_reason("StableVersionGone");
                gone().into_iter().chain([rule(held, 60, Edit::Release("44"))]).collect()
            },
            End::At(Phase::Healthy, "44"),
        ),
    ]
}

/// Lambda begins to move provisioned concurrency some time after the alias was set.
fn moves_late(fails: bool, state: &mut State) {
    state.lambda.provision_late(fails);
    bakes(state);
}

fn provisioned_late() -> Vec<Scenario> {
    vec![
        scenario(
            "provisioned-concurrency-moves-in-the-bake",
            |state| moves_late(false, state),
            Vec::new,
            End::At(Phase::Healthy, "43"),
        ),
        scenario(
            "provisioned-concurrency-fails-in-the-bake",
            |state| moves_late(true, state),
            Vec::new,
            End::At(Phase::RolledBack, "42"),
        ),
    ]
}

fn version(version: &str) -> Release {
    Release { version: Some(version.into()), ..Release::default() }
}
