//! The world in memory: Lambda and Kubernetes as the ports show them, with faults at every call.

pub mod alarms;
pub mod cloudwatch;
pub mod codedeploy;
mod course;
pub mod databases;
mod desk;
pub mod functions;
pub mod kubernetes;
pub mod lambda;
pub mod notices;
pub mod operator;
mod people;
pub mod provisioned;
pub mod scaling;
pub mod shelf;
pub mod sights;
pub mod tasks;
mod topics;
pub mod trace;
pub mod windows;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use groundcrew::{
    context::{Clock, Steps},
    kubernetes::leader::Held,
    metrics::Metrics,
};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use self::{sights::Sight, trace::Trace};
use crate::{
    faults::{Faults, Sort},
    history::Event,
    invariants::Invariants,
    script::{Rule, View},
    windows::WEEKLY,
    years::chronicle::Chronicle,
};

/// Namespace of the CanaryRollout.
pub const NAMESPACE: &str = "flights";
/// Name of the CanaryRollout.
pub const NAME: &str = "processor";
/// Both.
pub const MAIN: &str = "flights/processor";
/// Name of the cluster, in marks.
pub const CLUSTER: &str = "sim";
/// Function and alias.
pub const FUNCTION: &str = "flightdata-processor";
/// The alias that is moved.
pub const ALIAS: &str = "production";

/// How long a process that lost its lease lives on.
const AFTERLIFE: Duration = Duration::from_secs(3);

tokio::task_local! {
    /// The object that is looked at, as `namespace/name`.
    static ACTING: String;
}

/// The object on whose behalf a call is made, as `namespace/name`; none where calls of several are
/// made together.
fn acting() -> Option<String> {
    ACTING.try_with(Clone::clone).ok()
}

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(5 * 365 * 86_400);
/// The world. Everything in it goes through one lock, so that a call is carried out at one moment.
pub struct World {
    state: Mutex<State>,
    /// Counts changes; whoever waits for something looks again.
    changed: watch::Sender<u64>,
    clock: Clock,
}

/// What is true.
pub struct State {
    pub lambda: lambda::Lambda,
    pub kubernetes: kubernetes::Store,
    pub cloudwatch: cloudwatch::CloudWatch,
    pub auto_scaling: scaling::AutoScaling,
    pub codedeploy: codedeploy::CodeDeploy,
    pub databases: databases::Databases,
    /// What tasks of windows work on.
    pub works: tasks::Works,
    pub notices: notices::Mailbox,
    pub invariants: Invariants,
    faults: Faults,
    /// Calls that a permission is missing for: what their names begin with.
    pub denied: Vec<&'static str>,
    /// Calls that are throttled, alike.
    pub throttled: Vec<&'static str>,
    counts: BTreeMap<String, u32>,
    /// All calls in order.
    pub calls: Vec<Call>,
    pub trace: Trace,
    /// What a run of years notes of its windows.
    pub chronicle: Option<Box<Chronicle>>,
    /// AWS answers nothing.
    pub aws_down: bool,
    /// The other object, where there are two.
    pub other: Option<Other>,
    /// What happened that not every run has.
    pub sights: BTreeSet<Sight>,
    /// The how many-th process runs.
    process: u64,
    /// What the process that ran last counts.
    pub metrics: Option<Metrics>,
    /// The lease of the process that runs; none when it lost it.
    lease: Option<Held>,
    /// What is carried out now was sent with the lease.
    led: bool,
    /// What is carried out now was sent long ago.
    late: bool,
    crashed: bool,
    /// When the process that lost its lease ends.
    dies_at: Option<Instant>,
    /// How long no other process follows the one that dies next.
    pub away: Duration,
    clock: Clock,
    steps: Steps,
    changed: watch::Sender<u64>,
}

/// Another object beside the one that a run is about.
#[derive(Clone)]
pub struct Other {
    /// As `namespace/name`.
    pub key: String,
    /// The alias that it names.
    pub alias: &'static str,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What, on what, and for the how many-th time.
    pub label: String,
    /// On whose behalf; none where calls of several are made together.
    pub by: Option<String>,
    pub sort: Sort,
    pub at: Instant,
}

