//! What Application Auto Scaling scales of Lambda: one reading for all callers of a session.
//!
//! Few aliases are scaled, so all targets of the account and region are listed: mostly one empty page
//! for all rollouts, in place of a call for each.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{
    Hub,
    gather::{Ask, Outcomes},
    readings::in_time,
};
use crate::{
    aws::{
        Error,
        operations::Operation,
        port::AutoScaling,
        resource,
        session::{CallContext, GuardedAutoScaling, Session},
    },
    error::Remedy,
    facts::scaling::ScalableTarget,
};

/// How long a reading answers for everybody, a refusal too: many roles may not read this.
pub const TARGETS_SHARED: SignedDuration = SignedDuration::from_mins(10);
/// Most pages of a reading, of 50 targets each.
const PAGES_MAX: usize = 20;
/// Most targets that are kept, at some hundred bytes.
const KEPT_MAX: usize = 20_000;

/// What is scaled of Lambda.
pub(super) struct Targets;

/// A refusal is an answer, too: it is not asked for again at once.
type Reading = Result<Arc<[ScalableTarget]>, Error>;

#[async_trait]
impl Ask for Targets {
    type Service = GuardedAutoScaling;
    type Scope = ();
    type Item = ();
    type Answer = Reading;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::AutoScalingDescribeScalableTargets;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = TARGETS_SHARED.unsigned_abs();
    const WEIGHT_MAX: usize = KEPT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedAutoScaling {
        session.auto_scaling(context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        now.duration_since(asked).abs() < TARGETS_SHARED
    }

    fn weight(reading: &Reading) -> usize {
        reading.as_ref().map_or(0, |found| found.len()).saturating_add(1)
    }

    fn resource((): &()) -> String {
        resource::scalable_targets()
    }

    async fn read(
        auto_scaling: &GuardedAutoScaling,
        (): &(),
        items: &[()],
    ) -> Result<Outcomes<Self>, Error> {
        let reading: Reading = match read(auto_scaling).await {
            Ok(found) => Ok(Arc::from(found)),
            Err(error) if matches!(error.remedy(), Remedy::AwaitEdit) => Err(error),
            // It may pass: the next start asks again.
            Err(error) => return Err(error),
        };
        Ok(items.iter().map(|item| (*item, Ok(reading.clone()))).collect())
    }
}

async fn read(auto_scaling: &dyn AutoScaling) -> Result<Vec<ScalableTarget>, Error> {
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = auto_scaling.describe_scalable_targets(next.as_deref()).await?;
        found.extend(page.targets);
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
    tracing::debug!("Application Auto Scaling has more targets than are looked at");
    Ok(found)
}

impl Hub {
    /// How Application Auto Scaling scales the provisioned concurrency of an alias; none where it does
    /// not, or is suspended.
    ///
    /// Callers of one session share readings for [`TARGETS_SHARED`]. A reading takes one call where
    /// few aliases are scaled. Safe to drop at any time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of the call. Refusals are kept as answers are; what may pass by itself is not kept.
    pub async fn scaling(
        &self,
        session: &Arc<Session>,
        (function, alias): (&str, &str),
        now: Timestamp,
    ) -> Result<Option<ScalableTarget>, Error> {
        let resource = format!("function:{function}:{alias}");
        let reading = async { self.targets.one(session, (), now).await? };
        let found = in_time::<Targets, _>(&(), reading).await?;
        Ok(found.iter().find(|one| one.resource == resource && !one.suspended).cloned())
    }
}
