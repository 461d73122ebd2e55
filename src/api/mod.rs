//! The custom resources as users write them, and the vocabulary they share.
//!
//! Only `serde`, `schemars` and `kube`'s derives live here: no clock, no client, no decision.

pub mod analysis;
pub mod canary_findings;
pub mod canary_rollout;
pub mod canary_status;
pub mod channel;
pub mod check;
pub mod counted;
pub mod duration;
pub mod fit;
pub mod maintenance_window;
pub mod notifications;
pub mod schema;
pub mod shared;
pub mod window_alarms;
pub mod window_checks;
pub mod window_history;
pub mod window_metrics;
pub mod window_notices;
pub mod window_status;
pub mod window_tasks;
pub mod windows;

/// API group of every kind.
pub const GROUP: &str = "groundcrew.dev";
/// Annotation that carries a verb: `<verb>[=<arg>]@<target>[#<nonce>]`.
pub const ACTION_ANNOTATION: &str = "groundcrew.dev/action";
/// Annotation that says who asked for the verb; filled by the CLI, shown in `status.lastAction.by`.
pub const ACTION_BY_ANNOTATION: &str = "groundcrew.dev/action-by";
/// Annotation with which deletion lets go without undoing.
pub const ABANDON_ANNOTATION: &str = "groundcrew.dev/abandon";
/// Namespace annotation that names the AWS region of its objects.
pub const REGION_ANNOTATION: &str = "groundcrew.dev/region";
/// Namespace annotation that names the IAM role its objects act with; a cluster admin's word.
pub const ROLE_ANNOTATION: &str = "groundcrew.dev/role-arn";
/// Finalizer that is present only while there is something to undo.
pub const FINALIZER: &str = "groundcrew.dev/cleanup";
/// Field manager of every status and metadata write of the operator.
pub const FIELD_MANAGER: &str = "groundcrew";
