//! Databases in the world: one table, and one instance that people stop and start.

use std::sync::Arc;

use async_trait::async_trait;
use groundcrew::{
    aws::{self, Class, operations::Operation, port, resource},
    facts::{dynamodb::Table, rds::Database},
};

use super::lambda::{Aws, error, refusal};
use crate::faults::Sort;

/// Status of the one instance.
pub struct Databases {
    pub instance: &'static str,
}

impl Default for Databases {
    fn default() -> Self {
        Self { instance: "available" }
    }
}

#[async_trait]
impl port::Rds for Aws {
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, aws::Error> {
        let (operation, about) =
            (Operation::RdsDescribeDbInstances, resource::db_instance(instance));
        Arc::clone(&self.0)
            .call(
                Sort::AwsRead,
                format!("DescribeDBInstances {instance}"),
                |state| Ok(Database { status: state.databases.instance.to_owned() }),
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, aws::Error> {
        let about = resource::db_cluster(cluster);
        Err(error(Operation::RdsDescribeDbClusters, &about, Class::NotFound, "DBClusterNotFound"))
    }
}

#[async_trait]
impl port::DynamoDb for Aws {
    async fn describe_table(&self, table: &str) -> Result<Table, aws::Error> {
        let (operation, about) = (Operation::DynamoDbDescribeTable, resource::table(table));
        Arc::clone(&self.0)
            .call(
                Sort::AwsRead,
                format!("DescribeTable {table}"),
                |_| Ok(Table { status: "ACTIVE".to_owned(), items: 1, bytes: 1 }),
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }
}
