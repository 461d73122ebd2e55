//! Tasks beside alarms that fail.

use jiff::SignedDuration;

use super::*;
use crate::maintenance_window::world::Cloud;

const SUNDAY: &str = "weekly-20261206T0100Z";

/// Alarms, and somebody who is told.
const MORE: &str = "
alarms: {namePrefixes: [web-]}
notices:
  every: 30m
  channels: [{name: ops, webhook: {url: 'https://hooks.example.com/ops'}}]
";

#[test]
fn alarms_that_cannot_be_made_quiet_stop_neither_tasks_nor_notices() {
    for mode in ["Mute", "Toggle"] {
        let more = MORE.replace("namePrefixes", &format!("mode: {mode}, namePrefixes"));
        let mut world =
            with(&[&PATCH.replace("}, timeout", "}, onFailure: Continue, timeout"), DEPLOY], &more);
        world.cloud = Cloud::of(&["web-a"]);
        world.plant.takes = SignedDuration::from_mins(30);
        world.until("06T01:05");
        check(&world, &[Running, Pending]);
        world.cloud.alarms.insert("web-new".into(), false);
        world.cloud.unwritable = true;
        world.until("06T01:19");
        let silenced = world.told().conditions.iter().find(|one| one.type_ == "AlarmsSilenced");
        assert_eq!(silenced.unwrap().status, "False", "{mode}: the new one is not quiet");
        world.until("06T01:22");
        check(&world, &[Cancelled, Running]);
        assert_eq!(world.plant.begun, ["command", "deploy"], "{mode}");
        world.arrived();
        world.until("06T01:31");
        assert_eq!(world.arrived(), [format!("ops: Progress of {SUNDAY}")], "{mode}");
    }
}

#[test]
fn an_emergency_whose_alarms_cannot_be_made_quiet_is_told_and_its_tasks_begin() {
    let yaml = format!(
        "
timeZone: Europe/Berlin
schedules: [{{name: fix, once: '2026-12-05T13:00', duration: 1h}}]
emergency: {{reason: it is down, requestedBy: ops, for: [weekly]}}
tasks: [{}]
{MORE}",
        DEPLOY.trim_start_matches("- ")
    );
    let mut world = World::new(&yaml, "05T11:59");
    world.cloud = Cloud::of(&["web-a"]);
    world.cloud.unwritable = true;
    world.until("05T12:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert!(world.arrived().contains(&"ops: Opened of fix-20261205T1200Z".to_owned()));
    assert_eq!(world.plant.begun, ["deploy"]);
}
