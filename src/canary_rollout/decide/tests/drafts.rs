//! What speaks against a release before it is published.

use super::{
    check,
    preflight::{findings, with_alarms},
    publish::{archive, begun, image, latest, rollout, world},
};
use crate::{
    api::{
        canary_rollout::{Outcome, Phase, Severity},
        shared::Mode,
    },
    canary_rollout::{
        decide::{AlarmReport, Coming, Preflight, VersionFact},
        memory::Publishing,
        rollout::Rollout,
        world::{World, deployment, ended, function, unusable},
    },
    facts::{codedeploy::Stage, lambda::FunctionVersion},
};

/// Nothing is published of the release, and `$LATEST` differs from version 42 by `change`.
fn differing(rollout: &Rollout, change: impl FnOnce(&mut FunctionVersion)) -> World {
    let mut held = latest();
    change(&mut held);
    let mut world = world(rollout, held);
    let new = Coming::known(&VersionFact::Missing, &world.facts);
    assert!(new.is_some(), "it is known what it is published from");
    let stable = Some(function("42", "sha-of-42"));
    world.facts.preflight = Some(Preflight { new, stable, ..Preflight::default() });
    world
}

fn other_role(held: &mut FunctionVersion) {
    held.role = "arn:aws:iam::111122223333:role/other".into();
}

fn forms() -> [Rollout; 4] {
    let latest = "release: {latest: true}";
    let configured = format!("{latest}\nconfiguration: {{memorySize: 512}}");
    [archive(), image(), rollout(latest), rollout(&configured)]
}

#[test]
fn what_keeps_a_release_from_starting_keeps_it_from_being_published_and_is_told_at_once() {
    for form in forms() {
        let mut world = differing(&form, |held| {
            other_role(held);
            held.dead_letter_target = Some("arn:aws:sqs:q".into());
        });
        world = with_alarms(world, &["gone"], &["red"]);
        let preflight = world.facts.preflight.as_mut().unwrap();
        preflight.deployments = vec![deployment(Stage::UnderWay)];
        let expected = [
            "Blocking AlarmNotFound",
            "Blocking AlarmAlreadyFiring",
            "Blocking RoleMismatch",
            "Blocking DeadLetterMismatch",
            "Blocking CodeDeployInProgress",
        ];
        assert_eq!(findings(&world), expected);
        let plan = world.plan();
        assert_eq!((plan.report.phase, plan.report.reason), (Phase::Invalid, "PreflightFailed"));
        let message = &plan.report.message;
        assert!(
            message.starts_with("the release cannot start for 5 reasons: there is"),
            "{message}"
        );
        assert_eq!((plan.memory.publishing, plan.actions), (None, vec![]));
        // Once it is mended, it is published.
        world.facts.alarms = Some(Ok(AlarmReport::default()));
        world.facts.preflight = Some(Preflight::default());
        let plan = world.plan();
        assert_eq!(plan.report.reason, "Publishing");
        assert!(plan.memory.publishing.is_some());
    }
}

#[test]
fn what_time_mends_delays_the_publishing() {
    let world = with_alarms(differing(&archive(), |_| {}), &[], &["red"]);
    check(
        &world,
        &[
            "Pending AlarmAlreadyFiring: waits to start: alarm red is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore",
            "01:45:00",
        ],
    );
}

#[test]
fn what_the_release_may_still_change_is_not_judged_before_it_is_published() {
    let old = |held: &mut FunctionVersion| {
        held.architectures = vec!["x86_64".into()];
        held.runtime = Some("python3.9".into());
        held.stack = Some("shop".into());
    };
    let stack = "Warning ManagedByCloudFormation";
    for form in [archive(), image()] {
        assert_eq!(findings(&differing(&form, old)), [stack]);
    }
    let told = ["Warning ArchitectureDiffers", "Warning RuntimeDeprecated", stack];
    assert_eq!(findings(&differing(&rollout("release: {latest: true}"), old)), told);
    // What the spec says of it is known.
    for (release, runtime, told) in [
        ("latest: true", "python3.14", vec!["Warning ArchitectureDiffers", stack]),
        (
            "s3: {bucket: artifacts, key: a.zip, objectVersion: v7}",
            "python3.9",
            vec!["Warning RuntimeDeprecated", stack],
        ),
    ] {
        let spec = format!("release: {{{release}}}\nconfiguration: {{runtime: {runtime}}}");
        assert_eq!(findings(&differing(&rollout(&spec), old)), told, "{spec}");
    }
}

#[test]
fn a_release_without_weights_may_have_another_role() {
    let mut form = archive();
    form.steps = crate::canary_rollout::rollout::Steps::default();
    assert_eq!(differing(&form, other_role).plan().report.reason, "Publishing");
}

