//! The operations of CloudWatch that groundcrew uses.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::cloudwatch::{
        AlarmFilter, AlarmPage, Datapoint, Math, Metric, MetricPage, MetricsPage, Series, Span,
    },
};

/// Most queries of one GetMetricData. Source: CloudWatch API reference.
pub const QUERIES_MAX: usize = 500;
/// Most names of one DescribeAlarms. Source: CloudWatch API reference.
pub const ALARM_NAMES_MAX: usize = 100;

/// CloudWatch in one account and region. Every method is one API call.
#[async_trait]
pub trait CloudWatch: Send + Sync {
    /// GetMetricData of at most [`QUERIES_MAX`] series, one page; `next` as the page before gave it.
    ///
    /// Every series is on one of the pages, without datapoints when it has none: one that is on no
    /// page was not answered.
    async fn get_metric_data(
        &self,
        series: &[Series],
        span: Span,
        next: Option<&str>,
    ) -> Result<MetricPage, Error>;

    /// GetMetricData of one expression, in one call of its own: a mistake in it is nobody else's.
    /// Datapoints of its result, oldest first.
    async fn get_metric_math(&self, math: &Math, span: Span) -> Result<Vec<Datapoint>, Error>;

    /// ListMetrics with a metric's namespace, name and dimensions, one page; `next` as the page
    /// before gave it.
    async fn list_metrics(&self, metric: &Metric, next: Option<&str>)
    -> Result<MetricsPage, Error>;

    /// DescribeAlarms of metric and composite alarms, one page; `next` as the page before gave it.
    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<AlarmPage, Error>;
}
