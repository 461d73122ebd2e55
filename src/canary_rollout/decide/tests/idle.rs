use super::{check, check_passes};
use crate::{
    api::{
        analysis::AlreadyFiring,
        canary_rollout::{Outcome, Phase, Severity},
    },
    canary_rollout::{
        criteria::Criteria,
        decide::{AlarmReport, Preflight, Revisit},
        world::{NEXT_REVISION, REVISION, World, ended, judged_by_alarm, mark, release, time},
    },
    facts::lambda::Source,
};

#[test]
fn the_alias_is_made_on_first_use_and_serves_the_release() {
    let mut world = World::new().with(|world| world.facts.alias = None);
    check(
        &world,
        &[
            "Pending Initializing: making alias production at version 43",
            "CreateAlias flightdata-processor:production at version 43",
            "now",
        ],
    );
    world.settle();
    let newest = world.memory().history.into_iter().next().unwrap();
    assert_eq!((newest.outcome, newest.version.as_str()), (Outcome::Initialized, "43"));
    let made_for = "made by groundcrew for prod/flightdata/processor";
    assert_eq!(world.facts.alias.unwrap().description, made_for);
}

#[test]
fn an_alias_that_was_there_and_is_gone_is_not_made_again() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted")
        .with(|world| world.facts.alias = None);
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production does not exist; it belongs at version 43; put it back, or accept it with the verb retry@9f2c1a",
            "01:45:00",
        ],
    );
}

#[test]
fn suspended_nothing_is_made_and_nothing_starts() {
    let suspended = |mut world: World| {
        world.facts.suspended = true;
        world
    };
    let nothing = |what: &str| {
        format!("Suspended Suspended: suspended: {what}; set spec.suspend to false to go on")
    };
    let made = nothing("the alias production of flightdata-processor would be made");
    check(&suspended(World::new().with(|w| w.facts.alias = None)), &[&made, "01:59:00"]);
    let started = nothing("release of version 43 would start");
    check(&suspended(World::new()), &[&started, "01:59:00"]);
    let served = nothing("alias production serves version 43");
    check(&suspended(World::concluded(Outcome::Promoted, "x")), &[&served, "01:59:00"]);
}

#[test]
fn suspended_a_release_that_failed_still_says_so() {
    let world = World::concluded(Outcome::Aborted, "AbortedByUser")
        .with(|world| world.facts.suspended = true);
    check(
        &world,
        &[
            "Aborted Aborted: version 43 was aborted: AbortedByUser; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a",
            "01:59:00",
        ],
    );
}

#[test]
fn a_release_starts_in_a_pass_of_its_own() {
    let plan =
        check(&World::new(), &["Pending Starting: releasing version 43 in place of 42", "now !"]);
    assert_eq!(plan.memory.revision.as_deref(), Some(REVISION));
    assert_eq!(plan.memory.stable.as_deref(), Some("42"));
}

#[test]
fn an_alias_that_serves_the_release_is_healthy_and_first_seen_so_written_down_once() {
    let mut world = World::new().with(|world| world.alias_is("43", &[], ""));
    let told = "Healthy Promoted: alias production serves version 43";
    check(&world, &[told, "now"]);
    world.settle();
    check(&world, &[told, "01:59:00"]);
    assert_eq!(world.memory().history.len(), 1);
}

#[test]
fn an_alias_that_follows_latest_is_looked_at_every_minute() {
    let mut world = World::new().with(|world| world.alias_is("43", &[], ""));
    world.facts.wanted.as_mut().unwrap().follows_latest = true;
    world.settle();
    check(&world, &["Healthy Promoted: alias production serves version 43", "01:45:00"]);
}

#[test]
fn a_newer_release_starts_after_an_earlier_one_ended_either_way() {
    for (outcome, stable) in [(Outcome::Promoted, "43"), (Outcome::RolledBack, "42")] {
        let world = World::concluded(outcome, "x")
            .with(|world| world.facts.wanted = Ok(release("44", NEXT_REVISION)));
        let told = format!("Pending Starting: releasing version 44 in place of {stable}");
        check(&world, &[&told, "now !"]);
    }
}

#[test]
fn a_failed_release_is_not_tried_again() {
    for (outcome, words) in [(Outcome::RolledBack, "rolled back"), (Outcome::Aborted, "aborted")] {
        let told = format!(
            "{outcome:?} {outcome:?}: version 43 was {words}: Why; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a"
        );
        check(&World::concluded(outcome, "Why"), &[&told, "01:59:00"]);
    }
}

#[test]
fn a_read_that_may_be_older_than_the_way_back_does_not_make_a_failed_release_a_served_one() {
    let mut world = World::concluded(Outcome::Aborted, "AbortedByUser").at("01:11:59");
    world.alias_is("43", &[], "");
    world.facts.alias_source = Source::Read;
    let plan = world.plan();
    assert_eq!((plan.report.phase, plan.memory), (Phase::Aborted, world.memory()));
    assert_eq!(plan.revisit, Revisit::At(time("01:12:04")));
    let world = world.at("01:12:00");
    assert_eq!(world.plan().report.phase, Phase::Healthy);
}

#[test]
fn a_failed_release_that_a_person_set_the_alias_to_is_served_and_stays_so() {
    let mut world = World::concluded(Outcome::Aborted, "AbortedByUser");
    world.alias_is("43", &[], "");
    check_passes(&mut world, &["Healthy: alias production serves version 43"]);
    check_passes(&mut world, &["Healthy: alias production serves version 43"]);
    assert_eq!(world.memory().history.len(), 2);
}

