//! The command line beside an API server that restarts.

use std::process::Stdio;

use groundcrew::api::canary_rollout::Phase;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::harness::{Operator, PATIENCE, Scene, binary, play_alone, spec};

const ALONE: [&str; 1] = ["--no-leader-election"];

/// A subcommand that runs until something is the case. Its user may do what the chart's ServiceAccount
/// may: an API server that starts refuses that at first.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    async fn start(scene: &Scene<'_>, args: &[&str]) -> Self {
        let mut child = Command::new(binary())
            .args(args)
            .args(["--namespace", &scene.namespace])
            .env_clear()
            .env("KUBECONFIG", scene.cluster.operator_kubeconfig().await)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it prints a line that is as wanted.
    async fn until_line(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let seen = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if wanted(&line) {
                    return true;
                }
            }
            false
        };
        assert!(timeout(PATIENCE, seen).await.expect(what), "it ended before {what}");
    }

    async fn exit_code(&mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap().code()
    }
}

fn phase(line: &str, phase: &str) -> bool {
    serde_json::from_str::<Value>(line).unwrap()["status"]["phase"] == phase
}

#[test]
fn wait_and_status_go_on_watching_when_the_api_server_restarts() {
    play_alone("cli", async |scene, operators| {
        scene.account.released(2).await;
        operators.push(Operator::start(scene.cluster, "cli", &ALONE).await);
        let steps = json!([{"weight": 10, "hold": "5m"}, {"approve": {}}]);
        scene.release(spec("2", steps)).await;
        let (_, revision) = scene.until_weight(10).await;
        let mut wait = Following::start(scene, &["wait", "processor", "--timeout", "10m"]).await;
        let args = ["status", "processor", "--watch", "--output", "json"];
        let mut status = Following::start(scene, &args).await;
        wait.until_line("a first line of wait", |_| true).await;
        status.until_line("a first line of status", |_| true).await;

        scene.cluster.restart_api_server().await;
        scene.until_phase(Phase::WaitingApproval).await;
        status.until_line("the approval", |line| phase(line, "WaitingApproval")).await;
        scene.verb(&format!("promote@{revision}/1"), "it").await;
        status.until_line("the end", |line| phase(line, "Healthy")).await;
        assert_eq!(wait.exit_code().await, Some(0));
        assert_eq!(status.child.try_wait().unwrap(), None, "status goes on until it is stopped");
    });
}
