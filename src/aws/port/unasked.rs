//! Services that a test does not ask.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Alarms, AutoScaling, CodeDeploy, DynamoDb, Rds, Sns, Sts};
use crate::{
    aws::Error,
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        codedeploy::{Deployment, DeploymentPage, KeptRevision, Stage},
        dynamodb::Table,
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
        rds::Database,
        scaling::TargetPage,
        sns::Notification,
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
impl Alarms for Unasked {
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        _: AlarmKinds,
        _: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        panic!("asked for {filter:?} in full")
    }
    async fn disable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        panic!("asked to disable {names:?}")
    }
    async fn enable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        panic!("asked to enable {names:?}")
    }
    async fn put_alarm_mute_rule(&self, rule: &NewMuteRule) -> Result<(), Error> {
        panic!("asked to put {rule:?}")
    }
    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error> {
        panic!("asked for mute rule {name}")
    }
    async fn list_alarm_mute_rules(&self, _: Option<&str>) -> Result<MuteRulePage, Error> {
        panic!("asked for mute rules")
    }
    async fn delete_alarm_mute_rule(&self, name: &OwnMuteRule) -> Result<(), Error> {
        panic!("asked to delete {name:?}")
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
impl Sns for Unasked {
    async fn publish(&self, notification: &Notification) -> Result<String, Error> {
        panic!("published to {}", notification.topic)
    }
}

#[async_trait]
impl Sts for Unasked {
    async fn get_caller_account(&self) -> Result<String, Error> {
        panic!("asked for the account")
    }
}
