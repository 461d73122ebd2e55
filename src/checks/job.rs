//! A Job that must succeed.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Judged, parse::Wrong};
use crate::{
    api::check::JobCheck,
    facts::jobs::State,
    jobs::{self, Jobs, NotStarted, Run},
    kubernetes::port::{Class, ObjectId},
};

/// Longest name of a CronJob. Source: Kubernetes, which adds eleven characters to it for a Job.
const NAME_MAX: usize = 52;

/// A Job that is made of a CronJob's template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    cron_job: String,
}

/// For whom a check runs.
pub(super) struct Subject<'a> {
    pub(super) jobs: &'a dyn Jobs,
    /// The object.
    pub(super) owner: &'a ObjectId,
    /// The list that the check is in, and its name.
    pub(super) part: String,
    /// What it is about.
    pub(super) about: &'a str,
    /// How long it may take.
    pub(super) timeout: Duration,
}

impl Job {
    pub(super) fn parse(raw: &JobCheck) -> Result<Self, Wrong> {
        Ok(Self { cron_job: cron_job(raw)? })
    }

    /// Starts it, and waits for its end, or for that of its time.
    pub(super) async fn look(&self, at: &Subject<'_>) -> Judged {
        let run = Run {
            owner: at.owner.clone(),
            cron_job: self.cron_job.clone(),
            part: at.part.clone(),
            about: at.about.to_owned(),
            once: false,
            timeout: at.timeout,
        };
        let begun = Instant::now();
        let job = match jobs::start(at.jobs, &run).await {
            Ok(job) => job,
            Err(error) => return not_started(&error),
        };
        let (namespace, name) = (&run.owner.namespace, run.name());
        let uid = jobs::uid(&job);
        loop {
            let found = at.jobs.job(namespace, &name).await;
            let over = begun.elapsed() >= at.timeout;
            match found {
                Ok(Some(found)) if jobs::uid(&found) == uid => match jobs::state(&found) {
                    State::Runs if over => return out_of_time(at, namespace, &found, &name).await,
                    State::Runs => {}
                    State::Succeeded => {
                        let log = jobs::tail(at.jobs, namespace, &found).await;
                        return Judged::passed(format!("Job {name} succeeded{log}"));
                    }
                    State::Failed(why) => {
                        let log = jobs::tail(at.jobs, namespace, &found).await;
                        return Judged::failed(format!("Job {name} failed, {why}{log}"));
                    }
                },
                Ok(_) => return Judged::failed(format!("Job {name} was deleted before its end")),
                // It goes on meanwhile.
                Err(error) if over || error.class == Class::Denied => {
                    return Judged::unreadable(error.message);
                }
                Err(_) => {}
            }
            sleep(jobs::POLL).await;
        }
    }
}

/// The name of the CronJob that a Job is made of.
///
/// # Errors
///
/// The field that is wrong, and what it must be.
pub fn cron_job(raw: &JobCheck) -> Result<String, Wrong> {
    let JobCheck { from_cron_job } = raw;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let named = !from_cron_job.is_empty() && from_cron_job.len() <= NAME_MAX;
    if named && from_cron_job.chars().all(fits) {
        Ok(from_cron_job.clone())
    } else {
        Err(("fromCronJob", "the name of a CronJob"))
    }
}

/// It is told what it did last, and deleted: it may use what the next run needs.
async fn out_of_time(
    at: &Subject<'_>,
    namespace: &str,
    job: &k8s_openapi::api::batch::v1::Job,
    name: &str,
) -> Judged {
    let waits = jobs::waits(at.jobs, namespace, job).await;
    let log = jobs::tail(at.jobs, namespace, job).await;
    let deleted = match at.jobs.delete(namespace, name, jobs::uid(job)).await {
        Ok(()) => "was deleted".to_owned(),
        Err(error) => format!("could not be deleted ({error})"),
    };
    let seconds = at.timeout.as_secs();
    Judged::failed(format!("Job {name} had not ended after {seconds} s and {deleted}{waits}{log}"))
}

/// What is missing in the cluster fails; what Kubernetes does not say is no answer.
fn not_started(error: &NotStarted) -> Judged {
    match error {
        NotStarted::NoCronJob(_) | NotStarted::NotRunnable(_) | NotStarted::Taken(_) => {
            Judged::failed(error.to_string())
        }
        NotStarted::InTheWay(_) | NotStarted::Call(_) => Judged::unreadable(error.to_string()),
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a Job of CronJob {} succeeds", self.cron_job)
    }
}

#[cfg(test)]
mod tests;
