//! Jobs that are made of a CronJob's template, for checks and tasks: started once, looked at, and told
//! of with their last lines of log.
//!
//! A Job's name is derived from what it is for, so a crash never starts two: who comes second finds the
//! name taken, and the Job of that name says for whom it runs. [`Jobs`] is Kubernetes, as far as this
//! needs it; what is made and what is found is judged here.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::{ContainerState, Pod},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use tokio::time::sleep;

use crate::{
    api::fit::cut,
    error::clean,
    facts::jobs::State,
    kubernetes::port::{Class, ObjectId},
    names,
};

/// The annotation with which a CronJob allows that Jobs are made of it.
pub const RUNNABLE: &str = "groundcrew.dev/runnable";
/// The annotation of our Jobs that says what they run for.
const RUN: &str = "groundcrew.dev/run";
/// The label of our Jobs that says for which kind they run.
const KIND: &str = "groundcrew.dev/kind";
/// How often a Job is looked at.
pub const POLL: Duration = Duration::from_secs(3);
/// How long a Job stays after its end, for people to look at: until the next morning.
const TTL: i32 = 86_400;
/// How much longer Kubernetes lets a Job run than we wait, in seconds: it ends also where nobody waits.
const GRACE: i64 = 60;
/// How often a Job that is in the way is looked at again, until it is gone.
const REPLACES_MAX: usize = 20;
/// Characters of a CronJob's name in the names of its Jobs; the longest that Kubernetes takes is 63.
const STEM_MAX: usize = 40;
/// Characters of a hash in the names of Jobs.
const HASH_LEN: usize = 10;
/// Lines of log that are told, and the characters of each.
pub const LINES: usize = 3;
const LINE_MAX: usize = 120;

/// Jobs, and what has to be read for them.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Reads a CronJob; none when there is none.
    async fn cron_job(&self, namespace: &str, name: &str) -> Result<Option<CronJob>, Error>;

    /// Makes a Job; none when its name is taken.
    async fn create(&self, namespace: &str, job: &Job) -> Result<Option<Job>, Error>;

    /// Reads a Job; none when there is none.
    async fn job(&self, namespace: &str, name: &str) -> Result<Option<Job>, Error>;

    /// Deletes a Job with its pods, if it is still the one with this uid.
    async fn delete(&self, namespace: &str, name: &str, uid: &str) -> Result<(), Error>;

    /// The newest pod of a Job; none when it has none.
    async fn pod(&self, namespace: &str, job: &Job) -> Result<Option<Pod>, Error>;

    /// The last [`LINES`] lines that a container of a pod wrote.
    async fn log(&self, namespace: &str, pod: &str, container: &str) -> Result<String, Error>;
}

/// A failed call for a Job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of failure.
    pub class: Class,
    /// What was tried, and the API server's words.
    pub message: String,
}

/// Where there is no cluster.
pub struct NoCluster;

impl NoCluster {
    fn refuse<T>() -> Result<T, Error> {
        Err(Error { class: Class::Denied, message: "there is no cluster".to_owned() })
    }
}

#[async_trait]
impl Jobs for NoCluster {
    async fn cron_job(&self, _: &str, _: &str) -> Result<Option<CronJob>, Error> {
        Self::refuse()
    }

    async fn create(&self, _: &str, _: &Job) -> Result<Option<Job>, Error> {
        Self::refuse()
    }

    async fn job(&self, _: &str, _: &str) -> Result<Option<Job>, Error> {
        Self::refuse()
    }

    async fn delete(&self, _: &str, _: &str, _: &str) -> Result<(), Error> {
        Self::refuse()
    }

    async fn pod(&self, _: &str, _: &Job) -> Result<Option<Pod>, Error> {
        Self::refuse()
    }

    async fn log(&self, _: &str, _: &str, _: &str) -> Result<String, Error> {
        Self::refuse()
    }
}

/// Why a Job was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// The CronJob does not exist.
    #[error("there is no CronJob {0}")]
    NoCronJob(String),
    /// The CronJob does not opt in.
    #[error("CronJob {0} does not allow it: give it the annotation {RUNNABLE}: \"true\"")]
    NotRunnable(String),
    /// Something else has its name.
    #[error("a Job {0} exists that was not made for this: delete it")]
    Taken(String),
    /// One that is in the way does not go away.
    #[error("Job {0} of an earlier run is not deleted yet")]
    InTheWay(String),
    /// Kubernetes refused, or did not answer.
    #[error(transparent)]
    Call(#[from] Error),
}

