//! One stage for all scenarios: a control plane, the AWS stand-in, the chart, and an operator.
//!
//! Scenarios mostly wait, so more of them than processors may run at once. Logs are in
//! `target/it-logs`: of each operator by the name it was started with, of the control planes, and
//! of every call to the stand-in. All processes end with the test process, however it ends.

mod aws;
mod cluster;
mod operator;
mod process;
mod scene;
mod windows;

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::json;
use tokio::{
    runtime::Runtime,
    sync::{Mutex, OnceCell},
};

pub use self::{
    aws::{Alias, Call, FUNCTION, StandIn},
    cluster::{Cluster, SYSTEM, tool},
    operator::{Operator, binary},
    process::output,
    scene::{Scene, condition, spec, until},
    windows::once,
};

/// How much faster decisions see time pass: the operator's highest.
pub const SCALE: u32 = 60;
/// Longest that anything is waited for, in real time: many times what it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The operators' `--cluster-name`.
pub const CLUSTER_NAME: &str = "it";
pub const REGION: &str = "eu-central-1";

/// Clients outlive single tests, so the runtime that drives them does, too.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
/// When all scaled clocks showed the system's time.
static EPOCH: LazyLock<Timestamp> = LazyLock::new(now);
static STAND_IN: OnceCell<Arc<StandIn>> = OnceCell::const_new();
static SHARED: OnceCell<(Cluster, Operator)> = OnceCell::const_new();
/// For scenarios that stop operators or the API server: one at a time.
static PRIVATE: OnceCell<Mutex<Cluster>> = OnceCell::const_new();
/// For scenarios with a stage of their own: one at a time, so that at most four operators run, on
/// three control planes and two stand-ins.
static APART: Mutex<()> = Mutex::const_new(());

#[expect(clippy::disallowed_methods, reason = "the start of the scaled clocks")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// What the scaled clocks show.
pub fn scaled_now() -> Timestamp {
    let passed = now().duration_since(*EPOCH);
    *EPOCH + passed * i32::try_from(SCALE).unwrap()
}

/// How fast time goes for decisions, and for whatever has a date in AWS.
#[derive(Clone, Copy)]
pub enum Pace {
    /// [`SCALE`] times as fast as everybody's.
    Scaled,
    /// For what rate limits make last, and for what is measured.
    Real,
}

impl Pace {
    /// The flags of the operator and of the stand-in for it.
    fn flags(self) -> Vec<String> {
        match self {
            Self::Scaled => {
                ["--clock-scale", &SCALE.to_string(), "--clock-epoch", &EPOCH.to_string()]
                    .map(str::to_owned)
                    .to_vec()
            }
            Self::Real => Vec::new(),
        }
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where logs of operators are kept.
fn logs() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("it-logs");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The stand-in of most scenarios.
async fn stand_in() -> Arc<StandIn> {
    let start = async || {
        let stand_in = StandIn::start("aws", Pace::Scaled).await;
        // Its clock began when it came up: what mutes and ends by itself has to do so in time.
        let clock = json!({"scale": SCALE, "epoch": scaled_now().to_string()});
        stand_in.control("POST", "clock", Some(clock)).await;
        stand_in
    };
    Arc::clone(STAND_IN.get_or_init(start).await)
}

async fn shared() -> &'static (Cluster, Operator) {
    SHARED
        .get_or_init(async || {
            let cluster = Cluster::start("shared", stand_in().await).await;
            let flags = ["--allow-http-host=127.0.0.1", "--allow-ssm-documents=AWS-*,patch"];
            let operator = Operator::start(&cluster, "shared", &flags).await;
            (cluster, operator)
        })
        .await
}

/// The control plane that all scenarios share.
pub async fn shared_cluster() -> &'static Cluster {
    &shared().await.0
}

/// Runs what needs no operator of its own to the end.
pub fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// Plays a scenario in the shared control plane, under the shared operator.
pub fn play(name: &str, test: impl AsyncFnOnce(&Scene<'_>)) {
    run(async {
        let (cluster, operator) = shared().await;
        let scene = Scene::set(cluster, name).await;
        let ended = AssertUnwindSafe(test(&scene)).catch_unwind().await;
        scene.close(ended, &[operator]).await;
    });
}

/// Plays a scenario that starts operators of its own, in a control plane of their own.
pub fn play_alone(name: &str, test: impl AsyncFnOnce(&Scene<'_>, &mut Vec<Operator>)) {
    run(async {
        let start = async || Mutex::new(Cluster::start("private", stand_in().await).await);
        let cluster = PRIVATE.get_or_init(start).await;
        let cluster = cluster.lock().await;
        play_in(&cluster, name, test).await;
    });
}

/// The same in real time, in a control plane and a stand-in that end with the scenario: for what
/// rate limits make last, what is measured, and what leaves much.
pub fn play_apart(name: &str, test: impl AsyncFnOnce(&Scene<'_>, &mut Vec<Operator>)) {
    run(async {
        let _turn = APART.lock().await;
        let stand_in = StandIn::start("aws-real-time", Pace::Real).await;
        let cluster = Cluster::start(name, stand_in).await;
        play_in(&cluster, name, test).await;
    });
}

async fn play_in(
    cluster: &Cluster,
    name: &str,
    test: impl AsyncFnOnce(&Scene<'_>, &mut Vec<Operator>),
) {
    let scene = Scene::set(cluster, name).await;
    let mut operators = Vec::new();
    let ended = AssertUnwindSafe(test(&scene, &mut operators)).catch_unwind().await;
    for operator in &mut operators {
        operator.kill().await;
    }
    scene.close(ended, &operators.iter().collect::<Vec<_>>()).await;
}

/// How a scenario ended.
type Outcome = Result<(), Box<dyn Any + Send>>;
