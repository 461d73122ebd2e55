//! Mute rules of ours: one list for all windows of a session, and each rule as often as it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{
    Hub,
    alarms::{ALARMS_FRESH, is_fresh},
    gather::{Ask, Outcomes},
};
use crate::{
    aws::{
        Class, Error,
        operations::Operation,
        port::Alarms as _,
        resource,
        session::{CallContext, GuardedAlarms, Session},
    },
    facts::mute_rules::{MuteRule, MuteRuleSummary, MuteStatus, OwnMuteRule},
    names,
};

/// How long the list is kept: as long as states of alarms.
const LIST_KEPT: Duration = ALARMS_FRESH.unsigned_abs();
/// How long a rule is kept that the list shows as unchanged: no list may hide a change for longer.
const RULE_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// A rule that was put less than this before it was read may have been put once more since, within
/// the same second or minute of CloudWatch's time stamp. Longer than clocks are apart.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);
/// Most pages of a list, of 100 rules.
const PAGES_MAX: usize = 50;
/// Most rules and alarms in rules that are kept, at some hundred bytes.
const KEPT_MAX: usize = 50_000;

/// A mute rule of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteRuleFound {
    /// Whether it mutes, by the list.
    pub status: MuteStatus,
    /// The rule. Its own status is from when it was read.
    pub rule: Arc<MuteRule>,
}

/// All rules that an operator of whatever cluster put.
pub(super) struct Listed;

/// One rule, as it was since it was last put.
pub(super) struct Rules;

/// When a rule is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    now: Timestamp,
    /// Whether its time stamp tells every change of it.
    settled: bool,
}

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

#[async_trait]
impl Ask for Rules {
    type Service = GuardedAlarms;
    type Scope = ();
    /// Its name, and when it was last put.
    type Item = (String, Option<Timestamp>);
    /// None when there is no such rule.
    type Answer = Option<Arc<MuteRule>>;
    type Stamp = Asked;

    const OPERATION: Operation = Operation::CloudWatchGetAlarmMuteRule;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = RULE_KEPT.unsigned_abs();
    const WEIGHT_MAX: usize = KEPT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedAlarms {
        session.alarms(context)
    }

    fn is_fresh(asked: Asked, now: Asked) -> bool {
        let most = if asked.settled { RULE_KEPT } else { ALARMS_FRESH };
        now.now.duration_since(asked.now).abs() < most
    }

    fn weight(rule: &Option<Arc<MuteRule>>) -> usize {
        rule.as_ref().map_or(0, |rule| rule.alarms.len()).saturating_add(1)
    }

    fn resource((name, _): &Self::Item) -> String {
        resource::mute_rule(name)
    }

    async fn read(
        alarms: &GuardedAlarms,
        (): &(),
        items: &[Self::Item],
    ) -> Result<Outcomes<Self>, Error> {
        let mut outcomes = Outcomes::<Self>::new();
        for item in items {
            let answer = match alarms.get_alarm_mute_rule(&item.0).await {
                Ok(rule) => Ok(Some(Arc::new(rule))),
                Err(error) if error.class == Class::NotFound => Ok(None),
                Err(error) => Err(error),
            };
            outcomes.insert(item.clone(), answer);
        }
        Ok(outcomes)
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
    /// one: what a window's rules do, and which ones nobody owns any more.
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

    /// These mute rules with their alarms, as far as they exist: by the list that
    /// [`Self::mute_rules`] tells, and a call for each that was put since it was last read; without
    /// any change again after 10 minutes.
    ///
    /// # Errors
    ///
    /// Those of ListAlarmMuteRules and GetAlarmMuteRule. Errors are not kept.
    pub async fn mute_rules_in_full(
        &self,
        session: &Arc<Session>,
        names: &BTreeSet<OwnMuteRule>,
        now: Timestamp,
    ) -> Result<BTreeMap<OwnMuteRule, MuteRuleFound>, Error> {
        let listed = self.mute_rules(session, now).await?;
        let listed: BTreeMap<&str, &MuteRuleSummary> =
            listed.iter().map(|rule| (rule.name.as_str(), rule)).collect();
        let asked = names.iter().filter_map(|name| {
            let summary = *listed.get(name.as_str())?;
            Some(async move {
                let put = summary.updated_at;
                let settled = put.is_some_and(|put| now.duration_since(put) >= SETTLED);
                let item = (summary.name.clone(), put);
                let rule = self.mute_rules.one(session, item, Asked { now, settled }).await?;
                let status = summary.status.clone();
                Ok(rule.map(|rule| (name.clone(), MuteRuleFound { status, rule })))
            })
        });
        let found: Result<Vec<_>, Error> = join_all(asked).await.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }
}
