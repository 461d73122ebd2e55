//! The AWS stand-in, and one account in it as its owner sees it.

// By their paths, for tests/sim shares this file.
#[path = "aws/alarms.rs"]
mod alarms;
#[path = "aws/codedeploy.rs"]
mod codedeploy;
#[path = "aws/databases.rs"]
mod databases;
#[path = "aws/faults.rs"]
mod faults;
#[path = "aws/functions.rs"]
mod functions;
#[path = "aws/tasks.rs"]
mod tasks;
#[path = "aws/topics.rs"]
mod topics;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_lambda::{
    config::{BehaviorVersion, Credentials, Region},
    primitives::Blob,
    types::{AliasRoutingConfiguration, FunctionCode, Runtime},
};
use futures::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{PATIENCE, Pace, REGION, logs, process::Server, root};

/// Calls of an account's owner at once.
const WRITES: usize = 20;

/// The function and alias of every scenario.
pub const FUNCTION: &str = "processor";
pub const ALIAS: &str = "live";

pub struct StandIn {
    pub endpoint: String,
    /// Of its clock, and of the operators that call it: they ask for minutes that it writes.
    pub pace: Pace,
    http: Client<HttpConnector, Full<axum::body::Bytes>>,
    /// It ends when its standard input closes. None where another process started it.
    _server: Option<Server>,
}

/// A call in the stand-in's log.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub n: u64,
    pub service: String,
    pub operation: String,
    /// `processor:live`.
    pub resource: String,
    /// In real seconds since 1970.
    pub wall: f64,
    pub access_key: String,
    /// How long it took the stand-in, in milliseconds.
    pub ms: f64,
    pub applied: bool,
}

impl Call {
    /// When it reached the stand-in, in real seconds since 1970.
    pub fn arrived(&self) -> f64 {
        self.wall - self.ms / 1e3
    }
}

impl StandIn {
    /// `name` names its logs.
    pub async fn start(name: &str, pace: Pace) -> Arc<Self> {
        let mut command = Command::new(root().join("hack/aws/serve"));
        command
            .args(["--until-stdin-closes", "--state-delays", "all=0"])
            .args(pace.flags())
            .arg("--log")
            .arg(logs().join(format!("{name}-calls.jsonl")));
        let mut server = Server::start(&mut command, &logs().join(format!("{name}.log")));
        let endpoint = server.told().await["endpoint"].as_str().unwrap().to_owned();
        Arc::new(Self { _server: Some(server), ..Self::at(endpoint, pace) })
    }

    /// The one that another process started.
    pub fn at(endpoint: String, pace: Pace) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { endpoint, pace, http, _server: None }
    }

    /// Sends a command to the control endpoint.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let uri = format!("{}/_control/{path}", self.endpoint);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = http::Request::builder().method(method).uri(&uri).body(body.into()).unwrap();
        let response = self.http.request(request).await.unwrap();
        let status = response.status();
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(status.is_success(), "{method} {uri}: {answer}");
        answer
    }

    /// Makes a bucket, or puts an object into one. The stand-in reads who asks and checks no signature.
    async fn put_object(&self, access_key: &str, bucket: &str, object: Option<(&str, Vec<u8>)>) {
        let (path, body) = object.map_or_else(
            || (bucket.to_owned(), Vec::new()),
            |(key, content)| (format!("{bucket}/{key}"), content),
        );
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20261206/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = http::Request::put(format!("{}/{path}", self.endpoint))
            .header("Authorization", authorization)
            .body(body.into());
        self.text(request.unwrap()).await;
    }

    /// Sends a request that succeeds; returns the answer.
    async fn text(&self, request: http::Request<Full<axum::body::Bytes>>) -> String {
        let uri = request.uri().clone();
        let response = self.http.request(request).await.unwrap();
        let status = response.status();
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(status.is_success(), "{uri}: {answer}");
        answer
    }

    /// An operator's calls for the namespaces whose names begin so. `query` narrows them.
    pub async fn calls(&self, namespaces: &str, query: &str) -> Vec<Call> {
        let path = format!("calls?caller=/groundcrew-{namespaces}&{query}");
        let found = self.control("GET", &path, None).await;
        serde_json::from_value(found["calls"].clone()).unwrap()
    }

    /// An account that nobody used before.
    pub async fn account(self: &Arc<Self>) -> Account {
        static NUMBERS: AtomicU64 = AtomicU64::new(200_000_000_001);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed).to_string();
        let sts = aws_sdk_sts::Client::from_conf(
            aws_sdk_sts::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .endpoint_url(&self.endpoint)
                .credentials_provider(Credentials::new("AKIAOWNER", "secret", None, None, "it"))
                .build(),
        );
        let assumed = sts.assume_role().role_session_name("owner").role_arn(role_arn(&number));
        let keys = assumed.send().await.unwrap().credentials.unwrap();
        let access_key = keys.access_key_id.clone();
        let keys = Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            None,
            "it",
        );
        let owner = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .build();
        Account {
            stand_in: Arc::clone(self),
            number,
            access_key,
            lambda: aws_sdk_lambda::Client::new(&owner),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&owner),
            auto_scaling: aws_sdk_applicationautoscaling::Client::new(&owner),
            codedeploy: aws_sdk_codedeploy::Client::new(&owner),
            dynamodb: aws_sdk_dynamodb::Client::new(&owner),
            rds: aws_sdk_rds::Client::new(&owner),
        }
    }
}