#[test]
fn nothing_is_published_unlooked_at_and_what_was_begun_is_not_looked_at_again() {
    let unlooked = |mut world: World| {
        world.facts.preflight = None;
        world
    };
    let says = "Pending Preflight: looks at s3://artifacts/a.zip version v7 before it is published";
    for mode in [Mode::Enforce, Mode::Audit] {
        let mut world = unlooked(differing(&archive(), |_| {}));
        world.facts.mode = mode;
        check(&world, &[says, "now"]);
    }
    let none = Publishing::default;
    let begun = with_alarms(unlooked(begun(&archive(), latest(), none())), &["gone"], &["red"]);
    let plan = begun.plan();
    assert!(plan.report.message.contains("becomes the code"), "{}", plan.report.message);
    // An edit may ask for something else: that is looked at.
    let other = Publishing { revision: "other".into(), ..none() };
    let mut memory = begun.memory();
    memory.publishing = Some(other);
    let mut edited = begun;
    edited.remember(&memory);
    assert_eq!(edited.plan().report.reason, "Preflight");
}

#[test]
fn in_audit_what_blocks_is_told_instead_of_the_plan() {
    let mut world = with_alarms(differing(&archive(), |_| {}), &["gone"], &[]);
    world.facts.mode = Mode::Audit;
    assert_eq!(world.plan().report.reason, "AlarmNotFound");
    world.facts.alarms = Some(Ok(AlarmReport::default()));
    assert_eq!(world.plan().report.reason, "Audit");
}

#[test]
fn nothing_keeps_from_being_published_what_starts_nothing() {
    let blocked = |mut world: World| {
        let wanted = differing(&archive(), other_role).facts;
        (world.facts.wanted, world.facts.latest) = (wanted.wanted, wanted.latest);
        world.facts.preflight = wanted.preflight;
        with_alarms(world, &["gone"], &[])
    };
    assert_eq!(blocked(World::new()).plan().report.reason, "PreflightFailed");
    let beside = blocked(World::flying(0, Some("01:44:00")));
    let first = blocked(World::new().with(|world| world.facts.alias = None));
    // The status was lost, and the weights have to go, whatever fires.
    let mark = crate::canary_rollout::world::mark("rev", 0);
    let lost = blocked(World::new().with(|world| world.alias_is("42", &[("43", 0.1)], &mark)));
    for (world, what) in [(beside, "a flight"), (first, "first use"), (lost, "a lost status")] {
        assert_eq!(world.plan().report.reason, "Publishing", "{what}");
    }
}

#[test]
fn the_way_back_is_open_although_it_must_be_published_anew() {
    let back = |window| {
        let mut world = World::concluded(Outcome::Promoted, "x");
        let revision = archive().release.revision("", None);
        world.status.history.push(ended(&revision, "42", Outcome::Promoted, "x"));
        let wanted = differing(&archive(), other_role).facts;
        (world.facts.wanted, world.facts.latest) = (wanted.wanted, wanted.latest);
        world.facts.preflight = wanted.preflight;
        world.facts.terms.as_mut().unwrap().rollback_window = window;
        with_alarms(world, &["gone"], &["red"])
    };
    assert_eq!(back(1).plan().report.reason, "Publishing");
    assert_eq!(findings(&back(1)), ["Warning AlarmNotFound"]);
    assert_eq!(back(0).plan().report.reason, "PreflightFailed");
}

#[test]
fn a_warning_stays_from_before_the_publishing_to_the_start() {
    let mut world = differing(&rollout("release: {latest: true}"), |held| {
        held.architectures = vec!["x86_64".into()];
    });
    let told = |world: &World| {
        let told = world.status.preflight.iter();
        told.map(|one| (one.severity, one.reason.clone())).collect::<Vec<_>>()
    };
    let expected = [(Severity::Warning, "ArchitectureDiffers".to_owned())];
    let mut memory = World::concluded(Outcome::Promoted, "x").memory();
    memory.stable = Some("42".into());
    world.remember(&memory);
    world.pass();
    assert!(world.memory().publishing.is_some());
    assert_eq!(told(&world), expected);
    // The intent, and what Lambda prepares.
    world.pass();
    assert_eq!(told(&world), expected);
    let preparing = |phase| {
        let mut pending = unusable(true, "VersionPending", "version 44 is still Pending in Lambda");
        if let crate::canary_rollout::decide::Unready::Unusable(unusable) = &mut pending {
            unusable.phase = phase;
        }
        Err(pending)
    };
    world.facts.wanted = preparing(Phase::Publishing);
    world.pass();
    assert_eq!(
        (told(&world).as_slice(), world.status.phase),
        (&expected[..], Some(Phase::Publishing))
    );
    // What kept it from starting and is over is not told any longer.
    let mut firing = with_alarms(world.clone(), &[], &["red"]);
    firing.pass();
    let blocking = |reason: &str| (Severity::Blocking, reason.to_owned());
    assert_eq!(told(&firing), [blocking("VersionPending"), blocking("AlarmAlreadyFiring")]);
    firing.facts.alarms = Some(Ok(AlarmReport::default()));
    firing.pass();
    assert_eq!(told(&firing), []);
    // What is published by somebody else is waited for as a finding.
    world.facts.wanted = preparing(Phase::Pending);
    assert_eq!(findings(&world), ["Blocking VersionPending"]);
}
