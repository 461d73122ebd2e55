//! Services that a test does not ask.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Alarms, AutoScaling, CodeDeploy, DynamoDb, Ecs, Rds, Sns, Ssm, Sts};
use crate::{
    aws::Error,
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        codedeploy::{Deployment, DeploymentPage, KeptRevision, Stage},
        dynamodb::Table,
        ecs::Service,
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
        rds::{Database, Instance, Member, PendingMaintenance},
        scaling::TargetPage,
        sns::Notification,
        ssm::{Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand},
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
    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, Error> {
        panic!("asked for instance {instance} in full")
    }
    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, Error> {
        panic!("asked for the members of {cluster}")
    }
    async fn reboot_db_instance(&self, instance: &str) -> Result<(), Error> {
        panic!("asked to reboot {instance}")
    }
    async fn describe_pending_maintenance(
        &self,
        arn: &str,
    ) -> Result<Vec<PendingMaintenance>, Error> {
        panic!("asked what waits for {arn}")
    }
    async fn apply_pending_maintenance(&self, arn: &str, action: &str) -> Result<(), Error> {
        panic!("asked to apply {action} to {arn}")
    }
}

#[async_trait]
impl Ecs for Unasked {
    async fn describe_service(&self, cluster: &str, service: &str) -> Result<Service, Error> {
        panic!("asked for service {cluster}/{service}")
    }
    async fn force_new_deployment(&self, cluster: &str, service: &str) -> Result<Service, Error> {
        panic!("asked to deploy {cluster}/{service}")
    }
}

#[async_trait]
impl Ssm for Unasked {
    async fn send_command(&self, command: &NewCommand) -> Result<Command, Error> {
        panic!("asked to send {command:?}")
    }
    async fn list_commands(
        &self,
        search: &CommandSearch,
        _: Option<&str>,
    ) -> Result<CommandPage, Error> {
        panic!("asked for {search:?}")
    }
    async fn cancel_command(&self, id: &str) -> Result<(), Error> {
        panic!("asked to cancel {id}")
    }
    async fn start_automation(&self, automation: &NewAutomation) -> Result<String, Error> {
        panic!("asked to start {automation:?}")
    }
    async fn get_automation(&self, id: &str) -> Result<Automation, Error> {
        panic!("asked for automation {id}")
    }
    async fn stop_automation(&self, id: &str) -> Result<(), Error> {
        panic!("asked to stop {id}")
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
