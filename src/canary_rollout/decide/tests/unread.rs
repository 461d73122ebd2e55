//! What cannot be read keeps nothing from going back, and no verb from being heard.

use std::collections::BTreeMap;

use super::check;
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{Outcome, Phase},
        shared::ActionResult,
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{AlarmReport, Terms},
        evidence::Evidence,
        world::{REVISION, World, denied, judged_by_alarm, judged_by_errors, time},
    },
    facts::{cloudwatch::Span, kubernetes::Deletion, lambda::Source},
};

/// In flight at 10%; the release that the spec asks for cannot be read.
fn flying() -> World {
    World::flying(0, Some("01:43:00"))
        .with(|world| world.facts.wanted = Err(denied("GetFunction").into()))
}

/// Promoted as far as we are concerned; whether its provisioned concurrency is there cannot be read.
fn promoting(weights: &[(&str, f64)]) -> World {
    World::ending(2, Some("01:44:00"), Outcome::Promoted, "StepsCompleted").with(|world| {
        world.alias_is("43", weights, "");
        world.facts.provisioned = Err(denied("GetProvisionedConcurrencyConfig"));
    })
}

const STAYS: [&str; 2] = ["Invalid AccessDenied: GetFunction was denied (request 1)", "01:45:00 !"];

#[test]
fn a_flight_stays_where_it_is_and_the_pass_fails() {
    let plan = check(&flying(), &STAYS);
    assert_eq!(plan.unread, Some(denied("GetFunction")));
    let waits = flying().at("05:00:00");
    assert_eq!(waits.plan().actions, [], "the hold is over, but what comes next is not known");
}

#[test]
fn an_alarm_takes_it_back_all_the_same() {
    let criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Ignore))).unwrap();
    let mut world = flying().with(|world| {
        world.facts.terms = Some(Terms { criteria, ..Terms::default() });
        world.facts.alarms = Some(Ok(AlarmReport::default()));
    });
    check(&world, &STAYS);
    let firing = AlarmReport { firing: vec!["red".into()], ..AlarmReport::default() };
    world.facts.alarms = Some(Ok(firing));
    check(&world, &["RollingBack AlarmFiring: alarm red is in ALARM", "now !"]);
    world.settle();
    assert!(world.facts.alias.unwrap().weights.is_empty());
}

#[test]
fn what_was_measured_meanwhile_is_not_forgotten() {
    let criteria = Criteria::parse(Some(&judged_by_errors("5%"))).unwrap();
    let span = Span { from: time("01:44:00"), until: time("01:49:00") };
    let world = flying().at("01:52:00").with(|world| {
        world.facts.terms = Some(Terms { criteria, ..Terms::default() });
        world.facts.evidence = Ok(Some(Evidence { span, series: BTreeMap::new() }));
    });
    let flight = world.plan().memory.flight.unwrap();
    assert_eq!(flight.through, Some(span.until));
}

#[test]
fn verbs_are_heard() {
    for verb in ["pause", "abort"] {
        let mut world = flying().asked(&format!("{verb}@{REVISION}"));
        let plan = world.pass();
        let answer = plan.memory.last_action.unwrap();
        assert_eq!(answer.result, ActionResult::Accepted, "{}", answer.message);
    }
    let mut world = flying().asked(&format!("abort@{REVISION}"));
    for _ in 0..3 {
        world.pass();
    }
    assert!(world.facts.alias.as_ref().unwrap().weights.is_empty());
    assert_eq!(world.status.phase, Some(Phase::Aborted));
}

#[test]
fn deletion_goes_back() {
    let mut world = flying().with(|world| world.facts.deletion = Deletion::Undo);
    world.settle();
    assert!(world.facts.alias.unwrap().weights.is_empty());
    assert!(!world.facts.finalizer);
}

#[test]
fn a_promotion_waits_for_provisioned_concurrency_that_cannot_be_read() {
    let denied = "GetProvisionedConcurrencyConfig was denied (request 1)";
    for weights in [&[][..], &[("42", 1.0)]] {
        check(&promoting(weights), &[&format!("Invalid AccessDenied: {denied}"), "01:45:00 !"]);
        let mut aborted = promoting(weights).asked(&format!("abort@{REVISION}"));
        aborted.settle();
        let alias = aborted.facts.alias.unwrap();
        assert_eq!((alias.version.as_str(), alias.weights.len()), ("42", 0));
        let mut deleted = promoting(weights).with(|world| world.facts.deletion = Deletion::Undo);
        deleted.settle();
        assert_eq!(deleted.facts.alias.unwrap().version, "42");
        assert!(!deleted.facts.finalizer);
    }
}

#[test]
fn weights_of_everybody_to_the_canary_are_written_away_once_and_then_told() {
    let mut world = World::ending(2, None, Outcome::Aborted, "RolledBackByUser").with(|world| {
        world.alias_is("42", &[("43", 1.0)], "");
        world.facts.provisioned = Err(denied("GetProvisionedConcurrencyConfig"));
        world.facts.alias_source = Source::Read;
    });
    assert_eq!(world.plan().actions.len(), 1);
    world.facts.alias_source = Source::Write;
    let denied = "GetProvisionedConcurrencyConfig was denied (request 1)";
    check(&world, &[&format!("Invalid AccessDenied: {denied}"), "01:45:00 !"]);
}

#[test]
fn weights_that_may_be_lambdas_are_no_conflict() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted").with(|world| {
        world.alias_is("43", &[("42", 1.0)], "");
        world.facts.provisioned = Err(denied("GetProvisionedConcurrencyConfig"));
    });
    let plan = world.plan();
    assert!(plan.unread.is_some() && plan.memory.conflict.is_none(), "{plan:#?}");
    let mut flying = World::flying(0, Some("01:44:00"));
    flying.alias_is("43", &[("42", 1.0)], "");
    flying.facts.provisioned = world.facts.provisioned;
    let plan = flying.plan();
    assert_eq!(plan.memory.flight, flying.memory().flight, "its step does not start anew");
}
