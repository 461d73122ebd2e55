//! What `/readyz` looks at: the CRDs, our permissions, and AWS credentials.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
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

use super::LEASE_NAME;
use crate::{
    api::GROUP,
    aws::sdk::SdkConnector,
    health::{Heartbeat, Readiness},
};

/// Name of each CRD as a component, and its plural.
const CRDS: [(&str, &str); 2] = [
    ("crd canaryrollouts.groundcrew.dev", "canaryrollouts"),
    ("crd maintenancewindows.groundcrew.dev", "maintenancewindows"),
];
const PERMISSIONS: &str = "permissions";
const CREDENTIALS: &str = "aws credentials";

/// Everything that has to be there.
pub const COMPONENTS: [&str; 4] = [CRDS[0].0, CRDS[1].0, PERMISSIONS, CREDENTIALS];

/// How often it is looked at once everything is there.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often it is looked at while something is missing.
const INTERVAL_MISSING: Duration = Duration::from_secs(3);
/// A look that takes longer is stuck.
pub const BOUND: Duration = Duration::from_secs(180);

/// Questions about permissions at once: a look asks a dozen, and a slow API server must not make it
/// last longer than [`BOUND`].
const REVIEWS_AT_ONCE: usize = 8;

/// Group of the Lease.
const LEASES: &str = "coordination.k8s.io";

/// Where this replica works.
#[derive(Clone, Debug)]
pub struct Places {
    /// Namespaces that are watched; empty: all.
    pub watched: Vec<String>,
    /// Namespace of the Lease; none: it leads alone.
    pub lease: Option<String>,
}

impl Places {
    /// Everything that the operator cannot work without; without the Lease it could never lead.
    fn needed(&self) -> Vec<ResourceAttributes> {
        let all = [String::new()];
        let watched = if self.watched.is_empty() { all.as_slice() } else { &self.watched };
        let mut needed =
            vec![needs("list", "", "namespaces", "", ""), needs("watch", "", "namespaces", "", "")];
        for namespace in watched {
            for (_, plural) in CRDS {
                for verb in ["get", "list", "watch", "patch"] {
                    needed.push(needs(verb, GROUP, plural, "", namespace));
                }
                needed.push(needs("patch", GROUP, plural, "status", namespace));
            }
            needed.push(needs("create", "events.k8s.io", "events", "", namespace));
        }
        if let Some(namespace) = &self.lease {
            for verb in ["get", "update"] {
                let lease = needs(verb, LEASES, "leases", "", namespace);
                needed.push(ResourceAttributes { name: Some(LEASE_NAME.into()), ..lease });
            }
            needed.push(needs("create", LEASES, "leases", "", namespace));
        }
        needed
    }
}

/// A permission; without a namespace in all of them.
fn needs(
    verb: &str,
    group: &str,
    resource: &str,
    subresource: &str,
    namespace: &str,
) -> ResourceAttributes {
    let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ResourceAttributes {
        verb: set(verb),
        group: set(group),
        resource: set(resource),
        subresource: set(subresource),
        namespace: set(namespace),
        ..ResourceAttributes::default()
    }
}

/// Looks again and again, for ever.
pub async fn keep(
    client: Client,
    connector: Arc<SdkConnector>,
    places: Places,
    readiness: Readiness,
    heartbeat: Heartbeat,
) {
    loop {
        heartbeat.beat();
        for (component, plural) in CRDS {
            readiness.set(component, crd(&client, plural).await);
        }
        readiness.set(PERMISSIONS, permissions(&client, &places).await);
        readiness.set(CREDENTIALS, connector.check_credentials().await);
        let missing = readiness.missing();
        let wait = if missing.is_empty() { INTERVAL } else { INTERVAL_MISSING };
        tokio::time::sleep(wait).await;
    }
}

async fn crd(client: &Client, plural: &str) -> Result<(), String> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    match api.get_opt(&format!("{plural}.{GROUP}")).await {
        Ok(Some(crd)) if is_crd_established().matches_object(Some(&crd)) => Ok(()),
        Ok(Some(_)) => Err("not established yet".into()),
        Ok(None) => Err("not installed; install the chart, or apply `groundcrew crds`".into()),
        Err(error) => Err(crate::error::chain(&error)),
    }
}

