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

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::{
    runtime::Runtime,
    sync::{Mutex, OnceCell},
};

pub use self::{
    aws::{Alias, Call, FUNCTION, StandIn},
    cluster::{Cluster, tool},
    operator::{Operator, binary},
    process::output,
    scene::{Scene, condition, spec, until},
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
static STAND_IN: OnceCell<StandIn> = OnceCell::const_new();
static SHARED: OnceCell<(Cluster, Operator)> = OnceCell::const_new();
/// For scenarios that stop operators or the API server: one at a time.
static PRIVATE: OnceCell<Mutex<Cluster>> = OnceCell::const_new();

#[expect(clippy::disallowed_methods, reason = "the start of the scaled clocks")]
fn now() -> Timestamp {
    Timestamp::now()
}

pub fn epoch() -> Timestamp {
    *EPOCH
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

pub async fn stand_in() -> &'static StandIn {
    STAND_IN.get_or_init(StandIn::start).await
}

async fn shared() -> &'static (Cluster, Operator) {
    SHARED
        .get_or_init(async || {
            let cluster = Cluster::start("shared").await;
            let operator =
                Operator::start(&cluster, "shared", &["--allow-http-host=127.0.0.1"]).await;
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
        let cluster =
            PRIVATE.get_or_init(async || Mutex::new(Cluster::start("private").await)).await;
        let cluster = cluster.lock().await;
        play_in(&cluster, name, test).await;
    });
}

/// The same in a control plane that ends with the scenario: for what lasts long, or leaves much.
pub fn play_apart(name: &str, test: impl AsyncFnOnce(&Scene<'_>, &mut Vec<Operator>)) {
    run(async {
        let cluster = Cluster::start(name).await;
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
