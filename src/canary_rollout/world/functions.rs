//! Functions and their deployments, for the tests of the pure parts.

use crate::{
    canary_rollout::decide::Unread,
    error::Remedy,
    facts::{
        codedeploy::{AliasDeployment, Stage},
        lambda::{FunctionState, FunctionVersion, LastUpdate, Snapshot},
    },
};

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

/// A deployment of CodeDeploy to the alias.
pub fn deployment(stage: Stage) -> AliasDeployment {
    AliasDeployment {
        function: "flightdata-processor".into(),
        alias: "production".into(),
        id: format!("d-{stage:?}"),
        application: "shop".into(),
        group: Some("processor".into()),
        stage,
        created: "2026-12-01T23:59:59Z".parse().unwrap(),
    }
}

/// A read that a permission is missing for.
pub fn denied(operation: &str) -> Unread {
    Unread {
        remedy: Remedy::AwaitEdit,
        reason: "AccessDenied",
        message: format!("{operation} was denied (request 1)"),
    }
}
