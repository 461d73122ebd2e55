//! People are told of windows and rollouts: by servers on this machine, and by topics of the stand-in.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use groundcrew::api::maintenance_window::{MaintenanceWindowStatus, Outcome, Phase};
use serde_json::{Value, json};
use tokio::{process::Command, sync::watch, time::timeout};

use crate::harness::{
    Operator, PATIENCE, Scene, condition, once, output, play, play_alone, root, spec, tool,
};

/// A request that arrived.
#[derive(Clone, Debug)]
struct Arrived {
    path: String,
    /// Its Idempotency-Key; empty where it has none.
    key: String,
    body: Value,
}

/// A server that takes everything, but answers `/broken` with 500.
#[derive(Clone)]
struct Hooks {
    url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    count: Arc<watch::Sender<usize>>,
}

async fn take(
    State(hooks): State<Hooks>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    let arrived = Arrived {
        path: uri.path().to_owned(),
        key: key.unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap(),
    };
    let broken = arrived.path == "/broken";
    hooks.arrived.lock().unwrap().push(arrived);
    hooks.count.send_modify(|count| *count += 1);
    if broken { (StatusCode::INTERNAL_SERVER_ERROR, "away") } else { (StatusCode::OK, "ok") }
}

impl Hooks {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hooks = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            arrived: Arc::default(),
            count: Arc::new(watch::channel(0).0),
        };
        let router = Router::new().fallback(take).with_state(hooks.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hooks
    }

    fn webhook(&self, name: &str) -> Value {
        json!({"name": name, "webhook": {"url": format!("{}/{name}", self.url)}})
    }

    fn at(&self, path: &str) -> Vec<Arrived> {
        let all = self.arrived.lock().unwrap();
        all.iter().filter(|arrived| arrived.path == path).cloned().collect()
    }

    /// The stages that arrived, each once for each key, in order.
    fn stages(&self, path: &str) -> Vec<String> {
        let mut keys = BTreeSet::new();
        let new = self.at(path).into_iter().filter(|arrived| keys.insert(arrived.key.clone()));
        new.map(|arrived| arrived.body["stage"].as_str().unwrap().to_owned()).collect()
    }

    async fn until(&self, path: &str, stage: &str) {
        let mut count = self.count.subscribe();
        let arrived = count.wait_for(|_| self.stages(path).iter().any(|one| one == stage));
        let told = timeout(PATIENCE, arrived).await;
        assert!(told.is_ok(), "no {stage} at {path}: {:?}", self.stages(path));
    }
}

/// Allows the operator to read a Secret of the scene, as the chart does, and makes it.
async fn secret(scene: &Scene<'_>, name: &str, value: &str) {
    let (cluster, namespace) = (scene.cluster, scene.namespace.as_str());
    let literal = format!("--from-literal=url={value}");
    cluster.kubectl(&["create", "secret", "generic", name, "-n", namespace, &literal]).await;
    let mut helm = Command::new(tool("helm"));
    helm.current_dir(root()).args(["template", "groundcrew", "charts/groundcrew"]);
    helm.args(["--namespace", "groundcrew-system", "--set", "clusterName=it"]);
    let named = format!("notices.secrets.{namespace}={{{name}}}");
    helm.args(["--set", &named, "-s", "templates/secrets.yaml"]);
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{namespace}-secret.yaml"));
    std::fs::write(&rendered, output(&mut helm).await).unwrap();
    cluster.kubectl(&["apply", "-f", rendered.to_str().unwrap()]).await;
}

fn told(status: &MaintenanceWindowStatus, stage: &str) -> usize {
    status.notices.iter().filter(|notice| notice.stage == stage).count()
}

