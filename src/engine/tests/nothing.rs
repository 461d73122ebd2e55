//! A context for passes that ask nobody.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::channel::Channel,
    aws::{
        self,
        accounts::{
            Accounts, Connector, DefaultCredentials, ExternalIdTemplate, NamespaceFacts, Ports,
            Settings, Target,
        },
        gate::Gate,
        hub::Hub,
        limits::Limits,
        session::Guards,
    },
    checks::{
        Checks,
        http::{Answer, Fetch, Unanswered, Url},
    },
    context::{Clock, Context, Namespaces, Rollouts, Windows},
    facts::{
        peers::Peer,
        windows::{QuietFact, WindowFact},
    },
    jobs::NoCluster,
    kubernetes::{
        leader::Leadership,
        port::{Error, Event, ObjectId, Port},
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

/// A context on simulated time in which every call is a failure of the test.
pub(super) fn context() -> Context {
    let clock = Clock::simulated(Timestamp::UNIX_EPOCH);
    let metrics = Metrics::new();
    let guards = Guards {
        limits: Arc::new(Limits::default()),
        gate: Gate::new(Leadership::none()),
        clock: clock.clone(),
        metrics: metrics.clone(),
    };
    let settings = Settings::new(
        "test".to_owned(),
        None,
        DefaultCredentials::All,
        ExternalIdTemplate::default(),
    );
    let hub = Arc::new(Hub::default());
    Context {
        post: Post::new(Arc::new(Nothing), guards.gate.clone(), clock.clone(), metrics.clone()),
        checks: Checks::new(
            Arc::new(Nothing),
            Arc::new(NoCluster),
            Arc::clone(&hub),
            clock.clone(),
        ),
        clock,
        settings: settings.unwrap(),
        accounts: Accounts::new(Arc::new(Nothing), guards),
        hub,
        kubernetes: Arc::new(Nothing),
        namespaces: Arc::new(Nothing),
        rollouts: Arc::new(Nothing),
        windows: Arc::new(Nothing),
        sweeps: Sweeps::default(),
        tasks: Desk::default(),
        metrics,
    }
}

struct Nothing;

#[async_trait]
impl Connector for Nothing {
    async fn connect(&self, target: &Target) -> Result<Ports, aws::Error> {
        panic!("{target:?}")
    }
}

#[async_trait]
impl Fetch for Nothing {
    async fn get(&self, url: &Url, _: bool) -> Result<Answer, Unanswered> {
        panic!("{url}")
    }
}

#[async_trait]
impl Deliver for Nothing {
    async fn deliver(
        &self,
        _: &dyn Topics,
        _: &str,
        channel: &Channel,
        _: &Message,
    ) -> Result<Sent, NotSent> {
        panic!("{}", channel.name)
    }
}

impl Namespaces for Nothing {
    fn facts(&self, name: &str) -> NamespaceFacts {
        panic!("{name}")
    }
}

impl Rollouts for Nothing {
    fn of_alias(&self, function: &str, alias: &str) -> Vec<Peer> {
        panic!("{function}:{alias}")
    }

    fn of_function(&self, function: &str) -> Vec<Peer> {
        panic!("{function}")
    }
}

impl Windows for Nothing {
    fn of(&self, namespace: &str) -> Option<Vec<WindowFact>> {
        panic!("{namespace}")
    }

    fn quiet(&self) -> Option<Vec<QuietFact>> {
        panic!("what is quiet")
    }
}

#[async_trait]
impl Port for Nothing {
    async fn get(&self, object: &ObjectId) -> Result<Option<Value>, Error> {
        panic!("{object}")
    }

    async fn apply_status(&self, object: &ObjectId, _: &Value) -> Result<Value, Error> {
        panic!("{object}")
    }

    async fn set_finalizers(
        &self,
        object: &ObjectId,
        _: &str,
        _: &[String],
    ) -> Result<Value, Error> {
        panic!("{object}")
    }

    async fn publish_event(&self, object: &ObjectId, _: &Event) -> Result<(), Error> {
        panic!("{object}")
    }
}
