//! Runs the checks that a decision depends on.

use std::sync::Arc;

use kube::ResourceExt as _;

use super::{CanaryRollouts, observe::Place, rollout::Rollout};
use crate::{
    api::{canary_rollout::CanaryRollout, check::CheckStage, shared::AwsLocation},
    aws::{accounts::Pinned, session::Session},
    checks::{Asked, Check},
    engine::Kind as _,
    error::chain,
    facts::check::CheckRun,
    kubernetes::publish,
};

/// What the checks of this stage say, as far as they are over; those that are `spared` do not run.
pub async fn run(
    object: &CanaryRollout,
    stage: CheckStage,
    spared: &[String],
    place: &Place<'_>,
) -> CheckRun {
    // Without a valid spec nothing asks for checks.
    let Ok(rollout) = Rollout::parse(&object.spec) else {
        return CheckRun { stage, results: Vec::new() };
    };
    let list = match stage {
        CheckStage::BeforeStart => rollout.checks,
        CheckStage::At100 | CheckStage::AfterBake | CheckStage::AfterRollback => {
            rollout.post_checks
        }
    };
    let mut checks = Vec::with_capacity(list.len());
    for check in list.into_iter().filter(|check| !spared.contains(&check.name)) {
        let session = session(object, &check, place).await;
        checks.push((check, session));
    }
    // Results of another spec or revision are of no use.
    let revision = object.status.as_ref().and_then(|status| status.revision.clone());
    let generation = object.metadata.generation.unwrap_or_default();
    let about = format!("{stage:?} {generation} {}", revision.unwrap_or_default());
    let owner = publish::id(CanaryRollouts::NAMES, object);
    let asked = Asked { owner: &owner, list: "checks", about: &about, checks };
    CheckRun { stage, results: place.context.checks.results(asked).await }
}

/// What a check reads AWS with: in another region if it names one, always in the same account.
async fn session(
    object: &CanaryRollout,
    check: &Check,
    place: &Place<'_>,
) -> Result<Arc<Session>, String> {
    let elsewhere = check.region.as_deref().filter(|region| *region != place.session.region());
    let Some(region) = elsewhere else { return Ok(Arc::clone(place.session)) };
    let account_id = Some(place.session.account().to_owned());
    let location = AwsLocation { region: Some(region.to_owned()), account_id: account_id.clone() };
    let pinned = Pinned { region: None, account_id };
    let namespace = object.namespace().unwrap_or_default();
    let session = place.context.session(&namespace, Some(&location), &pinned).await;
    session.map_err(|error| format!("in {region}: {}", chain(&error)))
}
