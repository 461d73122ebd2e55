//! CodeDeploy through the SDK.

#![expect(deprecated, reason = "CodeDeploy still answers with revisions of the type String")]

use async_trait::async_trait;
use aws_sdk_codedeploy::{
    Client,
    operation::RequestId as _,
    primitives::DateTime,
    types::{
        AppSpecContent, ComputePlatform, DeploymentInfo, DeploymentStatus, RawString,
        RevisionLocation, RevisionLocationType, TimeRange,
    },
};
use jiff::Timestamp;

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::codedeploy::{Deployment, DeploymentPage, KeptRevision, Revision, RevisionForm, Stage},
};

/// What has ended moves no alias any more.
const ENDED: [DeploymentStatus; 3] =
    [DeploymentStatus::Succeeded, DeploymentStatus::Failed, DeploymentStatus::Stopped];
/// What has not.
const UNDER_WAY: [DeploymentStatus; 5] = [
    DeploymentStatus::Created,
    DeploymentStatus::Queued,
    DeploymentStatus::InProgress,
    DeploymentStatus::Baking,
    DeploymentStatus::Ready,
];

/// CodeDeploy with one identity in one region.
pub(super) struct SdkCodeDeploy {
    client: Client,
    identity: Identity,
}

impl SdkCodeDeploy {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::CodeDeploy for SdkCodeDeploy {
    async fn list_deployments(
        &self,
        stage: Stage,
        since: Timestamp,
    ) -> Result<DeploymentPage, Error> {
        let call = self.call(Operation::CodeDeployListDeployments, resource::deployments(None));
        let statuses = match stage {
            Stage::UnderWay => UNDER_WAY.to_vec(),
            Stage::Ended => ENDED.to_vec(),
        };
        let range = TimeRange::builder().start(DateTime::from_secs(since.as_second())).build();
        let request = self.client.list_deployments().create_time_range(range);
        let request = request.set_include_only_statuses(Some(statuses));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let more = answer.next_token().is_some_and(|token| !token.is_empty());
        Ok(DeploymentPage { more, ids: answer.deployments.unwrap_or_default() })
    }

    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, Error> {
        let about = resource::deployments(Some(ids.len()));
        let call = self.call(Operation::CodeDeployBatchGetDeployments, about);
        let request = self.client.batch_get_deployments().set_deployment_ids(Some(ids.to_vec()));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let found = answer.deployments_info().iter().map(deployment);
        found
            .collect::<Result<_, _>>()
            .map_err(|what: &str| call.unreadable(what, answer.request_id()))
    }

    async fn get_application_revision(
        &self,
        application: &str,
        revision: &KeptRevision,
    ) -> Result<Option<String>, Error> {
        let about = resource::revision(application);
        let call = self.call(Operation::CodeDeployGetApplicationRevision, about);
        let request = self.client.get_application_revision().application_name(application);
        let answer = request.revision(location(revision)).send().await;
        let answer = answer.map_err(|error| call.failed(&error))?;
        Ok(answer.revision().and_then(text).map(str::to_owned))
    }
}

fn deployment(info: &DeploymentInfo) -> Result<Deployment, &'static str> {
    let text = |field: Option<&str>, missing| field.map(str::to_owned).ok_or(missing);
    let platform = info.compute_platform();
    let status = info.status().ok_or("status is missing")?;
    Ok(Deployment {
        id: text(info.deployment_id(), "deploymentId is missing")?,
        application: text(info.application_name(), "applicationName is missing")?,
        group: info.deployment_group_name().map(str::to_owned),
        // Deployments from before there were platforms are to servers.
        lambda: platform == Some(&ComputePlatform::Lambda),
        stage: if ENDED.contains(status) { Stage::Ended } else { Stage::UnderWay },
        created: info.create_time().and_then(timestamp).ok_or("createTime is missing")?,
        revision: info.revision().map_or(Revision::Elsewhere, revision),
    })
}

fn revision(location: &RevisionLocation) -> Revision {
    if let Some(text) = text(location) {
        return Revision::Text(text.to_owned());
    }
    let string = location.string().and_then(RawString::sha256);
    let content = location.app_spec_content().and_then(AppSpecContent::sha256);
    let kept =
        |form, sha256: &str| Revision::Kept(KeptRevision { form, sha256: sha256.to_owned() });
    match (string, content) {
        (Some(sha256), _) => kept(RevisionForm::String, sha256),
        (None, Some(sha256)) => kept(RevisionForm::AppSpecContent, sha256),
        (None, None) => Revision::Elsewhere,
    }
}

fn text(location: &RevisionLocation) -> Option<&str> {
    let string = location.string().and_then(RawString::content);
    string.or_else(|| location.app_spec_content().and_then(AppSpecContent::content))
}

fn location(revision: &KeptRevision) -> RevisionLocation {
    let location = RevisionLocation::builder();
    let sha256 = &revision.sha256;
    match revision.form {
        RevisionForm::String => location
            .revision_type(RevisionLocationType::String)
            .string(RawString::builder().sha256(sha256).build()),
        RevisionForm::AppSpecContent => location
            .revision_type(RevisionLocationType::AppSpecContent)
            .app_spec_content(AppSpecContent::builder().sha256(sha256).build()),
    }
    .build()
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
