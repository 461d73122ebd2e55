//! The CRDs as they are installed: what the derives make, adjusted to what the API asks for.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    canary_rollout::{CanaryRollout, CanaryRolloutSpec, CanaryRolloutStatus},
    maintenance_window::{MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus},
};

/// A CRD that cannot be brought into its final shape: a mistake in our types, found by tests.
#[derive(Debug, thiserror::Error)]
#[error("cannot shape the CRD {name}")]
pub struct SchemaError {
    name: &'static str,
    source: serde_json::Error,
}

/// Every CRD, in the form in which it is applied.
///
/// # Errors
///
/// [`SchemaError`] when a derived CRD does not survive the adjustments.
pub fn crds() -> Result<Vec<CustomResourceDefinition>, SchemaError> {
    Ok(vec![
        shaped::<CanaryRollout, CanaryRolloutSpec, CanaryRolloutStatus>()?,
        shaped::<MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus>()?,
    ])
}

fn shaped<K: CustomResourceExt, Spec: JsonSchema, Status: JsonSchema>()
-> Result<CustomResourceDefinition, SchemaError> {
    let fail = |source| SchemaError { name: K::crd_name(), source };
    let mut value = serde_json::to_value(K::crd()).map_err(fail)?;
    for (part, derived) in [("spec", derived::<Spec>()), ("status", derived::<Status>())] {
        let pointer = format!("/spec/versions/0/schema/openAPIV3Schema/properties/{part}");
        if let Some(schema) = value.pointer_mut(&pointer) {
            describe(schema, &derived);
        }
    }
    if let Some(schemas) = value.pointer_mut("/spec/versions") {
        strip_nullable(schemas);
    }
    let status = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status");
    if let Some(Value::Object(status)) = status {
        // kstatus calls an object without status Current; with this it is InProgress.
        status.insert("default".into(), json!({"observedGeneration": -1}));
    }
    serde_json::from_value(value).map_err(fail)
}

/// The schema of a type before it is made structural.
fn derived<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// Gives optional fields their own descriptions back: what makes schemas structural puts that of the
/// type in its place.
fn describe(schema: &mut Value, derived: &Value) {
    let Value::Object(map) = schema else { return };
    let value = derived.pointer("/anyOf/0");
    if let (Some(_), Some(own)) = (value, derived.get("description")) {
        map.insert("description".into(), own.clone());
    }
    let below = value.unwrap_or(derived);
    let fields = below.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, derived) in fields {
        let field = map.get_mut("properties").and_then(|fields| fields.get_mut(name));
        field.into_iter().for_each(|field| describe(field, derived));
    }
    for key in ["items", "additionalProperties"] {
        if let (Some(values), Some(derived)) = (map.get_mut(key), below.get(key)) {
            describe(values, derived);
        }
    }
}

/// Takes `nullable` out: an explicit null would be stored, and means nothing here.
fn strip_nullable(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("nullable");
            drop_null_variant(map);
            map.values_mut().for_each(strip_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nullable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_null_variant(map: &mut Map<String, Value>) {
    if let Some(Value::Array(variants)) = map.get_mut("enum") {
        variants.retain(|variant| !variant.is_null());
    }
}

#[cfg(test)]
mod tests;
