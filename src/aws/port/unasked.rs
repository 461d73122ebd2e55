//! Services that a test does not ask.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{AutoScaling, CodeDeploy, DynamoDb, Rds, Sts};
use crate::{
    aws::Error,
    facts::{
        codedeploy::{Deployment, DeploymentPage, KeptRevision, Stage},
        dynamodb::Table,
        rds::Database,
        scaling::TargetPage,
    },
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
impl AutoScaling for Unasked {
    async fn describe_scalable_targets(&self, _: Option<&str>) -> Result<TargetPage, Error> {
        panic!("asked for scalable targets")
    }
}

#[async_trait]
impl CodeDeploy for Unasked {
    async fn list_deployments(&self, stage: Stage, _: Timestamp) -> Result<DeploymentPage, Error> {
        panic!("asked for deployments that are {stage:?}")
    }
    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, Error> {
        panic!("asked for deployments {ids:?}")
    }
    async fn get_application_revision(
        &self,
        application: &str,
        _: &KeptRevision,
    ) -> Result<Option<String>, Error> {
        panic!("asked for a revision of {application}")
    }
}

#[async_trait]
impl DynamoDb for Unasked {
    async fn describe_table(&self, table: &str) -> Result<Table, Error> {
        panic!("asked for table {table}")
    }
}

#[async_trait]
impl Sts for Unasked {
    async fn get_caller_account(&self) -> Result<String, Error> {
        panic!("asked for the account")
    }
}
