//! What CodeDeploy deploys to aliases: one reading for all callers of a session.
//!
//! CodeDeploy cannot be asked for an alias. So all deployments of the account and region are listed,
//! first those under way: CodeDeploy promises no order, and a page that is full of old ones must not
//! hide them. What a deployment is about stands in its AppSpec, which is told by another call.

mod appspec;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{
    Hub,
    gather::{Ask, Outcomes},
    readings::in_time,
};
use crate::{
    aws::{
        Class, Error,
        operations::Operation,
        port::{CodeDeploy, codedeploy::DEPLOYMENTS_MAX},
        resource,
        session::{CallContext, GuardedCodeDeploy, Session},
    },
    error::Remedy,
    facts::codedeploy::{AliasDeployment, Deployment, KeptRevision, Revision, Stage},
};

/// How far back deployments are looked for: most teams deploy at least once a month.
pub const DEPLOYMENTS_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a reading answers for everybody, a refusal too: most accounts have nothing to read, and
/// many roles may not.
pub const DEPLOYMENTS_SHARED: SignedDuration = SignedDuration::from_mins(10);
/// How long a reading answers for whom it holds up, and one that failed in a way that may pass:
/// shorter than the minute after which such a start is looked at again.
pub const DEPLOYMENTS_AGAIN: SignedDuration = SignedDuration::from_secs(55);
/// The span begins at a whole day, so that all readings of a day are the same question.
const DAY_SECS: i64 = 86_400;
/// Most ids of a page: what AWS gives.
const IDS_MAX: usize = 100;
/// Most AppSpecs of a reading: ten seconds of calls at their rate.
const REVISIONS_MAX: usize = 50;
/// Most deployments that are kept, at some hundred bytes.
const KEPT_MAX: usize = 20_000;

/// Deployments to aliases since a time.
pub(super) struct Deployments;

/// A refusal is an answer, too: it is not asked for again at once.
type Reading = Result<Arc<[AliasDeployment]>, Error>;

/// When a caller asked, and how old an answer may be.
#[derive(Clone, Copy)]
pub(super) struct Look {
    at: Timestamp,
    age: SignedDuration,
}

#[async_trait]
impl Ask for Deployments {
    type Service = GuardedCodeDeploy;
    type Scope = ();
    /// Deployments that were made before are not wanted.
    type Item = Timestamp;
    type Answer = Reading;
    type Stamp = Look;

    const OPERATION: Operation = Operation::CodeDeployListDeployments;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = DEPLOYMENTS_SHARED.unsigned_abs();
    const WEIGHT_MAX: usize = KEPT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCodeDeploy {
        session.codedeploy(context)
    }

    fn is_fresh(asked: Look, now: Look) -> bool {
        now.at.duration_since(asked.at).abs() < now.age
    }

    fn weight(reading: &Reading) -> usize {
        reading.as_ref().map_or(0, |found| found.len()).saturating_add(1)
    }

    fn resource(_: &Timestamp) -> String {
        resource::deployments(None)
    }

    async fn read(
        codedeploy: &GuardedCodeDeploy,
        (): &(),
        since: &[Timestamp],
    ) -> Result<Outcomes<Self>, Error> {
        let mut outcomes = Outcomes::<Self>::new();
        for since in since {
            let reading = read(codedeploy, *since).await;
            outcomes.insert(*since, Ok(reading.map(Arc::from)));
        }
        Ok(outcomes)
    }
}

/// Reads the deployments to aliases, newest first.
async fn read(
    codedeploy: &dyn CodeDeploy,
    since: Timestamp,
) -> Result<Vec<AliasDeployment>, Error> {
    let mut ids = BTreeSet::new();
    for stage in [Stage::UnderWay, Stage::Ended] {
        let page = codedeploy.list_deployments(stage, since).await?;
        if page.more {
            tracing::debug!(?stage, "CodeDeploy has more deployments than are looked at");
        }
        ids.extend(page.ids.into_iter().take(IDS_MAX));
    }
    let ids: Vec<String> = ids.into_iter().collect();
    let mut deployments = Vec::new();
    for ids in ids.chunks(DEPLOYMENTS_MAX) {
        deployments.extend(codedeploy.batch_get_deployments(ids).await?);
    }
    let mut appspecs = AppSpecs::default();
    let mut found = Vec::new();
    for deployment in telling(deployments) {
        let Some(text) = appspecs.text(codedeploy, &deployment).await? else { continue };
        found.extend(appspec::targets(&text).into_iter().map(|target| AliasDeployment {
            function: target.function,
            alias: target.alias,
            id: deployment.id.clone(),
            application: deployment.application.clone(),
            group: deployment.group.clone(),
            stage: deployment.stage,
            created: deployment.created,
        }));
    }
    found.sort_by_key(|one| Reverse(one.created));
    Ok(found)
}

