//! The pages that must say everything, compared with the code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory as _;
use groundcrew::{
    aws::operations::{Family, Operation},
    cli::Cli,
    metrics::Metrics,
    verbs::{Verb, windows},
};
use serde_json::Value;

const PERMISSIONS: &str = include_str!("../docs/aws-permissions.md");
const COMMAND_LINE: &str = include_str!("../docs/cli.md");
const OPERATIONS: &str = include_str!("../docs/operations.md");

/// A kind, and the page that explains it.
struct Kind {
    page: &'static str,
    crd: &'static str,
    /// Where the reasons of its conditions and Events are written, below `src`.
    sources: &'static [&'static str],
    /// Fields whose fields are explained elsewhere.
    said_elsewhere: &'static [&'static str],
    /// Some of what must be found, so that nobody looks in the wrong place.
    field: [&'static str; 2],
    word: &'static str,
    reason: &'static str,
}

const ROLLOUT: Kind = Kind {
    page: include_str!("../docs/canaryrollout.md"),
    crd: include_str!("../crds/canaryrollouts.yaml"),
    sources: &[
        "canary_rollout/decide",
        "canary_rollout/judge.rs",
        "canary_rollout/status.rs",
        "canary_rollout/status",
        "window_gate.rs",
        "aws/accounts.rs",
        "aws/error.rs",
        "notify/due/ledger.rs",
    ],
    // The frozen steps are those of the spec, and every check has the fields that are explained once;
    // channels have those of a window.
    said_elsewhere: &[
        "status.conditions[]",
        "status.steps[]",
        "spec.postChecks[]",
        "spec.notifications.channels[].",
    ],
    field: ["spec.steps[].approve.onTimeout", "status.step.holdUntil"],
    word: "WaitingApproval",
    reason: "AccountMismatch",
};

const WINDOW: Kind = Kind {
    page: include_str!("../docs/maintenancewindow.md"),
    crd: include_str!("../crds/maintenancewindows.yaml"),
    sources: &["maintenance_window/decide", "maintenance_window/status.rs", "notify/due/ledger.rs"],
    // Every secret is named in the same way.
    said_elsewhere: &[
        "status.conditions[]",
        "spec.preChecks[]",
        "spec.postChecks[]",
        "spec.tasks[].check.alarms.",
        "spec.tasks[].check.http.",
        "spec.tasks[].check.metric.",
        "spec.tasks[].check.lambda.",
        "spec.tasks[].check.dynamodb.",
        "spec.tasks[].check.rds.",
        "spec.notices.channels[].slack.urlFrom.",
        "spec.notices.channels[].statuspage.tokenFrom.",
        "spec.notices.channels[].webhook.urlFrom.",
        "spec.notices.channels[].webhook.hmacFrom.",
    ],
    field: ["spec.emergency.requestedBy", "status.current.closing.outcome"],
    word: "Truncate",
    reason: "Closing",
};

const KINDS: [Kind; 2] = [ROLLOUT, WINDOW];

/// The JSON documents of a page, in order.
fn json_blocks(page: &str) -> Vec<Value> {
    let blocks = page.split("```json\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

fn actions(policy: &Value) -> BTreeSet<&str> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap()).collect()
}

#[test]
fn every_rate_limit_is_in_the_operations_page() {
    let named = |family| match family {
        Family::LambdaControl => {
            "Lambda: aliases, versions, updates, and all that is not below, together"
        }
        Family::LambdaGetFunction => "Lambda: GetFunction",
        Family::LambdaInvoke => "Lambda: Invoke",
        Family::CloudWatchActions => {
            "CloudWatch: DisableAlarmActions and EnableAlarmActions, together"
        }
        Family::CloudWatchMuteRules => "CloudWatch: mute rules, together",
        Family::CloudWatchMetrics => "CloudWatch: GetMetricData",
        Family::CloudWatchAlarms => "CloudWatch: DescribeAlarms",
        Family::CloudWatchList => "CloudWatch: ListMetrics",
        Family::AutoScaling => "Application Auto Scaling: DescribeScalableTargets",
        Family::CodeDeploy => "CodeDeploy: all calls together",
        Family::DynamoDbControl => "DynamoDB: DescribeTable",
        Family::Ecs => "ECS: all calls together",
        Family::Rds => "RDS: all calls together",
        Family::Sns => "SNS: Publish",
        Family::Ssm => "Systems Manager: all calls together",
        Family::Sts => "STS: all calls together",
    };
    for operation in Operation::ALL {
        let family = operation.entry().family;
        let row = format!("\n| {} | {} | ", named(family), family.per_second());
        assert!(OPERATIONS.contains(&row), "docs/operations.md has no row {row:?}");
    }
}

