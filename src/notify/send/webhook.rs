//! A webhook: JSON to an address of the user's own.

use aws_lc_rs::hmac;
use http::{HeaderName, HeaderValue, Method};

use super::{Delivery, NotSent, Sent, is_success, json_headers, refused, unanswered};
use crate::{
    api::channel::WebhookChannel,
    checks::http::{Outgoing, Url},
    kubernetes::secrets::Secret,
    notify::render,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-groundcrew-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-groundcrew-signature");

impl Delivery<'_> {
    /// A repetition has the same `Idempotency-Key`, and a signature of its own time.
    pub(super) async fn webhook(&self, to: &WebhookChannel) -> Result<Sent, NotSent> {
        let url = &match (&to.url, &to.url_from) {
            (Some(url), None) => Url::parse(url)
                .map_err(|expected| NotSent::new(format!("webhook.url must be {expected}")))?,
            (None, Some(from)) => self.address(from).await?,
            (None, None) | (Some(_), Some(_)) => {
                return Err(NotSent::new("a webhook has exactly one of url and urlFrom"));
            }
        };
        let key = self.message.key(self.channel);
        let body = render::webhook(self.message, self.channel);
        let mut headers = json_headers();
        let timestamp = self.notifier.clock.now().as_second().to_string();
        let mut plain = vec![(IDEMPOTENCY_KEY, key.clone())];
        if let Some(from) = &to.hmac_from {
            let secret = self.secret(from).await?;
            plain.push((SIGNATURE, signature(&secret, &timestamp, &body)));
        }
        plain.push((TIMESTAMP, timestamp));
        for (name, value) in plain {
            let value = HeaderValue::from_str(&value);
            headers.insert(name, value.map_err(|_| NotSent::new("a header cannot be written"))?);
        }
        let request = Outgoing { method: Method::POST, url, headers, body, body_max: 0 };
        let reply = self.notifier.http.exchange(request).await;
        let reply = reply.map_err(|why| unanswered(url, why))?;
        match is_success(&reply) {
            true => Ok(Sent { id: key }),
            // Anybody may have written what it says.
            false => Err(refused(url, &reply, None)),
        }
    }
}

/// `sha256=` and the HMAC of `<timestamp>.<body>` in hexadecimal digits.
fn signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_computes() {
        // printf '1765000000.{"a":1}' | openssl dgst -sha256 -hmac topsecret
        let secret = Secret::new(b"topsecret").unwrap();
        let signed = signature(&secret, "1765000000", br#"{"a":1}"#);
        assert_eq!(
            signed,
            "sha256=1729d78a8cd3643facb257cdfa6e682278a68db96a89a12501d7e65213ad944c"
        );
    }
}
