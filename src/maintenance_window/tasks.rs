//! What a window does while it is open: the tasks as they were parsed, what is asked about them, and
//! what is done.

pub mod calls;
pub mod jobs;
mod parse;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{checks::List, window::InvalidSpec};
use crate::{
    api::window_tasks::{OnTaskFailure, Task as RawTask},
    error::Remedy,
    facts::{
        check::CheckResult,
        documents::AllowedDocuments,
        ecs::Service,
        jobs::TaskJob,
        rds::PendingMaintenance,
        ssm::{Automation, Command, Run},
    },
    names::{self, Owner},
    plan::Unread,
    time::moments,
};

/// Longest comment of a command. Source: SSM API reference, SendCommand.
const COMMENT_MAX: usize = 100;
/// Hex digits of a digest in a comment: enough to tell all tasks of a cluster apart.
const DIGEST_LEN: usize = 24;

/// A task of the spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The schedules that it is for; none: all.
    pub schedules: Option<Vec<String>>,
    /// How long it may take.
    pub timeout: SignedDuration,
    /// Whether those after it are left out when it does not succeed.
    pub stops: bool,
    /// What is done.
    pub work: Work,
}

impl Task {
    /// Whether it is for an opening of these schedules.
    pub fn is_for<'s>(&self, mut schedules: impl Iterator<Item = &'s str>) -> bool {
        let own = self.schedules.as_ref();
        own.is_none_or(|own| schedules.any(|name| own.iter().any(|own| own == name)))
    }
}

/// What a task does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Run a Job.
    Job {
        /// The CronJob that it is made of.
        cron_job: String,
    },
    /// Look until a check holds: the one of this list.
    Check(List),
    /// Reboot an instance if something waits for that.
    Reboot {
        /// The instance.
        instance: String,
    },
    /// Apply the maintenance actions that wait for an instance.
    Maintain {
        /// The instance.
        instance: String,
    },
    /// Deploy a service once more.
    Deploy {
        /// Its cluster.
        cluster: String,
        /// The service.
        service: String,
    },
    /// Run a document on nodes.
    Command(Run),
    /// Run an automation.
    Automation {
        /// The document.
        run: Run,
        /// The parameter that takes the target.
        target_parameter: Option<String>,
    },
}

impl Work {
    /// The document of Systems Manager that is run.
    #[must_use]
    pub fn document(&self) -> Option<&str> {
        match self {
            Self::Command(run) | Self::Automation { run, .. } => Some(&run.document),
            Self::Job { .. }
            | Self::Check(_)
            | Self::Reboot { .. }
            | Self::Maintain { .. }
            | Self::Deploy { .. } => None,
        }
    }

    /// Who does it.
    #[must_use]
    pub const fn done_by(&self) -> &'static str {
        match self {
            Self::Job { .. } => "Kubernetes",
            Self::Check(_) => "groundcrew",
            Self::Reboot { .. }
            | Self::Maintain { .. }
            | Self::Deploy { .. }
            | Self::Command(_)
            | Self::Automation { .. } => "AWS",
        }
    }

    /// Whether to begin it again begins nothing: what began knows its mark.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        matches!(self, Self::Automation { .. } | Self::Job { .. })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job { cron_job } => write!(f, "create a Job of CronJob {cron_job}"),
            Self::Check(list) => write!(f, "wait for: {list}"),
            Self::Reboot { instance } => write!(f, "RebootDBInstance {instance} if it is pending"),
            Self::Maintain { instance } => write!(f, "ApplyPendingMaintenanceAction {instance}"),
            Self::Deploy { cluster, service } => {
                write!(f, "UpdateService {cluster}/{service} with forceNewDeployment")
            }
            Self::Command(run) => write!(f, "SendCommand {}", run.document),
            Self::Automation { run, .. } => write!(f, "StartAutomationExecution {}", run.document),
        }
    }
}

/// Parses tasks. What the API server checks is not checked again, but for what a union has.
///
/// # Errors
///
/// [`InvalidSpec`] for the first that cannot work.
pub fn parse(raw: &[RawTask], schedules: &[String]) -> Result<Vec<Task>, InvalidSpec> {
    let mut tasks: Vec<Task> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let invalid = |why: String| InvalidSpec { field: format!("tasks[{index}]"), why };
        if tasks.iter().any(|task| task.name == raw.name) {
            return Err(invalid(format!("there are two tasks of the name {}", raw.name)));
        }
        let named = raw.schedules.iter().flatten();
        if let Some(unknown) = named.into_iter().find(|name| !schedules.contains(name)) {
            return Err(invalid(format!(
                "there is no schedule {unknown}: schedules names some of this window"
            )));
        }
        let work = parse::work(raw)
            .map_err(|(field, why)| InvalidSpec { field: format!("tasks[{index}]{field}"), why })?;
        tasks.push(Task {
            name: raw.name.clone(),
            schedules: raw.schedules.clone(),
            timeout: raw.timeout.signed(),
            stops: raw.on_failure.unwrap_or_default() == OnTaskFailure::Stop,
            work,
        });
    }
    Ok(tasks)
}

