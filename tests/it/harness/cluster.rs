//! A control plane with the chart installed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use groundcrew::kubernetes::client::Clients;
use k8s_openapi::{
    api::authorization::v1::SubjectAccessReview,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{conditions::is_crd_established, wait::Condition as _},
};
use serde_json::json;
use tokio::{process::Command, sync::Mutex, time::timeout};

use super::{
    CLUSTER_NAME, PATIENCE, StandIn, logs,
    process::{self, Server},
    root,
    scene::until,
};

/// Namespace of the release, and its name.
pub const SYSTEM: &str = "groundcrew-system";
const RELEASE: &str = "groundcrew";

pub struct Cluster {
    /// The launcher makes it, and empties it at its end.
    folder: PathBuf,
    server: Mutex<Server>,
    pid: u32,
    restarted: AtomicBool,
    /// An administrator's client.
    pub client: Client,
    /// The same for writes that must not wait for the server's acknowledgement, as the operator's do not.
    pub prompt: Client,
    /// The AWS of its operators.
    pub stand_in: Arc<StandIn>,
}

impl Cluster {
    /// Starts a control plane and installs the chart.
    pub async fn start(name: &str, stand_in: Arc<StandIn>) -> Self {
        let binary = tool("control-plane");
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let mut command = Command::new(binary);
        command.args(["--node", "--until-stdin-closes", "--dir"]).arg(&folder);
        let mut server = Server::start(&mut command, &logs().join(format!("{name}-plane.log")));
        server.told().await;
        let pid = server.pid();
        let kubeconfig = Kubeconfig::read_from(folder.join("admin.kubeconfig")).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let prompt = Clients::new(&config).unwrap().calls;
        let client = Client::try_from(config).unwrap();
        let (server, restarted) = (Mutex::new(server), false.into());
        let cluster = Self { folder, server, pid, restarted, client, prompt, stand_in };
        cluster.upgrade().await;
        cluster.until_served().await;
        cluster
    }

    /// Waits until the API server serves what the chart installed.
    async fn until_served(&self) {
        let crds: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for name in ["canaryrollouts.groundcrew.dev", "maintenancewindows.groundcrew.dev"] {
            until(&crds, name, "the CRD", |crd| is_crd_established().matches_object(crd)).await;
        }
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        for attributes in [
            json!({"verb": "watch", "group": "groundcrew.dev", "resource": "canaryrollouts"}),
            json!({"verb": "watch", "group": "groundcrew.dev", "resource": "maintenancewindows"}),
            json!({"verb": "update", "group": "coordination.k8s.io", "resource": "leases",
                "name": "groundcrew", "namespace": SYSTEM}),
        ] {
            let review = serde_json::from_value(json!({"spec": {
                "user": format!("system:serviceaccount:{SYSTEM}:{RELEASE}"),
                "resourceAttributes": attributes,
            }}));
            let review: SubjectAccessReview = review.unwrap();
            let granted = async {
                // A permission counts a moment after it is stored, and no event tells when.
                let params = PostParams::default();
                let asked = || reviews.create(&params, &review);
                while !asked().await.unwrap().status.is_some_and(|status| status.allowed) {}
            };
            timeout(PATIENCE, granted).await.expect("the chart's permissions count in time");
        }
    }

    /// Installs the chart, or upgrades it.
    pub async fn upgrade(&self) {
        let mut helm = self.tool("helm");
        helm.args(["upgrade", "--install", RELEASE, "charts/groundcrew", "--namespace", SYSTEM])
            .args(["--create-namespace", "--set"])
            .arg(format!("clusterName={CLUSTER_NAME}"));
        process::output(&mut helm).await;
    }

    /// Runs kubectl as an administrator; returns what it prints.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        process::output(self.tool("kubectl").args(args)).await
    }

    /// kubectl or helm as an administrator, in the root of the repository.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(tool(name));
        command.current_dir(root()).env("KUBECONFIG", self.folder.join("admin.kubeconfig"));
        command
    }

    /// A kubeconfig that holds nothing but a token of the chart's ServiceAccount.
    pub async fn operator_kubeconfig(&self) -> PathBuf {
        let token = self.kubectl(&["create", "token", RELEASE, "-n", SYSTEM]).await;
        let admin = self.kubectl(&["config", "view", "--raw", "-o", "json"]).await;
        let admin: serde_json::Value = serde_json::from_str(&admin).unwrap();
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": admin["clusters"],
            "users": [{"name": "operator", "user": {"token": token.trim()}}],
            "contexts": [{"name": "it", "context": {
                "cluster": admin["clusters"][0]["name"], "user": "operator",
            }}],
            "current-context": "it",
        });
        let path = self.folder.join("pki/operator.kubeconfig");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Stops the API server and starts it again; its port and data stay.
    pub async fn restart_api_server(&self) {
        process::signal(self.pid, "HUP").await;
        let told = self.server.lock().await.told().await;
        assert_eq!(told["restarted"], "kube-apiserver", "{told}");
        self.restarted.store(true, Ordering::Relaxed);
    }

    /// Whether the API server was restarted since this was asked last.
    pub fn was_restarted(&self) -> bool {
        self.restarted.swap(false, Ordering::Relaxed)
    }
}

/// A binary of the control plane.
pub fn tool(name: &str) -> PathBuf {
    let path = root().join("bin/k8s").join(name);
    assert!(path.exists(), "{} is missing: run `make control-plane` first", path.display());
    path
}
