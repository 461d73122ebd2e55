use super::{check, check_passes};
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{Outcome, Phase},
        shared::{ActionResult, Mode},
    },
    canary_rollout::{
        criteria::Criteria,
        decide::AlarmReport,
        rollout::Steps,
        world::{NEXT_REVISION, World, judged_by_alarm, release, steps, weight},
    },
    facts::kubernetes::Deletion,
};

fn audited(mut world: World) -> World {
    world.facts.mode = Mode::Audit;
    world
}

fn would(what: &str) -> String {
    format!(
        "Pending Audit: audit: would {what}; see status.plan; set spec.mode to Enforce to start"
    )
}

#[test]
fn in_audit_nothing_starts_and_what_would_is_told() {
    let started = would("release version 43 in place of 42 in 3 steps");
    check(&audited(World::new()), &[&started, "01:59:00"]);
    let made = would("make alias production of flightdata-processor at version 43");
    check(&audited(World::new().with(|w| w.facts.alias = None)), &[&made, "01:59:00"]);
    for (steps, told) in [(Steps::default(), "at once"), (steps(&[weight(9, "1m")]), "in 1 step")] {
        let mut world = audited(World::new());
        world.facts.wanted.as_mut().unwrap().steps = steps;
        let told = would(&format!("release version 43 in place of 42 {told}"));
        check(&world, &[&told, "01:59:00"]);
    }
}

#[test]
fn in_audit_what_serves_the_release_is_healthy_and_what_failed_says_so() {
    let served = audited(World::concluded(Outcome::Promoted, "x"));
    check(&served, &["Healthy Promoted: alias production serves version 43", "01:59:00"]);
    let mut found = audited(World::new().with(|world| world.alias_is("43", &[], "")));
    check_passes(&mut found, &["Healthy: alias production serves version 43"; 2]);
    let aborted = audited(World::concluded(Outcome::Aborted, "Why"));
    assert_eq!(aborted.plan().report.phase, Phase::Aborted);
}

#[test]
fn in_audit_what_keeps_a_release_from_starting_is_told_instead() {
    let mut world = audited(World::new());
    let terms = world.facts.terms.as_mut().unwrap();
    terms.criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
    let firing = vec!["red".to_owned()];
    world.facts.alarms = Some(Ok(AlarmReport { firing, ..AlarmReport::default() }));
    assert_eq!(world.plan().report.reason, "AlarmAlreadyFiring");
}

#[test]
fn in_audit_what_is_in_flight_stays_at_its_weight() {
    let told = |percent: i32| {
        format!(
            "audit: version 43 stays at {percent}%; see status.plan for what would be done; set spec.mode to Enforce to go on"
        )
    };
    for (index, entered, percent) in [(0, None, 0), (0, Some("01:00:00"), 10)] {
        let world = audited(World::flying(index, entered));
        let told = format!("Progressing Audit: {}", told(percent));
        check(&world, &[&told, "01:45:00 !"]);
    }
    let promoting = World::ending(2, Some("01:00:00"), Outcome::Promoted, "StepsCompleted");
    check(&audited(promoting), &[&format!("Progressing Audit: {}", told(50)), "01:45:00 !"]);
    let newer = World::flying(0, Some("01:44:00"))
        .with(|world| world.facts.wanted = Ok(release("44", NEXT_REVISION)));
    check(&audited(newer), &[&format!("Progressing Audit: {}", told(10)), "01:45:00 !"]);
    let mut baking = World::flying(3, Some("01:30:00"));
    baking.alias_is("43", &[], "");
    check(&audited(baking), &[&format!("Baking Audit: {}", told(100)), "01:45:00 !"]);
}

#[test]
fn in_audit_undo_runs() {
    let mut failed = audited(World::ending(0, Some("01:44:00"), Outcome::RolledBack, "ErrorRate"));
    failed.settle();
    assert_eq!(failed.status.phase, Some(Phase::RolledBack));
    assert_eq!(failed.facts.alias.unwrap().weights, []);
    let mut deleted = audited(World::flying(0, Some("01:44:00")));
    deleted.facts.deletion = Deletion::Undo;
    deleted.settle();
    assert!(!deleted.facts.finalizer);
    assert_eq!(deleted.facts.alias.unwrap().weights, []);
}

#[test]
fn in_audit_only_verbs_that_go_back_or_try_again_are_heard() {
    let answer = |value: &str| {
        let world = audited(World::flying(0, Some("01:44:00"))).asked(value);
        world.plan().memory.last_action.unwrap()
    };
    for verb in ["promote@9f2c1a/0", "skip-step@9f2c1a/0", "promote-full@9f2c1a", "pause@9f2c1a"] {
        let refused = answer(verb);
        assert_eq!(refused.result, ActionResult::Refused, "{verb}");
        assert_eq!(refused.message, "the rollout is in Audit; set spec.mode to Enforce first");
    }
    assert_eq!(answer("abort@9f2c1a").result, ActionResult::Accepted);
    let retried = audited(World::concluded(Outcome::Aborted, "Why")).asked("retry@9f2c1a");
    check_passes(
        &mut retried.clone(),
        &[
            "Pending: audit: would release version 43 in place of 42 in 3 steps; see status.plan; set spec.mode to Enforce to start",
            "Pending: audit: would release version 43 in place of 42 in 3 steps; see status.plan; set spec.mode to Enforce to start",
        ],
    );
}

#[test]
fn enforced_again_it_goes_on_where_it_stayed() {
    let mut world = audited(World::flying(0, Some("01:14:00")));
    world.settle();
    world.facts.mode = Mode::Enforce;
    world.settle();
    assert_eq!(world.status.phase, Some(Phase::WaitingApproval));
    assert!(world.status.plan.is_empty());
}

#[test]
fn suspend_says_more_than_audit() {
    let world =
        audited(World::flying(0, Some("01:44:00"))).with(|world| world.facts.suspended = true);
    assert_eq!(world.plan().report.phase, Phase::Suspended);
}
