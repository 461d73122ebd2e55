use super::{check, check_passes};
use crate::{
    api::canary_rollout::OnTimeout,
    canary_rollout::{
        decide::{Revisit, Wanted, situation::clock_time},
        world::{NEXT_REVISION, World, approve, mark, release, steps, time, weight},
    },
    facts::lambda::Source,
    names::{Mark, Owner},
};

/// The steps of the flight in place of the usual ones.
fn with_steps(mut world: World, raw: &[crate::api::canary_rollout::Step]) -> World {
    world.status.steps = raw.to_vec();
    if let Ok(wanted) = &mut world.facts.wanted {
        wanted.steps = steps(raw);
    }
    world
}

#[test]
fn a_step_sets_its_weight_under_a_mark_and_keeps_the_description() {
    let world = World::flying(0, None).with(|world| world.alias_is("42", &[], "live traffic"));
    let plan = check(
        &world,
        &[
            "Progressing Progressing: setting version 43 to 10%",
            "UpdateAlias flightdata-processor:production to version 42 with 43 at 10%",
            "now !",
        ],
    );
    let world = world.with(|world| world.write(&plan.actions));
    let description = world.facts.alias.unwrap().description;
    assert_eq!(description, "live traffic [groundcrew prod/flightdata/processor 9f2c1a 0]");
}

#[test]
fn without_our_finalizer_nothing_moves_forward_and_it_is_asked_for() {
    let world = World::flying(0, None).with(|world| world.facts.finalizer = false);
    check(&world, &["Progressing Progressing: setting version 43 to 10%", "now !"]);
}

#[test]
fn a_step_is_entered_when_its_weight_is_read_back() {
    let mut world = World::flying(0, None);
    world.alias_is("42", &[("43", 0.1)], &mark("9f2c1a", 0));
    let plan = check(&world, &["Progressing Progressing: 10%: holds until 02:14:00Z", "now !"]);
    let flight = plan.memory.flight.unwrap();
    assert_eq!((flight.index, flight.entered_at), (0, Some(time("01:44:00"))));
    assert_eq!(plan.report.hold_until, Some(time("02:14:00")));
    assert_eq!(plan.report.weight, Some(10));
}

#[test]
fn a_step_counts_from_the_next_whole_second_never_from_an_earlier_one() {
    let mut world = World::flying(0, None).at("01:44:00.001");
    world.alias_is("42", &[("43", 0.1)], &mark("9f2c1a", 0));
    assert_eq!(world.plan().memory.flight.unwrap().entered_at, Some(time("01:44:01")));
}

#[test]
fn a_hold_lasts_to_its_end_and_not_a_moment_less() {
    let holds = "Progressing Progressing: 10%: holds until 02:14:00Z";
    let world = World::flying(0, Some("01:44:00"));
    check(&world, &[holds, "01:45:00 !"]);
    // The next look is at the end of the hold if that comes before the usual look.
    check(&world.clone().at("02:13:59.999"), &[holds, "02:14:00 !"]);
    let approval = "WaitingApproval WaitingApproval: 10%: waits for approval (look at p99): verb promote@9f2c1a/1; aborts at 2026-12-07T02:14:00Z";
    check(&world.at("02:14:00"), &[approval, "now !"]);
}

#[test]
fn a_hold_into_another_day_says_the_date() {
    assert_eq!(clock_time(time("02:14:00"), time("01:44:00")), "02:14:00Z");
    let tomorrow = "2026-12-07T00:14:00Z".parse().unwrap();
    assert_eq!(clock_time(tomorrow, time("23:44:00")), "2026-12-07T00:14:00Z");
}

#[test]
fn a_step_whose_weight_arrived_early_enters_the_next_one() {
    let mut world = World::flying(1, Some("01:40:00"));
    world.alias_is("42", &[("43", 0.5)], &mark("9f2c1a", 2));
    let plan = check(&world, &["Progressing Progressing: 50%: holds until 02:14:00Z", "now !"]);
    assert_eq!(plan.memory.flight.unwrap().index, 2);
}

#[test]
fn a_mark_of_another_step_does_not_count_as_our_write() {
    let mut world = World::flying(1, Some("01:40:00"));
    world.alias_is("42", &[("43", 0.5)], &mark("9f2c1a", 1));
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production serves version 42 with 43 at 50%; it belongs at version 42 with 43 at 10%; put it back, or end the rollout with the verb abort@9f2c1a",
            "now !",
        ],
    );
}

#[test]
fn a_foreign_weight_is_a_conflict_that_says_what_was_left() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.alias_is("42", &[("43", 0.305)], "");
    let plan = check(
        &world,
        &[
            "Conflict AliasMoved: alias production serves version 42 with 43 at 30.5%; it belongs at version 42 with 43 at 10%; put it back, or end the rollout with the verb abort@9f2c1a",
            "now !",
        ],
    );
    assert_eq!(plan.report.weight, None);
    let difference = plan.report.difference.unwrap();
    assert_eq!(
        difference,
        "alias production serves version 42 with 43 at 30.5%; it belongs at version 42 with 43 at 10%"
    );
}

