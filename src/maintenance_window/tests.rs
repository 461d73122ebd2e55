//! What the engine is told of a window.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    MaintenanceWindows, fact,
    world::{Cloud, WEEKLY, World},
};
use crate::{
    api::maintenance_window::MaintenanceWindow,
    engine::{Class, Kind as _},
};

fn class(world: &World, deleted: bool) -> Class {
    let mut object = MaintenanceWindow::new("weekly", world.facts.spec.clone());
    object.status = world.status.clone();
    object.metadata.deletion_timestamp = deleted.then_some(Time(world.now));
    MaintenanceWindows::class(&object)
}

/// A window that goes forward must not wait for itself to go back.
#[test]
fn only_what_brings_alarms_back_goes_before_others() {
    let mut world = World::new(&format!("{WEEKLY}alarms: {{names: [db]}}"), "05T12:00");
    world.cloud = Cloud::of(&["db"]);
    world.passes();
    assert_eq!(class(&world, false), Class::Urgent, "waits");
    world.until("06T00:57");
    assert!(world.told().silenced.is_some());
    assert_eq!(class(&world, false), Class::Urgent, "prepares");
    assert_eq!(class(&world, true), Class::Undo, "is deleted before it opens");
    world.until("06T01:30");
    assert_eq!(class(&world, false), Class::Urgent, "is open");
    assert_eq!(class(&world, true), Class::Undo, "is deleted");
    world.edit(|spec| spec.suspend = Some(true));
    world.pass();
    assert_eq!(class(&world, false), Class::Undo, "closes");
}

#[test]
fn who_obeys_a_window_is_told_that_it_is_edited_or_deleted() {
    let mut world = World::weekly();
    world.pass();
    let mut object = MaintenanceWindow::new("weekly", world.facts.spec.clone());
    object.status = world.status.clone();
    object.metadata.generation = Some(world.generation);
    let told = |object: &MaintenanceWindow| (fact(object).current, fact(object).deleting);
    assert_eq!(told(&object), (true, false));
    object.metadata.generation = Some(world.generation + 1);
    assert_eq!(told(&object), (false, false));
    object.metadata.generation = Some(world.generation);
    object.metadata.deletion_timestamp = Some(Time(world.now));
    assert_eq!(told(&object), (false, true));
}
