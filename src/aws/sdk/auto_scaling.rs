//! Application Auto Scaling through the SDK.

use async_trait::async_trait;
use aws_sdk_applicationautoscaling::{
    Client,
    types::{ScalableTarget as Answered, ServiceNamespace, SuspendedState},
};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::scaling::{ScalableTarget, TargetPage},
};

/// Application Auto Scaling with one identity in one region.
pub(super) struct SdkAutoScaling {
    client: Client,
    identity: Identity,
}

impl SdkAutoScaling {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }
}

#[async_trait]
impl port::AutoScaling for SdkAutoScaling {
    async fn describe_scalable_targets(&self, next: Option<&str>) -> Result<TargetPage, Error> {
        let operation = Operation::AutoScalingDescribeScalableTargets;
        let resource = resource::scalable_targets();
        let call = Call { operation, resource, identity: &self.identity };
        let request = self.client.describe_scalable_targets();
        let request = request.service_namespace(ServiceNamespace::Lambda);
        let request = request.set_next_token(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let targets = answer.scalable_targets().iter().map(target).collect();
        Ok(TargetPage { targets, next: answer.next_token.filter(|token| !token.is_empty()) })
    }
}

/// The SDK takes a name that is missing for an empty one: no alias has it.
fn target(answer: &Answered) -> ScalableTarget {
    ScalableTarget {
        resource: answer.resource_id().to_owned(),
        least: answer.min_capacity().into(),
        most: answer.max_capacity().into(),
        suspended: answer.suspended_state().is_some_and(is_whole),
    }
}

/// Whether all three ways of scaling are suspended.
fn is_whole(state: &SuspendedState) -> bool {
    [
        state.dynamic_scaling_in_suspended(),
        state.dynamic_scaling_out_suspended(),
        state.scheduled_scaling_suspended(),
    ]
    .iter()
    .all(|suspended| *suspended == Some(true))
}
