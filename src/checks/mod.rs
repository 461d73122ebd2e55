//! Conditions that must hold: alarms that do not fire, addresses that answer, metrics within limits,
//! functions, tables and databases that are ready, Jobs that succeed.
//!
//! A check is parsed into types that cannot be wrong, looked at, and judged. Looking reads; judging is
//! pure. What AWS refuses is an answer, too: [`CheckVerdict::Unreadable`], never a pass.

pub mod alarms;
pub mod dynamodb;
pub mod http;
pub mod job;
pub mod lambda;
pub mod measure;
pub mod metric;
mod parse;
pub mod rds;
mod run;

use std::{fmt, sync::Arc, time::Duration};

pub use self::{
    parse::InvalidCheck,
    run::{Asked, Checks, RUN_WAIT},
};
use crate::{
    api::check::CheckVerdict,
    aws,
    aws::{Class, session::Session},
    context::Clock,
    error::chain,
};

/// A condition that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Name in the status.
    pub name: String,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often one that does not pass is tried again.
    pub retries: u32,
    /// Region that is looked at; none: that of the object.
    pub region: Option<String>,
    /// What is looked at.
    pub sort: Sort,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Sort {
    /// Alarms that must not fire.
    Alarms(alarms::Alarms),
    /// An address that must answer.
    Http(http::Http),
    /// A metric that must stay within limits.
    Metric(metric::Metric),
    /// A function.
    Lambda(lambda::Lambda),
    /// A table.
    DynamoDb(dynamodb::Table),
    /// A database.
    Rds(rds::Database),
    /// A Job.
    Job(job::Job),
}

/// What one look at a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What it says.
    pub verdict: CheckVerdict,
    /// Why, with numbers.
    pub message: String,
}

/// What a look reads with.
pub(crate) struct Surroundings<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) hub: &'a aws::hub::Hub,
    pub(crate) clock: &'a Clock,
    pub(crate) namespace: &'a str,
}

impl Judged {
    pub(crate) fn passed(message: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Passed, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Failed, message: message.into() }
    }

    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Unreadable, message: message.into() }
    }

    /// What an error of AWS says of something that must exist.
    pub(crate) fn of_error(error: &aws::Error) -> Self {
        let message = chain(error);
        match error.class {
            Class::NotFound => Self::failed(message),
            Class::Conflict
            | Class::Stale
            | Class::Throttled
            | Class::Denied
            | Class::Credentials
            | Class::Invalid
            | Class::Unknown
            | Class::Refused
            | Class::NoTurn => Self::unreadable(message),
        }
    }
}

impl Check {
    /// Whether it does more than to look.
    #[must_use]
    pub fn invokes(&self) -> bool {
        self.sort.invokes()
    }

    /// Whether it runs a Job.
    #[must_use]
    pub fn is_job(&self) -> bool {
        matches!(self.sort, Sort::Job(_))
    }

    /// Whether it reads AWS.
    #[must_use]
    pub fn reads_aws(&self) -> bool {
        !matches!(self.sort, Sort::Job(_) | Sort::Http(_))
    }
}

impl Sort {
    fn invokes(&self) -> bool {
        match self {
            Self::Lambda(lambda) => lambda.invokes(),
            Self::Job(_) => true,
            Self::Alarms(_)
            | Self::Http(_)
            | Self::Metric(_)
            | Self::DynamoDb(_)
            | Self::Rds(_) => false,
        }
    }

    /// One look; without a way to AWS, only at what is elsewhere.
    async fn look(
        &self,
        aws: Result<&Surroundings<'_>, &str>,
        fetch: &dyn http::Fetch,
        subject: &job::Subject<'_>,
    ) -> Judged {
        match (self, aws) {
            (Self::Http(http), _) => http.look(fetch).await,
            (Self::Job(job), _) => job.look(subject).await,
            (_, Err(why)) => Judged::unreadable(why),
            (Self::Alarms(alarms), Ok(at)) => alarms.look(at).await,
            (Self::Metric(metric), Ok(at)) => metric.look(at).await,
            (Self::Lambda(lambda), Ok(at)) => lambda.look(at).await,
            (Self::DynamoDb(table), Ok(at)) => table.look(at).await,
            (Self::Rds(database), Ok(at)) => database.look(at).await,
        }
    }

    /// What it means that a look took too long.
    fn out_of_time(&self, timeout: Duration) -> Judged {
        let message = format!("no answer within {} s", timeout.as_secs());
        match self {
            Self::Http(_) | Self::Job(_) => Judged::failed(message),
            Self::Lambda(_) if self.invokes() => Judged::failed(message),
            Self::Alarms(_)
            | Self::Metric(_)
            | Self::Lambda(_)
            | Self::DynamoDb(_)
            | Self::Rds(_) => Judged::unreadable(message),
        }
    }
}

impl fmt::Display for Check {
    /// What must hold: `api: https://api.example.com/health answers 200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.sort)
    }
}

impl fmt::Display for Sort {
    /// What must hold, without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alarms(alarms) => alarms.fmt(f),
            Self::Http(http) => http.fmt(f),
            Self::Metric(metric) => metric.fmt(f),
            Self::Lambda(lambda) => lambda.fmt(f),
            Self::DynamoDb(table) => table.fmt(f),
            Self::Rds(database) => database.fmt(f),
            Self::Job(job) => job.fmt(f),
        }
    }
}
