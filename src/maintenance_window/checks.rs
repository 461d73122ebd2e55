//! The checks of a window: what a decision asks of them, and how they are run.

use std::sync::Arc;

use super::{MaintenanceWindows, aws};
use crate::{
    api::{maintenance_window::MaintenanceWindow, window_checks::WindowStage},
    aws::session::Session,
    checks::{Asked, Check},
    context::Context,
    engine::Kind as _,
    error::chain,
    facts::check::CheckResult,
    kubernetes::publish,
};

/// Which checks are to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Around which end of the opening.
    pub stage: WindowStage,
    /// The opening: results for another one are of no use.
    pub occurrence: String,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Question {
    /// Whether one of them reads AWS.
    pub fn reads_aws(&self) -> bool {
        self.checks.iter().any(Check::reads_aws)
    }
}

/// What the checks say, as far as they are over. Without `calls` those that read AWS cannot be looked
/// at, and say why.
pub async fn run(
    object: &MaintenanceWindow,
    context: &Context,
    question: &Question,
    calls: Result<&aws::Calls<'_>, &str>,
) -> Vec<CheckResult> {
    let mut checks = Vec::with_capacity(question.checks.len());
    for check in &question.checks {
        let session = session(check, calls).await;
        checks.push((check.clone(), session));
    }
    // Results of another spec are of no use.
    let generation = object.metadata.generation.unwrap_or_default();
    let about = format!("{} {generation}", question.occurrence);
    let owner = publish::id(MaintenanceWindows::NAMES, object);
    let list = match question.stage {
        WindowStage::BeforeOpening => "preChecks",
        WindowStage::AfterClose => "postChecks",
    };
    context.checks.results(Asked { owner: &owner, list, about: &about, checks }).await
}

async fn session(
    check: &Check,
    calls: Result<&aws::Calls<'_>, &str>,
) -> Result<Arc<Session>, String> {
    let session = calls?.session_in(check.region.as_deref()).await;
    session.map_err(|error| chain(&error))
}
