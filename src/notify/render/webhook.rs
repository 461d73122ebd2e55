//! The JSON of a webhook.

use jiff::Timestamp;
use serde::Serialize;

use super::{DETAILS_MAX, NAMES_MAX, headline, line, plain};
use crate::notify::{
    message::{About, Alarms, Message},
    stage::Span,
};

/// Version of the document. Members may come; what is there keeps its meaning.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    version: u32,
    key: &'a str,
    cluster: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<&'a str>,
    stage: String,
    warning: bool,
    at: Timestamp,
    headline: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<Was>,
    time_zone: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    why: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    outcome: &'a str,
    muted: Named<'a>,
    firing: Named<'a>,
    runs: Vec<String>,
    details: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    todo: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Was {
    opens_at: Timestamp,
    closes_at: Timestamp,
}

#[derive(Serialize)]
struct Named<'a> {
    count: usize,
    names: &'a [String],
}

impl<'a> From<&'a Alarms> for Named<'a> {
    fn from(alarms: &'a Alarms) -> Self {
        let shown = alarms.names.len().min(NAMES_MAX);
        Self { count: alarms.count, names: alarms.names.get(..shown).unwrap_or_default() }
    }
}

/// The document that a webhook of this channel gets.
#[must_use]
pub fn webhook(message: &Message, channel: &str) -> Vec<u8> {
    let About { cluster, kind, namespace, name } = &message.about;
    let lines = |lines: &[String]| lines.iter().take(DETAILS_MAX).map(|text| line(text)).collect();
    let body = Body {
        version: SCHEMA_VERSION,
        key: &message.key(channel),
        cluster,
        kind,
        namespace,
        name,
        id: &message.id,
        replaces: message.replaces.as_deref(),
        stage: message.stage.to_string(),
        warning: message.is_warning(),
        at: message.at,
        headline: headline(message),
        text: plain(message),
        opens_at: message.span.map(|span| span.opens),
        closes_at: message.span.map(|span| span.closes),
        was: message.was.map(|Span { opens, closes }| Was { opens_at: opens, closes_at: closes }),
        time_zone: message.zone.iana_name().unwrap_or("Etc/UTC"),
        title: &message.title,
        message: &message.text,
        why: &message.why,
        outcome: &message.outcome,
        muted: (&message.muted).into(),
        firing: (&message.firing).into(),
        runs: lines(&message.runs),
        details: lines(&message.details),
        todo: &message.todo,
    };
    // Maps with keys that are no text, the one thing that JSON does not take, are not in it.
    serde_json::to_vec(&body).unwrap_or_default()
}
