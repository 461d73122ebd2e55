//! A metric, or an expression of metrics, that must stay within limits.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::{
        analysis::MetricUnit,
        check::{MetricCheck, MetricQuery, NoData},
        duration::Duration,
    },
    aws::{Error, limits::Priority, port::CloudWatch as _},
    context::terms,
    error::chain,
    facts::cloudwatch::{Datapoint, Math, Metric as Named, Series, Span},
    thresholds::{self, Bare},
};

#[cfg(test)]
mod tests;

/// A period counts when it has been over for this long: before, CloudWatch may not have all of it.
const SETTLE_SECS: i64 = 120;
/// Longest period: a day.
const PERIOD_MAX: u64 = 86_400;
/// Most periods.
const PERIODS_MAX: i32 = 10;
/// Most queries of an expression.
const QUERIES_MAX: usize = 10;
/// Longest id of a query: our own is longer, so none can be the same.
const ID_MAX: usize = 16;
/// Most pages of ListMetrics, of 500 metrics: those with more dimensions match, too.
const LIST_PAGES_MAX: usize = 4;

/// A metric with its limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    source: Source,
    /// Length of a period in seconds: a multiple of 60.
    period: u32,
    /// How many periods must break a limit.
    periods: u32,
    max: Option<f64>,
    min: Option<f64>,
    /// The limits, as the spec writes them.
    limit: String,
    unit: Option<MetricUnit>,
    on_no_data: NoData,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Series(Series),
    Math(Math),
}

impl Metric {
    pub(super) fn parse(raw: &MetricCheck) -> Result<Self, Wrong> {
        let period = raw.period.as_secs();
        if !(60..=PERIOD_MAX).contains(&period) || period.checked_rem(60) != Some(0) {
            return Err(("period", "whole minutes, 1m to 24h"));
        }
        let period = u32::try_from(period).map_err(|_| ("period", "1m to 24h"))?;
        let periods = raw.periods.unwrap_or(1);
        let periods = u32::try_from(periods).ok().filter(|n| *n > 0 && periods <= PERIODS_MAX);
        let periods = periods.ok_or(("periods", "1 to 10"))?;
        let source = source(raw, period)?;
        let limits = [&raw.max, &raw.min];
        let unit = raw.unit.or_else(|| match &source {
            Source::Series(Series { metric, .. }) => {
                thresholds::known_unit(&metric.namespace, &metric.name)
            }
            // A rate, if it is limited like one.
            Source::Math(_) => limits
                .iter()
                .any(|limit| limit.as_deref().is_some_and(|limit| limit.ends_with('%')))
                .then_some(MetricUnit::Percent),
        });
        let read = |field: &'static str, text: &Option<String>| {
            let number = text.as_deref().map(|text| thresholds::parse(text, unit, Bare::Taken));
            number.transpose().map_err(|expected| (field, expected))
        };
        let (max, min) = (read("max", &raw.max)?, read("min", &raw.min)?);
        if max.is_none() && min.is_none() {
            return Err(("max", "given, or min"));
        }
        if max.zip(min).is_some_and(|(max, min)| max < min) {
            return Err(("max", "at least as high as min"));
        }
        let words = [("at most", &raw.max), ("at least", &raw.min)];
        let words = words
            .iter()
            .filter_map(|(word, limit)| limit.as_ref().map(|limit| format!("{word} {limit}")));
        let limit = words.collect::<Vec<_>>().join(", ");
        let on_no_data = raw.on_no_data.unwrap_or_default();
        Ok(Self { source, period, periods, max, min, limit, unit, on_no_data })
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let span = self.span(at.clock.now());
        match self.read(at, span).await {
            Ok(points) if points.is_empty() => self.no_data(&self.unknown(at).await),
            Ok(points) => self.judge(&points),
            Err(error) => Judged::of_error(&error),
        }
    }

    /// The last whole periods that are settled. Aligned, so that all who ask for the same share it.
    fn span(&self, now: Timestamp) -> Span {
        let period = i64::from(self.period);
        let settled = now.as_second().saturating_sub(SETTLE_SECS);
        let until = settled.saturating_sub(settled.rem_euclid(period));
        let from = until.saturating_sub(period.saturating_mul(self.periods.into()));
        let time = |second| Timestamp::from_second(second).unwrap_or(now);
        Span { from: time(from), until: time(until) }
    }

    async fn read(&self, at: &Surroundings<'_>, span: Span) -> Result<Vec<Datapoint>, Error> {
        match &self.source {
            Source::Math(math) => at.hub.math(at.session, math, span).await,
            Source::Series(series) => {
                let wanted = BTreeSet::from([series.clone()]);
                let mut found = at.hub.metrics(at.session, &wanted, span).await?;
                Ok(found.remove(series).unwrap_or_default())
            }
        }
    }

    /// The metrics that CloudWatch does not know, in words; asked only when there is no data.
    async fn unknown(&self, at: &Surroundings<'_>) -> Vec<String> {
        let series = match &self.source {
            Source::Series(series) => vec![series],
            Source::Math(math) => math.inputs.iter().map(|(_, series)| series).collect(),
        };
        let mut unknown = Vec::new();
        for Series { metric, .. } in series {
            match known(at, metric).await {
                Ok(true) => {}
                Ok(false) => unknown.push(format!("CloudWatch knows no metric {}", named(metric))),
                Err(error) => unknown.push(chain(&error)),
            }
        }
        unknown
    }

    fn no_data(&self, unknown: &[String]) -> Judged {
        let periods = self.over();
        let mut message = format!("{}: no data in {periods}", self.what());
        for words in unknown {
            message.push_str("; ");
            message.push_str(words);
        }
        match self.on_no_data {
            NoData::Pass => Judged::passed(message),
            NoData::Fail => Judged::failed(message),
        }
    }

    fn judge(&self, points: &[Datapoint]) -> Judged {
        let breaks = |point: &&Datapoint| {
            self.max.is_some_and(|max| point.value > max)
                || self.min.is_some_and(|min| point.value < min)
        };
        let broken = points.iter().filter(breaks).count();
        let shown: Vec<String> = points.iter().map(|point| show(point.value, self.unit)).collect();
        let message =
            format!("{}: {} in {}, {}", self.what(), shown.join(", "), self.over(), self.limit);
        // A period without data does not break a limit.
        match u32::try_from(broken) {
            Ok(broken) if broken < self.periods => Judged::passed(message),
            Ok(_) | Err(_) => Judged::failed(message),
        }
    }

    fn over(&self) -> String {
        let period = Duration::from_secs(self.period.into());
        match self.periods {
            1 => format!("the last {period}"),
            periods => format!("the last {periods} periods of {period}"),
        }
    }

    /// What is measured.
    fn what(&self) -> String {
        match &self.source {
            Source::Series(series) => format!("{} of {}", series.statistic, named(&series.metric)),
            Source::Math(math) => math.expression.clone(),
        }
    }
}

