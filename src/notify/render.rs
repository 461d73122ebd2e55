//! The words of a notice, for people who are woken by it: what, when, how long, why, what is muted,
//! what runs, what to do. Pure.

mod times;
mod webhook;

pub use self::webhook::{SCHEMA_VERSION, webhook};
use super::{
    message::{About, Alarms, Message},
    stage::Stage,
};
use crate::{
    api::fit::{cut, cut_bytes},
    error::clean,
};

/// Longest subject. Source: SNS API reference, Publish: less than 100 characters.
const SUBJECT_MAX: usize = 99;
/// Longest text, in bytes: SNS takes 256 KiB, attributes included; people read less.
const TEXT_MAX: usize = 16 * 1_024;
/// Longest text in Slack, in characters. Source: Slack API, "Truncating content": 4,000 is advised.
const SLACK_MAX: usize = 3_800;
/// Most names of a list that are told.
const NAMES_MAX: usize = 20;
/// Most lines of details.
const DETAILS_MAX: usize = 20;
/// Longest line of a fact.
const LINE_MAX: usize = 1_000;

/// One line: `flightdata/weekly opens Sun 2026-12-06 02:00 CET for 2h`.
#[must_use]
pub fn headline(message: &Message) -> String {
    let About { namespace, name, .. } = &message.about;
    clean(&format!("{namespace}/{name} {}", happens(message)))
}

/// The subject of an e-mail: ASCII, one line, less than 100 characters.
#[must_use]
pub fn subject(message: &Message) -> String {
    let line = format!("[{}] {}", message.about.cluster, headline(message));
    let ascii = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let mut subject: String = line.chars().map(ascii).collect();
    if subject.len() > SUBJECT_MAX {
        subject.truncate(SUBJECT_MAX.saturating_sub(3));
        subject.push_str("...");
    }
    subject
}

/// Plain text, as e-mails show it.
#[must_use]
pub fn plain(message: &Message) -> String {
    let mut lines = vec![format!("{}.", headline(message)), String::new()];
    lines.extend(words(message).flat_map(|words| [words, String::new()]));
    let facts = facts(message);
    lines.extend(facts.iter().map(|(label, fact)| format!("{:<9}{fact}", format!("{label}:"))));
    let details = message.details.iter().take(DETAILS_MAX);
    lines.extend(details.map(|detail| format!("- {}", line(detail))));
    lines.extend([String::new(), signature(message)]);
    let mut text = lines.join("\n");
    cut_bytes(&mut text, TEXT_MAX);
    text
}

/// Text in Slack's mrkdwn. Nothing in it mentions anybody or is a link that somebody else wrote.
#[must_use]
pub fn slack(message: &Message) -> String {
    let sign = if message.is_warning() { ":warning: " } else { "" };
    let mut lines = vec![format!("{sign}*{}*", escape(&headline(message)))];
    lines.extend(words(message).map(|words| escape(&words)));
    let facts = facts(message);
    lines.extend(facts.iter().map(|(label, fact)| format!("• *{label}:* {}", escape(fact))));
    let details = message.details.iter().take(DETAILS_MAX);
    lines.extend(details.map(|detail| format!("• {}", escape(&line(detail)))));
    lines.push(format!("_{}_", escape(&signature(message))));
    let mut text = lines.join("\n");
    cut(&mut text, SLACK_MAX);
    text
}

/// The name of a maintenance on a public page.
#[must_use]
pub fn page_title(message: &Message) -> String {
    let title = clean(&message.title);
    if title.is_empty() { "Scheduled maintenance".to_owned() } else { title }
}

/// What a public page says: the user's words and times, and nothing from inside.
#[must_use]
pub fn page_body(message: &Message) -> String {
    let zone = &message.zone;
    let until = message.span.map(|span| times::moment(span.closes, zone)).unwrap_or_default();
    let when = message.span.map(|span| times::span(span, zone)).unwrap_or_default();
    let (body, wants_words) = match message.stage {
        Stage::Lead(_) => (format!("Planned for {when}."), true),
        Stage::Opened => (format!("The maintenance has begun. It ends by {until}."), true),
        Stage::Progress => (format!("The maintenance goes on. It ends by {until}."), false),
        Stage::Extended => {
            (format!("The maintenance takes longer than planned. It ends by {until}."), true)
        }
        Stage::Changed => (format!("The times changed. They are now {when}."), true),
        Stage::Verifying => ("The work is done and is being checked.".to_owned(), false),
        Stage::Closed => ("The maintenance is over.".to_owned(), false),
        Stage::Cancelled | Stage::Missed | Stage::Blocked => {
            ("The maintenance does not take place.".to_owned(), false)
        }
        Stage::Started => ("A new release is being rolled out.".to_owned(), true),
        Stage::Promoted => ("The new release is in place.".to_owned(), false),
        Stage::RolledBack => ("The new release was taken back.".to_owned(), false),
        Stage::CheckFailed | Stage::Held | Stage::AwaitingApproval => (String::new(), false),
    };
    let words = if wants_words { clean(&message.text) } else { String::new() };
    if words.is_empty() { body } else { format!("{body}\n\n{words}") }
}