impl World {
    /// A world with faults to come.
    pub fn new(epoch: Timestamp, faults: Faults) -> Arc<Self> {
        let (clock, steps) = Clock::settable(epoch);
        let changed = watch::channel(0).0;
        let state = State {
            lambda: lambda::Lambda::new(),
            kubernetes: kubernetes::Store::default(),
            cloudwatch: cloudwatch::CloudWatch::default(),
            auto_scaling: scaling::AutoScaling::default(),
            codedeploy: codedeploy::CodeDeploy::default(),
            databases: databases::Databases::default(),
            works: tasks::Works::default(),
            notices: notices::Mailbox::default(),
            invariants: Invariants::default(),
            faults,
            denied: Vec::new(),
            throttled: Vec::new(),
            counts: BTreeMap::new(),
            calls: Vec::new(),
            trace: Trace::default(),
            chronicle: None,
            aws_down: false,
            other: None,
            sights: BTreeSet::new(),
            process: 0,
            metrics: None,
            lease: None,
            led: false,
            late: false,
            crashed: false,
            dies_at: None,
            away: Duration::ZERO,
            clock: clock.clone(),
            steps,
            changed: changed.clone(),
        };
        Arc::new(Self { state: Mutex::new(state), changed, clock })
    }

    /// The state, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long no process is to follow, asked once.
    fn away(&self) -> Duration {
        std::mem::take(&mut self.lock().away)
    }

    /// Follows changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns once the process has died.
    async fn death(&self) {
        let mut changes = self.changes();
        loop {
            let (crashed, dies_at) = {
                let state = self.lock();
                (state.crashed, state.dies_at)
            };
            if crashed {
                return;
            }
            let end = dies_at.unwrap_or_else(|| Instant::now() + FOREVER);
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(end) => return self.lock().crash(),
            }
        }
    }

    /// Does what the rules say, in their order.
    pub async fn play(self: Arc<Self>, rules: Vec<Rule>) {
        for rule in rules {
            let mut changes = self.changes();
            while !(rule.when)(&self.lock().view()) {
                let _ = changes.changed().await;
            }
            sleep(rule.after).await;
            self.lock().edit(&rule.edit);
        }
    }
}

impl State {
    /// What conditions are asked of.
    pub fn view(&self) -> View<'_> {
        let window = self.window(WEEKLY);
        View { object: self.object(MAIN), alias: self.lambda.alias(), window }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, line: String) {
        let now = self.now();
        self.trace.note(now, line, self.chronicle.is_some());
    }

    /// Tells the invariants what happened, and everybody that something did.
    pub fn happened(&mut self, event: &Event) {
        let now = self.now();
        let found = self.invariants.observe(now, event);
        if let Some(chronicle) = &mut self.chronicle {
            let wrong = chronicle.observe(now, event);
            self.broken(wrong);
        }
        self.told(found);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Something is not as it must be.
    pub fn broken(&mut self, found: Vec<String>) {
        self.invariants.violations.extend(found.clone());
        self.told(found);
    }

    /// Notes what was broken.
    fn told(&mut self, found: Vec<String>) {
        for violation in found {
            self.note(format!("VIOLATED {violation}"));
        }
    }

    /// The process dies; whatever it was about is dropped.
    pub fn crash(&mut self) {
        self.note("      the process dies".into());
        self.crashed = true;
        self.process += 1;
        self.died();
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn died(&mut self) {
        self.invariants.process_died();
        let now = self.now();
        self.chronicle.iter_mut().for_each(|chronicle| chronicle.process_died(now));
    }

    /// All clocks are set by so many seconds; timers go on as before.
    pub fn step_clocks(&mut self, seconds: i64) {
        let before = self.now();
        self.steps.step(seconds);
        let now = self.now();
        self.invariants.windows.clocks_stepped(before.max(now));
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The run is over: what should have been done is checked once more.
    pub fn finish(&mut self) {
        let found = self.invariants.overdue(self.now());
        self.told(found);
        self.look_at_end();
    }

    /// A new process takes the lease.
    fn lead(&mut self, lease: Held) {
        self.note("a process leads".into());
        self.crashed = false;
        self.dies_at = None;
        self.lease = Some(lease);
        let now = self.clock.now();
        self.invariants.process_leads(now);
        self.chronicle.iter_mut().for_each(|chronicle| chronicle.process_leads(now));
    }

    /// Whether the process held the lease when it sent what is carried out now.
    pub fn leads(&self) -> bool {
        self.led
    }

    /// Whether what is carried out now was sent long ago.
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// Whether a permission is missing for these calls.
    pub fn is_denied(&self, what: &str) -> bool {
        self.denied.iter().any(|calls| what.starts_with(calls))
    }

    /// Another replica may take the lease; this process ends soon.
    fn lose_lease(&mut self) {
        self.note("      the lease is lost".into());
        self.lease = None;
        self.died();
        self.dies_at = Some(Instant::now() + AFTERLIFE);
    }
}
