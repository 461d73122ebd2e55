//! The operations of RDS that groundcrew uses.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::rds::{Database, Instance, Member, PendingMaintenance},
};

/// RDS in one account and region. Every method is one API call.
#[async_trait]
pub trait Rds: Send + Sync {
    /// DescribeDBInstances of one instance; `NotFound` when it does not exist.
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error>;

    /// DescribeDBInstances of one instance, with what waits for a reboot; `NotFound` when it does not
    /// exist.
    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, Error>;

    /// DescribeDBClusters of one cluster, for its members; `NotFound` when it does not exist.
    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, Error>;

    /// RebootDBInstance without a failover. It has no token: repeating it reboots once more.
    async fn reboot_db_instance(&self, instance: &str) -> Result<(), Error>;

    /// DescribePendingMaintenanceActions of one resource, by ARN.
    async fn describe_pending_maintenance(
        &self,
        arn: &str,
    ) -> Result<Vec<PendingMaintenance>, Error>;

    /// ApplyPendingMaintenanceAction with the opt-in `immediate`, which cannot be taken back.
    async fn apply_pending_maintenance(&self, arn: &str, action: &str) -> Result<(), Error>;

    /// DescribeDBClusters of one cluster; `NotFound` when it does not exist.
    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, Error>;
}