/// The deployments to Lambda whose AppSpecs are worth a call: all that are under way, and the newest of each
/// deployment group, which stands for the others.
fn telling(mut deployments: Vec<Deployment>) -> Vec<Deployment> {
    deployments.retain(|one| one.lambda);
    deployments.sort_by_key(|one| (one.stage == Stage::Ended, Reverse(one.created)));
    let mut groups = BTreeSet::new();
    deployments.retain(|one| {
        let first = groups.insert((one.application.clone(), one.group.clone()));
        first || one.stage == Stage::UnderWay
    });
    deployments
}

/// AppSpecs that were asked for: deployments of one revision share it.
#[derive(Default)]
struct AppSpecs(BTreeMap<(String, KeptRevision), Option<String>>);

impl AppSpecs {
    /// The AppSpec of a deployment; none where it cannot be had.
    async fn text(
        &mut self,
        codedeploy: &dyn CodeDeploy,
        deployment: &Deployment,
    ) -> Result<Option<String>, Error> {
        let kept = match &deployment.revision {
            Revision::Text(text) => return Ok(Some(text.clone())),
            Revision::Elsewhere => return Ok(None),
            Revision::Kept(kept) => kept,
        };
        let key = (deployment.application.clone(), kept.clone());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        if self.0.len() >= REVISIONS_MAX {
            tracing::debug!(deployment = deployment.id, "its AppSpec is one too many to be read");
            return Ok(None);
        }
        let read = codedeploy.get_application_revision(&deployment.application, kept).await;
        let text = match read {
            Ok(text) => text,
            // Its application was deleted meanwhile, or it is named in a way that we do not know.
            Err(error) if matches!(error.class, Class::NotFound | Class::Invalid) => None,
            Err(error) => return Err(error),
        };
        self.0.insert(key, text.clone());
        Ok(text)
    }
}

impl Hub {
    /// The deployments of CodeDeploy to an alias in the last [`DEPLOYMENTS_SPAN`], newest first; of
    /// those of one deployment group that have ended only the newest.
    ///
    /// Callers of one session share readings for [`DEPLOYMENTS_SHARED`], those that a deployment
    /// holds up for [`DEPLOYMENTS_AGAIN`]. A reading takes two calls where there are no deployments.
    /// Safe to drop at any time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of the calls. Refusals are kept as answers are; what may pass by itself only for
    /// [`DEPLOYMENTS_AGAIN`].
    pub async fn deployments(
        &self,
        session: &Arc<Session>,
        (function, alias): (&str, &str),
        now: Timestamp,
    ) -> Result<Vec<AliasDeployment>, Error> {
        let found = self.of_alias(session, (function, alias), now);
        in_time::<Deployments, _>(&since(now), found).await
    }

    async fn of_alias(
        &self,
        session: &Arc<Session>,
        (function, alias): (&str, &str),
        now: Timestamp,
    ) -> Result<Vec<AliasDeployment>, Error> {
        let of_alias = |found: &[AliasDeployment]| -> Vec<AliasDeployment> {
            let same = |one: &&AliasDeployment| one.function == function && one.alias == alias;
            found.iter().filter(same).cloned().collect()
        };
        let shared = self.reading(session, Look { at: now, age: DEPLOYMENTS_SHARED }).await;
        let again = match &shared {
            Ok(found) => of_alias(found).iter().any(|one| one.stage == Stage::UnderWay),
            Err(error) => !matches!(error.remedy(), Remedy::AwaitEdit),
        };
        let reading = match again {
            true => self.reading(session, Look { at: now, age: DEPLOYMENTS_AGAIN }).await,
            false => shared,
        };
        reading.map(|found| of_alias(&found))
    }

    async fn reading(&self, session: &Arc<Session>, look: Look) -> Reading {
        self.deployments.one(session, since(look.at), look).await?
    }
}

/// The whole day in which the span begins.
fn since(now: Timestamp) -> Timestamp {
    let begin = now.saturating_sub(DEPLOYMENTS_SPAN).unwrap_or(now).as_second();
    let day = begin.saturating_sub(begin.rem_euclid(DAY_SECS));
    Timestamp::from_second(day).unwrap_or(now)
}
