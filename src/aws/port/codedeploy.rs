//! The operations of CodeDeploy that groundcrew uses.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    aws::Error,
    facts::codedeploy::{Deployment, DeploymentPage, KeptRevision, Stage},
};

/// Most ids of one BatchGetDeployments. Source: CodeDeploy API reference.
pub const DEPLOYMENTS_MAX: usize = 25;

/// CodeDeploy in one account and region. Every method is one API call.
#[async_trait]
pub trait CodeDeploy: Send + Sync {
    /// ListDeployments of all applications, made at or after `since`, the first page.
    async fn list_deployments(
        &self,
        stage: Stage,
        since: Timestamp,
    ) -> Result<DeploymentPage, Error>;

    /// BatchGetDeployments of at most [`DEPLOYMENTS_MAX`] ids. What is gone is left out.
    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, Error>;

    /// GetApplicationRevision: the text of an AppSpec; none when CodeDeploy does not tell it.
    async fn get_application_revision(
        &self,
        application: &str,
        revision: &KeptRevision,
    ) -> Result<Option<String>, Error>;
}
