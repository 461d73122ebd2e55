//! The only place that writes a status, and what goes with it: finalizer and Events.

use kube::{Resource, ResourceExt};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    objects,
    port::{Class, Error, Event, KindNames, ObjectId, Port},
};
use crate::{api::FINALIZER, plan::Note};

/// The id of an object.
pub fn id<K: Resource>(kind: KindNames, object: &K) -> ObjectId {
    ObjectId {
        kind,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    }
}

/// Publishes a status if it differs from the one that the object has; returns the object as it is
/// then, or none when nothing was written.
///
/// # Errors
///
/// Those of the port; a status that cannot be written as JSON is `Invalid`.
pub async fn status<K, S>(
    port: &dyn Port,
    object: &ObjectId,
    old: Option<&S>,
    new: &S,
) -> Result<Option<K>, Error>
where
    K: DeserializeOwned,
    S: Serialize + PartialEq,
{
    if old == Some(new) {
        return Ok(None);
    }
    let value = serde_json::to_value(new).map_err(|source| unreadable(object, &source))?;
    let applied = port.apply_status(object, &value).await?;
    serde_json::from_value(applied).map(Some).map_err(|source| unreadable(object, &source))
}

/// Adds or takes away our finalizer, if the object does not have it so already; returns the object
/// as it is then, or none when nothing was written.
///
/// # Errors
///
/// Those of the port.
pub async fn finalizer<K>(
    port: &dyn Port,
    id: &ObjectId,
    object: &K,
    wanted: bool,
) -> Result<Option<K>, Error>
where
    K: Resource + DeserializeOwned,
{
    // On an object that is being deleted the API server refuses new finalizers.
    let refused = wanted && object.meta().deletion_timestamp.is_some();
    if objects::has_finalizer(object) == wanted || refused {
        return Ok(None);
    }
    let mut finalizers: Vec<String> =
        object.finalizers().iter().filter(|other| *other != FINALIZER).cloned().collect();
    if wanted {
        finalizers.push(FINALIZER.to_owned());
    }
    let version = object.resource_version().unwrap_or_default();
    let patched = port.set_finalizers(id, &version, &finalizers).await?;
    serde_json::from_value(patched).map(Some).map_err(|source| unreadable(id, &source))
}

/// Publishes notes for people as Events.
pub async fn notes(port: &dyn Port, object: &ObjectId, notes: impl IntoIterator<Item = Note>) {
    let event = |note: Note| Event {
        warning: note.warning,
        reason: note.reason.into(),
        note: note.message,
    };
    let all: Vec<Event> = notes.into_iter().map(event).collect();
    events(port, object, &all).await;
}

/// Publishes Events. An Event that cannot be published is logged and holds nothing up: the status
/// says the same.
pub async fn events(port: &dyn Port, object: &ObjectId, events: &[Event]) {
    for event in events {
        if let Err(error) = port.publish_event(object, event).await {
            tracing::warn!(error = %crate::error::chain(&error), reason = %event.reason, "event not published");
        }
    }
}

fn unreadable(object: &ObjectId, source: &serde_json::Error) -> Error {
    Error {
        action: "read the status",
        object: object.to_string(),
        class: Class::Invalid,
        message: source.to_string(),
    }
}
