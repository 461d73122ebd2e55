use super::check;
use crate::{
    api::{
        analysis::OnFailure,
        canary_rollout::{Outcome, Phase},
        duration::Duration,
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{ReleaseFact, Unusable, Wanted, wanted},
        rollout::{InvalidSpec, Release, Rollout},
        world::{World, usual_steps},
    },
    facts::lambda::{FunctionState, FunctionVersion},
};

fn rollout(code_sha256: Option<&str>) -> Rollout {
    Rollout {
        function: "flightdata-processor".into(),
        alias: "production".into(),
        release: Release { version: "43".into(), code_sha256: code_sha256.map(Into::into) },
        steps: usual_steps(),
        bake: Duration::ZERO,
        criteria: Criteria::default(),
        on_failure: OnFailure::default(),
        rollback_window: 0,
    }
}

fn found(state: FunctionState, state_reason: &str) -> ReleaseFact {
    ReleaseFact::Found(FunctionVersion {
        version: "43".into(),
        code_sha256: "abc=".into(),
        state,
        state_reason: state_reason.into(),
        timeout_secs: 30,
        role: "arn:aws:iam::111122223333:role/processor".into(),
        dead_letter_target: None,
    })
}

#[track_caller]
fn refused(rollout: &Rollout, fact: &ReleaseFact, pending: bool, reason: &'static str, says: &str) {
    let expected = Unusable { pending, reason, message: says.to_owned() };
    assert_eq!(wanted(Ok(rollout), fact), Err(expected));
}

#[test]
fn an_active_or_idle_version_can_be_released_in_flight_too() {
    let facts = [
        found(FunctionState::Active, ""),
        found(FunctionState::Inactive, "Idle"),
        ReleaseFact::InFlight { code_sha256: "abc=".into() },
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
        rollout.release.version = version.into();
        let fact = ReleaseFact::InFlight { code_sha256: sha.into() };
        wanted(Ok(&rollout), &fact).unwrap().revision
    };
    assert_eq!(revision("43", "abc="), revision("43", "abc="));
    assert_ne!(revision("43", "abc="), revision("44", "abc="));
    assert_ne!(revision("43", "abc="), revision("43", "abd="));
}

#[test]
fn a_version_that_cannot_be_served_is_refused_with_lambdas_words() {
    let says = "function flightdata-processor has no version 43; publish it or correct spec.release.version";
    refused(&rollout(None), &ReleaseFact::Missing, false, "VersionNotFound", says);
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
fn the_guard_refuses_other_code_in_flight_too() {
    let says = "version 43 of flightdata-processor has CodeSha256 abc=, not the one in spec.release.codeSha256";
    for fact in
        [found(FunctionState::Active, ""), ReleaseFact::InFlight { code_sha256: "abc=".into() }]
    {
        refused(&rollout(Some("other")), &fact, false, "CodeSha256Mismatch", says);
        assert!(wanted(Ok(&rollout(Some("abc="))), &fact).is_ok());
    }
}

#[test]
fn a_spec_that_cannot_work_is_refused_with_the_field() {
    let error = InvalidSpec { field: "steps[1].weight".into(), expected: "more" };
    let expected = Unusable {
        pending: false,
        reason: "InvalidSpec",
        message: "spec.steps[1].weight must be more".into(),
    };
    assert_eq!(wanted(Err(&error), &ReleaseFact::Missing), Err(expected));
}

fn unusable(world: World, pending: bool) -> World {
    let why = Unusable { pending, reason: "VersionNotFound", message: "no version 43".into() };
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