#[test]
fn people_hear_of_a_window_on_every_channel_once_and_a_broken_one_delays_nothing() {
    play("notices-window", async |scene| {
        let hooks = Hooks::start().await;
        let topic = scene.account.topic("ops").await;
        secret(scene, "slack", &format!("{}/slack", hooks.url)).await;
        let (mut window, opens_at) = once(30, "30m");
        window["notices"] = json!({
            "before": ["20m"],
            "every": "10m",
            "title": "Scheduled maintenance",
            "message": "Orders are read-only.",
            "channels": [
                hooks.webhook("own"),
                hooks.webhook("broken"),
                {"name": "ops", "sns": {"topicArn": topic}, "stages": ["20m", "Opened", "Closed"]},
                {
                    "name": "chat",
                    "slack": {"urlFrom": {"secretKeyRef": {"name": "slack", "key": "url"}}},
                    "stages": ["20m", "Opened", "Closed"],
                },
            ],
        });
        scene.window("weekly", window).await;
        let announced = scene.until_window_phase("weekly", Phase::Announced).await;
        let message = announced.status.unwrap().message.unwrap();
        assert!(message.contains("; announced to "), "{message}");
        let open = scene.until_window_phase("weekly", Phase::Open).await.status.unwrap();
        let late = open.current.unwrap().opened_at.0.duration_since(opens_at);
        assert!(late.as_secs() <= 60, "it opened {late:?} late: a broken channel held it up");
        scene.until_events("weekly", &["Announced", "NoticeFailed", "Opened"]).await;
        let closed = scene
            .until_window("weekly", "what all were told of the close", |status| {
                told(status, "Closed") == 3
            })
            .await
            .status
            .unwrap();
        assert_eq!(closed.history[0].outcome, Outcome::Completed);
        let notified = closed.conditions.iter().find(|one| one.type_ == "Notified").unwrap();
        assert_eq!((notified.status.as_str(), notified.reason.as_str()), ("False", "ChannelFails"));
        assert!(
            notified.message.starts_with("channel broken was not told Closed of once-"),
            "{}",
            notified.message
        );
        assert!(notified.message.contains("127.0.0.1 answers 500"), "{}", notified.message);

        assert_eq!(hooks.stages("/own"), ["20m", "Opened", "Progress", "Progress", "Closed"]);
        assert_eq!(hooks.at("/own").len(), 5, "no notice came twice");
        let text = hooks.at("/own")[1].body["text"].as_str().unwrap().to_owned();
        assert!(text.contains("Orders are read-only."), "{text}");
        let chat: Vec<String> = hooks
            .at("/slack")
            .iter()
            .map(|arrived| arrived.body["text"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(chat.len(), 3, "{chat:#?}");
        let mut stages: Vec<Value> = scene
            .account
            .told("ops")
            .await
            .iter()
            .map(|message| message["MessageAttributes"]["groundcrew.stage"]["Value"].clone())
            .collect();
        stages.sort_by_key(ToString::to_string);
        assert_eq!(stages, ["20m", "Closed", "Opened"]);
    });
}

#[test]
fn an_operator_that_dies_while_people_are_told_tells_the_rest() {
    play_alone("notices-away", async |scene, operators| {
        let hooks = Hooks::start().await;
        let flags = ["--allow-http-host=127.0.0.1"];
        operators.push(Operator::start(scene.cluster, "notices-away-1", &flags).await);
        scene.until_leader("notices-away-1").await;
        let (mut window, _) = once(-5, "10h");
        window["notices"] = json!({"channels": [hooks.webhook("own")]});
        scene.window("weekly", window).await;
        hooks.until("/own", "Opened").await;
        // Perhaps before it was written down: then it comes again, with the same key.
        operators[0].kill().await;
        scene.free_lease().await;
        operators.push(Operator::start(scene.cluster, "notices-away-2", &flags).await);
        let open = scene
            .until_window("weekly", "a record of the opening", |status| told(status, "Opened") == 1)
            .await;
        let id = open.status.unwrap().current.unwrap().id;
        scene.answer_of_window("weekly", &format!("close@{id}")).await;
        hooks.until("/own", "Closed").await;
        assert_eq!(hooks.stages("/own"), ["Opened", "Closed"]);
    });
}

#[test]
fn people_hear_that_an_announced_window_is_deleted() {
    play("notices-deleted", async |scene| {
        let hooks = Hooks::start().await;
        let (mut window, _) = once(600, "2h");
        window["notices"] = json!({"before": ["7d"], "channels": [hooks.webhook("own")]});
        scene.window("weekly", window).await;
        scene.until_window_phase("weekly", Phase::Announced).await;
        scene.delete_window("weekly").await;
        assert_eq!(hooks.stages("/own"), ["7d", "Cancelled"]);
    });
}

#[test]
fn people_hear_of_a_rollout() {
    play("notices-rollout", async |scene| {
        scene.account.released(2).await;
        let hooks = Hooks::start().await;
        let mut rollout = spec("2", json!([{"approve": {"message": "look at p99"}}]));
        rollout["notifications"] =
            json!({"channels": [hooks.webhook("own"), hooks.webhook("broken")]});
        scene.release(rollout).await;
        hooks.until("/own", "AwaitingApproval").await;
        let waits = scene
            .until("a record", |_, status| {
                status.notices.iter().any(|notice| notice.stage == "AwaitingApproval")
                    && !status.notice_failures.is_empty()
            })
            .await;
        assert_eq!(condition(&waits, "Notified").unwrap().reason, "ChannelFails");
        let revision = waits.status.unwrap().revision.unwrap();
        scene.answer(&format!("promote@{revision}/0")).await;
        hooks.until("/own", "Promoted").await;
        let stages = hooks.stages("/own");
        assert_eq!(stages.first().map(String::as_str), Some("Started"));
        assert_eq!(&stages[stages.len() - 2..], ["AwaitingApproval", "Promoted"], "{stages:?}");
        scene
            .until("its end", |_, status| {
                status.phase == Some(groundcrew::api::canary_rollout::Phase::Healthy)
            })
            .await;
    });
}
