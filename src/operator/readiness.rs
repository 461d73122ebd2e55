//! What `/readyz` looks at: the CRDs, our permissions, and AWS credentials.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::authorization::v1::{
        ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client,
    api::PostParams,
    runtime::{conditions::is_crd_established, wait::Condition},
};

use crate::{
    api::GROUP,
    aws::sdk::SdkConnector,
    health::{Heartbeat, Readiness},
};

const CRDS: &str = "crd canaryrollouts.groundcrew.dev";
const PERMISSIONS: &str = "permissions";
const CREDENTIALS: &str = "aws credentials";

/// Everything that has to be there.
pub const COMPONENTS: [&str; 3] = [CRDS, PERMISSIONS, CREDENTIALS];

/// How often it is looked at once everything is there.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often it is looked at while something is missing.
const INTERVAL_MISSING: Duration = Duration::from_secs(3);
/// A look that takes longer is stuck.
pub const BOUND: Duration = Duration::from_secs(180);

/// Verb, group, resource and subresource that the operator cannot work without.
const NEEDED: [(&str, &str, &str, &str); 6] = [
    ("list", GROUP, "canaryrollouts", ""),
    ("watch", GROUP, "canaryrollouts", ""),
    ("patch", GROUP, "canaryrollouts", ""),
    ("patch", GROUP, "canaryrollouts", "status"),
    ("watch", "", "namespaces", ""),
    ("create", "events.k8s.io", "events", ""),
];

/// Looks again and again, for ever.
pub async fn keep(
    client: Client,
    connector: Arc<SdkConnector>,
    readiness: Readiness,
    heartbeat: Heartbeat,
) {
    loop {
        heartbeat.beat();
        readiness.set(CRDS, crd(&client).await);
        readiness.set(PERMISSIONS, permissions(&client).await);
        readiness.set(CREDENTIALS, connector.check_credentials().await);
        let missing = readiness.missing();
        let wait = if missing.is_empty() { INTERVAL } else { INTERVAL_MISSING };
        tokio::time::sleep(wait).await;
    }
}

async fn crd(client: &Client) -> Result<(), String> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    match api.get_opt("canaryrollouts.groundcrew.dev").await {
        Ok(Some(crd)) if is_crd_established().matches_object(Some(&crd)) => Ok(()),
        Ok(Some(_)) => Err("not established yet".into()),
        Ok(None) => Err("not installed; install the chart, or apply `groundcrew crds`".into()),
        Err(error) => Err(crate::error::chain(&error)),
    }
}

async fn permissions(client: &Client) -> Result<(), String> {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    for (verb, group, resource, subresource) in NEEDED {
        let attributes = ResourceAttributes {
            verb: Some(verb.into()),
            group: Some(group.into()),
            resource: Some(resource.into()),
            subresource: Some(subresource.into()).filter(|name: &String| !name.is_empty()),
            ..Default::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..Default::default()
            },
            ..Default::default()
        };
        let answer = api.create(&PostParams::default(), &review).await;
        let answer = answer.map_err(|error| crate::error::chain(&error))?;
        if !answer.status.is_some_and(|status| status.allowed) {
            let path = if subresource.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource}/{subresource}")
            };
            return Err(format!(
                "the ServiceAccount may not {verb} {path}; see the chart's ClusterRole"
            ));
        }
    }
    Ok(())
}
