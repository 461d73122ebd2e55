use super::check;
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{Outcome, Phase, Severity},
        shared::Mode,
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{AlarmReport, Coming, Preflight, Traffic, mixes},
        rollout::Steps,
        world::{
            World, approve, deployment, ended, function, judged_by_alarm, release, steps, time,
            unusable,
        },
    },
    facts::{
        codedeploy::{AliasDeployment, Stage},
        lambda::{FunctionState, FunctionVersion},
        scaling::ScalableTarget,
    },
};

fn version(number: &str) -> FunctionVersion {
    FunctionVersion {
        role: "arn:aws:iam::123456789012:role/a".into(),
        architectures: vec!["x86_64".into()],
        ..function(number, &format!("sha-of-{number}"))
    }
}

/// Version 43 is about to start in place of 42, and differs by `change`.
fn differing(change: impl FnOnce(&mut FunctionVersion)) -> World {
    let mut new = version("43");
    change(&mut new);
    let preflight = Preflight {
        new: Some(Coming::from(&new)),
        stable: Some(version("42")),
        ..Preflight::default()
    };
    World::new().with(|world| world.facts.preflight = Some(preflight))
}

pub(super) fn with_alarms(mut world: World, missing: &[&str], firing: &[&str]) -> World {
    let terms = world.facts.terms.as_mut().unwrap();
    terms.criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let report =
        AlarmReport { missing: names(missing), firing: names(firing), ..AlarmReport::default() };
    world.facts.alarms = Some(Ok(report));
    world
}

/// Severity and reason of what a pass finds.
pub(super) fn findings(world: &World) -> Vec<String> {
    let plan = world.plan();
    let findings = plan.findings.unwrap_or_default();
    findings.iter().map(|finding| format!("{:?} {}", finding.severity, finding.reason)).collect()
}

#[test]
fn versions_that_lambda_lets_share_no_alias_do_not_start() {
    let world = differing(|new| new.role = "arn:aws:iam::123456789012:role/b".into());
    check(
        &world,
        &[
            "Invalid RoleMismatch: version 42 and the release have different execution roles, arn:aws:iam::123456789012:role/a and arn:aws:iam::123456789012:role/b: publish it with the same one, or release it without steps (preset AllAtOnce): Lambda lets them share no alias",
            "01:45:00",
        ],
    );
    let world = differing(|new| new.dead_letter_target = Some("arn:aws:sqs:q".into()));
    check(
        &world,
        &[
            "Invalid DeadLetterMismatch: version 42 and the release have different dead-letter queues, none and arn:aws:sqs:q: publish it with the same one, or release it without steps (preset AllAtOnce): Lambda lets them share no alias",
            "01:45:00",
        ],
    );
}

#[test]
fn versions_that_never_share_the_alias_may_differ() {
    let differs = || differing(|new| new.role = "arn:aws:iam::123456789012:role/b".into());
    let only_a_word = steps(&[approve("", None, crate::api::canary_rollout::OnTimeout::Abort)]);
    for steps in [Steps::default(), only_a_word] {
        let mut world = differs();
        world.facts.wanted.as_mut().unwrap().steps = steps;
        assert_eq!(world.plan().report.reason, "Starting");
    }
    // One that was served lately skips its steps.
    let mut world = differs();
    world.remember(&World::concluded(Outcome::Promoted, "x").memory());
    world.status.history.push(ended("r42", "42", Outcome::Promoted, "x"));
    world.alias_is("43", &[], "");
    world.facts.terms.as_mut().unwrap().rollback_window = 1;
    world.facts.wanted = Ok(release("42", "r42"));
    assert_eq!(world.plan().report.reason, "Starting");
}

