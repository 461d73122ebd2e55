//! Notices to real servers of this process.

mod pages;
mod peers;

use std::time::Duration;

use serde_json::Value;

use self::peers::{Peer, Recorded, Silent, bench, message, notifier};
use super::*;
use crate::{
    api::channel::{SecretKeyRef, SlackChannel, SnsChannel, WebhookChannel},
    aws::{Class, gate::Gate},
    checks::http::client::{
        HttpClient,
        tests::{certificates, names, server},
    },
    facts::sns::Fifo,
    kubernetes::leader::Leadership,
    metrics::Metrics,
    notify::{
        due::Due,
        post::{Letter, Post, Sender},
        stage::Stage,
    },
};

/// What no error, log or `Debug` may show.
const TOKEN: &str = "tok3n-of-nobody";

fn from(name: &str) -> SecretValue {
    SecretValue { secret_key_ref: SecretKeyRef { name: name.into(), key: "value".into() } }
}

fn slack() -> Channel {
    let slack = SlackChannel { url_from: from("address") };
    Channel { name: "ops".into(), slack: Some(slack), ..Channel::default() }
}

fn webhook(hmac: bool) -> Channel {
    let webhook = WebhookChannel {
        url: None,
        url_from: Some(from("address")),
        hmac_from: hmac.then(|| from("key")),
    };
    Channel { name: "ops".into(), webhook: Some(webhook), ..Channel::default() }
}

fn sns(topic: &str) -> Channel {
    let sns = SnsChannel { topic_arn: topic.into() };
    Channel { name: "ops".into(), sns: Some(sns), ..Channel::default() }
}

#[tokio::test]
async fn slack_gets_its_text_and_quotes_no_more_than_its_reason() {
    let peer = Peer::start().await;
    let bench = bench(&[("address", &peer.url(TOKEN))]);
    peer.answers(200, &[], "ok");
    bench.send(&slack(), &message(Stage::Opened)).await.unwrap();
    let request = peer.requests().remove(0);
    assert_eq!(request.line, format!("POST /hook/{TOKEN}"));
    assert_eq!(request.header("content-type"), "application/json");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("*flightdata/weekly is open until "), "{text}");
    for (status, answer, says) in [
        (404, "no_service", "127.0.0.1 answers 404 (no_service): what the channel names is gone"),
        (
            403,
            "<b>tok3n</b>",
            "127.0.0.1 answers 403: check the address and the token in the Secret",
        ),
        (500, "rollup_error", "127.0.0.1 answers 500 (rollup_error)"),
        (302, "", "127.0.0.1 answers 302: redirects are not followed; give the final address"),
        (400, "invalid_payload", "127.0.0.1 answers 400 (invalid_payload)"),
    ] {
        peer.answers(status, &[("location", "/secret")], answer);
        let error = bench.send(&slack(), &message(Stage::Opened)).await.unwrap_err();
        assert_eq!(error.to_string(), says);
    }
}

#[tokio::test]
async fn a_peer_that_asks_to_wait_is_not_asked_meanwhile() {
    let peer = Peer::start().await;
    let bench = bench(&[("address", &peer.url(TOKEN))]);
    peer.answers(429, &[("retry-after", "30")], "");
    let error = bench.send(&slack(), &message(Stage::Opened)).await.unwrap_err();
    assert_eq!(error.wait, Some(Duration::from_secs(30)));
    let error = bench.send(&slack(), &message(Stage::Opened)).await.unwrap_err();
    assert!(error.wait.unwrap() > Duration::from_secs(20), "{error:?}");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_webhook_gets_the_document_signed_and_with_its_key() {
    let peer = Peer::start().await;
    let bench = bench(&[("address", &peer.url(TOKEN)), ("key", "topsecret")]);
    let (opened, channel) = (message(Stage::Opened), webhook(true));
    peer.answers(202, &[], "SECRET words");
    let sent = bench.send(&channel, &opened).await.unwrap();
    peer.answers(202, &[], "");
    bench.send(&channel, &opened).await.unwrap();
    let requests = peer.requests();
    let key = opened.key("ops");
    assert_eq!(sent, Sent { id: key.clone() });
    for request in &requests {
        assert_eq!(request.header("idempotency-key"), key);
        assert_eq!(request.header("x-groundcrew-timestamp"), "1796518800");
        let signed = [b"1796518800.", request.body.as_slice()].concat();
        let hmac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"topsecret");
        let signature = request.header("x-groundcrew-signature");
        let hex = signature.strip_prefix("sha256=").unwrap();
        let tag: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        aws_lc_rs::hmac::verify(&hmac, &signed, &tag).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&body["stage"], &body["key"]), (&"Opened".into(), &key.as_str().into()));
    }
    assert_eq!(requests[0].body, requests[1].body);
    peer.answers(400, &[], "SECRET words");
    let error = bench.send(&webhook(false), &opened).await.unwrap_err();
    assert_eq!(error.message, "127.0.0.1 answers 400");
    let unsigned = &peer.requests()[2];
    assert!(!unsigned.headers.contains_key("x-groundcrew-signature"));
}

