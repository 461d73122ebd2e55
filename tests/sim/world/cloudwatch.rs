//! CloudWatch in the world: steady traffic per version, and alarms that people make fire.

use std::collections::BTreeMap;

use async_trait::async_trait;
use groundcrew::{
    aws::{
        self, Class,
        operations::Operation,
        port::{self, cloudwatch::QUERIES_MAX},
        resource,
    },
    facts::cloudwatch::{
        Alarm, AlarmFilter, AlarmPage, AlarmState, Datapoint, Math, Metric, MetricPage,
        MetricsPage, Series, Span,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    ALIAS, State,
    alarms::{Alarms, unfit, wanted},
    lambda::{Aws, error, refusal},
};
use crate::{
    faults::Sort,
    history::{Event, Evidence},
};

/// What versions get and how they fare, and which alarms there are.
#[derive(Default)]
pub struct CloudWatch {
    /// Invocations and errors a minute, by version.
    pub traffic: BTreeMap<&'static str, (f64, f64)>,
    /// Those of any other version.
    pub ordinary: Option<(f64, f64)>,
    /// Alarms, and what silences them.
    pub alarms: Alarms,
    /// Series of this metric are not given whole: AWS fails inside, or the role may not read them.
    pub withheld: Option<&'static str>,
    /// How late data of a metric comes, after its minute is over; at once where nothing is said.
    pub late: BTreeMap<&'static str, SignedDuration>,
}

impl CloudWatch {
    /// Whether an alarm is in ALARM.
    pub fn fires(&self) -> bool {
        self.alarms.states().any(|(_, state)| state == AlarmState::Alarm)
    }
}

impl State {
    /// The datapoints of a series: one a minute where there is traffic.
    fn datapoints(&self, series: &Series, span: Span) -> Vec<Datapoint> {
        let dimension = |name: &str| {
            let found = series.metric.dimensions.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let resource = dimension("Resource");
        let alias = resource.as_deref().and_then(|resource| resource.split_once(':'));
        let alias = self.lambda.alias_named(alias.map_or(ALIAS, |(_, alias)| alias));
        let version =
            dimension("ExecutedVersion").or_else(|| alias.map(|alias| alias.version.clone()));
        let CloudWatch { traffic, ordinary, .. } = &self.cloudwatch;
        let traffic =
            version.and_then(|version| traffic.get(version.as_str()).or(ordinary.as_ref()));
        let some = |(invocations, _): &&(f64, f64)| *invocations > 0.0;
        let Some(&(invocations, errors)) = traffic.filter(some) else { return Vec::new() };
        let value = match series.metric.name.as_str() {
            "Invocations" => invocations,
            "Errors" => errors,
            other => panic!("no traffic for {other}"),
        };
        let minutes = span.until.duration_since(span.from).as_secs() / 60;
        let at = |minute| span.from + SignedDuration::from_mins(minute);
        (0..minutes)
            .map(|minute| Datapoint { at: at(minute), value })
            .filter(|point| self.is_there(series, point.at + SignedDuration::from_mins(1)))
            .collect()
    }

    /// Whether the data of this metric is there up to then.
    fn is_there(&self, series: &Series, until: Timestamp) -> bool {
        let late = self.cloudwatch.late.get(&*series.metric.name);
        late.is_none_or(|late| until + *late <= self.now())
    }

    /// One page, with everything that is asked for.
    fn metric_page(&mut self, asked: &[Series], span: Span) -> MetricPage {
        let withheld = |series: &Series| Some(&*series.metric.name) == self.cloudwatch.withheld;
        let failed: Vec<usize> =
            (0..asked.len()).filter(|index| withheld(&asked[*index])).collect();
        let given = asked.iter().enumerate().filter(|(index, _)| !failed.contains(index));
        let datapoints = given.map(|(index, series)| (index, self.datapoints(series, span)));
        let datapoints = datapoints.collect();
        let page = MetricPage { datapoints, failed, ..MetricPage::default() };
        let versioned = |series: &Series| {
            series.metric.dimensions.iter().any(|(key, _)| key == "ExecutedVersion")
        };
        let canary = |series: &Series, name: &str| series.metric.name == name && versioned(series);
        let points = |name: &'static str| {
            let pages = page.datapoints.iter();
            pages.filter(move |(index, _)| canary(&asked[*index], name)).flat_map(|(_, all)| all)
        };
        let mut minutes = BTreeMap::<_, (f64, f64)>::new();
        points("Invocations").for_each(|it| minutes.entry(it.at).or_default().0 += it.value);
        points("Errors").for_each(|it| minutes.entry(it.at).or_default().1 += it.value);
        let final_by_now = asked.iter().all(|series| self.is_there(series, span.until));
        let evidence = Evidence { span, whole: page.failed.is_empty() && final_by_now, minutes };
        if asked.iter().any(versioned) {
            self.happened(&Event::MetricsRead(evidence));
        }
        page
    }

    fn describe(&self, filter: &AlarmFilter) -> Vec<Alarm> {
        let asked = self.cloudwatch.alarms.states().filter(|(name, _)| wanted(filter, name));
        asked.map(|(name, state)| Alarm { name: name.to_owned(), state }).collect()
    }
}

/// A request that the port does not send.
fn unsent(operation: Operation, about: &str) -> aws::Error {
    error(operation, about, Class::Invalid, "")
}

#[async_trait]
impl port::CloudWatch for Aws {
    async fn get_metric_data(
        &self,
        series: &[Series],
        span: Span,
        _next: Option<&str>,
    ) -> Result<MetricPage, aws::Error> {
        let (operation, asked) = (Operation::CloudWatchGetMetricData, series.to_vec());
        let about = resource::metrics(series.len());
        if series.is_empty() || series.len() > QUERIES_MAX {
            return Err(unsent(operation, &about));
        }
        self.call(
            Sort::AwsRead,
            "GetMetricData".into(),
            move |state| Ok(state.metric_page(&asked, span)),
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn get_metric_math(&self, math: &Math, _: Span) -> Result<Vec<Datapoint>, aws::Error> {
        panic!("no scenario asks for {math:?}")
    }

    async fn list_metrics(
        &self,
        metric: &Metric,
        _: Option<&str>,
    ) -> Result<MetricsPage, aws::Error> {
        panic!("no scenario asks for {metric:?}")
    }

    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        _next: Option<&str>,
    ) -> Result<AlarmPage, aws::Error> {
        let (operation, asked) = (Operation::CloudWatchDescribeAlarms, filter.clone());
        let about = resource::alarms(filter);
        if unfit(filter) {
            return Err(unsent(operation, &about));
        }
        self.call(
            Sort::AwsRead,
            "DescribeAlarms".into(),
            move |state| {
                let alarms = state.describe(&asked);
                state.happened(&Event::AlarmsRead(alarms.clone()));
                Ok(AlarmPage { alarms, next: None })
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
