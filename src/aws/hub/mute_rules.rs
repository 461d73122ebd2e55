//! Mute rules of ours: one list for all windows of a session.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Hub,
    alarms::{ALARMS_FRESH, is_fresh},
    gather::{Ask, Outcomes},
};
use crate::{
    aws::{
        Error,
        operations::Operation,
        port::Alarms as _,
        resource,
        session::{CallContext, GuardedAlarms, Session},
    },
    facts::mute_rules::MuteRuleSummary,
    names,
};

/// How long the list is kept: as long as states of alarms.
const LIST_KEPT: Duration = ALARMS_FRESH.unsigned_abs();
/// Most pages of a list, of 100 rules.
const PAGES_MAX: usize = 50;
/// Most rules that are kept, at some hundred bytes.
const KEPT_MAX: usize = 50_000;

/// All rules that an operator of whatever cluster put.
pub(super) struct Listed;

#[async_trait]
impl Ask for Listed {
    type Service = GuardedAlarms;
    type Scope = ();
    type Item = ();
    type Answer = Arc<[MuteRuleSummary]>;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::CloudWatchListAlarmMuteRules;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = LIST_KEPT;
    const WEIGHT_MAX: usize = KEPT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedAlarms {
        session.alarms(context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        is_fresh(asked, now)
    }

    fn weight(rules: &Arc<[MuteRuleSummary]>) -> usize {
        rules.len().saturating_add(1)
    }

    fn resource((): &()) -> String {
        resource::mute_rules()
    }

    async fn read(alarms: &GuardedAlarms, (): &(), items: &[()]) -> Result<Outcomes<Self>, Error> {
        let rules: Arc<[MuteRuleSummary]> = list(alarms).await?.into();
        Ok(items.iter().map(|item| (*item, Ok(Arc::clone(&rules)))).collect())
    }
}

/// All pages of ListAlarmMuteRules, without rules that no groundcrew named.
async fn list(alarms: &GuardedAlarms) -> Result<Vec<MuteRuleSummary>, Error> {
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = alarms.list_alarm_mute_rules(next.as_deref()).await?;
        found.extend(page.rules.into_iter().filter(|rule| names::muter(&rule.name).is_some()));
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
    let words = format!("there are more than {PAGES_MAX} pages of mute rules");
    Err(Listed::error(resource::mute_rules(), words))
}

impl Hub {
    /// All mute rules of the account and region that an operator put, of this cluster or another
    /// one: which of them nobody owns any more.
    ///
    /// One reading for all callers of a session; what was answered less than [`ALARMS_FRESH`] before
    /// `now` is not asked for again. After a write of its own a caller asks the port. Safe to drop at
    /// any time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of ListAlarmMuteRules. Errors are not kept.
    pub async fn mute_rules(
        &self,
        session: &Arc<Session>,
        now: Timestamp,
    ) -> Result<Arc<[MuteRuleSummary]>, Error> {
        self.mute_lists.one(session, (), now).await
    }
}
