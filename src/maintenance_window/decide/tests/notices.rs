//! Who is told what, when.

mod checked;
mod laws;
mod passed;

use std::collections::BTreeSet;

use crate::{
    api::{
        maintenance_window::{Emergency, Phase},
        shared::Mode,
    },
    facts::kubernetes::Deletion,
    maintenance_window::world::{Cloud, World, december, spec},
    plan::Revisit,
};

pub(super) const ID: &str = "weekly-20261206T0100Z";

/// Sundays from 02:00 to 04:00 in Berlin, with two channels.
pub(super) const TOLD: &str = "
timeZone: Europe/Berlin
schedules:
- {name: weekly, cron: '0 2 * * SUN', duration: 2h}
extend: {max: 1h}
notices:
  before: [6d, 24h, 1h]
  every: 30m
  title: Scheduled maintenance
  message: Flight plans are read-only.
  channels:
  - {name: ops, webhook: {url: 'https://hooks.example.com/ops'}}
  - {name: chat, slack: {urlFrom: {secretKeyRef: {name: slack, key: url}}}, stages: [24h, Opened, Cancelled, Closed]}
";

/// The same, looked at five days before.
fn told() -> World {
    let mut world = World::new(TOLD, "01T00:00");
    world.passes();
    world
}

/// The same, and open since a minute.
fn open() -> World {
    let mut world = told();
    world.until("06T01:01");
    world.check_open();
    world.arrived();
    world
}

impl World {
    fn check_open(&self) {
        assert_eq!(self.told().phase, Some(Phase::Open), "{:?}", self.told().message);
    }

    fn condition(&self, kind: &str) -> Option<(bool, String, String)> {
        let found = self.told().conditions.iter().find(|condition| condition.type_ == kind)?;
        Some((found.status == "True", found.reason.clone(), found.message.clone()))
    }
}

#[test]
fn people_hear_of_an_opening_once_at_each_stage_and_channel() {
    let mut world = told();
    assert_eq!(world.arrived(), [format!("ops: 6d of {ID}")]);
    world.check(Phase::Announced, false, "opens Sun 6 Dec 2026 02:00–04:00 CET; announced to ops");
    assert!(world.facts.finalizer, "who was told has to hear of a deletion");
    assert!(world.condition("Ready").unwrap().0);
    let said = (true, "Told".into(), "every notice went out".into());
    assert_eq!(world.condition("Notified"), Some(said));
    for (until, told) in [
        ("05T00:59", vec![]),
        ("05T01:00", vec![format!("ops: 24h of {ID}"), format!("chat: 24h of {ID}")]),
        ("06T00:00", vec![format!("ops: 1h of {ID}")]),
        ("06T01:00", vec![format!("ops: Opened of {ID}"), format!("chat: Opened of {ID}")]),
        ("06T01:31", vec![format!("ops: Progress of {ID}")]),
        ("06T02:01", vec![format!("ops: Progress of {ID}")]),
        ("06T02:31", vec![format!("ops: Progress of {ID}")]),
    ] {
        world.until(until);
        assert_eq!(world.arrived(), told, "{until}");
    }
    world.until("06T03:01");
    let next = "weekly-20261213T0100Z";
    let all = world.arrived();
    for told in [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")] {
        assert!(all.contains(&told), "{all:?}");
    }
    assert!(all.iter().all(|told| !told.contains(next)), "{all:?}");
    assert_eq!(world.events.iter().filter(|event| **event == "Announced").count(), 1);
}

#[test]
fn what_is_due_together_goes_out_together_and_leaves_nothing_to_say() {
    let mut world = World::new(TOLD, "06T00:30");
    world.passes();
    // Missed leads collapse into the latest.
    assert_eq!(world.arrived(), [format!("ops: 1h of {ID}"), format!("chat: 24h of {ID}")]);
    let before = world.status.clone();
    world.later(1);
    assert_eq!((world.arrived(), world.status), (vec![], before));
}

