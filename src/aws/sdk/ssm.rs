//! Systems Manager through the SDK.

use async_trait::async_trait;
use aws_sdk_ssm::{
    Client,
    operation::RequestId as _,
    types::{
        AutomationExecution, Command as SdkCommand, CommandFilter, CommandFilterKey, StopType,
        Target as SdkTarget,
    },
};
use jiff::Timestamp;

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    error::clean,
    facts::ssm::{
        Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand, Run, Target,
    },
};

/// Systems Manager with one identity in one region.
pub(super) struct SdkSsm {
    client: Client,
    identity: Identity,
}

impl SdkSsm {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::Ssm for SdkSsm {
    async fn send_command(&self, new: &NewCommand) -> Result<Command, Error> {
        let Run { document, parameters, targets, max_concurrency, max_errors } = &new.run;
        let call = self.call(Operation::SsmSendCommand, resource::document(document));
        let request = self.client.send_command().document_name(document);
        let request = request
            .set_targets(Some(targets.iter().map(target).collect()))
            .set_parameters(Some(parameters.clone().into_iter().collect()))
            .max_concurrency(max_concurrency)
            .max_errors(max_errors)
            .timeout_seconds(new.delivery_secs)
            .comment(&new.comment);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let sent = answer.command().ok_or("Command is missing").and_then(command);
        sent.map_err(|what| call.unreadable(what, answer.request_id()))
    }

    async fn list_commands(
        &self,
        search: &CommandSearch,
        next: Option<&str>,
    ) -> Result<CommandPage, Error> {
        let call = self.call(Operation::SsmListCommands, resource::commands(search));
        let request = self.client.list_commands().set_next_token(next.map(str::to_owned));
        let request = match search {
            CommandSearch::Id(id) => request.command_id(id),
            CommandSearch::Since(since) => {
                let filter = CommandFilter::builder().key(CommandFilterKey::InvokedAfter);
                let filter = filter.value(whole_seconds(*since)).build();
                request.filters(filter.map_err(|error| call.invalid(error.to_string()))?)
            }
        };
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let commands = answer.commands().iter().map(command).collect::<Result<_, _>>();
        let commands = commands.map_err(|what| call.unreadable(what, answer.request_id()))?;
        let next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(CommandPage { commands, next })
    }

    async fn cancel_command(&self, id: &str) -> Result<(), Error> {
        let call = self.call(Operation::SsmCancelCommand, resource::command(id));
        let request = self.client.cancel_command().command_id(id);
        request.send().await.map_err(|error| call.failed(&error))?;
        Ok(())
    }

    async fn start_automation(&self, new: &NewAutomation) -> Result<String, Error> {
        let Run { document, parameters, targets, max_concurrency, max_errors } = &new.run;
        let call = self.call(Operation::SsmStartAutomationExecution, resource::document(document));
        let request = self.client.start_automation_execution().document_name(document);
        let mut request = request
            .set_parameters(Some(parameters.clone().into_iter().collect()))
            .client_token(&new.token);
        // Limits belong to targets: AWS refuses them without.
        if !targets.is_empty() {
            request = request
                .set_targets(Some(targets.iter().map(target).collect()))
                .set_target_parameter_name(new.target_parameter.clone())
                .max_concurrency(max_concurrency)
                .max_errors(max_errors);
        }
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let id = answer.automation_execution_id().filter(|id| !id.is_empty());
        let what = "AutomationExecutionId is missing";
        Ok(id.ok_or_else(|| call.unreadable(what, answer.request_id()))?.to_owned())
    }

    async fn get_automation(&self, id: &str) -> Result<Automation, Error> {
        let call = self.call(Operation::SsmGetAutomationExecution, resource::automation(id));
        let request = self.client.get_automation_execution().automation_execution_id(id);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.automation_execution().and_then(automation);
        found.ok_or_else(|| {
            call.unreadable("AutomationExecutionStatus is missing", answer.request_id())
        })
    }

    async fn stop_automation(&self, id: &str) -> Result<(), Error> {
        let call = self.call(Operation::SsmStopAutomationExecution, resource::automation(id));
        let request = self.client.stop_automation_execution().automation_execution_id(id);
        let request = request.r#type(StopType::Cancel);
        request.send().await.map_err(|error| call.failed(&error))?;
        Ok(())
    }
}

/// As the filter takes it: `2026-12-06T01:00:00Z`.
fn whole_seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn target(target: &Target) -> SdkTarget {
    let Target { key, values } = target;
    SdkTarget::builder().key(key).set_values(Some(values.clone())).build()
}

fn command(found: &SdkCommand) -> Result<Command, &'static str> {
    let status = found.status().ok_or("Status is missing")?;
    Ok(Command {
        id: found.command_id().ok_or("CommandId is missing")?.to_owned(),
        comment: found.comment().unwrap_or_default().to_owned(),
        status: clean(status.as_str()),
        details: found.status_details().map(clean).unwrap_or_default(),
        targets: found.target_count(),
        completed: found.completed_count(),
        errors: found.error_count(),
    })
}

fn automation(found: &AutomationExecution) -> Option<Automation> {
    Some(Automation {
        status: clean(found.automation_execution_status()?.as_str()),
        failure: found.failure_message().map(clean).unwrap_or_default(),
    })
}
