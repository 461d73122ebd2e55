//! Peers that play answers, and what a notifier needs.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use http::{HeaderMap, Method, Uri};
use tokio::net::TcpListener;

use super::*;
use crate::{
    aws::{Error, operations::Operation, resource},
    checks::http::client::tests::names,
    facts::sns::Notification,
    kubernetes::secrets::{NoSecret, Secret},
};

pub(super) use crate::notify::render::tests::message;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A status, headers, and a body.
type Answer = (u16, Vec<(&'static str, &'static str)>, String);

#[derive(Default)]
struct Script {
    requests: Vec<Request>,
    answers: VecDeque<Answer>,
}

/// A server on loopback that plays answers.
pub(super) struct Peer {
    port: u16,
    script: Arc<Mutex<Script>>,
}

async fn play(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = {
        let mut script = script.lock().unwrap();
        let line = format!("{method} {uri}");
        script.requests.push(Request { line, headers, body: body.to_vec() });
        script.answers.pop_front().expect("an answer")
    };
    let (status, headers, body) = answer;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

impl Peer {
    pub(super) async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(play).with_state(Arc::clone(&script));
        let port = serve(router).await;
        Self { port, script }
    }

    pub(super) fn url(&self, token: &str) -> String {
        format!("http://127.0.0.1:{}/hook/{token}", self.port)
    }

    pub(super) fn answers(
        &self,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) {
        let answer = (status, headers.to_vec(), body.to_owned());
        self.script.lock().unwrap().answers.push_back(answer);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.script.lock().unwrap().requests.clone()
    }
}

/// Serves on loopback until the test ends.
pub(super) async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

/// A peer that takes everything and never answers.
pub(super) struct Silent;

#[async_trait]
impl Exchange for Silent {
    async fn exchange(&self, _: crate::checks::http::Outgoing<'_>) -> Result<Reply, Unanswered> {
        std::future::pending().await
    }
}

/// Secrets of one namespace, by name; each has the key `value`.
struct Vault(HashMap<String, String>);

#[async_trait]
impl Secrets for Vault {
    async fn read(
        &self,
        namespace: &str,
        from: &crate::api::channel::SecretKeyRef,
    ) -> Result<Secret, NoSecret> {
        assert_eq!((namespace, from.key.as_str()), ("flightdata", "value"));
        let value = self.0.get(&from.name);
        let value =
            value.ok_or_else(|| NoSecret::NotFound(format!("{namespace}/{}", from.name)))?;
        Ok(Secret::new(value.as_bytes()).unwrap())
    }
}

/// Topics that keep what they get.
#[derive(Clone, Default)]
pub(super) struct Recorded {
    published: Arc<Mutex<Vec<(String, Notification)>>>,
    fails: Arc<Mutex<Option<Class>>>,
}

struct Region(Recorded, String);

impl Recorded {
    pub(super) fn published(&self) -> Vec<(String, Notification)> {
        self.published.lock().unwrap().clone()
    }

    pub(super) fn fails(&self, class: Class) {
        *self.fails.lock().unwrap() = Some(class);
    }
}

#[async_trait]
impl Topics for Recorded {
    async fn of_region(
        &self,
        namespace: &str,
        region: &str,
    ) -> Result<Arc<dyn port::Sns>, NotSent> {
        assert_eq!(namespace, "flightdata");
        Ok(Arc::new(Region(self.clone(), region.to_owned())))
    }
}

#[async_trait]
impl port::Sns for Region {
    async fn publish(&self, notification: &Notification) -> Result<String, Error> {
        let Self(recorded, region) = self;
        if let Some(class) = *recorded.fails.lock().unwrap() {
            return Err(Error {
                operation: Operation::SnsPublish,
                resource: resource::topic(&notification.topic),
                class,
                code: "Code".to_owned(),
                message: "words".to_owned(),
                request_id: None,
                retry_after: None,
            });
        }
        let mut published = recorded.published.lock().unwrap();
        published.push((region.clone(), notification.clone()));
        Ok(format!("message-{}", published.len()))
    }
}

/// A notifier and its topics.
pub(super) struct Bench {
    pub(super) notifier: Notifier,
    pub(super) topics: Recorded,
}

impl Bench {
    pub(super) async fn send(&self, channel: &Channel, message: &Message) -> Result<Sent, NotSent> {
        self.notifier.deliver(&self.topics, "flightdata", channel, message).await
    }
}

/// A client that may ask this machine.
pub(super) fn http() -> Arc<dyn Exchange> {
    let hosts = AllowedHosts::parse(["127.0.0.1"]).unwrap();
    Arc::new(HttpClient::with(hosts, names(&[]), vec![]).unwrap())
}

pub(super) fn notifier(http: Arc<dyn Exchange>, secrets: &[(&str, &str)]) -> Notifier {
    at_page(http, secrets, StatuspageUrl::default())
}

pub(super) fn at_page(
    http: Arc<dyn Exchange>,
    secrets: &[(&str, &str)],
    page: StatuspageUrl,
) -> Notifier {
    let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let clock = Clock::simulated("2026-12-06T01:00:00.5Z".parse().unwrap());
    let notifier = Notifier::new(http, Arc::new(Vault(secrets.collect())), page, clock);
    // Turns have tests of their own.
    Notifier { pace: Pace::of(Duration::ZERO), ..notifier }
}

pub(super) fn bench(secrets: &[(&str, &str)]) -> Bench {
    Bench { notifier: notifier(http(), secrets), topics: Recorded::default() }
}
