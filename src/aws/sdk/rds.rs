//! RDS through the SDK.

use async_trait::async_trait;
use aws_sdk_rds::{
    Client,
    operation::RequestId as _,
    types::{DbCluster, DbInstance},
};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    error::clean,
    facts::rds::{Database, Instance, Member, PendingMaintenance},
};

/// Status of a parameter group whose changes wait for a reboot.
///
/// Source: RDS API reference, DBParameterGroupStatus.
const PENDING_REBOOT: &str = "pending-reboot";

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

    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, Error> {
        let about = resource::db_instance(instance);
        let call = self.call(Operation::RdsDescribeDbInstances, about);
        let request = self.client.describe_db_instances().db_instance_identifier(instance);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.db_instances().iter().find(|found| {
            found.db_instance_identifier().is_some_and(|id| id.eq_ignore_ascii_case(instance))
        });
        let full = found.ok_or("it holds something else than what was asked for").and_then(full);
        full.map_err(|what| call.unreadable(what, answer.request_id()))
    }

    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, Error> {
        let call = self.call(Operation::RdsDescribeDbClusters, resource::db_cluster(cluster));
        let request = self.client.describe_db_clusters().db_cluster_identifier(cluster);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.db_clusters().iter().find(|found| {
            found.db_cluster_identifier().is_some_and(|id| id.eq_ignore_ascii_case(cluster))
        });
        let found = found.map(members).ok_or_else(|| {
            call.unreadable("it holds something else than what was asked for", answer.request_id())
        })?;
        Ok(found)
    }

    async fn reboot_db_instance(&self, instance: &str) -> Result<(), Error> {
        let call = self.call(Operation::RdsRebootDbInstance, resource::db_instance(instance));
        let request = self.client.reboot_db_instance().db_instance_identifier(instance);
        request.send().await.map_err(|error| call.failed(&error))?;
        Ok(())
    }

    async fn describe_pending_maintenance(
        &self,
        arn: &str,
    ) -> Result<Vec<PendingMaintenance>, Error> {
        let about = resource::db_instance(arn);
        let call = self.call(Operation::RdsDescribePendingMaintenanceActions, about);
        let request = self.client.describe_pending_maintenance_actions().resource_identifier(arn);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.pending_maintenance_actions().iter();
        let found = found.filter(|resource| resource.resource_identifier() == Some(arn));
        let details = found.flat_map(|resource| resource.pending_maintenance_action_details());
        let pending = details.map(|detail| {
            let action = detail.action().ok_or("Action is missing")?;
            let immediate = detail.opt_in_status() == Some("immediate");
            Ok(PendingMaintenance { action: clean(action), immediate })
        });
        let pending: Result<_, &'static str> = pending.collect();
        pending.map_err(|what| call.unreadable(what, answer.request_id()))
    }

    async fn apply_pending_maintenance(&self, arn: &str, action: &str) -> Result<(), Error> {
        let about = resource::db_instance(arn);
        let call = self.call(Operation::RdsApplyPendingMaintenanceAction, about);
        let request = self.client.apply_pending_maintenance_action().resource_identifier(arn);
        let request = request.apply_action(action).opt_in_type("immediate");
        request.send().await.map_err(|error| call.failed(&error))?;
        Ok(())
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

fn full(found: &DbInstance) -> Result<Instance, &'static str> {
    let text = |field: Option<&str>, missing| {
        field.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(missing)
    };
    let groups = found.db_parameter_groups().iter();
    let pending = groups.filter(|group| group.parameter_apply_status() == Some(PENDING_REBOOT));
    Ok(Instance {
        arn: text(found.db_instance_arn(), "DBInstanceArn is missing")?,
        status: text(found.db_instance_status(), "DBInstanceStatus is missing")?,
        cluster: found.db_cluster_identifier().map(str::to_owned),
        pending_reboot: pending
            .map(|group| group.db_parameter_group_name().map(clean).unwrap_or_default())
            .collect(),
    })
}

fn members(found: &DbCluster) -> Vec<Member> {
    let members = found.db_cluster_members().iter();
    let told = members.map(|member| Member {
        instance: member.db_instance_identifier().unwrap_or_default().to_owned(),
        pending_reboot: member.db_cluster_parameter_group_status() == Some(PENDING_REBOOT),
    });
    told.collect()
}
