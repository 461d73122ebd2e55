//! `groundcrew forecast`: when windows will open, from manifests or from a cluster. Nothing is written but
//! the calendar file that is asked for.

mod calendar;
mod openings;
mod rows;
mod show;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use kube::{Api, core::DeserializeGuard};

use self::openings::{Forecast, Severity};
use super::{
    EXIT_DONE, EXIT_FAILED, Error,
    cluster::{self, Connection},
    manifest::{self, Manifests},
    terminal::{Terminal, print},
};
use crate::{
    api::{duration::Duration, maintenance_window::MaintenanceWindow},
    context::Clock,
    time::moments,
};

/// Longest time that is looked ahead: plans of a year, and the one after it.
const AHEAD_MAX: Duration = Duration::from_secs(2 * 366 * 24 * 3_600);

/// Arguments of `forecast`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With -f it needs no cluster: what is told follows from the manifests alone.

Exit codes: 0 all windows can open, 1 one is invalid or never opens, 2 a file is wrong.

Examples:
  groundcrew forecast -f windows/ --for 90d
  groundcrew forecast -A --ics windows.ics")]
pub(super) struct Args {
    /// Manifests, or folders of them; - is standard input [default: the windows of the cluster]
    #[arg(short, long = "filename", value_name = "FILE", num_args = 1..)]
    files: Vec<PathBuf>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "files"])]
    all_namespaces: bool,
    /// How far to look ahead, at most two years
    #[arg(long = "for", value_name = "DURATION", default_value = "30d", value_parser = ahead)]
    ahead: Duration,
    /// Write the openings to this file, too, as an iCalendar (RFC 5545)
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
    #[command(flatten)]
    cluster: cluster::Args,
}

fn ahead(text: &str) -> Result<Duration, String> {
    let ahead: Duration = text.parse().map_err(|error| format!("{error}"))?;
    if ahead == Duration::ZERO || ahead > AHEAD_MAX {
        return Err(format!("give more than nothing, and at most {AHEAD_MAX}"));
    }
    Ok(ahead)
}

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let now = Clock::System.now(); // Read once: all that is told is as of then.
    let until = moments::after(now, args.ahead.signed());
    let mut forecast = Forecast::new(now, until);
    if args.files.is_empty() {
        let connection = args.cluster.connect().await?;
        for object in list(args, &connection).await? {
            match object.0 {
                Ok(window) => forecast.add(&window),
                Err(error) => forecast.add_unreadable(&error.metadata, &error.error),
            }
        }
    } else {
        let namespace = args.cluster.namespace.as_deref().unwrap_or("default");
        let Manifests { objects, notes } = manifest::load(&args.files, namespace)?;
        notes.iter().for_each(|note| eprintln!("{note}"));
        objects.iter().for_each(|window| forecast.add(window));
    }
    forecast.sort();
    if let Some(path) = &args.ics {
        std::fs::write(path, calendar::render(&forecast, now))
            .map_err(|source| Error::WriteFile { path: path.clone(), source })?;
        if forecast.happening().next().is_none() {
            eprintln!("No opening takes place: {} has no events.", path.display());
        }
    }
    print(&show::render(&forecast, Terminal::stdout()))?;
    let wrong = forecast.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if wrong { EXIT_FAILED } else { EXIT_DONE })
}

/// The windows of the cluster.
async fn list(
    args: &Args,
    connection: &Connection,
) -> Result<Vec<DeserializeGuard<MaintenanceWindow>>, Error> {
    let client = connection.calls.clone();
    let api: Api<DeserializeGuard<MaintenanceWindow>> = if args.all_namespaces {
        Api::all(client)
    } else {
        Api::namespaced(client, &connection.namespace)
    };
    cluster::list(&api).await
}
