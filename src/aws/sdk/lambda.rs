//! Lambda through the SDK.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_lambda::{
    Client,
    operation::RequestId as _,
    types::{AliasRoutingConfiguration, FunctionConfiguration, State},
};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::lambda::{Alias, AliasChange, FunctionState, FunctionVersion, VersionWeight},
};

/// Lambda with one identity in one region.
pub(super) struct SdkLambda {
    client: Client,
    identity: Identity,
}

impl SdkLambda {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

/// The three answers that hold an alias have the same fields but no common type.
macro_rules! alias {
    ($call:expr, $answer:expr) => {
        alias(AnsweredAlias {
            version: $answer.function_version(),
            revision_id: $answer.revision_id(),
            description: $answer.description(),
            routing: $answer.routing_config(),
        })
        .map_err(|what| $call.unreadable(&what, $answer.request_id()))
    };
}

#[async_trait]
impl port::Lambda for SdkLambda {
    async fn get_alias(&self, function: &str, alias: &str) -> Result<Alias, Error> {
        let call = self.call(Operation::LambdaGetAlias, resource::alias(function, alias));
        let request = self.client.get_alias().function_name(function).name(alias);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        alias!(call, answer)
    }

    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Result<Alias, Error> {
        let call = self.call(Operation::LambdaCreateAlias, resource::alias(function, alias));
        let request = self
            .client
            .create_alias()
            .function_name(function)
            .name(alias)
            .function_version(version)
            .description(description);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        alias!(call, answer)
    }

    async fn update_alias(&self, change: &AliasChange) -> Result<Alias, Error> {
        // Every field is set: what is left out of an UpdateAlias keeps its old value.
        let AliasChange { function, alias, version, weight, description, revision_id } = change;
        let call = self.call(Operation::LambdaUpdateAlias, resource::alias(function, alias));
        let weights: HashMap<String, f64> = weight
            .iter()
            .map(|VersionWeight { version, weight }| (version.clone(), *weight))
            .collect();
        let routing =
            AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights));
        let request = self
            .client
            .update_alias()
            .function_name(function)
            .name(alias)
            .function_version(version)
            .description(description)
            .routing_config(routing.build())
            .revision_id(revision_id);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        alias!(call, answer)
    }

    async fn get_function(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<FunctionVersion, Error> {
        let about = resource::function(function, qualifier);
        let call = self.call(Operation::LambdaGetFunction, about);
        let request = self
            .client
            .get_function()
            .function_name(function)
            .set_qualifier(qualifier.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        answer
            .configuration()
            .ok_or_else(|| missing("Configuration"))
            .and_then(function_version)
            .map_err(|what| call.unreadable(&what, answer.request_id()))
    }
}

/// What an answer says of an alias.
struct AnsweredAlias<'a> {
    version: Option<&'a str>,
    revision_id: Option<&'a str>,
    description: Option<&'a str>,
    routing: Option<&'a AliasRoutingConfiguration>,
}

fn alias(answer: AnsweredAlias<'_>) -> Result<Alias, String> {
    let AnsweredAlias { version, revision_id, description, routing } = answer;
    let answered = routing.and_then(AliasRoutingConfiguration::additional_version_weights);
    let mut weights = Vec::new();
    for (version, weight) in answered.into_iter().flatten() {
        if !(0.0..=1.0).contains(weight) {
            return Err(format!("the weight of version {version} is {weight}, not 0 to 1"));
        }
        weights.push(VersionWeight { version: version.clone(), weight: *weight });
    }
    weights.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(Alias {
        version: required(version, "FunctionVersion")?,
        weights,
        revision_id: required(revision_id, "RevisionId")?,
        description: description.unwrap_or_default().to_owned(),
    })
}

fn function_version(answer: &FunctionConfiguration) -> Result<FunctionVersion, String> {
    let reason_code = answer.state_reason_code().map_or("", |code| code.as_str());
    let reason = answer.state_reason().unwrap_or_default();
    let dead_letter_target = answer.dead_letter_config().and_then(|config| config.target_arn());
    Ok(FunctionVersion {
        version: required(answer.version(), "Version")?,
        code_sha256: required(answer.code_sha256(), "CodeSha256")?,
        state: answer.state().map_or_else(|| FunctionState::Other(String::new()), state),
        state_reason: match (reason_code, reason) {
            ("", words) => words.to_owned(),
            (code, "") => code.to_owned(),
            (code, words) => format!("{code}: {words}"),
        },
        timeout_secs: answer.timeout().and_then(|secs| secs.try_into().ok()).unwrap_or_default(),
        role: required(answer.role(), "Role")?,
        dead_letter_target: dead_letter_target.filter(|arn| !arn.is_empty()).map(str::to_owned),
    })
}

/// Matched by Lambda's word: the SDK's enum has states that we treat like any other.
fn state(state: &State) -> FunctionState {
    match state.as_str() {
        "Active" => FunctionState::Active,
        "Pending" => FunctionState::Pending,
        "Inactive" => FunctionState::Inactive,
        "Failed" => FunctionState::Failed,
        other => FunctionState::Other(other.to_owned()),
    }
}

fn required(value: Option<&str>, field: &str) -> Result<String, String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| missing(field))
}

fn missing(field: &str) -> String {
    format!("{field} is missing")
}
