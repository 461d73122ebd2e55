//! Alarms that are switched off while a window is open.

mod shared;

use jiff::SignedDuration;

use crate::{
    api::{
        maintenance_window::{Outcome, Phase},
        window_alarms::SwitchState,
    },
    facts::kubernetes::Deletion,
    maintenance_window::{
        decide::Action,
        world::{Cloud, WEEKLY, World, december},
    },
};

const SUNDAY: &str = "weekly-20261206T0100Z";
const ALARMS: &str =
    "alarms: {mode: Toggle, namePrefixes: [web-], excludePrefixes: [web-security-], names: [db]}";

/// Weekly, with three alarms to switch off, one that is excluded and one that nobody named.
fn toggling(more: &str) -> World {
    let mut world = World::new(&format!("{WEEKLY}{ALARMS}\n{more}"), "05T12:00");
    world.cloud = Cloud::of(&["web-a", "web-b", "db", "web-security-x", "other"]);
    world.cloud.switches.counts = true;
    world.passes();
    world
}

/// The same, open for a quarter of an hour.
fn open(more: &str) -> World {
    let mut world = toggling(more);
    world.until("06T01:15");
    world
}

fn off(world: &World) -> Vec<&str> {
    world.cloud.switches.off.iter().map(String::as_str).collect()
}

fn states(world: &World) -> Vec<(&str, SwitchState)> {
    let silenced = world.told().silenced.as_ref().unwrap();
    let all = silenced.regions.iter().flat_map(|region| &region.alarms);
    all.map(|alarm| (alarm.name.as_str(), alarm.state)).collect()
}

fn silenced(world: &World) -> Option<(String, String, String)> {
    let all = &world.told().conditions;
    let found = all.iter().find(|condition| condition.type_ == "AlarmsSilenced")?;
    Some((found.status.clone(), found.reason.clone(), found.message.clone()))
}

fn ready(world: &World) -> &str {
    let all = &world.told().conditions;
    &all.iter().find(|condition| condition.type_ == "Ready").unwrap().status
}

/// Nothing is off, and nothing is remembered of it.
#[track_caller]
fn check_restored(world: &World) {
    assert_eq!(off(world), [""; 0]);
    assert!(world.told().silenced.is_none() && !world.facts.finalizer);
}

