//! What a window does while it is open: the tasks as they were parsed, what is asked of AWS about
//! them, and what is done.

pub mod calls;

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};

use super::window::InvalidSpec;
use crate::{
    api::window_tasks::{
        EcsAction, OnTaskFailure, ParameterValues, RdsAction, SsmAutomation, SsmCommand, SsmTarget,
        Task as RawTask,
    },
    facts::{
        documents::AllowedDocuments,
        ecs::Service,
        rds::PendingMaintenance,
        ssm::{Automation, Command, Run, Target},
    },
    names::{self, Owner},
    plan::Unread,
    time::moments,
};

/// Longest comment of a command. Source: SSM API reference, SendCommand.
const COMMENT_MAX: usize = 100;
/// Hex digits of a digest in a comment: enough to tell all tasks of a cluster apart.
const DIGEST_LEN: usize = 24;
const ON_AT_ONCE: &str = "1";
const NO_ERRORS: &str = "0";

/// A task of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
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
            Self::Reboot { .. } | Self::Maintain { .. } | Self::Deploy { .. } => None,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
        let work = work(raw).ok_or_else(|| {
            invalid("a task has exactly one of rds, ecs, ssm.command and ssm.automation".into())
        })?;
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

fn work(raw: &RawTask) -> Option<Work> {
    match (&raw.rds, &raw.ecs, &raw.ssm) {
        (Some(rds), None, None) => {
            let instance = rds.instance.clone();
            Some(match rds.action {
                RdsAction::RebootIfPending => Work::Reboot { instance },
                RdsAction::ApplyPendingMaintenance => Work::Maintain { instance },
            })
        }
        (None, Some(ecs), None) => {
            let (cluster, service) = (ecs.cluster.clone(), ecs.service.clone());
            Some(match ecs.action {
                EcsAction::ForceNewDeployment => Work::Deploy { cluster, service },
            })
        }
        (None, None, Some(ssm)) => match (&ssm.command, &ssm.automation) {
            (Some(raw), None) => {
                let SsmCommand { document, parameters, targets, max_concurrency, max_errors } = raw;
                Some(Work::Command(run(document, parameters, targets, max_concurrency, max_errors)))
            }
            (None, Some(raw)) => {
                let SsmAutomation { document, parameters, max_concurrency, max_errors, .. } = raw;
                let targets = raw.targets.as_deref().unwrap_or_default();
                Some(Work::Automation {
                    run: run(document, parameters, targets, max_concurrency, max_errors),
                    target_parameter: raw.target_parameter.clone(),
                })
            }
            (Some(_), Some(_)) | (None, None) => None,
        },
        _ => None,
    }
}

fn run(
    document: &str,
    parameters: &Option<BTreeMap<String, ParameterValues>>,
    targets: &[SsmTarget],
    max_concurrency: &Option<String>,
    max_errors: &Option<String>,
) -> Run {
    let named = |(name, values): (&String, &ParameterValues)| (name.clone(), values.0.clone());
    let target = |raw: &SsmTarget| Target { key: raw.key.clone(), values: raw.values.clone() };
    Run {
        document: document.to_owned(),
        parameters: parameters.iter().flatten().map(named).collect(),
        targets: targets.iter().map(target).collect(),
        max_concurrency: max_concurrency.clone().unwrap_or(ON_AT_ONCE.into()),
        max_errors: max_errors.clone().unwrap_or(NO_ERRORS.into()),
    }
}

/// What is asked of AWS about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What marks something in AWS as begun for one task of one opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
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
        Self { comment: words.chars().take(COMMENT_MAX).collect(), token }
    }
}

/// What AWS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
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
    /// AWS refused it, and will again.
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

/// What a pass knows of the task that it is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// What AWS says.
    pub seen: Result<Seen, Failed>,
    /// How the step of this pass went; none where there was none yet. What was begun has an id.
    pub done: Option<Result<String, Failed>>,
}

/// What is done about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        /// It is not begun any more then.
        not_after: Timestamp,
    },
    /// It is told to stop.
    Cancel {
        /// What it does.
        work: Work,
        /// What was begun.
        id: String,
    },
}
