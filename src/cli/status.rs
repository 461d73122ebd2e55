//! `groundcrew status [NAME]`: what the rollouts do.

mod details;
mod follow;
mod steps;
mod table;
#[cfg(test)]
mod tests;

use clap::ValueEnum;
use kube::{
    Api, ResourceExt as _,
    api::ListParams,
    core::{DeserializeGuard, ObjectList},
};
use serde_json::{Value, json};

use super::{
    EXIT_DONE, Error,
    cluster::{self, Connection},
    terminal::{Terminal, print},
};
use crate::{api::canary_rollout::CanaryRollout, context::Clock};

/// Most objects of one answer of the API server.
const PAGE: u32 = 500;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of one CanaryRollout, to see it in detail
    name: Option<String>,
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

/// An object, or why it cannot be read: one unreadable object must not hide the others.
type Guarded = DeserializeGuard<CanaryRollout>;

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let connection = args.cluster.connect().await?;
    if args.watch {
        let api = if args.all_namespaces {
            Api::all(connection.watch.clone())
        } else {
            Api::namespaced(connection.watch.clone(), &connection.namespace)
        };
        return follow::execute(args, &connection, api).await;
    }
    match &args.name {
        Some(name) => one(args, &connection, name).await,
        None => all(args, &connection).await,
    }
}

async fn one(args: &Args, connection: &Connection, name: &str) -> Result<u8, Error> {
    let object = connection.get(name).await?;
    let text = match args.output {
        Output::Json => pretty(&Row::of(&object).json()),
        Output::Text => details::render(&object, Clock::System.now(), Terminal::stdout()),
    };
    print(&text)?;
    Ok(EXIT_DONE)
}

async fn all(args: &Args, connection: &Connection) -> Result<u8, Error> {
    let api: Api<Guarded> = if args.all_namespaces {
        Api::all(connection.calls.clone())
    } else {
        Api::namespaced(connection.calls.clone(), &connection.namespace)
    };
    let found = list(&api).await?;
    let rows: Vec<Row> = found.iter().map(Row::of_guarded).collect();
    let text = match args.output {
        Output::Json => pretty(&rows.iter().map(Row::json).collect()),
        Output::Text if rows.is_empty() => {
            let place = match args.all_namespaces {
                true => "this cluster".to_owned(),
                false => format!("namespace {}; -A looks in all", connection.namespace),
            };
            eprintln!("There are no CanaryRollouts in {place}.");
            return Ok(EXIT_DONE);
        }
        Output::Text => {
            let (now, terminal) = (Clock::System.now(), Terminal::stdout());
            table::render(&rows, args.all_namespaces, now, terminal)
        }
    };
    print(&text)?;
    Ok(EXIT_DONE)
}

/// Reads all, page by page.
async fn list(api: &Api<Guarded>) -> Result<Vec<Guarded>, Error> {
    let mut all = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page: ObjectList<Guarded> =
            api.list(&params).await.map_err(|source| Error::api("list CanaryRollouts", &source))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}

/// One object as it is listed.
struct Row<'a> {
    namespace: String,
    name: String,
    /// The object, or why it cannot be read.
    object: Result<&'a CanaryRollout, String>,
}

impl<'a> Row<'a> {
    fn of(object: &'a CanaryRollout) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        Self { namespace, name: object.name_any(), object: Ok(object) }
    }

    fn of_guarded(guarded: &'a Guarded) -> Self {
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
        match object {
            Ok(object) => json!({"namespace": namespace, "name": name, "status": object.status}),
            Err(error) => json!({"namespace": namespace, "name": name, "error": error}),
        }
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
