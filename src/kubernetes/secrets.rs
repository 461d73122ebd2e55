//! Reads one key of one Secret, when it is needed and for nobody else.
//!
//! Nothing is kept, and nothing is watched: the operator has the right to `get` the Secrets that the
//! chart's values name, and no other right to Secrets.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use http::Request;
use http_body_util::{BodyExt as _, Limited};
use k8s_openapi::ByteString;
use kube::client::Body;
use serde::Deserialize;

use super::client::Kubernetes;
use crate::api::channel::SecretKeyRef;

/// Longest answer that is read: a Secret has 1 MiB at most, and base64 makes a third more of it.
const ANSWER_MAX: usize = 2 * 1_024 * 1_024;
/// Longest value that is taken: that of an address, far more than any token.
pub const VALUE_MAX: usize = 4_096;

/// A value that nobody may see: its `Debug` shows nothing, and it has no `Display` and no `Clone`.
pub struct Secret(String);

impl Secret {
    /// Takes a value. White space at its ends is no part of it: files end with a line break.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without any part of it.
    pub fn new(value: &[u8]) -> Result<Self, Unusable> {
        if value.len() > VALUE_MAX {
            return Err(Unusable::Long);
        }
        let text = std::str::from_utf8(value).map_err(|_| Unusable::NotText)?.trim();
        if text.is_empty() {
            return Err(Unusable::Empty);
        }
        Ok(Self(text.to_owned()))
    }

    /// The value, for whoever needs it in a request.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It holds nothing.
    Empty,
    /// It is no UTF-8.
    NotText,
    /// It is longer than [`VALUE_MAX`].
    Long,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum NoSecret {
    /// The Secret does not exist.
    #[error("Secret {0} does not exist: create it")]
    NotFound(String),
    /// The operator may not read it.
    #[error(
        "the operator may not read Secret {0}: name it in the value notices.secrets of the chart"
    )]
    Forbidden(String),
    /// The Secret has no such key.
    #[error("Secret {secret} has no key {key}: add it")]
    NoKey {
        /// Namespace and name.
        secret: String,
        /// The key.
        key: String,
    },
    /// The value cannot be used.
    #[error("key {key} of Secret {secret} {}: correct it", words(*.why))]
    Unusable {
        /// Namespace and name.
        secret: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        why: Unusable,
    },
    /// The API server does not answer.
    #[error("Secret {0} cannot be read now")]
    Unavailable(String),
}

fn words(why: Unusable) -> &'static str {
    match why {
        Unusable::Empty => "is empty",
        Unusable::NotText => "is no UTF-8 text",
        Unusable::Long => "has more than 4,096 bytes",
    }
}

/// Secrets, as far as they are read.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The value of one key, read anew.
    ///
    /// # Errors
    ///
    /// [`NoSecret`]; it holds no part of the value.
    async fn read(&self, namespace: &str, from: &SecretKeyRef) -> Result<Secret, NoSecret>;
}

/// What is taken of a Secret.
#[derive(Deserialize)]
struct Holding {
    #[serde(default)]
    data: BTreeMap<String, ByteString>,
}

#[async_trait]
impl Secrets for Kubernetes {
    /// Not by `kube::Api`: it logs an answer that it cannot read, with all that is in it.
    async fn read(&self, namespace: &str, from: &SecretKeyRef) -> Result<Secret, NoSecret> {
        let SecretKeyRef { name, key } = from;
        let secret = format!("{namespace}/{name}");
        let unavailable = || NoSecret::Unavailable(secret.clone());
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let request = Request::get(path).body(Body::empty()).map_err(|_| unavailable())?;
        let answer = self.client().send(request).await.map_err(|_| unavailable())?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Err(NoSecret::NotFound(secret)),
            401 | 403 => return Err(NoSecret::Forbidden(secret)),
            _ => return Err(unavailable()),
        }
        let answer = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        let answer = answer.map_err(|_| unavailable())?.to_bytes();
        let found: Holding = serde_json::from_slice(&answer).map_err(|_| unavailable())?;
        let Some(value) = found.data.get(key) else {
            return Err(NoSecret::NoKey { secret, key: key.clone() });
        };
        Secret::new(&value.0).map_err(|why| NoSecret::Unusable { secret, key: key.clone(), why })
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    /// What a Secret says when the API server answers so.
    async fn read(status: u16, answer: serde_json::Value) -> Result<Secret, NoSecret> {
        let service = tower::service_fn(move |request: Request<Body>| {
            let line = format!("{} {}", request.method(), request.uri());
            assert_eq!(line, "GET /api/v1/namespaces/flightdata/secrets/slack");
            let answer = Response::builder()
                .status(status)
                .body(Body::from(answer.to_string().into_bytes()));
            std::future::ready(answer)
        });
        let client = kube::Client::new(service, "default");
        let kubernetes = Kubernetes::new(client, "test".to_owned());
        let from = SecretKeyRef { name: "slack".into(), key: "url".into() };
        kubernetes.read("flightdata", &from).await
    }

    fn holding(value: &str) -> serde_json::Value {
        serde_json::json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "slack", "namespace": "flightdata"}, "data": {"url": value}})
    }

    fn refusal(code: u16) -> serde_json::Value {
        serde_json::json!({"apiVersion": "v1", "kind": "Status", "status": "Failure",
            "message": "dG9wc2VjcmV0", "reason": "Reason", "code": code})
    }

    #[tokio::test]
    async fn a_value_is_read_without_the_white_space_around_it_and_never_shown() {
        // topsecret, and a line break.
        let secret = read(200, holding("dG9wc2VjcmV0Cg==")).await.unwrap();
        assert_eq!(secret.expose(), "topsecret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[tokio::test]
    async fn what_is_missing_is_told_with_who_has_to_mend_it() {
        for (status, answer, says) in [
            (404, refusal(404), "Secret flightdata/slack does not exist: create it"),
            (
                403,
                refusal(403),
                "the operator may not read Secret flightdata/slack: name it in the value \
                 notices.secrets of the chart",
            ),
            (500, refusal(500), "Secret flightdata/slack cannot be read now"),
            (
                200,
                serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}}),
                "Secret flightdata/slack has no key url: add it",
            ),
            (
                200,
                serde_json::json!(["dG9wc2VjcmV0"]),
                "Secret flightdata/slack cannot be read now",
            ),
            (
                200,
                holding("/w=="),
                "key url of Secret flightdata/slack is no UTF-8 text: correct it",
            ),
            (200, holding("IAo="), "key url of Secret flightdata/slack is empty: correct it"),
        ] {
            let error = read(status, answer).await.unwrap_err();
            assert_eq!(error.to_string(), says);
            assert!(!format!("{error:?}").contains("dG9wc2VjcmV0"), "{error:?}");
        }
        assert!(matches!(Secret::new(&[b'a'; VALUE_MAX + 1]), Err(Unusable::Long)));
    }
}
