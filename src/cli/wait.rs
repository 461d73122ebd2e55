//! `groundcrew wait NAME`: for CI, until a release is promoted or went back.

mod judge;

use self::judge::{Goal, Verdict, Wanted, judge};
use super::{
    EXIT_DONE, EXIT_FAILED, EXIT_TIMED_OUT, Error,
    cluster::{self, span},
    follow,
    terminal::print,
};
use crate::api::duration::Duration;

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 the release is there, 1 it went back, was replaced or is invalid, 4 not in time.

Example, in a pipeline after kubectl apply:
  groundcrew wait processor --version 43 --timeout 2h")]
pub(super) struct Args {
    /// Name of the CanaryRollout
    name: String,
    /// Revision to wait for, as status.revision has it
    #[arg(long, conflicts_with = "version")]
    revision: Option<String>,
    /// Lambda version to wait for [default: what the spec asks for now]
    #[arg(long, value_name = "NUMBER")]
    version: Option<String>,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t)]
    goal: Goal,
    /// How long to wait
    #[arg(long, default_value = "1h")]
    timeout: Duration,
    #[command(flatten)]
    cluster: cluster::Args,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let connection = args.cluster.connect().await?;
    let object = connection.get(&args.name).await?;
    let wanted = match (&args.revision, &args.version) {
        (Some(revision), _) => Wanted::Revision(revision.clone()),
        (None, Some(version)) => Wanted::Version(version.clone()),
        (None, None) => Wanted::of_spec(&object),
    };
    let mut last = String::new();
    let verdict = follow::until(connection.watched(), &args.name, span(args.timeout), |object| {
        let Some(object) = object else {
            return Ok(Some(Verdict::Failed(format!("{} was deleted", args.name))));
        };
        match judge(object, &wanted, args.goal) {
            Verdict::Waiting(text) => {
                if text != last {
                    print(&format!("{text}\n"))?;
                    last = text;
                }
                Ok(None)
            }
            verdict @ (Verdict::Done(_) | Verdict::Failed(_)) => Ok(Some(verdict)),
        }
    });
    let verdict = verdict.await?;
    Ok(match verdict {
        Some(Verdict::Done(text)) => {
            print(&format!("{text}\n"))?;
            EXIT_DONE
        }
        Some(Verdict::Failed(text) | Verdict::Waiting(text)) => {
            eprintln!("groundcrew: {text}");
            EXIT_FAILED
        }
        None => {
            eprintln!("groundcrew: not {} within {}: {last}", args.goal.as_str(), args.timeout);
            EXIT_TIMED_OUT
        }
    })
}
