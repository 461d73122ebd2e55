//! What alarms mean before the start and in flight.

use super::*;

#[test]
fn an_alarm_takes_it_back_at_once_also_while_it_is_paused_or_suspended() {
    for (suspended, paused) in [(false, false), (true, false), (false, true)] {
        let mut world = World::new(&[step(10, 3_600)], &judged_by_alarm(AlreadyFiring::Block));
        world.settle();
        assert_eq!(world.weight(), 0.1);
        world.facts.suspended = suspended;
        world.memory.paused_at = paused.then_some(world.now);
        world.alarm_report().firing = vec!["red".into()];
        world.settle();
        assert_eq!(world.memory.history[0].reason, "AlarmFiring", "{suspended} {paused}");
        assert_eq!(world.weight(), 0.0);
    }
}

#[test]
fn an_alarm_that_fires_before_the_start_blocks_it_unless_it_is_to_be_mended() {
    let mut world = World::new(&[step(10, 60)], &judged_by_alarm(AlreadyFiring::Block));
    world.alarm_report().firing = vec!["red".into()];
    world.run(10);
    world.check(
        Phase::Pending,
        "waits to start: alarm red is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore",
    );
    assert_eq!(world.weight(), 0.0);

    let mut world = World::new(&[step(10, 3_600)], &judged_by_alarm(AlreadyFiring::Ignore));
    world.alarm_report().firing = vec!["red".into()];
    world.run(5);
    assert_eq!(world.weight(), 0.1);
    // Once it was OK it counts again.
    world.alarm_report().firing.clear();
    world.run(1);
    world.alarm_report().firing = vec!["red".into()];
    world.run(1);
    assert_eq!(world.memory.history[0].reason, "AlarmFiring");
}

#[test]
fn a_missing_alarm_is_never_ok() {
    let mut world = World::new(&[step(10, 60)], &judged_by_alarm(AlreadyFiring::Block));
    world.alarm_report().missing = vec!["red".into()];
    world.run(1);
    world.check(
        Phase::Invalid,
        "there is no alarm red: create it, or correct spec.analysis.alarms; a missing alarm would never fire",
    );
    world.alarm_report().missing.clear();
    world.settle();
    assert_eq!(world.weight(), 0.1);
    world.alarm_report().missing = vec!["red".into()];
    world.run(10);
    world
        .check(Phase::WaitingData, "10%: there is no alarm red; waits until 04:01:00Z, then fails");
}

#[test]
fn insufficient_data_passes_waits_or_fails_as_the_spec_says() {
    let after = |means| {
        let mut world = World::new(&[step(10, 60)], &judged_by_alarm(AlreadyFiring::Block));
        world.terms().criteria.alarms.as_mut().unwrap().on_insufficient_data = means;
        world.alarm_report().insufficient = vec!["red".into()];
        world.run(5);
        world.plan.unwrap().report.phase
    };
    let phases = [OnNoData::Pass, OnNoData::Wait, OnNoData::Fail].map(after);
    assert_eq!(phases, [Phase::Healthy, Phase::WaitingData, Phase::RolledBack]);
}
