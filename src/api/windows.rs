//! Which windows an object obeys.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::maintenance_window::SCHEDULES_MAX;

/// Most windows that are named, and most labels of a selector.
const NAMES_MAX: usize = 16;

/// The MaintenanceWindows of the same namespace in which work may start: exactly one of names and
/// selector. One that is open is enough; one that does not exist, is invalid or suspended, or has a
/// blackout, keeps everything closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.names) != has(self.selector)").message("windows has exactly one of names and selector"))]
pub struct Windows {
    /// Names; each must exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = NAMES_MAX), inner(length(min = 1, max = 52)))]
    pub names: Option<Vec<String>>,
    /// All that carry these labels; there must be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<WindowSelector>,
    /// Only openings of these schedules count. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEDULES_MAX), inner(length(min = 1, max = 32)))]
    pub schedules: Option<Vec<String>>,
}

/// Windows by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowSelector {
    /// Labels that they all carry.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16, "additionalProperties" = serde_json::json!({"type": "string", "maxLength": 63})))]
    #[x_kube(validation = Rule::new("self.all(key, key.size() >= 1 && key.size() <= 317)").message("keys of labels have 1 to 317 characters"))]
    pub match_labels: BTreeMap<String, String>,
}
