//! Processes that end with this one, however it ends.

use std::{path::Path, process::Stdio, sync::LazyLock};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
    time::timeout,
};

use super::PATIENCE;

/// A server of the test set-up: it ends when its standard input closes, and tells what happens in
/// lines of JSON.
pub struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next thing that it tells.
    pub async fn told(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time");
        let line = line.unwrap().expect("the server ended; its log is in target/it-logs");
        serde_json::from_str(&line).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server runs")
    }
}

/// Sends a signal by its name, for example `STOP`.
pub async fn signal(pid: u32, name: &str) {
    let kill = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status().await.unwrap();
    assert!(status.success(), "{kill}");
}

/// Runs a command to its end; returns what it printed.
///
/// # Panics
///
/// When it fails, with what it said.
pub async fn output(command: &mut Command) -> String {
    let output = command.output().await.unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed: {out}{err}");
    out.into_owned()
}

/// Ends processes that do not watch their standard input. It reads their ids, an id with a minus
/// is no longer its business, and at the end of its input it kills the rest.
const WARDEN: &str = r#"
trap '' INT TERM HUP
ids=
while read -r line; do
  case $line in
  -*) kept=; for id in $ids; do [ "-$id" = "$line" ] || kept="$kept $id"; done; ids=$kept ;;
  *) ids="$ids $line" ;;
  esac
done
[ -z "$ids" ] || kill -KILL $ids
"#;

static WARDEN_INPUT: LazyLock<Mutex<ChildStdin>> = LazyLock::new(|| {
    let mut warden =
        Command::new("sh").args(["-c", WARDEN]).stdin(Stdio::piped()).spawn().expect("a shell");
    Mutex::new(warden.stdin.take().expect("its input"))
});

/// Lets the process end with this one.
pub async fn guard(pid: u32) {
    tell_warden(&format!("{pid}\n")).await;
}

/// The process has ended.
pub async fn unguard(pid: u32) {
    tell_warden(&format!("-{pid}\n")).await;
}

async fn tell_warden(line: &str) {
    WARDEN_INPUT.lock().await.write_all(line.as_bytes()).await.unwrap();
}
