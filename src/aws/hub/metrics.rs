//! Datapoints of metrics: GetMetricData for all callers together.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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
        port::{CloudWatch as _, cloudwatch::QUERIES_MAX},
        resource,
        session::{CallContext, GuardedCloudWatch, Session},
    },
    facts::cloudwatch::{Datapoint, Math, Series, Span},
};

/// How long datapoints answer for the same span: as long as a pass may last, so that one that is
/// repeated reads nothing twice.
pub const METRICS_KEPT: Duration = Duration::from_secs(120);
/// Most datapoints that are kept, at 24 bytes: a thousand rollouts with ten series of an hour.
const POINTS_KEPT: usize = 600_000;
/// What a series without datapoints counts as: its names take about as much.
const POINTS_PER_SERIES: usize = 32;
/// Most pages that are followed. The longest span that is read, 32 hours, has 10 for 500 series in
/// minutes, at 100,800 datapoints each.
const PAGES_MAX: usize = 16;
/// The shortest span that is read, see [`shared`]: as long as minutes are counted anew.
const SPAN_MIN: SignedDuration = SignedDuration::from_mins(15);

/// Series of one span.
pub(super) struct Metrics;

#[async_trait]
impl Ask for Metrics {
    type Service = GuardedCloudWatch;
    type Scope = Span;
    type Item = Arc<Series>;
    type Answer = Arc<[Datapoint]>;
    type Stamp = ();

    const OPERATION: Operation = Operation::CloudWatchGetMetricData;
    const ITEMS_MAX: usize = QUERIES_MAX;
    const KEPT: Duration = METRICS_KEPT;
    const WEIGHT_MAX: usize = POINTS_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCloudWatch {
        session.cloudwatch(context)
    }

    fn is_fresh((): (), (): ()) -> bool {
        true
    }

    fn weight(points: &Arc<[Datapoint]>) -> usize {
        points.len().saturating_add(POINTS_PER_SERIES)
    }

    fn resource(series: &Arc<Series>) -> String {
        let Series { metric, statistic, .. } = &**series;
        let dimensions = metric.dimensions.iter().map(|(name, value)| format!(" {name}={value}"));
        let dimensions: String = dimensions.collect();
        format!("metric {} {} {statistic}{dimensions}", metric.namespace, metric.name)
    }

    async fn read(
        cloudwatch: &GuardedCloudWatch,
        span: &Span,
        items: &[Arc<Series>],
    ) -> Result<Outcomes<Self>, Error> {
        let series: Vec<Series> = items.iter().map(|series| Series::clone(series)).collect();
        let mut read = Read::default();
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let page = cloudwatch.get_metric_data(&series, *span, next.as_deref()).await?;
            for (index, points) in page.datapoints {
                read.points.entry(index).or_default().extend(points);
            }
            read.failed.extend(page.failed);
            next = page.next;
            if next.is_none() {
                return Ok(read.outcomes(items));
            }
        }
        Err(Self::error(
            resource::metrics(items.len()),
            format!("the answer has more than {PAGES_MAX} pages; it is asked for again"),
        ))
    }
}

/// Expressions of one span. Each is a call of its own: CloudWatch refuses a call whole for one
/// expression that it cannot read, and that must be nobody else's trouble.
pub(super) struct Maths;

#[async_trait]
impl Ask for Maths {
    type Service = GuardedCloudWatch;
    type Scope = Span;
    type Item = Arc<Math>;
    type Answer = Arc<[Datapoint]>;
    type Stamp = ();

    const OPERATION: Operation = Operation::CloudWatchGetMetricData;
    const ITEMS_MAX: usize = 1;
    const KEPT: Duration = METRICS_KEPT;
    const WEIGHT_MAX: usize = POINTS_KEPT;

    fn service(session: &Arc<Session>, context: CallContext) -> GuardedCloudWatch {
        session.cloudwatch(context)
    }

    fn is_fresh((): (), (): ()) -> bool {
        true
    }

    fn weight(points: &Arc<[Datapoint]>) -> usize {
        points.len().saturating_add(POINTS_PER_SERIES)
    }

