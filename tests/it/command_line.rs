//! What people type about windows, against a real API server and a running operator.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{binary, output, run, shared_cluster};

const NAMESPACE: &str = "typed";

/// Runs a subcommand as the chart's ServiceAccount.
async fn groundcrew(kubeconfig: &Path, args: &[&str]) -> String {
    let mut command = Command::new(binary());
    command.args(args).args(["--namespace", NAMESPACE]).env_clear().env("KUBECONFIG", kubeconfig);
    output(&mut command).await
}

#[test]
fn windows_are_shown_skipped_and_foretold() {
    run(async {
        let cluster = shared_cluster().await;
        cluster.kubectl(&["create", "namespace", NAMESPACE]).await;
        let file = std::env::temp_dir().join(format!("typed-{}.json", std::process::id()));
        let window = json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "MaintenanceWindow",
            "metadata": {"name": "weekly", "namespace": NAMESPACE},
            "spec": {"timeZone": "Europe/Berlin", "schedules": [
                {"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"}]},
        });
        std::fs::write(&file, window.to_string()).unwrap();
        cluster.kubectl(&["apply", "-f", file.to_str().unwrap()]).await;
        std::fs::remove_file(&file).unwrap();
        let ready =
            ["wait", "mw/weekly", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=90s"];
        cluster.kubectl(&ready).await;

        let kubeconfig = cluster.operator_kubeconfig().await;
        let table = groundcrew(&kubeconfig, &["status"]).await;
        let mut lines = table.lines();
        let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(header, ["NAME", "PHASE", "NEXT", "CLOSES", "MESSAGE"], "no rollouts: {table}");
        assert!(lines.next().unwrap().starts_with("weekly"), "{table}");

        let shown = groundcrew(&kubeconfig, &["status", "weekly", "-o", "json"]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["kind"], "MaintenanceWindow");
        // Not the next one: time runs fast, and it may open meanwhile.
        let later = shown["status"]["upcoming"][1]["id"].as_str().unwrap();

        let skipped = groundcrew(&kubeconfig, &["skip", "weekly", "--opening", later]).await;
        assert_eq!(skipped, format!("accepted: {later} will not open\n"));
        let details = groundcrew(&kubeconfig, &["status", "mw/weekly"]).await;
        assert!(details.contains(&format!("Skipped     {later}")), "{details}");

        let log = groundcrew(&kubeconfig, &["window", "log", "weekly"]).await;
        assert!(log.starts_with("# Maintenance log of "), "{log}");

        let forecast = groundcrew(&kubeconfig, &["forecast", "--for", "60d"]).await;
        let skips = forecast.lines().filter(|line| line.ends_with("skipped by a person")).count();
        assert_eq!(skips, 1, "{forecast}");
        assert!(forecast.lines().count() > 7, "{forecast}");
    });
}
