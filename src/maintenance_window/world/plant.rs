//! What tasks work on: one database, one service, and the commands and automations that were sent.

use jiff::{SignedDuration, Timestamp};

use crate::{
    error::Remedy,
    facts::{
        ecs::{Deployment, Rollout, Service},
        jobs::{State, TaskJob},
        rds::PendingMaintenance,
        ssm::{Automation, Command},
    },
    maintenance_window::tasks::{Failed, Failure, Seen, TaskQuestion, TaskStep, Work},
    plan::Unread,
};

/// A command or an automation.
#[derive(Clone, Debug)]
pub struct Sent {
    pub id: String,
    pub mark: String,
    pub begun: Timestamp,
    pub cancelled: bool,
}

/// What there is, and what was begun of it.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Until when the database is busy, and with what.
    pub busy: Option<(&'static str, Timestamp)>,
    pub pending_reboot: bool,
    pub maintenance: Vec<PendingMaintenance>,
    /// Ids of deployments and when they were made; the last one is wanted.
    pub deployments: Vec<(String, Timestamp)>,
    pub commands: Vec<Sent>,
    pub automations: Vec<Sent>,
    /// The Job, and the others of its name that were deleted.
    pub job: Option<Sent>,
    pub jobs_deleted: usize,
    /// How long Kubernetes was told to let it run at most.
    pub at_most: Option<SignedDuration>,
    /// How long everything takes.
    pub takes: SignedDuration,
    /// How what is sent ends.
    pub outcome: &'static str,
    /// Nodes that a command finds.
    pub nodes: i32,
    /// What was begun so lately is not listed.
    pub lag: SignedDuration,
    /// How the next calls that begin something fail, and whether they are carried out all the same.
    pub failing: Option<(Failure, bool)>,
    /// Reads fail so.
    pub unreadable: Option<Failure>,
    /// Calls that began something, in order.
    pub begun: Vec<String>,
    pub cancelled: Vec<String>,
}

impl Default for Plant {
    fn default() -> Self {
        Self {
            busy: None,
            pending_reboot: true,
            maintenance: Vec::new(),
            deployments: vec![("ecs-svc/1".into(), Timestamp::MIN)],
            commands: Vec::new(),
            automations: Vec::new(),
            job: None,
            jobs_deleted: 0,
            at_most: None,
            takes: SignedDuration::from_mins(2),
            outcome: "Success",
            nodes: 1,
            lag: SignedDuration::ZERO,
            failing: None,
            unreadable: None,
            begun: Vec::new(),
            cancelled: Vec::new(),
        }
    }
}

pub fn failed(failure: Failure) -> Failed {
    let (reason, message) = match failure {
        Failure::Refused => ("AccessDenied", "no permission"),
        Failure::Gone => ("NotFound", "there is none"),
        Failure::NotDone => ("Throttled", "too many calls"),
        Failure::Unsure => ("Unavailable", "no answer"),
    };
    Failed { failure, unread: Unread { remedy: Remedy::Retry, reason, message: message.into() } }
}

impl Plant {
    fn settle(&mut self, now: Timestamp) {
        if let Some((what, until)) = self.busy
            && until <= now
        {
            if what == "rebooting" {
                self.pending_reboot = false;
            } else {
                self.maintenance.retain(|pending| !pending.immediate);
            }
            self.busy = None;
        }
    }

    pub fn look(&mut self, question: &TaskQuestion, now: Timestamp) -> Result<Seen, Failed> {
        if let Some(failure) = self.unreadable {
            return Err(failed(failure));
        }
        self.settle(now);
        let shown = |begun: Timestamp| begun + self.lag <= now;
        Ok(match &question.work {
            Work::Reboot { instance } | Work::Maintain { instance } => Seen::Database {
                arn: format!("arn:aws:rds:eu-central-1:123456789012:db:{instance}"),
                status: self.busy.map_or("available", |(what, _)| what).to_owned(),
                pending_reboot: self.pending_reboot,
                maintenance: self.maintenance.clone(),
            },
            Work::Deploy { .. } => {
                let mut all: Vec<_> =
                    self.deployments.iter().filter(|(_, at)| shown(*at)).collect();
                let primary = all.pop().unwrap();
                let rollout = match (primary.1 + self.takes <= now, self.outcome) {
                    (false, _) => Rollout::InProgress,
                    (true, "Success") => Rollout::Completed,
                    (true, _) => Rollout::Failed,
                };
                let primary = Deployment {
                    id: primary.0.clone(),
                    primary: true,
                    rollout: Some(if primary.1 == Timestamp::MIN {
                        Rollout::Completed
                    } else {
                        rollout
                    }),
                    reason: "because".into(),
                    desired: 2,
                    running: 2,
                };
                Seen::Service(Service { status: "ACTIVE".into(), deployments: vec![primary] })
            }
            Work::Command(_) => {
                let is_it = |sent: &&Sent| match &question.id {
                    Some(id) => sent.id == *id,
                    None => sent.mark == question.mark.comment && shown(sent.begun),
                };
                Seen::Command(self.commands.iter().find(is_it).map(|sent| Command {
                    id: sent.id.clone(),
                    comment: sent.mark.clone(),
                    status: self.status(sent, now).to_owned(),
                    details: "details".into(),
                    targets: self.nodes,
                    completed: self.nodes,
                    errors: 0,
                }))
            }
            Work::Job { .. } => {
                let own = self.job.iter().find(|job| job.mark == question.mark.token);
                Seen::Job(own.map(|job| self.shown(job, now)))
            }
            Work::Check(_) => panic!("{question:?}"),
            Work::Automation { .. } => {
                let own =
                    self.automations.iter().find(|sent| Some(&sent.id) == question.id.as_ref());
                if own.is_some_and(|sent| !shown(sent.begun)) {
                    return Err(failed(Failure::Gone));
                }
                Seen::Automation(own.map(|sent| Automation {
                    status: self.status(sent, now).to_owned(),
                    failure: "a step failed".into(),
                }))
            }
        })
    }

