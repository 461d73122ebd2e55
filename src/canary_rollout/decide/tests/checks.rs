//! What checks hold up, and what they bring down.

use super::*;
use crate::{
    api::{
        analysis::{AlreadyFiring, OnFailure},
        canary_rollout::{Outcome, Phase, Severity},
        check::{
            CheckStage::{self, AfterBake, AfterRollback, At100, BeforeStart},
            CheckVerdict::{self, Failed, Passed, Running, Unreadable},
        },
        duration::Duration,
        shared::Mode,
    },
    canary_rollout::{
        criteria::Criteria,
        decide::AlarmReport,
        world::{NEXT_REVISION, REVISION, ended, judged_by_alarm, release},
    },
    facts::check::{CheckResult, CheckRun},
};

const NAMES: [&str; 2] = ["alarms", "api"];

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

/// The two checks ran, and the second said this.
fn ran(stage: CheckStage, verdict: CheckVerdict) -> CheckRun {
    let result = |name: &str, verdict| CheckResult {
        name: name.into(),
        verdict,
        message: format!("{name} says so"),
    };
    CheckRun { stage, results: vec![result("alarms", Passed), result("api", verdict)] }
}

impl World {
    fn checked(mut self) -> Self {
        self.facts.terms.as_mut().unwrap().checks = names();
        self
    }

    /// The release serves everybody since 02:00, and is checked.
    fn served(bake: &str) -> Self {
        let mut world = World::flying(3, Some("02:00:00")).at("02:00:10");
        world.alias_is("43", &[], "");
        let terms = world.facts.terms.as_mut().unwrap();
        terms.bake = bake.parse::<Duration>().unwrap();
        terms.post_checks = names();
        world
    }

    /// A pass in which the checks say this where they are asked for.
    fn pass_with(&mut self, stage: CheckStage, verdict: CheckVerdict) -> Plan {
        assert_eq!(self.plan().needs, Some(stage), "{}", self.plan().report.message);
        self.facts.checks = Some(ran(stage, verdict));
        let plan = self.pass();
        self.facts.checks = None;
        assert_eq!(plan.needs, None, "{}", plan.report.message);
        plan
    }
}

#[track_caller]
fn told(plan: &Plan, phase: Phase, reason: &str, message: &str) {
    assert_eq!((plan.report.phase, plan.report.reason), (phase, reason));
    assert_eq!(plan.report.message, message);
}

#[test]
fn nothing_starts_until_all_checks_hold() {
    for (verdict, reason) in [(Failed, "ChecksFailed"), (Unreadable, "ChecksUnreadable")] {
        let mut world = World::new().checked();
        let plan = world.pass_with(BeforeStart, verdict);
        let says = "waits to start until all checks hold: check api: api says so";
        told(&plan, Phase::Pending, reason, says);
        assert_eq!((plan.memory.flight, plan.actions), (None, vec![]));
        assert_eq!(plan.revisit, Revisit::At(time("01:45:00")));
        // Looked at again after a minute, and not before.
        let before = world.clone().at("01:44:59").plan();
        assert_eq!((before.needs, before.report.reason), (None, reason));
        let mut world = world.at("01:45:00");
        let plan = world.pass_with(BeforeStart, Passed);
        assert!(plan.memory.flight.is_some());
        let told: Vec<_> = world.status.checks.iter().map(|entry| entry.verdict).collect();
        assert_eq!(told, [Passed, Passed]);
    }
}

#[test]
fn all_checks_that_do_not_hold_are_told_at_once() {
    let mut world = World::new().checked();
    let mut run = ran(BeforeStart, Failed);
    run.results[0].verdict = Unreadable;
    world.facts.checks = Some(run);
    let plan = world.pass();
    let says = "waits to start until all checks hold: check alarms: alarms says so; \
                check api: api says so";
    told(&plan, Phase::Pending, "ChecksFailed", says);
}

/// A release that has to wait for an alarm that is missing, and is checked.
fn blocked() -> World {
    let mut world = World::new().checked();
    let terms = world.facts.terms.as_mut().unwrap();
    terms.criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
    let missing = vec!["gone".to_owned()];
    world.facts.alarms = Some(Ok(AlarmReport { missing, ..AlarmReport::default() }));
    world
}

