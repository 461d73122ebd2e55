//! Runs scenarios: without faults, with every single fault, and with many at random.

mod compare;
mod lost;
mod masks;
mod points;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use groundcrew::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    metrics::Metrics,
};
use jiff::Timestamp;
use kube::ResourceExt as _;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::masks::{mask, told};
pub use self::points::{FaultPoints, counts};
use crate::{
    faults::{Fault, Faults, Sort},
    history::Write,
    random,
    scenarios::{End, Scenario},
    script::Rule,
    world::{
        Call, MAIN, State, World, kubernetes::key, lambda::STALENESS, operator, shelf::Stored as _,
        sights::Sight, trace::Trace,
    },
};

/// When runs begin that care not: 21 September 2026, 14:13:20 UTC.
pub const EPOCH_SECOND: i64 = 1_790_000_000;

/// Longest that it takes until a fault at the last call is got over: a look that waits for an edit,
/// and the passes after it.
const RECOVERY: Duration = Duration::from_secs(5 * 60);

/// Scenarios at whose end something is not as it must be even without a fault: what is denied to the
/// last keeps the finalizer.
pub const RESTLESS: [&str; 2] = ["release-unreadable-then-abort", "release-unreadable-then-alarm"];

/// What is left of a run.
pub struct Run {
    /// Status with what may differ masked; none when the object is gone.
    pub status: Option<Value>,
    pub finalizers: Vec<String>,
    /// Version, weights in percent and description of the alias.
    pub alias: Option<(String, Vec<(String, i32)>, String)>,
    pub writes: Vec<Write>,
    /// Most writes too many that repeat the one before them.
    repetitions: usize,
    /// Statuses of the windows, masked alike.
    pub windows: BTreeMap<String, Value>,
    window_finalizers: BTreeMap<String, Vec<String>>,
    /// How often AWS was asked for each change, by window.
    aws_writes: BTreeMap<(String, String), usize>,
    /// Alarms that mute rules keep quiet.
    pub muted: Vec<String>,
    /// Alarms that do not act.
    pub switched_off: Vec<String>,
    pub status_writes: u32,
    pub window_status_writes: u32,
    /// Events for people.
    pub events: usize,
    pub all_calls: usize,
    /// Calls after which enough time was left to get over any fault.
    pub calls: Vec<Call>,
    /// When an alias was read that had just changed.
    doubtful_reads: Vec<Instant>,
    pub violations: Vec<String>,
    /// What is not as it must be once nothing happens any more.
    pub unrest: Vec<String>,
    pub trace: Trace,
    /// Those of the process that ran last.
    pub metrics: Option<Metrics>,
    pub end: Option<End>,
    /// What happened that not every run has.
    pub sights: BTreeSet<Sight>,
}

/// Runs a scenario with faults.
pub fn run(scenario: &Scenario, faults: Faults) -> Run {
    let Scenario { begins, prepare, rules, lasts, .. } = scenario;
    simulate_from(*begins, prepare, rules(), || faults, *lasts)
}

/// Runs a world from its beginning for a while.
pub fn simulate(
    prepare: impl FnOnce(&mut State),
    rules: Vec<Rule>,
    faults: impl FnOnce() -> Faults,
    lasts: Duration,
) -> Run {
    simulate_from(EPOCH_SECOND, prepare, rules, faults, lasts)
}

/// Runs a world from this second for a while, on paused time.
pub fn simulate_from(
    begins: i64,
    prepare: impl FnOnce(&mut State),
    rules: Vec<Rule>,
    faults: impl FnOnce() -> Faults,
    lasts: Duration,
) -> Run {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let epoch = Timestamp::from_second(begins).expect("a time");
        let world = World::new(epoch, faults());
        prepare(&mut world.lock());
        let end = Instant::now() + lasts;
        let playing = tokio::spawn(Arc::clone(&world).play(rules));
        operator::run(&world, end).await;
        sleep_until(end).await;
        playing.abort();
        let mut state = world.lock();
        state.finish();
        let trace = std::mem::take(&mut state.trace);
        Run::of(&state, end, trace)
    })
}

