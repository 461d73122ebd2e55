//! What tasks of windows work on: one service of ECS, and commands of Systems Manager.

use async_trait::async_trait;
use groundcrew::{
    api::maintenance_window::MaintenanceWindow,
    aws::{self, Class, operations::Operation, port, resource},
    facts::{
        ecs::{Deployment, Rollout, Service},
        ssm::{Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    State, acting,
    kubernetes::is_ours,
    lambda::{Aws, error, refusal},
    shelf::Stored as _,
};
use crate::{
    faults::Sort,
    history::{Event, TaskBegun},
};

/// The one service, as `cluster/service`.
pub const SERVICE: (&str, &str) = ("prod", "backend");
/// The one document that may be run.
pub const DOCUMENT: &str = "AWS-RunShellScript";

/// What was begun, and how long it takes.
pub struct Works {
    /// How long a deployment and a command take.
    pub takes: SignedDuration,
    /// Whether commands fail.
    pub fails: bool,
    /// When deployments of the service were begun.
    deployments: Vec<Timestamp>,
    commands: Vec<Sent>,
}

struct Sent {
    comment: String,
    at: Timestamp,
    cancelled: bool,
}

impl Default for Works {
    fn default() -> Self {
        let takes = SignedDuration::from_secs(40);
        Self { takes, fails: false, deployments: Vec::new(), commands: Vec::new() }
    }
}

impl Works {
    fn service(&self, now: Timestamp) -> Service {
        let begun = self.deployments.last();
        let done = begun.is_none_or(|at| *at + self.takes <= now);
        let rollout = if done { Rollout::Completed } else { Rollout::InProgress };
        let deployment = Deployment {
            id: format!("ecs-svc/{}", self.deployments.len()),
            primary: true,
            rollout: Some(rollout),
            desired: 2,
            running: 2,
            ..Deployment::default()
        };
        Service { status: "ACTIVE".into(), deployments: vec![deployment] }
    }

    fn command(&self, number: usize, sent: &Sent, now: Timestamp) -> Command {
        let status = match (sent.cancelled, now < sent.at + self.takes, self.fails) {
            (true, ..) => "Cancelled",
            (false, true, _) => "InProgress",
            (false, false, true) => "Failed",
            (false, false, false) => "Success",
        };
        Command {
            id: format!("command-{number}"),
            comment: sent.comment.clone(),
            status: status.into(),
            details: status.into(),
            targets: 1,
            ..Command::default()
        }
    }

    /// The newest first.
    fn found(&self, search: &CommandSearch, now: Timestamp) -> Vec<Command> {
        let all = self.commands.iter().enumerate().rev();
        let all = all.map(|(number, sent)| (sent.at, self.command(number, sent, now)));
        let asked = all.filter(|(at, command)| match search {
            CommandSearch::Id(id) => command.id == *id,
            CommandSearch::Since(since) => since <= at,
        });
        asked.map(|(_, command)| command).collect()
    }
}

impl State {
    /// The operator began something for a window.
    fn task_begun(&mut self, by: Option<String>, what: String, fails: bool) {
        let by = by.unwrap_or_default();
        let key = by.strip_prefix(MaintenanceWindow::CALLS).unwrap_or_default();
        let window = self.kubernetes.windows.objects.get(key).cloned();
        let finalized = window.as_ref().is_some_and(is_ours);
        let (leads, late) = (self.leads(), self.is_late());
        let takes = self.works.takes;
        let begun = TaskBegun { by, what, window, takes, fails, finalized, leads, late };
        self.happened(&Event::TaskBegun(Box::new(begun)));
    }
}

fn denied(operation: Operation, about: &str) -> aws::Error {
    error(operation, about, Class::Denied, "AccessDeniedException")
}

#[async_trait]
impl port::Ecs for Aws {
    async fn describe_service(&self, cluster: &str, service: &str) -> Result<Service, aws::Error> {
        let (operation, about) =
            (Operation::EcsDescribeServices, resource::service(cluster, service));
        if (cluster, service) != SERVICE {
            return Err(error(operation, &about, Class::NotFound, "ServiceNotFoundException"));
        }
        self.call(
            Sort::AwsRead,
            format!("DescribeServices {service}"),
            |state| Ok(state.works.service(state.now())),
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn force_new_deployment(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Service, aws::Error> {
        let (operation, about) = (Operation::EcsUpdateService, resource::service(cluster, service));
        if (cluster, service) != SERVICE {
            return Err(error(operation, &about, Class::NotFound, "ServiceNotFoundException"));
        }
        let by = acting();
        self.call(
            Sort::AwsWrite,
            format!("UpdateService {service}"),
            move |state| {
                let now = state.now();
                state.works.deployments.push(now);
                state.task_begun(by, "UpdateService".into(), false);
                Ok(state.works.service(now))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}

#[async_trait]
impl port::Ssm for Aws {
    async fn send_command(&self, command: &NewCommand) -> Result<Command, aws::Error> {
        let operation = Operation::SsmSendCommand;
        let about = resource::document(&command.run.document);
        if command.run.document != DOCUMENT {
            return Err(denied(operation, &about));
        }
        let (by, comment) = (acting(), command.comment.clone());
        self.call(
            Sort::AwsWrite,
            "SendCommand".into(),
            move |state| {
                let now = state.now();
                let what = format!("SendCommand {comment}");
                state.works.commands.push(Sent { comment, at: now, cancelled: false });
                let fails = state.works.fails;
                state.task_begun(by, what, fails);
                let newest = state.works.found(&CommandSearch::Since(now), now);
                Ok(newest.into_iter().next().unwrap_or_default())
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn list_commands(
        &self,
        search: &CommandSearch,
        _: Option<&str>,
    ) -> Result<CommandPage, aws::Error> {
        let (operation, about) = (Operation::SsmListCommands, resource::commands(search));
        let search = search.clone();
        self.call(
            Sort::AwsRead,
            "ListCommands".into(),
            move |state| {
                let commands = state.works.found(&search, state.now());
                Ok(CommandPage { commands, next: None })
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn cancel_command(&self, id: &str) -> Result<(), aws::Error> {
        let (operation, about) = (Operation::SsmCancelCommand, resource::command(id));
        let id = id.to_owned();
        self.call(
            Sort::AwsWrite,
            format!("CancelCommand {id}"),
            move |state| {
                let number = id.rsplit('-').next().and_then(|number| number.parse::<usize>().ok());
                let sent = number.and_then(|number| state.works.commands.get_mut(number));
                sent.into_iter().for_each(|sent| sent.cancelled = true);
                Ok(())
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn start_automation(&self, automation: &NewAutomation) -> Result<String, aws::Error> {
        let about = resource::document(&automation.run.document);
        Err(denied(Operation::SsmStartAutomationExecution, &about))
    }

    async fn get_automation(&self, id: &str) -> Result<Automation, aws::Error> {
        Err(denied(Operation::SsmGetAutomationExecution, &resource::automation(id)))
    }

    async fn stop_automation(&self, id: &str) -> Result<(), aws::Error> {
        Err(denied(Operation::SsmStopAutomationExecution, &resource::automation(id)))
    }
}
