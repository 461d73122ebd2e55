//! The services of a session that tasks of windows need.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CallContext, Session};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::{
        ecs::Service,
        rds::{Database, Instance, Member, PendingMaintenance},
        ssm::{Automation, Command, CommandPage, CommandSearch, NewAutomation, NewCommand},
    },
};

/// ECS behind token, gate, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedEcs {
    pub(in crate::aws::session) session: Arc<Session>,
    pub(in crate::aws::session) context: CallContext,
}

#[async_trait]
impl port::Ecs for GuardedEcs {
    async fn describe_service(&self, cluster: &str, service: &str) -> Result<Service, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::service(cluster, service);
        caller
            .call(Operation::EcsDescribeServices, &about, &self.context, || {
                ports.ecs.describe_service(cluster, service)
            })
            .await
    }

    async fn force_new_deployment(&self, cluster: &str, service: &str) -> Result<Service, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::service(cluster, service);
        caller
            .call(Operation::EcsUpdateService, &about, &self.context, || {
                ports.ecs.force_new_deployment(cluster, service)
            })
            .await
    }
}

/// RDS behind token, gate, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedRds {
    pub(in crate::aws::session) session: Arc<Session>,
    pub(in crate::aws::session) context: CallContext,
}

#[async_trait]
impl port::Rds for GuardedRds {
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_instance(instance);
        caller
            .call(Operation::RdsDescribeDbInstances, &about, &self.context, || {
                ports.rds.describe_db_instance(instance)
            })
            .await
    }

    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_instance(instance);
        caller
            .call(Operation::RdsDescribeDbInstances, &about, &self.context, || {
                ports.rds.describe_db_instance_in_full(instance)
            })
            .await
    }

    async fn describe_db_cluster(&self, cluster: &str) -> Result<Database, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_cluster(cluster);
        caller
            .call(Operation::RdsDescribeDbClusters, &about, &self.context, || {
                ports.rds.describe_db_cluster(cluster)
            })
            .await
    }

    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_cluster(cluster);
        caller
            .call(Operation::RdsDescribeDbClusters, &about, &self.context, || {
                ports.rds.describe_db_cluster_members(cluster)
            })
            .await
    }

    async fn reboot_db_instance(&self, instance: &str) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_instance(instance);
        caller
            .call(Operation::RdsRebootDbInstance, &about, &self.context, || {
                ports.rds.reboot_db_instance(instance)
            })
            .await
    }

    async fn describe_pending_maintenance(
        &self,
        arn: &str,
    ) -> Result<Vec<PendingMaintenance>, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_instance(arn);
        caller
            .call(Operation::RdsDescribePendingMaintenanceActions, &about, &self.context, || {
                ports.rds.describe_pending_maintenance(arn)
            })
            .await
    }

    async fn apply_pending_maintenance(&self, arn: &str, action: &str) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::db_instance(arn);
        caller
            .call(Operation::RdsApplyPendingMaintenanceAction, &about, &self.context, || {
                ports.rds.apply_pending_maintenance(arn, action)
            })
            .await
    }
}

/// Systems Manager behind token, gate, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedSsm {
    pub(in crate::aws::session) session: Arc<Session>,
    pub(in crate::aws::session) context: CallContext,
}

#[async_trait]
impl port::Ssm for GuardedSsm {
    async fn send_command(&self, command: &NewCommand) -> Result<Command, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::document(&command.run.document);
        caller
            .call(Operation::SsmSendCommand, &about, &self.context, || {
                ports.ssm.send_command(command)
            })
            .await
    }

    async fn list_commands(
        &self,
        search: &CommandSearch,
        next: Option<&str>,
    ) -> Result<CommandPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::commands(search);
        caller
            .call(Operation::SsmListCommands, &about, &self.context, || {
                ports.ssm.list_commands(search, next)
            })
            .await
    }

    async fn cancel_command(&self, id: &str) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::command(id);
        caller
            .call(Operation::SsmCancelCommand, &about, &self.context, || {
                ports.ssm.cancel_command(id)
            })
            .await
    }

    async fn start_automation(&self, automation: &NewAutomation) -> Result<String, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::document(&automation.run.document);
        caller
            .call(Operation::SsmStartAutomationExecution, &about, &self.context, || {
                ports.ssm.start_automation(automation)
            })
            .await
    }

    async fn get_automation(&self, id: &str) -> Result<Automation, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::automation(id);
        caller
            .call(Operation::SsmGetAutomationExecution, &about, &self.context, || {
                ports.ssm.get_automation(id)
            })
            .await
    }

    async fn stop_automation(&self, id: &str) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::automation(id);
        caller
            .call(Operation::SsmStopAutomationExecution, &about, &self.context, || {
                ports.ssm.stop_automation(id)
            })
            .await
    }
}
