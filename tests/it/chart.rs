//! The chart: what it installs, what it grants, and that it says the same as the code.

use std::{collections::BTreeMap, path::Path};

use clap::Parser as _;
use groundcrew::cli::Cli;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::Api;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{output, root, run, shared_cluster, tool, until};

const OPERATOR: &str = "--as=system:serviceaccount:groundcrew-system:groundcrew";

fn documents(yaml: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(yaml);
    let documents = documents.map(|one| serde::Deserialize::deserialize(one).unwrap());
    documents.filter(|document| *document != Value::Null).collect()
}

fn of_kind(documents: &[Value], kind: &str) -> Vec<Value> {
    documents.iter().filter(|document| document["kind"] == kind).cloned().collect()
}

async fn template(args: &[&str]) -> Vec<Value> {
    let mut helm = Command::new(tool("helm"));
    helm.current_dir(root()).args(["template", "groundcrew", "charts/groundcrew"]);
    helm.args(["--namespace", "groundcrew-system", "--set", "clusterName=dev"]).args(args);
    documents(&output(&mut helm).await)
}

/// Helm writes 1.0 as 1.
fn as_floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(as_floats),
        Value::Object(members) => members.values_mut().for_each(as_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|file| {
        let name = file.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(file.path()).unwrap())
    });
    named.collect()
}

#[test]
fn the_crds_of_the_code_the_repository_and_the_chart_are_the_same() {
    run(async {
        let mut groundcrew = Command::new(env!("CARGO_BIN_EXE_groundcrew"));
        let printed = output(groundcrew.arg("crds")).await;
        let committed = files(&root().join("crds"));
        let joined = committed.values().cloned().collect::<Vec<_>>().join("---\n");
        assert_eq!(joined, printed, "write crds/ anew from `groundcrew crds`");
        let packed = files(&root().join("charts/groundcrew/files/crds"));
        assert_eq!(packed, committed, "copy crds/ to charts/groundcrew/files/crds/");

        let rendered = template(&[]).await;
        let mut rendered = of_kind(&rendered, "CustomResourceDefinition");
        for crd in &mut rendered {
            let annotations = crd["metadata"].as_object_mut().unwrap().remove("annotations");
            assert_eq!(annotations, Some(json!({"helm.sh/resource-policy": "keep"})));
        }
        let mut expected = documents(&printed);
        rendered.iter_mut().chain(&mut expected).for_each(as_floats);
        assert_eq!(rendered, expected);
        let without = template(&["--set", "crds.install=false"]).await;
        assert!(of_kind(&without, "CustomResourceDefinition").is_empty());
    });
}

#[test]
fn the_chart_does_not_render_without_a_cluster_name() {
    run(async {
        let mut helm = Command::new(tool("helm"));
        helm.current_dir(root()).args(["template", "charts/groundcrew"]);
        let refused = helm.output().await.unwrap();
        assert!(!refused.status.success());
        let message = String::from_utf8_lossy(&refused.stderr);
        assert!(message.contains("clusterName is missing: set it to the name"), "{message}");
    });
}

#[test]
fn the_operator_understands_every_argument_of_the_chart() {
    run(async {
        let all = template(&[
            "--set=awsRegion=eu-central-1,defaultCredentials={a,b},watchNamespaces={a,b}",
            "--set=logFormat=text,log=debug,allowHttpHosts={*.internal,10.0.0.5:8080},allowSsmDocuments={AWS-RunPatchBaseline,Team-*}",
        ]);
        for documents in [template(&[]).await, all.await] {
            let [deployment] = &of_kind(&documents, "Deployment")[..] else { panic!("one") };
            let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].clone();
            let args: Vec<String> = serde_json::from_value(args).unwrap();
            let parsed = Cli::try_parse_from([vec!["groundcrew".to_owned()], args].concat());
            assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
        }
    });
}

