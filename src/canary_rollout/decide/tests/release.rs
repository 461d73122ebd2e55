use super::check;
use crate::{
    api::{
        analysis::OnFailure,
        canary_rollout::{Outcome, Phase},
        duration::Duration,
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{ReleaseFacts, VersionFact, Wanted, wanted},
        rollout::{InvalidSpec, Release, Rollout, Settings, Source},
        world::{World, function, unusable as not_usable, usual_steps},
    },
    facts::lambda::{FunctionState, FunctionVersion, Snapshot},
};

fn rollout(code_sha256: Option<&str>) -> Rollout {
    Rollout {
        function: "flightdata-processor".into(),
        alias: "production".into(),
        release: Release {
            source: Source::Version("43".into()),
            code_sha256: code_sha256.map(Into::into),
            settings: Settings::default(),
        },
        steps: usual_steps(),
        bake: Duration::ZERO,
        criteria: Criteria::default(),
        on_failure: OnFailure::default(),
        rollback_window: 0,
        gate: None,
        keep_versions: None,
        checks: Vec::new(),
        post_checks: Vec::new(),
    }
}

fn of_version(version: VersionFact) -> ReleaseFacts {
    ReleaseFacts { latest: None, version }
}

fn found(state: FunctionState, state_reason: &str) -> ReleaseFacts {
    of_version(VersionFact::Found(Box::new(FunctionVersion {
        state,
        state_reason: state_reason.into(),
        ..function("43", "abc=")
    })))
}

fn in_flight(version: &str, code_sha256: &str) -> ReleaseFacts {
    of_version(VersionFact::InFlight { version: version.into(), code_sha256: code_sha256.into() })
}

#[track_caller]
fn refused(
    rollout: &Rollout,
    facts: &ReleaseFacts,
    pending: bool,
    reason: &'static str,
    says: &str,
) {
    assert_eq!(wanted(Ok(rollout), facts), Err(not_usable(pending, reason, says)));
}

#[test]
fn an_active_or_idle_version_can_be_released_in_flight_too() {
    let facts = [
        found(FunctionState::Active, ""),
        found(FunctionState::Inactive, "Idle"),
        in_flight("43", "abc="),
    ];
    // The timeout is remembered from the start of the flight.
    let judge = |fact| wanted(Ok(&rollout(None)), fact).map(|w| Wanted { timeout: None, ..w });
    let judged: Vec<_> = facts.iter().map(judge).collect();
    let Some(Ok(Wanted { version, code_sha256, .. })) = judged.first() else {
        panic!("{judged:?}")
    };
    assert_eq!((version.as_str(), code_sha256.as_str()), ("43", "abc="));
    assert!(judged.iter().all(|one| Some(one) == judged.first()), "{judged:?}");
}

#[test]
fn the_revision_tells_code_and_version_apart() {
    let revision = |version: &str, sha: &str| {
        let mut rollout = rollout(None);
        rollout.release.source = Source::Version(version.into());
        wanted(Ok(&rollout), &in_flight(version, sha)).unwrap().revision
    };
    assert_eq!(revision("43", "abc="), revision("43", "abc="));
    assert_ne!(revision("43", "abc="), revision("44", "abc="));
    assert_ne!(revision("43", "abc="), revision("43", "abd="));
}

#[test]
fn a_version_that_cannot_be_served_is_refused_with_lambdas_words() {
    let says = "function flightdata-processor has no version 43; publish it or correct spec.release.version";
    refused(&rollout(None), &ReleaseFacts::default(), false, "VersionNotFound", says);
    let says = "version 43 of flightdata-processor is still Pending in Lambda";
    refused(&rollout(None), &found(FunctionState::Pending, "x"), true, "VersionPending", says);
    let says = "version 43 of flightdata-processor is Failed in Lambda: EniLimitExceeded";
    let fact = found(FunctionState::Failed, "EniLimitExceeded");
    refused(&rollout(None), &fact, false, "VersionFailed", says);
    let says = "version 43 of flightdata-processor is Frozen in Lambda: no reason given";
    let fact = found(FunctionState::Other("Frozen".into()), "");
    refused(&rollout(None), &fact, false, "VersionNotReady", says);
}

#[test]
fn a_version_is_ready_once_snap_start_has_its_snapshot() {
    let says = "SnapStart takes the snapshot of version 43 of flightdata-processor";
    let with = |snapshot, state| {
        let version = FunctionVersion { snapshot, state, ..function("43", "abc=") };
        of_version(VersionFact::Found(Box::new(version)))
    };
    for state in [FunctionState::Pending, FunctionState::Active] {
        let facts = with(Snapshot::Pending, state);
        refused(&rollout(None), &facts, true, "VersionPending", says);
    }
    assert!(wanted(Ok(&rollout(None)), &with(Snapshot::Ready, FunctionState::Active)).is_ok());
}

#[test]
fn the_guard_refuses_other_code_in_flight_too() {
    let says = "version 43 of flightdata-processor has CodeSha256 abc=, not the one in spec.release.codeSha256";
    for fact in [found(FunctionState::Active, ""), in_flight("43", "abc=")] {
        refused(&rollout(Some("other")), &fact, false, "CodeSha256Mismatch", says);
        assert!(wanted(Ok(&rollout(Some("abc="))), &fact).is_ok());
    }
}

#[test]
fn a_spec_that_cannot_work_is_refused_with_the_field() {
    let error = InvalidSpec { field: "steps[1].weight".into(), expected: "more" };
    let expected = not_usable(false, "InvalidSpec", "spec.steps[1].weight must be more");
    assert_eq!(wanted(Err(&error), &ReleaseFacts::default()), Err(expected));
}

fn unusable(world: World, pending: bool) -> World {
    let why = not_usable(pending, "VersionNotFound", "no version 43");
    world.with(|world| world.facts.wanted = Err(why))
}

#[test]
fn an_unusable_release_touches_nothing_and_is_looked_at_every_minute() {
    check(&unusable(World::new(), false), &["Invalid VersionNotFound: no version 43", "01:45:00"]);
    check(
        &unusable(World::new().with(|world| world.facts.alias = None), false),
        &["Invalid VersionNotFound: no version 43", "01:45:00"],
    );
    let plan = unusable(World::concluded(Outcome::Promoted, "x"), false).plan();
    assert_eq!((plan.report.phase, plan.memory.stable.as_deref()), (Phase::Invalid, Some("43")));
}

#[test]
fn a_version_in_the_making_is_looked_at_every_few_seconds() {
    check(&unusable(World::new(), true), &["Pending VersionNotFound: no version 43", "01:44:05"]);
}

#[test]
fn what_is_in_flight_stays_where_it_is_while_the_release_is_unusable() {
    check(
        &unusable(World::flying(0, Some("01:00:00")), false),
        &["Invalid VersionNotFound: no version 43; version 43 stays at 10%", "01:45:00 !"],
    );
    let world = unusable(World::flying(0, Some("01:00:00")), false)
        .with(|world| world.alias_is("42", &[("41", 0.1)], ""));
    assert_eq!(world.plan().report.phase, Phase::Conflict);
}
