//! The operations of CloudWatch that groundcrew uses.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::cloudwatch::{AlarmFilter, AlarmPage, MetricPage, Series, Span},
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

    /// DescribeAlarms of metric and composite alarms, one page; `next` as the page before gave it.
    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<AlarmPage, Error>;
}
