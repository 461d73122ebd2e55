//! The `groundcrew` command.

use groundcrew::cli::Cli;

fn main() {
    let code = Cli::from_environment().execute();
    // Not a return: what a lost lease left running has to end with the process, at once.
    std::process::exit(code.into());
}