#[test]
fn everything_that_keeps_a_release_from_starting_is_told_at_once() {
    let world = differing(|new| {
        new.role = "arn:aws:iam::123456789012:role/b".into();
        new.architectures = vec!["arm64".into()];
    });
    let world = with_alarms(world, &["gone", "lost"], &["red"]);
    let plan = world.plan();
    let found = [
        "Blocking AlarmNotFound",
        "Blocking AlarmNotFound",
        "Blocking AlarmAlreadyFiring",
        "Blocking RoleMismatch",
        "Warning ArchitectureDiffers",
    ];
    assert_eq!(findings(&world), found);
    assert_eq!((plan.report.phase, plan.report.reason), (Phase::Invalid, "PreflightFailed"));
    let message = &plan.report.message;
    assert!(
        message.starts_with("version 43 cannot start for 4 reasons: there is no alarm gone"),
        "{message}"
    );
    for word in ["alarm lost", "alarm red is already in ALARM", "execution roles"] {
        assert!(message.contains(word), "{message}");
    }
    let mut world = world;
    world.settle();
    assert_eq!(world.status.preflight.len(), found.len());
}

#[test]
fn more_alarms_than_can_be_ignored_keep_a_release_from_starting() {
    let firing = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("red-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut world = with_alarms(World::new(), &[], &names);
        let criteria = &mut world.facts.terms.as_mut().unwrap().criteria;
        criteria.alarms.as_mut().unwrap().already_firing = AlreadyFiring::Ignore;
        world
    };
    let plan = firing(500).plan();
    assert_eq!((plan.report.reason, plan.memory.ignored_alarms.len()), ("Starting", 500));
    check(
        &firing(501),
        &[
            "Pending AlarmAlreadyFiring: waits to start: 501 alarms are in ALARM, and at most 500 can be ignored: name fewer in spec.analysis.alarms",
            "01:45:00",
        ],
    );
}

#[test]
fn reasons_that_time_mends_leave_it_pending_with_one_reason() {
    let plan = with_alarms(World::new(), &[], &["red", "blue"]).plan();
    assert_eq!((plan.report.phase, plan.report.reason), (Phase::Pending, "AlarmAlreadyFiring"));
    assert!(plan.report.message.starts_with("waits to start: 2 reasons: alarm red"));
}

#[test]
fn a_release_that_cannot_be_served_is_told_with_the_alarms_that_are_missing() {
    let mut world = with_alarms(World::new(), &["gone"], &[]);
    let unusable = |pending| unusable(pending, "VersionNotFound", "function f has no version 43");
    world.facts.wanted = Err(unusable(false));
    assert_eq!(findings(&world), ["Blocking VersionNotFound", "Blocking AlarmNotFound"]);
    let alone = World::new().with(|world| world.facts.wanted = Err(unusable(true)));
    check(&alone, &["Pending VersionNotFound: function f has no version 43", "01:44:05"]);
    // In flight nothing would start.
    let mut flying = World::flying(0, Some("01:44:00"));
    flying.facts.wanted = Err(unusable(false));
    assert_eq!(findings(&flying), [] as [&str; 0]);
}

#[test]
fn what_only_warns_keeps_nothing_from_starting_and_is_told_until_the_end() {
    let mut world = differing(|new| {
        new.architectures = vec!["arm64".into()];
        new.runtime = Some("python3.9".into());
        new.stack = Some("shop".into());
    });
    world.facts.preflight.as_mut().unwrap().traffic = Some(Traffic { function: 300.0, alias: 0.0 });
    let expected = [
        "ArchitectureDiffers",
        "RuntimeDeprecated",
        "ManagedByCloudFormation",
        "AliasWithoutTraffic",
    ];
    let plan = world.pass();
    assert_eq!(plan.report.reason, "Starting");
    let told: Vec<_> =
        plan.findings.unwrap().into_iter().map(|one| (one.severity, one.reason)).collect();
    assert_eq!(told, expected.map(|reason| (Severity::Warning, reason.to_owned())));
    world.settle();
    assert_eq!(world.status.preflight.len(), 4, "it is there while the release is on its way");
    let mut world = world.asked("abort@9f2c1a");
    world.settle();
    assert_eq!(world.status.preflight, []);
}

