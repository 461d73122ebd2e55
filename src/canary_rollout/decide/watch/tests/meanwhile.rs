//! What people do to an analysis in flight, and during an outage of CloudWatch.

use super::*;

#[test]
fn an_edit_of_the_analysis_applies_at_once_and_the_steps_stay() {
    let flying = || {
        let mut world = World::new(&[step(10, 3_600)], &judged_by_errors("5%"));
        world.traffic = (100.0, 3.0);
        world.run(10);
        assert_eq!(world.weight(), 0.1);
        world
    };
    let mut stricter = flying();
    stricter.terms().criteria = Criteria::parse(Some(&judged_by_errors("2%"))).unwrap();
    stricter.run(1);
    let entry = &stricter.memory.history[0];
    assert_eq!((entry.outcome, entry.reason.as_str()), (Outcome::RolledBack, "ErrorRate"));

    let mut by_alarm = flying();
    let alarms = judged_by_alarm(AlreadyFiring::Block);
    by_alarm.terms().criteria = Criteria::parse(Some(&alarms)).unwrap();
    by_alarm.facts.alarms =
        Some(Ok(AlarmReport { firing: vec!["red".into()], ..Default::default() }));
    by_alarm.settle();
    assert_eq!(by_alarm.memory.history[0].reason, "AlarmFiring");

    let mut looser = flying();
    looser.terms().criteria = Criteria::parse(Some(&judged_by_errors("20%"))).unwrap();
    looser.traffic = (100.0, 15.0);
    looser.run(20);
    assert_eq!(looser.weight(), 0.1, "what would have failed before does not, and the hold lasts");
    looser.run(60);
    assert_eq!(looser.memory.history[0].outcome, Outcome::Promoted);
}

#[test]
fn while_neither_metrics_nor_alarms_can_be_read_it_stays_and_can_still_be_aborted() {
    let mut world = World::new(&[step(10, 60)], &judged_by_alarm(AlreadyFiring::Block));
    let errors = judged_by_errors("5%").metrics;
    let both = Analysis { metrics: errors, ..judged_by_alarm(AlreadyFiring::Block) };
    world.terms().criteria = Criteria::parse(Some(&both)).unwrap();
    world.traffic = (100.0, 0.0);
    world.settle();
    assert_eq!(world.weight(), 0.1);
    world.facts.evidence = Err("InternalFailure".into());
    world.facts.alarms = Some(Err("InternalFailure".into()));
    world.run(90);
    assert_eq!(world.plan.as_ref().unwrap().report.phase, Phase::WaitingData);
    assert_eq!(world.weight(), 0.1, "it neither passes nor fails before maxWait");

    world.facts.request = Some(ActionRequest { value: "abort@rev2".into(), by: "jane".into() });
    world.settle();
    assert_eq!((world.weight(), world.memory.history[0].outcome), (0.0, Outcome::Aborted));
    assert_eq!(world.plan.unwrap().report.phase, Phase::Aborted);
}
