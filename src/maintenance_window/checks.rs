//! The checks of a window: what a decision asks of them, and how they are run.

use std::{fmt, sync::Arc};

use super::{MaintenanceWindows, aws};
use crate::{
    api::{
        check::Check as RawCheck, maintenance_window::MaintenanceWindow, window_checks::WindowStage,
    },
    aws::session::Session,
    checks::{Asked, Check, InvalidCheck},
    context::Context,
    engine::Kind as _,
    error::chain,
    facts::check::CheckResult,
    kubernetes::publish,
};

/// The list of checks before an opening, which follow edits of the spec.
const PRE_CHECKS: &str = "preChecks";

/// A list of checks. Decisions know its names, and whether it runs Jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List(Vec<Check>);

impl List {
    /// The checks of a spec.
    pub fn new(checks: Vec<Check>) -> Self {
        Self(checks)
    }

    /// Parses the checks of a spec.
    ///
    /// # Errors
    ///
    /// The first field that cannot work, below their list.
    pub fn of(checks: &[RawCheck]) -> Result<Self, InvalidCheck> {
        Check::parse_all(checks).map(Self)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.0.iter()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|check| check.name.as_str())
    }

    /// Whether one of them runs a Job.
    pub fn has_jobs(&self) -> bool {
        self.0.iter().any(Check::is_job)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them reads AWS.
    pub fn reads_aws(&self) -> bool {
        self.0.iter().any(Check::reads_aws)
    }
}

impl fmt::Display for List {
    /// What must hold, without the names of the checks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|check| check.sort.to_string()).collect();
        f.write_str(&all.join(", "))
    }
}

/// Which checks are to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Around which end of the opening.
    pub stage: WindowStage,
    /// The opening: results for another one are of no use.
    pub occurrence: String,
    /// The checks.
    pub list: List,
}

impl Question {
    /// The checks to be run for it.
    pub fn wanted(&self) -> Wanted<'_> {
        let list = match self.stage {
            WindowStage::BeforeOpening => PRE_CHECKS,
            WindowStage::AfterClose => "postChecks",
        };
        Wanted { list, about: &self.occurrence, checks: &self.list }
    }
}

/// Checks to be run.
pub struct Wanted<'a> {
    /// Which list of the window they are.
    pub list: &'static str,
    /// What they run for: results for something else are of no use.
    pub about: &'a str,
    /// The checks.
    pub checks: &'a List,
}

/// What the checks say, as far as they are over. Without `calls` those that read AWS cannot be looked
/// at, and say why.
pub async fn run(
    object: &MaintenanceWindow,
    context: &Context,
    wanted: Wanted<'_>,
    calls: Result<&aws::Calls<'_>, &str>,
) -> Vec<CheckResult> {
    let Wanted { list, about, checks: List(all) } = wanted;
    let mut checks = Vec::with_capacity(all.len());
    for check in all {
        let session = session(check, calls).await;
        checks.push((check.clone(), session));
    }
    let about = subject(list, about, object.metadata.generation);
    let owner = publish::id(MaintenanceWindows::NAMES, object);
    context.checks.results(Asked { owner: &owner, list, about: &about, checks }).await
}

async fn session(
    check: &Check,
    calls: Result<&aws::Calls<'_>, &str>,
) -> Result<Arc<Session>, String> {
    let session = calls?.session_in(check.region.as_deref()).await;
    session.map_err(|error| chain(&error))
}

/// What a list runs for, with what makes its results useless. Those before an opening follow edits; all
/// others are as the opening froze them.
fn subject(list: &str, about: &str, generation: Option<i64>) -> String {
    match list {
        PRE_CHECKS => format!("{about} {}", generation.unwrap_or_default()),
        _ => about.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_begins_only_those_checks_anew_that_it_may_change() {
        let wanted = |stage| {
            let occurrence = "weekly-20261206T0100Z".to_owned();
            let question = Question { stage, occurrence, list: List::default() };
            let Wanted { list, about, .. } = question.wanted();
            [1, 2].map(|generation| subject(list, about, Some(generation)))
        };
        let [first, second] = wanted(WindowStage::BeforeOpening);
        assert_ne!(first, second);
        let [first, second] = wanted(WindowStage::AfterClose);
        assert_eq!(first, second);
        assert_eq!(subject("tasks", "a up", Some(1)), subject("tasks", "a up", Some(2)));
    }
}
