//! `groundcrew status [NAME]`: what the rollouts and windows do.

mod details;
mod follow;
mod reference;
mod rollouts;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod windows;

use clap::ValueEnum;
use jiff::Timestamp;
use kube::{Api, core::DeserializeGuard};
use serde_json::{Value, json};

use self::reference::{Reference, Sort};
use super::{
    EXIT_DONE, Error,
    cluster::{self, Connection, Object},
    terminal::{Terminal, Tone, print},
};
use crate::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    context::Clock,
};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of one object, to see it in detail: cro/NAME is a CanaryRollout, mw/NAME a
    /// MaintenanceWindow, and NAME alone the rollout of that name, else the window
    name: Option<Reference>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "name"])]
    all_namespaces: bool,
    /// Print a line for each change as it happens, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    cluster: cluster::Args,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// The statuses; with --watch one in a line
    Json,
}

/// A kind as it is shown.
trait Shown: Object {
    /// What stands before its name where kinds are mixed; empty for the one that needs none.
    const PREFIX: &'static str;
    /// The columns after the name; the first is the phase, the last the message.
    const HEADER: &'static [&'static str];

    /// What stands in these columns.
    fn cells(&self, now: Timestamp) -> Vec<String>;

    /// The phase, and what follows it in a line.
    fn phase(&self) -> (&'static str, String);

    /// The colour of a phase; none for another word.
    fn tone(phase: &str) -> Option<Tone>;

    /// What is awaited or wrong.
    fn message(&self) -> Option<&str>;

    /// The whole status.
    fn status(&self) -> Value;

    /// Everything that a person wants to know of it.
    fn details(&self, now: Timestamp, terminal: Terminal) -> String;
}

/// An object, or why it cannot be read: one unreadable object must not hide the others.
type Guarded<K> = DeserializeGuard<K>;

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let connection = args.cluster.connect().await?;
    match &args.name {
        Some(name) => {
            let (sort, hint) = name.sort(&connection).await?;
            if let Some(hint) = hint {
                eprintln!("{hint}");
            }
            if args.watch {
                return follow::execute(args, &connection, &[sort]).await;
            }
            match sort {
                Sort::Rollout => one::<CanaryRollout>(args, &connection, &name.name).await,
                Sort::Window => one::<MaintenanceWindow>(args, &connection, &name.name).await,
            }
        }
        None if args.watch => follow::execute(args, &connection, &Sort::ALL).await,
        None => all(args, &connection).await,
    }
}

async fn one<K: Shown>(args: &Args, connection: &Connection, name: &str) -> Result<u8, Error> {
    let object: K = connection.get(name).await?;
    let text = match args.output {
        Output::Json => pretty(&Row::of(&object).json()),
        Output::Text => object.details(Clock::System.now(), Terminal::stdout()),
    };
    print(&text)?;
    Ok(EXIT_DONE)
}

async fn all(args: &Args, connection: &Connection) -> Result<u8, Error> {
    let rollouts = Found::<CanaryRollout>::of(args, connection).await;
    let windows = Found::<MaintenanceWindow>::of(args, connection).await;
    let text = match args.output {
        Output::Json => pretty(&rollouts.json().chain(windows.json()).collect()),
        Output::Text => {
            let (now, terminal) = (Clock::System.now(), Terminal::stdout());
            let tables = [
                rollouts.table(args.all_namespaces, now, terminal),
                windows.table(args.all_namespaces, now, terminal),
            ];
            tables.into_iter().flatten().collect::<Vec<_>>().join("\n")
        }
    };
    // What could be read is shown, whatever could not.
    print(&text)?;
    let nothing = text.is_empty();
    rollouts.failed.map_or(Ok(()), Err)?;
    windows.failed.map_or(Ok(()), Err)?;
    if nothing {
        let place = match args.all_namespaces {
            true => "this cluster".to_owned(),
            false => format!("namespace {}; -A looks in all", connection.namespace),
        };
        eprintln!("There are no CanaryRollouts and no MaintenanceWindows in {place}.");
    }
    Ok(EXIT_DONE)
}

/// The objects of one kind that could be listed.
struct Found<K> {
    objects: Vec<Guarded<K>>,
    failed: Option<Error>,
}

impl<K: Shown> Found<K> {
    async fn of(args: &Args, connection: &Connection) -> Self {
        match cluster::list(&args.api(&connection.calls, connection)).await {
            Ok(objects) => Self { objects, failed: None },
            Err(error) => Self { objects: Vec::new(), failed: Some(error) },
        }
    }

    fn json(&self) -> impl Iterator<Item = Value> {
        self.objects.iter().map(|object| Row::of_guarded(object).json())
    }

    fn table(&self, namespaces: bool, now: Timestamp, terminal: Terminal) -> Option<String> {
        let rows: Vec<Row<'_, K>> = self.objects.iter().map(Row::of_guarded).collect();
        (!rows.is_empty()).then(|| table::render(&rows, namespaces, now, terminal))
    }
}

impl Args {
    /// The objects that are looked at.
    fn api<K: Shown>(&self, client: &kube::Client, connection: &Connection) -> Api<Guarded<K>> {
        if self.all_namespaces {
            Api::all(client.clone())
        } else {
            Api::namespaced(client.clone(), &connection.namespace)
        }
    }
}

/// One object as it is listed.
struct Row<'a, K> {
    namespace: String,
    name: String,
    /// The object, or why it cannot be read.
    object: Result<&'a K, String>,
}

impl<'a, K: Shown> Row<'a, K> {
    fn of(object: &'a K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            object: Ok(object),
        }
    }

    fn of_guarded(guarded: &'a Guarded<K>) -> Self {
        match &guarded.0 {
            Ok(object) => Self::of(object),
            Err(error) => {
                let meta = &error.metadata;
                Self {
                    namespace: meta.namespace.clone().unwrap_or_default(),
                    name: meta.name.clone().unwrap_or_default(),
                    object: Err(format!("cannot be read: {}", error.error)),
                }
            }
        }
    }

    fn json(&self) -> Value {
        let Self { namespace, name, object } = self;
        let kind = K::kind(&());
        match object {
            Ok(object) => {
                json!({"kind": kind, "namespace": namespace, "name": name, "status": object.status()})
            }
            Err(error) => {
                json!({"kind": kind, "namespace": namespace, "name": name, "error": error})
            }
        }
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
