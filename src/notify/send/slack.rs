//! Slack, by an incoming webhook.

use http::Method;
use serde_json::json;

use super::{Delivery, NotSent, Sent, is_success, json_headers, refused, unanswered};
use crate::{
    api::channel::SlackChannel,
    checks::http::{Outgoing, Reply},
    notify::render,
};

/// Most bytes of an answer: `ok`, or a reason.
const ANSWER_MAX: usize = 256;
/// Longest reason that is quoted.
const REASON_MAX: usize = 64;

impl Delivery<'_> {
    /// Slack knows no identity of messages: a repetition is a second message.
    pub(super) async fn slack(&self, to: &SlackChannel) -> Result<Sent, NotSent> {
        let url = &self.address(&to.url_from).await?;
        let peer = format!("{}{}", url.authority, url.target);
        let pace = &self.notifier.pace;
        pace.turn(&peer).await?;
        let body = json!({"text": render::slack(self.message), "unfurl_links": false});
        let request = Outgoing {
            method: Method::POST,
            url,
            headers: json_headers(),
            body: body.to_string().into_bytes(),
            body_max: ANSWER_MAX,
        };
        let reply = self.notifier.http.exchange(request).await;
        let reply = reply.map_err(|why| unanswered(url, why))?;
        if is_success(&reply) {
            return Ok(Sent { id: String::new() });
        }
        if let (429, Some(wait)) = (reply.status, reply.retry_after) {
            pace.hold(&peer, wait);
        }
        Err(refused(url, &reply, reason(&reply)))
    }
}

/// Slack's reason, `channel_is_archived`: nothing else is quoted.
fn reason(reply: &Reply) -> Option<String> {
    let text = std::str::from_utf8(&reply.body).ok()?.trim();
    let fits = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_reason = (1..=REASON_MAX).contains(&text.len()) && text.chars().all(fits);
    is_reason.then(|| text.to_owned())
}
