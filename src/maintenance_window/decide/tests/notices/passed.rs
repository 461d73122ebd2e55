//! What people are told of openings that are not to come, and of who pushed a close.

use jiff::SignedDuration;

use super::{ID, TOLD, told};
use crate::{
    api::maintenance_window::Phase,
    facts::kubernetes::Deletion,
    maintenance_window::world::{World, december},
};

const NEXT: &str = "weekly-20261213T0100Z";

fn spoil(world: &mut World) {
    world.edit(|spec| spec.time_zone = "Mars/Olympus".into());
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Invalid));
}

fn mend(world: &mut World) {
    world.edit(|spec| spec.time_zone = "Europe/Berlin".into());
    world.passes();
}

#[test]
fn what_does_not_open_again_names_no_opening_as_the_next() {
    for how in ["suspended", "deleted"] {
        let mut world = told();
        world.arrived();
        if how == "suspended" {
            world.edit(|spec| spec.suspend = Some(true));
        } else {
            world.delete();
        }
        world.passes();
        assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
        assert!(world.text().contains(&format!("Why:     the window is {how}")));
        assert!(!world.text().contains("next:"), "{}", world.text());
    }
}

#[test]
fn an_overrun_is_put_on_nobody() {
    let task = "tasks: [{name: patch, timeout: 110m, ssm: {command: {document: AWS-RunPatchBaseline, targets: [{key: 'tag:role', values: [gpu]}]}}}]";
    let spec = TOLD.replace("every: 30m", "every: 24h");
    let mut world = World::new(&format!("{spec}{task}"), "06T00:30");
    world.plant.takes = SignedDuration::from_hours(9);
    world.until("06T01:10");
    let refused = world.ask(&format!("extend=2h@{ID}#1"));
    assert!(refused.starts_with("Refused"), "{refused}");
    world.until("06T02:58");
    assert!(world.arrived().contains(&format!("ops: Extended of {ID}")));
    assert!(!world.text().contains("extended it"), "{}", world.text());
    // A person does, and the task goes on after it.
    world.ask(&format!("extend=10m@{ID}#2"));
    assert_eq!(world.arrived(), [format!("ops: Extended of {ID}")]);
    assert!(world.text().contains("Why:     alice extended it"), "{}", world.text());
    world.until("06T03:24");
    assert!(world.arrived().contains(&format!("ops: Extended of {ID}")));
    assert!(!world.text().contains("extended it"), "{}", world.text());
}

#[test]
fn what_passes_while_the_spec_cannot_work_is_cancelled_and_moves_nothing() {
    let mut world = told();
    world.arrived();
    spoil(&mut world);
    world.until("06T00:59");
    assert_eq!(world.arrived(), Vec::<String>::new(), "it may come yet");
    world.until("06T01:00");
    assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
    let why = "Why:     its spec cannot work: spec.timeZone: ";
    assert!(world.text().contains(why), "{}", world.text());
    world.until("06T12:00");
    assert_eq!(world.arrived(), Vec::<String>::new());
    mend(&mut world);
    assert_eq!(world.arrived(), Vec::<String>::new());
    assert_eq!(world.book().moved, []);
    world.at("07T01:00");
    assert_eq!(world.arrived(), [format!("ops: 6d of {NEXT}")]);
}

#[test]
fn what_is_mended_in_its_time_opens_and_is_told_anew() {
    let mut world = told();
    spoil(&mut world);
    world.until("06T01:30");
    assert!(world.arrived().contains(&format!("ops: Cancelled of {ID}")));
    mend(&mut world);
    assert!(world.arrived().contains(&format!("ops: Opened of {ID}")));
}

#[test]
fn channels_that_cannot_be_read_are_told_once_they_can_unless_it_is_long_ago() {
    for (hours, told) in [(1, vec![format!("ops: Cancelled of {ID}")]), (25, vec![])] {
        let mut world = self::told();
        world.arrived();
        world.edit(|spec| {
            spec.notices.as_mut().unwrap().channels[0].stages = Some(vec!["2d".into()]);
        });
        world.until("06T03:00");
        assert_eq!((world.told().phase, world.arrived()), (Some(Phase::Invalid), vec![]));
        world.now += SignedDuration::from_hours(hours);
        world.edit(|spec| spec.notices.as_mut().unwrap().channels[0].stages = None);
        world.passes();
        let mut all = world.arrived();
        all.retain(|said| !said.contains(NEXT));
        assert_eq!(all, told);
        assert!(!world.mail.all.iter().any(|letter| letter.message.replaces.is_some()));
    }
}

#[test]
fn who_deletes_what_cannot_work_is_no_reason_to_tell_nobody() {
    let mut world = told();
    world.arrived();
    spoil(&mut world);
    world.now = december("02T00:00");
    world.delete();
    world.passes();
    assert_eq!(world.facts.deletion, Deletion::Undo);
    assert_eq!(world.arrived(), [format!("ops: Cancelled of {ID}")]);
    assert!(world.text().contains("Why:     the window is deleted"), "{}", world.text());
    assert!(!world.facts.finalizer);
}
