//! `groundcrew window log NAME`: how the openings of a window went, as Markdown for a ticket.

mod log;

use kube::ResourceExt as _;

use self::log::Log;
use super::{EXIT_DONE, Error, cluster, terminal::print};
use crate::api::maintenance_window::MaintenanceWindow;

/// Arguments of `window`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print how the last openings went, as Markdown that can be pasted into a ticket
    Log(LogArgs),
}

/// Arguments of `window log`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The newest opening comes first; one that is open is told as it is now. The last ten are kept.

Examples:
  groundcrew window log weekly --last 1
  groundcrew window log weekly --opening weekly-20261206T0100Z > maintenance.md")]
struct LogArgs {
    /// Name of the MaintenanceWindow
    name: String,
    /// This opening alone, by its id
    #[arg(long, value_name = "ID", conflicts_with = "last")]
    opening: Option<String>,
    /// So many openings at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    last: Option<u8>,
    #[command(flatten)]
    cluster: cluster::Args,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let Command::Log(args) = &args.command;
    let connection = args.cluster.connect().await?;
    let window: MaintenanceWindow = connection.get(&args.name).await?;
    let mut log = Log::of(&window);
    if let Some(id) = &args.opening {
        log.keep(id).map_err(|known| Error::NoOpening {
            id: id.clone(),
            window: window.name_any(),
            known,
        })?;
    }
    if let Some(last) = args.last {
        log.openings.truncate(usize::from(last));
    }
    print(&log.render())?;
    Ok(EXIT_DONE)
}
