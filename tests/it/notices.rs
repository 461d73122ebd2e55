//! What notices need: Secrets under the rights of the chart, and topics that reach somebody.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use groundcrew::{
    api::channel::{Channel, SecretKeyRef, SnsChannel},
    aws::{
        accounts::{Accounts, DefaultCredentials, ExternalIdTemplate, NamespaceFacts, Settings},
        gate::Gate,
        limits::Limits,
        sdk::{ProxySource, SdkConnector, TrustSource},
        session::Guards,
    },
    checks::http::{client::HttpClient, hosts::AllowedHosts},
    context::{Clock, Namespaces},
    kubernetes::{
        client::Kubernetes,
        leader::Leadership,
        secrets::{NoSecret, Secret, Secrets},
    },
    metrics::Metrics,
    notify::{
        due::Due,
        message::{About, Message},
        send::{Deliver, Notifier, Regions, StatuspageUrl},
        stage::{Span, Stage},
    },
};
use jiff::tz::TimeZone;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{process::Command, time::timeout};

use crate::harness::{PATIENCE, Pace, StandIn, output, root, run, shared_cluster, tool};

const NAMESPACE: &str = "notices";
/// What tells the process that publishes where the stand-in is.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The test that publishes.
const PLAYER: &str = "notices::publishes_to_the_stand_in_that_it_is_given";

#[test]
fn the_operator_reads_the_secrets_that_the_chart_grants_and_no_others() {
    run(async {
        let cluster = shared_cluster().await;
        cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
        for name in ["slack", "other"] {
            let secret = ["create", "secret", "generic", name, "-n", NAMESPACE];
            let value = "--from-literal=url=https://hooks.example.com/x\n";
            cluster.kubectl(&[&secret[..], &[value]].concat()).await;
        }
        let mut helm = Command::new(tool("helm"));
        helm.current_dir(root()).args(["template", "groundcrew", "charts/groundcrew"]);
        helm.args(["--namespace", "groundcrew-system", "--set", "clusterName=it"]);
        helm.args([
            "--set",
            "notices.secrets.notices={slack,page}",
            "-s",
            "templates/secrets.yaml",
        ]);
        let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notices-secrets.yaml");
        std::fs::write(&rendered, output(&mut helm).await).unwrap();
        cluster.kubectl(&["apply", "-f", rendered.to_str().unwrap()]).await;

        let kubeconfig = Kubeconfig::read_from(cluster.operator_kubeconfig().await).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let kubernetes = Kubernetes::new(client, "it".into());
        let read = async |name: &str, key: &str| {
            let from = SecretKeyRef { name: name.into(), key: key.into() };
            kubernetes.read(NAMESPACE, &from).await
        };
        let granted = async {
            // A permission counts a moment after it is stored, and no event tells when.
            loop {
                match read("slack", "url").await {
                    Err(NoSecret::Forbidden(_)) => {}
                    answer => return answer,
                }
            }
        };
        let secret = timeout(PATIENCE, granted).await.expect("the permission counts in time");
        assert_eq!(secret.unwrap().expose(), "https://hooks.example.com/x");
        assert!(matches!(read("slack", "token").await, Err(NoSecret::NoKey { .. })));
        assert!(matches!(read("page", "url").await, Err(NoSecret::NotFound(_))));
        assert!(matches!(read("other", "url").await, Err(NoSecret::Forbidden(_))));
        let elsewhere = SecretKeyRef { name: "slack".into(), key: "url".into() };
        let elsewhere = kubernetes.read("default", &elsewhere).await;
        assert!(matches!(elsewhere, Err(NoSecret::Forbidden(_))));
    });
}