#[test]
fn an_alias_at_rest_that_someone_moved_is_a_conflict() {
    let mut world = World::concluded(Outcome::Promoted, "StepsCompleted");
    world.alias_is("41", &[], "");
    let told = "Conflict AliasMoved: alias production serves version 41; it belongs at version 43; put it back, or accept it with the verb retry@9f2c1a";
    check(&world, &[told, "01:45:00"]);
    // A newer release does not run over it.
    world.facts.wanted = Ok(release("44", NEXT_REVISION));
    check(&world, &[told, "01:45:00"]);
}

#[test]
fn a_failed_release_whose_alias_was_moved_is_a_conflict() {
    let world = World::concluded(Outcome::Aborted, "AbortedByUser")
        .with(|world| world.alias_is("41", &[], ""));
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production serves version 41; it belongs at version 42; put it back, or accept it with the verb retry@9f2c1a",
            "01:45:00",
        ],
    );
}

#[test]
fn weights_left_over_from_a_flight_that_ended_go_away() {
    let world = World::concluded(Outcome::Aborted, "AbortedByUser")
        .with(|world| world.alias_is("42", &[("43", 0.1)], &mark(REVISION, 0)));
    check(
        &world,
        &[
            "Pending LeftOverWeights: alias production serves version 42 with 43 at 10%; these weights are left over and go away",
            "UpdateAlias flightdata-processor:production to version 42 alone",
            "now",
        ],
    );
}

#[test]
fn weights_that_are_older_than_a_promotion_take_nothing_back() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted")
        .with(|world| world.alias_is("42", &[("43", 0.5)], &mark(REVISION, 2)));
    assert!(world.plan().actions.is_empty());
    assert!(world.plan().memory.flight.is_none());
}

#[test]
fn weights_that_nobody_remembers_keep_a_finalizer_that_is_there() {
    for finalizer in [true, false] {
        let world = World::new()
            .with(|world| world.alias_is("42", &[("43", 0.1)], "no room for a mark"))
            .with(|world| world.facts.finalizer = finalizer);
        assert_eq!(world.plan().finalizer, finalizer);
    }
}

#[test]
fn an_alias_of_an_older_rollout_is_left_alone_unless_a_flight_has_it() {
    let taken = |mut world: World| {
        world.facts.taken_by = Some("shop/older".into());
        world
    };
    let says = "Held AliasTaken: alias production of flightdata-processor belongs to the older CanaryRollout shop/older; delete one of the two";
    check(&taken(World::new()), &[says, "01:45:00"]);
    check(&taken(World::new().with(|world| world.facts.alias = None)), &[says, "01:45:00"]);
    let holds = "Progressing Progressing: 10%: holds until 02:14:00Z";
    check(&taken(World::flying(0, Some("01:44:00"))), &[holds, "01:45:00 !"]);
}

/// Version 43 is served; 42, 41 and so on were served before it, each a revision of its own.
fn served_before(window: usize, wanted: &str) -> World {
    let mut world = World::concluded(Outcome::Promoted, "x");
    for version in ["42", "41", "40"] {
        world.status.history.push(ended(&format!("r{version}"), version, Outcome::Promoted, "x"));
    }
    world.facts.terms.as_mut().unwrap().rollback_window = window;
    world.facts.wanted = Ok(release(wanted, &format!("r{wanted}")));
    world
}

#[test]
fn a_release_served_lately_goes_straight_to_100() {
    for (window, wanted, straight) in
        [(0, "42", false), (1, "42", true), (1, "41", false), (2, "41", true), (9, "39", false)]
    {
        let mut world = served_before(window, wanted);
        let said = world.settle();
        let served = said.last().unwrap().report.phase == Phase::Healthy;
        assert_eq!(served, straight, "{wanted} with a window of {window}");
        let reason = &world.memory().history[0].reason;
        assert_eq!(reason == "RollbackWindow", straight);
    }
}

#[test]
fn the_way_back_to_a_release_served_lately_is_open_while_an_alarm_fires() {
    let firing = |window| {
        let mut world = served_before(window, "42");
        let terms = world.facts.terms.as_mut().unwrap();
        terms.criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
        let firing = vec!["red".to_owned()];
        world.facts.alarms = Some(Ok(AlarmReport { firing, ..AlarmReport::default() }));
        world.settle().last().unwrap().report.phase
    };
    assert_eq!(firing(1), Phase::Healthy);
    assert_eq!(firing(0), Phase::Pending);
}

#[test]
fn what_cannot_be_read_does_not_close_the_way_back_either() {
    let missing = AlarmReport { missing: vec!["red".into()], ..AlarmReport::default() };
    let unread = Preflight { unread: Some("Throttled".into()), ..Preflight::default() };
    let cases = [
        (Ok(missing), Preflight::default(), "AlarmNotFound"),
        (Err("AccessDenied".to_owned()), Preflight::default(), "AlarmsUnreadable"),
        (Ok(AlarmReport::default()), unread, "StableUnreadable"),
    ];
    for (alarms, preflight, reason) in cases {
        let plan = |window| {
            let mut world = served_before(window, "42");
            let terms = world.facts.terms.as_mut().unwrap();
            terms.criteria = Criteria::parse(Some(&judged_by_alarm(AlreadyFiring::Block))).unwrap();
            world.facts.alarms = Some(alarms.clone());
            world.facts.preflight = Some(preflight.clone());
            world.plan()
        };
        let back = plan(1);
        assert_eq!(back.report.reason, "Starting");
        let findings = back.findings.unwrap();
        let told = findings.iter().map(|finding| (finding.severity, finding.reason.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), [(Severity::Warning, reason)]);
        // One that fires already when it can be read again is no news.
        let unreadable = reason == "AlarmsUnreadable";
        assert_eq!(back.memory.ignored_alarms.is_empty(), !unreadable);
        let forward = plan(0).report.reason;
        assert_eq!(forward, if reason == "StableUnreadable" { "Starting" } else { reason });
    }
}