/// Whether the operator allows the documents that tasks name.
///
/// # Errors
///
/// [`InvalidSpec`] for the first that is not allowed.
pub fn check_documents(tasks: &[Task], allowed: &AllowedDocuments) -> Result<(), InvalidSpec> {
    for (index, task) in tasks.iter().enumerate() {
        if let Some(why) = refused(&task.work, allowed) {
            return Err(InvalidSpec { field: format!("tasks[{index}].ssm"), why });
        }
    }
    Ok(())
}

/// Why the operator does not run a document; none when it does.
#[must_use]
pub fn refused(work: &Work, allowed: &AllowedDocuments) -> Option<String> {
    let document = work.document().filter(|document| !allowed.allow(document))?;
    Some(format!(
        "the document {document} is not allowed: whoever runs the operator allows it with --allow-ssm-documents={document}"
    ))
}

/// What is asked about a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskQuestion {
    /// What it does.
    pub work: Work,
    /// What was begun; none: it is looked for.
    pub id: Option<String>,
    /// What marks it as begun for this task of this opening.
    pub mark: Mark,
    /// Nothing of it can be older.
    pub since: Timestamp,
}

/// How much AWS's clock and ours may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(10);

/// Nothing that was begun for an opening is older than this.
#[must_use]
pub fn calls_since(opens_at: Timestamp) -> Timestamp {
    moments::before(opens_at, CLOCKS_DIFFER)
}

/// What marks something as begun for one task of one opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The opening.
    pub opening: String,
    /// Name of the task.
    pub task: String,
    /// Comment of a command.
    pub comment: String,
    /// Token of an automation: a UUID.
    pub token: String,
}

impl Mark {
    /// That of a task of an opening.
    #[must_use]
    pub fn of(owner: &Owner, opening: &str, task: &str) -> Self {
        let Owner { cluster, namespace, name } = owner;
        let digest = names::digest(&["task", cluster, namespace, name, opening, task]);
        let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
        let token = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        let words = format!("groundcrew {} {namespace}/{name} {task}", part(0, DIGEST_LEN));
        Self {
            opening: opening.to_owned(),
            task: task.to_owned(),
            comment: words.chars().take(COMMENT_MAX).collect(),
            token,
        }
    }
}

/// What is said of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Of its Job; none where there is none.
    Job(Option<TaskJob>),
    /// Of its check.
    Check(CheckResult),
    /// Of an instance.
    Database {
        /// Its ARN.
        arn: String,
        /// Its status in RDS's word.
        status: String,
        /// Whether parameters wait for a reboot.
        pending_reboot: bool,
        /// Maintenance that waits; empty where that was not asked.
        maintenance: Vec<PendingMaintenance>,
    },
    /// Of a service.
    Service(Service),
    /// Of a command; none where there is none of this mark or id.
    Command(Option<Command>),
    /// Of an automation; none where no id is known to ask by.
    Automation(Option<Automation>),
}

/// How sure it is that a call that failed did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was refused, and will be again.
    Refused,
    /// What it is about does not exist.
    Gone,
    /// It was not carried out; it may be tried again.
    NotDone,
    /// Nobody knows.
    Unsure,
}

/// A call about a task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Whether it did something.
    pub failure: Failure,
    /// Why.
    pub unread: Unread,
}

impl Failed {
    /// What is asked is not what is answered: a mistake of ours.
    #[must_use]
    pub fn ours() -> Self {
        let message = "an error of groundcrew: something else was asked; please report it";
        let unread =
            Unread { remedy: Remedy::Retry, reason: "Unavailable", message: message.to_owned() };
        Self { failure: Failure::Refused, unread }
    }
}

/// What a pass knows of the task that it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// What is said of it.
    pub seen: Result<Seen, Failed>,
    /// How the step of this pass went; none where there was none yet. What was begun has an id; what
    /// was told to stop may have last words, as the end of a sentence.
    pub done: Option<Result<String, Failed>>,
}

/// What is done about a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskStep {
    /// It is begun.
    Begin {
        /// Among the intents of this process.
        key: String,
        /// Whether only who wrote the intent may begin it.
        once: bool,
        /// What it does.
        work: Work,
        /// Its ARN, where AWS asks for it: an instance.
        arn: String,
        /// The maintenance action.
        action: String,
        /// Its mark.
        mark: Mark,
        /// How long it may take.
        timeout: SignedDuration,
        /// How long it is waited for, an extension included.
        at_most: SignedDuration,
        /// It is not begun any more then.
        not_after: Timestamp,
    },
    /// It is told to stop.
    Cancel {
        /// What it does.
        work: Work,
        /// What was begun.
        id: String,
        /// Its mark.
        mark: Mark,
    },
}