#[test]
fn alarms_are_switched_off_at_the_opening_and_on_at_the_close() {
    let mut world = toggling("");
    world.until("06T00:59");
    assert!(off(&world).is_empty() && !world.facts.finalizer, "not before the opening");
    world.until("06T01:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(off(&world), ["db", "web-a", "web-b"]);
    let words = format!("3 alarms switched off until {SUNDAY} closes");
    assert_eq!(silenced(&world).unwrap(), ("True".into(), "Active".into(), words));
    let all = ["db", "web-a", "web-b"].map(|name| (name, SwitchState::Off));
    assert_eq!(states(&world), all);
    world.cloud.alarms.insert("web-b".into(), true);
    world.until("06T03:01");
    check_restored(&world);
    let entry = world.told().history[0].clone();
    assert_eq!((entry.outcome, entry.message.as_str()), (Outcome::Completed, "its time is over"));
    assert_eq!(entry.still_in_alarm, ["web-b"]);
    assert_eq!(world.cloud.switches.calls, [("off", 3), ("on", 3)]);
}

#[test]
fn the_ledger_and_the_finalizer_are_there_before_any_alarm_is_off() {
    let mut world = toggling("");
    world.now = december("06T01:00");
    let first = world.pass();
    assert!(first.actions.is_empty() && first.memory.silenced.is_some());
    assert!(off(&world).is_empty() && world.facts.finalizer);
    let mut unguarded = world.clone();
    unguarded.facts.finalizer = false;
    assert_eq!(unguarded.pass().actions, []);
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert!(!world.told().gate.as_ref().unwrap().open);
    let second = world.pass();
    assert!(matches!(second.actions.as_slice(), [Action::SwitchOff { .. }]));
    assert!(!world.told().gate.as_ref().unwrap().open, "it opens once that was read back");
}

#[test]
fn a_call_has_a_hundred_names_and_more_alarms_than_two_thousand_are_refused() {
    let mut world = toggling("");
    let all: Vec<String> = (0..2_001).map(|number| format!("web-{number:04}")).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    world.cloud = Cloud::of(&names[..250]);
    let mut many = world.clone();
    world.until("06T01:01");
    assert_eq!(world.cloud.switches.calls, [("off", 100), ("off", 100), ("off", 50)]);
    many.cloud = Cloud::of(&names);
    many.until("06T01:01");
    assert_eq!(many.told().phase, Some(Phase::Preparing));
    assert_eq!(silenced(&many).unwrap().1, "TooManyAlarms");
    assert_eq!(off(&many), [""; 0]);
}

#[test]
fn what_a_person_had_off_stays_off_and_is_told() {
    let mut world = toggling("");
    world.cloud.switches.person("web-a", false);
    world.until("06T01:05");
    let words =
        format!("2 alarms switched off until {SUNDAY} closes; off already, and stays so: web-a");
    assert_eq!(silenced(&world).unwrap().2, words);
    // Who switches it on while it is open wants to hear of it.
    let mut wanted = world.clone();
    wanted.cloud.switches.person("web-a", true);
    wanted.until("06T02:00");
    assert_eq!(off(&wanted), ["db", "web-b"]);
    world.until("06T03:01");
    assert_eq!(off(&world), ["web-a"]);
    let message = &world.told().history[0].message;
    assert_eq!(message, "its time is over; off before, and left so: web-a");
}

#[test]
fn what_somebody_switches_on_meanwhile_is_left_alone_and_told() {
    let mut world = open("");
    world.cloud.switches.person("web-a", true);
    world.until("06T02:00");
    assert_eq!(off(&world), ["db", "web-b"]);
    let (status, reason, message) = silenced(&world).unwrap();
    assert_eq!((status.as_str(), reason.as_str()), ("False", "LeftAlone"));
    assert_eq!(message, "2 alarms switched off; left alone, since somebody switched it on: web-a");
    // Off again: that is theirs, too.
    world.cloud.switches.person("web-a", false);
    world.until("06T03:01");
    assert_eq!(off(&world), ["web-a"]);
}

#[test]
fn what_somebody_changed_while_it_was_off_stays_off_and_is_told() {
    let mut world = open("");
    world.cloud.switches.configure("web-a");
    world.until("06T02:59");
    world.now = december("06T03:00");
    let mut notes = Vec::new();
    for _ in 0..8 {
        notes.extend(world.pass().notes);
        world.now += SignedDuration::from_secs(2);
    }
    assert_eq!(off(&world), ["web-a"]);
    let message = &world.told().history[0].message;
    assert_eq!(message, "its time is over; left off, since somebody changed them meanwhile: web-a");
    let told: Vec<_> = notes.iter().map(|note| note.reason).collect();
    assert_eq!(told, ["LeftOff"]);
    assert!(notes[0].warning && notes[0].message.contains("web-a"), "{notes:?}");
    assert!(world.told().silenced.is_none() && !world.facts.finalizer);
}

#[test]
fn alarms_that_are_made_meanwhile_are_switched_off_and_those_that_go_are_forgotten() {
    let mut world = open("");
    world.cloud.alarms.insert("web-new".into(), false);
    world.cloud.alarms.remove("web-a");
    world.until("06T01:30");
    assert!(off(&world).contains(&"web-new"));
    let known: Vec<_> = states(&world).iter().map(|(name, _)| *name).collect();
    assert_eq!(known, ["db", "web-b", "web-new"]);
    // Made anew, it is new.
    world.cloud.switches.off.remove("web-a");
    world.cloud.alarms.insert("web-a".into(), false);
    world.until("06T01:40");
    assert!(off(&world).contains(&"web-a"));
    world.until("06T03:01");
    check_restored(&world);
}

#[test]
fn what_is_in_alarm_at_the_close_is_told_since_nobody_is_called_for_it() {
    let mut world = open("");
    world.cloud.alarms.insert("db".into(), true);
    world.now = december("06T03:00");
    let mut notes = Vec::new();
    for _ in 0..8 {
        notes.extend(world.pass().notes);
        world.now += SignedDuration::from_secs(2);
    }
    assert_eq!(notes.len(), 1);
    let (note, words) = (&notes[0], "they act only at their next change: db");
    assert!(note.warning && note.reason == "StillInAlarm" && note.message.ends_with(words));
}

#[test]
fn it_opens_once_its_alarms_are_off_or_is_missed() {
    let mut world = toggling("lateOpen: {minRemaining: 30m}");
    world.cloud.denied = true;
    world.until("06T02:00");
    let message = world.told().message.clone().unwrap();
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert!(message.starts_with("its alarms cannot be made quiet: no permission"), "{message}");
    let mut mended = world.clone();
    mended.cloud.denied = false;
    mended.until("06T02:02");
    assert_eq!(mended.told().phase, Some(Phase::Open));
    assert_eq!(off(&mended), ["db", "web-a", "web-b"]);
    world.until("06T02:45");
    assert_eq!(world.history()[0].1, "Missed");
}

#[test]
fn what_was_switched_off_for_an_opening_that_does_not_come_is_switched_on() {
    let mut world = toggling("lateOpen: {minRemaining: 30m}");
    world.now = december("06T01:00");
    world.pass();
    world.pass();
    assert_eq!(off(&world), ["db", "web-a", "web-b"]);
    world.cloud.denied = true;
    world.until("06T02:45");
    assert_eq!(world.history()[0].1, "Missed");
    assert_eq!(off(&world).len(), 3);
    world.cloud.denied = false;
    world.until("06T02:46");
    check_restored(&world);
}

#[test]
fn an_early_close_a_suspension_and_a_deletion_switch_alarms_on() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 3] = [
        ("close", |world| drop(world.ask(&format!("close@{SUNDAY}")))),
        ("suspend", |world| world.edit(|spec| spec.suspend = Some(true))),
        ("delete", |world| world.facts.deletion = Deletion::Undo),
    ];
    for (what, change) in changes {
        let mut world = open("");
        assert_eq!(off(&world), ["db", "web-a", "web-b"], "{what}");
        change(&mut world);
        world.until("06T01:16");
        check_restored(&world);
        assert!(!world.told().gate.as_ref().unwrap().open, "{what}");
    }
}

