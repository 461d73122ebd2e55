//! Alarms: DescribeAlarms for all callers together, as states or in full.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{
    Hub,
    gather::{Ask, Outcomes},
};
use crate::{
    aws::{
        Error,
        operations::Operation,
        port::{Alarms as _, CloudWatch as _, cloudwatch::ALARM_NAMES_MAX},
        resource,
        session::{CallContext, GuardedAlarms, GuardedCloudWatch, Session},
    },
    facts::{
        alarms::{AlarmKinds, FullAlarm},
        cloudwatch::{Alarm, AlarmFilter, AlarmState},
    },
};

/// Age from which alarms are described again: shorter than the interval at which a rollout looks at
/// them, so that each look sees a new state.
pub const ALARMS_FRESH: SignedDuration = SignedDuration::from_secs(30);
/// How long answers are kept; no less than [`ALARMS_FRESH`], which a scaled clock only shortens.
const KEPT: Duration = Duration::from_secs(30);
/// Most alarms whose states are kept, at some hundred bytes.
const ALARMS_KEPT: usize = 50_000;
/// Most alarms that are kept in full, at half a kilobyte: ten times what a window may silence.
const FULL_KEPT: usize = 20_000;
/// Bytes of an AlarmRule that weigh as much as an alarm.
const RULE_WEIGHT: usize = 512;
/// Most pages that are followed, of 100 alarms: beyond 5,000 a prefix selects nothing any more.
const PAGES_MAX: usize = 50;

/// Alarms that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmsFound {
    /// Those that exist, by name; each once.
    pub alarms: Vec<Alarm>,
    /// Names of alarms that do not exist, and prefixes that no alarm's name starts with; sorted,
    /// each once.
    pub missing: Vec<String>,
}

/// Alarms that were asked for, in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullAlarmsFound {
    /// Those that exist, by name; each once.
    pub alarms: Vec<Arc<FullAlarm>>,
    /// Names of alarms that do not exist, and prefixes that no alarm's name starts with; sorted,
    /// each once.
    pub missing: Vec<String>,
}

/// How much is told of alarms.
#[async_trait]
pub(super) trait Look: Send + Sync + 'static {
    /// What is asked.
    type Service: Send + Sync + 'static;
    /// What the alarms of one call have in common.
    type Scope: Clone + Eq + Hash + Send + Sync + 'static;
    /// An alarm.
    type Alarm: Clone + Send + Sync + 'static;
    /// What is kept of an alarm beside its name.
    type Kept: Clone + Send + Sync + 'static;

    /// Most that is kept, by [`Self::weight`].
    const WEIGHT_MAX: usize;

    fn service(session: &Arc<Session>, context: CallContext) -> Self::Service;
    async fn page(
        service: &Self::Service,
        scope: &Self::Scope,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<(Vec<Self::Alarm>, Option<String>), Error>;
    fn apart(alarm: Self::Alarm) -> (String, Self::Kept);
    fn weight(alarm: &Self::Kept) -> usize;
    fn weight_of(alarm: &Self::Alarm) -> usize;
}

/// States only.
pub(super) struct States;

/// All that windows have to know.
pub(super) struct Full;

/// Alarms by name.
pub(super) struct Names<L>(PhantomData<L>);

/// Alarms by the start of their name.
pub(super) struct Prefixes<L>(PhantomData<L>);

#[async_trait]
impl Look for States {
    type Service = GuardedCloudWatch;
    type Scope = ();
    type Alarm = Alarm;
    type Kept = AlarmState;

    const WEIGHT_MAX: usize = ALARMS_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCloudWatch {
        session.cloudwatch(context)
    }

    async fn page(
        cloudwatch: &GuardedCloudWatch,
        (): &(),
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<(Vec<Alarm>, Option<String>), Error> {
        let page = cloudwatch.describe_alarms(filter, next).await?;
        Ok((page.alarms, page.next))
    }

    fn apart(alarm: Alarm) -> (String, AlarmState) {
        (alarm.name, alarm.state)
    }

    fn weight(_: &AlarmState) -> usize {
        1
    }

    fn weight_of(_: &Alarm) -> usize {
        1
    }
}

#[async_trait]
impl Look for Full {
    type Service = GuardedAlarms;
    type Scope = AlarmKinds;
    type Alarm = Arc<FullAlarm>;
    type Kept = Arc<FullAlarm>;

