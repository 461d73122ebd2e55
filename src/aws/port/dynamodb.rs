//! The operations of DynamoDB that groundcrew uses.

use async_trait::async_trait;

use crate::{aws::Error, facts::dynamodb::Table};

/// DynamoDB in one account and region. Every method is one API call.
#[async_trait]
pub trait DynamoDb: Send + Sync {
    /// DescribeTable; `NotFound` when it does not exist.
    async fn describe_table(&self, table: &str) -> Result<Table, Error>;
}
