//! What the object says, and what the process knows of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::{decide::Facts, tasks, window::Window};
use crate::{
    api::maintenance_window::MaintenanceWindow, context::Context, kubernetes::objects, names::Owner,
};

/// Everything that is known before AWS is asked.
pub fn observe(object: &MaintenanceWindow, context: &Context, now: Timestamp) -> Facts {
    let observed = object.status.as_ref().and_then(|status| status.observed_generation);
    let owner = Owner {
        cluster: context.settings.cluster_name().to_owned(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    };
    Facts {
        spec: object.spec.clone(),
        window: Window::parse(&object.spec).and_then(|window| {
            tasks::check_documents(&window.tasks, &context.tasks.documents).map(|()| window)
        }),
        edited: observed != object.metadata.generation,
        deletion: objects::deletion(object),
        deleted_at: object.metadata.deletion_timestamp.as_ref().map(|at| at.0),
        created_at: object.metadata.creation_timestamp.as_ref().map(|at| at.0),
        request: objects::action_request(object),
        sweeps: context.sweeps.is_due(&owner.namespace, &owner.name, now),
        intents: context.tasks.intents.of(&owner.namespace, &owner.name),
        owner,
        uid: object.uid().unwrap_or_default(),
        finalizer: objects::has_finalizer(object),
        alarms: None,
        checks: BTreeMap::new(),
        task: None,
        metrics: None,
        documents: context.tasks.documents.clone(),
    }
}
