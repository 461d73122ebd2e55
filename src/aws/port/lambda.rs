//! The operations of Lambda that groundcrew uses.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::{
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage,
        },
        surplus::Surplus,
    },
};

/// Lambda in one account and region.
///
/// Every method is one API call and fails with [`Error`], whose class tells a missing object
/// (`NotFound`) from a refusal. Reads may be stale for a moment after a write.
#[async_trait]
pub trait Lambda: Send + Sync {
    /// GetAlias.
    async fn get_alias(&self, function: &str, alias: &str) -> Result<Alias, Error>;

    /// CreateAlias, without weights. Not repeatable: a second call is refused as `Conflict`.
    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Result<Alias, Error>;

    /// UpdateAlias, guarded by the revision id: when the alias has changed since, the call is
    /// refused as `Stale` and nothing is changed. Safe to repeat: the second call is `Stale`.
    async fn update_alias(&self, change: &AliasChange) -> Result<Alias, Error>;

    /// GetFunction of a version, or of `$LATEST` without a qualifier.
    async fn get_function(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<FunctionVersion, Error>;

    /// UpdateFunctionCode; returns `$LATEST` as it is then, which takes a while to be in force.
    /// Guarded by the revision id. Safe to repeat: the same code comes again.
    async fn update_function_code(&self, change: &CodeChange) -> Result<Changed, Error>;

    /// UpdateFunctionConfiguration; returns `$LATEST` as it is then, which takes a while to be in
    /// force. Guarded by the revision id. Safe to repeat.
    async fn update_function_configuration(
        &self,
        change: &ConfigurationChange,
    ) -> Result<Changed, Error>;

    /// PublishVersion, guarded by CodeSha256 and revision id; returns the version. Where nothing
    /// changed since the last one was published, that one is returned: safe to repeat.
    async fn publish_version(&self, publication: &Publication) -> Result<Changed, Error>;

    /// GetProvisionedConcurrencyConfig of an alias; `NotFound` when it has none.
    async fn get_provisioned_concurrency(
        &self,
        function: &str,
        alias: &str,
    ) -> Result<Provisioned, Error>;

    /// Invoke of a version with a payload in JSON, waiting for the answer at most `patience`. The
    /// function runs each time this is called, also where no answer comes.
    async fn invoke(
        &self,
        function: &str,
        version: &str,
        payload: &str,
        patience: Duration,
    ) -> Result<Invocation, Error>;

    /// ListVersionsByFunction, a page.
    async fn list_versions(&self, function: &str, next: Option<&str>)
    -> Result<VersionPage, Error>;

    /// ListAliases, a page, as far as it tells which versions they name.
    async fn list_named(&self, function: &str, next: Option<&str>) -> Result<NamedPage, Error>;

    /// DeleteFunction of one version. Lambda refuses it as `Conflict` while an alias names it. Safe to
    /// repeat.
    async fn delete_version(&self, surplus: &Surplus) -> Result<(), Error>;
}
