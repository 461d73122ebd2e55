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
/// What is wrong with an answer that does not hold what was asked for.
const SOMETHING_ELSE: &str = "it holds something else than what was asked for";
const NO_INSTANCE_STATUS: &str = "DBInstanceStatus is missing";

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

    /// Reads the instance that has this identifier.
    async fn instance<T>(&self, name: &str, read: impl FnOnce(&DbInstance) -> Read<T>) -> Found<T> {
        let about = resource::db_instance(name);
        let call = self.call(Operation::RdsDescribeDbInstances, about);
        let request = self.client.describe_db_instances().db_instance_identifier(name);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let mut found = answer.db_instances().iter();
        let found = found.find(|found| is(found.db_instance_identifier(), name));
        let read = found.ok_or(SOMETHING_ELSE).and_then(read);
        read.map_err(|what| call.unreadable(what, answer.request_id()))
    }

    /// Reads the cluster that has this identifier.
    async fn cluster<T>(&self, name: &str, read: impl FnOnce(&DbCluster) -> Read<T>) -> Found<T> {
        let call = self.call(Operation::RdsDescribeDbClusters, resource::db_cluster(name));
        let request = self.client.describe_db_clusters().db_cluster_identifier(name);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let mut found = answer.db_clusters().iter();
        let found = found.find(|found| is(found.db_cluster_identifier(), name));
        let read = found.ok_or(SOMETHING_ELSE).and_then(read);
        read.map_err(|what| call.unreadable(what, answer.request_id()))
    }
}

/// A part of an answer, or what is wrong with it.
type Read<T> = Result<T, &'static str>;
type Found<T> = Result<T, Error>;

/// Identifiers are told in lower case, however they were written.
fn is(told: Option<&str>, asked: &str) -> bool {
    told.is_some_and(|told| told.eq_ignore_ascii_case(asked))
}

#[async_trait]
impl port::Rds for SdkRds {
    async fn describe_db_instance(&self, instance: &str) -> Result<Database, Error> {
        let status = |found: &DbInstance| text(found.db_instance_status(), NO_INSTANCE_STATUS);
        Ok(Database { status: self.instance(instance, status).await? })
    }

    async fn describe_db_instance_in_full(&self, instance: &str) -> Result<Instance, Error> {
        self.instance(instance, full).await
    }

    async fn describe_db_cluster_members(&self, cluster: &str) -> Result<Vec<Member>, Error> {
        self.cluster(cluster, |found| Ok(members(found))).await
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
        let status = |found: &DbCluster| text(found.status(), "Status is missing");
        Ok(Database { status: self.cluster(cluster, status).await? })
    }
}

/// What an answer must tell; no status is told of what is only being made.
fn text(field: Option<&str>, missing: &'static str) -> Read<String> {
    field.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(missing)
}

fn full(found: &DbInstance) -> Read<Instance> {
    let groups = found.db_parameter_groups().iter();
    let pending = groups.filter(|group| group.parameter_apply_status() == Some(PENDING_REBOOT));
    Ok(Instance {
        arn: text(found.db_instance_arn(), "DBInstanceArn is missing")?,
        status: text(found.db_instance_status(), NO_INSTANCE_STATUS)?,
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
