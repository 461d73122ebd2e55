use super::*;
use crate::{
    api::{
        analysis::AlreadyFiring,
        check::{CheckStage, CheckVerdict},
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{AlarmReport, Coming},
        world::{function, judged_by_alarm, unusable},
    },
    facts::{
        check::{CheckResult, CheckRun},
        lambda::FunctionVersion,
    },
};

/// Passes until one waits; returns the reasons and messages of all notes.
fn told(world: &mut World) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..20 {
        let before = world.status.clone();
        let plan = world.pass();
        for note in notes(Some(&before), &world.status) {
            let kind = if note.warning { "Warning" } else { "Normal" };
            told.push(format!("{kind} {}: {}", note.reason, note.message));
        }
        if matches!(plan.revisit, Revisit::At(_)) {
            return told;
        }
    }
    panic!("no end: {told:#?}");
}

/// Compares what is told from here until a pass waits; after that there is nothing to tell.
#[track_caller]
fn check(world: &mut World, expected: &[&str]) {
    assert_eq!(told(world), expected);
    assert_eq!(told(world), [] as [&str; 0], "told once");
}

#[test]
fn a_start_and_each_step_are_told_once() {
    let mut world = World::new();
    check(
        &mut world,
        &[
            "Normal Started: releasing version 43 in place of 42",
            "Normal StepEntered: step 1/3: version 43 at 10%",
        ],
    );
    let mut world = world.at("02:14:00");
    check(
        &mut world,
        &[
            "Normal WaitingApproval: 10%: waits for approval (look at p99): verb promote@9f2c1a/1; aborts at 2026-12-07T02:14:00Z",
        ],
    );
    let mut world = world.asked("promote@9f2c1a/1");
    check(
        &mut world,
        &[
            "Normal ActionAnswered: promote@9f2c1a/1: Accepted: step 1 approved",
            "Normal StepEntered: step 3/3: version 43 at 50%",
        ],
    );
    let mut world = world.at("02:44:00");
    check(&mut world, &["Normal Healthy: alias production serves version 43"]);
}

#[test]
fn an_abort_is_told_from_word_to_end() {
    check(
        &mut World::flying(0, Some("01:44:00")).asked("abort@9f2c1a"),
        &[
            "Warning RollingBack: going back to version 42: aborted by jane",
            "Normal ActionAnswered: abort@9f2c1a: Accepted: the alias goes back to the stable version",
            "Warning Aborted: aborted by jane",
        ],
    );
}

#[test]
fn a_newer_release_is_told_as_the_end_of_the_older_and_a_start() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.facts.wanted = Ok(release("44", "b07d3e"));
    check(
        &mut world,
        &[
            "Warning RollingBack: release 44 takes the place of 43",
            "Normal Superseded: version 43 was superseded",
            "Normal Started: releasing version 44 in place of 42",
            "Normal StepEntered: step 1/3: version 44 at 10%",
        ],
    );
}

#[test]
fn what_needs_a_person_is_a_warning_and_told_when_it_begins() {
    let moved = World::concluded(Outcome::Promoted, "x").with(|w| w.alias_is("41", &[], ""));
    let held = World::new().with(|world| world.alias_is("42", &[("41", 0.1)], ""));
    let invalid = World::new().with(|world| world.alias_is("$LATEST", &[], ""));
    for (mut world, reason) in [(moved, "Conflict"), (held, "Held"), (invalid, "Invalid")] {
        let first = told(&mut world);
        assert!(first.iter().any(|note| note.starts_with(&format!("Warning {reason}: "))));
        assert_eq!(told(&mut world), [] as [&str; 0]);
    }
}

#[test]
fn a_refused_verb_is_told_with_the_reason() {
    let mut world = World::concluded(Outcome::Promoted, "x");
    world.settle();
    check(
        &mut world.asked("abort@9f2c1a"),
        &[
            "Normal ActionAnswered: abort@9f2c1a: Refused: abort needs a rollout in flight; there is none",
        ],
    );
}

#[test]
fn a_rollback_is_told_when_the_alias_is_back() {
    check(
        &mut World::ending(0, Some("01:44:00"), Outcome::RolledBack, "ErrorRate"),
        &[
            "Warning RollingBack: going back to version 42: because of ErrorRate",
            "Warning RolledBack: because of ErrorRate",
        ],
    );
}

#[test]
fn a_deletion_in_flight_is_told_as_an_abort() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.facts.deletion = Deletion::Undo;
    check(
        &mut world,
        &[
            "Warning RollingBack: going back to version 42: the CanaryRollout is deleted",
            "Warning Aborted: the CanaryRollout is deleted",
        ],
    );
}

/// The check `api` before the start, with this verdict.
fn checked(verdict: CheckVerdict) -> Option<CheckRun> {
    let message = "503".into();
    let results = vec![CheckResult { name: "api".into(), verdict, message }];
    Some(CheckRun { stage: CheckStage::BeforeStart, results })
}

