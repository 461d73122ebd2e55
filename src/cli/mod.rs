//! The command line: one file per subcommand.

mod act;
mod cluster;
mod completions;
mod crds;
mod error;
mod follow;
mod forecast;
#[cfg(test)]
mod hostile;
mod manifest;
mod plan;
mod run;
mod status;
mod table;
mod terminal;
mod wait;
mod window;

use std::{ffi::OsStr, path::Path};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::error::Error;
use crate::verbs::{Verb, windows};

/// Exit code when everything was done.
pub const EXIT_DONE: u8 = 0;
/// Exit code for what failed or was refused.
const EXIT_FAILED: u8 = 1;
/// Exit code for what a person gave wrong.
const EXIT_USAGE: u8 = 2;
/// Exit code when what was awaited did not come in time.
const EXIT_TIMED_OUT: u8 = 4;
/// The name under which kubectl finds a plugin.
const PLUGIN: &str = "kubectl-groundcrew";

/// A Kubernetes operator for the maintenance work that teams on AWS do from runbooks.
#[derive(Debug, Parser)]
#[command(name = "groundcrew", version, about, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  done; a verb was accepted, a release is where `wait` wanted it, a plan or forecast has no problems
  1  failed or refused
  2  wrong use
  3  the lease was lost (run)
  4  not in time (verbs, wait)

Installed under the name kubectl-groundcrew it is a kubectl plugin: kubectl groundcrew status";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator: in a cluster, or on a laptop with KUBECONFIG and the usual AWS environment
    Run(Box<run::Args>),
    /// Show CanaryRollouts and MaintenanceWindows: tables, or one in detail
    Status(status::Args),
    /// Approve the step that waits, or end its hold early
    Promote(act::Args),
    /// Leave the current step without its approval or hold
    SkipStep(act::Args),
    /// Send all traffic to the new version at once
    PromoteFull(act::Args),
    /// Go back to the stable version
    Abort(act::Args),
    /// Go back from a release that serves everybody to the version promoted before
    Rollback(act::Args),
    /// Try a release again that went back, or accept an alias that someone else moved
    Retry(act::Args),
    /// Stay at the current weight
    Pause(act::Args),
    /// Go on after a pause or a hold
    Resume(act::Args),
    /// Close a maintenance window that is open before its time
    Close(act::WindowArgs),
    /// Push the close of a maintenance window that is open
    Extend(act::ExtendArgs),
    /// Leave out the next opening of a maintenance window
    Skip(act::WindowArgs),
    /// Wait until a release is promoted, or went back; for CI
    Wait(wait::Args),
    /// Tell what manifests would do to AWS, without a cluster and without doing it
    Plan(plan::Args),
    /// Tell when maintenance windows will open, from manifests or from the cluster
    Forecast(forecast::Args),
    /// Tell how the openings of a maintenance window went
    Window(window::Args),
    /// Print the CustomResourceDefinitions as YAML
    Crds,
    /// Print shell completions
    Completions(completions::Args),
}

impl Cli {
    /// Reads the arguments of this process; tells what is wrong with them and ends it with 2.
    #[must_use]
    pub fn from_environment() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Carries out the subcommand; what goes wrong is told on standard error. What it left running has
    /// to end with the process, at once.
    ///
    /// This is not async: else all code that it waits for would be compiled into the binary once more.
    #[must_use]
    pub fn execute(self) -> u8 {
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(source) => {
                let error = Error::Runtime(source);
                return fail(&error, error.code());
            }
        };
        let code = runtime.block_on(self.carry_out());
        runtime.shutdown_background();
        code
    }

    async fn carry_out(self) -> u8 {
        let result = match self.command {
            Command::Run(args) => return run::execute(*args).await,
            Command::Crds => return crds::execute(),
            Command::Completions(args) => return completions::execute(&args),
            Command::Status(args) => status::execute(&args).await,
            Command::Promote(args) => act::rollout(Verb::Promote, &args).await,
            Command::SkipStep(args) => act::rollout(Verb::SkipStep, &args).await,
            Command::PromoteFull(args) => act::rollout(Verb::PromoteFull, &args).await,
            Command::Abort(args) => act::rollout(Verb::Abort, &args).await,
            Command::Rollback(args) => act::rollout(Verb::Rollback, &args).await,
            Command::Retry(args) => act::rollout(Verb::Retry, &args).await,
            Command::Pause(args) => act::rollout(Verb::Pause, &args).await,
            Command::Resume(args) => act::rollout(Verb::Resume, &args).await,
            Command::Close(args) => act::window(windows::Verb::Close, &args).await,
            Command::Extend(args) => act::extend(&args).await,
            Command::Skip(args) => act::window(windows::Verb::Skip, &args).await,
            Command::Wait(args) => wait::execute(&args).await,
            Command::Forecast(args) => forecast::execute(&args).await,
            Command::Window(args) => window::execute(&args).await,
            Command::Plan(args) => plan::execute(args).await,
        };
        match result {
            Ok(code) => code,
            // Whoever read our output had enough of it.
            Err(Error::Output(source)) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                EXIT_DONE
            }
            Err(error) => fail(&error, error.code()),
        }
    }
}

/// The command under the name that it was called by.
fn command() -> clap::Command {
    named(std::env::args_os().next().as_deref())
}

fn named(program: Option<&OsStr>) -> clap::Command {
    let command = Cli::command();
    let stem = program.and_then(|program| Path::new(program).file_stem());
    if stem == Some(OsStr::new(PLUGIN)) {
        command.name(PLUGIN).bin_name("kubectl groundcrew")
    } else {
        command
    }
}

/// Tells an error with its causes.
fn fail(error: &dyn std::error::Error, code: u8) -> u8 {
    eprintln!("groundcrew: {}", crate::error::chain(error));
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn as_a_plugin_it_goes_by_the_name_that_people_type() {
        let usage = |program: &str| {
            let mut command = named(Some(OsStr::new(program)));
            command.render_usage().to_string()
        };
        assert_eq!(usage("/usr/bin/kubectl-groundcrew"), "Usage: kubectl groundcrew <COMMAND>");
        assert_eq!(usage("./groundcrew"), "Usage: groundcrew <COMMAND>");
    }

    #[test]
    fn every_verb_has_a_subcommand_of_its_name() {
        let command = Cli::command();
        let missing = Verb::ALL.into_iter().find(|v| command.find_subcommand(v.as_str()).is_none());
        assert_eq!(missing, None);
        for form in windows::Verb::FORMS {
            let word = form.split('=').next().unwrap();
            assert!(command.find_subcommand(word).is_some(), "{word}");
        }
    }

    #[test]
    fn completions_cover_every_subcommand() {
        let mut script = Vec::new();
        clap_complete::generate(
            clap_complete::Shell::Bash,
            &mut Cli::command(),
            "groundcrew",
            &mut script,
        );
        let script = String::from_utf8(script).unwrap();
        for subcommand in Cli::command().get_subcommands() {
            let name = subcommand.get_name();
            assert!(script.contains(&format!("groundcrew,{name})")), "{name}");
        }
    }
}
