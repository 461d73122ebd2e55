//! `groundcrew completions SHELL`: prints shell completions.

use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn execute(args: &Args) -> u8 {
    let mut command = super::command();
    // Shells complete the program, whatever it calls itself in its help.
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut std::io::stdout());
    super::EXIT_DONE
}