#[tokio::test]
async fn a_webhook_in_the_manifest_goes_to_public_hosts_by_https_only() {
    let bench = bench(&[]);
    for (url, says) in [
        ("http://93.184.215.14/hook", "93.184.215.14 is not asked: only https"),
        ("https://10.0.0.1/hook", "10.0.0.1 is not asked: its address 10.0.0.1 is private"),
        ("https://169.254.169.254/x", "169.254.169.254 is not asked: its address"),
        ("ftp://example.com", "webhook.url must be an address"),
    ] {
        let to = WebhookChannel { url: Some(url.into()), ..WebhookChannel::default() };
        let channel = Channel { webhook: Some(to), ..Channel::default() };
        let error = bench.send(&channel, &message(Stage::Opened)).await.unwrap_err();
        assert!(error.message.starts_with(says), "{}", error.message);
    }
}

#[tokio::test]
async fn no_secret_is_in_an_error() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for address in [
        format!("http://127.0.0.1:{port}/{TOKEN}"),
        format!("http://{TOKEN}@127.0.0.1/"),
        format!("ftp://127.0.0.1/{TOKEN}"),
        TOKEN.to_owned(),
    ] {
        let bench = bench(&[("address", &address)]);
        for channel in [slack(), webhook(false)] {
            let error = bench.send(&channel, &message(Stage::Opened)).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(TOKEN), "{shown}");
        }
    }
    let error = bench(&[]).send(&slack(), &message(Stage::Opened)).await.unwrap_err();
    assert_eq!(error.message, "Secret flightdata/address does not exist: create it");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_is_given_up() {
    let notifier = notifier(Arc::new(Silent), &[("address", "https://hooks.test/x")]);
    let (topics, opened) = (Recorded::default(), message(Stage::Opened));
    let error = notifier.deliver(&topics, "flightdata", &slack(), &opened).await.unwrap_err();
    assert_eq!(error, NotSent::new("no answer within 20 s; it may have arrived"));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_holds_up_nobody() {
    let begun = tokio::time::Instant::now();
    let notifier = notifier(Arc::new(Silent), &[("address", "https://hooks.test/x")]);
    let topics = Recorded::default();
    let opened = message(Stage::Opened);
    let letters = [slack(), sns(TOPIC), webhook(false)].map(|channel| Letter {
        due: due(&opened),
        channel,
        message: opened.clone(),
    });
    let clock = Clock::simulated(opened.at);
    let post =
        Post::new(Arc::new(notifier), Gate::new(Leadership::always()), clock, Metrics::new());
    assert!(post.send(&topics, &sender(), &letters).await);
    // In the order in which it was known.
    let posted = post.unrecorded(&sender());
    let went: Vec<bool> = posted.iter().map(|posted| posted.result.is_ok()).collect();
    assert_eq!(went, [true, false, false]);
    post.recorded(&sender());
    assert_eq!(post.unrecorded(&sender()), []);
    assert_eq!(begun.elapsed(), SEND_TIMEOUT);
}

fn due(message: &Message) -> Due {
    Due {
        occurrence: message.id.clone(),
        channel: "ops".into(),
        stage: message.stage,
        at: message.at,
        span: message.span,
        was: None,
        collapsed: vec![],
        is_first: message.is_first,
    }
}

fn sender() -> Sender {
    Sender { kind: "MaintenanceWindow", namespace: "flightdata".into(), name: "weekly".into() }
}

#[tokio::test]
async fn only_so_many_passes_send_at_once_and_the_others_are_told_so() {
    let letters: Vec<Letter> = [message(Stage::Opened)]
        .map(|message| Letter { due: due(&message), channel: slack(), message })
        .into();
    let notifier = notifier(Arc::new(Silent), &[("address", "https://hooks.test/x")]);
    let post = Post::new(
        Arc::new(notifier),
        Gate::new(Leadership::always()),
        Clock::System,
        Metrics::new(),
    );
    let (topics, sender) = (Recorded::default(), sender());
    let mut sends: Vec<_> =
        (0..17).map(|_| Box::pin(post.send(&topics, &sender, &letters))).collect();
    for send in sends.iter_mut().take(16) {
        assert!(futures::poll!(send).is_pending());
    }
    assert!(!sends.pop().unwrap().await);
    // One that is dropped gives its place back.
    drop(sends);
    assert!(futures::poll!(Box::pin(post.send(&topics, &sender, &letters))).is_pending());
}

#[tokio::test]
async fn only_who_leads_sends() {
    let opened = message(Stage::Opened);
    let letters = [Letter { due: due(&opened), channel: sns(TOPIC), message: opened.clone() }];
    let notifier = Arc::new(notifier(Arc::new(Silent), &[]));
    let topics = Recorded::default();
    let sent = async |leadership| {
        let deliver = Arc::clone(&notifier) as Arc<dyn Deliver>;
        let post = Post::new(deliver, Gate::new(leadership), Clock::System, Metrics::new());
        (post.send(&topics, &sender(), &letters).await, post.unrecorded(&sender()).len())
    };
    assert_eq!(sent(Leadership::none()).await, (false, 0));
    assert_eq!(sent(Leadership::always()).await, (true, 1));
}

#[tokio::test]
async fn certificates_are_checked() {
    let names = names(&[("hooks.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    let (root, tls) = certificates("authority", &["hooks.test"], false);
    let server = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Some(tls)).await;
    let hosts = AllowedHosts::parse(["*.test"]).unwrap();
    let http = Arc::new(HttpClient::with(hosts, names, vec![root]).unwrap());
    let send = async |host: &str| {
        let address = format!("https://{host}:{}/hook", server.port);
        let notifier = notifier(Arc::clone(&http) as Arc<dyn Exchange>, &[("address", &address)]);
        let topics = Recorded::default();
        notifier.deliver(&topics, "flightdata", &slack(), &message(Stage::Opened)).await
    };
    assert_eq!(send("hooks.test").await, Ok(Sent { id: String::new() }));
    let says = "other.test does not answer: its certificate is for another name";
    assert_eq!(send("other.test").await.unwrap_err().message, says);
    assert_eq!(server.requests().len(), 1);
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:210987654321:ops";

#[tokio::test]
async fn a_topic_is_published_to_in_its_own_region() {
    let bench = bench(&[]);
    let opened = message(Stage::Opened);
    let sent = bench.send(&sns(TOPIC), &opened).await.unwrap();
    assert_eq!(sent.id, "message-1");
    bench.send(&sns(&format!("{TOPIC}.fifo")), &opened).await.unwrap();
    let published = bench.topics.published();
    let [(region, standard), (_, fifo)] = published.as_slice() else { panic!("{published:?}") };
    assert_eq!(region, "eu-west-1");
    assert_eq!(standard.topic, TOPIC);
    assert!(standard.subject.starts_with("[prod-eu] flightdata/weekly is open until "));
    assert!(standard.message.contains("Muted:   42 alarms"), "{}", standard.message);
    let stage = ("groundcrew.stage".to_owned(), "Opened".to_owned());
    assert!(standard.attributes.contains(&stage), "{:?}", standard.attributes);
    assert_eq!(standard.fifo, None);
    let group = "MaintenanceWindow/flightdata/weekly".to_owned();
    assert_eq!(fifo.fifo, Some(Fifo { group, deduplication: opened.key("ops") }));
}

#[tokio::test]
async fn what_aws_says_is_told() {
    for class in [Class::NotFound, Class::Denied, Class::Throttled, Class::Unknown] {
        let bench = bench(&[]);
        bench.topics.fails(class);
        let error = bench.send(&sns(TOPIC), &message(Stage::Opened)).await.unwrap_err();
        let says = format!("sns:Publish of topic {TOPIC} failed");
        assert!(error.message.starts_with(&says), "{}", error.message);
    }
    for topic in ["", "arn:aws:sqs:eu-west-1:210987654321:ops", "arn:aws:sns:eu-west-1::ops"] {
        let error = bench(&[]).send(&sns(topic), &message(Stage::Opened)).await.unwrap_err();
        assert!(error.message.starts_with("topicArn must be"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_channel_that_is_none_or_two_is_refused() {
    let both = Channel { slack: slack().slack, ..sns(TOPIC) };
    for channel in [Channel::default(), both] {
        let error = bench(&[]).send(&channel, &message(Stage::Opened)).await.unwrap_err();
        assert!(error.message.starts_with("a channel has exactly one of"), "{error}");
    }
}

#[test]
fn statuspage_is_asked_by_https_unless_its_host_is_allowed() {
    let hosts = AllowedHosts::parse(["127.0.0.1"]).unwrap();
    let parse = |text| StatuspageUrl::parse(text, &hosts).map(|url| url.to_string());
    assert_eq!(parse("https://status.example.com/v1/").unwrap(), "https://status.example.com/v1");
    assert_eq!(parse("http://127.0.0.1:80/v1").unwrap(), "http://127.0.0.1:80/v1");
    for text in ["http://status.example.com/v1", "https://a.example.com/?x", "v1", ""] {
        assert_eq!(parse(text), Err(InvalidStatuspageUrl), "{text}");
    }
    assert_eq!(StatuspageUrl::default().to_string().parse(), Ok(StatuspageUrl::default()));
}