#[test]
fn what_keeps_a_release_from_starting_is_told_when_it_appears_or_changes() {
    let mut world = World::new();
    let criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
    world.facts.terms.as_mut().unwrap().criteria = criteria;
    world.facts.terms.as_mut().unwrap().checks = vec!["api".into()];
    let firing = AlarmReport { firing: vec!["red".into()], ..AlarmReport::default() };
    world.facts.alarms = Some(Ok(firing));
    check(
        &mut world,
        &[
            "Warning Blocked: AlarmAlreadyFiring: waits to start: alarm red is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore",
        ],
    );
    world.facts.alarms = Some(Err("Throttled".into()));
    let unreadable =
        "Warning Blocked: AlarmsUnreadable: waits to start: the alarms cannot be read: Throttled";
    check(&mut world, &[unreadable]);
    world.facts.alarms = Some(Ok(AlarmReport::default()));
    world.facts.checks = checked(CheckVerdict::Failed);
    let failed = "waits to start until all checks hold: check api: 503";
    check(&mut world, &[&format!("Warning Blocked: ChecksFailed: {failed}")]);
    // While they run again nothing is new.
    let mut world = world.at("01:46:00");
    for verdict in [CheckVerdict::Running, CheckVerdict::Failed] {
        world.facts.checks = checked(verdict);
        check(&mut world, &[]);
        assert_eq!(world.status.message.as_deref(), Some(failed));
    }
    world.facts.checks = checked(CheckVerdict::Passed);
    assert!(told(&mut world)[0].starts_with("Normal Started: "));
}

#[test]
fn a_release_that_cannot_start_is_told_again_when_the_reason_is_another() {
    let mut world = World::new();
    for (reason, message) in [("VersionNotFound", "no version"), ("VersionFailed", "it failed")] {
        world.facts.wanted = Err(unusable(false, reason, message));
        check(&mut world, &[&format!("Warning Invalid: {message}")]);
    }
    // What Lambda is preparing is nobody's business.
    world.facts.wanted = Err(unusable(true, "VersionPending", "SnapStart takes the snapshot"));
    check(&mut world, &[]);
}

#[test]
fn a_failure_that_a_person_must_mend_before_a_start_is_told() {
    let old = after(None, plan(Phase::Pending));
    let message = "no credentials".to_owned();
    let failure =
        Failure { remedy: Remedy::AwaitEdit, reason: "NoCredentials", message, in_a_row: 1 };
    let failed = Attempt { plan: None, failure: Some(failure), place: None };
    let new = summarize(Some(&old), Some(1), &failed, time("01:45:00"));
    let told = notes(Some(&old), &new);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].warning, told[0].reason), (true, "Blocked"));
    assert_eq!(told[0].message, "NoCredentials: no credentials");
    assert_eq!(notes(Some(&new), &new), []);
}

#[test]
fn a_release_whose_bake_a_newer_one_ends_is_told_as_promoted() {
    let mut world = World::flying(3, Some("01:30:00"));
    world.alias_is("43", &[], "");
    world.facts.terms.as_mut().unwrap().bake = "1h".parse().unwrap();
    world.settle();
    world.facts.wanted = Ok(release("44", "b07d3e"));
    check(
        &mut world,
        &[
            "Normal Promoted: version 43: release 44 takes the place of 43",
            "Normal Started: releasing version 44 in place of 43",
            "Normal StepEntered: step 1/3: version 44 at 10%",
        ],
    );
}

#[test]
fn a_phase_that_needs_nobody_is_no_event() {
    let quiet = [Phase::Pending, Phase::Progressing, Phase::Promoting, Phase::Suspended];
    for phase in PHASES {
        let events = notes(None, &after(None, plan(phase)));
        assert_eq!(events.is_empty(), quiet.contains(&phase), "{phase:?}: {events:?}");
    }
}

#[test]
fn a_superseded_revision_is_told_when_it_enters_the_history() {
    let mut old = after(None, plan(Phase::Pending));
    old.history = vec![ended("b07d3e", "44", Outcome::Superseded, "Superseded")];
    assert_eq!(notes(Some(&old), &old), []);
    assert_eq!(notes(None, &old).len(), 1);
}

#[test]
fn a_warning_of_the_preflight_is_told_once() {
    let mut world = World::new();
    let version = |number: &str, architecture: &str| FunctionVersion {
        architectures: vec![architecture.into()],
        ..function(number, "sha")
    };
    world.facts.preflight = Some(crate::canary_rollout::decide::Preflight {
        new: Some(Coming::from(&version("43", "arm64"))),
        stable: Some(version("42", "x86_64")),
        ..Default::default()
    });
    world.facts.mode = crate::api::shared::Mode::Audit;
    check(
        &mut world,
        &[
            "Warning Preflight: ArchitectureDiffers: version 42 and the release run on x86_64 and arm64: their durations do not compare",
            "Normal Audit: audit: would release version 43 in place of 42 in 3 steps; see status.plan; set spec.mode to Enforce to start",
        ],
    );
}
