//! Checks of a spec, parsed once.

use std::time::Duration;

use super::{
    Check, Sort, alarms::Alarms, dynamodb::Table, http::Http, job::Job, lambda::Lambda,
    metric::Metric, rds::Database,
};
use crate::api::check as raw;

/// Default of `timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest `timeout`: a check that takes longer is a job.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);
/// Default of `timeout` of a job.
const JOB_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Longest `timeout` of a job.
const JOB_TIMEOUT_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// Most `retries`.
const RETRIES_MAX: i32 = 10;

/// A check that cannot work. The API server refuses most of these, too; this is for what it cannot
/// see, and for what it let in under older rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {expected}")]
pub struct InvalidCheck {
    /// Path below the check's list, or below the check: `[0].http.url`, `.http.url`.
    pub field: String,
    /// What it has to be.
    pub expected: &'static str,
}

/// What is wrong, by the field below a sort.
pub(super) type Wrong = (&'static str, &'static str);

impl Check {
    /// Parses a list of checks.
    ///
    /// # Errors
    ///
    /// [`InvalidCheck`] names the first field that cannot work.
    pub fn parse_all(list: &[raw::Check]) -> Result<Vec<Self>, InvalidCheck> {
        let invalid = |field: String, expected| InvalidCheck { field, expected };
        if list.len() > raw::CHECKS_MAX {
            return Err(invalid(String::new(), "at most 16 checks"));
        }
        let mut checks: Vec<Self> = Vec::with_capacity(list.len());
        for (index, raw) in list.iter().enumerate() {
            if checks.iter().any(|before| before.name == raw.name) {
                return Err(invalid(format!("[{index}].name"), "another name: this one is taken"));
            }
            let parsed = Self::parse_one(raw);
            checks.push(parsed.map_err(|InvalidCheck { field, expected }| {
                invalid(format!("[{index}]{field}"), expected)
            })?);
        }
        Ok(checks)
    }

    /// Parses a check that stands in no list.
    ///
    /// # Errors
    ///
    /// [`InvalidCheck`] names the first field that cannot work.
    pub fn parse_one(raw: &raw::Check) -> Result<Self, InvalidCheck> {
        Self::parse(raw).map_err(|(field, expected)| {
            let dot = if field.is_empty() { "" } else { "." };
            InvalidCheck { field: format!("{dot}{field}"), expected }
        })
    }

    fn parse(raw: &raw::Check) -> Result<Self, (String, &'static str)> {
        let below = |sort: &'static str| {
            move |(field, expected): Wrong| match field {
                "" => (sort.to_owned(), expected),
                field => (format!("{sort}.{field}"), expected),
            }
        };
        let raw::Check {
            name,
            timeout,
            retries,
            region,
            alarms,
            http,
            metric,
            lambda,
            dynamodb,
            rds,
            job,
        } = raw;
        let sort = match (alarms, http, metric, lambda, dynamodb, rds, job) {
            (Some(it), None, None, None, None, None, None) => {
                Sort::Alarms(Alarms::parse(it).map_err(below("alarms"))?)
            }
            (None, Some(it), None, None, None, None, None) => {
                Sort::Http(Http::parse(it).map_err(below("http"))?)
            }
            (None, None, Some(it), None, None, None, None) => {
                Sort::Metric(Metric::parse(it).map_err(below("metric"))?)
            }
            (None, None, None, Some(it), None, None, None) => {
                Sort::Lambda(Lambda::parse(it).map_err(below("lambda"))?)
            }
            (None, None, None, None, Some(it), None, None) => {
                Sort::DynamoDb(Table::parse(it).map_err(below("dynamodb"))?)
            }
            (None, None, None, None, None, Some(it), None) => {
                Sort::Rds(Database::parse(it).map_err(below("rds"))?)
            }
            (None, None, None, None, None, None, Some(it)) => {
                Sort::Job(Job::parse(it).map_err(below("job"))?)
            }
            (_, _, _, _, _, _, _) => {
                let expected =
                    "a check of exactly one of alarms, http, metric, lambda, dynamodb, rds and job";
                return Err((String::new(), expected));
            }
        };
        let timeout = patience(&sort, *timeout)?;
        let retries = retries.unwrap_or(0);
        let retries = u32::try_from(retries).ok().filter(|_| retries <= RETRIES_MAX);
        Ok(Self {
            name: name.clone(),
            timeout,
            retries: retries.ok_or_else(|| ("retries".to_owned(), "0 to 10"))?,
            region: region.clone(),
            sort,
        })
    }
}

/// How long an attempt may take.
fn patience(
    sort: &Sort,
    timeout: Option<crate::api::duration::Duration>,
) -> Result<Duration, (String, &'static str)> {
    let (usual, most, expected) = match sort {
        Sort::Job(_) => (JOB_TIMEOUT, JOB_TIMEOUT_MAX, "1s to 6h"),
        Sort::Alarms(_)
        | Sort::Http(_)
        | Sort::Metric(_)
        | Sort::Lambda(_)
        | Sort::DynamoDb(_)
        | Sort::Rds(_) => (TIMEOUT, TIMEOUT_MAX, "1s to 5m"),
    };
    let timeout = timeout.map_or(usual, |timeout| Duration::from_secs(timeout.as_secs()));
    if timeout.is_zero() || timeout > most {
        return Err(("timeout".into(), expected));
    }
    Ok(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_check_leaves_out_has_its_default() {
        let parse = |text: &str| {
            let raw: raw::Check = serde_yaml::from_str(text).unwrap();
            let [check] = Check::parse_all(&[raw]).unwrap().try_into().ok().unwrap();
            (check.timeout.as_secs(), check.retries, check.region)
        };
        let url = "http: {url: 'https://a.com/'}";
        assert_eq!(parse(&format!("{{name: a, {url}}}")), (60, 0, None));
        let full = format!("{{name: a, timeout: 10s, retries: 2, region: eu-west-1, {url}}}");
        assert_eq!(parse(&full), (10, 2, Some("eu-west-1".into())));
        assert_eq!(parse("{name: a, job: {fromCronJob: smoke}}"), (1_800, 0, None));
    }
}