/// The user's words, where people have to know what they will notice.
fn words(message: &Message) -> impl Iterator<Item = String> {
    let planned = matches!(
        message.stage,
        Stage::Lead(_) | Stage::Opened | Stage::Extended | Stage::Changed | Stage::Started
    );
    let all = [&message.title, &message.text];
    all.into_iter().filter(move |words| planned && !words.is_empty()).map(|words| clean(words))
}

/// What happens, as the end of a sentence.
fn happens(message: &Message) -> String {
    let zone = &message.zone;
    // Who has no times, a rollout, has no stage that tells them.
    let span = message.span.unwrap_or(times::NEVER);
    let was = message.was.unwrap_or(span);
    let (opens, closes) = (times::short(span.opens, zone), times::short(span.closes, zone));
    let lasts = times::lasts(span);
    let beside = |at, other| times::beside(at, other, zone);
    match message.stage {
        Stage::Lead(_) => format!("opens {opens} for {lasts}"),
        Stage::CheckFailed => format!("will not open {opens} unless a failing check is mended"),
        Stage::Opened => format!("is open until {closes}"),
        Stage::Progress => format!("is still open, until {closes}"),
        Stage::Extended => {
            format!("stays open until {closes}, not {}", beside(was.closes, span.closes))
        }
        Stage::Changed if was.opens == span.opens => {
            format!("closes {closes}, not {}", beside(was.closes, span.closes))
        }
        Stage::Changed => {
            format!("was moved: opens {opens} for {lasts}, not {}", beside(was.opens, span.opens))
        }
        Stage::Verifying => "is closed; its last checks run".to_owned(),
        Stage::Closed => closed(message),
        Stage::Cancelled => format!("is cancelled: it does not open {opens}"),
        Stage::Missed => format!("was missed: it did not open {opens}"),
        Stage::Blocked => format!("is blocked: it did not open {opens}"),
        Stage::Started => "begins a release".to_owned(),
        Stage::Promoted => "serves the new release to everybody".to_owned(),
        Stage::RolledBack => "went back to the old release".to_owned(),
        Stage::Held => "stands still".to_owned(),
        Stage::AwaitingApproval => "waits for an approval".to_owned(),
    }
}

/// `is closed: Completed; 2 alarms fire`.
fn closed(message: &Message) -> String {
    let Message { outcome, firing, .. } = message;
    let fires = match firing.count {
        0 => String::new(),
        1 => "1 alarm fires".to_owned(),
        count => format!("{count} alarms fire"),
    };
    let said = [outcome.as_str(), &fires].into_iter().filter(|words| !words.is_empty());
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() { "is closed".to_owned() } else { format!("is closed: {said}") }
}

/// What is known, with its label, in the order of what a reader needs first.
fn facts(message: &Message) -> Vec<(&'static str, String)> {
    let Message { zone, span, was, at, why, muted, runs, outcome, firing, todo, .. } = message;
    let when = match span {
        Some(span) => times::span(*span, zone),
        None => times::moment(*at, zone),
    };
    let facts = [
        ("When", when),
        ("Was", was.map(|was| times::span(was, zone)).unwrap_or_default()),
        ("Why", why.clone()),
        ("Outcome", outcome.clone()),
        ("Firing", alarms(firing)),
        ("Muted", alarms(muted)),
        ("Runs", list(runs.len(), runs)),
        ("To do", todo.clone()),
    ];
    let told = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    told.map(|(label, fact)| (label, line(&fact))).collect()
}

/// `3 alarms: a, b and 1 more`.
fn alarms(alarms: &Alarms) -> String {
    let Alarms { count, names } = alarms;
    match count {
        0 => String::new(),
        1 => format!("1 alarm: {}", list(1, names)),
        count => format!("{count} alarms: {}", list(*count, names)),
    }
}

fn list(count: usize, names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match count.saturating_sub(names.len().min(NAMES_MAX)) {
        0 => shown,
        more if shown.is_empty() => format!("{more}"),
        more => format!("{shown} and {more} more"),
    }
}

fn line(text: &str) -> String {
    let mut line = clean(text);
    cut(&mut line, LINE_MAX);
    line
}

/// Where it comes from: what to look for in the cluster.
fn signature(message: &Message) -> String {
    let About { cluster, kind, namespace, name } = &message.about;
    let stage = message.stage;
    let what = if message.span.is_some() { "occurrence" } else { "revision" };
    let id = &message.id;
    clean(&format!("{kind} {namespace}/{name} in cluster {cluster}, {what} {id}, notice {stage}"))
}

/// Slack's three characters. Source: Slack API, "Escaping text".
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub(crate) mod tests;
