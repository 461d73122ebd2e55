//! The metrics of a window: what a decision asks of them, and how they are read.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use super::aws;
use crate::{
    api::{fit::SENTENCE_MAX, fit::cut, window_checks::WindowStage, window_metrics::WindowMetric},
    checks::{Surroundings, measure::Measure},
    context::Context,
    error::{chain, clean},
    facts::cloudwatch::Datapoint,
};

/// Longest that a pass waits for a number. The call goes on, and the next pass finds its answer.
pub const READ_WAIT: Duration = Duration::from_secs(5);

/// A number that is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What is measured.
    pub metric: WindowMetric,
    /// Around which end of the opening.
    pub stage: WindowStage,
    /// End of the period that counts.
    pub until: jiff::Timestamp,
}

/// What CloudWatch says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The number, with its unit.
    Number(String),
    /// There is none, and why.
    Nothing(String),
    /// It could not be read, and why; it may work later.
    Unread(String),
}

/// A number that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Name of the metric.
    pub name: String,
    /// Which of its numbers.
    pub stage: WindowStage,
    /// What CloudWatch says.
    pub found: Found,
}

/// Reads numbers, all at once; takes [`READ_WAIT`] at most. Without `calls` none can be read.
pub async fn read(
    context: &Context,
    namespace: &str,
    wanted: &[Wanted],
    calls: Result<&aws::Calls<'_>, &str>,
) -> Vec<Reading> {
    let read = async |one: &Wanted| {
        let found = match calls {
            Ok(calls) => timeout(READ_WAIT, number(context, namespace, one, calls)).await,
            Err(why) => Ok(Found::Unread(why.to_owned())),
        };
        let found = found.unwrap_or_else(|_| Found::Unread(late()));
        Reading { name: one.metric.name.clone(), stage: one.stage, found: fit(found) }
    };
    join_all(wanted.iter().map(read)).await
}

/// It took too long, in words.
pub fn late() -> String {
    format!("no answer within {} s", READ_WAIT.as_secs())
}

async fn number(
    context: &Context,
    namespace: &str,
    wanted: &Wanted,
    calls: &aws::Calls<'_>,
) -> Found {
    let Wanted { metric, until, .. } = wanted;
    let measure = match Measure::parse(&metric.metric) {
        Ok(measure) => measure,
        // It was frozen under older rules.
        Err((field, expected)) => return Found::Nothing(format!("{field} must be {expected}")),
    };
    let session = match calls.session_in(metric.region.as_deref()).await {
        Ok(session) => session,
        Err(error) => return Found::Unread(chain(&error)),
    };
    let (hub, clock) = (&*context.hub, &context.clock);
    let at = Surroundings { session: &session, hub, clock, namespace };
    match measure.read(&at, measure.span(*until, 1)).await {
        Ok(points) => match points.iter().rfind(|point| point.at < *until) {
            Some(Datapoint { value, .. }) => Found::Number(measure.show(*value)),
            None => {
                let unknown = measure.unknown(&at).await;
                let words = std::iter::once("no data".to_owned()).chain(unknown);
                Found::Nothing(words.collect::<Vec<_>>().join("; "))
            }
        },
        Err(error) => Found::Unread(chain(&error)),
    }
}

/// Fit for a status.
fn fit(found: Found) -> Found {
    let fit = |text: String| {
        let mut text = clean(&text);
        cut(&mut text, SENTENCE_MAX);
        text
    };
    match found {
        Found::Number(text) => Found::Number(text),
        Found::Nothing(text) => Found::Nothing(fit(text)),
        Found::Unread(text) => Found::Unread(fit(text)),
    }
}