impl Run {
    fn of(state: &State, end: Instant, trace: Trace) -> Self {
        let object = state.object(MAIN);
        let status = object.and_then(|object| object.status.as_ref());
        let masked = status.map(|status| {
            let mut value = serde_json::to_value(status).expect("a status");
            mask(&mut value);
            // Which release was the last to find nothing to clear away depends on when it was looked.
            if state.is_denied("Delete") {
                value["pruned"] = Value::Null;
            }
            value
        });
        let phase = status.and_then(|status| status.phase);
        let alias = state.lambda.alias().map(|alias| {
            let weights: Vec<_> = alias.weights.iter().map(crate::world::lambda::percent).collect();
            (alias.version.clone(), weights, alias.description.clone())
        });
        let served = alias.as_ref().map(|(version, ..)| leak(version));
        let weighted = alias.as_ref().is_some_and(|(_, weights, _)| !weights.is_empty());
        let ends = match (object, phase, served) {
            (None, _, Some(version)) if weighted => Some(End::Abandoned(version)),
            (None, _, Some(version)) => Some(End::Gone(version)),
            (Some(_), Some(phase), Some(version)) if !weighted => Some(End::At(phase, version)),
            (_, _, _) => None,
        };
        let finalizers = |object: &CanaryRollout| object.metadata.finalizers.clone();
        Self {
            status: masked,
            finalizers: object.and_then(finalizers).unwrap_or_default(),
            alias,
            writes: state.lambda.writes.clone(),
            repetitions: if state.is_denied("GetProvisionedConcurrencyConfig") { 3 } else { 1 },
            windows: state.windows().map(told).collect(),
            window_finalizers: state
                .windows()
                .map(|window| (key(window), window.finalizers().to_vec()))
                .collect(),
            aws_writes: aws_writes(&state.calls),
            muted: state.cloudwatch.alarms.muted(state.now()),
            switched_off: state.cloudwatch.alarms.switched_off(),
            status_writes: state.kubernetes.status_writes,
            window_status_writes: state.kubernetes.window_status_writes,
            events: state.kubernetes.events,
            all_calls: state.calls.len(),
            calls: state.calls.iter().filter(|call| call.at + RECOVERY < end).cloned().collect(),
            doubtful_reads: state.lambda.doubtful_reads.clone(),
            violations: state.invariants.violations.clone(),
            unrest: random::unrest(state),
            trace,
            metrics: state.metrics.clone(),
            end: ends,
            sights: state.sights.clone(),
        }
    }
}

/// Ends name versions by constants; there are few of them.
fn leak(version: &str) -> &'static str {
    ["42", "43", "44", "45", "46", "47", "48"]
        .into_iter()
        .find(|known| *known == version)
        .unwrap_or("?")
}

const SWITCH_ON: &str = "EnableAlarmActions";

/// How often each window asked AWS for each change.
fn aws_writes(calls: &[Call]) -> BTreeMap<(String, String), usize> {
    let writes = calls.iter().filter(|call| call.sort == Sort::AwsWrite);
    let mut counts = BTreeMap::new();
    for call in writes {
        let window = call.by.as_ref().filter(|by| by.starts_with(MaintenanceWindow::CALLS));
        let Some(window) = window else { continue };
        let change = call.label.rsplit_once(" #").map_or("", |(change, _)| change);
        // Which of several alarms are switched on again together depends on when it is tried.
        let switches_on = change.starts_with(SWITCH_ON);
        let change = if switches_on { SWITCH_ON } else { change };
        *counts.entry((window.clone(), change.to_owned())).or_default() += 1;
    }
    counts
}

/// A scenario with one fault that went otherwise than without.
pub struct Deviation {
    pub scenario: &'static str,
    pub label: String,
    pub fault: Fault,
    pub found: Vec<String>,
    pub trace: Trace,
}

/// Runs a scenario with each fault at each call, or with one of so many of them. Returns the number of
/// runs and what deviated. Old answers are left out where none of them would differ from the truth: such
/// a run would be the one without faults.
pub fn every_single_fault(
    scenario: &Scenario,
    golden: &Run,
    one_of: usize,
) -> (usize, Vec<Deviation>) {
    let points = golden.calls.iter().flat_map(|call| {
        let faults = call.sort.faults().into_iter();
        let faults = faults.filter(|fault| *fault != Fault::OldAnswers || golden.doubts(call));
        faults.map(|fault| (call.label.clone(), fault))
    });
    let mut runs = 0;
    let mut deviations = Vec::new();
    for (label, fault) in points.step_by(one_of) {
        runs += 1;
        let run = run(scenario, Faults::one(&label, fault.clone()));
        let raced = run.end.is_some() && run.end == scenario.or_ends;
        let mut found = run.violations.clone();
        found.extend(run.unrest.iter().filter(|one| !golden.unrest.contains(one)).cloned());
        if !raced {
            found.extend(run.compare(golden, &fault, scenario.tasks));
        }
        if !found.is_empty() {
            let (scenario, trace) = (scenario.name, run.trace);
            deviations.push(Deviation { scenario, label, fault, found, trace });
        }
    }
    (runs, deviations)
}

impl Run {
    /// Whether an alias is read while answers that are old from a call on would differ from the truth:
    /// where none is, old answers change nothing at all.
    fn doubts(&self, call: &Call) -> bool {
        let old = call.at..call.at + STALENESS;
        self.doubtful_reads.iter().any(|at| old.contains(at))
    }
}
