//! What AWS answers on the wire, through the real clients.

mod alarms;
mod answers;
mod auto_scaling;
mod cloudwatch;
mod codedeploy;
mod credentials;
mod databases;
mod errors;
mod proxy;
mod publishing;
mod tasks;
mod topics;
mod trust;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
            http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::{Headers, StatusCode},
};
use aws_smithy_types::body::SdkBody;

use super::config::{assume, loader, ports};
use crate::{
    aws::{
        Class, Error,
        accounts::{Ports, Role, Target},
        operations::Operation,
    },
    error::Remedy,
    facts::lambda::{AliasChange, FunctionState, VersionWeight},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/groundcrew";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// One answer on the wire.
#[derive(Clone, Debug)]
enum Wire {
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    Bytes(u16, Vec<(&'static str, &'static str)>, Vec<u8>),
    Broken,
    Silent,
}

/// Address, headers and body of a request.
type Sent = (String, Headers, Vec<u8>);

/// A connection that plays answers and keeps the requests.
#[derive(Clone, Debug, Default)]
struct Tape {
    answers: Arc<Mutex<VecDeque<Wire>>>,
    requests: Arc<Mutex<Vec<Sent>>>,
}

impl HttpConnector for Tape {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let line = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push((line, request.headers().clone(), body));
        let next = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            let (status, headers, body) = match next.expect("no more answers on the tape") {
                Wire::Answer(status, headers, body) => (status, headers, SdkBody::from(body)),
                Wire::Bytes(status, headers, body) => (status, headers, SdkBody::from(body)),
                Wire::Broken => {
                    return Err(ConnectorError::io("connection reset by peer".into()));
                }
                Wire::Silent => std::future::pending().await,
            };
            let status = StatusCode::try_from(status).unwrap();
            let mut response = HttpResponse::new(status, body);
            for (name, value) in headers {
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        })
    }
}

impl Tape {
    fn new(answers: impl IntoIterator<Item = Wire>) -> Self {
        let tape = Self::default();
        tape.answers.lock().unwrap().extend(answers);
        tape
    }

    fn client(&self) -> SharedHttpClient {
        let tape = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(tape.clone()))
    }

    /// What was sent, as text.
    fn requests(&self) -> Vec<(String, Headers, String)> {
        let text = |(line, headers, body)| (line, headers, String::from_utf8(body).unwrap());
        self.sent().into_iter().map(text).collect()
    }

    fn sent(&self) -> Vec<(String, Headers, Vec<u8>)> {
        self.requests.lock().unwrap().clone()
    }
}

/// The ports of `role` in eu-west-1 on this tape.
async fn connect(tape: &Tape, role: Option<Role>) -> Ports {
    let keys =
        Credentials::new("AKIDEXAMPLE", SECRET, Some("TOKENEXAMPLE".to_owned()), None, "test");
    let base = loader("eu-west-1", tape.client())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .load()
        .await;
    let config = match &role {
        Some(role) => assume(&base, role).await,
        None => base,
    };
    ports(&config, &Target { region: "eu-west-1".to_owned(), role })
}

fn role() -> Role {
    Role {
        arn: ROLE.to_owned(),
        external_id: "prod/flights".to_owned(),
        session_name: "groundcrew-flights".to_owned(),
        tags: vec![("groundcrew.dev/cluster".to_owned(), "prod".to_owned())],
    }
}

/// A refusal in Lambda's format.
fn lambda(status: u16, code: &'static str, message: &str) -> Wire {
    let headers = vec![
        ("x-amzn-errortype", code),
        ("x-amzn-requestid", "11111111-2222-3333-4444-555555555555"),
        ("content-type", "application/json"),
    ];
    let body = serde_json::json!({"Type": "User", "Message": message, "message": message});
    Wire::Answer(status, headers, body.to_string())
}

/// A refusal in STS's format.
fn sts(status: u16, code: &str, message: &str) -> Wire {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender\
         </Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>66666666-7777-8888-9999-000000000000</RequestId></ErrorResponse>"
    );
    Wire::Answer(
        status,
        vec![
            ("content-type", "text/xml"),
            ("x-amzn-requestid", "66666666-7777-8888-9999-000000000000"),
        ],
        body,
    )
}

fn json(body: &str) -> Wire {
    Wire::Answer(200, vec![("content-type", "application/json")], body.to_owned())
}

fn caller_identity(account: &str) -> Wire {
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/u</Arn><UserId>U</UserId>\
         <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    Wire::Answer(200, vec![("content-type", "text/xml")], body)
}

fn assumed_role() -> Wire {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/groundcrew/s</Arn>\
         <AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser><Credentials>\
         <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>ASSUMEDTOKEN</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
         </Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    Wire::Answer(200, vec![("content-type", "text/xml")], body)
}

const ALIAS: &str = r#"{"AliasArn": "arn", "Name": "live", "FunctionVersion": "7",
    "Description": "d", "RevisionId": "r1",
    "RoutingConfig": {"AdditionalVersionWeights": {"9": 0.25, "8": 1.0}}}"#;
