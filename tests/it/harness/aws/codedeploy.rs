//! CodeDeploy in an account, as a team uses it that deploys with AWS SAM.

use aws_sdk_codedeploy::types::{
    AppSpecContent, ComputePlatform, RevisionLocation, RevisionLocationType,
};

use super::{ALIAS, Account, FUNCTION};

/// Application and deployment group.
const APPLICATION: &str = "shop";
const GROUP: &str = "processor-live";

impl Account {
    /// CodeDeploy begins to move the alias from version 1 to 2. Returns the id of the deployment.
    pub async fn deploy(&self) -> String {
        let application = self.codedeploy.create_application().application_name(APPLICATION);
        application.compute_platform(ComputePlatform::Lambda).send().await.unwrap();
        let group = self.codedeploy.create_deployment_group().application_name(APPLICATION);
        group
            .deployment_group_name(GROUP)
            .service_role_arn(format!("arn:aws:iam::{}:role/deploy", self.number))
            .send()
            .await
            .unwrap();
        let spec = format!(
            "version: 0.0\nResources:\n- processor:\n    Type: AWS::Lambda::Function\n    Properties:\n      \
             Name: {FUNCTION}\n      Alias: {ALIAS}\n      CurrentVersion: '1'\n      TargetVersion: '2'\n"
        );
        let revision = RevisionLocation::builder()
            .revision_type(RevisionLocationType::AppSpecContent)
            .app_spec_content(AppSpecContent::builder().content(spec).build())
            .build();
        let deployment = self.codedeploy.create_deployment().application_name(APPLICATION);
        let deployment = deployment.deployment_group_name(GROUP).revision(revision).send().await;
        deployment.unwrap().deployment_id.unwrap()
    }

    /// Somebody stops a deployment.
    pub async fn stop_deployment(&self, id: &str) {
        self.codedeploy.stop_deployment().deployment_id(id).send().await.unwrap();
    }
}