#[test]
fn two_extra_versions_are_a_conflict() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.alias_is("42", &[("43", 0.1), ("41", 0.2)], "");
    let said = world.plan().report.message;
    assert!(
        said.starts_with("alias production serves version 42 with 43 at 10% with 41 at 20%; "),
        "{said}"
    );
}

#[test]
fn a_version_moved_away_is_a_conflict_that_retry_accepts() {
    for version in ["41", "43", "$LATEST"] {
        let mut world = World::flying(0, Some("01:44:00"));
        world.alias_is(version, &[], "");
        let told = format!(
            "Conflict AliasMoved: alias production serves version {version}; it belongs at version 42 with 43 at 10%; put it back, or start again from there with the verb retry@9f2c1a"
        );
        check(&world, &[&told, "now !"]);
    }
}

#[test]
fn an_alias_that_vanished_is_a_conflict() {
    let world = World::flying(0, Some("01:44:00")).with(|world| world.facts.alias = None);
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production does not exist; it belongs at version 42 with 43 at 10%; put it back, or start again from there with the verb retry@9f2c1a",
            "01:45:00 !",
        ],
    );
}

#[test]
fn the_mark_of_another_rollout_is_a_conflict_that_names_it() {
    let owner =
        Owner { cluster: "dr".into(), namespace: "flightdata".into(), name: "other".into() };
    let foreign = Mark { owner, revision: "123".into(), step: 0 }.write("");
    let mut world = World::flying(0, Some("01:44:00"));
    world.alias_is("42", &[("43", 0.1)], &foreign);
    check(
        &world,
        &[
            "Conflict AliasMoved: alias production is moved by the CanaryRollout flightdata/other of cluster dr; delete one of the two, or end this one with the verb abort@9f2c1a",
            "01:45:00 !",
        ],
    );
}

#[test]
fn an_alias_put_back_goes_on_at_its_step_which_starts_anew() {
    let mut world = World::flying(0, Some("01:44:00"));
    let left = world.facts.alias.clone();
    world.alias_is("41", &[], "");
    world.settle();
    world.facts.alias = left;
    world.now = time("01:50:00");
    let passes = ["Progressing: 10%: holds until 02:20:00Z"; 2];
    check_passes(&mut world, &passes);
}

#[test]
fn suspended_a_flight_stays_at_its_weight_and_takes_no_step() {
    for (index, entered, percent) in [(0, None, 0), (0, Some("01:00:00"), 10)] {
        let world = World::flying(index, entered).with(|world| world.facts.suspended = true);
        let told = format!(
            "Suspended Suspended: suspended: version 43 stays at {percent}%; set spec.suspend to false to go on"
        );
        check(&world, &[&told, "01:45:00 !"]);
    }
}

#[test]
fn suspended_a_newer_release_does_not_move_the_alias_either() {
    let world = World::flying(0, Some("01:44:00")).with(|world| {
        world.facts.suspended = true;
        world.facts.wanted = Ok(release("44", NEXT_REVISION));
    });
    check(
        &world,
        &[
            "Suspended Suspended: suspended: version 43 stays at 10%; set spec.suspend to false to go on",
            "01:45:00 !",
        ],
    );
}

#[test]
fn paused_a_flight_stays_however_long_its_hold_is_over() {
    let mut world = World::flying(0, Some("00:10:00"));
    world.status.paused_at = Some(crate::canary_rollout::world::k8s_time("00:20:00"));
    check(
        &world,
        &[
            "Progressing Paused: paused: version 43 stays at 10%; go on with the verb resume@9f2c1a",
            "01:45:00 !",
        ],
    );
}

#[test]
fn a_newer_release_takes_the_place_and_starts_from_stable() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.facts.wanted = Ok(release("44", NEXT_REVISION));
    check_passes(
        &mut world,
        &[
            "RollingBack: release 44 takes the place of 43",
            "RollingBack: going back to version 42: release 44 takes the place of 43",
            "Pending: release 44 takes the place of 43",
            "Pending: releasing version 44 in place of 42",
            "Progressing: setting version 44 to 10%",
            "Progressing: 10%: holds until 02:14:00Z",
            "Progressing: 10%: holds until 02:14:00Z",
        ],
    );
}

#[test]
fn a_release_that_was_superseded_can_be_wanted_again() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.facts.wanted = Ok(release("44", NEXT_REVISION));
    world.pass();
    world.facts.wanted = Ok(release("43", "9f2c1a"));
    world.settle();
    let memory = world.memory();
    assert_eq!(memory.canary.unwrap().version, "43");
    assert_eq!(memory.flight.unwrap().entered_at, Some(time("01:44:00")));
}

