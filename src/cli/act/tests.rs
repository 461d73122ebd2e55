//! The whole way of a verb, against an API server in memory.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
};

use clap::Parser as _;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;

use super::*;

/// What the operator makes of a verb.
type Operator = fn(&str) -> Option<(&'static str, &'static str)>;

struct Stored {
    plural: &'static str,
    object: Option<Value>,
    version: u64,
    operator: Operator,
    /// Who the API server takes us for.
    user: Option<&'static str>,
    /// Query of the last write.
    query: String,
}

/// An API server with one object and an operator that answers once it is watched.
#[derive(Clone)]
struct Server(Arc<Mutex<Stored>>);

impl Server {
    /// With a CanaryRollout.
    fn with(status: Value, operator: Operator) -> Self {
        let spec =
            json!({"function": {"name": "web", "alias": "live"}, "release": {"version": "2"}});
        Self::of("CanaryRollout", "canaryrollouts", &spec, &status, operator)
    }

    /// With a MaintenanceWindow.
    fn with_window(status: &Value, operator: Operator) -> Self {
        let spec = json!({"timeZone": "Etc/UTC", "schedules": [{"name": "weekly", "cron": "0 2 * * SUN",
                          "duration": "2h"}]});
        Self::of("MaintenanceWindow", "maintenancewindows", &spec, status, operator)
    }

    fn of(
        kind: &str,
        plural: &'static str,
        spec: &Value,
        status: &Value,
        operator: Operator,
    ) -> Self {
        let object = json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": kind,
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1"},
            "spec": spec, "status": status,
        });
        Self(Arc::new(Mutex::new(Stored {
            plural,
            object: Some(object),
            version: 1,
            operator,
            user: Some("jane"),
            query: String::new(),
        })))
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap()
    }

    fn connection(&self) -> Connection {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.serve(request).await) }
        });
        let client = kube::Client::new(service, "shop");
        Connection { calls: client.clone(), watch: client, namespace: "shop".into() }
    }

    async fn serve(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let all = format!("/namespaces/shop/{}", self.stored().plural);
        let one = format!("{all}/web");
        let (code, answer) = match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/apis/authentication.k8s.io/v1/selfsubjectreviews") => self.review(),
            (&Method::GET, path) if path.ends_with(&all) => match query.contains("watch=true") {
                true => (200, self.watch().await),
                false => (200, self.list()),
            },
            (method, path) if path.ends_with(&one) => self.object(method, query, &body),
            (method, path) => panic!("{method} {path}"),
        };
        let response = Response::builder().status(code).header("content-type", "application/json");
        response.body(Body::from(serde_json::to_vec(&answer).unwrap())).unwrap()
    }

    fn review(&self) -> (u16, Value) {
        match self.stored().user {
            Some(user) => (201, json!({"status": {"userInfo": {"username": user}}})),
            None => failure(403, "may not"),
        }
    }

    fn object(&self, method: &Method, query: String, body: &[u8]) -> (u16, Value) {
        let mut stored = self.stored();
        stored.query = query;
        let version = stored.version.saturating_add(1);
        let Some(object) = &mut stored.object else {
            return failure(404, "canaryrollouts.groundcrew.dev \"web\" not found");
        };
        if method == Method::PATCH {
            let patch: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(patch["metadata"]["uid"], object["metadata"]["uid"]);
            object["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
            object["metadata"]["resourceVersion"] = version.to_string().into();
        }
        let object = object.clone();
        stored.version = version;
        (200, object)
    }

    fn list(&self) -> Value {
        let stored = self.stored();
        let items: Vec<&Value> = stored.object.iter().collect();
        json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "List",
            "metadata": {"resourceVersion": stored.version.to_string()}, "items": items,
        })
    }

    /// The operator's answer, if it has one that is not there yet; else nothing, for ever.
    async fn watch(&self) -> Value {
        let event = {
            let mut stored = self.stored();
            let (operator, version) = (stored.operator, stored.version.saturating_add(1));
            stored.object.as_mut().and_then(|object| {
                let value = object["metadata"]["annotations"][ACTION_ANNOTATION].as_str()?;
                let (result, message) = operator(value)?;
                let answered = object["status"]["lastAction"]["value"] == value;
                let last = json!({"value": value, "by": "", "result": result, "message": message,
                                  "at": "2026-12-05T10:00:00Z"});
                object["status"]["lastAction"] = last;
                object["metadata"]["resourceVersion"] = version.to_string().into();
                (!answered).then(|| json!({"type": "MODIFIED", "object": object}))
            })
        };
        match event {
            Some(event) => event,
            None => pending().await,
        }
    }
}

