//! An Event in the form in which the API server takes it.

use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event as KubeEvent},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};

use super::port::{Event, ObjectId};
use crate::api::{FIELD_MANAGER, fit::cut_bytes};

/// Longest note, in bytes.
///
/// Source: validation of events.k8s.io/v1 in the API server.
const NOTE_BYTES_MAX: usize = 1_024;
/// Longest name of a replica, in bytes. Source: as above.
const INSTANCE_BYTES_MAX: usize = 128;

/// The Event about `object` that the replica `instance` makes now.
pub fn event(object: &ObjectId, event: &Event, instance: &str, now: Timestamp) -> KubeEvent {
    let kind = if event.warning { "Warning" } else { "Normal" };
    let cut = |text: &str, most| {
        let mut text = text.to_owned();
        cut_bytes(&mut text, most);
        Some(text)
    };
    KubeEvent {
        metadata: ObjectMeta {
            namespace: Some(object.namespace.clone()),
            name: Some(format!("{}.{:x}", object.name, now.as_nanosecond())),
            ..ObjectMeta::default()
        },
        regarding: Some(ObjectReference {
            api_version: Some(object.kind.api_version.into()),
            kind: Some(object.kind.kind.into()),
            namespace: Some(object.namespace.clone()),
            name: Some(object.name.clone()),
            uid: Some(object.uid.clone()),
            ..ObjectReference::default()
        }),
        type_: Some(kind.into()),
        reason: Some(event.reason.clone()),
        action: Some(event.reason.clone()),
        note: cut(&event.note, NOTE_BYTES_MAX),
        event_time: Some(MicroTime(now)),
        reporting_controller: Some(FIELD_MANAGER.into()),
        reporting_instance: cut(instance, INSTANCE_BYTES_MAX),
        ..KubeEvent::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::port::KindNames;

    #[test]
    fn a_note_is_cut_to_the_bytes_that_the_api_server_takes() {
        let kind = KindNames { api_version: "v1", kind: "Thing", plural: "things" };
        let object =
            ObjectId { kind, namespace: "ns".into(), name: "one".into(), uid: String::new() };
        let note = |note: &str| {
            let told = Event { warning: true, reason: "Why".into(), note: note.into() };
            event(&object, &told, &"i".repeat(200), Timestamp::UNIX_EPOCH)
        };
        for (text, bytes) in [("x".repeat(1_024), 1_024), ("é".repeat(600), 1_023)] {
            let cut = note(&text);
            assert_eq!(cut.note.unwrap().len(), bytes);
            assert_eq!(cut.reporting_instance.unwrap().len(), 128);
        }
        assert!(note(&"é".repeat(600)).note.unwrap().ends_with("é…"));
    }
}