    const WEIGHT_MAX: usize = FULL_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedAlarms {
        session.alarms(context)
    }

    async fn page(
        alarms: &GuardedAlarms,
        kinds: &AlarmKinds,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<(Vec<Arc<FullAlarm>>, Option<String>), Error> {
        let page = alarms.describe_alarms_in_full(filter, *kinds, next).await?;
        Ok((page.alarms.into_iter().map(Arc::new).collect(), page.next))
    }

    fn apart(alarm: Arc<FullAlarm>) -> (String, Arc<FullAlarm>) {
        (alarm.name.clone(), alarm)
    }

    fn weight(alarm: &Arc<FullAlarm>) -> usize {
        let rule = alarm.rule.as_ref().map_or(0, String::len);
        (rule / RULE_WEIGHT).saturating_add(1)
    }

    fn weight_of(alarm: &Arc<FullAlarm>) -> usize {
        Self::weight(alarm)
    }
}

#[async_trait]
impl<L: Look> Ask for Names<L> {
    type Service = L::Service;
    type Scope = L::Scope;
    type Item = String;
    /// None when there is no such alarm.
    type Answer = Option<L::Kept>;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::CloudWatchDescribeAlarms;
    const ITEMS_MAX: usize = ALARM_NAMES_MAX;
    const KEPT: Duration = KEPT;
    const WEIGHT_MAX: usize = L::WEIGHT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> L::Service {
        L::service(session, context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        is_fresh(asked, now)
    }

    fn weight(alarm: &Option<L::Kept>) -> usize {
        alarm.as_ref().map_or(1, L::weight)
    }

    fn resource(name: &String) -> String {
        format!("alarm {name}")
    }

    async fn read(
        service: &L::Service,
        scope: &L::Scope,
        names: &[String],
    ) -> Result<Outcomes<Self>, Error> {
        let found = describe::<L>(service, scope, &AlarmFilter::Names(names.to_vec())).await?;
        let found: BTreeMap<String, L::Kept> = found.into_iter().map(L::apart).collect();
        Ok(names.iter().map(|name| (name.clone(), Ok(found.get(name).cloned()))).collect())
    }
}

#[async_trait]
impl<L: Look> Ask for Prefixes<L> {
    type Service = L::Service;
    type Scope = L::Scope;
    type Item = String;
    type Answer = Arc<[L::Alarm]>;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::CloudWatchDescribeAlarms;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = KEPT;
    const WEIGHT_MAX: usize = L::WEIGHT_MAX;

