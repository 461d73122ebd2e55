//! The world in memory: Lambda and Kubernetes as the ports show them, with faults at every call.

pub mod cloudwatch;
pub mod codedeploy;
pub mod databases;
pub mod functions;
pub mod kubernetes;
pub mod lambda;
pub mod operator;
pub mod provisioned;
pub mod scaling;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use groundcrew::{context::Clock, kubernetes::leader::Held};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    faults::{Fault, Faults, Sort},
    history::Event,
    invariants::Invariants,
    script::{Rule, View},
};

/// Namespace of every object.
pub const NAMESPACE: &str = "flights";
/// Name of the CanaryRollout.
pub const NAME: &str = "processor";
/// Name of the cluster, in marks.
pub const CLUSTER: &str = "sim";
/// Function and alias.
pub const FUNCTION: &str = "flightdata-processor";
/// The alias that is moved.
pub const ALIAS: &str = "production";

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(20);
/// How long an unanswered call to AWS lasts: longer than its caller waits.
const SILENCE: Duration = Duration::from_secs(6);
/// When a call that nobody waits for any more is carried out.
const LATE: Duration = Duration::from_secs(7);
/// How long a process that lost its lease lives on.
const AFTERLIFE: Duration = Duration::from_secs(3);

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

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
    pub invariants: Invariants,
    faults: Faults,
    /// Calls that a permission is missing for: what their names begin with.
    pub denied: Vec<&'static str>,
    counts: BTreeMap<String, u32>,
    /// All calls in order.
    pub calls: Vec<Call>,
    trace: Vec<String>,
    /// The object that a process looks at now, or looked at last.
    pub acting: String,
    /// What the process that ran last had counted.
    pub metrics: String,
    /// The lease of the process that runs; none when it lost it.
    lease: Option<Held>,
    /// What is carried out now was sent long ago.
    late: bool,
    crashed: bool,
    /// When the process that lost its lease ends.
    dies_at: Option<Instant>,
    clock: Clock,
    changed: watch::Sender<u64>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What, on what, and for the how many-th time.
    pub label: String,
    pub sort: Sort,
    pub at: Instant,
}

/// How a call goes on after its faults were looked at.
enum Course {
    /// It is carried out and answered.
    Answered,
    /// It is carried out and answered; then the lease is gone.
    LastWithLease,
    /// It is carried out; the process dies before it knows.
    AppliedCrash,
    /// It is not carried out; the process dies.
    Crash,
    /// It is carried out, and no answer comes.
    AppliedUnanswered,
    /// It is carried out later, and no answer comes.
    AppliedLate,
    /// It is not carried out; this is the answer.
    Refused(Fault),
}

impl World {
    /// A world with faults to come.
    pub fn new(epoch: Timestamp, faults: Faults) -> Arc<Self> {
        let clock = Clock::simulated(epoch);
        let changed = watch::channel(0).0;
        let state = State {
            lambda: lambda::Lambda::new(),
            kubernetes: kubernetes::Store::default(),
            cloudwatch: cloudwatch::CloudWatch::default(),
            auto_scaling: scaling::AutoScaling::default(),
            codedeploy: codedeploy::CodeDeploy::default(),
            databases: databases::Databases::default(),
            invariants: Invariants::default(),
            faults,
            denied: Vec::new(),
            counts: BTreeMap::new(),
            calls: Vec::new(),
            trace: Vec::new(),
            acting: NAME.to_owned(),
            metrics: String::new(),
            lease: None,
            late: false,
            crashed: false,
            dies_at: None,
            clock: clock.clone(),
            changed: changed.clone(),
        };
        Arc::new(Self { state: Mutex::new(state), changed, clock })
    }

    /// The state, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Makes one call: counts it, lets its fault happen, and carries it out.
    async fn call<T: Send + 'static, E: Send + 'static>(
        self: &Arc<Self>,
        sort: Sort,
        what: String,
        apply: impl FnOnce(&mut State) -> Result<T, E> + Send + 'static,
        refuse: impl Fn(&Fault) -> E + Send + Sync,
    ) -> Result<T, E> {
        sleep(LATENCY).await;
        let course = self.lock().course(sort, &what);
        match course {
            Course::Answered => {
                let mut state = self.lock();
                let answer = apply(&mut state);
                state.note(format!("      {}", if answer.is_ok() { "ok" } else { "refused" }));
                answer
            }
            Course::LastWithLease => {
                let mut state = self.lock();
                let answer = apply(&mut state);
                state.lose_lease();
                answer
            }
            Course::Crash => {
                self.lock().crash();
                std::future::pending().await
            }
            Course::AppliedCrash => {
                {
                    let mut state = self.lock();
                    let _ = apply(&mut state);
                    state.crash();
                }
                std::future::pending().await
            }
            Course::AppliedUnanswered => {
                let _ = apply(&mut self.lock());
                self.silence(sort).await;
                Err(refuse(&Fault::Lost))
            }
            Course::AppliedLate => {
                let world = Arc::clone(self);
                tokio::spawn(async move {
                    sleep(LATE).await;
                    let mut state = world.lock();
                    state.late = true;
                    let applied = apply(&mut state).is_ok();
                    state.late = false;
                    state.note(format!("      late: applied {applied}"));
                });
                self.silence(sort).await;
                Err(refuse(&Fault::Lost))
            }
            Course::Refused(fault) => {
                if fault == Fault::Lost {
                    self.silence(sort).await;
                }
                Err(refuse(&fault))
            }
        }
    }

