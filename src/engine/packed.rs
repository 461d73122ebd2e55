//! Objects as they are kept between passes. All of them are in memory, and most are at rest for
//! days: so each is kept as its metadata and a compressed text, and unpacked only for a pass.

use std::{borrow::Cow, fmt, io::Read as _};

use flate2::{Compression, bufread::DeflateDecoder, write::DeflateEncoder};
use kube::{
    Resource,
    api::ObjectMeta,
    core::{DeserializeGuard, NamespaceResourceScope},
};
use serde::{Deserialize, Deserializer, Serialize};

use super::Kind;

/// An object of a kind, or what is known of one that cannot be read.
pub struct Packed<K: Kind> {
    meta: ObjectMeta,
    /// The object without its metadata as compressed JSON, or why it cannot be read.
    body: Result<Box<[u8]>, Box<str>>,
    subject: u64,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K: Kind> Packed<K> {
    /// Keeps what passes need. Most of an object's metadata is bookkeeping that nobody here reads.
    fn new(guard: DeserializeGuard<K::Object>) -> Self {
        let (mut meta, subject, body) = match guard.0 {
            Ok(mut object) => {
                let meta = std::mem::take(object.meta_mut());
                let body = compress(&object).map_err(|error| error.to_string().into());
                (meta, K::subject(&object), body)
            }
            Err(invalid) => {
                let why = invalid.to_string().into();
                (invalid.metadata, 0, Err(why))
            }
        };
        meta.managed_fields = None;
        if let Some(annotations) = &mut meta.annotations {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        Self { meta, body, subject, kind: std::marker::PhantomData }
    }

    /// Why the object cannot be read, if it cannot.
    #[must_use]
    pub fn unreadable(&self) -> Option<&str> {
        self.body.as_ref().err().map(AsRef::as_ref)
    }

    /// The object, unless it cannot be read.
    #[must_use]
    pub fn unpack(&self) -> Option<K::Object> {
        let body = self.body.as_ref().ok()?;
        // It was written by the same code that reads it here.
        let mut json = Vec::new();
        DeflateDecoder::new(&**body).read_to_end(&mut json).ok()?;
        let mut object: K::Object = serde_json::from_slice(&json).ok()?;
        *object.meta_mut() = self.meta.clone();
        Some(object)
    }

    /// What [`Kind::subject`] said of the object; 0 when it cannot be read.
    #[must_use]
    pub fn subject(&self) -> u64 {
        self.subject
    }
}

fn compress(object: &impl Serialize) -> Result<Box<[u8]>, serde_json::Error> {
    let mut body = DeflateEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut body, object)?;
    let body = body.finish().map_err(serde_json::Error::io)?;
    Ok(body.into_boxed_slice())
}

impl<'de, K: Kind> Deserialize<'de> for Packed<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DeserializeGuard::<K::Object>::deserialize(deserializer).map(Self::new)
    }
}

impl<K: Kind> Clone for Packed<K> {
    fn clone(&self) -> Self {
        Self {
            meta: self.meta.clone(),
            body: self.body.clone(),
            subject: self.subject,
            kind: self.kind,
        }
    }
}

impl<K: Kind> fmt::Debug for Packed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { meta, .. } = self;
        f.debug_struct("Packed").field("meta", meta).finish_non_exhaustive()
    }
}

impl<K: Kind> Resource for Packed<K> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        K::Object::kind(&())
    }
    fn group((): &()) -> Cow<'_, str> {
        K::Object::group(&())
    }
    fn version((): &()) -> Cow<'_, str> {
        K::Object::version(&())
    }
    fn plural((): &()) -> Cow<'_, str> {
        K::Object::plural(&())
    }
    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::canary_rollout::{CanaryRollouts, same_function};

    fn read(object: Value) -> Packed<CanaryRollouts> {
        serde_json::from_value(object).unwrap()
    }

    fn object() -> Value {
        json!({
            "apiVersion": "groundcrew.dev/v1alpha1",
            "kind": "CanaryRollout",
            "metadata": {
                "name": "checkout", "namespace": "shop", "uid": "u", "resourceVersion": "7",
                "generation": 3, "finalizers": ["groundcrew.dev/cleanup"],
                "annotations": {"groundcrew.dev/action": "pause@x"},
                "creationTimestamp": "2026-11-20T01:02:03Z",
            },
            "spec": {
                "function": {"name": "f", "alias": "live"},
                "release": {"version": "2"},
                "steps": [{"weight": 10, "hold": "1m30s"}],
                "bake": "1h",
            },
            "status": {
                "observedGeneration": 3, "phase": "Healthy", "stable": {"version": "2"},
                "conditions": [{
                    "type": "Ready", "status": "True", "reason": "Promoted", "message": "m",
                    "lastTransitionTime": "2026-11-20T01:02:03Z", "observedGeneration": 3,
                }],
            },
        })
    }

    #[test]
    fn an_object_comes_out_as_it_went_in_without_its_bookkeeping() {
        let mut bulky = object();
        bulky["metadata"]["managedFields"] =
            json!([{"manager": "kubectl", "fieldsV1": {"f:a": {}}}]);
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        bulky["metadata"]["annotations"][applied] = json!("{}");
        let unpacked = read(bulky).unpack().unwrap();
        assert_eq!(serde_json::to_value(&unpacked).unwrap(), object());
    }

    #[test]
    fn rollouts_of_one_alias_have_one_subject_and_those_of_one_function_its_half() {
        let mut other = object();
        other["metadata"]["name"] = json!("other");
        assert_eq!(read(other.clone()).subject(), read(object()).subject());
        other["spec"]["function"]["alias"] = json!("test");
        let (one, another) = (read(object()).subject(), read(other.clone()).subject());
        assert_ne!(one, another);
        assert!(same_function(one, another));
        other["spec"]["function"]["name"] = json!("g");
        assert!(!same_function(one, read(other).subject()));
    }

    #[test]
    fn one_that_cannot_be_read_says_why_and_keeps_its_name() {
        let mut broken = object();
        broken["spec"]["function"] = json!("a text");
        let packed = read(broken);
        assert_eq!(packed.meta().name.as_deref(), Some("checkout"));
        assert!(packed.unpack().is_none());
        let why = packed.unreadable().unwrap();
        assert!(why.contains("a text"), "{why}");
    }
}
