//! The cluster that a subcommand talks to.

use std::{fmt, path::PathBuf, time::Duration};

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::{
    Api, Client, Config, Resource,
    api::{ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{DeserializeGuard, NamespaceResourceScope, ObjectList},
};
use serde::de::DeserializeOwned;

use super::Error;
use crate::{
    api::{
        canary_rollout::CanaryRollout, duration, maintenance_window::MaintenanceWindow,
        shared::LastAction,
    },
    kubernetes::client::Clients,
};

/// Most objects of one answer of the API server.
const PAGE: u32 = 500;

/// A kind that people look at and ask something of.
pub(super) trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The operator's answer to the last verb.
    fn last_action(&self) -> Option<&LastAction>;
}

impl Object for CanaryRollout {
    fn last_action(&self) -> Option<&LastAction> {
        self.status.as_ref()?.last_action.as_ref()
    }
}

impl Object for MaintenanceWindow {
    fn last_action(&self) -> Option<&LastAction> {
        self.status.as_ref()?.last_action.as_ref()
    }
}

/// Which cluster and namespace; as in kubectl.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Kubeconfig file [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// Namespace [default: the context's]
    #[arg(short, long, help_heading = "Cluster")]
    pub(super) namespace: Option<String>,
}

/// A cluster that can be talked to.
pub(super) struct Connection {
    /// For calls.
    pub(super) calls: Client,
    /// For watches.
    pub(super) watch: Client,
    /// The namespace that is meant.
    pub(super) namespace: String,
}

impl Args {
    /// Reads the kubeconfig; nothing is sent yet.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        let options = KubeConfigOptions { context: self.context.clone(), ..Default::default() };
        let fail = |source| Error::Kubeconfig(Box::new(source));
        let config = match (&self.kubeconfig, &self.context) {
            (Some(path), _) => {
                let read = Kubeconfig::read_from(path).map_err(fail)?;
                Config::from_custom_kubeconfig(read, &options).await.map_err(fail)?
            }
            (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(fail)?,
            (None, None) => {
                Config::infer().await.map_err(|source| Error::Infer(Box::new(source)))?
            }
        };
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let Clients { watch, calls, lease: _ } = Clients::new(&config)?;
        Ok(Connection { calls, watch, namespace })
    }
}

impl Connection {
    /// For calls about a kind.
    pub(super) fn objects<K: Object>(&self) -> Api<K> {
        Api::namespaced(self.calls.clone(), &self.namespace)
    }

    /// For watching a kind.
    pub(super) fn watched<K: Object>(&self) -> Api<K> {
        Api::namespaced(self.watch.clone(), &self.namespace)
    }

    /// Reads one, if it is there.
    pub(super) async fn find<K: Object>(&self, name: &str) -> Result<Option<K>, Error> {
        match self.objects().get(name).await {
            Ok(found) => Ok(Some(found)),
            Err(kube::Error::Api(status))
                if status.code == 404 && !status.message.contains("page not found") =>
            {
                Ok(None)
            }
            Err(source) => Err(Error::api(format!("read {} {name}", K::kind(&())), &source)),
        }
    }

    /// Reads one.
    pub(super) async fn get<K: Object>(&self, name: &str) -> Result<K, Error> {
        self.find(name).await?.ok_or_else(|| self.not_found::<K>(name))
    }

    pub(super) fn not_found<K: Object>(&self, name: &str) -> Error {
        Error::NotFound {
            what: format!("{} {name}", K::kind(&())),
            namespace: self.namespace.clone(),
        }
    }

    /// Who we are: as the API server sees us, else `$USER`, else nobody.
    pub(super) async fn user(&self) -> String {
        let api: Api<SelfSubjectReview> = Api::all(self.calls.clone());
        let review = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
        let seen = review.ok().and_then(|review| review.status?.user_info?.username);
        seen.or_else(|| std::env::var("USER").ok()).unwrap_or_default()
    }
}

/// Reads all objects, page by page.
pub(super) async fn list<K: Object>(
    api: &Api<DeserializeGuard<K>>,
) -> Result<Vec<DeserializeGuard<K>>, Error> {
    let mut all = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page: ObjectList<DeserializeGuard<K>> = api
            .list(&params)
            .await
            .map_err(|source| Error::api(format!("list {}s", K::kind(&())), &source))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}

/// How long to wait for an answer, as people write it.
pub(super) fn span(duration: duration::Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
