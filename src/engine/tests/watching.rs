//! What the engine makes of watches that break, are silent, or hang; on paused time.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::pending,
    pin::pin,
    sync::{Mutex, PoisonError},
};

use futures::{
    poll,
    stream::{self, BoxStream},
};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use serde_json::Value;
use tokio::time::{advance, sleep};

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// How the API server takes one watch.
#[derive(Clone)]
enum Answer {
    /// It tells of these, and then nothing more.
    Tells(Vec<Value>),
    /// It tells of these, and that it does not know what happened since.
    Breaks(Vec<Value>),
    /// It cannot answer.
    Fails,
    /// It never answers.
    Hangs,
}

fn listed(names: &[&str]) -> Vec<Value> {
    let objects = names.iter().map(|name| json!({"type": "ADDED", "object": object(name)}));
    let end = json!({"type": "BOOKMARK", "object": {
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
        "metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}},
    }});
    objects.chain([end]).collect()
}

/// An API server that takes watches in this way, and the last one for ever.
fn client(answers: impl Into<VecDeque<Answer>>) -> Client {
    let answers = Arc::new(Mutex::new(answers.into()));
    let service = tower::service_fn(move |_: Request<Body>| {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.pop_front().unwrap();
        if answers.is_empty() {
            answers.push_back(answer.clone());
        }
        async move { Ok::<_, Infallible>(respond(answer).await) }
    });
    Client::new(service, "shop")
}

type Lines = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

async fn respond(answer: Answer) -> Response<Lines> {
    let gone = json!({"type": "ERROR", "object": {
        "kind": "Status", "code": 410, "reason": "Expired", "message": "too old", "status": "Failure",
    }});
    let (events, ends) = match answer {
        Answer::Tells(events) => (events, false),
        Answer::Breaks(events) => ([events, vec![gone]].concat(), true),
        Answer::Fails => {
            let nothing = StreamBody::new(stream::empty().boxed());
            return Response::builder().status(503).body(nothing).unwrap();
        }
        Answer::Hangs => pending().await,
    };
    let lines = events
        .into_iter()
        .map(|event| Ok::<_, Infallible>(Frame::data(Bytes::from(format!("{event}\n")))));
    let lines = stream::iter(lines);
    let lines = if ends { lines.boxed() } else { lines.chain(stream::pending()).boxed() };
    Response::new(StreamBody::new(lines))
}

/// The engine over this API server, and what it shows of itself.
fn engine(
    answers: impl Into<VecDeque<Answer>>,
) -> (impl Future<Output = ()>, Liveness, Arc<Context>) {
    let (_, objects) = reflector::store();
    let liveness = Liveness::new();
    let scope = Scope::<Named> {
        client: client(answers),
        namespaces: Vec::new(),
        objects,
        liveness: liveness.clone(),
        changed: Box::new(drop),
    };
    let context = Arc::new(context());
    let run = run::<Named>(scope, Arc::clone(&context), stream::pending(), pending());
    (run, liveness, context)
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_while_nobody_watched_is_forgotten() {
    let first = Answer::Breaks(listed(&["stays", "goes"]));
    let (run, _, context) = engine([first, Answer::Tells(listed(&["stays"]))]);
    let shown = |name: &str| context.metrics.render().contains(&format!("name=\"{name}\""));
    tokio::select! {
        () = run => panic!("nobody stops it"),
        () = async {
            while !shown("goes") {
                sleep(SECOND / 100).await;
            }
            sleep(10 * SECOND).await;
        } => {}
    }
    assert!(shown("stays"));
    assert!(!shown("goes"));
}

#[tokio::test(start_paused = true)]
async fn what_is_at_rest_at_the_start_is_looked_at_later_and_once_it_changes_at_once() {
    let mut changed = object("rests-b");
    changed.metadata.generation = Some(2);
    let changed = json!({"type": "MODIFIED", "object": changed});
    let told = [listed(&["rests-a", "rests-b", "flies"]), vec![changed]].concat();
    let (run, _, context) = engine([Answer::Tells(told)]);
    let shown = |name: &str| context.metrics.render().contains(&format!("name=\"{name}\""));
    tokio::select! {
        () = run => panic!("nobody stops it"),
        () = async {
            sleep(10 * SECOND).await;
            assert!(shown("flies") && shown("rests-b"), "what changes does not wait");
            assert!(!shown("rests-a"));
            sleep(HOUR / 3).await;
            assert!(shown("rests-a"), "each has its look");
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_operator_is_alive_and_so_is_one_whose_api_server_is_down() {
    for after in [Answer::Tells(Vec::new()), Answer::Fails] {
        let (run, liveness, _) = engine([Answer::Tells(listed(&["good"])), after]);
        let looks = async {
            let begun = Instant::now();
            while begun.elapsed() < HOUR {
                sleep(7 * SECOND).await;
                assert_eq!(liveness.stuck(), [""; 0], "after {:?}", begun.elapsed());
            }
        };
        tokio::select! {
            () = run => panic!("nobody stops it"),
            () = looks => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_hangs_is_named() {
    let (run, liveness, _) = engine([Answer::Hangs]);
    tokio::select! {
        () = run => panic!("nobody stops it"),
        () = sleep(WATCH_BOUND + SECOND) => {}
    }
    let told = "watch of named: no sign of life for 901 s, expected within 900 s";
    assert_eq!(liveness.stuck(), [told]);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_not_turn_is_named() {
    let (run, liveness, _) = engine([Answer::Tells(listed(&["good"]))]);
    let mut run = pin!(run);
    assert!(poll!(&mut run).is_pending());
    advance(TURN_BOUND + SECOND).await;
    assert_eq!(liveness.stuck(), ["named: no sign of life for 121 s, expected within 120 s"]);
}
