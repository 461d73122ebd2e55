//! What tasks of windows work on: the world has no service, and Systems Manager is closed to it.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, Class, operations::Operation, port, resource},
    facts::{
        ecs::Service,
        ssm::{Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand},
    },
};

use super::lambda::{Aws, error};

fn absent(operation: Operation, about: &str) -> aws::Error {
    error(operation, about, Class::NotFound, "ServiceNotFoundException")
}

fn denied(operation: Operation, about: &str) -> aws::Error {
    error(operation, about, Class::Denied, "AccessDeniedException")
}

#[async_trait]
impl port::Ecs for Aws {
    async fn describe_service(&self, cluster: &str, service: &str) -> Result<Service, aws::Error> {
        Err(absent(Operation::EcsDescribeServices, &resource::service(cluster, service)))
    }

    async fn force_new_deployment(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Service, aws::Error> {
        Err(absent(Operation::EcsUpdateService, &resource::service(cluster, service)))
    }
}

#[async_trait]
impl port::Ssm for Aws {
    async fn send_command(&self, command: &NewCommand) -> Result<Command, aws::Error> {
        Err(denied(Operation::SsmSendCommand, &resource::document(&command.run.document)))
    }

    async fn list_commands(
        &self,
        search: &CommandSearch,
        _: Option<&str>,
    ) -> Result<CommandPage, aws::Error> {
        Err(denied(Operation::SsmListCommands, &resource::commands(search)))
    }

    async fn cancel_command(&self, id: &str) -> Result<(), aws::Error> {
        Err(denied(Operation::SsmCancelCommand, &resource::command(id)))
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
