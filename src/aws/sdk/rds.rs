//! RDS through the SDK.

use async_trait::async_trait;
use aws_sdk_rds::{Client, operation::RequestId as _};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::rds::Database,
};

/// RDS with one identity in one region.
pub(super) struct SdkRds {
    client: Client,
    identity: Identity,
}

impl SdkRds {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::Rds for SdkRds {
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error> {
        let about = resource::db_instance(instance);
        let call = self.call(Operation::RdsDescribeDbInstances, about);
        let request = self.client.describe_db_instances().db_instance_identifier(instance);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        // Identifiers are told in lower case, however they were written.
        let found = answer.db_instances().iter().find(|found| {
            found.db_instance_identifier().is_some_and(|id| id.eq_ignore_ascii_case(instance))
        });
        database(found.map(|found| found.db_instance_status()), "DBInstanceStatus")
            .map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, Error> {
        let call = self.call(Operation::RdsDescribeDbClusters, resource::db_cluster(cluster));
        let request = self.client.describe_db_clusters().db_cluster_identifier(cluster);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.db_clusters().iter().find(|found| {
            found.db_cluster_identifier().is_some_and(|id| id.eq_ignore_ascii_case(cluster))
        });
        database(found.map(|found| found.status()), "Status")
            .map_err(|what| call.unreadable(&what, answer.request_id()))
    }
}

/// The status of what was found; none is told for what is only being made.
fn database(found: Option<Option<&str>>, field: &str) -> Result<Database, String> {
    let status = found.ok_or("it holds something else than what was asked for")?;
    let status = status.filter(|status| !status.is_empty());
    let status = status.ok_or_else(|| format!("{field} is missing"))?;
    Ok(Database { status: status.to_owned() })
}
