//! What tasks say that contradicts itself, and what is right.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{always, checks, full, refused, with};

/// Tasks that together have every field.
pub(super) fn all() -> Value {
    let targets = json!([{"key": "tag:role", "values": ["gpu"]}]);
    let command = json!({
        "document": "AWS-RunPatchBaseline", "parameters": {"Operation": ["Install"]},
        "targets": targets, "maxConcurrency": "10%", "maxErrors": "0",
    });
    let automation = json!({
        "document": "arn:aws:ssm:eu-central-1:123456789012:document/Rotate",
        "parameters": {"Name": ["x"]}, "targets": targets, "targetParameter": "InstanceId",
        "maxConcurrency": "1", "maxErrors": "5%",
    });
    let mut all = json!([
        {"name": "reboot", "timeout": "20m", "onFailure": "Stop", "schedules": ["weekly", "monthly"],
         "rds": {"instance": "prod-db", "action": "RebootIfPending"}},
        {"name": "vacuum", "timeout": "45m", "job": {"fromCronJob": "vacuum"}},
        {"name": "maintain", "timeout": "1h",
         "rds": {"instance": "prod-db", "action": "ApplyPendingMaintenance"}},
        {"name": "redeploy", "timeout": "20m", "onFailure": "Continue",
         "ecs": {"cluster": "prod", "service": "backend", "action": "ForceNewDeployment"}},
        {"name": "patch", "timeout": "2h", "ssm": {"command": command}},
        {"name": "rotate", "timeout": "1m", "ssm": {"automation": automation}},
    ]);
    all.as_array_mut().unwrap().extend(waiting());
    all
}

/// A task for each check that a task may wait for.
fn waiting() -> impl Iterator<Item = Value> {
    let Value::Array(checks) = checks() else { panic!("a list") };
    checks.into_iter().filter(|check| check.get("job").is_none()).map(waited_for)
}

fn waited_for(mut check: Value) -> Value {
    let name = check["name"].take();
    for field in ["name", "retries"] {
        check.as_object_mut().unwrap().remove(field);
    }
    json!({"name": name, "timeout": "10m", "check": check})
}

/// As many tasks as there may be, each for all of these schedules.
pub(super) fn most(schedules: &Value) -> Value {
    let named = schedules.as_array().unwrap().iter();
    let names: Vec<Value> = named.map(|schedule| schedule["name"].clone()).collect();
    // The check that the API server has to look at longest.
    let dimensions: BTreeMap<String, &str> = (0..30).map(|one| (format!("d{one}"), "a")).collect();
    let query = |number: usize| {
        json!({
            "id": format!("q{number}"), "namespace": "Shop", "metricName": "Errors",
            "dimensions": dimensions, "statistic": "Sum",
        })
    };
    let queries: Vec<Value> = (0..10).map(query).collect();
    let metric = json!({"expression": "q0", "queries": queries, "period": "5m", "max": "5%"});
    let task = |number: usize| {
        json!({
            "name": format!("t{number}"), "timeout": "24h", "schedules": names,
            "check": {"metric": metric},
        })
    };
    (0..16).map(task).collect()
}

#[test]
fn tasks_that_contradict_themselves_are_refused_with_the_fix() {
    let which = "a task has exactly one of job, check, rds, ecs and ssm";
    let condition = "the check of a task has exactly one of alarms, http, metric, lambda, dynamodb and rds; a Job is a task of its own";
    let http = json!({"url": "https://api.example.com/health"});
    let job = json!({"fromCronJob": "vacuum"});
    let document = "ssm has exactly one of command and automation";
    let rds = json!({"instance": "prod-db", "action": "RebootIfPending"});
    let ecs = json!({"cluster": "prod", "service": "web", "action": "ForceNewDeployment"});
    let run = json!({"document": "AWS-UpdateLinuxAmi"});
    let targets = json!([{"key": "tag:role", "values": ["gpu"]}]);
    let aimed = json!({"document": "AWS-RunPatchBaseline", "targets": targets});
    let task = |task: Value| {
        let mut whole = json!({"name": "a", "timeout": "20m"});
        for (name, field) in task.as_object().unwrap() {
            whole[name] = field.clone();
        }
        with(full, "tasks", json!([whole]))
    };
    let more = |base: &Value, name: &str, value: Value| {
        let mut base = base.clone();
        base[name] = value;
        base
    };
    let reboot = json!({"name": "a", "timeout": "20m", "rds": rds});
    refused([
        (task(json!({})), which),
        (task(json!({"rds": rds, "ecs": ecs})), which),
        (task(json!({"job": job, "check": {"http": http}})), which),
        (task(json!({"job": job, "rds": rds})), which),
        (task(json!({"check": {}})), condition),
        (task(json!({"check": {"http": http, "rds": {"instance": "a"}}})), condition),
        (task(json!({"check": {"job": job}})), "unknown field"),
        (task(json!({"check": {"name": "a", "http": http}})), "unknown field"),
        (
            task(json!({"check": {"http": http, "timeout": "6m"}})),
            "timeout of one look must be 1s to 5m",
        ),
        (task(json!({"check": {"http": {"url": "http://"}}})), "check.http.url"),
        (task(json!({"check": {"rds": {}}})), "give exactly one of instance and cluster"),
        (task(json!({"job": {"fromCronJob": "A"}})), "fromCronJob"),
        (task(json!({"job": {}})), "fromCronJob"),
        (task(json!({"ssm": {}})), document),
        (task(json!({"ssm": {"command": aimed, "automation": run}})), document),
        (task(json!({"rds": rds, "timeout": "59s"})), "timeout must be 1m to 24h"),
        (task(json!({"rds": rds, "timeout": "25h"})), "timeout must be 1m to 24h"),
        (
            task(json!({"rds": rds, "schedules": ["other"]})),
            "tasks[].schedules names schedules of this window",
        ),
        (
            task(json!({"ssm": {"automation": aimed}})),
            "targets and targetParameter belong together",
        ),
        (
            task(json!({"ssm": {"automation": more(&run, "maxErrors", json!("1"))}})),
            "maxConcurrency and maxErrors need targets",
        ),
        (
            task(json!({"ssm": {"command": more(&aimed, "maxConcurrency", json!("0"))}})),
            "maxConcurrency",
        ),
        (task(json!({"ssm": {"command": run}})), "targets"),
        (task(json!({"rds": {"instance": "prod-db", "action": "Delete"}})), "Unsupported value"),
        (with(full, "tasks", json!([reboot, reboot])), "Duplicate value"),
        (
            with(always, "tasks", json!([reboot])),
            "a window that is always open has no openings to do tasks in: leave tasks out",
        ),
    ]);
}
