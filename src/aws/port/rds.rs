//! The operations of RDS that groundcrew uses.

use async_trait::async_trait;

use crate::{aws::Error, facts::rds::Database};

/// RDS in one account and region. Every method is one API call.
#[async_trait]
pub trait Rds: Send + Sync {
    /// DescribeDBInstances of one instance; `NotFound` when it does not exist.
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error>;

    /// DescribeDBClusters of one cluster; `NotFound` when it does not exist.
    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, Error>;
}
