//! What a maintenance is, and what is to become of it. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::notify::{message::Message, render, stage::Stage};

/// Longest id that is taken from an answer; it becomes part of a path.
const ID_MAX: usize = 64;

/// Lists in which a maintenance stands that is not over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Scheduled,
    Active,
}

impl Place {
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Active => "active_maintenance",
        }
    }
}

/// A maintenance, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident {
    pub(super) id: String,
    pub(super) status: String,
    /// What tells the occurrence; empty where it is not ours.
    pub(super) mark: String,
    /// Key of the notice that it told last.
    pub(super) notice: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// Nothing: it says so already, or there is nothing that could say it.
    None,
    /// A maintenance is made.
    Create(Value),
    /// The one with this id says something new.
    Update { id: String, body: Value },
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    metadata: Option<Value>,
}

impl Raw {
    /// Ids that could lead to another path are none.
    fn checked(self) -> Option<Incident> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_id = (1..=ID_MAX).contains(&self.id.len()) && self.id.chars().all(fits);
        let ours = |name: &str| {
            let ours = self.metadata.as_ref()?.get("groundcrew")?;
            ours.get(name)?.as_str().map(str::to_owned)
        };
        let (mark, notice) = (ours("occurrence"), ours("notice"));
        is_id.then(|| Incident {
            id: self.id,
            status: self.status.unwrap_or_default(),
            mark: mark.unwrap_or_default(),
            notice: notice.unwrap_or_default(),
        })
    }
}

/// The maintenances of a list; none when it is no list of them.
pub(super) fn list(body: &[u8]) -> Option<Vec<Incident>> {
    serde_json::from_slice::<Vec<Raw>>(body).ok()?.into_iter().map(Raw::checked).collect()
}

/// One maintenance.
pub(super) fn one(body: &[u8]) -> Option<Incident> {
    serde_json::from_slice::<Raw>(body).ok()?.checked()
}

/// The status of a maintenance at a stage; none where a page says nothing of it.
const fn status(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Lead(_) => Some("scheduled"),
        Stage::Opened | Stage::Progress | Stage::Extended | Stage::Started => Some("in_progress"),
        Stage::Verifying => Some("verifying"),
        Stage::Closed
        | Stage::Cancelled
        | Stage::Missed
        | Stage::Blocked
        | Stage::Promoted
        | Stage::RolledBack => Some("completed"),
        // Ahead or under way: as it is.
        Stage::Changed => Some(""),
        Stage::CheckFailed | Stage::Held | Stage::AwaitingApproval => None,
    }
}

/// Whether a notice makes a maintenance where there is none. What is over is not made, and what the
/// page was told before is not made anew: somebody ended it there by hand.
const fn makes(message: &Message) -> bool {
    let begins =
        matches!(message.stage, Stage::Lead(_) | Stage::Opened | Stage::Changed | Stage::Started);
    begins && message.is_first
}

/// What is to become of the maintenance of this message; `key` is that of the notice.
pub(super) fn change(
    message: &Message,
    key: &str,
    components: &[String],
    found: Option<&Incident>,
) -> Change {
    let Some(status) = status(message.stage) else { return Change::None };
    let Some(found) = found else {
        if !makes(message) {
            return Change::None;
        }
        let status = if status.is_empty() { "scheduled" } else { status };
        return Change::Create(document(message, key, components, status, None));
    };
    let status = if status.is_empty() { found.status.as_str() } else { status };
    if found.notice == key {
        return Change::None;
    }
    // A lead that comes after the page was moved on by hand does not take it back.
    if status == "scheduled" && found.status != "scheduled" {
        return Change::None;
    }
    let body = document(message, key, components, status, Some(found));
    Change::Update { id: found.id.clone(), body }
}

fn document(
    message: &Message,
    key: &str,
    components: &[String],
    status: &str,
    found: Option<&Incident>,
) -> Value {
    let mut incident = Map::new();
    let mut set = |name: &str, value: Value| drop(incident.insert(name.to_owned(), value));
    set("status", json!(status));
    set("body", json!(render::page_body(message)));
    // Who subscribed is not told every half hour that nothing is new.
    set("deliver_notifications", json!(message.stage != Stage::Progress));
    let mark = message.marks().into_iter().next();
    set("metadata", json!({"groundcrew": {"occurrence": mark, "notice": key}}));
    if let Some(span) = message.span {
        set("scheduled_for", json!(span.opens));
        set("scheduled_until", json!(span.closes));
    }
    if found.is_none() {
        set("name", json!(render::page_title(message)));
        // The window says when it begins and ends; nobody else does, and leads remind.
        for automatic in
            ["scheduled_auto_in_progress", "scheduled_auto_completed", "scheduled_remind_prior"]
        {
            set(automatic, json!(false));
        }
    }
    if !components.is_empty() {
        if found.is_none() {
            set("component_ids", json!(components));
        }
        let state = match status {
            "in_progress" | "verifying" => Some("under_maintenance"),
            // What was only announced never was under maintenance.
            "completed" if found.is_some_and(|found| found.status != "scheduled") => {
                Some("operational")
            }
            _ => None,
        };
        if let Some(state) = state {
            let states = components.iter().map(|id| (id.clone(), json!(state)));
            set("components", Value::Object(states.collect()));
        }
    }
    json!({"incident": incident})
}

#[cfg(test)]
mod tests;
