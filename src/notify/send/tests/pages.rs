//! Maintenances on a page of Statuspage that this process serves.

use std::sync::Mutex;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::{
    peers::{Bench, Recorded, at_page, http, message, notifier, serve},
    *,
};
use crate::api::channel::StatuspageChannel;

/// What the page holds, and what goes wrong next.
#[derive(Default)]
struct Held {
    incidents: Vec<Value>,
    writes: Vec<String>,
    /// Writes are carried out, and their answers lost.
    loses: bool,
    refuses: Option<(StatusCode, Value)>,
}

struct Statuspage {
    held: Arc<Mutex<Held>>,
    bench: Bench,
    channel: Channel,
}

fn answer(held: &mut Held, method: &Method, uri: &Uri, body: &[u8]) -> Response {
    if let Some((status, body)) = held.refuses.clone() {
        return (status, [("retry-after", "30")], body.to_string()).into_response();
    }
    let path = uri.path().strip_prefix("/v1/pages/p4ge/incidents").unwrap();
    let is = |incident: &Value, statuses: &[&str]| {
        statuses.iter().any(|status| incident["status"] == **status)
    };
    let list = |statuses: &[&str]| {
        let all = held.incidents.iter().filter(|incident| is(incident, statuses));
        Value::Array(all.cloned().collect())
    };
    let found = match (method, path) {
        (&Method::GET, "/scheduled") => list(&["scheduled"]),
        (&Method::GET, "/active_maintenance") => list(&["in_progress", "verifying"]),
        _ => return write(held, method, path, body),
    };
    found.to_string().into_response()
}

fn write(held: &mut Held, method: &Method, path: &str, body: &[u8]) -> Response {
    let sent: Value = serde_json::from_slice(body).unwrap();
    let change = sent["incident"].as_object().unwrap().clone();
    let id = path.strip_prefix('/').map(str::to_owned);
    let index = match (method, &id) {
        (&Method::POST, None) => {
            let id = format!("inc{}", held.incidents.len() + 1);
            held.incidents.push(json!({"id": id, "incident_updates": []}));
            held.incidents.len() - 1
        }
        (&Method::PATCH, Some(id)) => {
            held.incidents.iter().position(|incident| incident["id"] == **id).unwrap()
        }
        _ => panic!("{method} {path}"),
    };
    let incident = held.incidents[index].as_object_mut().unwrap();
    for (name, value) in &change {
        if name == "body" {
            let updates = incident["incident_updates"].as_array_mut().unwrap();
            updates.insert(0, json!({"body": value}));
        } else {
            incident.insert(name.clone(), value.clone());
        }
    }
    let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let components = change.get("components").map(|states| states["c1"].to_string());
    held.writes.push(format!(
        "{method} {} {} until {}{}",
        incident["id"].as_str().unwrap(),
        text("status"),
        text("scheduled_until"),
        components.map(|state| format!(", c1 {state}")).unwrap_or_default(),
    ));
    if held.loses {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    Value::Object(incident.clone()).to_string().into_response()
}

async fn page(
    State(held): State<Arc<Mutex<Held>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers["authorization"], format!("OAuth {TOKEN}"));
    assert!(!uri.to_string().contains(TOKEN));
    answer(&mut held.lock().unwrap(), &method, &uri, &body)
}

fn channel() -> Channel {
    let statuspage = StatuspageChannel {
        page_id: "p4ge".into(),
        component_ids: Some(vec!["c1".into()]),
        token_from: from("token"),
    };
    Channel { name: "page".into(), statuspage: Some(statuspage), ..Channel::default() }
}

