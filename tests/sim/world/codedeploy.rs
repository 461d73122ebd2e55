//! CodeDeploy in the world: at most one deployment, of the alias.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, operations::Operation, port, resource},
    facts::codedeploy::{Deployment, DeploymentPage, KeptRevision, Revision, RevisionForm, Stage},
};
use jiff::Timestamp;

use super::{
    ALIAS, FUNCTION, State,
    lambda::{Aws, refusal},
};
use crate::faults::Sort;

const ID: &str = "d-A1B2C3123";
const APPLICATION: &str = "shop";

/// Where the one deployment stands, if there is one.
#[derive(Default)]
pub struct CodeDeploy {
    pub deployment: Option<Stage>,
}

impl State {
    fn deployments(&self) -> Vec<Deployment> {
        let kept = KeptRevision { form: RevisionForm::AppSpecContent, sha256: "sha".to_owned() };
        let deployment = |stage| Deployment {
            id: ID.to_owned(),
            application: APPLICATION.to_owned(),
            group: Some("group".to_owned()),
            lambda: true,
            stage,
            created: self.now(),
            revision: Revision::Kept(kept),
        };
        self.codedeploy.deployment.map(deployment).into_iter().collect()
    }
}

#[async_trait]
impl port::CodeDeploy for Aws {
    async fn list_deployments(
        &self,
        stage: Stage,
        _: Timestamp,
    ) -> Result<DeploymentPage, aws::Error> {
        let (operation, about) =
            (Operation::CodeDeployListDeployments, resource::deployments(None));
        self.call(
            Sort::AwsRead,
            format!("ListDeployments {stage:?}"),
            move |state| {
                let found = state.deployments().into_iter().filter(|one| one.stage == stage);
                Ok(DeploymentPage { ids: found.map(|one| one.id).collect(), more: false })
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, aws::Error> {
        let operation = Operation::CodeDeployBatchGetDeployments;
        let about = resource::deployments(Some(ids.len()));
        assert_eq!(ids, [ID], "nothing else was listed");
        self.call(
            Sort::AwsRead,
            "BatchGetDeployments".into(),
            |state| Ok(state.deployments()),
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn get_application_revision(
        &self,
        application: &str,
        _: &KeptRevision,
    ) -> Result<Option<String>, aws::Error> {
        let operation = Operation::CodeDeployGetApplicationRevision;
        let about = resource::revision(application);
        let properties = format!("{{Name: {FUNCTION}, Alias: {ALIAS}}}");
        let resource =
            format!("{{f: {{Type: 'AWS::Lambda::Function', Properties: {properties}}}}}");
        self.call(
            Sort::AwsRead,
            format!("GetApplicationRevision {application}"),
            move |_| Ok(Some(format!("Resources: [{resource}]"))),
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