#[test]
fn the_policies_hold_exactly_the_actions_that_are_used() {
    let (sts, others): (BTreeSet<&str>, BTreeSet<&str>) = Operation::ALL
        .iter()
        .flat_map(|operation| operation.entry().actions)
        .partition(|action| action.starts_with("sts:"));
    let blocks = json_blocks(PERMISSIONS);
    let [namespace, trust, own] = blocks.as_slice() else { panic!("three policies") };
    assert_eq!(actions(namespace), others);
    assert_eq!(actions(trust), sts);
    assert_eq!(actions(own), sts);
}

#[test]
fn every_operation_is_explained() {
    for operation in Operation::ALL {
        let entry = operation.entry();
        assert!(PERMISSIONS.contains(&format!("\n| {} | ", entry.name)), "{operation}");
    }
}

#[test]
fn every_flag_of_run_is_listed_with_its_variable() {
    let cli = Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    let flags = run.get_arguments().filter(|flag| !flag.is_hide_set());
    let listed = flags.map(|flag| {
        let name = flag.get_long().unwrap();
        let variable = flag.get_env().unwrap().to_str().unwrap();
        assert!(OPERATIONS.contains(&format!("\n| `--{name}` | `{variable}` |")), "--{name}");
    });
    assert!(listed.count() > 5);
}

#[test]
fn every_metric_is_listed() {
    let rendered = Metrics::new().render();
    let names = rendered.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        }
    });
    let missing: Vec<_> =
        names.filter(|name| !OPERATIONS.contains(&format!("\n| `{name}` |"))).collect();
    assert!(rendered.contains("# TYPE groundcrew_leader"));
    assert_eq!(missing, Vec::<String>::new());
}

/// The paths of all fields below a schema: `steps[].weight`.
fn fields(schema: &Value, prefix: &str, found: &mut Vec<String>) {
    let items = schema.get("items");
    let prefix = if items.is_some() { format!("{prefix}[]") } else { prefix.to_owned() };
    let Some(properties) = items.unwrap_or(schema).get("properties") else { return };
    for (name, below) in properties.as_object().unwrap() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        fields(below, &path, found);
        found.push(path);
    }
}

