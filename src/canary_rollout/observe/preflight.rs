//! What is read before a rollout starts or its release is published, and only then: GetFunction of the
//! version that the alias serves, two metrics, what CodeDeploy deploys to the alias, and whether
//! Application Auto Scaling scales it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Place;
use crate::{
    aws::{self, port::Lambda},
    canary_rollout::{
        decide::{Coming, Facts, Preflight, Traffic, VersionFact, is_way_back, mixes},
        error::Error,
        evidence::{self, Subject, Who},
        memory::Memory,
    },
    error::chain,
    facts::{
        cloudwatch::{Datapoint, Metric, Series, Span},
        codedeploy::AliasDeployment,
        scaling::ScalableTarget,
    },
};

/// How far back traffic is looked for: long enough for what is called seldom.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
/// The newest data is ignored this long: CloudWatch is late.
const SETTLE: SignedDuration = SignedDuration::from_mins(2);
/// The span moves by this much, so that the passes of a start that waits share answers.
const STRIDE_SECS: i64 = 600;

/// Reads it.
///
/// # Errors
///
/// [`Error::ReadVersion`], but not where a release goes back that was served lately. Metrics and
/// deployments that cannot be read are a finding less, not an error.
pub async fn read(
    facts: &Facts,
    memory: &Memory,
    release: &VersionFact,
    lambda: &dyn Lambda,
    place: &Place<'_>,
) -> Result<Preflight, Error> {
    let new = Coming::known(release, facts);
    let (stable, unread) = match &facts.alias {
        Some(alias) => {
            let version = &alias.version;
            match lambda.get_function(&facts.function, Some(version)).await {
                Ok(stable) => (Some(stable), None),
                Err(error) if is_way_back(facts, memory, place.now) => (None, Some(chain(&error))),
                Err(source) => return Err(Error::ReadVersion { version: version.clone(), source }),
            }
        }
        None => (None, None),
    };
    let mixes = mixes(facts, memory, place.now);
    let (traffic, deployments, scaling) = tokio::join!(
        traffic(facts, place),
        deployments(facts, place),
        scaling(facts, mixes, place),
    );
    let (deployments, deployments_unread) = read_or_why(deployments);
    let (scaling, scaling_unread) = read_or_why(scaling);
    Ok(Preflight {
        new,
        stable,
        unread,
        traffic,
        deployments,
        deployments_unread,
        scaling,
        scaling_unread,
    })
}

/// What was read, else why not.
fn read_or_why<T: Default>(read: Result<T, aws::Error>) -> (T, Option<String>) {
    match read {
        Ok(read) => (read, None),
        Err(error) => (T::default(), Some(error.to_string())),
    }
}

/// Many do not use CodeDeploy and do not allow it to be read: then nobody is told but who asks.
async fn deployments(facts: &Facts, place: &Place<'_>) -> Result<Vec<AliasDeployment>, aws::Error> {
    let of = (facts.function.as_str(), facts.alias_name.as_str());
    let found = place.context.hub.deployments(place.session, of, place.now).await;
    found.inspect_err(|error| {
        tracing::debug!(%error, "whether CodeDeploy moves the alias was not looked at");
    })
}

/// Few use it, and many do not allow it to be read: as with CodeDeploy.
async fn scaling(
    facts: &Facts,
    mixes: bool,
    place: &Place<'_>,
) -> Result<Option<ScalableTarget>, aws::Error> {
    if !mixes {
        return Ok(None);
    }
    let of = (facts.function.as_str(), facts.alias_name.as_str());
    let found = place.context.hub.scaling(place.session, of, place.now).await;
    found.inspect_err(|error| {
        tracing::debug!(%error, "whether the alias is scaled was not looked at");
    })
}

async fn traffic(facts: &Facts, place: &Place<'_>) -> Option<Traffic> {
    let subject = Subject { function: &facts.function, alias: &facts.alias_name };
    let alias = evidence::lambda(subject, Who::Alias, "Invocations", "Sum");
    let function = Series { metric: of_function(&alias.metric), ..alias.clone() };
    let span = lately(place.now)?;
    let wanted = BTreeSet::from([alias.clone(), function.clone()]);
    let series = place.context.hub.metrics(place.session, &wanted, span).await.ok()?;
    let sum = |series: Option<&Vec<Datapoint>>| -> f64 {
        series.into_iter().flatten().map(|point| point.value).sum()
    };
    Some(Traffic { function: sum(series.get(&function)), alias: sum(series.get(&alias)) })
}

/// The metric of the function, however it was called.
fn of_function(metric: &Metric) -> Metric {
    let name = metric.dimensions.iter().filter(|(name, _)| name == "FunctionName");
    Metric { dimensions: name.cloned().collect(), ..metric.clone() }
}

fn lately(now: Timestamp) -> Option<Span> {
    let settled = now.saturating_sub(SETTLE).ok()?.as_second();
    let until = settled.saturating_sub(settled.rem_euclid(STRIDE_SECS));
    let until = Timestamp::from_second(until).ok()?;
    Some(Span { from: until.saturating_sub(LATELY).ok()?, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_is_an_hour_that_stays_for_ten_minutes() {
        let lately = |text: &str| {
            let span = lately(text.parse().unwrap()).unwrap();
            (span.from.to_string(), span.until.to_string())
        };
        let hour = ("2026-12-06T00:40:00Z".to_owned(), "2026-12-06T01:40:00Z".to_owned());
        assert_eq!(lately("2026-12-06T01:42:00Z"), hour);
        assert_eq!(lately("2026-12-06T01:51:59Z"), hour);
        assert_ne!(lately("2026-12-06T01:52:00Z"), hour);
    }
}