/// The SDK takes endpoint and credentials from the environment of its process, so what is published
/// is published in a process of its own.
#[test]
fn a_notice_reaches_a_queue_by_its_topic() {
    run(async {
        let stand_in = StandIn::start("aws-notices", Pace::Real).await;
        let account = stand_in.account().await;
        let topics = [account.topic("ops").await, account.topic("ops.fifo").await];
        let player = Command::new(std::env::current_exe().unwrap())
            .args([PLAYER, "--exact", "--ignored", "--nocapture"])
            .env_clear()
            .env(ENDPOINT, &stand_in.endpoint)
            .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("ROLE", account.role())
            .env("TOPICS", topics.join(" "))
            .kill_on_drop(true)
            .output();
        let player = timeout(Duration::from_secs(60), player).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&player.stdout);
        let failed = String::from_utf8_lossy(&player.stderr);
        assert!(player.status.success() && told.contains("1 passed"), "{told}{failed}");
        // Each was published twice; a FIFO topic takes that for one.
        for (name, count) in [("ops", 2), ("ops.fifo", 1)] {
            let arrived = account.told(name).await;
            assert_eq!(arrived.len(), count, "{name}: {arrived:?}");
            let subject = "[it] flightdata/weekly is open until Sun 2026-12-06 04:00 CET";
            assert_eq!(arrived[0]["Subject"], subject);
            let text = arrived[0]["Message"].as_str().unwrap();
            assert!(
                text.contains("\n\nPläne ändern sich.\n\nWhen:    Sun 2026-12-06 02:00"),
                "{text}"
            );
            assert_eq!(arrived[0]["MessageAttributes"]["groundcrew.stage"]["Value"], "Opened");
        }
    });
}

/// The namespace of the object, whose role is given.
struct Given;

impl Namespaces for Given {
    fn facts(&self, name: &str) -> NamespaceFacts {
        let role_arn = std::env::var("ROLE").ok();
        NamespaceFacts { name: name.into(), region: Some("us-east-1".into()), role_arn }
    }
}

#[async_trait]
impl Secrets for Given {
    async fn read(&self, _: &str, from: &SecretKeyRef) -> Result<Secret, NoSecret> {
        panic!("a topic needs no Secret {}", from.name)
    }
}

#[test]
#[ignore = "a_notice_reaches_a_queue_by_its_topic runs it with a stand-in"]
fn publishes_to_the_stand_in_that_it_is_given() {
    let given = |name| std::env::var(name).expect("run a_notice_reaches_a_queue_by_its_topic");
    run(async {
        let connector = SdkConnector::new(&TrustSource::System, &ProxySource::default()).unwrap();
        let guards = Guards {
            limits: Arc::new(Limits::default()),
            gate: Gate::new(Leadership::always()),
            clock: Clock::System,
            metrics: Metrics::new(),
        };
        let nobody: DefaultCredentials = "".parse().unwrap();
        let template = ExternalIdTemplate::default();
        let settings = Settings::new("it".into(), None, nobody, template).unwrap();
        let accounts = Accounts::new(Arc::new(connector), guards);
        let topics = Regions { accounts: &accounts, settings: &settings, namespaces: &Given };
        let http = Arc::new(HttpClient::new(AllowedHosts::default()).unwrap());
        let page = StatuspageUrl::default();
        let notifier = Notifier::new(http, Arc::new(Given), page, Clock::System);
        for topic in given("TOPICS").split(' ') {
            let sns = SnsChannel { topic_arn: topic.into() };
            let channel = Channel { name: "ops".into(), sns: Some(sns), ..Channel::default() };
            for _ in 0..2 {
                let sent = notifier.deliver(&topics, "flightdata", &channel, &opened()).await;
                assert!(!sent.unwrap().id.is_empty());
            }
        }
    });
}

fn opened() -> Message {
    let about = About {
        cluster: "it".into(),
        kind: "MaintenanceWindow",
        namespace: "flightdata".into(),
        name: "weekly".into(),
    };
    let [opens, closes] = ["2026-12-06T01:00:00Z", "2026-12-06T03:00:00Z"];
    let span = Span { opens: opens.parse().unwrap(), closes: closes.parse().unwrap() };
    let due = Due {
        occurrence: "weekly-1".into(),
        channel: "ops".into(),
        stage: Stage::Opened,
        at: span.opens,
        span: Some(span),
        was: None,
        collapsed: vec![],
        is_first: true,
    };
    let mut message = Message::new(about, &due, TimeZone::get("Europe/Berlin").unwrap());
    message.text = "Pläne ändern sich.".into();
    message
}
