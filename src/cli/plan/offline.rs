//! What the decisions of the operator need of their surroundings, where there is no cluster.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::NO_CLUSTER;
use crate::{
    api::channel::Channel,
    aws::{
        accounts::{Accounts, DefaultCredentials, ExternalIdTemplate, NamespaceFacts, Settings},
        gate::Gate,
        hub::Hub,
        limits::Limits,
        sdk::SdkConnector,
        session::Guards,
    },
    checks::{
        Checks,
        http::{Answer, Fetch, Unanswered, Url},
    },
    cli::Error,
    context::{Clock, Context, Namespaces, Rollouts, Windows},
    facts::{
        peers::Peer,
        windows::{QuietFact, WindowFact},
    },
    jobs,
    kubernetes::{
        leader::Leadership,
        port::{self, Class, Event, ObjectId, Port},
    },
    metrics::Metrics,
    notify::{
        message::Message,
        post::Post,
        send::{Deliver, NotSent, Sent, Topics},
    },
    sweeps::Sweeps,
    tasks::Desk,
};

/// A context with our own credentials and without a cluster. Without a lease, too: its gate lets no
/// write to AWS through.
pub(super) fn context(region: Option<String>) -> Result<Context, Error> {
    let settings = Settings::new(
        NO_CLUSTER.to_owned(),
        region,
        DefaultCredentials::All,
        ExternalIdTemplate::default(),
    )?;
    let metrics = Metrics::new();
    let guards = Guards {
        limits: Arc::new(Limits::default()),
        gate: Gate::new(Leadership::none()),
        clock: Clock::System,
        metrics: metrics.clone(),
    };
    let connector = Arc::new(SdkConnector::from_environment()?);
    let hub = Arc::new(Hub::default());
    Ok(Context {
        post: Post::new(Arc::new(NoCluster), guards.gate.clone(), Clock::System, metrics.clone()),
        checks: Checks::new(
            Arc::new(NoCluster),
            Arc::new(jobs::NoCluster),
            Arc::clone(&hub),
            Clock::System,
        ),
        clock: Clock::System,
        settings,
        accounts: Accounts::new(connector, guards),
        hub,
        kubernetes: Arc::new(NoCluster),
        namespaces: Arc::new(NoCluster),
        rollouts: Arc::new(NoCluster),
        windows: Arc::new(NoCluster),
        sweeps: Sweeps::default(),
        tasks: Desk::default(),
        metrics,
    })
}

/// Knows nothing, and takes nothing.
struct NoCluster;

#[async_trait]
impl Fetch for NoCluster {
    async fn get(&self, _: &Url, _: bool) -> Result<Answer, Unanswered> {
        Err(Unanswered::Forbidden("a plan runs no checks".to_owned()))
    }
}

#[async_trait]
impl Deliver for NoCluster {
    async fn deliver(
        &self,
        _: &dyn Topics,
        _: &str,
        _: &Channel,
        _: &Message,
    ) -> Result<Sent, NotSent> {
        Err(NotSent::new("a plan tells nobody"))
    }
}

impl Namespaces for NoCluster {
    fn facts(&self, name: &str) -> NamespaceFacts {
        NamespaceFacts { name: name.to_owned(), ..NamespaceFacts::default() }
    }
}

impl Rollouts for NoCluster {
    fn of_alias(&self, _: &str, _: &str) -> Vec<Peer> {
        Vec::new()
    }

    fn of_function(&self, _: &str) -> Vec<Peer> {
        Vec::new()
    }
}

impl Windows for NoCluster {
    fn of(&self, _: &str) -> Option<Vec<WindowFact>> {
        None
    }

    fn quiet(&self) -> Option<Vec<QuietFact>> {
        None
    }
}

fn none(action: &'static str, object: &ObjectId) -> port::Error {
    let message = "there is no cluster".to_owned();
    port::Error { action, object: object.to_string(), class: Class::Denied, message }
}

#[async_trait]
impl Port for NoCluster {
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, port::Error> {
        Err(none("read", object))
    }

    async fn apply_status(&self, object: &ObjectId, _: &Value) -> Result<Value, port::Error> {
        Err(none("apply the status", object))
    }

    async fn set_finalizers(
        &self,
        object: &ObjectId,
        _: &str,
        _: &[String],
    ) -> Result<Value, port::Error> {
        Err(none("set the finalizers", object))
    }

    async fn publish_event(&self, object: &ObjectId, _: &Event) -> Result<(), port::Error> {
        Err(none("publish an Event", object))
    }
}