#[test]
fn a_runtime_is_told_from_three_months_before_its_deprecation() {
    let told = |runtime: &str, day: &str| {
        let mut world = differing(|new| new.runtime = Some(runtime.to_owned()));
        world.now = format!("{day}T01:44:00Z").parse().unwrap();
        !findings(&world).is_empty()
    };
    assert!(!told("python3.11", "2027-03-31"));
    assert!(told("python3.11", "2027-04-02"));
    assert!(told("python3.11", "2030-01-01"));
    assert!(!told("something-new", "2030-01-01"));
}

#[test]
fn a_way_back_that_lambda_cannot_run_is_told_and_the_release_that_mends_it_goes_on() {
    let stable_is = |state: FunctionState, reason: &str| {
        let mut world = differing(|_| {});
        let stable = world.facts.preflight.as_mut().unwrap().stable.as_mut().unwrap();
        (stable.state, stable.state_reason) = (state, reason.into());
        world
    };
    for (reason, told) in [
        ("ImageDeleted: The image was deleted", "ImageDeleted: The image was deleted"),
        ("", "no reason given"),
    ] {
        let mut world = stable_is(FunctionState::Failed, reason);
        let plan = world.plan();
        assert_eq!(plan.report.reason, "Starting");
        let [found] = plan.findings.unwrap().try_into().unwrap();
        assert_eq!((found.severity, found.reason.as_str()), (Severity::Warning, "StableCannotRun"));
        let message = format!(
            "version 42, which alias production serves, is Failed in Lambda: {told}; a rollback would go back to a version that Lambda cannot run"
        );
        assert_eq!(found.message, message);
        world.facts.mode = Mode::Audit;
        assert_eq!(findings(&world), ["Warning StableCannotRun"]);
    }
    // What is idle wakes at its next call.
    for state in [FunctionState::Active, FunctionState::Inactive, FunctionState::Pending] {
        assert_eq!(findings(&stable_is(state, "Idle: idle")), [] as [&str; 0]);
    }
}

#[test]
fn traffic_is_told_only_where_the_function_is_called_past_the_alias() {
    for (function, alias, told) in
        [(0.0, 0.0, false), (10.0, 10.0, false), (10.0, 1.0, false), (10.0, 0.0, true)]
    {
        let traffic = Some(Traffic { function, alias });
        let preflight = Preflight { traffic, ..Preflight::default() };
        let world = World::new().with(|world| world.facts.preflight = Some(preflight));
        assert_eq!(!findings(&world).is_empty(), told, "{function} {alias}");
    }
}

#[test]
fn nothing_starts_unlooked_at() {
    let mut world = World::new().with(|world| world.facts.preflight = None);
    check(&world, &["Pending Preflight: looks at version 43 before it starts", "now"]);
    world.facts.mode = Mode::Audit;
    assert_eq!(world.plan().report.reason, "Preflight");
    // What starts nothing is not looked at.
    for mut world in [
        World::concluded(Outcome::Promoted, "x"),
        World::concluded(Outcome::Aborted, "x"),
        World::flying(0, Some("01:44:00")),
    ] {
        world.facts.preflight = None;
        world.now = time("01:44:00");
        assert_ne!(world.plan().report.reason, "Preflight");
    }
}

#[test]
fn in_audit_the_findings_are_told_beside_the_plan() {
    let mut world = differing(|new| new.architectures = vec!["arm64".into()]);
    world.facts.mode = Mode::Audit;
    world.settle();
    assert_eq!(world.status.preflight.len(), 1);
    assert!(!world.status.plan.is_empty());
}

/// Version 43 is about to start, and CodeDeploy has these deployments to the alias, newest first.
fn deployed(deployments: Vec<AliasDeployment>) -> World {
    let preflight = Preflight { deployments, ..Preflight::default() };
    World::new().with(|world| world.facts.preflight = Some(preflight))
}

