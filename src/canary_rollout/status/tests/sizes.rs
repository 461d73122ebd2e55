//! Whatever is told and remembered, the API server takes the status.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    api::{
        analysis::{Measured, Verdict},
        canary_rollout::{Ending, Held, PreflightFinding, Severity, SmokeStatus},
        check::{CheckStage, CheckStatus, CheckVerdict},
        fit::{IGNORED_ALARMS_MAX, SENTENCE_MAX},
        shared::{ActionResult, LastAction},
    },
    canary_rollout::{
        decide::decide,
        world::{judged_by_alarm, taken},
    },
};

/// A text that may be far longer than any field.
fn texts() -> impl Strategy<Value = String> {
    ("[a-z é:]{1,8}", 1_usize..2_000).prop_map(|(word, times)| word.repeat(times))
}

fn memories() -> impl Strategy<Value = Memory> {
    (vec(texts(), 11), 0_usize..3, 0_usize..2_000).prop_map(|(texts, many, alarms)| {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap();
        let mut memory = World::flying(1, Some("01:44:00")).memory();
        let measured = Measured { samples: i64::MAX, errors: Some(i64::MAX), value: Some(text()) };
        let verdict = MetricStatus {
            name: "errors".into(),
            verdict: Verdict::Failing,
            canary: Some(measured.clone()),
            stable: Some(measured),
            limit: text(),
            failures: i32::MAX,
            passed: true,
            through: None,
        };
        let flight = memory.flight.as_mut().unwrap();
        flight.analysis = vec![verdict; many];
        flight.smoke = Some(SmokeStatus { passed: false, message: text() });
        flight.held = Some(Held { reason: "Why".into(), message: text() });
        let (outcome, reason) = (Outcome::RolledBack, text());
        flight.ending = Some(Ending { outcome, reason, message: text() });
        memory.ignored_alarms = (0..alarms).map(|number| format!("alarm-{number}")).collect();
        let entry = ended("r", "41", Outcome::Aborted, "Why");
        memory.history = vec![HistoryEntry { message: text(), ..entry }; many * 10];
        memory.checks = vec![
            CheckStatus {
                name: "api".into(),
                stage: CheckStage::At100,
                verdict: CheckVerdict::Failed,
                message: text(),
                at: k8s_time("01:44:00"),
            };
            many
        ];
        let (value, by, message) = (text(), text(), text());
        let (result, at) = (ActionResult::Refused, k8s_time("01:44:00"));
        memory.last_action = Some(LastAction { value, by, result, message, at });
        memory
    })
}

prop_compose! {
    fn plans()(
        memory in memories(),
        message in texts(),
        difference in texts(),
        line in texts(),
        lines in 0_usize..200,
    ) -> Plan {
        let finding = PreflightFinding {
            severity: Severity::Blocking,
            reason: "Why".into(),
            message: line.clone(),
        };
        let mut plan = plan(Phase::Conflict);
        plan.report = Report { message, difference: Some(difference), ..plan.report };
        Plan { memory, findings: Some(vec![finding; lines]), ahead: vec![line; lines], ..plan }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_api_server_takes_every_status(plan in plans(), words in texts(), stuck in any::<bool>()) {
        let remedy = if stuck { Remedy::AwaitEdit } else { Remedy::Retry };
        let failure = Failure { remedy, reason: "Why", message: words, in_a_row: 9 };
        let told = Attempt { plan: Some(plan), failure: None, place: None };
        let first = taken(&summarize(None, Some(1), &told, time("01:44:00")));
        let failed = Attempt { failure: Some(failure), ..told };
        taken(&summarize(Some(&first), Some(1), &failed, time("01:45:00")));
    }

    #[test]
    fn what_is_decided_is_what_is_remembered(memory in memories()) {
        let mut world = World::flying(1, Some("01:44:00"));
        let plan = decide(&world.facts, &memory, world.now);
        world.publish(&plan);
        prop_assert_eq!(world.memory(), plan.memory);
    }
}

#[test]
fn a_rollback_happens_however_long_its_reason_is() {
    let mut world = World::flying(2, Some("01:44:00"));
    let criteria = crate::canary_rollout::criteria::Criteria::parse(Some(&judged_by_alarm(
        crate::api::analysis::AlreadyFiring::Block,
    )));
    world.facts.terms.as_mut().unwrap().criteria = criteria.unwrap();
    world.facts.alarms = Some(Err("AccessDenied é ".repeat(100)));
    let mut world = world.at("09:00:00");
    world.settle();
    assert_eq!(world.status.phase, Some(Phase::RolledBack));
    let entry = &world.status.history[0];
    assert_eq!(entry.reason, "NoData");
    assert!(entry.message.starts_with("no evidence in time: the alarms cannot be read: Access"));
    assert!(entry.message.ends_with('…'));
    assert_eq!(entry.message.chars().count(), SENTENCE_MAX);
}

#[test]
fn as_many_alarms_are_ignored_as_the_status_takes() {
    let mut world = World::flying(0, Some("01:44:00"));
    let mut memory = world.memory();
    memory.ignored_alarms = (0..IGNORED_ALARMS_MAX).map(|number| format!("a{number}")).collect();
    world.remember(&memory);
    assert_eq!(world.memory().ignored_alarms.len(), IGNORED_ALARMS_MAX);
}