#[test]
fn an_operator_that_was_away_over_the_end_switches_alarms_on_later() {
    let mut world = open("");
    world.now = december("06T12:00");
    world.until("06T12:01");
    check_restored(&world);
    assert_eq!(world.history()[0].1, "Completed");
}

#[test]
fn what_cannot_be_switched_on_keeps_the_object_and_the_close_and_is_told() {
    let mut world = open("");
    world.cloud.denied = true;
    world.until("06T03:10");
    assert_eq!(world.history(), [], "not over before it was read back");
    let message = world.told().message.clone().unwrap();
    assert!(message.starts_with("switching on 3 alarms that were switched off for"), "{message}");
    assert!(message.ends_with("that cannot be done in eu-central-1: no permission"), "{message}");
    assert_eq!((ready(&world), world.facts.finalizer), ("False", true));
    assert_eq!(silenced(&world).unwrap().1, "AccessDenied");
    assert_eq!(world.events.iter().filter(|event| **event == "NotRestored").count(), 1);
    // Not even the next opening comes before.
    world.now = december("13T00:59");
    world.until("13T03:31");
    let words = "the one before it had not closed: its alarms did not come back";
    assert_eq!(world.history()[0].2, words);
    world.facts.deletion = Deletion::Undo;
    world.until("13T03:35");
    assert!(world.facts.finalizer);
    world.cloud.denied = false;
    world.until("13T03:36");
    check_restored(&world);
}

#[test]
fn what_is_let_go_says_which_alarms_stay_off() {
    let mut world = open("");
    world.facts.deletion = Deletion::Abandon;
    let plan = world.pass();
    assert!(!world.facts.finalizer);
    let words = "let go without undoing: 3 alarms stay switched off until somebody switches them on: db, web-a, web-b";
    assert_eq!((plan.notes[0].reason, plan.notes[0].message.as_str()), ("Abandoned", words));
}

#[test]
fn an_emergency_opens_at_once_and_its_alarms_are_switched_off() {
    let emergency = format!(
        "
timeZone: Etc/UTC
schedules: [{{name: now, once: '2026-12-05T12:30', duration: 2h}}]
emergency: {{reason: r, requestedBy: a, for: [weekly]}}
{ALARMS}
"
    );
    let mut world = World::new(&emergency, "05T13:00");
    world.cloud = Cloud::of(&["db"]);
    world.cloud.denied = true;
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open), "whatever CloudWatch says");
    world.cloud.denied = false;
    world.until("05T13:01");
    assert_eq!(off(&world), ["db"]);
    world.until("05T14:31");
    check_restored(&world);
}

#[test]
fn another_mode_before_the_opening_switches_on_what_was_switched_off() {
    let mut world = toggling("");
    world.now = december("06T01:00");
    world.pass();
    world.pass();
    assert_eq!(off(&world).len(), 3);
    world.edit(|spec| spec.alarms.as_mut().unwrap().mode = None);
    world.until("06T01:05");
    assert_eq!(off(&world), [""; 0]);
    assert!(world.cloud.is_quiet("db", december("06T01:05")), "by a mute rule");
}

#[test]
fn a_lost_status_leaves_off_what_nobody_knows_of_and_says_so() {
    let mut world = open("");
    world.status = None;
    world.until("06T01:20");
    assert_eq!(world.told().phase, Some(Phase::Open));
    let (_, _, message) = silenced(&world).unwrap();
    assert!(message.ends_with("off already, and stays so: db, web-a, web-b"), "{message}");
    world.until("06T03:01");
    assert_eq!(off(&world), ["db", "web-a", "web-b"]);
    let message = &world.told().history[0].message;
    assert!(message.ends_with("off before, and left so: db, web-a, web-b"), "{message}");
}
