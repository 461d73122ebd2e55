//! Sends notices: one file for each sort of channel.
//!
//! A peer is not trusted: its answer is bounded, and only its status code and a short reason in
//! harmless characters are told. Addresses, tokens and keys are read anew for each notice and are
//! in no error; of an address only the host is.

mod pace;
mod slack;
mod sns;
mod statuspage;
mod webhook;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_TYPE, HeaderName},
};
use tokio::time::timeout;

use self::pace::Pace;
pub use self::sns::Regions;
use super::message::Message;
use crate::{
    api::channel::{Channel, SecretValue},
    aws::port,
    checks::http::{
        Exchange, Reply, Unanswered, Url,
        hosts::{Allowed, AllowedHosts},
    },
    context::Clock,
    kubernetes::secrets::{NoSecret, Secret, Secrets},
};

/// Longest that a notice may take, its Secrets and turns included: several fit into a pass.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// Where Statuspage is.
const STATUSPAGE_URL: &str = "https://api.statuspage.io/v1";

/// Sends notices.
pub struct Notifier {
    http: Arc<dyn Exchange>,
    secrets: Arc<dyn Secrets>,
    statuspage: StatuspageUrl,
    clock: Clock,
    pace: Pace,
}

/// Takes notices to their channels.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Takes a notice of an object of `namespace` to a channel, within [`SEND_TIMEOUT`].
    ///
    /// Where the answer is lost, it may have arrived; a repetition carries the same key.
    ///
    /// # Errors
    ///
    /// [`NotSent`].
    async fn deliver(
        &self,
        topics: &dyn Topics,
        namespace: &str,
        channel: &Channel,
        message: &Message,
    ) -> Result<Sent, NotSent>;
}

/// Where the topics of SNS are reached.
#[async_trait]
pub trait Topics: Send + Sync {
    /// SNS in a region, with the role of a namespace.
    ///
    /// # Errors
    ///
    /// [`NotSent`] when there are no credentials.
    async fn of_region(&self, namespace: &str, region: &str)
    -> Result<Arc<dyn port::Sns>, NotSent>;
}

/// A notice that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What the peer calls it, for logs; empty where it has no name.
    pub id: String,
}

/// A notice that did not go out, or of which nobody knows whether it did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotSent {
    /// How long the peer asks to wait.
    pub wait: Option<Duration>,
    /// Why, and what to do; without secrets.
    pub message: String,
}

/// The address of Statuspage's API; https, or a host that `--allow-http-host` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatuspageUrl(String);

/// A text that is no address of Statuspage's API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of Statuspage is written like {STATUSPAGE_URL}, by https")]
pub struct InvalidStatuspageUrl;

impl StatuspageUrl {
    /// Takes an address; by http only where the host is allowed.
    ///
    /// # Errors
    ///
    /// [`InvalidStatuspageUrl`].
    pub fn parse(text: &str, hosts: &AllowedHosts) -> Result<Self, InvalidStatuspageUrl> {
        let text = text.trim_end_matches('/');
        let url = Url::parse(text).map_err(|_| InvalidStatuspageUrl)?;
        let allowed = url.secure || hosts.allow(&url.host, url.port) != Allowed::No;
        let plain = !text.contains('?');
        (allowed && plain).then(|| Self(text.to_owned())).ok_or(InvalidStatuspageUrl)
    }
}

impl Default for StatuspageUrl {
    fn default() -> Self {
        Self(STATUSPAGE_URL.to_owned())
    }
}

impl fmt::Display for StatuspageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StatuspageUrl {
    type Err = InvalidStatuspageUrl;

    fn from_str(text: &str) -> Result<Self, InvalidStatuspageUrl> {
        Self::parse(text, &AllowedHosts::default())
    }
}

impl NotSent {
    /// Why, from a peer that does not ask to wait.
    pub fn new(message: impl Into<String>) -> Self {
        Self { wait: None, message: message.into() }
    }
}

impl From<NoSecret> for NotSent {
    fn from(error: NoSecret) -> Self {
        Self::new(error.to_string())
    }
}