async fn permissions(client: &Client, places: &Places) -> Result<(), String> {
    let answers = places.needed().into_iter().map(|needed| review(client, needed));
    let missing = stream::iter(answers).buffered(REVIEWS_AT_ONCE);
    let missing: Vec<String> =
        missing.try_filter_map(async |missing| Ok(missing)).try_collect().await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("the ServiceAccount may not {}; see the chart's roles", missing.join(", ")))
}

/// Asks whether we may do this; what it is called if not.
async fn review(client: &Client, needed: ResourceAttributes) -> Result<Option<String>, String> {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let name = described(&needed);
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(needed),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = api.create(&PostParams::default(), &review).await;
    let answer = answer.map_err(|error| crate::error::chain(&error))?;
    Ok((!answer.status.is_some_and(|status| status.allowed)).then_some(name))
}

/// For example `update leases groundcrew in groundcrew-system`.
fn described(needed: &ResourceAttributes) -> String {
    let ResourceAttributes { verb, resource, subresource, name, namespace, .. } = needed;
    let part = |before: &str, part: &Option<String>| {
        part.as_ref().map(|part| format!("{before}{part}")).unwrap_or_default()
    };
    let (what, of) = (part("", verb), part(" ", resource));
    format!("{what}{of}{}{}{}", part("/", subresource), part(" ", name), part(" in ", namespace))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::BodyExt as _;
    use kube::client::Body;

    use super::*;

    /// An API server that denies what `denies` says.
    fn server(denies: impl Fn(&str) -> bool + Clone + Send + 'static) -> Client {
        let service = tower::service_fn(move |request: Request<Body>| {
            let denies = denies.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let mut review: SelfSubjectAccessReview = serde_json::from_slice(&body).unwrap();
                let asked = described(review.spec.resource_attributes.as_ref().unwrap());
                review.status.get_or_insert_default().allowed = !denies(&asked);
                let answer = serde_json::to_vec(&review).unwrap();
                Ok::<_, Infallible>(Response::new(Body::from(answer)))
            }
        });
        Client::new(service, "groundcrew-system")
    }

    fn places() -> Places {
        Places { watched: Vec::new(), lease: Some("groundcrew-system".into()) }
    }

    #[tokio::test]
    async fn each_permission_that_is_missing_is_named() {
        permissions(&server(|_| false), &places()).await.unwrap();
        for missing in [
            "list namespaces",
            "watch namespaces",
            "get canaryrollouts",
            "list canaryrollouts",
            "watch canaryrollouts",
            "patch canaryrollouts",
            "patch canaryrollouts/status",
            "get maintenancewindows",
            "list maintenancewindows",
            "watch maintenancewindows",
            "patch maintenancewindows",
            "patch maintenancewindows/status",
            "create events",
            "get leases groundcrew in groundcrew-system",
            "update leases groundcrew in groundcrew-system",
            "create leases in groundcrew-system",
        ] {
            let told = permissions(&server(move |asked| asked == missing), &places()).await;
            let expected = format!("the ServiceAccount may not {missing}; see the chart's roles");
            assert_eq!(told, Err(expected));
        }
        let told = permissions(&server(|asked| asked.contains("namespaces")), &places()).await;
        assert!(told.unwrap_err().contains("not list namespaces, watch namespaces; "));
    }

    #[tokio::test]
    async fn permissions_are_asked_for_where_they_are_needed() {
        let alone = Places { lease: None, ..places() };
        permissions(&server(|asked| asked.contains("leases")), &alone).await.unwrap();
        let two = Places { watched: vec!["a".into(), "b".into()], ..alone };
        let denying = server(|asked| asked.ends_with("list canaryrollouts in b"));
        let told = permissions(&denying, &two).await;
        assert!(told.unwrap_err().contains("not list canaryrollouts in b;"));
        let cluster = |asked: &str| asked.contains("canaryrollouts") && !asked.contains(" in ");
        permissions(&server(cluster), &two).await.unwrap();
    }

    #[tokio::test]
    async fn no_answer_is_no_permission() {
        let service = tower::service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::builder().status(503).body(Body::empty()).unwrap())
        });
        permissions(&Client::new(service, "x"), &places()).await.unwrap_err();
    }
}
