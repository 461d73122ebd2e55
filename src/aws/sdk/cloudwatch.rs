//! CloudWatch through the SDK.

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    Client,
    operation::RequestId as _,
    primitives::DateTime,
    types::{
        AlarmType, Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDataResult,
        MetricStat, ScanBy, StateValue, StatusCode,
    },
};
use jiff::Timestamp;

use super::error::{Call, Identity};
use crate::{
    aws::{
        Error,
        operations::Operation,
        port::{
            self,
            cloudwatch::{ALARM_NAMES_MAX, QUERIES_MAX},
        },
        resource,
    },
    facts::cloudwatch::{
        self as facts, Alarm, AlarmFilter, AlarmPage, AlarmState, Datapoint, Math, MetricPage,
        MetricsPage, Series, Span,
    },
};

/// Most alarms of one page. Source: CloudWatch API reference, DescribeAlarms, MaxRecords.
const ALARMS_PER_PAGE: i32 = 100;

/// Id of an expression's result; longer than the ids that users may choose.
const MATH_ID: &str = "groundcrew_result";

/// CloudWatch with one identity in one region.
pub(super) struct SdkCloudWatch {
    client: Client,
    identity: Identity,
}

impl SdkCloudWatch {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::CloudWatch for SdkCloudWatch {
    async fn get_metric_data(
        &self,
        series: &[Series],
        span: Span,
        next: Option<&str>,
    ) -> Result<MetricPage, Error> {
        let about = resource::metrics(series.len());
        let call = self.call(Operation::CloudWatchGetMetricData, about);
        if series.is_empty() || series.len() > QUERIES_MAX {
            let words = format!("it takes 1 to {QUERIES_MAX} metrics, not {}", series.len());
            return Err(call.invalid(words));
        }
        let request = self
            .client
            .get_metric_data()
            .set_metric_data_queries(Some(series.iter().enumerate().map(query).collect()))
            .start_time(date_time(span.from))
            .end_time(date_time(span.until))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let next = token(answer.next_token());
        let mut page = MetricPage::default();
        for result in answer.metric_data_results() {
            // What was not asked for is none of ours.
            let Some(index) = result.id().and_then(|id| index(id, series.len())) else { continue };
            match datapoints(result, next.is_some()) {
                Some(datapoints) => page.datapoints.push((index, datapoints)),
                None => page.failed.push(index),
            }
        }
        Ok(MetricPage { next, ..page })
    }

    async fn get_metric_math(&self, math: &Math, span: Span) -> Result<Vec<Datapoint>, Error> {
        let about = resource::metrics(math.inputs.len());
        let call = self.call(Operation::CloudWatchGetMetricData, about);
        let request = self
            .client
            .get_metric_data()
            .set_metric_data_queries(Some(math_queries(math)))
            .start_time(date_time(span.from))
            .end_time(date_time(span.until))
            .scan_by(ScanBy::TimestampAscending);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let unreadable = |what: &str| call.unreadable(what, answer.request_id());
        // Spans of expressions have far fewer datapoints than a page.
        if token(answer.next_token()).is_some() {
            return Err(unreadable("it has more than one page"));
        }
        match answer.metric_data_results() {
            [result] if result.id() == Some(MATH_ID) => datapoints(result, false)
                .ok_or_else(|| unreadable("CloudWatch did not give the expression's data whole")),
            [] => Ok(Vec::new()),
            [_, ..] => Err(call.invalid(
                "the expression has more than one result: AVG, MAX or SUM makes one of many"
                    .to_owned(),
            )),
        }
    }

