//! Questions that every kind asks of its objects.

use kube::{Resource, ResourceExt};

use crate::{
    api::{
        ABANDON_ANNOTATION, ACTION_ANNOTATION, ACTION_BY_ANNOTATION, FINALIZER, fit::ACTION_MAX,
    },
    error::clean,
    facts::kubernetes::{ActionRequest, Deletion},
};

/// Whether the object is being deleted, and how.
pub fn deletion<K: Resource>(object: &K) -> Deletion {
    let abandoned =
        object.annotations().get(ABANDON_ANNOTATION).is_some_and(|value| value == "true");
    match (object.meta().deletion_timestamp.is_some(), abandoned) {
        (false, _) => Deletion::None,
        (true, false) => Deletion::Undo,
        (true, true) => Deletion::Abandon,
    }
}

/// Whether our finalizer is there.
pub fn has_finalizer<K: Resource>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// The verb that the annotations state, cut to what the status can hold.
pub fn action_request<K: Resource>(object: &K) -> Option<ActionRequest> {
    let value = object.annotations().get(ACTION_ANNOTATION)?;
    let by = object.annotations().get(ACTION_BY_ANNOTATION).map_or("", String::as_str);
    let cut = |text: &str| clean(text).chars().take(ACTION_MAX).collect();
    Some(ActionRequest { value: cut(value), by: cut(by) })
}
