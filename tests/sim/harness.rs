//! The AWS stand-in of tests/it, with a clock that goes only when it is told to.

#[path = "../it/harness/aws.rs"]
pub mod aws;
#[path = "../it/harness/process.rs"]
mod process;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

/// Its clock stands still.
#[derive(Clone, Copy)]
pub struct Pace;

impl Pace {
    /// The flags of the stand-in for it.
    fn flags(self) -> Vec<String> {
        ["--clock-scale", "0", "--clock-epoch", &epoch().to_string()].map(str::to_owned).to_vec()
    }
}

/// Longest that a server of the test set-up may take to say something.
pub const PATIENCE: Duration = Duration::from_secs(90);
pub const REGION: &str = "eu-central-1";

/// When every sequence of calls starts: a whole minute.
pub fn epoch() -> Timestamp {
    "2026-11-20T21:00:00Z".parse().expect("a time")
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the logs of the stand-in are kept.
fn logs() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sim-logs");
    std::fs::create_dir_all(&folder).expect("a folder for logs");
    folder
}