/// Whether ListMetrics knows the metric.
async fn known(at: &Surroundings<'_>, metric: &Named) -> Result<bool, Error> {
    let cloudwatch = at.session.cloudwatch(terms(Priority::Work, at.namespace));
    let mut next = None;
    for _ in 0..LIST_PAGES_MAX {
        let page = cloudwatch.list_metrics(metric, next.as_deref()).await?;
        next = page.next;
        if page.known {
            return Ok(true);
        }
        if next.is_none() {
            return Ok(false);
        }
    }
    // Too many to go through: nothing is said against it.
    Ok(true)
}

fn named(metric: &Named) -> String {
    let Named { namespace, name, dimensions } = metric;
    let dimensions: String =
        dimensions.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{namespace} {name}{dimensions}")
}

fn source(raw: &MetricCheck, period: u32) -> Result<Source, Wrong> {
    match raw {
        MetricCheck {
            namespace: Some(namespace),
            metric_name: Some(name),
            statistic: Some(statistic),
            expression: None,
            queries: None,
            dimensions,
            ..
        } => {
            let dimensions = dimensions.iter().flatten();
            let dimensions = dimensions.map(|(k, v)| (k.clone(), v.clone())).collect();
            let metric = Named { namespace: namespace.clone(), name: name.clone(), dimensions };
            Ok(Source::Series(Series { metric, statistic: statistic.clone(), period }))
        }
        MetricCheck {
            namespace: None,
            metric_name: None,
            statistic: None,
            dimensions: None,
            expression: Some(expression),
            queries: Some(queries),
            ..
        } => math(expression, queries, period).map(Source::Math),
        MetricCheck { .. } => Err((
            "metricName",
            "given with namespace and statistic, or expression with queries instead",
        )),
    }
}

fn math(expression: &str, queries: &[MetricQuery], period: u32) -> Result<Math, Wrong> {
    if queries.is_empty() || queries.len() > QUERIES_MAX {
        return Err(("queries", "1 to 10 queries"));
    }
    let mut inputs = Vec::with_capacity(queries.len());
    for query in queries {
        let MetricQuery { id, namespace, metric_name, dimensions, statistic } = query;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase())
            || !id.chars().all(fits)
            || id.len() > ID_MAX
        {
            return Err(("queries", "queries whose ids are short and begin with a small letter"));
        }
        if inputs.iter().any(|(other, _)| other == id) {
            return Err(("queries", "queries with an id of their own each"));
        }
        let metric = Named {
            namespace: namespace.clone(),
            name: metric_name.clone(),
            dimensions: dimensions.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        };
        inputs.push((id.clone(), Series { metric, statistic: statistic.clone(), period }));
    }
    inputs.sort();
    Ok(Math { expression: expression.to_owned(), inputs, period })
}

/// A number with its unit, with at most three decimals.
fn show(value: f64, unit: Option<MetricUnit>) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let unit = match unit {
        Some(MetricUnit::Percent) => "%",
        Some(MetricUnit::Milliseconds) => "ms",
        Some(MetricUnit::Seconds) => "s",
        None => "",
    };
    format!("{text}{unit}")
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.what(), self.limit, self.over())
    }
}
