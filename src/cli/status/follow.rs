//! `groundcrew status --watch`: a line for each change.

use std::{cell::RefCell, collections::HashMap, pin::pin};

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

use super::{Args, Guarded, Output, Row, Shown, Sort};
use crate::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    cli::{
        EXIT_DONE, Error,
        cluster::Connection,
        follow::Patience,
        terminal::{Terminal, Tone, print},
    },
    context::Clock,
    error::one_line,
};

/// Prints until Ctrl-C, or SIGTERM.
pub(super) async fn execute(
    args: &Args,
    connection: &Connection,
    sorts: &[Sort],
) -> Result<u8, Error> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Output)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Output)?;
    let lines = RefCell::new(Lines {
        output: args.output,
        terminal: Terminal::stdout(),
        last: HashMap::new(),
    });
    let changes = async {
        let wants = |sort| sorts.contains(&sort);
        tokio::try_join!(
            async {
                if wants(Sort::Rollout) {
                    watch::<CanaryRollout>(args, connection, &lines).await
                } else {
                    Ok(())
                }
            },
            async {
                if wants(Sort::Window) {
                    watch::<MaintenanceWindow>(args, connection, &lines).await
                } else {
                    Ok(())
                }
            },
        )
    };
    tokio::select! {
        ended = changes => ended.map(|((), ())| EXIT_DONE),
        _ = interrupt.recv() => Ok(EXIT_DONE),
        _ = terminate.recv() => Ok(EXIT_DONE),
    }
}

/// Prints the changes of one kind, for ever.
async fn watch<K: Shown>(
    args: &Args,
    connection: &Connection,
    lines: &RefCell<Lines>,
) -> Result<(), Error> {
    let api: Api<Guarded<K>> = args.api(&connection.watch, connection);
    let mut config = watcher::Config::default();
    if let Some(name) = &args.name {
        connection.get::<K>(&name.name).await?;
        config = config.fields(&format!("metadata.name={}", name.name));
    }
    let mut changes = pin!(watcher::watcher(api, config).default_backoff());
    let mut patience = Patience::with::<K>();
    while let Some(change) = changes.next().await {
        match change {
            Ok(event) => {
                // The first event of each attempt comes before the server has said anything.
                if !matches!(event, Event::Init) {
                    patience.worked();
                }
                let line = lines.borrow_mut().of(&event, Clock::System.now());
                if let Some(line) = line {
                    print(&line)?;
                }
            }
            Err(error) => patience.failed(&error)?,
        }
    }
    Ok(())
}

/// Turns changes into lines; what reads as before is no news.
pub(super) struct Lines {
    pub(super) output: Output,
    pub(super) terminal: Terminal,
    /// What was printed last, by kind, namespace and name.
    pub(super) last: HashMap<(&'static str, String, String), String>,
}

impl Lines {
    /// The line of an event, if it is worth one.
    pub(super) fn of<K: Shown>(
        &mut self,
        event: &Event<Guarded<K>>,
        now: Timestamp,
    ) -> Option<String> {
        let (object, deleted) = match event {
            Event::Apply(object) | Event::InitApply(object) => (object, false),
            Event::Delete(object) => (object, true),
            Event::Init | Event::InitDone => return None,
        };
        let row: Row<'_, K> = Row::of_guarded(object);
        let text = match (self.output, deleted) {
            (Output::Json, false) => row.json().to_string(),
            (Output::Json, true) => {
                let (namespace, name) = (&row.namespace, &row.name);
                json!({"kind": K::kind(&()), "namespace": namespace, "name": name, "deleted": true})
                    .to_string()
            }
            (Output::Text, _) => self.text(&row, deleted),
        };
        let key = (K::PREFIX, row.namespace, row.name);
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

    fn text<K: Shown>(&self, row: &Row<'_, K>, deleted: bool) -> String {
        let name = format!("{}{}/{}", K::PREFIX, row.namespace, row.name);
        let name = self.terminal.paint(&one_line(&name), Tone::Strong);
        if deleted {
            return format!("{name}  deleted");
        }
        let object = match &row.object {
            Ok(object) => object,
            Err(error) => return format!("{name}  {}", one_line(error)),
        };
        let (phase, more) = object.phase();
        let message = one_line(object.message().unwrap_or("not looked at yet"));
        let tone = K::tone(phase).unwrap_or(Tone::Strong);
        format!("{name}  {}{}  {message}", self.terminal.paint(phase, tone), one_line(&more))
    }
}
