use super::*;
use crate::{
    api::canary_rollout::Step as RawStep,
    canary_rollout::{
        decide::Wanted,
        world::{NEXT_REVISION, World, approve, k8s_time, release, steps, time, weight},
    },
};

fn audited(mut world: World) -> World {
    world.facts.mode = Mode::Audit;
    world
}

const UPDATE: &str = "UpdateAlias flightdata-processor:production to version";

#[test]
fn each_step_is_told_in_its_own_words_without_times_of_day() {
    let mut world = audited(World::new());
    let terms = world.facts.terms.as_mut().unwrap();
    terms.bake = "15m".parse().unwrap();
    let raw = RawStep { min_invocations: Some(100), ..weight(10, "30m") };
    let word = approve("look at p99", Some("24h"), OnTimeout::Promote);
    world.facts.wanted.as_mut().unwrap().steps = steps(&[raw, word, weight(50, "1h")]);
    let plan = world.pass();
    assert_eq!(
        plan.ahead,
        [
            &format!("{UPDATE} 42 with 43 at 10%"),
            "10%: holds for 30m, at least 100 invocations",
            "10%: waits for approval (look at p99); goes on after 1d",
            &format!("{UPDATE} 42 with 43 at 50%"),
            "50%: holds for 1h",
            &format!("{UPDATE} 43 alone"),
            "100%: watched for 15m",
        ]
    );
    assert_eq!(world.status.plan, plan.ahead);
    for later in ["01:59:00", "23:59:59.5"] {
        assert_eq!(world.clone().at(later).plan().ahead, plan.ahead);
    }
}

#[test]
fn in_flight_only_what_is_left_is_told_however_late_it_is() {
    let mut world = audited(World::flying(0, Some("01:44:00")));
    for at in ["01:45:00", "02:30:00"] {
        world.now = time(at);
        let ahead = world.plan().ahead;
        let expected = [
            "10%: waits for approval (look at p99); aborts after 1d",
            &format!("{UPDATE} 42 with 43 at 50%"),
            "50%: holds for 30m",
            &format!("{UPDATE} 43 alone"),
        ];
        assert_eq!(ahead, expected, "{at}");
    }
}

#[test]
fn a_release_that_would_be_superseded_goes_back_first() {
    let mut world = audited(World::flying(0, Some("01:44:00")));
    world.facts.wanted = Ok(Wanted { steps: Steps::default(), ..release("44", NEXT_REVISION) });
    let back = format!("{UPDATE} 42 alone");
    assert_eq!(world.plan().ahead, [back, format!("{UPDATE} 44 alone")]);
}

#[test]
fn the_first_use_makes_the_alias() {
    let world = audited(World::new().with(|world| world.facts.alias = None));
    let made = "CreateAlias flightdata-processor:production at version 43";
    assert_eq!(world.plan().ahead, [made]);
}

#[test]
fn what_a_person_paused_goes_no_further() {
    let mut world = audited(World::flying(0, Some("01:44:00")));
    world.status.paused_at = Some(k8s_time("01:45:00"));
    assert_eq!(world.plan().ahead, [] as [&str; 0]);
}

#[test]
fn the_longest_rollout_is_told_to_its_end_within_the_bound() {
    let mut world = audited(World::flying(0, Some("01:44:00")));
    let most: Vec<_> = (1..=32).map(|percent| weight(percent, "1h")).collect();
    let next = release("44", NEXT_REVISION);
    world.facts.wanted = Ok(Wanted { steps: steps(&most), ..next });
    let ahead = world.plan().ahead;
    assert!(ahead.len() <= PLAN_MAX, "{}", ahead.len());
    assert_eq!(ahead.last(), Some(&format!("{UPDATE} 44 alone")));
}

#[test]
fn only_in_audit_anything_is_told() {
    let world = World::new();
    assert_eq!(world.plan().ahead, [] as [&str; 0]);
    let suspended = audited(world).with(|world| world.facts.suspended = true);
    assert_eq!(suspended.plan().ahead, [] as [&str; 0]);
}