fn role_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/groundcrew")
}

/// One account, with the credentials of its owner.
#[derive(Clone)]
pub struct Account {
    stand_in: Arc<StandIn>,
    pub number: String,
    access_key: String,
    pub lambda: aws_sdk_lambda::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    auto_scaling: aws_sdk_applicationautoscaling::Client,
    codedeploy: aws_sdk_codedeploy::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    pub rds: aws_sdk_rds::Client,
}

/// An alias as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    pub version: String,
    pub weights: HashMap<String, f64>,
    pub description: String,
}

impl Account {
    /// The role that namespaces name.
    pub fn role(&self) -> String {
        role_arn(&self.number)
    }

    /// Makes the function with this many published versions.
    pub async fn function(&self, versions: usize) {
        self.lambda
            .create_function()
            .function_name(FUNCTION)
            .role(format!("arn:aws:iam::{}:role/function", self.number))
            .runtime(Runtime::Python313)
            .handler("app.run")
            .code(FunctionCode::builder().zip_file(zip("release 1")).build())
            .send()
            .await
            .unwrap();
        for number in 1..=versions {
            self.publish(number).await;
        }
    }

    /// Makes aliases of the function at version 1, as fast as the machine can.
    pub async fn aliases(&self, names: &[String]) {
        let limits = async |limits: &str| {
            let body = json!({"account": self.number, limits: true});
            self.stand_in.control("POST", "limits", Some(body)).await;
        };
        limits("off").await;
        let make = async |name: &String| {
            let create = self.lambda.create_alias().function_name(FUNCTION).name(name);
            create.function_version("1").send().await.unwrap();
        };
        stream::iter(names).for_each_concurrent(WRITES, make).await;
        limits("default").await;
    }

    /// From now on the function runs with another execution role.
    pub async fn change_role(&self, name: &str) {
        let role = format!("arn:aws:iam::{}:role/{name}", self.number);
        let update = self.lambda.update_function_configuration().function_name(FUNCTION);
        update.role(role).send().await.unwrap();
    }

    /// Publishes the next version, with this number.
    pub async fn publish(&self, number: usize) {
        let code = zip(&format!("release {number}"));
        let update = self.lambda.update_function_code().function_name(FUNCTION);
        update.zip_file(code).send().await.unwrap();
        let published = self.lambda.publish_version().function_name(FUNCTION).send().await;
        assert_eq!(published.unwrap().version, Some(number.to_string()));
    }

    /// The function with this many versions, and the alias at version 1.
    pub async fn released(&self, versions: usize) {
        self.function(versions).await;
        self.lambda
            .create_alias()
            .function_name(FUNCTION)
            .name(ALIAS)
            .function_version("1")
            .description("live traffic")
            .send()
            .await
            .unwrap();
    }