fn failure(code: u16, message: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": message, "reason": "", "code": code});
    (code, status)
}

fn waiting() -> Value {
    json!({
        "phase": "WaitingApproval", "revision": "9f2c1a",
        "step": {"index": 1, "count": 2, "display": "2/2"},
        "lastAction": {"value": "pause@9f2c1a#old", "by": "", "result": "Refused",
                       "message": "an older answer", "at": "2026-12-05T09:00:00Z"},
    })
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

async fn run(server: &Server, verb: Verb, arguments: &[&str]) -> Result<Asked, Error> {
    let line = Line::parse_from(["test", "web"].iter().chain(arguments));
    let args = &line.args;
    let compose = |object: &CanaryRollout| bound(verb, args, object, "n1");
    ask(&args.name, &args.asking, &server.connection(), compose).await
}

#[track_caller]
fn answer(asked: Asked) -> (String, u8) {
    match asked {
        Asked::Answered(answer) => told(&answer),
        Asked::Written(text) | Asked::Silence(text) => panic!("{text}"),
    }
}

#[tokio::test]
async fn a_verb_is_bound_signed_and_answered() {
    let server = Server::with(waiting(), |_| Some(("Accepted", "step 1 approved")));
    let asked = run(&server, Verb::Promote, &[]).await.unwrap();
    assert_eq!(answer(asked), ("accepted: step 1 approved".into(), EXIT_DONE));
    let stored = server.stored();
    assert_eq!(
        stored.object.as_ref().unwrap()["metadata"]["annotations"],
        json!({ACTION_ANNOTATION: "promote@9f2c1a/1#n1", ACTION_BY_ANNOTATION: "jane"})
    );
    assert!(stored.query.contains("fieldManager=groundcrew-cli"), "{}", stored.query);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_operators_words_and_fails() {
    let server = Server::with(waiting(), |value| {
        assert_eq!(value, "abort@other#n1");
        Some(("Refused", "abort is for revision other; the current one is 9f2c1a"))
    });
    let asked = run(&server, Verb::Abort, &["--revision", "other"]).await.unwrap();
    let text = "refused: abort is for revision other; the current one is 9f2c1a".to_owned();
    assert_eq!(answer(asked), (text, EXIT_FAILED));
}

#[tokio::test(start_paused = true)]
async fn without_an_operator_it_says_what_to_look_at() {
    let server = Server::with(waiting(), |_| None);
    match run(&server, Verb::Abort, &["--timeout", "5s"]).await.unwrap() {
        Asked::Silence(text) => {
            assert!(text.starts_with("no answer within 5s: is the operator running"), "{text}");
            assert!(text.contains("namespace shop"), "{text}");
        }
        Asked::Answered(_) | Asked::Written(_) => panic!("an older answer was taken for ours"),
    }
}

#[tokio::test]
async fn without_waiting_it_is_only_written() {
    let server = Server::with(waiting(), |_| None);
    let asked = run(&server, Verb::Pause, &["--no-wait"]).await.unwrap();
    assert!(matches!(asked, Asked::Written(value) if value == "pause@9f2c1a#n1"));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_in_flight_are_told_before_anything_is_written() {
    let server = Server::with(json!({"phase": "Healthy", "revision": "9f2c1a"}), |_| None);
    let error = run(&server, Verb::Promote, &[]).await.err().unwrap();
    assert_eq!(error.code(), EXIT_FAILED);
    assert_eq!(
        error.to_string(),
        "nothing is in flight, so there is no step to promote: it is Healthy"
    );
    server.stored().object = None;
    let error = run(&server, Verb::Abort, &[]).await.err().unwrap();
    assert_eq!(error.to_string(), "there is no CanaryRollout web in namespace shop");
    assert_eq!(server.stored().query, "", "nothing was written");
}

#[tokio::test]
async fn a_name_that_the_api_server_does_not_tell_is_not_made_up() {
    let server = Server::with(waiting(), |_| Some(("Accepted", "ok")));
    server.stored().user = None;
    run(&server, Verb::Abort, &[]).await.unwrap();
    let by = server.stored().object.clone().unwrap()["metadata"]["annotations"]
        [ACTION_BY_ANNOTATION]
        .clone();
    assert_eq!(by, std::env::var("USER").unwrap_or_default());
}

#[derive(clap::Parser)]
struct WindowLine {
    #[command(flatten)]
    args: WindowArgs,
}

async fn run_window(
    server: &Server,
    verb: windows::Verb,
    arguments: &[&str],
) -> Result<Asked, Error> {
    let WindowArgs { name, opening } =
        WindowLine::parse_from(["test", "web"].iter().chain(arguments)).args;
    let compose = |object: &MaintenanceWindow| opening.bound(verb, object, "n1");
    ask(&name, &opening.asking, &server.connection(), compose).await
}

#[tokio::test]
async fn a_verb_of_a_window_is_bound_signed_and_answered() {
    let next = json!({"id": "weekly-20261206T0200Z", "schedules": ["weekly"], "local": "Sunday",
                      "opensAt": "2026-12-06T02:00:00Z", "closesAt": "2026-12-06T04:00:00Z"});
    let status = json!({"phase": "Scheduled", "message": "opens Sunday", "next": next});
    let server = Server::with_window(&status, |_| Some(("Accepted", "it will not open")));
    let asked = run_window(&server, windows::Verb::Skip, &[]).await.unwrap();
    assert_eq!(answer(asked), ("accepted: it will not open".into(), EXIT_DONE));
    assert_eq!(
        server.stored().object.as_ref().unwrap()["metadata"]["annotations"],
        json!({ACTION_ANNOTATION: "skip@weekly-20261206T0200Z#n1", ACTION_BY_ANNOTATION: "jane"})
    );
    let server = Server::with_window(&status, |value| {
        assert_eq!(value, "close@weekly-20261129T0200Z#n1");
        Some(("Refused", "weekly-20261129T0200Z is not open; nothing is"))
    });
    let named = ["--opening", "weekly-20261129T0200Z"];
    let asked = run_window(&server, windows::Verb::Close, &named).await.unwrap();
    let text = "refused: weekly-20261129T0200Z is not open; nothing is".to_owned();
    assert_eq!(answer(asked), (text, EXIT_FAILED));
}

#[tokio::test]
async fn a_verb_for_a_window_where_nothing_is_open_is_told_before_anything_is_written() {
    let status = json!({"phase": "Scheduled", "message": "opens Sunday"});
    let server = Server::with_window(&status, |_| None);
    let verb = windows::Verb::Extend(Duration::from_secs(60));
    let error = run_window(&server, verb, &[]).await.err().unwrap();
    assert_eq!(error.code(), EXIT_FAILED);
    assert_eq!(
        error.to_string(),
        "nothing is open, so there is no opening to extend: the window is Scheduled (opens Sunday)"
    );
    server.stored().object = None;
    let error = run_window(&server, windows::Verb::Skip, &[]).await.err().unwrap();
    assert_eq!(error.to_string(), "there is no MaintenanceWindow web in namespace shop");
    assert_eq!(server.stored().query, "", "nothing was written");
}

#[test]
fn no_answer_forges_a_line() {
    let answer: LastAction = serde_json::from_value(json!({
        "value": "abort@9f2c1a#n1", "result": "Refused", "message": "no\u{1b}[2J\naccepted: yes",
        "at": "2026-12-05T10:15:00Z",
    }))
    .unwrap();
    assert_eq!(told(&answer), ("refused: no [2J accepted: yes".to_owned(), EXIT_FAILED));
}
