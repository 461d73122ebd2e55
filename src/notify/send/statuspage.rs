//! Statuspage: one maintenance for each occurrence, which goes from scheduled over in_progress and
//! verifying to completed.
//!
//! The API knows no identity of requests. So each maintenance carries a mark in its metadata, and is
//! looked for before it is made: a crash in between makes no second one. It carries the key of the
//! notice that it told last, too, so that none is told twice.

mod incident;

use http::{Method, header::AUTHORIZATION};
use serde_json::Value;

use self::incident::{Change, Incident, Place, change};
use super::{
    Delivery, NotSent, Sent, insert_secret, is_success, json_headers, refused, unanswered,
};
use crate::{
    api::channel::StatuspageChannel,
    checks::http::{Outgoing, Reply, Url},
    error::clean,
    kubernetes::secrets::Secret,
};

/// Most bytes that are read of an answer: a hundred maintenances with all their updates.
const ANSWER_MAX: usize = 4 * 1_024 * 1_024;
/// Maintenances of one page of a list. Source: Statuspage API, `per_page`.
const PER_PAGE: usize = 100;
/// Most pages of a list: a page with more maintenances ahead is a mistake.
const PAGES_MAX: usize = 5;
/// Longest reason that is quoted.
const REASON_MAX: usize = 120;

/// A page, and the key to it.
struct Page<'a> {
    delivery: &'a Delivery<'a>,
    id: &'a str,
    token: Secret,
}

impl Delivery<'_> {
    pub(super) async fn statuspage(&self, to: &StatuspageChannel) -> Result<Sent, NotSent> {
        let StatuspageChannel { page_id, component_ids, token_from } = to;
        // It becomes part of a path.
        if page_id.is_empty() || !page_id.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(NotSent::new("statuspage.pageId must be letters and digits"));
        }
        if self.message.span.is_none() {
            return Err(NotSent::new(
                "a status page shows what has a beginning and an end, and this has none: take the \
                 channel out",
            ));
        }
        let token = self.secret(token_from).await?;
        let page = Page { delivery: self, id: page_id, token };
        let found = page.find().await?;
        let components = component_ids.as_deref().unwrap_or_default();
        let key = self.message.key(self.channel);
        match change(self.message, &key, components, found.as_ref()) {
            Change::None => Ok(Sent { id: found.map(|found| found.id).unwrap_or_default() }),
            Change::Create(body) => page.write(Method::POST, None, &body).await,
            Change::Update { id, body } => page.write(Method::PATCH, Some(&id), &body).await,
        }
    }
}

impl Page<'_> {
    /// The maintenance of the occurrence, where there is one that is not over.
    async fn find(&self) -> Result<Option<Incident>, NotSent> {
        let marks = self.delivery.message.marks();
        for place in [Place::Scheduled, Place::Active] {
            for page in 1..=PAGES_MAX {
                let list = place.list();
                let path = format!("incidents/{list}?page={page}&per_page={PER_PAGE}");
                let (url, reply) = self.ask(Method::GET, &path, None).await?;
                let all = incident::list(&reply.body).ok_or_else(|| {
                    NotSent::new(format!("{} answers with something unreadable", url.host))
                })?;
                let count = all.len();
                let ours = |incident: &Incident| marks.contains(&incident.mark);
                if let Some(found) = all.into_iter().find(ours) {
                    return Ok(Some(found));
                }
                if count < PER_PAGE {
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn write(&self, method: Method, id: Option<&str>, body: &Value) -> Result<Sent, NotSent> {
        let path = id.map_or("incidents".to_owned(), |id| format!("incidents/{id}"));
        let (_, reply) = self.ask(method, &path, Some(body)).await?;
        // It is there, also where the answer is not readable.
        let made = incident::one(&reply.body).map(|made| made.id);
        Ok(Sent { id: made.unwrap_or_default() })
    }

    /// Asks for something below the page; the key goes into the header alone.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Url, Reply), NotSent> {
        let notifier = self.delivery.notifier;
        let address = format!("{}/pages/{}/{path}", notifier.statuspage, self.id);
        let url = Url::parse(&address)
            .map_err(|expected| NotSent::new(format!("--statuspage-url must be {expected}")))?;
        let mut headers = json_headers();
        let authorization = format!("OAuth {}", self.token.expose());
        insert_secret(&mut headers, AUTHORIZATION, &authorization)?;
        let request = Outgoing {
            method,
            url: &url,
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            body_max: ANSWER_MAX,
        };
        notifier.pace.turn(self.token.expose()).await?;
        let reply = notifier.http.exchange(request).await.map_err(|why| unanswered(&url, why))?;
        if is_success(&reply) {
            return Ok((url, reply));
        }
        if let (420 | 429, Some(wait)) = (reply.status, reply.retry_after) {
            notifier.pace.hold(self.token.expose(), wait);
        }
        let reason = reason(&reply, &self.token);
        Err(refused(&url, &reply, reason))
    }
}

/// `{"error": "…"}` or `{"error": ["…"]}`, short, and only where it does not hold the key.
fn reason(reply: &Reply, token: &Secret) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let error = body.get("error")?;
    let text = error.as_str().or_else(|| error.get(0)?.as_str())?;
    let text: String = clean(text).chars().take(REASON_MAX).collect();
    (!text.is_empty() && !text.contains(token.expose())).then_some(text)
}