    fn service(session: &Arc<Session>, context: CallContext) -> L::Service {
        L::service(session, context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        is_fresh(asked, now)
    }

    fn weight(alarms: &Arc<[L::Alarm]>) -> usize {
        alarms.iter().map(L::weight_of).fold(1, usize::saturating_add)
    }

    fn resource(prefix: &String) -> String {
        format!("alarms {prefix}*")
    }

    async fn read(
        service: &L::Service,
        scope: &L::Scope,
        prefixes: &[String],
    ) -> Result<Outcomes<Self>, Error> {
        let mut outcomes = Outcomes::<Self>::new();
        for prefix in prefixes {
            let filter = match prefix.as_str() {
                "" => AlarmFilter::All,
                prefix => AlarmFilter::Prefix(prefix.to_owned()),
            };
            let found = describe::<L>(service, scope, &filter).await;
            outcomes.insert(prefix.clone(), found.map(Arc::from));
        }
        Ok(outcomes)
    }
}

/// Whether the pass at `now` may use what was asked for by one at `asked`, or after it.
pub(super) fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
    now.duration_since(asked).abs() < ALARMS_FRESH
}

/// All pages of DescribeAlarms.
pub(super) async fn describe<L: Look>(
    service: &L::Service,
    scope: &L::Scope,
    filter: &AlarmFilter,
) -> Result<Vec<L::Alarm>, Error> {
    let mut found = Vec::new();
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let (alarms, following) = L::page(service, scope, filter, next.as_deref()).await?;
        found.extend(alarms);
        next = following;
        if next.is_none() {
            return Ok(found);
        }
    }
    let words = format!("there are more than {PAGES_MAX} pages of alarms: choose fewer");
    Err(Names::<L>::error(resource::alarms(filter), words))
}

impl Hub {
    /// The alarms of these names, and those whose names start with these prefixes: all for the
    /// empty prefix.
    ///
    /// Callers of one session share calls, and what was answered less than [`ALARMS_FRESH`] before
    /// `now` is not asked for again. Safe to drop at any time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of DescribeAlarms, and [`Class::Unknown`](crate::aws::Class::Unknown) when a prefix
    /// has too many alarms. Errors are not kept.
    pub async fn alarms(
        &self,
        session: &Arc<Session>,
        names: &[String],
        prefixes: &[String],
        now: Timestamp,
    ) -> Result<AlarmsFound, Error> {
        let names: BTreeSet<String> = names.iter().cloned().collect();
        let prefixes: BTreeSet<String> = prefixes.iter().cloned().collect();
        let (names, prefixes) = tokio::join!(
            self.alarm_names.get(session, &(), &names, now),
            self.alarm_prefixes.get(session, &(), &prefixes, now),
        );
        let (mut found, mut missing) = sorted::<States>(names?);
        for (prefix, alarms) in prefixes? {
            if alarms.is_empty() {
                missing.insert(prefix);
            }
            for Alarm { name, state } in alarms.iter() {
                // Read at two moments, it may have two states: firing counts.
                let state_found = found.entry(name.clone()).or_insert(*state);
                if *state == AlarmState::Alarm {
                    *state_found = *state;
                }
            }
        }
        let alarms = found.into_iter().map(|(name, state)| Alarm { name, state }).collect();
        Ok(AlarmsFound { alarms, missing: missing.into_iter().collect() })
    }

    /// The same in full, and of all kinds.
    ///
    /// After a write of its own a caller asks the port: what is told here may be from before it.
    ///
    /// # Errors
    ///
    /// As for [`Self::alarms`].
    pub async fn alarms_in_full(
        &self,
        session: &Arc<Session>,
        names: &[String],
        prefixes: &[String],
        now: Timestamp,
    ) -> Result<FullAlarmsFound, Error> {
        let names: BTreeSet<String> = names.iter().cloned().collect();
        let prefixes: BTreeSet<String> = prefixes.iter().cloned().collect();
        let (names, prefixes) = tokio::join!(
            self.full_names.get(session, &AlarmKinds::All, &names, now),
            self.full_prefixes.get(session, &AlarmKinds::All, &prefixes, now),
        );
        let (mut found, mut missing) = sorted::<Full>(names?);
        for (prefix, alarms) in prefixes? {
            if alarms.is_empty() {
                missing.insert(prefix);
            }
            for alarm in alarms.iter() {
                found.entry(alarm.name.clone()).or_insert_with(|| Arc::clone(alarm));
            }
        }
        let alarms = found.into_values().collect();
        Ok(FullAlarmsFound { alarms, missing: missing.into_iter().collect() })
    }

    /// Every composite alarm of the account and region, by name. One reading for all callers of a
    /// session: a call for each 100 of them, in place of one for each alarm that is silenced.
    ///
    /// # Errors
    ///
    /// As for [`Self::alarms`].
    pub async fn composites(
        &self,
        session: &Arc<Session>,
        now: Timestamp,
    ) -> Result<Arc<[Arc<FullAlarm>]>, Error> {
        let all = BTreeSet::from([String::new()]);
        let found = self.full_prefixes.get(session, &AlarmKinds::Composite, &all, now).await?;
        Ok(found.into_values().next().unwrap_or_default())
    }
}

/// Those that there are, and the names of those that there are not.
fn sorted<L: Look>(
    names: BTreeMap<String, Option<L::Kept>>,
) -> (BTreeMap<String, L::Kept>, BTreeSet<String>) {
    let (mut found, mut missing) = (BTreeMap::new(), BTreeSet::new());
    for (name, alarm) in names {
        match alarm {
            Some(alarm) => {
                found.insert(name, alarm);
            }
            None => {
                missing.insert(name);
            }
        }
    }
    (found, missing)
}