#[test]
fn an_approval_says_what_to_look_at_how_to_answer_and_what_silence_means() {
    for (message, timeout, on_timeout, expected) in [
        ("", None, OnTimeout::Abort, "verb promote@9f2c1a/0"),
        ("", Some("30m"), OnTimeout::Abort, "verb promote@9f2c1a/0; aborts at 02:14:00Z"),
        ("", Some("30m"), OnTimeout::Promote, "verb promote@9f2c1a/0; goes on at 02:14:00Z"),
    ] {
        let word = approve(message, timeout, on_timeout);
        let world = with_steps(World::flying(0, Some("01:44:00")), &[word, weight(50, "30m")])
            .with(|world| world.alias_is("42", &[], ""));
        let told = format!("WaitingApproval WaitingApproval: 0%: waits for approval: {expected}");
        check(&world, &[&told, "01:45:00 !"]);
    }
}

#[test]
fn an_approval_nobody_gave_aborts_or_goes_on_as_it_says() {
    let late = |on_timeout| {
        let raw = [weight(10, "30m"), approve("", Some("10m"), on_timeout), weight(50, "30m")];
        with_steps(World::flying(1, Some("01:00:00")), &raw)
    };
    check_passes(
        &mut late(OnTimeout::Abort),
        &[
            "RollingBack: nobody approved step 1 in time",
            "RollingBack: going back to version 42: nobody approved step 1 in time",
            "Aborted: nobody approved step 1 in time",
            "Aborted: version 43 was aborted: nobody approved step 1 in time; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a",
        ],
    );
    check_passes(
        &mut late(OnTimeout::Promote),
        &[
            "Progressing: setting version 43 to 50%",
            "Progressing: 50%: holds until 02:14:00Z",
            "Progressing: 50%: holds until 02:14:00Z",
        ],
    );
}

#[test]
fn an_approval_without_limit_is_looked_at_every_minute() {
    let raw = [weight(10, "30m"), approve("", None, OnTimeout::Abort)];
    let world = with_steps(World::flying(1, Some("01:00:00")), &raw);
    assert_eq!(world.plan().revisit, Revisit::At(time("01:45:00")));
    assert_eq!(world.plan().report.hold_until, None);
}

#[test]
fn an_approval_as_the_last_step_leads_to_100() {
    let raw = [weight(10, "30m"), approve("", None, OnTimeout::Abort)];
    let mut world = with_steps(World::flying(1, Some("01:00:00")), &raw).asked("promote@9f2c1a/1");
    world.settle();
    assert_eq!(world.facts.alias.unwrap().version, "43");
}

#[test]
fn steps_without_a_hold_follow_each_other_at_once() {
    let raw = [weight(1, "0s"), weight(29, "0s"), weight(99, "0s")];
    let mut world = with_steps(World::flying(0, None), &raw);
    let writes: Vec<_> = world
        .settle()
        .iter()
        .flat_map(|plan| plan.actions.iter().map(ToString::to_string).collect::<Vec<_>>())
        .map(|text| text.replace("UpdateAlias flightdata-processor:production to ", ""))
        .collect();
    assert_eq!(
        writes,
        [
            "version 42 with 43 at 1%",
            "version 42 with 43 at 29%",
            "version 42 with 43 at 99%",
            "version 43 alone"
        ]
    );
}

#[test]
fn steps_that_are_edited_in_flight_apply_to_the_next_revision() {
    let mut world = World::flying(0, Some("01:44:00"));
    if let Ok(wanted) = &mut world.facts.wanted {
        wanted.steps = steps(&[weight(90, "1m")]);
    }
    let frozen = world.memory().flight.unwrap().steps;
    check_passes(&mut world, &["Progressing: 10%: holds until 02:14:00Z"]);
    assert_eq!(world.memory().flight.unwrap().steps, frozen);
    world.facts.wanted =
        Ok(Wanted { steps: steps(&[weight(90, "1m")]), ..release("44", NEXT_REVISION) });
    world.settle();
    assert_eq!(world.memory().flight.unwrap().steps, steps(&[weight(90, "1m")]));
}

#[test]
fn a_weight_that_this_pass_read_is_recorded_by_the_next_one() {
    let mut world = World::flying(0, None);
    world.alias_is("42", &[("43", 0.1)], &mark("9f2c1a", 0));
    world.facts.alias_source = Source::Read;
    let plan = check(&world, &["Progressing Progressing: version 43 is at 10%", "now !"]);
    assert_eq!(plan.memory.flight.unwrap().entered_at, None);
    world.facts.alias_source = Source::EarlierRead;
    check(&world, &["Progressing Progressing: 10%: holds until 02:14:00Z", "now !"]);
}
