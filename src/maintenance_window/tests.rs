//! What the engine is told of a window.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    MaintenanceWindows,
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
