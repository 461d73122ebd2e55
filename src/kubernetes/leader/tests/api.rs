//! One Lease in memory, behind the requests that a real API server would get.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, client::Body};
use serde_json::{Value, json};

/// A wall clock that stands still: nothing may depend on it.
pub(super) fn now() -> Timestamp {
    "2026-11-20T10:00:00.123456789Z".parse().unwrap()
}

#[derive(Default)]
struct Stored {
    lease: Option<Value>,
    version: u64,
    conflicts: usize,
}

/// The API server.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<Stored>>);

impl Server {
    /// Without the Lease.
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// With a Lease that nobody ever held.
    pub(super) fn with_lease() -> Self {
        Self::storing(json!({}))
    }

    pub(super) fn held_by(holder: &str, seconds: Option<i32>) -> Self {
        let mut spec =
            json!({"holderIdentity": holder, "acquireTime": "2020-01-01T00:00:00.000000Z"});
        if let Some(seconds) = seconds {
            spec["leaseDurationSeconds"] = seconds.into();
        }
        Self::storing(spec)
    }

    fn storing(spec: Value) -> Self {
        let server = Self::default();
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "groundcrew", "namespace": "ops", "resourceVersion": "1"},
            "spec": spec,
        });
        *server.stored() = Stored { lease: Some(lease), version: 1, conflicts: 0 };
        server
    }

    /// A connection of its own.
    pub(super) fn link(&self) -> Link {
        Link { server: self.clone(), faults: Arc::default() }
    }

    pub(super) fn delete(&self) {
        self.stored().lease = None;
    }

    pub(super) fn spec(&self) -> Value {
        self.stored().lease.as_ref().map(|lease| lease["spec"].clone()).unwrap_or_default()
    }

    pub(super) fn holder(&self) -> Option<String> {
        self.spec()["holderIdentity"].as_str().map(str::to_owned)
    }

    /// How many writes were refused for their `resourceVersion` or because the Lease existed.
    pub(super) fn conflicts(&self) -> usize {
        self.stored().conflicts
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap()
    }

    fn answer(&self, method: &Method, body: &[u8]) -> (u16, Value) {
        let mut stored = self.stored();
        if method == Method::GET {
            return stored.lease.clone().map_or_else(|| failure(404, "NotFound"), |l| (200, l));
        }
        let mut sent: Value = serde_json::from_slice(body).unwrap();
        let current = stored.lease.as_ref().map(|lease| &lease["metadata"]["resourceVersion"]);
        let refused = match (method.as_str(), current) {
            ("POST", Some(_)) => Some("AlreadyExists"),
            ("PUT", Some(current)) if *current != sent["metadata"]["resourceVersion"] => {
                Some("Conflict")
            }
            ("PUT", None) => return failure(404, "NotFound"),
            ("POST" | "PUT", _) => None,
            _ => return failure(405, "MethodNotAllowed"),
        };
        if let Some(reason) = refused {
            stored.conflicts = stored.conflicts.saturating_add(1);
            return failure(409, reason);
        }
        stored.version = stored.version.saturating_add(1);
        sent["metadata"]["resourceVersion"] = stored.version.to_string().into();
        stored.lease = Some(sent.clone());
        (if method == Method::POST { 201 } else { 200 }, sent)
    }
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": reason, "reason": reason, "code": code,
    });
    (code, status)
}

#[derive(Default)]
struct Faults {
    delay: Duration,
    cut: bool,
    forbid: bool,
    refuse: usize,
    lose_answers: usize,
}

/// One replica's connection to the server, which can be broken in several ways.
#[derive(Clone)]
pub(super) struct Link {
    server: Server,
    faults: Arc<Mutex<Faults>>,
}

impl Link {
    /// Whether requests are accepted and never answered.
    pub(super) fn cut(&self, cut: bool) {
        self.faults.lock().unwrap().cut = cut;
    }

    /// Answers each request this much later.
    pub(super) fn slow(&self, delay: Duration) {
        self.faults.lock().unwrap().delay = delay;
    }

    /// Whether every request is refused for want of permission.
    pub(super) fn forbid(&self, forbid: bool) {
        self.faults.lock().unwrap().forbid = forbid;
    }

    /// Answers the next writes with a conflict.
    pub(super) fn refuse(&self, writes: usize) {
        self.faults.lock().unwrap().refuse = writes;
    }

    /// Applies the next writes and never answers them.
    pub(super) fn lose_answers(&self, writes: usize) {
        self.faults.lock().unwrap().lose_answers = writes;
    }

    pub(super) fn api(&self) -> Api<Lease> {
        let link = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let link = link.clone();
            async move { Ok::<_, Infallible>(link.serve(request).await) }
        });
        Api::default_namespaced(kube::Client::new(service, "ops"))
    }

    async fn serve(&self, request: Request<Body>) -> Response<Body> {
        let delay = self.faults.lock().unwrap().delay;
        tokio::time::sleep(delay.saturating_add(Duration::from_millis(5))).await;
        let method = request.method().clone();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let (code, answer) = match self.fault(&method) {
            Fault::None => self.server.answer(&method, &body),
            Fault::Answer(code, reason) => failure(code, reason),
            Fault::Hang => pending().await,
            Fault::ApplyAndHang => {
                self.server.answer(&method, &body);
                pending().await
            }
        };
        let response = Response::builder().status(code).header("content-type", "application/json");
        response.body(Body::from(serde_json::to_vec(&answer).unwrap())).unwrap()
    }

    fn fault(&self, method: &Method) -> Fault {
        let mut faults = self.faults.lock().unwrap();
        if faults.cut {
            return Fault::Hang;
        }
        if faults.forbid {
            return Fault::Answer(403, "Forbidden");
        }
        if method == Method::GET {
            return Fault::None;
        }
        if faults.refuse > 0 {
            faults.refuse = faults.refuse.saturating_sub(1);
            return Fault::Answer(409, "Conflict");
        }
        if faults.lose_answers > 0 {
            faults.lose_answers = faults.lose_answers.saturating_sub(1);
            return Fault::ApplyAndHang;
        }
        Fault::None
    }
}

enum Fault {
    None,
    Answer(u16, &'static str),
    Hang,
    ApplyAndHang,
}
