//! Tasks beside alarms that fail, extensions and blackouts.

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

fn closes(world: &World) -> Option<jiff::Timestamp> {
    world.told().current.as_ref().map(|current| current.closes_at.0)
}

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
        world.cloud.refuses = Some(|_| true);
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
    world.cloud.refuses = Some(|_| true);
    world.until("05T12:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert!(world.arrived().contains(&"ops: Opened of fix-20261205T1200Z".to_owned()));
    assert_eq!(world.plant.begun, ["deploy"]);
}

#[test]
fn an_overrun_pushes_the_close_by_whole_minutes() {
    let long = PATCH.replace("20m", "45m");
    let mut world = with(&[&long], &format!("extend: {{max: 1h}}\n{MORE}"));
    world.cloud = Cloud::of(&["web-a"]);
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T00:59");
    // It begins at an odd second.
    world.now = december("06T02:10") + SignedDuration::from_secs(4);
    world.passes();
    world.until("06T03:40");
    assert_eq!(closes(&world), Some(december("06T03:45")));
    world.until("06T03:43");
    // 02:10:04, 45m and 1h, but for the seconds, and no more than an hour in all.
    assert_eq!(closes(&world), Some(december("06T03:56")));
    assert!(world.cloud.is_quiet("web-a", december("06T03:55")));
    world.until("06T03:57");
    assert_eq!(world.told().history[0].closed_at.as_ref().unwrap().0, december("06T03:56"));
    check(&world, &[Cancelled]);
}

#[test]
fn nothing_pushes_the_close_into_a_blackout() {
    let dark = "blackouts: [{name: freeze, from: '2026-12-06T04:20', until: '2026-12-08'}]";
    let long = PATCH.replace("20m", "110m");
    let mut world = with(&[&long], &format!("extend: {{max: 1h}}\n{dark}"));
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T02:58");
    assert_eq!(closes(&world), Some(december("06T03:15")));
    world.until("06T03:14");
    assert_eq!(closes(&world), Some(december("06T03:20")), "up to the blackout");
    assert_eq!(
        world.ask(&format!("extend=5m@{SUNDAY}")),
        format!(
            "Refused: blackout freeze begins Sun 6 Dec 2026 04:20 CET: {SUNDAY} cannot be extended into it"
        )
    );
    world.until("06T03:20");
    check(&world, &[Cancelled]);
    assert!(!world.told().gate.as_ref().unwrap().open);
    // One that begins where it closes leaves no time at all.
    let dark = dark.replace("T04:20', until", "T04:00', until");
    let mut world = with(&[&long], &format!("extend: {{max: 1h}}\n{dark}"));
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T02:59");
    assert_eq!(closes(&world), Some(december("06T03:00")));
    assert!(world.ask(&format!("extend=5m@{SUNDAY}")).starts_with("Refused: blackout freeze"));
}
