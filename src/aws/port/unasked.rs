//! Services that a test does not ask.

use async_trait::async_trait;

use super::{DynamoDb, Rds};
use crate::{
    aws::Error,
    facts::{dynamodb::Table, rds::Database},
};

/// Panics when it is asked.
pub struct Unasked;

#[async_trait]
impl Rds for Unasked {
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error> {
        panic!("asked for instance {instance}")
    }
    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, Error> {
        panic!("asked for cluster {cluster}")
    }
}

#[async_trait]
impl DynamoDb for Unasked {
    async fn describe_table(&self, table: &str) -> Result<Table, Error> {
        panic!("asked for table {table}")
    }
}
