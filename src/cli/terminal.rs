//! Standard output: how wide it is, whether it takes colours, and what is written there.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    process::{Command, Stdio},
};

use super::Error;

/// Width when a terminal does not tell.
const WIDTH_UNKNOWN: u16 = 100;

/// What standard output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terminal {
    /// Whether colours are wanted.
    pub(super) colour: bool,
    /// Columns of the terminal; none when it is none: lines may be of any length then.
    pub(super) width: Option<u16>,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Waits for a person.
    Asks,
    /// Wrong.
    Bad,
    /// Of less interest.
    Faint,
    /// A heading.
    Strong,
}

impl Terminal {
    /// What standard output can show. `NO_COLOR` is respected.
    pub(super) fn stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self { colour: false, width: None };
        }
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { colour: !set("NO_COLOR") && !dumb, width: Some(width()) }
    }

    /// Text in a colour, where colours are wanted.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Busy => "36",
            Tone::Asks => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `COLUMNS`, else what stty says of the controlling terminal.
fn width() -> u16 {
    let asked = || {
        let terminal = File::open("/dev/tty").ok()?;
        let answer = Command::new("stty")
            .arg("size")
            .stdin(Stdio::from(terminal))
            .stderr(Stdio::null())
            .output()
            .ok()?;
        String::from_utf8(answer.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
    };
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.or_else(asked).filter(|width| *width > 0).unwrap_or(WIDTH_UNKNOWN)
}

/// Writes to standard output.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}