/// What a Job is to run for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The object that it belongs to, and goes with.
    pub owner: ObjectId,
    /// Name of the CronJob that it is made of.
    pub cron_job: String,
    /// Which part of the object it is for; its name is derived from this.
    pub part: String,
    /// What it runs for, such as an opening: a Job of something else is of no use.
    pub about: String,
    /// Whether it runs once for that, and keeps its end: its name is derived from what it runs for,
    /// too.
    pub once: bool,
    /// How long it may take.
    pub timeout: Duration,
}

impl Run {
    /// The name of its Job.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { owner, cron_job, part, about, once, timeout: _ } = self;
        let mut parts = vec![owner.uid.as_str(), part, cron_job];
        parts.extend(once.then_some(about.as_str()));
        let hash = names::digest(&parts);
        let hash: String = hash.chars().take(HASH_LEN).collect();
        let stem: String = self.cron_job.chars().take(STEM_MAX).collect();
        format!("{}-{hash}", stem.trim_end_matches(['-', '.']))
    }

    /// The Job, made of a CronJob's template.
    fn job(&self, cron_job: &CronJob) -> Job {
        let template = cron_job.spec.job_template.clone();
        let mut spec = template.spec.unwrap_or_default();
        let most = i64::try_from(self.timeout.as_secs()).unwrap_or(i64::MAX).saturating_add(GRACE);
        let own = spec.active_deadline_seconds.unwrap_or(most);
        spec.active_deadline_seconds = Some(own.min(most));
        spec.ttl_seconds_after_finished = Some(TTL);
        let meta = template.metadata.unwrap_or_default();
        let mut labels = meta.labels.unwrap_or_default();
        labels.insert(KIND.to_owned(), self.owner.kind.kind.to_owned());
        let mut annotations = meta.annotations.unwrap_or_default();
        annotations.insert(RUN.to_owned(), self.told());
        Job {
            metadata: ObjectMeta {
                name: Some(self.name()),
                namespace: Some(self.owner.namespace.clone()),
                labels: Some(labels),
                annotations: Some(annotations),
                owner_references: Some(vec![self.reference()]),
                ..ObjectMeta::default()
            },
            spec: Some(spec),
            status: None,
        }
    }

    /// It goes with its object.
    fn reference(&self) -> OwnerReference {
        let ObjectId { kind, namespace: _, name, uid } = &self.owner;
        OwnerReference {
            api_version: kind.api_version.to_owned(),
            kind: kind.kind.to_owned(),
            name: name.clone(),
            uid: uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(false),
        }
    }

    fn told(&self) -> String {
        format!("{}: {}", self.part, self.about)
    }

    /// Whether a Job belongs to the same object.
    fn owns(&self, job: &Job) -> bool {
        let owners = job.metadata.owner_references.iter().flatten();
        owners.into_iter().any(|owner| owner.uid == self.owner.uid)
    }

    /// Whether a Job runs for the same.
    fn is_of(&self, job: &Job) -> bool {
        let annotations = job.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(RUN)).is_some_and(|told| *told == self.told())
    }
}

/// Starts a Job, or finds the one that was started for the same and runs still. One that has ended, or
/// runs for something else, is deleted first: its result is not of this run.
///
/// # Errors
///
/// [`NotStarted`]. It may run all the same where no answer came; the next start finds it.
pub async fn start(jobs: &dyn Jobs, run: &Run) -> Result<Job, NotStarted> {
    let namespace = &run.owner.namespace;
    let job = template(jobs, run).await?;
    for _ in 0..REPLACES_MAX {
        if let Some(made) = jobs.create(namespace, &job).await? {
            return Ok(made);
        }
        let Some(found) = jobs.job(namespace, &run.name()).await? else { continue };
        if !run.owns(&found) {
            return Err(NotStarted::Taken(run.name()));
        }
        if found.metadata.deletion_timestamp.is_none() {
            if run.is_of(&found) && state(&found) == State::Runs {
                return Ok(found);
            }
            jobs.delete(namespace, &run.name(), uid(&found)).await?;
        }
        sleep(POLL).await;
    }
    Err(NotStarted::InTheWay(run.name()))
}

