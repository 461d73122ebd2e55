//! What CloudWatch says about metrics and alarms.

use jiff::Timestamp;

/// A metric: one series of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// For example `AWS/Lambda`.
    pub namespace: String,
    /// For example `Errors`.
    pub name: String,
    /// Name and value, sorted by name.
    pub dimensions: Vec<(String, String)>,
}

/// A metric by one statistic, in one-minute periods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The metric.
    pub metric: Metric,
    /// `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p95`.
    pub statistic: String,
    /// Length of a period in seconds: a multiple of 60.
    pub period: u32,
}

/// An expression over series: CloudWatch metric math.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Math {
    /// The expression, as CloudWatch takes it.
    pub expression: String,
    /// The series that it names, by their ids there, sorted.
    pub inputs: Vec<(String, Series)>,
    /// Length of a period in seconds: a multiple of 60.
    pub period: u32,
}

/// A time from its start (inclusive) to its end (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First instant of it.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
}

/// One period's number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datapoint {
    /// Start of its period.
    pub at: Timestamp,
    /// The number, in the metric's unit.
    pub value: f64,
}

/// One page of GetMetricData: datapoints by the index of the query, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricPage {
    /// Index of the query, and its datapoints on this page.
    pub datapoints: Vec<(usize, Vec<Datapoint>)>,
    /// Queries whose data CloudWatch could not read: their datapoints mean nothing.
    pub failed: Vec<usize>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// One page of ListMetrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsPage {
    /// Whether the metric that was asked for is on this page, with exactly its dimensions.
    pub known: bool,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// A metric alarm or a composite alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
}

/// State of an alarm. Source: CloudWatch API reference, MetricAlarm.StateValue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlarmState {
    /// As it should be.
    Ok,
    /// Firing.
    Alarm,
    /// Not enough data to tell.
    InsufficientData,
}

/// Which alarms to describe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AlarmFilter {
    /// These, at most 100.
    Names(Vec<String>),
    /// Those whose name starts so.
    Prefix(String),
    /// Every alarm of the account and region.
    All,
}

/// One page of DescribeAlarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmPage {
    /// The alarms: metric and composite.
    pub alarms: Vec<Alarm>,
    /// Where the next page starts.
    pub next: Option<String>,
}