fn found(plan: &Plan) -> Vec<(Severity, &str)> {
    let findings = plan.findings.as_deref().unwrap_or_default();
    findings.iter().map(|finding| (finding.severity, finding.reason.as_str())).collect()
}

#[test]
fn a_check_that_does_not_hold_is_told_with_what_else_keeps_a_release_from_starting() {
    let alarm = (Severity::Blocking, "AlarmNotFound");
    for (verdict, reason) in [(Failed, "ChecksFailed"), (Unreadable, "ChecksUnreadable")] {
        let mut world = blocked();
        let plan = world.pass_with(BeforeStart, verdict);
        assert_eq!(found(&plan), [alarm, (Severity::Blocking, reason)]);
        assert_eq!((plan.report.phase, plan.report.reason), (Phase::Invalid, "PreflightFailed"));
        let message = &plan.report.message;
        assert!(
            message.starts_with("version 43 cannot start for 2 reasons: there is"),
            "{message}"
        );
        assert!(message.ends_with("; check api: api says so"), "{message}");
        assert_eq!(world.status.checks.len(), 2);
        // Not asked more often than alone.
        let before = world.clone().at("01:44:59").plan();
        assert_eq!((before.needs, found(&before)), (None, found(&plan)));
        let mut world = world.at("01:45:00");
        assert_eq!(world.plan().needs, Some(BeforeStart));
        // While they run again, the last word stays.
        let running = world.pass_with(BeforeStart, Running);
        assert_eq!(
            (found(&running), running.revisit),
            (found(&plan), Revisit::At(time("01:45:05")))
        );
        let plan = world.at("01:45:05").pass_with(BeforeStart, Passed);
        assert_eq!(found(&plan), [alarm]);
    }
    // Alone it is a finding, too, in its own words.
    let plan = World::new().checked().pass_with(BeforeStart, Failed);
    assert_eq!(found(&plan), [(Severity::Blocking, "ChecksFailed")]);
    assert_eq!(plan.report.reason, "ChecksFailed");
    let plan = blocked().pass_with(BeforeStart, Running);
    assert_eq!((found(&plan), plan.revisit), (vec![alarm], Revisit::At(time("01:44:05"))));
}

#[test]
fn a_check_that_invokes_runs_only_once_nothing_else_keeps_the_release_from_starting() {
    let invoking = |names: &[&str]| {
        let mut world = blocked();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        world.facts.terms.as_mut().unwrap().invoking = names;
        world
    };
    assert_eq!(invoking(&NAMES).plan().needs, None);
    let mut world = invoking(&["api"]);
    let plan = world.plan();
    assert_eq!((plan.needs, plan.spared), (Some(BeforeStart), vec!["api".to_owned()]));
    let mut run = ran(BeforeStart, Passed);
    run.results.pop();
    run.results[0].verdict = Failed;
    world.facts.checks = Some(run.clone());
    let plan = world.pass();
    assert_eq!(plan.report.reason, "PreflightFailed");
    assert!(plan.report.message.ends_with("; check alarms: alarms says so"));
    // What the others said starts nothing.
    run.results[0].verdict = Passed;
    world.facts.checks = Some(run);
    world.facts.alarms = Some(Ok(AlarmReport::default()));
    let plan = world.plan();
    assert_eq!((plan.needs, plan.spared.as_slice()), (Some(BeforeStart), &[] as &[String]));
    assert!(plan.memory.flight.is_none(), "{}", plan.report.message);
    world.facts.checks = None;
    let plan = world.pass_with(BeforeStart, Passed);
    assert!(plan.memory.flight.is_some(), "{}", plan.report.message);
}

#[test]
fn what_is_not_checked_before_a_start_is_not_checked_where_it_cannot_start_either() {
    let audited = blocked().with(|world| world.facts.mode = Mode::Audit);
    let suspended = blocked().with(|world| world.facts.suspended = true);
    let unchecked = blocked().with(|world| world.facts.terms.as_mut().unwrap().checks.clear());
    for world in [audited, suspended, unchecked] {
        let plan = world.plan();
        assert_eq!((plan.needs, plan.memory), (None, world.memory()));
    }
}

