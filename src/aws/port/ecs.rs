//! The operations of ECS that groundcrew uses.

use async_trait::async_trait;

use crate::{aws::Error, facts::ecs::Service};

/// ECS in one account and region. Every method is one API call.
#[async_trait]
pub trait Ecs: Send + Sync {
    /// DescribeServices of one service; `NotFound` when it or its cluster does not exist.
    async fn describe_service(&self, cluster: &str, service: &str) -> Result<Service, Error>;

    /// UpdateService with `forceNewDeployment` and nothing else; the service as it is then. The call
    /// has no token: repeating it deploys once more.
    async fn force_new_deployment(&self, cluster: &str, service: &str) -> Result<Service, Error>;
}
