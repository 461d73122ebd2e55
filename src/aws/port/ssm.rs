//! The operations of Systems Manager that groundcrew uses.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::ssm::{Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand},
};

/// Systems Manager in one account and region. Every method is one API call.
#[async_trait]
pub trait Ssm: Send + Sync {
    /// SendCommand. It has no token: repeating it runs the document once more.
    async fn send_command(&self, command: &NewCommand) -> Result<Command, Error>;

    /// ListCommands, newest first, a page of them.
    async fn list_commands(
        &self,
        search: &CommandSearch,
        next: Option<&str>,
    ) -> Result<CommandPage, Error>;

    /// CancelCommand. AWS does not promise that what runs on nodes stops.
    async fn cancel_command(&self, id: &str) -> Result<(), Error>;

    /// StartAutomationExecution; returns the execution's id. A token is used once: repeating the call
    /// starts no second execution.
    async fn start_automation(&self, automation: &NewAutomation) -> Result<String, Error>;

    /// GetAutomationExecution; `NotFound` when it does not exist.
    async fn get_automation(&self, id: &str) -> Result<Automation, Error>;

    /// StopAutomationExecution of the type Cancel.
    async fn stop_automation(&self, id: &str) -> Result<(), Error>;
}