    fn shown(&self, job: &Sent, now: Timestamp) -> TaskJob {
        let (state, told) = match self.status(job, now) {
            "InProgress" => (State::Runs, "; its pod waits: ImagePullBackOff"),
            "Success" => (State::Succeeded, "; its log ends: 12 tables"),
            _ => (State::Failed("BackoffLimitExceeded".into()), "; its log ends: no space left"),
        };
        TaskJob { name: "vacuum-1".into(), uid: job.id.clone(), state, told: told.into() }
    }

    /// Somebody deletes the Job, or it is told to stop.
    pub fn delete_job(&mut self) {
        self.jobs_deleted += usize::from(self.job.take().is_some());
    }

    fn status(&self, sent: &Sent, now: Timestamp) -> &'static str {
        match (sent.cancelled, sent.begun + self.takes <= now) {
            (true, _) => "Cancelled",
            (false, true) => self.outcome,
            (false, false) => "InProgress",
        }
    }

    pub fn carry_out(&mut self, step: &TaskStep, now: Timestamp) -> Result<String, Failed> {
        match step {
            TaskStep::Begin { work, action, mark, at_most, not_after, .. } => {
                self.at_most = Some(*at_most);
                assert!(now < *not_after, "begun too late: {step:?} at {now}");
                match self.failing {
                    Some((failure, false)) => Err(failed(failure)),
                    Some((failure, true)) => {
                        self.begin(work, action, (&mark.comment, &mark.token), now);
                        Err(failed(failure))
                    }
                    None => Ok(self.begin(work, action, (&mark.comment, &mark.token), now)),
                }
            }
            TaskStep::Cancel { id, .. } => {
                if let Some((failure, _)) = self.failing {
                    return Err(failed(failure));
                }
                self.cancelled.push(id.clone());
                if self.job.take_if(|job| format!("vacuum-1/{}", job.id) == *id).is_some() {
                    self.jobs_deleted += 1;
                    return Ok("; its log ends: half of it".into());
                }
                let all = self.commands.iter_mut().chain(&mut self.automations);
                all.filter(|sent| sent.id == *id).for_each(|sent| sent.cancelled = true);
                Ok(id.clone())
            }
        }
    }

    fn begin(
        &mut self,
        work: &Work,
        action: &str,
        (comment, token): (&str, &str),
        now: Timestamp,
    ) -> String {
        let until = now + self.takes;
        let sent = |kind: &str, count: usize, mark: &str| Sent {
            id: format!("{kind}-{count}"),
            mark: mark.to_owned(),
            begun: now,
            cancelled: false,
        };
        match work {
            Work::Reboot { instance } => {
                self.begun.push(format!("reboot {instance}"));
                self.busy = Some(("rebooting", until));
                instance.clone()
            }
            Work::Maintain { .. } => {
                self.begun.push(format!("apply {action}"));
                let own = self.maintenance.iter_mut().find(|pending| pending.action == action);
                own.unwrap().immediate = true;
                self.busy = Some(("maintenance", until));
                action.to_owned()
            }
            Work::Deploy { .. } => {
                self.begun.push("deploy".into());
                let id = format!("ecs-svc/{}", self.deployments.len() + 1);
                self.deployments.push((id.clone(), now));
                id
            }
            Work::Command(_) => {
                self.begun.push("command".into());
                self.commands.push(sent("command", self.commands.len(), comment));
                self.commands.last().unwrap().id.clone()
            }
            Work::Check(_) => panic!("nothing is begun"),
            Work::Job { .. } => {
                // Kubernetes takes a name once.
                if self.job.as_ref().is_none_or(|job| job.mark != token) {
                    self.begun.push("job".into());
                    self.job = Some(sent("job", self.jobs_deleted, token));
                }
                format!("vacuum-1/{}", self.job.as_ref().unwrap().id)
            }
            Work::Automation { .. } => {
                // AWS takes a token once.
                if let Some(known) = self.automations.iter().find(|sent| sent.mark == token) {
                    return known.id.clone();
                }
                self.begun.push("automation".into());
                self.automations.push(sent("automation", self.automations.len(), token));
                self.automations.last().unwrap().id.clone()
            }
        }
    }
}
