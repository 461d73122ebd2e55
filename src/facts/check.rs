//! What checks said.

use crate::api::check::{CheckStage, CheckVerdict};

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Name of the check in the spec.
    pub name: String,
    /// What it said.
    pub verdict: CheckVerdict,
    /// Why, in a sentence with numbers; holds nothing that a peer could have chosen but AWS's words.
    pub message: String,
}

/// What all checks of a list said, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// What they ran for.
    pub stage: CheckStage,
    /// What they said.
    pub results: Vec<CheckResult>,
}