    /// No answer: callers of AWS give up by themselves, Kubernetes' client by its own time-out.
    async fn silence(&self, sort: Sort) {
        if matches!(sort, Sort::AwsRead | Sort::AwsWrite) {
            sleep(SILENCE).await;
        }
    }
}

impl State {
    /// What conditions are asked of.
    pub fn view(&self) -> View<'_> {
        View { object: self.object(NAME), alias: self.lambda.alias() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everything that happened, a line each.
    pub fn trace(&self) -> String {
        self.trace.join("\n")
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, line: String) {
        let time = self.now().strftime("%H:%M:%S%.3f");
        self.trace.push(format!("{time} {line}"));
    }

    /// Tells the invariants what happened, and everybody that something did.
    pub fn happened(&mut self, event: &Event) {
        let now = self.now();
        for violation in self.invariants.observe(now, event) {
            self.note(format!("VIOLATED {violation}"));
        }
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The process dies; whatever it was about is dropped.
    pub fn crash(&mut self) {
        self.note("      the process dies".into());
        self.crashed = true;
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A new process takes the lease.
    fn lead(&mut self, lease: Held) {
        self.note("a process leads".into());
        self.crashed = false;
        self.dies_at = None;
        self.lease = Some(lease);
    }

    /// Whether the process that runs holds the lease, or held it when it sent what comes late.
    pub fn leads(&self) -> bool {
        self.late || self.lease.is_some()
    }

    /// Whether what is carried out now was sent long ago.
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// Whether a permission is missing for these calls.
    pub fn is_denied(&self, what: &str) -> bool {
        self.denied.iter().any(|calls| what.starts_with(calls))
    }

    fn course(&mut self, sort: Sort, what: &str) -> Course {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(1);
        let label = format!("{what} #{count}");
        let denied = self.is_denied(what);
        let fault = match self.faults.at(&label, sort) {
            // What is not allowed is carried out in no way.
            Some(Fault::CrashAfter) if denied => Some(Fault::CrashBefore),
            None | Some(Fault::OldAnswers | Fault::AppliedUnanswered | Fault::AppliedLate)
                if denied =>
            {
                Some(Fault::Denied)
            }
            Some(Fault::LeaseLost) if denied => {
                self.lose_lease();
                Some(Fault::Denied)
            }
            fault => fault,
        };
        let told = fault.as_ref().map_or(String::new(), |fault| format!("  !! {fault:?}"));
        self.note(format!("{label}{told}"));
        self.calls.push(Call { label, sort, at: Instant::now() });
        match fault {
            None => Course::Answered,
            Some(Fault::CrashBefore) => Course::Crash,
            Some(Fault::CrashAfter) => Course::AppliedCrash,
            Some(Fault::AppliedUnanswered) => {
                self.invariants.unanswered(sort);
                Course::AppliedUnanswered
            }
            Some(Fault::AppliedLate) => Course::AppliedLate,
            Some(Fault::OldAnswers) => {
                self.lambda.answer_old();
                Course::Answered
            }
            Some(Fault::LeaseLost) => Course::LastWithLease,
            Some(Fault::WatchLost) => {
                self.kubernetes.break_watch();
                Course::Answered
            }
            Some(Fault::Meanwhile(edit)) => {
                self.edit(&edit);
                if self.crashed { Course::Crash } else { Course::Answered }
            }
            Some(
                fault @ (Fault::Denied
                | Fault::Throttled
                | Fault::Lost
                | Fault::Stale
                | Fault::Conflict),
            ) => Course::Refused(fault),
        }
    }

    /// Another replica may take the lease; this process ends soon.
    fn lose_lease(&mut self) {
        self.note("      the lease is lost".into());
        self.lease = None;
        self.dies_at = Some(Instant::now() + AFTERLIFE);
    }
}