#[test]
fn each_start_is_checked_anew() {
    let mut world = World::new().checked();
    world.pass_with(BeforeStart, Passed);
    let passed = world.status.checks;
    let mut next = World::concluded(Outcome::Promoted, "x").checked();
    next.status.checks = passed;
    next.facts.wanted = Ok(release("44", NEXT_REVISION));
    assert_eq!(next.plan().needs, Some(BeforeStart));
}

#[test]
fn checks_that_run_are_awaited() {
    let mut world = World::new().checked();
    let plan = world.pass_with(BeforeStart, Running);
    told(&plan, Phase::Pending, "ChecksPending", "waits to start: checks run: api");
    assert_eq!(plan.revisit, Revisit::At(time("01:44:05")));
    assert_eq!(world.at("01:44:05").plan().needs, Some(BeforeStart));
}

#[test]
fn an_edit_asks_again_at_once() {
    let mut world = World::new().checked();
    world.pass_with(BeforeStart, Failed);
    let edited = world.clone().with(|world| world.facts.edited = true);
    assert_eq!(edited.plan().needs, Some(BeforeStart));
    let renamed =
        world.with(|world| world.facts.terms.as_mut().unwrap().checks = vec!["other".into()]);
    assert_eq!(renamed.plan().needs, Some(BeforeStart));
}

#[test]
fn what_is_in_flight_or_served_asks_for_no_checks_before_a_start() {
    assert_eq!(World::flying(0, Some("01:44:00")).checked().plan().needs, None);
    assert_eq!(World::concluded(Outcome::Promoted, "x").checked().plan().needs, None);
    let suspended = World::new().checked().with(|world| world.facts.suspended = true);
    assert_eq!(suspended.plan().needs, None);
}

#[test]
fn a_way_back_to_what_was_served_lately_is_not_held_up() {
    let mut world = World::new().checked();
    world.facts.terms.as_mut().unwrap().rollback_window = 3;
    world.status.history = vec![
        ended("aaa", "42", Outcome::Promoted, "x"),
        ended(REVISION, "43", Outcome::Promoted, "x"),
    ];
    let plan = world.plan();
    assert_eq!(plan.needs, None);
    assert!(plan.memory.flight.is_some(), "{}", plan.report.message);
}

#[test]
fn a_release_is_promoted_when_its_checks_hold_at_100() {
    let mut world = World::served("0s");
    let plan = world.pass_with(At100, Passed);
    assert_eq!(
        plan.memory.flight.as_ref().unwrap().ending.as_ref().unwrap().outcome,
        Outcome::Promoted
    );
    let last = world.settle().pop().unwrap();
    assert_eq!(last.report.phase, Phase::Healthy);
}

#[test]
fn without_a_bake_a_release_with_post_checks_is_not_promoted_before_they_ran() {
    let mut world = World::ending(3, None, Outcome::Promoted, "StepsCompleted");
    world.facts.terms.as_mut().unwrap().post_checks = names();
    world.alias_is("43", &[], "");
    let plan = world.pass();
    assert_eq!(plan.report.phase, Phase::Baking);
    assert_eq!(world.plan().needs, Some(At100));
}

#[test]
fn a_failing_check_at_100_takes_the_release_back() {
    let mut world = World::served("30m");
    let plan = world.pass_with(At100, Failed);
    told(&plan, Phase::RollingBack, "PostCheckFailed", "check api: api says so");
    let ending = world.status.ending.clone().unwrap();
    assert_eq!((ending.outcome, ending.reason.as_str()), (Outcome::RolledBack, "PostCheckFailed"));
    let back = world.pass();
    assert_eq!(back.actions.len(), 1, "{}", back.report.message);
}

