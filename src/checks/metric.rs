//! A metric, or an expression of metrics, that must stay within limits.

use std::fmt;

use jiff::Timestamp;

use super::{Judged, Surroundings, measure::Measure, parse::Wrong};
use crate::{
    api::{
        analysis::MetricUnit,
        check::{MetricCheck, NoData},
    },
    facts::cloudwatch::{Datapoint, Span},
    thresholds::{self, Bare},
    time::moments,
};

#[cfg(test)]
mod tests;

/// A period counts when it has been over for this long: before, CloudWatch may not have all of it.
const SETTLE: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);
/// Most periods.
const PERIODS_MAX: i32 = 10;

/// A metric with its limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    measure: Measure,
    /// How many periods must break a limit.
    periods: u32,
    max: Option<f64>,
    min: Option<f64>,
    /// The limits, as the spec writes them.
    limit: String,
    on_no_data: NoData,
}

impl Metric {
    pub(super) fn parse(raw: &MetricCheck) -> Result<Self, Wrong> {
        let mut measure = Measure::parse(&raw.source)?;
        let periods = raw.periods.unwrap_or(1);
        let periods = u32::try_from(periods).ok().filter(|n| *n > 0 && periods <= PERIODS_MAX);
        let periods = periods.ok_or(("periods", "1 to 10"))?;
        let is_rate =
            |limit: &Option<String>| limit.as_deref().is_some_and(|limit| limit.ends_with('%'));
        // An expression is a rate, if it is limited like one.
        if measure.is_math() && measure.unit.is_none() && (is_rate(&raw.max) || is_rate(&raw.min)) {
            measure.unit = Some(MetricUnit::Percent);
        }
        let read = |field: &'static str, text: &Option<String>| {
            let number =
                text.as_deref().map(|text| thresholds::parse(text, measure.unit, Bare::Taken));
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
        Ok(Self { measure, periods, max, min, limit, on_no_data })
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let span = self.span(at.clock.now());
        match self.measure.read(at, span).await {
            Ok(points) if points.is_empty() => self.no_data(&self.measure.unknown(at).await),
            Ok(points) => self.judge(&points),
            Err(error) => Judged::of_error(&error),
        }
    }

    /// The last whole periods that are settled.
    fn span(&self, now: Timestamp) -> Span {
        self.measure.span(moments::before(now, SETTLE), self.periods)
    }

    fn no_data(&self, unknown: &[String]) -> Judged {
        let periods = self.over();
        let mut message = format!("{}: no data in {periods}", self.measure.what());
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
        let shown: Vec<String> =
            points.iter().map(|point| self.measure.show(point.value)).collect();
        let message = format!(
            "{}: {} in {}, {}",
            self.measure.what(),
            shown.join(", "),
            self.over(),
            self.limit
        );
        // A period without data does not break a limit.
        match u32::try_from(broken) {
            Ok(broken) if broken < self.periods => Judged::passed(message),
            Ok(_) | Err(_) => Judged::failed(message),
        }
    }

    fn over(&self) -> String {
        let period = self.measure.period();
        match self.periods {
            1 => format!("the last {period}"),
            periods => format!("the last {periods} periods of {period}"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.measure.what(), self.limit, self.over())
    }
}
