//! `groundcrew status --watch`: a line for each change.

use std::{collections::HashMap, pin::pin};

use futures::StreamExt as _;
use jiff::{Timestamp, tz::TimeZone};
use kube::{
    Api,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Args, Guarded, Output, Row};
use crate::{
    cli::{
        EXIT_DONE, Error,
        cluster::Connection,
        follow::Patience,
        terminal::{Terminal, Tone, print, tone},
    },
    context::Clock,
};

/// Prints until Ctrl-C, or SIGTERM.
pub(super) async fn execute(
    args: &Args,
    connection: &Connection,
    api: Api<Guarded>,
) -> Result<u8, Error> {
    let mut config = watcher::Config::default();
    if let Some(name) = &args.name {
        connection.get::<crate::api::canary_rollout::CanaryRollout>(name).await?;
        config = config.fields(&format!("metadata.name={name}"));
    }
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Output)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Output)?;
    let mut changes = pin!(watcher::watcher(api, config).default_backoff());
    let mut lines =
        Lines { output: args.output, terminal: Terminal::stdout(), last: HashMap::new() };
    let mut patience = Patience::with::<crate::api::canary_rollout::CanaryRollout>();
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            _ = interrupt.recv() => return Ok(EXIT_DONE),
            _ = terminate.recv() => return Ok(EXIT_DONE),
        };
        match change {
            Some(Ok(event)) => {
                // The first event of each attempt comes before the server has said anything.
                if !matches!(event, Event::Init) {
                    patience.worked();
                }
                if let Some(line) = lines.of(&event, Clock::System.now()) {
                    print(&line)?;
                }
            }
            Some(Err(error)) => patience.failed(&error)?,
            None => return Ok(EXIT_DONE),
        }
    }
}

/// Turns changes into lines; what reads as before is no news.
pub(super) struct Lines {
    pub(super) output: Output,
    pub(super) terminal: Terminal,
    /// What was printed last, by namespace and name.
    pub(super) last: HashMap<(String, String), String>,
}

impl Lines {
    /// The line of an event, if it is worth one.
    pub(super) fn of(&mut self, event: &Event<Guarded>, now: Timestamp) -> Option<String> {
        let (object, deleted) = match event {
            Event::Apply(object) | Event::InitApply(object) => (object, false),
            Event::Delete(object) => (object, true),
            Event::Init | Event::InitDone => return None,
        };
        let row = Row::of_guarded(object);
        let text = match (self.output, deleted) {
            (Output::Json, false) => row.json().to_string(),
            (Output::Json, true) => {
                json!({"namespace": row.namespace, "name": row.name, "deleted": true}).to_string()
            }
            (Output::Text, _) => self.text(&row, deleted),
        };
        let key = (row.namespace, row.name);
        let before = if deleted {
            self.last.remove(&key);
            None
        } else {
            self.last.insert(key, text.clone())
        };
        if before.as_ref() == Some(&text) {
            return None;
        }
        Some(match self.output {
            Output::Json => text + "\n",
            Output::Text => {
                let time = now.to_zoned(TimeZone::UTC).strftime("%H:%M:%SZ").to_string();
                format!("{}  {text}\n", self.terminal.paint(&time, Tone::Faint))
            }
        })
    }

    fn text(&self, row: &Row<'_>, deleted: bool) -> String {
        let name = format!("{}/{}", row.namespace, row.name);
        let name = self.terminal.paint(&name, Tone::Strong);
        if deleted {
            return format!("{name}  deleted");
        }
        let object = match &row.object {
            Ok(object) => object,
            Err(error) => return format!("{name}  {error}"),
        };
        let status = object.status.as_ref();
        let phase = status.and_then(|status| status.phase).unwrap_or_default();
        let step = status.and_then(|status| status.step.as_ref());
        let step = step.map(|step| format!(" {}", step.display)).unwrap_or_default();
        let weight = status.and_then(|status| status.canary.as_ref());
        let weight = weight.map(|canary| format!(" {}%", canary.weight)).unwrap_or_default();
        let message = status.and_then(|status| status.message.as_deref());
        let message = message.unwrap_or("not looked at yet");
        let phase = self.terminal.paint(phase.as_str(), tone(phase));
        format!("{name}  {phase}{step}{weight}  {message}")
    }
}