    /// The alias; none when there is none.
    pub async fn alias(&self) -> Option<Alias> {
        let found = self.lambda.get_alias().function_name(FUNCTION).name(ALIAS).send().await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                assert!(error.into_service_error().is_resource_not_found_exception());
                return None;
            }
        };
        let weights = found.routing_config.and_then(|routing| routing.additional_version_weights);
        Some(Alias {
            version: found.function_version.unwrap(),
            weights: weights.unwrap_or_default(),
            description: found.description.unwrap_or_default(),
        })
    }

    /// Moves the alias as somebody else would; the description stays.
    pub async fn move_alias(&self, version: &str, weights: &[(&str, f64)]) {
        let weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight));
        let routing = AliasRoutingConfiguration::builder()
            .set_additional_version_weights(Some(weights.collect()))
            .build();
        let update = self.lambda.update_alias().function_name(FUNCTION).name(ALIAS);
        update.function_version(version).routing_config(routing).send().await.unwrap();
    }

    /// How the alias was routed, oldest first: `1`, `1 + 2:0.1`.
    pub async fn routes(&self) -> Vec<String> {
        let path = format!("world?account={}&region={REGION}", self.number);
        let world = self.stand_in.control("GET", &path, None).await;
        let history = &world["functions"][FUNCTION]["aliases"][ALIAS]["history"];
        let route = |line: &Value| {
            let mut text = line["version"].as_str().unwrap().to_owned();
            for (version, weight) in line["additional"].as_object().unwrap() {
                text.push_str(&format!(" + {version}:{weight}"));
            }
            text
        };
        history.as_array().unwrap().iter().map(route).collect()
    }

    /// The operator's calls on this account, by its role session. `query` narrows them.
    pub async fn calls(&self, namespace: &str, query: &str) -> Vec<Call> {
        let path = format!("calls?account={}&caller=/groundcrew-{namespace}$&{query}", self.number);
        let found = self.stand_in.control("GET", &path, None).await;
        serde_json::from_value(found["calls"].clone()).unwrap()
    }

    /// Waits until the operator has made `count` calls that `query` matches.
    pub async fn until_called(&self, namespace: &str, query: &str, count: usize) -> Vec<Call> {
        let query = format!("{query}&count={count}&wait={}", PATIENCE.as_secs());
        let calls = self.calls(namespace, &query).await;
        assert!(calls.len() >= count, "{count} calls of {query}: {calls:?}");
        calls
    }

    /// From now on the alias is called so often a minute, and its versions answer as `versions` says;
    /// see the stand-in's page.
    pub async fn traffic(&self, per_minute: u32, versions: Value) {
        self.traffic_on(ALIAS, per_minute, versions).await;
    }

    /// The same for another alias of the function.
    pub async fn traffic_on(&self, alias: &str, per_minute: u32, versions: Value) {
        let body = json!({
            "account": self.number,
            "region": REGION,
            "function": FUNCTION,
            "alias": alias,
            "perMinute": per_minute,
            "versions": versions,
        });
        self.stand_in.control("POST", "traffic", Some(body)).await;
    }

    /// Makes an alarm that is OK.
    pub async fn alarm(&self, name: &str) {
        self.cloudwatch
            .put_metric_alarm()
            .alarm_name(name)
            .namespace("Shop")
            .metric_name("Complaints")
            .statistic(Statistic::Sum)
            .period(60)
            .evaluation_periods(1)
            .threshold(1.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .send()
            .await
            .unwrap();
        self.set_alarm(name, StateValue::Ok).await;
    }

    /// The alarm changes its state.
    pub async fn set_alarm(&self, name: &str, state: StateValue) {
        let set = self.cloudwatch.set_alarm_state().alarm_name(name).state_value(state);
        set.state_reason("it").send().await.unwrap();
    }

    /// Sets what AssumeRole demands of the operator.
    pub async fn deny_role(&self, deny: bool) {
        let body = json!({"arn": self.role(), "deny": deny, "expire": true});
        self.stand_in.control("POST", "roles", Some(body)).await;
    }
}

/// A zip file without entries; the comment makes its bytes differ.
pub fn zip(comment: &str) -> Blob {
    let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
    Blob::new([b"PK\x05\x06".as_slice(), &[0; 16], &length, comment.as_bytes()].concat())
}
