//! What is measured: a metric of CloudWatch, or an expression of metrics.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Surroundings, parse::Wrong};
use crate::{
    api::{
        analysis::MetricUnit,
        check::{MetricQuery, MetricSource},
        duration::Duration,
    },
    aws::{Error, limits::Priority, port::CloudWatch as _},
    context::terms,
    error::chain,
    facts::cloudwatch::{Datapoint, Math, Metric as Named, Series, Span},
    thresholds,
};

/// Longest period: a day.
const PERIOD_MAX: u64 = 86_400;
/// Most queries of an expression.
const QUERIES_MAX: usize = 10;
/// Longest id of a query: our own is longer, so none can be the same.
const ID_MAX: usize = 16;
/// Most pages of ListMetrics, of 500 metrics: those with more dimensions match, too.
const LIST_PAGES_MAX: usize = 4;

/// A metric of CloudWatch, or an expression of metrics, in periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    source: Source,
    /// Length of a period in seconds: a multiple of 60.
    period: u32,
    /// Unit of the numbers, where it is known.
    pub unit: Option<MetricUnit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Series(Series),
    Math(Math),
}

impl Measure {
    /// Parses what is to be measured.
    ///
    /// # Errors
    ///
    /// The first field that cannot work, and what it must be.
    pub(crate) fn parse(raw: &MetricSource) -> Result<Self, Wrong> {
        let period = raw.period.as_secs();
        if !(60..=PERIOD_MAX).contains(&period) || period.checked_rem(60) != Some(0) {
            return Err(("period", "whole minutes, 1m to 24h"));
        }
        let period = u32::try_from(period).map_err(|_| ("period", "1m to 24h"))?;
        let source = source(raw, period)?;
        let unit = raw.unit.or_else(|| match &source {
            Source::Series(Series { metric, .. }) => {
                thresholds::known_unit(&metric.namespace, &metric.name)
            }
            Source::Math(_) => None,
        });
        Ok(Self { source, period, unit })
    }

    /// Whether it is an expression.
    pub(super) fn is_math(&self) -> bool {
        matches!(self.source, Source::Math(_))
    }

    /// Length of a period.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs(self.period.into())
    }

    /// So many whole periods, up to the last one that was over then. Aligned, so that all who ask for
    /// the same share it.
    pub(crate) fn span(&self, until: Timestamp, periods: u32) -> Span {
        let period = i64::from(self.period);
        let end = until.as_second().saturating_sub(until.as_second().rem_euclid(period));
        let from = end.saturating_sub(period.saturating_mul(periods.into()));
        let time = |second| Timestamp::from_second(second).unwrap_or(until);
        Span { from: time(from), until: time(end) }
    }

    /// Its datapoints in `span`, oldest first; none where there is no data.
    pub(crate) async fn read(
        &self,
        at: &Surroundings<'_>,
        span: Span,
    ) -> Result<Vec<Datapoint>, Error> {
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
    pub(crate) async fn unknown(&self, at: &Surroundings<'_>) -> Vec<String> {
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

    /// What is measured, in words.
    pub(super) fn what(&self) -> String {
        match &self.source {
            Source::Series(series) => format!("{} of {}", series.statistic, named(&series.metric)),
            Source::Math(math) => math.expression.clone(),
        }
    }

    /// A number with its unit: three decimals, and of a small one three digits.
    pub(crate) fn show(&self, value: f64) -> String {
        let small = [0.1, 0.01, 0.001, 0.000_1, 0.000_01];
        let more = small.iter().filter(|bound| value.abs() < **bound).count();
        let text = format!("{value:.*}", more.saturating_add(3));
        let text = text.trim_end_matches('0').trim_end_matches('.');
        let unit = match self.unit {
            Some(MetricUnit::Percent) => "%",
            Some(MetricUnit::Milliseconds) => "ms",
            Some(MetricUnit::Seconds) => "s",
            None => "",
        };
        format!("{text}{unit}")
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

fn source(raw: &MetricSource, period: u32) -> Result<Source, Wrong> {
    match raw {
        MetricSource {
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
        MetricSource {
            namespace: None,
            metric_name: None,
            statistic: None,
            dimensions: None,
            expression: Some(expression),
            queries: Some(queries),
            ..
        } => math(expression, queries, period).map(Source::Math),
        MetricSource { .. } => Err((
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
