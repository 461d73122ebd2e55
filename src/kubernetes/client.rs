//! The port against a real API server, and the clients for everything that talks to it.

use std::time::Duration;

use async_trait::async_trait;
use http::header::{HeaderValue, USER_AGENT};
use hyper_timeout::TimeoutConnector;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioExecutor};
use kube::{
    Api, Client, Config,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
    client::{ClientBuilder, ConfigExt as _},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder, util::MapFutureLayer};

use super::port::{Class, Error, Event, KindNames, ObjectId, Port};
use crate::{api::FIELD_MANAGER, context::Clock};

/// Longest wait for an answer to a call: the API server gives up on its own after 60 s; a pass has
/// no use for an answer that late.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for an answer to a renewal of the lease: well below the renew deadline of 10 s, so
/// that a second try fits.
const LEASE_READ_TIMEOUT: Duration = Duration::from_secs(4);

/// Longest wait until the answer to a request of a watch begins. What follows has time-outs of the
/// watcher, this has none there: a server that accepts requests and says nothing would stop it for good.
const WATCH_BEGINS: Duration = Duration::from_secs(60);

/// Clients for three uses whose failures must not touch each other.
#[derive(Clone)]
pub struct Clients {
    /// Watches: no read time-out, the watcher has its own.
    pub watch: Client,
    /// Calls of passes.
    pub calls: Client,
    /// The lease: no retries inside the client, the elector has its own.
    pub lease: Client,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a Kubernetes client")]
pub struct ClientError(#[from] kube::Error);

impl Clients {
    /// Makes the clients.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the configuration cannot be used, for example a broken certificate.
    pub fn new(config: &Config) -> Result<Self, ClientError> {
        let mut watch = config.clone();
        let agent = concat!("groundcrew/", env!("CARGO_PKG_VERSION"));
        watch.headers.push((USER_AGENT, HeaderValue::from_static(agent)));
        watch.read_timeout = None;
        let mut calls = watch.clone();
        calls.read_timeout = Some(READ_TIMEOUT);
        // Retries live in one place: the pass is repeated, with backoff and a fresh look.
        calls.default_retry = false;
        let mut lease = calls.clone();
        lease.read_timeout = Some(LEASE_READ_TIMEOUT);
        Ok(Self {
            watch: ClientBuilder::try_from(watch)?.with_layer(&MapFutureLayer::new(begins)).build(),
            calls: without_delay(calls)?,
            lease: without_delay(lease)?,
        })
    }
}

/// An answer that begins within [`WATCH_BEGINS`]; it lasts for as long as it likes.
async fn begins<T>(
    answer: impl Future<Output = Result<T, BoxError>> + Send,
) -> Result<T, BoxError> {
    timeout(WATCH_BEGINS, answer).await.unwrap_or_else(|late| Err(late.into()))
}

/// A client like kube's own whose sockets have TCP_NODELAY.
///
/// Head and body of a request leave in two pieces. Without this the second one waits until the
/// server acknowledges the first, which servers put off: each write took 40 ms longer.
fn without_delay(config: Config) -> Result<Client, kube::Error> {
    if config.proxy_url.is_some() {
        // kube knows about proxies, or says that it was built without them.
        return Client::try_from(config);
    }
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let https = config.rustls_https_connector_with_connector(http)?;
    let mut connector = TimeoutConnector::new(https);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(
            hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector),
        );
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}

/// The port against a real API server.
pub struct Kubernetes {
    client: Client,
    /// Tells replicas apart in Events.
    instance: String,
}

impl Kubernetes {
    /// `instance` tells replicas apart in Events.
    #[must_use]
    pub fn new(client: Client, instance: String) -> Self {
        Self { client, instance }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    fn api(&self, object: &ObjectId) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &object.namespace, &resource(&object.kind))
    }
}

fn resource(kind: &KindNames) -> ApiResource {
    let (group, version) = kind.api_version.split_once('/').unwrap_or(("", kind.api_version));
    let kind_of = GroupVersionKind::gvk(group, version, kind.kind);
    ApiResource::from_gvk_with_plural(&kind_of, kind.plural)
}

#[async_trait]
impl Port for Kubernetes {
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, Error> {
        let found = self.api(object).get_opt(&object.name).await;
        let fail = |source| failed("read", object, &source);
        let found = found
            .map_err(fail)?
            .filter(|found| found.metadata.uid.as_ref().is_none_or(|uid| *uid == object.uid));
        found.map(|found| to_value(object, &found)).transpose()
    }

    async fn apply_status(&self, object: &ObjectId, status: &Value) -> Result<Value, Error> {
        // The uid makes the API server refuse a successor of the same name.
        let patch = json!({
            "apiVersion": object.kind.api_version,
            "kind": object.kind.kind,
            "metadata": {"uid": object.uid},
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let applied =
            self.api(object).patch_status(&object.name, &params, &Patch::Apply(&patch)).await;
        let applied = applied.map_err(|source| failed("apply the status", object, &source))?;
        to_value(object, &applied)
    }

    async fn set_finalizers(
        &self,
        object: &ObjectId,
        resource_version: &str,
        finalizers: &[String],
    ) -> Result<Value, Error> {
        let patch = json!({"metadata": {
            "uid": object.uid,
            "resourceVersion": resource_version,
            "finalizers": finalizers,
        }});
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
        let patched = self.api(object).patch(&object.name, &params, &Patch::Merge(&patch)).await;
        let patched = patched.map_err(|source| failed("set the finalizers", object, &source))?;
        to_value(object, &patched)
    }

    /// Each is an object of its own. kube's Recorder would keep all of the last six minutes in
    /// memory, and tell a second one of the same reason with the words of the first.
    async fn publish_event(&self, object: &ObjectId, event: &Event) -> Result<(), Error> {
        let event = super::event::event(object, event, &self.instance, Clock::System.now());
        let api = Api::namespaced(self.client.clone(), &object.namespace);
        let published = api.create(&PostParams::default(), &event).await;
        published.map(|_| ()).map_err(|source| failed("publish an event", object, &source))
    }
}

fn to_value(object: &ObjectId, found: &DynamicObject) -> Result<Value, Error> {
    serde_json::to_value(found).map_err(|source| Error {
        action: "read the answer",
        object: object.to_string(),
        class: Class::Unavailable,
        message: source.to_string(),
    })
}

fn failed(action: &'static str, object: &ObjectId, source: &kube::Error) -> Error {
    let message = crate::error::chain(source);
    Error { action, object: object.to_string(), class: class(source), message }
}

/// What kind of failure it was.
pub(super) fn class(source: &kube::Error) -> Class {
    let kube::Error::Api(status) = source else { return Class::Unavailable };
    match status.code {
        404 | 410 => Class::Gone,
        409 => Class::Conflict,
        401 | 403 => Class::Denied,
        400 | 413 | 415 | 422 => Class::Invalid,
        _ => Class::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_not_answered_ends_and_one_that_is_answered_late_does_not() {
        let begun = Instant::now();
        begins(pending::<Result<(), BoxError>>()).await.unwrap_err();
        assert_eq!(begun.elapsed(), WATCH_BEGINS);
        let late = async {
            sleep(WATCH_BEGINS / 2).await;
            Ok("events")
        };
        assert_eq!(begins(late).await.unwrap(), "events");
    }
}