impl Notifier {
    /// `http` keeps to hosts that may be asked.
    #[must_use]
    pub fn new(
        http: Arc<dyn Exchange>,
        secrets: Arc<dyn Secrets>,
        statuspage: StatuspageUrl,
        clock: Clock,
    ) -> Self {
        Self { http, secrets, statuspage, clock, pace: Pace::default() }
    }
}

#[async_trait]
impl Deliver for Notifier {
    async fn deliver(
        &self,
        topics: &dyn Topics,
        namespace: &str,
        channel: &Channel,
        message: &Message,
    ) -> Result<Sent, NotSent> {
        let delivery = Delivery { notifier: self, namespace, channel: &channel.name, message };
        let sent = async {
            match channel {
                Channel { sns: Some(to), slack: None, statuspage: None, webhook: None, .. } => {
                    delivery.sns(topics, to).await
                }
                Channel { sns: None, slack: Some(to), statuspage: None, webhook: None, .. } => {
                    delivery.slack(to).await
                }
                Channel { sns: None, slack: None, statuspage: Some(to), webhook: None, .. } => {
                    delivery.statuspage(to).await
                }
                Channel { sns: None, slack: None, statuspage: None, webhook: Some(to), .. } => {
                    delivery.webhook(to).await
                }
                Channel { .. } => Err(NotSent::new(
                    "a channel has exactly one of sns, slack, statuspage and webhook",
                )),
            }
        };
        timeout(SEND_TIMEOUT, sent).await.unwrap_or_else(|_| {
            let longest = SEND_TIMEOUT.as_secs();
            Err(NotSent::new(format!("no answer within {longest} s; it may have arrived")))
        })
    }
}

/// One notice on its way to one channel.
struct Delivery<'a> {
    notifier: &'a Notifier,
    namespace: &'a str,
    channel: &'a str,
    message: &'a Message,
}

impl Delivery<'_> {
    async fn secret(&self, from: &SecretValue) -> Result<Secret, NotSent> {
        let from = &from.secret_key_ref;
        Ok(self.notifier.secrets.read(self.namespace, from).await?)
    }

    /// An address that is kept in a Secret; what is wrong with it is told without it.
    async fn address(&self, from: &SecretValue) -> Result<Url, NotSent> {
        let secret = self.secret(from).await?;
        let from = &from.secret_key_ref;
        Url::parse(secret.expose()).map_err(|expected| {
            let place = format!("key {} of Secret {}/{}", from.key, self.namespace, from.name);
            NotSent::new(format!("{place} must hold {expected}"))
        })
    }
}

/// The headers of a body in JSON.
fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// Puts a value into a header that nothing may show.
fn insert_secret(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), NotSent> {
    let value = HeaderValue::from_str(value);
    let mut value =
        value.map_err(|_| NotSent::new("the token holds characters that no token has"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Why nothing was answered, by the host alone: the rest of an address may be a secret.
fn unanswered(url: &Url, why: Unanswered) -> NotSent {
    let host = &url.host;
    match why {
        Unanswered::Forbidden(why) => NotSent::new(format!("{host} is not asked: {why}")),
        Unanswered::Failed(why) => NotSent::new(format!("{host} does not answer: {why}")),
    }
}

/// What an answer means that is no success; `reason` is what the peer may be quoted with.
fn refused(url: &Url, reply: &Reply, reason: Option<String>) -> NotSent {
    let Reply { status, retry_after, .. } = reply;
    let hint = match status {
        // Statuspage's own code for too many requests is 420.
        420 | 429 => ": it asks to wait",
        300..=399 => ": redirects are not followed; give the final address",
        401 | 403 => ": check the address and the token in the Secret",
        404 | 410 => ": what the channel names is gone",
        _ => "",
    };
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let message = format!("{} answers {status}{reason}{hint}", url.host);
    NotSent { wait: *retry_after, message }
}

/// Whether it was taken.
const fn is_success(reply: &Reply) -> bool {
    matches!(reply.status, 200..=299)
}

#[cfg(test)]
mod tests;
