//! The operations of STS that groundcrew uses. AssumeRole is the credentials provider's.

use async_trait::async_trait;

use crate::aws::Error;

/// STS in one region.
#[async_trait]
pub trait Sts: Send + Sync {
    /// GetCallerIdentity: the 12 digits of the account that the credentials belong to.
    async fn get_caller_account(&self) -> Result<String, Error>;
}