#[test]
fn the_checks_run_again_when_the_bake_is_over() {
    let mut world = World::served("30m");
    let plan = world.pass_with(At100, Passed);
    assert_eq!(plan.report.phase, Phase::Baking);
    let world = world.at("02:29:00");
    assert_eq!(world.plan().needs, None);
    for (verdict, outcome) in [(Passed, Outcome::Promoted), (Failed, Outcome::RolledBack)] {
        let mut world = world.clone().at("02:30:00");
        world.pass_with(AfterBake, verdict);
        assert_eq!(world.status.ending.clone().unwrap().outcome, outcome);
    }
}

#[test]
fn after_a_crash_through_the_end_of_the_bake_both_looks_are_made() {
    let mut world = World::served("30m").at("02:31:00");
    world.pass_with(At100, Passed);
    assert_eq!(world.status.ending, None);
    world.pass_with(AfterBake, Passed);
    assert_eq!(world.status.ending.clone().unwrap().outcome, Outcome::Promoted);
}

#[test]
fn what_cannot_be_looked_at_takes_nothing_back_before_two_hours() {
    let mut world = World::served("30m");
    let plan = world.pass_with(At100, Unreadable);
    assert_eq!(plan.report.phase, Phase::Baking);
    assert!(plan.report.message.contains("check api: api says so"), "{}", plan.report.message);
    let mut over = world.clone().at("02:31:00");
    let plan = over.pass_with(At100, Unreadable);
    assert_eq!(plan.report.phase, Phase::WaitingData);
    assert_eq!(plan.revisit, Revisit::At(time("02:32:00")));
    let mut late = world.at("04:30:00");
    late.pass_with(At100, Unreadable);
    let ending = late.status.ending.clone().unwrap();
    assert_eq!((ending.outcome, ending.reason.as_str()), (Outcome::RolledBack, "NoData"));
}

#[test]
fn a_slow_check_at_the_end_of_a_long_bake_is_waited_for() {
    let mut world = World::served("24h");
    world.pass_with(At100, Passed);
    world.now = "2026-12-07T02:00:00Z".parse().unwrap();
    let plan = world.pass_with(AfterBake, Running);
    told(&plan, Phase::Baking, "ChecksPending", "100%: checks run: api");
    assert_eq!(world.status.ending, None);
}

#[test]
fn a_failure_that_is_held_is_looked_at_anew_when_it_is_resumed() {
    let mut world = World::served("30m");
    world.facts.terms.as_mut().unwrap().on_failure = OnFailure::Hold;
    let plan = world.pass_with(At100, Failed);
    assert_eq!(plan.report.phase, Phase::Held);
    assert_eq!(world.plan().needs, None);
    let mut world = world.asked(&format!("resume@{REVISION}")).at("02:00:20");
    world.pass();
    assert_eq!(world.plan().needs, Some(At100), "{}", world.plan().report.message);
}

#[test]
fn after_a_rollback_the_checks_run_once_for_the_report() {
    for (verdict, says) in
        [(Passed, "; its checks hold since"), (Failed, "; since then, check api: api says so")]
    {
        let mut world = World::concluded(Outcome::RolledBack, "ErrorRate");
        world.facts.terms.as_mut().unwrap().post_checks = names();
        let plan = world.pass_with(AfterRollback, verdict);
        assert_eq!(plan.report.phase, Phase::RolledBack);
        assert!(plan.report.message.ends_with(says), "{}", plan.report.message);
        // Never again, however late.
        let later = world.at("09:00:00").plan();
        assert_eq!((later.needs, later.report.message), (None, plan.report.message));
    }
    let mut world = World::concluded(Outcome::RolledBack, "ErrorRate");
    world.facts.terms.as_mut().unwrap().post_checks = names();
    world.pass_with(AfterRollback, Unreadable);
    assert_eq!(world.plan().needs, None);
    assert_eq!(world.at("01:59:00").plan().needs, Some(AfterRollback));
    for outcome in [Outcome::Aborted, Outcome::Superseded] {
        let mut world = World::concluded(outcome, "x");
        world.facts.terms.as_mut().unwrap().post_checks = names();
        assert_ne!(world.plan().needs, Some(AfterRollback), "{outcome:?}");
    }
}
