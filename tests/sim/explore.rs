//! Runs scenarios: without faults, with every single fault, and with many at random.

mod points;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use groundcrew::api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

pub use self::points::{FaultPoints, counts};
use crate::{
    faults::{Fault, Faults},
    history::Write,
    random,
    scenarios::{End, Scenario},
    script::Rule,
    world::{
        Call, MAIN, State, World, kubernetes::key, lambda::STALENESS, operator, sights::Sight,
    },
};

/// When runs begin that care not: 21 September 2026, 14:13:20 UTC.
pub const EPOCH_SECOND: i64 = 1_790_000_000;

/// Longest that it takes until a fault at the last call is got over: a look that waits for an edit,
/// and the passes after it.
const RECOVERY: Duration = Duration::from_secs(5 * 60);

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
    pub trace: String,
    /// Metrics of the process that ran last.
    pub metrics: String,
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
        Run::of(&state, end)
    })
}

impl Run {
    fn of(state: &State, end: Instant) -> Self {
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
            trace: state.trace(),
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

/// A sentence without how much was evaluated, and without why the metrics could not be read at last:
/// both depend on when it was tried.
fn without_circumstances(text: &str) -> String {
    let mut text = text.to_owned();
    for what in [" samples", " of 1000000 invocations"] {
        if let Some((before, after)) = text.split_once(what) {
            let before = before.trim_end_matches(|digit: char| digit.is_ascii_digit());
            text = format!("{before}{what}{after}");
        }
    }
    let unreadable = "the metrics cannot be read";
    let Some((before, cause)) = text.split_once(unreadable) else { return text };
    let after = cause.find("; the alias serves").and_then(|at| cause.get(at..));
    format!("{before}{unreadable}{}", after.unwrap_or_default())
}

/// What a window tells.
fn told(window: &MaintenanceWindow) -> (String, Value) {
    let mut value = serde_json::to_value(&window.status).expect("a status");
    mask(&mut value);
    mask_checks(&mut value);
    (key(window), value)
}

/// Takes away why a check does not hold: where it could not be looked at last, that is what is told.
fn mask_checks(value: &mut Value) {
    const CHECK: &str = "check database: ";
    match value {
        Value::Object(fields) => {
            let broken = fields.get("verdict").is_some_and(|verdict| verdict != "Passed");
            if broken && fields.contains_key("stage") {
                fields.insert("verdict".into(), Value::Null);
                fields.insert("message".into(), Value::Null);
            }
            fields.values_mut().for_each(mask_checks);
        }
        Value::Array(items) => items.iter_mut().for_each(mask_checks),
        Value::String(text) => {
            if let Some((before, why)) = text.split_once(CHECK) {
                let after = why.find("; ").and_then(|at| why.get(at..)).unwrap_or_default();
                *text = format!("{before}{CHECK}it does not hold{after}");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes away what differs between runs that are the same to a user: times, and Lambda's revision
/// ids, which count all writes.
fn mask(value: &mut Value) {
    const MASKED: [&str; 15] = [
        // How much was evaluated depends on when.
        "failures",
        "samples",
        "through",
        "enteredAt",
        "startedAt",
        "endedAt",
        "holdUntil",
        "openedAt",
        "closedAt",
        "pausedAt",
        "at",
        "since",
        "lastTransitionTime",
        "revisionId",
        "configuredAt",
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if MASKED.contains(&name.as_str()) { *field = Value::Null } else { mask(field) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::String(text) => *text = without_circumstances(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A scenario with one fault that went otherwise than without.
pub struct Deviation {
    pub scenario: &'static str,
    pub label: String,
    pub fault: Fault,
    pub found: Vec<String>,
    pub trace: String,
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
        let found = if raced { run.violations.clone() } else { run.compare(golden, &fault) };
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

    /// What differs from the run without faults beyond what a fault may do:
    ///
    /// - times, Lambda's revision ids, and how often things were read;
    /// - writes that Lambda refused (412, 409): they change nothing. At most two, and only where an
    ///   answer was lost or old;
    /// - one write more that Lambda refused because there is no such version: the read that would have
    ///   told failed, and going back does not wait for it;
    /// - once, a write without weights that says what the write before it said: where the answer to
    ///   that was lost or is too old, it proves that the end of a flight was reached. While Lambda has
    ///   weights of its own, and what it is about must not be read, each minute.
    pub fn compare(&self, golden: &Self, fault: &Fault) -> Vec<String> {
        let mut found = self.violations.clone();
        let mut differ = |what: &str, same: bool, is: String, was: String| {
            if !same {
                found.push(format!("{what} is {is}, was {was}"));
            }
        };
        let json = |status: &Option<Value>| status.as_ref().map(ToString::to_string);
        differ(
            "status",
            self.status == golden.status,
            format!("{:?}", json(&self.status)),
            format!("{:?}", json(&golden.status)),
        );
        let (is, was) = (&self.windows, &golden.windows);
        differ("windows", is == was, format!("{is:?}"), format!("{was:?}"));
        let (is, was) = (&self.muted, &golden.muted);
        differ("muted", is == was, format!("{is:?}"), format!("{was:?}"));
        let (is, was) = (&self.switched_off, &golden.switched_off);
        differ("switched off", is == was, format!("{is:?}"), format!("{was:?}"));
        differ(
            "alias",
            self.alias == golden.alias,
            format!("{:?}", self.alias),
            format!("{:?}", golden.alias),
        );
        let finalizers = self.finalizers == golden.finalizers;
        let show = |run: &Self| format!("{:?}", run.finalizers);
        differ("finalizers", finalizers, show(self), show(golden));
        let memory_lost = match fault {
            Fault::AppliedUnanswered
            | Fault::AppliedLate
            | Fault::CrashAfter
            | Fault::CrashBefore
            | Fault::LeaseLost
            | Fault::OldAnswers => true,
            Fault::Denied
            | Fault::Throttled
            | Fault::Lost
            | Fault::Stale
            | Fault::Conflict
            | Fault::WatchLost
            | Fault::Meanwhile(_) => false,
        };
        let show = |writes: &[&Write]| {
            writes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let (mut is, was) = (self.applied(), golden.applied());
        forgive_repetitions(&mut is, &was, golden.repetitions);
        differ("writes", is == was, show(&is), show(&was));
        let allowed = if memory_lost { 2 } else { 0 };
        let within = self.refused() <= golden.refused() + allowed;
        differ("refused", within, self.refused().to_string(), golden.refused().to_string());
        let (is, was) = (self.versionless(), golden.versionless());
        differ("versionless", is <= was + 1, is.to_string(), was.to_string());
        found
    }

    /// Writes that changed an alias, those for each object in their order.
    fn applied(&self) -> Vec<&Write> {
        let mut applied: Vec<_> = self.writes.iter().filter(|write| write.applied).collect();
        applied.sort_by(|one, other| one.by.cmp(&other.by));
        applied
    }

    /// Writes that Lambda refused, for another reason than that there is no such version.
    fn refused(&self) -> usize {
        self.writes.iter().filter(|write| !write.applied && !write.versionless).count()
    }

    /// Writes that Lambda refused because there is no such version.
    fn versionless(&self) -> usize {
        self.writes.iter().filter(|write| write.versionless).count()
    }
}

/// Takes away writes that repeat the one before them, for each object as many as there are too many, up
/// to `most`.
fn forgive_repetitions(is: &mut Vec<&Write>, was: &[&Write], most: usize) {
    let repeated = |pair: &[&Write]| pair[0] == pair[1] && pair[1].weight.is_none();
    let count = |writes: &[&Write], by: &str| writes.iter().filter(|write| write.by == by).count();
    let objects: BTreeSet<&str> = was.iter().map(|write| write.by.as_str()).collect();
    for by in objects {
        for _ in 0..most {
            let of_it = |pair: &[&Write]| pair[1].by == by && repeated(pair);
            if count(is, by) > count(was, by)
                && let Some(at) = is.windows(2).position(of_it)
            {
                is.remove(at);
            }
        }
    }
}