    async fn list_metrics(
        &self,
        metric: &facts::Metric,
        next: Option<&str>,
    ) -> Result<MetricsPage, Error> {
        let call = self.call(Operation::CloudWatchListMetrics, resource::metric(metric));
        let filters = metric
            .dimensions
            .iter()
            .map(|(name, value)| DimensionFilter::builder().name(name).value(value).build());
        let request = self
            .client
            .list_metrics()
            .namespace(&metric.namespace)
            .metric_name(&metric.name)
            .set_dimensions(Some(filters.collect()))
            .set_next_token(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        // Metrics with more dimensions match the filter, too.
        let known = answer.metrics().iter().any(|found| {
            let mut dimensions: Vec<(String, String)> = found
                .dimensions()
                .iter()
                .filter_map(|d| Some((d.name()?.to_owned(), d.value()?.to_owned())))
                .collect();
            dimensions.sort();
            dimensions == metric.dimensions
        });
        Ok(MetricsPage { known, next: token(answer.next_token()) })
    }

    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<AlarmPage, Error> {
        let call = self.call(Operation::CloudWatchDescribeAlarms, resource::alarms(filter));
        let request = self
            .client
            .describe_alarms()
            // Without it only metric alarms are told.
            .set_alarm_types(Some(vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm]))
            .max_records(ALARMS_PER_PAGE)
            .set_next_token(next.map(str::to_owned));
        // An empty list or prefix would describe every alarm of the account.
        let request = match filter {
            AlarmFilter::Names(names) if (1..=ALARM_NAMES_MAX).contains(&names.len()) => {
                request.set_alarm_names(Some(names.clone()))
            }
            AlarmFilter::Names(names) => {
                let words = format!("it takes 1 to {ALARM_NAMES_MAX} names, not {}", names.len());
                return Err(call.invalid(words));
            }
            AlarmFilter::Prefix(prefix) if prefix.is_empty() => {
                return Err(call.invalid("the prefix of the alarms' names is empty".to_owned()));
            }
            AlarmFilter::Prefix(prefix) => request.alarm_name_prefix(prefix),
            AlarmFilter::All => request,
        };
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let metric = answer.metric_alarms().iter().map(|a| (a.alarm_name(), a.state_value()));
        let composite = answer.composite_alarms().iter().map(|a| (a.alarm_name(), a.state_value()));
        let alarms = metric.chain(composite).map(|(name, state)| alarm(name, state));
        let alarms = alarms.collect::<Result<_, _>>();
        let alarms = alarms.map_err(|what| call.unreadable(&what, answer.request_id()))?;
        Ok(AlarmPage { alarms, next: token(answer.next_token()) })
    }
}

fn query((index, series): (usize, &Series)) -> MetricDataQuery {
    MetricDataQuery::builder()
        .id(format!("m{index}"))
        .metric_stat(metric_stat(series))
        .return_data(true)
        .build()
}

/// The expression, and what it names.
fn math_queries(math: &Math) -> Vec<MetricDataQuery> {
    let inputs = math.inputs.iter().map(|(id, series)| {
        let input = MetricDataQuery::builder().id(id).metric_stat(metric_stat(series));
        input.return_data(false).build()
    });
    let result = MetricDataQuery::builder()
        .id(MATH_ID)
        .expression(&math.expression)
        .period(i32::try_from(math.period).unwrap_or(i32::MAX))
        .return_data(true)
        .build();
    inputs.chain([result]).collect()
}

fn metric_stat(series: &Series) -> MetricStat {
    let Series { metric, statistic, period } = series;
    let dimensions =
        metric.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value));
    let metric = Metric::builder()
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(dimensions.map(|dimension| dimension.build()).collect()));
    MetricStat::builder()
        .metric(metric.build())
        // What no request can hold is refused by CloudWatch.
        .period(i32::try_from(*period).unwrap_or(i32::MAX))
        .stat(statistic)
        .build()
}

/// The index in the id of a query.
fn index(id: &str, queries: usize) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok().filter(|index| *index < queries)
}

/// The datapoints of a result; none when there are more than we are given, or they make no sense.
fn datapoints(result: &MetricDataResult, more_pages: bool) -> Option<Vec<Datapoint>> {
    let readable = match result.status_code().map(StatusCode::as_str) {
        Some("Complete") => true,
        Some("PartialData") => more_pages,
        // InternalError, Forbidden, and what CloudWatch may say one day.
        Some(_) | None => false,
    };
    let (times, values) = (result.timestamps(), result.values());
    if !readable || times.len() != values.len() {
        return None;
    }
    let point = |(time, value): (&DateTime, &f64)| {
        let at = timestamp(time).filter(|_| value.is_finite())?;
        Some(Datapoint { at, value: *value })
    };
    times.iter().zip(values).map(point).collect()
}

fn alarm(name: Option<&str>, state: Option<&StateValue>) -> Result<Alarm, String> {
    let name = name.filter(|name| !name.is_empty()).ok_or("AlarmName is missing")?;
    Ok(Alarm { name: name.to_owned(), state: self::state(name, state)? })
}

/// The state of an alarm; what is wrong with it where it makes no sense.
pub(super) fn state(name: &str, state: Option<&StateValue>) -> Result<AlarmState, String> {
    match state.map(StateValue::as_str) {
        Some("OK") => Ok(AlarmState::Ok),
        Some("ALARM") => Ok(AlarmState::Alarm),
        Some("INSUFFICIENT_DATA") => Ok(AlarmState::InsufficientData),
        Some(other) => Err(format!("alarm {name} is in the unknown state {other}")),
        None => Err(format!("StateValue of alarm {name} is missing")),
    }
}

fn token(next: Option<&str>) -> Option<String> {
    next.filter(|next| !next.is_empty()).map(str::to_owned)
}

fn date_time(time: Timestamp) -> DateTime {
    // Spans are of whole minutes.
    DateTime::from_secs(time.as_second())
}

pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
