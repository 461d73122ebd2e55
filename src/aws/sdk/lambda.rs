//! Lambda through the SDK.

mod answers;

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_lambda::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    error::SdkError,
    operation::RequestId as _,
    primitives::Blob,
    types::{AliasRoutingConfiguration, Runtime},
};
use tokio::time::Instant;

use self::answers::{
    AnsweredAlias, alias, changed, function_version, invocation, named, provisioned, versions,
};
use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::{
        lambda::{
            Alias, AliasChange, Changed, CodeChange, CodeSource, ConfigurationChange,
            FunctionVersion, Invocation, NamedPage, Provisioned, Publication, VersionPage,
            VersionWeight,
        },
        surplus::Surplus,
    },
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

/// So have the three that tell of a change.
macro_rules! changed {
    ($call:expr, $answer:expr) => {
        changed($answer.version(), $answer.code_sha256(), $answer.revision_id())
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
        function_version(&answer).map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn update_function_code(&self, change: &CodeChange) -> Result<Changed, Error> {
        let CodeChange { function, source, revision_id } = change;
        let about = resource::function(function, None);
        let call = self.call(Operation::LambdaUpdateFunctionCode, about);
        let request =
            self.client.update_function_code().function_name(function).revision_id(revision_id);
        let request = match source {
            CodeSource::Image { uri } => request.image_uri(uri),
            CodeSource::S3 { bucket, key, object_version } => {
                request.s3_bucket(bucket).s3_key(key).set_s3_object_version(object_version.clone())
            }
        };
        let request =
            request.customize().config_override(patient(Operation::LambdaUpdateFunctionCode));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        changed!(call, answer)
    }

    async fn update_function_configuration(
        &self,
        change: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        let ConfigurationChange { function, memory_mb, timeout_secs, runtime, revision_id } =
            change;
        let about = resource::function(function, None);
        let call = self.call(Operation::LambdaUpdateFunctionConfiguration, about);
        let number = |what: &str, value: Option<u64>| {
            let number = value.map(i32::try_from).transpose();
            number.map_err(|_| call.invalid(format!("{what} is too large")))
        };
        let request = self
            .client
            .update_function_configuration()
            .function_name(function)
            .set_memory_size(number("MemorySize", *memory_mb)?)
            .set_timeout(number("Timeout", *timeout_secs)?)
            .set_runtime(runtime.as_deref().map(Runtime::from))
            .revision_id(revision_id);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        changed!(call, answer)
    }

    async fn publish_version(&self, publication: &Publication) -> Result<Changed, Error> {
        let Publication { function, code_sha256, revision_id, description } = publication;
        let about = resource::function(function, None);
        let call = self.call(Operation::LambdaPublishVersion, about);
        let request = self
            .client
            .publish_version()
            .function_name(function)
            .code_sha256(code_sha256)
            .revision_id(revision_id)
            .description(description);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        changed!(call, answer)
    }

    async fn get_provisioned_concurrency(
        &self,
        function: &str,
        alias: &str,
    ) -> Result<Provisioned, Error> {
        let about = resource::alias(function, alias);
        let call = self.call(Operation::LambdaGetProvisionedConcurrencyConfig, about);
        let request = self
            .client
            .get_provisioned_concurrency_config()
            .function_name(function)
            .qualifier(alias);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        provisioned(&answer).map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn invoke(
        &self,
        function: &str,
        version: &str,
        payload: &str,
        patience: Duration,
    ) -> Result<Invocation, Error> {
        let about = resource::function(function, Some(version));
        let call = self.call(Operation::LambdaInvoke, about);
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(patience).build();
        let request = self
            .client
            .invoke()
            .function_name(function)
            .qualifier(version)
            .payload(Blob::new(payload))
            .customize()
            .config_override(Builder::new().timeout_config(timeouts));
        let begun = Instant::now();
        match request.send().await {
            Ok(answer) => Ok(invocation(&answer, begun.elapsed())),
            Err(SdkError::TimeoutError(_)) if begun.elapsed() >= patience => {
                Ok(Invocation::Unanswered)
            }
            Err(error) => Err(call.failed(&error)),
        }
    }

    async fn list_versions(
        &self,
        function: &str,
        next: Option<&str>,
    ) -> Result<VersionPage, Error> {
        let about = resource::function(function, None);
        let call = self.call(Operation::LambdaListVersionsByFunction, about);
        let request = self.client.list_versions_by_function().function_name(function);
        let request = request.set_marker(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        versions(&answer).map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn list_named(&self, function: &str, next: Option<&str>) -> Result<NamedPage, Error> {
        let about = resource::function(function, None);
        let call = self.call(Operation::LambdaListAliases, about);
        let request = self.client.list_aliases().function_name(function);
        let request = request.set_marker(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        named(&answer).map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn delete_version(&self, surplus: &Surplus) -> Result<(), Error> {
        // Without a qualifier this would delete the function.
        let version = surplus.version().to_string();
        let about = resource::function(surplus.function(), Some(&version));
        let call = self.call(Operation::LambdaDeleteFunction, about);
        let request = self.client.delete_function().function_name(surplus.function());
        let answer = request.qualifier(version).send().await;
        answer.map(drop).map_err(|error| call.failed(&error))
    }
}

/// Settings of a call that may take longer than the others.
fn patient(operation: Operation) -> Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(operation.timeout()).build();
    Builder::new().timeout_config(timeouts)
}
