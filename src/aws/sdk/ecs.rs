//! ECS through the SDK.

use async_trait::async_trait;
use aws_sdk_ecs::{
    Client,
    operation::RequestId as _,
    types::{Deployment as SdkDeployment, DeploymentRolloutState, Service as SdkService},
};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    error::clean,
    facts::ecs::{Deployment, Rollout, Service},
};

/// ECS with one identity in one region.
pub(super) struct SdkEcs {
    client: Client,
    identity: Identity,
}

impl SdkEcs {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::Ecs for SdkEcs {
    async fn describe_service(&self, cluster: &str, name: &str) -> Result<Service, Error> {
        let call = self.call(Operation::EcsDescribeServices, resource::service(cluster, name));
        let request = self.client.describe_services().cluster(cluster).services(name);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let request_id = answer.request_id();
        if let [found] = answer.services() {
            return service(found).map_err(|what| call.unreadable(what, request_id));
        }
        // What is missing is no error of the call: ECS lists it among the failures.
        match answer.failures().first().and_then(|failure| failure.reason()) {
            Some("MISSING") => Err(call.missing("MISSING", "there is no such service", request_id)),
            Some(reason) => {
                Err(call.unreadable(&format!("failed with {}", clean(reason)), request_id))
            }
            None => {
                Err(call.unreadable("it holds not the one service that was asked for", request_id))
            }
        }
    }

    async fn force_new_deployment(&self, cluster: &str, name: &str) -> Result<Service, Error> {
        let call = self.call(Operation::EcsUpdateService, resource::service(cluster, name));
        let request = self.client.update_service().cluster(cluster).service(name);
        let answer = request.force_new_deployment(true).send().await;
        let answer = answer.map_err(|error| call.failed(&error))?;
        let found = answer.service().ok_or("service is missing").and_then(service);
        let deployed = found.and_then(|found| match found.primary() {
            Some(_) => Ok(found),
            None => Err("its new deployment is missing"),
        });
        deployed.map_err(|what| call.unreadable(what, answer.request_id()))
    }
}

fn service(found: &SdkService) -> Result<Service, &'static str> {
    let deployments = found.deployments().iter().map(deployment);
    Ok(Service {
        status: found.status().ok_or("status is missing")?.to_owned(),
        deployments: deployments.collect::<Result<_, _>>()?,
    })
}

fn deployment(found: &SdkDeployment) -> Result<Deployment, &'static str> {
    let rollout = match found.rollout_state() {
        None => None,
        Some(DeploymentRolloutState::Completed) => Some(Rollout::Completed),
        Some(DeploymentRolloutState::Failed) => Some(Rollout::Failed),
        // What is new to us has not ended.
        Some(DeploymentRolloutState::InProgress | _) => Some(Rollout::InProgress),
    };
    Ok(Deployment {
        id: found.id().ok_or("deployments[].id is missing")?.to_owned(),
        primary: found.status() == Some("PRIMARY"),
        rollout,
        reason: found.rollout_state_reason().map(clean).unwrap_or_default(),
        desired: found.desired_count(),
        running: found.running_count(),
    })
}
