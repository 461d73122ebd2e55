//! The operations of Lambda that groundcrew uses.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::lambda::{Alias, AliasChange, FunctionVersion},
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
}
