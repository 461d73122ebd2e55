use super::*;
use crate::{
    api::maintenance_window::MaintenanceWindowStatus,
    maintenance_window::world::{WEEKLY, spec},
};

#[test]
fn region_and_account_are_those_of_the_first_look() {
    let mut object = MaintenanceWindow::new("weekly", spec(WEEKLY));
    assert_eq!(pinned(&object), Pinned::default());
    let (region, account) = ("eu-central-1".to_owned(), "123456789012".to_owned());
    object.status = Some(MaintenanceWindowStatus {
        region: Some(region.clone()),
        account_id: Some(account.clone()),
        ..MaintenanceWindowStatus::default()
    });
    assert_eq!(pinned(&object), Pinned { region: Some(region), account_id: Some(account) });
}