#[test]
fn what_happens_within_a_second_is_told_at_once() {
    let half = jiff::SignedDuration::from_millis(500);
    let mut world = told();
    world.until("06T00:59");
    world.arrived();
    world.now = december("06T01:00") + half;
    world.passes();
    let told = world.arrived();
    assert_eq!(told, [format!("ops: Opened of {ID}"), format!("chat: Opened of {ID}")]);
    world.now = december("06T01:30") + half;
    world.delete();
    world.passes();
    let told = world.arrived();
    assert_eq!(told, [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")]);
    assert!(!world.facts.finalizer);
}

#[test]
fn a_channel_that_fails_delays_nothing_and_is_told() {
    let mut world = told();
    world.mail.broken.insert("ops".into());
    world.until("06T01:00");
    world.check_open();
    assert!(world.told().gate.as_ref().unwrap().open);
    assert_eq!(world.arrived().iter().filter(|told| told.starts_with("chat: ")).count(), 2);
    let (holds, reason, message) = world.condition("Notified").unwrap();
    assert_eq!((holds, reason.as_str()), (false, "ChannelFails"));
    assert_eq!(message, format!("channel ops was not told Opened of {ID}: it is away"));
    let failed = world.events.iter().filter(|event| **event == "NoticeFailed").count();
    assert_eq!(failed, 3, "24h, 1h and Opened: {:?}", world.events);
    // Mended, it hears of what counts now, once.
    world.mail.broken.clear();
    world.until("06T01:20");
    assert_eq!(world.arrived(), [format!("ops: Opened of {ID}")]);
    assert!(world.condition("Notified").unwrap().0);
}

#[test]
fn nothing_is_sent_right_before_something_changes() {
    let mut world = told();
    world.until("05T01:00");
    world.mail.broken.insert("chat".into());
    world.arrived();
    world.edit(|spec| {
        let notices = spec.notices.as_mut().unwrap();
        notices.before = Some(vec!["24h".parse().unwrap(), "1m".parse().unwrap()]);
    });
    world.now = december("06T00:59") + jiff::SignedDuration::from_secs(35);
    let plan = world.passes();
    assert_eq!(world.arrived(), Vec::<String>::new());
    assert_eq!(plan.revisit, Revisit::At(december("06T01:00")));
    world.at("06T01:00");
    assert_eq!(world.arrived(), [format!("ops: Opened of {ID}")]);
}

#[test]
fn what_was_announced_and_is_skipped_is_cancelled() {
    let mut world = told();
    world.arrived();
    world.ask(&format!("skip@{ID}"));
    assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
    let text = world.text();
    assert!(text.contains("Why:     alice skipped it"), "{text}");
    assert!(text.contains("- next: Sun 13 Dec 2026 02:00–04:00 CET"), "{text}");
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    assert!(!world.facts.finalizer);
    world.until("08T12:00");
    assert!(!world.arrived().iter().any(|told| told.contains(ID)));
    assert_eq!(world.book().endings, [], "forgotten after a day");
}

#[test]
fn what_is_suspended_is_cancelled_and_announced_anew_when_it_is_to_come_after_all() {
    for audit in [false, true] {
        let suspend = |world: &mut World, on: bool| {
            world.edit(|spec| match (audit, on) {
                (false, on) => spec.suspend = Some(on),
                (true, true) => spec.mode = Some(Mode::Audit),
                (true, false) => spec.mode = None,
            });
            world.passes();
        };
        let mut world = told();
        world.arrived();
        suspend(&mut world, true);
        assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
        world.later(600);
        suspend(&mut world, false);
        assert_eq!(world.arrived(), [format!("ops: 6d of {ID}")]);
        world.until("06T01:01");
        assert!(world.arrived().contains(&format!("ops: Opened of {ID}")));
        // A peer that drops what it has heard already hears each of them.
        let keys: Vec<String> =
            world.mail.all.iter().map(|letter| letter.message.key(&letter.channel.name)).collect();
        let distinct: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}

#[test]
fn an_edit_that_moves_what_was_announced_is_told_as_a_change() {
    let mut world = told();
    world.arrived();
    world.mail.broken.insert("ops".into());
    world.edit(|spec| spec.schedules.as_mut().unwrap()[0].cron = Some("0 3 * * SUN".into()));
    world.passes();
    assert_eq!(world.arrived(), Vec::<String>::new());
    world.mail.broken.clear();
    world.later(60);
    let moved = "weekly-20261206T0200Z";
    assert_eq!(world.arrived(), [format!("ops: Changed of {moved}")]);
    let letter = world.mail.all.last().unwrap();
    assert_eq!(letter.message.replaces.as_deref(), Some(ID));
    assert_eq!(letter.due.was.unwrap().opens, december("06T01:00"));
    assert!(world.text().contains("Why:     its schedule was changed"), "{}", world.text());
    world.until("06T02:01");
    let all = world.arrived();
    assert!(all.contains(&format!("ops: Opened of {moved}")) && !all.join("").contains(ID));
}

#[test]
fn an_edit_that_takes_away_what_was_announced_is_told_as_cancelled() {
    let mut world = told();
    world.arrived();
    let dark =
        "{timeZone: X, blackouts: [{name: freeze, from: '2026-12-05', until: '2026-12-08'}]}";
    world.edit(|old| old.blackouts = spec(dark).blackouts);
    world.passes();
    assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
    assert!(world.text().contains("the window does not have it any more"), "{}", world.text());
}

#[test]
fn deletion_waits_until_people_know_but_not_for_long() {
    let mut world = told();
    world.arrived();
    world.delete();
    world.passes();
    assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
    assert!(world.text().contains("the window is deleted"));
    assert!(!world.facts.finalizer);

    let mut world = told();
    world.mail.broken.insert("ops".into());
    world.delete();
    let plan = world.passes();
    assert!(world.facts.finalizer && plan.notes.is_empty());
    assert_eq!(world.told().message.as_deref(), Some("telling people that it is deleted"));
    world.now += jiff::SignedDuration::from_secs(60);
    let plan = world.passes();
    assert!(!world.facts.finalizer);
    let note = plan.notes.first().unwrap();
    assert_eq!(note.message, "let go, and ops could not be told that it is deleted");

    // What is open closes first, and nobody was there to tell for a while.
    let mut world = open();
    world.delete();
    world.later(300);
    assert_eq!(world.arrived(), [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")]);
    assert!(!world.facts.finalizer);

    let mut world = told();
    world.delete();
    world.facts.deletion = Deletion::Abandon;
    let plan = world.plan();
    assert!(!plan.finalizer && plan.letters.is_empty());
    assert!(plan.notes[0].message.contains("people could not be told"), "{:?}", plan.notes);
}

#[test]
fn what_is_open_is_told_by_the_spec_that_it_opened_with() {
    let mut world = open();
    world.edit(|spec| spec.notices.as_mut().unwrap().channels.truncate(1));
    world.ask(&format!("extend=30m@{ID}"));
    assert_eq!(world.arrived(), [format!("ops: Extended of {ID}")]);
    assert!(world.text().contains("Why:     alice extended it"), "{}", world.text());
    world.edit(|spec| spec.notices = None);
    world.ask(&format!("close@{ID}"));
    let told = world.arrived();
    assert_eq!(told, [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")]);
    let text = world.text();
    assert!(text.contains("is closed: Completed") && text.contains("alice closed it"), "{text}");
    // A channel that is new hears nothing of what was before it.
    world.edit(|old| old.notices = spec(TOLD).notices);
    world.edit(|spec| spec.notices.as_mut().unwrap().channels[0].channel.name = "new".into());
    world.later(60);
    assert!(!world.arrived().iter().any(|told| told.contains(ID)));
}

#[test]
fn an_emergency_is_told_at_once_with_its_reason() {
    let mut world = told();
    world.edit(|spec| {
        spec.schedules.as_mut().unwrap()[0].cron = None;
        spec.schedules.as_mut().unwrap()[0].once = Some("2026-12-01T08:00".into());
        spec.emergency = Some(Emergency {
            reason: "the disk is full".into(),
            requested_by: "jane".into(),
            stands_for: vec!["other".into()],
        });
        spec.notices.as_mut().unwrap().before = None;
        spec.notices.as_mut().unwrap().channels.truncate(1);
    });
    let mut world = World { status: None, mail: Default::default(), ..world };
    world.facts.created_at = Some(world.now);
    world.passes();
    assert_eq!(world.arrived(), ["ops: 7h of weekly-20261201T0700Z"]);
    assert!(world.text().contains("Why:     emergency: the disk is full, asked for by jane"));
    world.until("01T07:00");
    assert_eq!(world.arrived(), ["ops: Opened of weekly-20261201T0700Z"]);
}

#[test]
fn alarms_that_are_quiet_and_that_fire_still_are_told() {
    let mut world = told();
    world.cloud = Cloud::of(&["api-5xx", "api-errors"]);
    world.edit(|old| {
        old.alarms = spec("{timeZone: X, alarms: {namePrefixes: [api-]}}").alarms;
    });
    world.until("06T01:01");
    world.check_open();
    assert!(world.text().contains("Muted:   2 alarms: api-5xx, api-errors"), "{}", world.text());
    world.cloud.alarms.insert("api-5xx".into(), true);
    world.until("06T03:01");
    assert!(world.text().contains("Firing:  1 alarm: api-5xx"), "{}", world.text());
}

#[test]
fn a_spec_that_cannot_work_cancels_nothing() {
    let mut world = told();
    world.arrived();
    world.edit(|spec| spec.time_zone = "Mars/Olympus".into());
    world.passes();
    assert_eq!((world.told().phase, world.arrived().len()), (Some(Phase::Invalid), 0));
    world.edit(|spec| spec.time_zone = "Europe/Berlin".into());
    world.passes();
    assert_eq!((world.told().phase, world.arrived().len()), (Some(Phase::Announced), 0));
}

#[test]
fn a_missed_opening_is_told() {
    let mut world = told();
    world.until("05T01:00");
    world.arrived();
    world.at("06T03:30");
    let told = world.arrived();
    assert!(told.contains(&format!("ops: Missed of {ID}")), "{told:?}");
    assert!(told.contains(&format!("chat: Missed of {ID}")), "{told:?}");
    assert!(!told.join(" ").contains("Opened"), "{told:?}");
}

#[test]
fn a_stage_that_no_notice_has_is_refused() {
    let mut world = told();
    world.edit(|spec| {
        spec.notices.as_mut().unwrap().channels[0].stages = Some(vec!["2d".into()]);
    });
    world.passes();
    let message = "spec.notices.channels[0].stages: 2d is no duration of notices.before: nobody would be told then";
    world.check(Phase::Invalid, false, message);
}
