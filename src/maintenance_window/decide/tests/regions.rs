//! Alarms of several regions: one that does not answer keeps those of no other one quiet.

use super::alarms::silenced;
use crate::{
    api::maintenance_window::{Outcome, Phase},
    maintenance_window::{
        decide::Action,
        world::{Cloud, REGION, WEEKLY, World, december},
    },
};

const FAR: &str = "us-east-1";
const SUNDAY: &str = "weekly-20261206T0100Z";

/// Weekly, with `db` in two regions; open since a quarter of an hour.
fn open(mode: &str) -> World {
    let alarms = format!("alarms: {{mode: {mode}, names: [db], regions: [{REGION}, {FAR}]}}");
    let mut world = World::new(&format!("{WEEKLY}{alarms}"), "05T12:00");
    world.cloud = Cloud::of(&["db"]);
    world.cloud.elsewhere.insert(FAR, Cloud::of(&["db"]));
    world.passes();
    world.until("06T01:15");
    assert_eq!(world.told().phase, Some(Phase::Open));
    world
}

fn is_off(world: &World, region: &str) -> bool {
    world.cloud.of_region(region).switches.off.contains("db")
}

fn is_muted(world: &World, region: &str) -> bool {
    world.cloud.of_region(region).is_quiet("db", december("06T01:20"))
}

fn far(world: &mut World) -> &mut Cloud {
    world.cloud.elsewhere.get_mut(FAR).unwrap()
}

#[track_caller]
fn check_not_done(world: &World) {
    let status = world.told();
    assert!(status.current.is_some() && status.silenced.is_some() && world.facts.finalizer);
    let message = status.message.clone().unwrap();
    assert!(message.ends_with("that cannot be done in us-east-1: no permission"), "{message}");
    let ready = status.conditions.iter().find(|told| told.type_ == "Ready").unwrap();
    assert_eq!(ready.status, "False");
    assert_eq!(silenced(world).unwrap(), ("False".into(), "no permission".into()));
}

#[test]
fn alarms_are_switched_on_where_they_can_be_while_another_region_cannot_be_read() {
    let mut world = open("Toggle");
    assert!(is_off(&world, REGION) && is_off(&world, FAR));
    far(&mut world).unreadable = true;
    world.until("06T03:01");
    assert!(!is_off(&world, REGION) && is_off(&world, FAR));
    check_not_done(&world);
    assert_eq!(world.events.iter().filter(|event| **event == "NotRestored").count(), 1);
    assert_eq!(world.cloud.switches.calls, [("off", 1), ("on", 1)], "and no more often");
    far(&mut world).unreadable = false;
    world.until("06T03:03");
    assert!(!is_off(&world, FAR) && world.told().silenced.is_none() && !world.facts.finalizer);
    let entry = &world.told().history[0];
    assert_eq!((entry.outcome, entry.message.as_str()), (Outcome::Completed, "its time is over"));
}

#[test]
fn alarms_are_switched_on_where_they_can_be_while_another_region_refuses() {
    let mut world = open("Toggle");
    world.cloud.refuses = Some(|action| action.region() == REGION && action.brings_back());
    world.until("06T03:01");
    assert!(is_off(&world, REGION) && !is_off(&world, FAR));
    assert!(world.told().current.is_some() && world.facts.finalizer);
    world.cloud.refuses = None;
    world.until("06T03:03");
    assert!(!is_off(&world, REGION) && world.told().silenced.is_none());
}

#[test]
fn rules_are_taken_away_where_they_can_be_while_another_region_refuses() {
    let mut world = open("Mute");
    assert!(is_muted(&world, REGION) && is_muted(&world, FAR));
    world.cloud.refuses = Some(|action| action.region() == REGION && action.brings_back());
    world.ask(&format!("close@{SUNDAY}"));
    assert!(is_muted(&world, REGION) && !is_muted(&world, FAR));
    assert!(world.told().current.is_some() && world.facts.finalizer);
    world.cloud.refuses = None;
    world.later(31);
    assert!(!is_muted(&world, REGION) && world.told().silenced.is_none());
}

#[test]
fn rules_of_a_region_that_cannot_be_read_are_taken_away_after_all_others() {
    let mut world = open("Mute");
    world.cloud.unreadable = true;
    let close = format!("close@{SUNDAY}");
    world.ask(&close);
    assert!(!is_muted(&world, REGION) && !is_muted(&world, FAR));
    assert!(world.told().silenced.is_some(), "gone is what was read to be gone");
    let mut world = open("Mute");
    world.cloud.unreadable = true;
    world.cloud.refuses = Some(|_| true);
    world.ask(&close);
    world.facts.alarms = None;
    let asked = world.plan().asks;
    let Some(crate::maintenance_window::decide::Ask::Alarms(question)) = asked else {
        panic!("{asked:?}")
    };
    world.facts.alarms = Some(world.cloud.answer(&question, &world.facts.owner, world.now));
    let regions: Vec<String> =
        world.plan().actions.iter().map(|action| action.region().to_owned()).collect();
    assert_eq!(regions, [FAR, REGION]);
    assert!(matches!(world.plan().actions[..], [Action::DeleteMuteRule { .. }, _]));
}
