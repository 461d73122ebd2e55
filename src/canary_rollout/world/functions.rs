//! Functions, for the tests of the pure parts.

use crate::facts::lambda::{FunctionState, FunctionVersion, LastUpdate, Snapshot};

/// A function or version that is ready.
pub fn function(version: &str, code_sha256: &str) -> FunctionVersion {
    FunctionVersion {
        version: version.into(),
        code_sha256: code_sha256.into(),
        revision_id: format!("rev-of-{version}"),
        state: FunctionState::Active,
        state_reason: String::new(),
        last_update: LastUpdate::Successful,
        last_update_reason: String::new(),
        snapshot: Snapshot::NotWanted,
        timeout_secs: 30,
        memory_mb: 128,
        runtime: Some("python3.13".into()),
        architectures: vec!["arm64".into()],
        settings: "settings".into(),
        environment_readable: true,
        image: None,
        description: String::new(),
        role: "arn:aws:iam::111122223333:role/processor".into(),
        dead_letter_target: None,
        stack: None,
    }
}