#[test]
fn the_pod_runs_without_any_privilege() {
    run(async {
        let documents = template(&[]).await;
        let [deployment] = &of_kind(&documents, "Deployment")[..] else { panic!("one") };
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let container = &pod["containers"][0]["securityContext"];
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(*container, expected);
        assert_eq!(of_kind(&documents, "PodDisruptionBudget").len(), 1);
        let single = template(&["--set", "replicas=1"]).await;
        assert_eq!(of_kind(&single, "PodDisruptionBudget").len(), 0);
    });
}

#[test]
fn the_operator_may_do_what_it_needs_and_nothing_else() {
    run(async {
        let expected = [
            ("canaryrollouts.groundcrew.dev", "get list patch watch"),
            ("canaryrollouts.groundcrew.dev/status", "patch"),
            ("customresourcedefinitions.apiextensions.k8s.io", "get"),
            ("events.events.k8s.io", "create"),
            ("leases.coordination.k8s.io", "create get update"),
            ("maintenancewindows.groundcrew.dev", "get list patch watch"),
            ("maintenancewindows.groundcrew.dev/status", "patch"),
            ("namespaces", "list watch"),
        ]
        .map(|(resource, verbs)| (resource.to_owned(), verbs.to_owned()));
        let documents = template(&[]).await;
        let mut granted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let roles = ["Role", "ClusterRole"].map(|kind| of_kind(&documents, kind)).concat();
        for role in roles.iter().filter(|role| role["metadata"]["name"] == "groundcrew") {
            for rule in role["rules"].as_array().unwrap() {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                for resource in rule["resources"].as_array().unwrap() {
                    let group = text(&rule["apiGroups"][0]);
                    let (name, sub) = resource.as_str().unwrap().split_once('/').map_or_else(
                        || (text(resource), String::new()),
                        |(name, sub)| (name.to_owned(), format!("/{sub}")),
                    );
                    let dot = if group.is_empty() { "" } else { "." };
                    let verbs = rule["verbs"].as_array().unwrap().iter().map(text);
                    granted.entry(format!("{name}{dot}{group}{sub}")).or_default().extend(verbs);
                }
            }
        }
        let joined = granted.into_iter().map(|(resource, mut verbs)| {
            verbs.sort();
            (resource, verbs.join(" "))
        });
        assert_eq!(joined.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn the_operator_may_read_the_secrets_that_values_name_and_no_others() {
    run(async {
        let args = ["--set", "notices.secrets.chart-notices={slack,page}"];
        let rendered = template(&args).await;
        let ours = |document: &&Value| document["metadata"]["name"] == "groundcrew-secrets";
        let granted: Vec<Value> = rendered.iter().filter(ours).cloned().collect();
        let [role, binding] = granted.as_slice() else { panic!("{granted:?}") };
        let rule = json!({"apiGroups": [""], "resources": ["secrets"],
            "resourceNames": ["slack", "page"], "verbs": ["get"]});
        assert_eq!(role["rules"], json!([rule]));
        assert_eq!(binding["subjects"][0]["name"], "groundcrew");
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        let by_default = template(&[]).await;
        assert_eq!(by_default.iter().filter(ours).count(), 0);
    });
}

#[test]
fn the_operator_may_run_jobs_in_the_namespaces_that_values_name_and_nowhere_else() {
    run(async {
        let rendered = template(&["--set", "jobs.namespaces={chart-jobs}"]).await;
        let ours = |document: &&Value| document["metadata"]["name"] == "groundcrew-jobs";
        let granted: Vec<Value> = rendered.iter().filter(ours).cloned().collect();
        let [role, binding] = granted.as_slice() else { panic!("{granted:?}") };
        assert_eq!(role["kind"], "Role");
        assert_eq!(role["metadata"]["namespace"], "chart-jobs");
        let rules = json!([
            {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get"]},
            {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete", "get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        ]);
        assert_eq!(role["rules"], rules);
        assert_eq!(binding["subjects"][0]["name"], "groundcrew");
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        let by_default = template(&[]).await;
        assert_eq!(by_default.iter().filter(ours).count(), 0);
    });
}

#[test]
fn the_api_server_grants_what_the_chart_says() {
    run(async {
        let cluster = shared_cluster().await;
        for (allowed, question) in [
            (true, "get canaryrollouts.groundcrew.dev -A"),
            (true, "list canaryrollouts.groundcrew.dev -A"),
            (true, "watch canaryrollouts.groundcrew.dev -A"),
            (true, "patch canaryrollouts.groundcrew.dev -A"),
            (true, "patch canaryrollouts.groundcrew.dev --subresource=status -A"),
            (true, "watch maintenancewindows.groundcrew.dev -A"),
            (true, "patch maintenancewindows.groundcrew.dev --subresource=status -A"),
            (false, "create maintenancewindows.groundcrew.dev -A"),
            (true, "list namespaces"),
            (true, "watch namespaces"),
            (true, "create events.events.k8s.io -A"),
            (
                true,
                "get customresourcedefinitions.apiextensions.k8s.io/canaryrollouts.groundcrew.dev",
            ),
            (true, "get leases.coordination.k8s.io/groundcrew -n groundcrew-system"),
            (true, "update leases.coordination.k8s.io/groundcrew -n groundcrew-system"),
            (true, "create leases.coordination.k8s.io -n groundcrew-system"),
            (false, "update leases.coordination.k8s.io/other -n groundcrew-system"),
            (false, "update leases.coordination.k8s.io/groundcrew -n default"),
            (false, "create canaryrollouts.groundcrew.dev -A"),
            (false, "delete canaryrollouts.groundcrew.dev -A"),
            (false, "get customresourcedefinitions.apiextensions.k8s.io"),
            (false, "patch namespaces"),
            (false, "get secrets -A"),
            (false, "get secrets -n groundcrew-system"),
            (false, "create pods -A"),
            (false, "create jobs.batch -A"),
            (false, "get cronjobs.batch -A"),
            (false, "get pods --subresource=log -A"),
        ] {
            let mut kubectl = cluster.tool("kubectl");
            kubectl.args(["auth", "can-i", OPERATOR]).args(question.split(' '));
            let answer = kubectl.output().await.unwrap();
            let yes = String::from_utf8_lossy(&answer.stdout).trim() == "yes";
            assert_eq!(yes, allowed, "{question}: {}", String::from_utf8_lossy(&answer.stderr));
        }
    });
}

#[test]
fn who_may_view_or_edit_a_namespace_may_do_so_with_its_rollouts() {
    run(async {
        let cluster = shared_cluster().await;
        let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
        for (role, verbs) in
            [("view", ["get", "list", "watch"]), ("edit", ["create", "patch", "delete"])]
        {
            // A controller fills these roles; it tells by changing them.
            let covers = |role: Option<&ClusterRole>| {
                let rules = role.and_then(|role| role.rules.clone()).unwrap_or_default();
                let ours = |rule: &PolicyRule| {
                    rule.resources.iter().flatten().any(|name| name == "canaryrollouts")
                };
                let granted: Vec<String> =
                    rules.into_iter().filter(ours).flat_map(|rule| rule.verbs).collect();
                verbs.iter().all(|verb| granted.iter().any(|granted| granted == verb))
            };
            until(&roles, role, "rules for canaryrollouts", covers).await;
        }
        let view = roles.get("view").await.unwrap().rules.unwrap_or_default();
        let ours = view.iter().filter(|rule| {
            rule.resources.iter().flatten().any(|name| name.starts_with("canaryrollouts"))
        });
        let reads = ["get", "list", "watch"];
        assert!(ours.flat_map(|rule| &rule.verbs).all(|verb| reads.contains(&verb.as_str())));
    });
}

#[test]
fn the_examples_are_accepted() {
    run(async {
        let cluster = shared_cluster().await;
        // The namespace of the examples; the role that makes them work is the reader's.
        cluster.kubectl(&["create", "namespace", "flightdata"]).await;
        let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "examples"];
        let applied = cluster.kubectl(&apply).await;
        let count = files(&root().join("examples")).len();
        assert_eq!(applied.lines().count(), count, "{applied}");
    });
}
