//! Manifests that the API server must refuse, with a sentence that helps, and those it must take.

mod gate;
mod generated;
mod notices;
mod window;
mod written;

use std::collections::BTreeMap;

use http::{Request, header::CONTENT_TYPE};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::harness::shared_cluster;

/// A spec with steps that has every field that goes with them.
fn full() -> Value {
    json!({
        "aws": {"region": "eu-central-1", "accountId": "123456789012"},
        "function": {"name": "processor", "alias": "live"},
        "release": {"version": "2", "codeSha256": format!("{}=", "A".repeat(43))},
        "steps": [
            {"weight": 10, "hold": "5m", "minInvocations": 100, "maxWait": "2h"},
            {"approve": {"message": "look", "timeout": "24h", "onTimeout": "Abort"}},
            {"smoke": {"payload": "{}", "expectStatus": 200, "maxDuration": "2s"}},
        ],
        "bake": "30m",
        "analysis": analysis(),
        "checks": checks(),
        "postChecks": checks(),
        "onFailure": "Rollback",
        "rollbackWindow": {"revisions": 3},
        "history": {"keepVersions": 10},
        "onConflict": "Hold",
        "notifications": {"channels": notices::channels(false)},
        "windows": {"names": ["weekly"], "schedules": ["monthly"]},
        "windowGate": {
            "at": ["Start", "Advance", "Promote"], "onClose": "Hold", "requireFit": true,
        },
        "mode": "Enforce",
        "suspend": false,
    })
}

/// An analysis that has every field; some do not go together in one metric.
fn analysis() -> Value {
    let own = json!({
        "namespace": "AWS/ApiGateway",
        "metricName": "Latency",
        "dimensions": {"ApiName": "orders"},
        "statistic": "p99.9",
        "unit": "Milliseconds",
    });
    json!({
        "interval": "1m",
        "window": "5m",
        "settle": "2m",
        "metrics": [
            {
                "name": "errors", "builtin": "ErrorRate", "max": "5%", "min": "0%",
                "vsStable": {"maxIncreasePoints": "0.5%", "confidence": "95%"},
                "failureLimit": 1, "onNoData": "Wait", "window": "10m",
            },
            {"name": "p95", "builtin": "DurationP95", "vsStable": {"maxRatio": "1.3"}},
            {"name": "latency", "metric": own, "max": "800ms"},
        ],
        "alarms": {
            "names": ["processor-errors"],
            "namePrefixes": ["processor-"],
            "alreadyFiring": "Block",
            "onInsufficientData": "Pass",
        },
    })
}

/// Checks that have every field together.
fn checks() -> Value {
    let query = json!({
        "id": "e", "namespace": "AWS/Lambda", "metricName": "Errors",
        "dimensions": {"FunctionName": "api"}, "statistic": "Sum",
    });
    json!([
        {
            "name": "alarms", "timeout": "30s", "retries": 2, "region": "eu-west-1",
            "alarms": {
                "names": ["a"], "namePrefixes": ["b-"], "excludePrefixes": ["b-c"],
                "maxInAlarm": 1,
            },
        },
        {"name": "all", "alarms": {"all": true}},
        {
            "name": "http",
            "http": {
                "url": "https://api.example.com/health?a=b", "expectStatus": 204,
                "bodyContains": "ok",
            },
        },
        {
            "name": "metric",
            "metric": {
                "namespace": "AWS/Lambda", "metricName": "Duration",
                "dimensions": {"FunctionName": "api"}, "statistic": "p99.9", "period": "10m",
                "periods": 3, "max": "800ms", "min": "1ms", "unit": "Milliseconds",
                "onNoData": "Pass",
            },
        },
        {
            "name": "rate",
            "metric": {"expression": "100*e", "queries": [query], "period": "5m", "max": "5%"},
        },
        {
            "name": "function",
            "lambda": {
                "function": "api:live",
                "invoke": {"payload": "{}", "expectStatus": 200, "maxDuration": "2s"},
            },
        },
        {"name": "table", "dynamodb": {"table": "topology"}},
        {"name": "instance", "rds": {"instance": "prod-db"}},
        {"name": "cluster", "rds": {"cluster": "ledger"}},
        {"name": "job", "timeout": "6h", "job": {"fromCronJob": "smoke-tests"}},
    ])
}

/// A spec with what does not go with steps.
fn preset() -> Value {
    let mut spec = full();
    spec.as_object_mut().unwrap().remove("steps");
    spec["preset"] = json!("Canary10Percent5Minutes");
    spec["windows"] = json!({"selector": {"matchLabels": {"env": "prod"}}});
    spec
}

/// A spec with another release, which is published first.
fn published(release: Value) -> Value {
    let mut spec = full();
    spec["configuration"] = json!({"memorySize": 512, "timeout": "30s"});
    if release.get("image").is_none() {
        spec["configuration"]["runtime"] = json!("python3.13");
    }
    spec["release"] = release;
    spec
}

/// Specs of rollouts that together have every field.
fn rollouts() -> Vec<Value> {
    let image = format!("registry.example.com/shop/processor@sha256:{}", "0".repeat(64));
    let archive = json!({"bucket": "artifacts", "key": "processor.zip", "objectVersion": "v7"});
    vec![
        full(),
        preset(),
        published(json!({"latest": true})),
        published(json!({"image": {"uri": image}})),
        published(json!({"s3": archive})),
    ]
}

/// A kind whose manifests are judged.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    plural: &'static str,
    /// Specs that together have every field.
    all: fn() -> Vec<Value>,
}

const ROLLOUT: Kind = Kind { name: "CanaryRollout", plural: "canaryrollouts", all: rollouts };
const WINDOW: Kind =
    Kind { name: "MaintenanceWindow", plural: "maintenancewindows", all: window::all };
const KINDS: [Kind; 2] = [ROLLOUT, WINDOW];

impl Kind {
    fn resource(self) -> ApiResource {
        let kind = GroupVersionKind::gvk("groundcrew.dev", "v1alpha1", self.name);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    fn object(self, name: &str, spec: &Value) -> DynamicObject {
        DynamicObject::new(name, &self.resource()).data(json!({"spec": spec}))
    }

    async fn api(self) -> Api<DynamicObject> {
        let client = shared_cluster().await.client.clone();
        Api::namespaced_with(client, "default", &self.resource())
    }

    /// What the API server says to a manifest; nothing is stored.
    async fn judge(self, name: &str, spec: &Value) -> Result<(), String> {
        let address = format!("/apis/groundcrew.dev/v1alpha1/namespaces/default/{}", self.plural);
        // As strict as kubectl: fields that nobody knows are refused, not dropped.
        let request = Request::post(format!("{address}?dryRun=All&fieldValidation=Strict"))
            .header(CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(&self.object(name, spec)).unwrap())
            .unwrap();
        match shared_cluster().await.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) => Err(status.message.clone()),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Checks that each is refused as it should be; shows all that are not.
    async fn refuses(self, cases: Vec<Case>) {
        let mut wrong = BTreeMap::new();
        for case in cases {
            match self.judge("bad", &case.spec).await {
                Err(message) if message.contains(&case.told) => {}
                Err(message) => {
                    wrong.insert(case.what, format!("should say {:?}, says: {message}", case.told));
                }
                Ok(()) => {
                    wrong.insert(case.what, "was accepted".to_owned());
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// A spec that is wrong, and what the refusal must hold.
struct Case {
    what: String,
    spec: Value,
    told: String,
}

impl Case {
    fn of(spec: Value, told: &str) -> Self {
        Self { what: spec.to_string(), spec, told: told.to_owned() }
    }
}
