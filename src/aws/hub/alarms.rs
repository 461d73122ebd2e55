//! States of alarms: DescribeAlarms for all callers together.

use std::{
    collections::{BTreeMap, BTreeSet},
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
        port::{self, cloudwatch::ALARM_NAMES_MAX},
        resource,
        session::{CallContext, GuardedCloudWatch, Session},
    },
    facts::cloudwatch::{Alarm, AlarmFilter, AlarmState},
};

/// Age from which alarms are described again: shorter than the interval at which a rollout looks at
/// them, so that each look sees a new state.
pub const ALARMS_FRESH: SignedDuration = SignedDuration::from_secs(30);
/// How long answers are kept; no less than [`ALARMS_FRESH`], which a scaled clock only shortens.
const KEPT: Duration = Duration::from_secs(30);
/// Most alarms that are kept, at some hundred bytes.
const ALARMS_KEPT: usize = 50_000;
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

/// Alarms by name.
pub(super) struct Names;

/// Alarms by the start of their name.
pub(super) struct Prefixes;

#[async_trait]
impl Ask for Names {
    type Service = GuardedCloudWatch;
    type Scope = ();
    type Item = String;
    /// None when there is no such alarm.
    type Answer = Option<AlarmState>;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::CloudWatchDescribeAlarms;
    const ITEMS_MAX: usize = ALARM_NAMES_MAX;
    const KEPT: Duration = KEPT;
    const WEIGHT_MAX: usize = ALARMS_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCloudWatch {
        session.cloudwatch(context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        is_fresh(asked, now)
    }

    fn weight(_: &Option<AlarmState>) -> usize {
        1
    }

    fn resource(name: &String) -> String {
        format!("alarm {name}")
    }

    async fn read(
        cloudwatch: &GuardedCloudWatch,
        (): &(),
        names: &[String],
    ) -> Result<Outcomes<Self>, Error> {
        let found = describe(cloudwatch, &AlarmFilter::Names(names.to_vec())).await?;
        let found: BTreeMap<String, AlarmState> =
            found.into_iter().map(|alarm| (alarm.name, alarm.state)).collect();
        Ok(names.iter().map(|name| (name.clone(), Ok(found.get(name).copied()))).collect())
    }
}

#[async_trait]
impl Ask for Prefixes {
    type Service = GuardedCloudWatch;
    type Scope = ();
    type Item = String;
    type Answer = Arc<[Alarm]>;
    type Stamp = Timestamp;

    const OPERATION: Operation = Operation::CloudWatchDescribeAlarms;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = KEPT;
    const WEIGHT_MAX: usize = ALARMS_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCloudWatch {
        session.cloudwatch(context)
    }

    fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
        is_fresh(asked, now)
    }

    fn weight(alarms: &Arc<[Alarm]>) -> usize {
        alarms.len().saturating_add(1)
    }

    fn resource(prefix: &String) -> String {
        format!("alarms {prefix}*")
    }

    async fn read(
        cloudwatch: &GuardedCloudWatch,
        (): &(),
        prefixes: &[String],
    ) -> Result<Outcomes<Self>, Error> {
        let mut outcomes = Outcomes::<Self>::new();
        for prefix in prefixes {
            let filter = match prefix.as_str() {
                "" => AlarmFilter::All,
                prefix => AlarmFilter::Prefix(prefix.to_owned()),
            };
            let found = describe(cloudwatch, &filter).await;
            outcomes.insert(prefix.clone(), found.map(Arc::from));
        }
        Ok(outcomes)
    }
}

/// Whether the pass at `now` may use what was asked for by one at `asked`, or after it.
fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
    now.duration_since(asked).abs() < ALARMS_FRESH
}

/// All pages of DescribeAlarms.
async fn describe(
    cloudwatch: &dyn port::CloudWatch,
    filter: &AlarmFilter,
) -> Result<Vec<Alarm>, Error> {
    let mut found = Vec::new();
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let page = cloudwatch.describe_alarms(filter, next.as_deref()).await?;
        found.extend(page.alarms);
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
    let words = format!("there are more than {PAGES_MAX} pages of alarms: choose fewer");
    Err(Names::error(resource::alarms(filter), words))
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
        let mut found = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for (name, state) in names? {
            match state {
                Some(state) => {
                    found.insert(name, state);
                }
                None => {
                    missing.insert(name);
                }
            }
        }
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
}