#[test]
fn nothing_starts_while_codedeploy_moves_the_alias() {
    let deployments =
        || vec![deployment(Stage::Ended), deployment(Stage::UnderWay), deployment(Stage::Ended)];
    check(
        &deployed(deployments()),
        &[
            "Pending CodeDeployInProgress: waits to start: deployment d-UnderWay of CodeDeploy (application shop, deployment group processor) moves alias production now: this starts once that is over; aws deploy stop-deployment --deployment-id d-UnderWay ends it sooner",
            "01:45:00",
        ],
    );
    let mut world = deployed(deployments());
    world.settle();
    assert_eq!(findings(&world), ["Blocking CodeDeployInProgress"]);
    world.facts.preflight = Some(Preflight::default());
    assert_eq!(world.plan().report.reason, "Starting");
}

#[test]
fn an_alias_that_codedeploy_moved_lately_is_told_and_starts() {
    let mut nameless = deployment(Stage::Ended);
    nameless.group = None;
    nameless.application = "sh\nop".into();
    for (last, whose) in [
        (deployment(Stage::Ended), "(application shop, deployment group processor)"),
        (nameless, "(application sh op)"),
    ] {
        let plan = deployed(vec![last, deployment(Stage::Ended)]).plan();
        assert_eq!(plan.report.reason, "Starting");
        let [found] = plan.findings.unwrap().try_into().unwrap();
        assert_eq!(
            (found.severity, found.reason.as_str()),
            (Severity::Warning, "ManagedByCodeDeploy")
        );
        let message = format!(
            "deployment d-Ended of CodeDeploy {whose} was made for alias production on 2026-12-01: the next one moves the alias, too; take DeploymentPreference out of the template, or delete the deployment group"
        );
        assert_eq!(found.message, message);
    }
}

#[test]
fn codedeploy_that_was_not_read_keeps_nothing_from_starting_and_is_no_finding() {
    let preflight = Preflight { deployments_unread: Some("denied".into()), ..Preflight::default() };
    let world = World::new().with(|world| world.facts.preflight = Some(preflight));
    assert_eq!(world.plan().report.reason, "Starting");
    assert_eq!(findings(&world), [] as [&str; 0]);
}

#[test]
fn an_alias_that_auto_scaling_scales_is_told_where_it_gets_weights() {
    let scaling = ScalableTarget {
        resource: "function:flightdata-processor:production".into(),
        least: 2,
        most: 20,
        suspended: false,
    };
    let preflight = Preflight { scaling: Some(scaling), ..Preflight::default() };
    let world = World::new().with(|world| world.facts.preflight = Some(preflight));
    let plan = world.plan();
    assert_eq!(plan.report.reason, "Starting");
    let [found] = plan.findings.unwrap().try_into().unwrap();
    assert_eq!(
        (found.severity, found.reason.as_str()),
        (Severity::Warning, "ManagedByAutoScaling")
    );
    let message = "Application Auto Scaling keeps the provisioned concurrency of alias production between 2 and 20, and cannot change it while the alias has weights; raise it before the release, or release without steps (preset AllAtOnce)";
    assert_eq!(found.message, message);
    // It is not even asked where there are none.
    let asked = |world: &World| mixes(&world.facts, &world.memory(), world.now);
    assert!(asked(&world));
    let mut straight = World::new();
    straight.facts.wanted.as_mut().unwrap().steps = Steps::default();
    assert!(!asked(&straight));
    let mut back = World::concluded(Outcome::Promoted, "x");
    back.status.history.push(ended("r42", "42", Outcome::Promoted, "x"));
    back.facts.wanted = Ok(release("42", "r42"));
    assert!(asked(&back));
    back.facts.terms.as_mut().unwrap().rollback_window = 1;
    assert!(!asked(&back), "it skips its steps");
}

#[test]
fn scaling_that_was_not_read_keeps_nothing_from_starting_and_is_no_finding() {
    let preflight = Preflight { scaling_unread: Some("denied".into()), ..Preflight::default() };
    let world = World::new().with(|world| world.facts.preflight = Some(preflight));
    assert_eq!(world.plan().report.reason, "Starting");
    assert_eq!(findings(&world), [] as [&str; 0]);
}