    fn resource(math: &Arc<Math>) -> String {
        resource::metrics(math.inputs.len())
    }

    async fn read(
        cloudwatch: &GuardedCloudWatch,
        span: &Span,
        items: &[Arc<Math>],
    ) -> Result<Outcomes<Self>, Error> {
        let mut outcomes = Outcomes::<Self>::new();
        for math in items {
            let points = cloudwatch.get_metric_math(math, *span).await;
            outcomes.insert(Arc::clone(math), points.map(Arc::from));
        }
        Ok(outcomes)
    }
}

/// What the pages said, by the index of the query.
#[derive(Default)]
struct Read {
    points: HashMap<usize, Vec<Datapoint>>,
    failed: BTreeSet<usize>,
}

impl Read {
    fn outcomes(mut self, items: &[Arc<Series>]) -> Outcomes<Metrics> {
        let outcome = |(index, series): (usize, &Arc<Series>)| {
            let points = self.points.remove(&index).filter(|_| !self.failed.contains(&index));
            let outcome = points.map(Arc::from).ok_or_else(|| {
                Metrics::error(
                    Metrics::resource(series),
                    "CloudWatch did not give its data whole: either it failed inside, or the role \
                     may not read the metric; it is asked for again"
                        .to_owned(),
                )
            });
            (Arc::clone(series), outcome)
        };
        items.iter().enumerate().map(outcome).collect()
    }
}

/// The span that is read for one that is asked for: a quarter of an hour before its end, or twice as
/// much until it is enough. So rollouts that entered their steps at different times share calls, and
/// one that was long away does not make the others read as much as it.
///
/// It begins with a whole period of those that are `wanted`: CloudWatch may count periods from there.
fn shared(wanted: &BTreeSet<Series>, span: Span) -> Span {
    let asked = span.until.duration_since(span.from);
    let mut length = SPAN_MIN;
    while length < asked {
        length = length.saturating_add(length);
    }
    let from = span.until.saturating_sub(length).unwrap_or(span.from).as_second();
    let period = wanted.iter().map(|series| i64::from(series.period)).max().unwrap_or(60).max(1);
    let from = from.saturating_sub(from.rem_euclid(period));
    Span { from: Timestamp::from_second(from).unwrap_or(span.from), until: span.until }
}

impl Hub {
    /// Datapoints of every series of `wanted` in `span`, oldest first; none where there is no data.
    ///
    /// Callers of one session whose spans end together share calls, and what was answered in the last
    /// [`METRICS_KEPT`] is not asked for again. Safe to drop at any time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of GetMetricData, and [`Class::Unknown`](crate::aws::Class::Unknown) for a series whose data CloudWatch did not
    /// give whole. Errors are not kept.
    pub async fn metrics(
        &self,
        session: &Arc<Session>,
        wanted: &BTreeSet<Series>,
        span: Span,
    ) -> Result<BTreeMap<Series, Vec<Datapoint>>, Error> {
        let items = wanted.iter().cloned().map(Arc::new).collect();
        let answers = self.metrics.get(session, &shared(wanted, span), &items, ()).await?;
        let within = |points: &[Datapoint]| {
            points.iter().filter(|point| point.at >= span.from).copied().collect()
        };
        let answers = answers.into_iter();
        Ok(answers.map(|(series, points)| (Series::clone(&series), within(&points))).collect())
    }

    /// Datapoints of an expression in `span`, oldest first; none where there is no data.
    ///
    /// What was answered in the last [`METRICS_KEPT`] is not asked for again. Safe to drop at any
    /// time: others lose nothing.
    ///
    /// # Errors
    ///
    /// Those of GetMetricData, and [`Class::Invalid`](crate::aws::Class::Invalid) for an
    /// expression that has more than one result. Errors are not kept.
    pub async fn math(
        &self,
        session: &Arc<Session>,
        math: &Math,
        span: Span,
    ) -> Result<Vec<Datapoint>, Error> {
        let items = BTreeSet::from([Arc::new(math.clone())]);
        let answers = self.maths.get(session, &span, &items, ()).await?;
        Ok(answers.into_values().flat_map(|points| points.to_vec()).collect())
    }
}
