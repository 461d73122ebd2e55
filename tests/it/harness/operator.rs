//! The operator as a process.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{CLUSTER_NAME, Cluster, PATIENCE, REGION, logs, process};

/// Lines of a log that a failure shows.
const TAIL: usize = 60;
/// What the chart sets.
const MALLOC: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "65536"),
];
/// USER_HZ, which is 100 on every Linux.
const TICKS_A_SECOND: f64 = 100.0;
/// The operators' own AWS secret: it must show up nowhere.
pub const SECRET: &str = "pSg4hVb0wWlq9XkC3nTz";

/// Names another build of the operator to test: `make scale` measures the release build.
const BINARY: &str = "GROUNDCREW_OPERATOR";

/// The operator and command line under test.
pub fn binary() -> PathBuf {
    std::env::var_os(BINARY).map_or_else(|| env!("CARGO_BIN_EXE_groundcrew").into(), PathBuf::from)
}

/// What a process uses, as the kernel counts it.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Memory that is resident now, and the most that ever was, in MB of 1,000,000 bytes.
    pub rss_mb: f64,
    pub peak_mb: f64,
    /// Seconds that it ran on a processor since its start.
    pub cpu_secs: f64,
}

pub struct Operator {
    child: Child,
    /// None once it has ended.
    pid: Option<u32>,
    log: PathBuf,
}

impl Operator {
    /// Starts one with the chart's permissions and the clock of its AWS. `name` names its log.
    pub async fn start(cluster: &Cluster, name: &str, args: &[&str]) -> Self {
        let kubeconfig = cluster.operator_kubeconfig().await;
        let log = logs().join(format!("{name}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let child = Command::new(binary())
            .args(["run", "--cluster-name", CLUSTER_NAME, "--aws-region", REGION])
            .args(["--health-address", "127.0.0.1:0", "--identity", name])
            .args(cluster.stand_in.pace.flags())
            .args(args)
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .env("AWS_ENDPOINT_URL", &cluster.stand_in.endpoint)
            .envs(MALLOC)
            .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdin(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let pid = child.id();
        process::guard(pid.unwrap()).await;
        Self { child, pid, log }
    }

    /// What the process uses.
    pub fn usage(&self) -> Usage {
        let folder = format!("/proc/{}", self.pid.expect("the operator runs"));
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let megabytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
            kibibytes * 1_024.0 / 1e6
        };
        let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap();
        // After the name, which may hold spaces: state is field 3, utime 14, stime 15 (proc(5)).
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
        Usage {
            rss_mb: megabytes("VmRSS:"),
            peak_mb: megabytes("VmHWM:"),
            cpu_secs: ticks / TICKS_A_SECOND,
        }
    }

    pub async fn signal(&self, name: &str) {
        process::signal(self.pid.expect("the operator runs"), name).await;
    }

    /// Ends it at once, if it runs.
    pub async fn kill(&mut self) {
        if self.pid.is_some() {
            self.signal("KILL").await;
            self.ended().await;
        }
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap();
        process::unguard(self.pid.take().expect("it ran until now")).await;
        status
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The end of the log, for failures.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        format!("--- {}\n{tail}", self.log.display())
    }
}