/// The values of all enumerations below a schema.
fn choices(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(below) => {
            let values = below.get("enum").and_then(Value::as_array).into_iter().flatten();
            found.extend(values.map(|value| value.as_str().unwrap().to_owned()));
            below.values().for_each(|below| choices(below, found));
        }
        Value::Array(below) => below.iter().for_each(|below| choices(below, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Kind {
    /// The schema of spec or status.
    fn schema(&self, part: &str) -> Value {
        let crd: Value = serde_yaml::from_str(self.crd).unwrap();
        let path = format!("/spec/versions/0/schema/openAPIV3Schema/properties/{part}");
        crd.pointer(&path).unwrap().clone()
    }

    /// The values of all enumerations of spec and status.
    fn words(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        choices(&self.schema("spec"), &mut found);
        choices(&self.schema("status"), &mut found);
        found
    }

    /// Every reason of a condition or an Event that it may have.
    fn reasons(&self) -> BTreeSet<String> {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let sources = self.sources.iter().flat_map(|file| sources(&src.join(file)));
        sources.flat_map(|source| camel_case_literals(&source)).collect()
    }

    #[track_caller]
    fn assert_named(&self, names: impl IntoIterator<Item = String>) {
        let missing: Vec<_> =
            names.into_iter().filter(|name| !self.page.contains(&format!("`{name}`"))).collect();
        assert_eq!(missing, Vec::<String>::new());
    }
}

#[test]
fn every_kind_has_a_page() {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let files: BTreeSet<String> = fs::read_dir(crds)
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(files, KINDS.map(|kind| kind.crd.to_owned()).into());
}

#[test]
fn every_field_of_a_kind_is_explained() {
    for kind in KINDS {
        for (part, known) in ["spec", "status"].into_iter().zip(kind.field) {
            let mut found = Vec::new();
            fields(&kind.schema(part), "", &mut found);
            assert!(found.iter().any(|path| format!("{part}.{path}") == known), "{found:?}");
            found.retain(|path| {
                let path = format!("{part}.{path}");
                !kind.said_elsewhere.iter().any(|above| path.starts_with(above))
            });
            kind.assert_named(found);
        }
    }
}

#[test]
fn every_word_that_a_kind_knows_is_explained() {
    for kind in KINDS {
        let found = kind.words();
        assert!(found.contains(kind.word));
        kind.assert_named(found);
    }
}

/// The words in CamelCase that are string literals of a source.
fn camel_case_literals(source: &str) -> BTreeSet<String> {
    let is_word = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().any(|c| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric())
    };
    source.split('"').filter(is_word).map(str::to_owned).collect()
}

/// The sources below a folder of `src`, without tests.
fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let product = entries.filter(|path| !path.to_str().unwrap().contains("tests"));
    product.flat_map(|path| sources(&path)).collect()
}

#[test]
fn every_reason_is_explained() {
    for kind in KINDS {
        let reasons = kind.reasons();
        assert!(reasons.contains(kind.reason), "{reasons:?}");
        kind.assert_named(reasons);
    }
}

#[test]
fn no_reason_is_explained_that_does_not_exist() {
    for kind in KINDS {
        let mut known = kind.reasons();
        known.extend(kind.words());
        let table = kind.page.split("\n## Reasons\n").nth(1).unwrap();
        let table = table.split("\n## ").next().unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")).collect::<Vec<_>>();
        assert!(rows.len() > 5);
        for row in rows {
            let cell = row.split(" | ").next().unwrap();
            for reason in cell.split(", ").map(|word| word.trim_matches('`')) {
                assert!(known.contains(reason), "{reason}");
            }
        }
    }
}

#[test]
fn every_verb_is_explained_with_its_target() {
    for verb in Verb::ALL {
        let target = if verb.names_step() { "`<revision>/<index>`" } else { "`<revision>`" };
        let row = format!("\n| `{verb}` | {target} | ");
        assert!(ROLLOUT.page.contains(&row), "{verb}");
    }
    for verb in windows::Verb::FORMS {
        assert!(WINDOW.page.contains(&format!("\n| `{verb}` | `<id>` | ")), "{verb}");
    }
}

#[test]
fn every_subcommand_has_a_section() {
    let cli = Cli::command();
    let headings: Vec<&str> =
        COMMAND_LINE.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let words: BTreeSet<&str> = headings.iter().flat_map(|text| text.split(", ")).collect();
    for subcommand in cli.get_subcommands().filter(|one| one.get_name() != "help") {
        let outer = subcommand.get_name();
        let mut names: Vec<String> = subcommand
            .get_subcommands()
            .map(|inner| format!("{outer} {}", inner.get_name()))
            .collect();
        if names.is_empty() {
            names.push(outer.to_owned());
        }
        for name in names {
            assert!(words.contains(name.as_str()), "{name}");
        }
    }
}

/// The anchor that a heading gets on a forge: lower case, spaces as hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

/// Where the links of a page go, without those to other sites.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "hack/aws/README.md"];
    let pages: Vec<_> = docs.chain(others.map(|name| root.join(name))).collect();
    let mut followed = 0;
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            let headings = || fs::read_to_string(&target).unwrap();
            let found = heading.is_empty()
                || headings()
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#')) == heading);
            assert!(found, "{}: {link}", page.display());
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}
