use std::{future::Future, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    serve::Listener as _,
};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::advance,
};
use tower::ServiceExt as _;

use super::{server::Bounded, *};
use crate::{kubernetes::leader::Leadership, metrics::Metrics};

/// Asks the pages without a network: status, content type and body.
async fn ask(router: &Router, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, content_type, String::from_utf8(body.to_vec()).unwrap())
}

fn ready() -> Readiness {
    Readiness::new([])
}

#[tokio::test]
async fn readyz_names_everything_that_is_missing() {
    let readiness = Readiness::new(["crd canaryrollouts.groundcrew.dev", "aws credentials"]);
    let router = router(Liveness::new(), readiness.clone(), Metrics::new());
    let (status, _, body) = ask(&router, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body,
        "aws credentials: not checked yet\ncrd canaryrollouts.groundcrew.dev: not checked yet\n"
    );

    readiness.set("crd canaryrollouts.groundcrew.dev", Ok(()));
    readiness.set("aws credentials", Err("none found\nok".to_owned()));
    let (status, _, body) = ask(&router, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, "aws credentials: none found ok\n", "one line per component");

    readiness.set("aws credentials", Ok(()));
    let (status, _, body) = ask(&router, "/readyz").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "ok\n"));

    readiness.set("permission", Err("cannot list namespaces".to_owned()));
    let (status, _, body) = ask(&router, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, "permission: cannot list namespaces\n");
}

#[tokio::test]
async fn a_standby_replica_is_ready() {
    let metrics = Metrics::new();
    let leadership = Leadership::none();
    metrics.leads_when(move || leadership.is_leader());
    let readiness = Readiness::new(["crd"]);
    readiness.set("crd", Ok(()));
    let router = router(Liveness::new(), readiness, metrics);
    assert_eq!(ask(&router, "/readyz").await.0, StatusCode::OK);
    assert!(ask(&router, "/metrics").await.2.contains("\ngroundcrew_leader 0\n"));
}

#[tokio::test(start_paused = true)]
async fn livez_names_the_loop_that_is_stuck() {
    let liveness = Liveness::new();
    let router = router(liveness.clone(), ready(), Metrics::new());
    assert_eq!(ask(&router, "/livez").await.0, StatusCode::OK, "nothing to supervise");

    let rollouts = liveness.supervise("rollouts", Duration::from_secs(60));
    let _hub = liveness.supervise("hub", Duration::from_secs(300));
    advance(Duration::from_secs(60)).await;
    assert_eq!(ask(&router, "/livez").await.0, StatusCode::OK);
    advance(Duration::from_secs(1)).await;
    let (status, _, body) = ask(&router, "/livez").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body, "rollouts: no sign of life for 61 s, expected within 60 s\n");

    rollouts.beat();
    assert_eq!(ask(&router, "/livez").await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_heartbeat_goes_stale() {
    let liveness = Liveness::new();
    drop(liveness.supervise("dropped", Duration::from_secs(10)));
    advance(Duration::from_secs(11)).await;
    let stuck = liveness.stuck();
    assert_eq!(stuck.len(), 1);
    assert!(stuck[0].starts_with("dropped: "), "{stuck:?}");
}

#[tokio::test]
async fn metrics_come_in_the_format_that_prometheus_scrapes() {
    let router = router(Liveness::new(), ready(), Metrics::new());
    let (status, content_type, body) = ask(&router, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let router = router(Liveness::new(), ready(), Metrics::new());
    assert_eq!(ask(&router, "/").await.0, StatusCode::NOT_FOUND);
    let post = Request::post("/readyz").body(Body::empty()).unwrap();
    let status = router.oneshot(post).await.unwrap().status();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

/// A running server: where, its end, and what it returned.
async fn start() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Result<(), HealthError>>) {
    let server = HealthServer::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let pages = router(Liveness::new(), ready(), Metrics::new());
    let shutdown = async { stopped.await.unwrap() };
    (address, stop, tokio::spawn(server.serve(pages, shutdown)))
}

async fn get_over_tcp(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Bounds a test in real time, so that a hang is a failure.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("in time")
}

#[tokio::test]
async fn the_server_answers_and_stops_with_a_silent_client_connected() {
    let (address, stop, server) = start().await;
    let answer = get_over_tcp(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok\n"), "{answer}");

    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(b"GET /readyz HT").await.unwrap();
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it does not listen any more");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_that_names_it() {
    let (address, _stop, _server) = start().await;
    let failure = HealthServer::bind(address).await.unwrap_err();
    assert!(matches!(failure, HealthError::Bind { .. }));
    assert!(failure.to_string().contains(&address.to_string()));
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_until_another_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut bounded = Bounded::new(listener);
    let (mut clients, mut connections) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS_MAX {
        clients.push(TcpStream::connect(address).await.unwrap());
        connections.push(soon(bounded.accept()).await);
    }
    clients.push(TcpStream::connect(address).await.unwrap());
    let mut next = Box::pin(bounded.accept());
    assert!((&mut next).now_or_never().is_none());
    connections.pop();
    let (_, peer) = soon(next).await;
    assert_eq!(peer, clients.last().unwrap().local_addr().unwrap());
}

#[tokio::test]
async fn a_client_that_says_nothing_is_disconnected() {
    let (address, _stop, _server) = start().await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    tokio::time::pause(); // From here on, time passes whenever there is nothing else to do.
    let ended = silent.read(&mut [0; 1]).await;
    assert!(!matches!(ended, Ok(1..)), "closed without an answer");
}