impl Statuspage {
    async fn start() -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        let router = Router::new().fallback(page).with_state(Arc::clone(&held));
        let port = serve(router).await;
        let hosts = AllowedHosts::parse(["127.0.0.1"]).unwrap();
        let url = StatuspageUrl::parse(&format!("http://127.0.0.1:{port}/v1"), &hosts).unwrap();
        let notifier = at_page(http(), &[("token", TOKEN)], url);
        let bench = Bench { notifier, topics: Recorded::default() };
        Self { held, bench, channel: channel() }
    }

    async fn send(&self, message: &Message) -> Result<Sent, NotSent> {
        self.bench.send(&self.channel, message).await
    }

    /// Tells a channel that was told nothing before.
    async fn tell(&self, stage: &str) -> Sent {
        self.send(&message(stage.parse().unwrap())).await.unwrap()
    }

    /// Tells a channel that was told of it before.
    async fn tell_more(&self, stage: &str) -> Sent {
        let message = Message { is_first: false, ..message(stage.parse().unwrap()) };
        self.send(&message).await.unwrap()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }
}

#[tokio::test]
async fn one_maintenance_goes_from_scheduled_to_completed() {
    let page = Statuspage::start().await;
    for stage in ["24h", "Opened", "Extended", "Verifying", "Closed"] {
        assert_eq!(page.tell(stage).await.id, "inc1", "{stage}");
    }
    assert_eq!(
        page.held().writes,
        [
            "POST inc1 scheduled until 2026-12-06T03:00:00Z",
            "PATCH inc1 in_progress until 2026-12-06T03:00:00Z, c1 \"under_maintenance\"",
            "PATCH inc1 in_progress until 2026-12-06T04:00:00Z, c1 \"under_maintenance\"",
            "PATCH inc1 verifying until 2026-12-06T03:00:00Z, c1 \"under_maintenance\"",
            "PATCH inc1 completed until 2026-12-06T03:00:00Z, c1 \"operational\"",
        ]
    );
    let held = page.held();
    let incident = &held.incidents[0];
    assert_eq!(incident["name"], "Scheduled maintenance");
    assert_eq!(incident["component_ids"], json!(["c1"]));
    assert_eq!(incident["scheduled_auto_completed"], false);
    let text = incident.to_string();
    for inside in ["flightdata", "weekly", "prod-eu"] {
        assert!(!text.contains(inside), "{text}");
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_maintenance_and_no_second_update() {
    let page = Statuspage::start().await;
    for stage in ["24h", "Opened", "Closed"] {
        page.held().loses = true;
        let error = page.send(&message(stage.parse().unwrap())).await.unwrap_err();
        assert_eq!(error.message, "127.0.0.1 answers 502");
        page.held().loses = false;
        page.tell(stage).await;
    }
    let held = page.held();
    assert_eq!((held.incidents.len(), held.writes.len()), (1, 3), "{:?}", held.writes);
}

#[tokio::test]
async fn what_was_announced_is_moved_with_an_update_also_under_a_new_id() {
    let page = Statuspage::start().await;
    page.tell("24h").await;
    let mut moved = message(Stage::Changed);
    moved.replaces = Some(std::mem::replace(&mut moved.id, "weekly-2".to_owned()));
    page.send(&moved).await.unwrap();
    let mut opened = message(Stage::Opened);
    opened.id = "weekly-2".to_owned();
    page.send(&opened).await.unwrap();
    let held = page.held();
    assert_eq!(held.incidents.len(), 1);
    let updates = held.incidents[0]["incident_updates"].as_array().unwrap();
    assert!(updates[1]["body"].as_str().unwrap().starts_with("The times changed."), "{updates:?}");
    assert!(held.writes[1].starts_with("PATCH inc1 scheduled"), "{:?}", held.writes);
}

#[tokio::test]
async fn what_nobody_announced_is_neither_cancelled_nor_closed() {
    let page = Statuspage::start().await;
    for stage in ["Progress", "Verifying", "Closed", "Cancelled", "Blocked", "CheckFailed"] {
        page.tell(stage).await;
    }
    assert_eq!(page.held().writes, Vec::<String>::new());
    page.tell("24h").await;
    page.tell("Cancelled").await;
    // Its component never was under maintenance.
    let writes = page.held().writes.clone();
    assert_eq!(writes[1], "PATCH inc1 completed until 2026-12-06T03:00:00Z");
}

#[tokio::test]
async fn foreign_maintenances_are_left_alone() {
    let page = Statuspage::start().await;
    page.held().incidents = vec![
        json!({"id": "theirs", "status": "scheduled", "metadata": {"jira": {"issue": "X-1"}}}),
        json!({"id": "bare", "status": "in_progress", "metadata": null, "name": null}),
    ];
    assert_eq!(page.tell("24h").await.id, "inc3");
    assert_eq!(page.held().writes.len(), 1);
}

#[tokio::test]
async fn what_somebody_ended_or_deleted_by_hand_stays_so() {
    for deleted in [false, true] {
        let page = Statuspage::start().await;
        page.tell("24h").await;
        if deleted {
            page.held().incidents.clear();
        } else {
            page.held().incidents[0]["status"] = json!("completed");
        }
        for stage in ["1h", "Opened", "Changed", "Extended", "Closed"] {
            assert_eq!(page.tell_more(stage).await.id, "", "{stage}");
        }
        assert_eq!(page.held().writes.len(), 1);
        // What was given up and is announced anew is made anew.
        page.tell("1h").await;
        assert_eq!(page.held().writes.len(), 2);
    }
}

/// A page that holds nothing, and when it was asked.
#[derive(Default)]
struct Empty(Mutex<Vec<tokio::time::Instant>>);

#[async_trait]
impl Exchange for Empty {
    async fn exchange(&self, _: crate::checks::http::Outgoing<'_>) -> Result<Reply, Unanswered> {
        self.0.lock().unwrap().push(tokio::time::Instant::now());
        Ok(Reply { status: 200, retry_after: None, body: b"[]".to_vec() })
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_of_one_notice_are_a_second_apart() {
    let empty = Arc::new(Empty::default());
    let notifier = notifier(Arc::clone(&empty) as Arc<dyn Exchange>, &[("token", TOKEN)]);
    let notifier = Notifier { pace: Pace::default(), ..notifier };
    let bench = Bench { notifier, topics: Recorded::default() };
    bench.send(&channel(), &message(Stage::Opened)).await.unwrap();
    let asked = empty.0.lock().unwrap();
    // Two lists, and the maintenance is made.
    assert_eq!(asked.len(), 3);
    let apart = asked.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(apart.clone().all(|apart| apart >= Duration::from_secs(1)), "{asked:?}");
}

#[tokio::test]
async fn a_refusal_is_told_without_the_key() {
    let page = Statuspage::start().await;
    let opened = message(Stage::Opened);
    for (status, body, says) in [
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"error": ["Component c1\nis unknown"]}),
            "127.0.0.1 answers 422 (Component c1 is unknown)",
        ),
        (
            StatusCode::UNAUTHORIZED,
            json!({"error": format!("no such key: {TOKEN}")}),
            "127.0.0.1 answers 401: check the address and the token in the Secret",
        ),
    ] {
        page.held().refuses = Some((status, body));
        let error = page.send(&opened).await.unwrap_err();
        assert_eq!(error.message, says);
    }
    page.held().refuses = Some((StatusCode::OK, json!({"not": "a list"})));
    let error = page.send(&opened).await.unwrap_err();
    assert_eq!(error.message, "127.0.0.1 answers with something unreadable");
    page.held().refuses = Some((StatusCode::TOO_MANY_REQUESTS, json!({"error": "slow down"})));
    let error = page.send(&opened).await.unwrap_err();
    assert_eq!(error.message, "127.0.0.1 answers 429 (slow down): it asks to wait");
    assert_eq!(error.wait, Some(Duration::from_secs(30)));
    let mut endless = message(Stage::Started);
    endless.span = None;
    let error = page.send(&endless).await.unwrap_err();
    assert!(error.message.contains("take the channel out"), "{error}");
}