/// Makes the Job of a [`Run`] that is to run once, or finds the one that was made for the same, also
/// where it has ended: that is never replaced.
///
/// # Errors
///
/// [`NotStarted`]. It may run all the same where no answer came; to begin again is harmless.
pub async fn begin(jobs: &dyn Jobs, run: &Run) -> Result<Job, NotStarted> {
    let namespace = &run.owner.namespace;
    let job = template(jobs, run).await?;
    if let Some(made) = jobs.create(namespace, &job).await? {
        return Ok(made);
    }
    match find(jobs, run).await? {
        Some(found) => Ok(found),
        None => Err(NotStarted::Taken(run.name())),
    }
}

/// The Job that was made for a [`Run`]; none where there is none, or one of something else.
///
/// # Errors
///
/// That of Kubernetes.
pub async fn find(jobs: &dyn Jobs, run: &Run) -> Result<Option<Job>, Error> {
    let found = jobs.job(&run.owner.namespace, &run.name()).await?;
    Ok(found.filter(|found| run.owns(found) && run.is_of(found)))
}

/// What is made of the CronJob, if that opts in.
async fn template(jobs: &dyn Jobs, run: &Run) -> Result<Job, NotStarted> {
    let cron_job = jobs.cron_job(&run.owner.namespace, &run.cron_job).await?;
    let cron_job = cron_job.ok_or_else(|| NotStarted::NoCronJob(run.cron_job.clone()))?;
    let annotations = cron_job.metadata.annotations.as_ref();
    if annotations.and_then(|all| all.get(RUNNABLE)).is_none_or(|value| value != "true") {
        return Err(NotStarted::NotRunnable(run.cron_job.clone()));
    }
    Ok(run.job(&cron_job))
}

/// The uid of a Job.
#[must_use]
pub fn uid(job: &Job) -> &str {
    job.metadata.uid.as_deref().unwrap_or_default()
}

/// How far a Job is, by its conditions: only those that end it count.
#[must_use]
pub fn state(job: &Job) -> State {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
    for condition in conditions.into_iter().flatten().filter(|one| one.status == "True") {
        let words = || {
            let reason = condition.reason.clone().unwrap_or_default();
            match condition.message.as_deref() {
                None | Some("") => reason,
                Some(message) => format!("{reason}: {message}"),
            }
        };
        match condition.type_.as_str() {
            "Complete" => return State::Succeeded,
            "Failed" => return State::Failed(words()),
            _ => {}
        }
    }
    State::Runs
}

/// The end of a Job's log as the end of a sentence; nothing where there is none, or none can be read.
pub async fn tail(jobs: &dyn Jobs, namespace: &str, job: &Job) -> String {
    let Ok(Some(pod)) = jobs.pod(namespace, job).await else { return String::new() };
    let name = pod.metadata.name.clone().unwrap_or_default();
    let Some(container) = container(&pod) else { return String::new() };
    let log = jobs.log(namespace, &name, &container).await.unwrap_or_default();
    last_lines(&log)
}

/// What a Job's pod waits for, as the end of a sentence; nothing where it does not wait.
pub async fn waits(jobs: &dyn Jobs, namespace: &str, job: &Job) -> String {
    match jobs.pod(namespace, job).await {
        Ok(Some(pod)) => waits_for(&pod).map(|why| format!("; its pod waits: {why}")),
        Ok(None) => Some("; it has no pod".to_owned()),
        Err(_) => None,
    }
    .unwrap_or_default()
}

fn waits_for(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        return condition.message.clone().or_else(|| condition.reason.clone());
    }
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let mut waiting = all.filter_map(|container| match container.state.as_ref()? {
        ContainerState { waiting: Some(waiting), .. } => waiting.reason.clone(),
        ContainerState { .. } => None,
    });
    waiting.next()
}

/// The container whose log is told: the one that `kubectl logs` shows.
fn container(pod: &Pod) -> Option<String> {
    let annotations = pod.metadata.annotations.as_ref();
    let named = annotations.and_then(|all| all.get("kubectl.kubernetes.io/default-container"));
    let first = || Some(pod.spec.as_ref()?.containers.first()?.name.clone());
    named.cloned().or_else(first)
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let skipped = lines.len().saturating_sub(LINES);
    let shown = lines.into_iter().skip(skipped).map(|line| {
        let mut line = clean(line);
        cut(&mut line, LINE_MAX);
        line
    });
    match shown.collect::<Vec<_>>().join(" / ") {
        none if none.is_empty() => none,
        shown => format!("; its log ends: {shown}"),
    }
}

#[cfg(test)]
pub(crate) mod bench;
#[cfg(test)]
mod tests;
