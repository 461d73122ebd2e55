//! What notices need: Secrets under the rights of the chart, and topics that reach somebody.

use std::{path::Path, sync::Arc, time::Duration};

use groundcrew::{
    api::channel::SecretKeyRef,
    aws::{
        accounts::{Connector as _, Role, Target},
        port::Sns,
        sdk::{ProxySource, SdkConnector, TrustSource},
    },
    facts::sns::{Fifo, Notification},
    kubernetes::{
        client::Kubernetes,
        secrets::{NoSecret, Secrets as _},
    },
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{process::Command, time::timeout};

use crate::harness::{PATIENCE, Pace, REGION, StandIn, output, root, run, shared_cluster, tool};

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
            assert_eq!(arrived[0]["Subject"], "[it] flightdata/weekly is open");
            assert_eq!(arrived[0]["Message"], "Two lines,\nand an ä.");
            assert_eq!(arrived[0]["MessageAttributes"]["groundcrew.stage"]["Value"], "Opened");
        }
    });
}

#[test]
#[ignore = "a_notice_reaches_a_queue_by_its_topic runs it with a stand-in"]
fn publishes_to_the_stand_in_that_it_is_given() {
    let given = |name| std::env::var(name).expect("run a_notice_reaches_a_queue_by_its_topic");
    let role = Role {
        arn: given("ROLE"),
        external_id: "it/notices".into(),
        session_name: "groundcrew-notices".into(),
        tags: vec![],
    };
    run(async {
        let connector = SdkConnector::new(&TrustSource::System, &ProxySource::default()).unwrap();
        let target = Target { region: REGION.into(), role: Some(role) };
        let sns: Arc<dyn Sns> = connector.connect(&target).await.unwrap().sns;
        for topic in given("TOPICS").split(' ') {
            let fifo = topic.ends_with(".fifo");
            let notification = Notification {
                topic: topic.to_owned(),
                subject: "[it] flightdata/weekly is open".into(),
                message: "Two lines,\nand an ä.".into(),
                attributes: vec![("groundcrew.stage".into(), "Opened".into())],
                fifo: fifo.then(|| Fifo { group: "weekly".into(), deduplication: "d1".into() }),
            };
            for _ in 0..2 {
                assert!(!sns.publish(&notification).await.unwrap().is_empty());
            }
        }
    });
}
