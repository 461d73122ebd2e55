//! The Jobs that tasks run.

use std::time::Duration;

use tokio::time::timeout;

use super::{Failed, Failure, Mark, Seen, TaskStep, Work};
use crate::{
    aws::gate::CALL_TIMEOUT,
    context::Clock,
    error::{Remedy, clean},
    facts::jobs::{State, TaskJob},
    jobs::{self, Error, NotStarted, Run},
    kubernetes::port::{Class, ObjectId},
    plan::Unread,
    tasks::Desk,
};

/// Jobs on behalf of one window.
pub struct TaskJobs<'a> {
    /// Jobs of the cluster, and whether they may be written now.
    pub desk: &'a Desk,
    /// What the end of an opening is compared with.
    pub clock: &'a Clock,
    /// The window.
    pub owner: ObjectId,
}

impl TaskJobs<'_> {
    /// Asks about the Job of a task.
    ///
    /// # Errors
    ///
    /// [`Failed`] as Kubernetes failed.
    pub async fn look(&self, cron_job: &str, mark: &Mark) -> Result<Seen, Failed> {
        let run = self.run(cron_job, mark, Duration::ZERO);
        let (all, namespace) = (&*self.desk.jobs, &self.owner.namespace);
        let Some(job) = jobs::find(all, &run).await.map_err(|error| failed(&error))? else {
            return Ok(Seen::Job(None));
        };
        let state = jobs::state(&job);
        let told = match state {
            // Its log changes all the time.
            State::Runs => jobs::waits(all, namespace, &job).await,
            State::Succeeded | State::Failed(_) => jobs::tail(all, namespace, &job).await,
        };
        let uid = jobs::uid(&job).to_owned();
        Ok(Seen::Job(Some(TaskJob { name: run.name(), uid, state, told })))
    }

    /// Carries out a step; none where there was no need to: what is to stop has just ended.
    pub async fn carry_out(&self, step: &TaskStep) -> Option<Result<String, Failed>> {
        match step {
            TaskStep::Begin { work: Work::Job { cron_job }, mark, at_most, not_after, .. } => {
                if let Err(why) = self.desk.gate.admits(Some(*not_after), self.clock.now()) {
                    return Some(Err(not_sent(why)));
                }
                let run = self.run(cron_job, mark, at_most.unsigned_abs());
                Some(self.begin(&run).await)
            }
            TaskStep::Cancel { work: Work::Job { cron_job }, id, mark } => {
                if let Err(why) = self.desk.gate.admits(None, self.clock.now()) {
                    return Some(Err(not_sent(why)));
                }
                let run = self.run(cron_job, mark, Duration::ZERO);
                self.stop(&run, id).await.transpose()
            }
            // Nothing else is a Job.
            TaskStep::Begin { .. } | TaskStep::Cancel { .. } => None,
        }
    }

    async fn begin(&self, run: &Run) -> Result<String, Failed> {
        match timeout(CALL_TIMEOUT, jobs::begin(&*self.desk.jobs, run)).await {
            Ok(Ok(job)) => Ok(TaskJob {
                name: run.name(),
                uid: jobs::uid(&job).to_owned(),
                state: State::Runs,
                told: String::new(),
            }
            .id()),
            Ok(Err(error)) => Err(not_begun(error)),
            Err(_) => Err(unavailable(format!(
                "the API server did not answer within {} s",
                CALL_TIMEOUT.as_secs()
            ))),
        }
    }

    /// Deletes a Job that runs; what it did last, as the end of a sentence. None where it has ended.
    async fn stop(&self, run: &Run, id: &str) -> Result<Option<String>, Failed> {
        let (all, namespace) = (&*self.desk.jobs, &self.owner.namespace);
        let found = jobs::find(all, run).await.map_err(|error| failed(&error))?;
        let job = found.filter(|job| format!("{}/{}", run.name(), jobs::uid(job)) == id);
        let Some(job) = job else { return Ok(None) };
        if jobs::state(&job) != State::Runs {
            return Ok(None);
        }
        let waits = jobs::waits(all, namespace, &job).await;
        let log = jobs::tail(all, namespace, &job).await;
        let deleted = all.delete(namespace, &run.name(), jobs::uid(&job)).await;
        deleted.map_err(|error| failed(&error))?;
        Ok(Some(format!("{waits}{log}")))
    }

    fn run(&self, cron_job: &str, mark: &Mark, timeout: Duration) -> Run {
        Run {
            owner: self.owner.clone(),
            cron_job: cron_job.to_owned(),
            part: format!("tasks {}", mark.task),
            about: mark.opening.clone(),
            once: true,
            timeout,
        }
    }
}

/// Why a Job was not made, as a fact.
fn not_begun(error: NotStarted) -> Failed {
    match error {
        NotStarted::Call(error) => failed(&error),
        NotStarted::NoCronJob(_)
        | NotStarted::NotRunnable(_)
        | NotStarted::Taken(_)
        | NotStarted::InTheWay(_) => Failed {
            failure: Failure::Refused,
            unread: Unread {
                remedy: Remedy::AwaitEdit,
                reason: "JobRefused",
                message: error.to_string(),
            },
        },
    }
}

/// How Kubernetes failed, as a fact.
fn failed(error: &Error) -> Failed {
    let message = clean(&error.message);
    let (failure, remedy, reason) = match error.class {
        Class::Denied => (Failure::Refused, Remedy::AwaitEdit, "AccessDenied"),
        Class::Invalid => (Failure::Refused, Remedy::AwaitEdit, "JobRefused"),
        Class::Gone => (Failure::Gone, Remedy::AwaitEdit, "NotFound"),
        Class::Conflict | Class::Unavailable => return unavailable(message),
    };
    tracing::warn!(error = message, "a task of a window");
    Failed { failure, unread: Unread { remedy, reason, message } }
}

fn unavailable(message: String) -> Failed {
    tracing::warn!(error = message, "a task of a window");
    let unread = Unread { remedy: Remedy::Retry, reason: "Unavailable", message };
    Failed { failure: Failure::Unsure, unread }
}

fn not_sent(message: String) -> Failed {
    let unread = Unread { remedy: Remedy::Later, reason: "NotSent", message };
    Failed { failure: Failure::NotDone, unread }
}

#[cfg(test)]
mod tests;
