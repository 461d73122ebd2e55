//! `groundcrew plan -f FILE`: reads AWS, and tells what manifests would do. Nothing is written.

mod offline;
mod show;

use std::path::PathBuf;

use super::{
    EXIT_DONE, EXIT_FAILED, Error,
    manifest::{self, Manifests},
    terminal,
};
use crate::canary_rollout::preview;

/// Cluster name in the model, where none is given.
const NO_CLUSTER: &str = "unnamed";

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It needs no cluster: credentials come from the usual AWS environment, and only reads are sent.

Exit codes: 0 nothing is in the way, 1 there are problems or AWS cannot be read, 2 a file is wrong.

Example: groundcrew plan -f processor.yaml --aws-region eu-central-1")]
pub(super) struct Args {
    /// Manifests, or folders of them; - is standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,
    /// AWS region where a manifest names none [env default: AWS_REGION]
    #[arg(long, env = "GROUNDCREW_AWS_REGION")]
    aws_region: Option<String>,
}

pub(super) async fn execute(args: Args) -> Result<u8, Error> {
    let Manifests { objects, notes } = manifest::load(&args.files, "default")?;
    notes.iter().for_each(|note| eprintln!("{note}"));
    let environment = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let region = args
        .aws_region
        .or_else(|| environment("AWS_REGION"))
        .or_else(|| environment("AWS_DEFAULT_REGION"));
    let context = offline::context(region)?;
    let mut code = EXIT_DONE;
    for object in &objects {
        let name = show::name(object);
        match preview::look(object, &context).await {
            Ok(preview) => {
                if !preview.problems.is_empty() {
                    code = EXIT_FAILED;
                }
                let text = show::render(object, &preview, terminal::Terminal::stdout());
                terminal::print(&text)?;
            }
            Err(source) => {
                let error = Error::Look { object: name, source: Box::new(source) };
                code = super::fail(&error, EXIT_FAILED);
            }
        }
    }
    Ok(code)
}
