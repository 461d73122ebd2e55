//! The CRDs as they are installed: what the derives make, adjusted to what the API asks for.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow};

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
        shaped(CanaryRollout::crd_name(), CanaryRollout::crd())?,
        shaped(MaintenanceWindow::crd_name(), MaintenanceWindow::crd())?,
    ])
}

fn shaped(
    name: &'static str,
    crd: CustomResourceDefinition,
) -> Result<CustomResourceDefinition, SchemaError> {
    let fail = |source| SchemaError { name, source };
    let mut value = serde_json::to_value(crd).map_err(fail)?;
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
