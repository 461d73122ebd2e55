//! What the operator costs, and how fast it is: the figures of docs/PERFORMANCE.md.
//!
//! Small in CI, where machines are busy and builds are slow: then only what does not depend on the
//! machine must hold. `make scale` measures the release build alone on the machine, in full.

mod analysis;
mod fleet;
mod healthy;
mod latency;

use std::{
    sync::Mutex,
    time::{Duration, UNIX_EPOCH},
};

use crate::harness::StandIn;

/// Longest that the stand-in waits for a call (`MAX_WAIT` in hack/aws/overlay/control.py).
const LONG_POLL: Duration = Duration::from_secs(300);
/// Memory that the operator may take, in MB.
const RSS_MAX_MB: f64 = 60.0;

/// Whether everything is measured in full.
pub fn in_full() -> bool {
    std::env::var("GROUNDCREW_SCALE").is_ok_and(|size| size == "full")
}

/// Figures beyond their bounds, of the test that runs.
static BEYOND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Tells a figure. Where the machine is ours, [`all_kept`] demands that it keeps its bound.
pub fn keeps(what: &str, value: f64, most: f64, unit: &str) {
    println!("scale: {what}: {value:.1} {unit} (at most {most:.1})");
    if in_full() && value > most {
        let beyond = format!("{what}: {value:.1} {unit}, allowed are {most:.1}");
        BEYOND.lock().unwrap().push(beyond);
    }
}

/// Called when all figures of a test were told, so that one beyond its bound hides no other.
///
/// # Panics
///
/// When there is one.
pub fn all_kept() {
    let beyond = std::mem::take(&mut *BEYOND.lock().unwrap());
    assert!(beyond.is_empty(), "{beyond:#?}");
}

/// Tells a figure that has no bound.
fn tell(what: &str, value: f64, unit: &str) {
    println!("scale: {what}: {value:.2} {unit}");
}

/// The number of the last call of any operator.
async fn last_call(aws: &StandIn) -> u64 {
    let told = aws.control("GET", "calls?result=none", None).await;
    told["last"].as_u64().unwrap()
}

/// Lets time pass in which nothing is written to AWS for the namespaces whose names begin so.
///
/// # Panics
///
/// At the first write, and at once for a time that the stand-in does not wait.
async fn nothing_written_for(aws: &StandIn, namespaces: &str, time: Duration) {
    assert!(time <= LONG_POLL, "{time:?} are more than one long poll");
    let query = format!("write=true&since={}&wait={}", last_call(aws).await, time.as_secs_f64());
    let writes = aws.calls(namespaces, &query).await;
    assert!(writes.is_empty(), "{writes:?}");
}

/// Seconds since 1970, by the clock of the stand-in in real time.
#[expect(clippy::disallowed_methods, reason = "compared with the times of another process")]
fn wall() -> f64 {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The value that this share of all, 0 to 1, does not exceed.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}
