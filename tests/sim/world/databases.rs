//! Databases in the world: one table, and one instance that people stop and start.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, Class, operations::Operation, port, resource},
    facts::{
        dynamodb::Table,
        rds::{Database, Instance, Member, PendingMaintenance},
    },
};

use super::lambda::{ACCOUNT, Aws, error, refusal};
use crate::{faults::Sort, history::Event};

/// Name of the one instance.
pub const INSTANCE: &str = "prod-db";
/// Name of the one table, which is empty.
pub const TABLE: &str = "topology";

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
        let (missing, known) = (about.clone(), instance == INSTANCE);
        self.call(
            Sort::AwsRead,
            format!("DescribeDBInstances {instance}"),
            move |state| {
                let status = state.databases.instance.to_owned();
                let refused = || error(operation, &missing, Class::NotFound, "DBInstanceNotFound");
                if known {
                    state.happened(&Event::DatabaseRead(status.clone()));
                }
                known.then_some(Database { status }).ok_or_else(refused)
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, aws::Error> {
        let about = resource::db_cluster(cluster);
        Err(error(
            Operation::RdsDescribeDbClusters,
            &about,
            Class::NotFound,
            "DBClusterNotFoundFault",
        ))
    }

    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, aws::Error> {
        let Database { status } = self.describe_db_instance(instance).await?;
        let arn = format!("arn:aws:rds:eu-central-1:{ACCOUNT}:db:{instance}");
        Ok(Instance { arn, status, ..Instance::default() })
    }

    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, aws::Error> {
        self.describe_db_cluster(cluster).await.map(|_| Vec::new())
    }

    // Nothing waits for a reboot or for maintenance, so nothing of the kind is asked for.
    async fn reboot_db_instance(&self, instance: &str) -> Result<(), aws::Error> {
        let about = resource::db_instance(instance);
        Err(error(Operation::RdsRebootDbInstance, &about, Class::Invalid, "InvalidDBInstanceState"))
    }

    async fn describe_pending_maintenance(
        &self,
        _: &str,
    ) -> Result<Vec<PendingMaintenance>, aws::Error> {
        Ok(Vec::new())
    }

    async fn apply_pending_maintenance(&self, arn: &str, _: &str) -> Result<(), aws::Error> {
        let operation = Operation::RdsApplyPendingMaintenanceAction;
        let about = resource::db_instance(arn);
        Err(error(operation, &about, Class::Invalid, "InvalidDBInstanceState"))
    }
}

#[async_trait]
impl port::DynamoDb for Aws {
    async fn describe_table(&self, table: &str) -> Result<Table, aws::Error> {
        let (operation, about) = (Operation::DynamoDbDescribeTable, resource::table(table));
        let (missing, known) = (about.clone(), table == TABLE);
        self.call(
            Sort::AwsRead,
            format!("DescribeTable {table}"),
            move |_| {
                let found = Table { status: "ACTIVE".to_owned(), items: 0, bytes: 0 };
                let code = "ResourceNotFoundException";
                let refused = || error(operation, &missing, Class::NotFound, code);
                known.then_some(found).ok_or_else(refused)
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
