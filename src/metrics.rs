//! What the operator counts and measures, in the text format that Prometheus scrapes (OpenMetrics).
//!
//! Labels come from closed sets in the code, or from Kubernetes and AWS: those are cleaned, cut at
//! [`LABEL_MAX`] characters, and bounded in number, so that no outside system can make the registry
//! grow without end.

mod rollouts;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    hash::Hash,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};

use self::rollouts::Rollouts;
pub use self::rollouts::{ROLLOUTS_MAX, RolloutSample, VERDICTS_MAX};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Longest label value, in characters: as long as a Kubernetes object's name may be.
pub const LABEL_MAX: usize = 253;

/// Most combinations of labels in one family whose labels come from AWS. The roughly 40 operations
/// with their dozen results, or 200 accounts and regions under throttling, stay below it.
pub const SERIES_MAX: usize = 1_000;

/// What stands for a label value once [`SERIES_MAX`] is reached.
const OTHER: &str = "other";

/// Upper bounds of the duration buckets, in seconds: from a pass that reads only caches to one
/// that waits for every time-out.
const BUCKETS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reconcile {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Operation {
    service: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AwsCall {
    service: &'static str,
    operation: &'static str,
    result: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Notice {
    channel: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Throttle {
    service: &'static str,
    account: String,
    region: String,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// All metrics of the process. A cheap handle to share.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<Reconcile, Counter>,
    reconcile_duration: Durations<Kind>,
    queue_depth: Family<Kind, Gauge>,
    aws_calls: Bounded<AwsCall>,
    aws_call_duration: Durations<Operation>,
    aws_throttles: Bounded<Throttle>,
    notices: Family<Notice, Counter>,
    leader: Arc<Leader>,
    rollouts: Arc<Rollouts>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics that have counted nothing yet. They tell that this process does not lead until
    /// [`Metrics::leads_when`] says how to find out.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            reconciles: Family::default(),
            reconcile_duration: Family::new_with_constructor(histogram),
            queue_depth: Family::default(),
            aws_calls: Bounded::new(),
            aws_call_duration: Family::new_with_constructor(histogram),
            aws_throttles: Bounded::new(),
            notices: Family::default(),
            leader: Arc::default(),
            rollouts: Arc::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix("groundcrew");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        registry.register("reconciles", "Passes over an object", self.reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "How long a pass over an object took",
            Unit::Seconds,
            self.reconcile_duration.clone(),
        );
        registry.register(
            "reconcile_queue_depth",
            "Objects whose pass is waiting or running",
            self.queue_depth.clone(),
        );
        registry.register(
            "aws_calls",
            "Calls to AWS by their result",
            self.aws_calls.family.clone(),
        );
        registry.register_with_unit(
            "aws_call_duration",
            "How long a call to AWS took",
            Unit::Seconds,
            self.aws_call_duration.clone(),
        );
        registry.register(
            "aws_throttles",
            "Calls to AWS that it refused for their rate",
            self.aws_throttles.family.clone(),
        );
        registry.register("notices", "Notices by what became of them", self.notices.clone());
        registry.register_collector(Box::new(Arc::clone(&self.leader)));
        registry.register_collector(Box::new(Arc::clone(&self.rollouts)));
        registry
    }

    /// Says how to find out whether this process leads. It is asked at each scrape, so the metric
    /// cannot lag behind the lease. Only the first call counts.
    pub fn leads_when(&self, leads: impl Fn() -> bool + Send + Sync + 'static) {
        // A second source has no meaning: one process takes part in one election.
        let _ = self.leader.0.set(Box::new(leads));
    }

    /// Counts one pass over an object of `kind` that ended with `result` after `took`.
    pub fn reconciled(&self, kind: &'static str, result: &'static str, took: Duration) {
        self.reconciles.get_or_create(&Reconcile { kind, result }).inc();
        self.reconcile_duration.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }

    /// Sets how many objects of `kind` have a pass waiting or running.
    pub fn queue_depth(&self, kind: &'static str, depth: usize) {
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        self.queue_depth.get_or_create(&Kind { kind }).set(depth);
    }

    /// Counts one call to AWS. `result` is "ok" or an error code, as AWS or the SDK names it.
    pub fn aws_call(
        &self,
        service: &'static str,
        operation: &'static str,
        result: &str,
        took: Duration,
    ) {
        let call = AwsCall { service, operation, result: label(result) };
        let others = AwsCall { service, operation, result: OTHER.to_owned() };
        self.aws_calls.count(&call, &others);
        let operation = Operation { service, operation };
        self.aws_call_duration.get_or_create(&operation).observe(took.as_secs_f64());
    }

    /// Counts one attempt to send a notice to this sort of channel.
    pub fn noticed(&self, channel: &'static str, sent: bool) {
        let result = if sent { "ok" } else { "error" };
        self.notices.get_or_create(&Notice { channel, result }).inc();
    }

    /// Counts one call that AWS refused for its rate.
    pub fn aws_throttled(&self, service: &'static str, account: &str, region: &str) {
        let throttle = Throttle { service, account: label(account), region: label(region) };
        let others = Throttle { service, account: OTHER.to_owned(), region: OTHER.to_owned() };
        self.aws_throttles.count(&throttle, &others);
    }

    /// Sets what is shown of one rollout; its former phase and verdicts go. See [`RolloutSample`].
    pub fn rollout(&self, sample: &RolloutSample<'_>) {
        self.rollouts.set(sample);
    }

    /// Counts one end of a rollout, such as `Promoted` or `RolledBack`.
    pub fn rollout_ended(&self, namespace: &str, name: &str, outcome: &'static str) {
        self.rollouts.count_outcome(namespace, name, outcome);
    }

    /// Removes all series of one rollout: it was deleted.
    pub fn forget_rollout(&self, namespace: &str, name: &str) {
        self.rollouts.forget(namespace, name);
    }

    /// Everything, in the format of [`CONTENT_TYPE`].
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail, nor can our own collectors.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// A label value from outside: no control characters, at most [`LABEL_MAX`] characters, and
/// "unknown" for nothing. Quotes and backslashes are escaped when it is written.
fn label(value: &str) -> String {
    let cleaned: String =
        value.chars().filter(|character| !character.is_control()).take(LABEL_MAX).collect();
    if cleaned.is_empty() { "unknown".to_owned() } else { cleaned }
}

/// A family whose labels come from outside: from [`SERIES_MAX`] series on, what is new is counted
/// in one series for all others.
#[derive(Clone, Debug)]
struct Bounded<L> {
    family: Family<L, Counter>,
    series: Arc<AtomicUsize>,
}

impl<L: Clone + Eq + Hash> Bounded<L> {
    fn new() -> Self {
        Self { family: Family::default(), series: Arc::default() }
    }

    /// Counts one under `labels`, or under `others` when the family is full.
    fn count(&self, labels: &L, others: &L) {
        if let Some(counter) = self.family.get(labels) {
            counter.inc();
            return;
        }
        // Two callers at once may take two places for one series: the bound is still kept.
        let full = self.series.fetch_add(1, Ordering::Relaxed) >= SERIES_MAX;
        if full {
            self.series.store(SERIES_MAX, Ordering::Relaxed);
        }
        self.family.get_or_create(if full { others } else { labels }).inc();
    }
}

/// Asks at each scrape whether this process leads.
#[derive(Default)]
struct Leader(OnceLock<Box<dyn Fn() -> bool + Send + Sync>>);

impl fmt::Debug for Leader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Leader")
    }
}

impl Collector for Leader {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let leads = self.0.get().is_some_and(|leads| leads());
        let gauge = ConstGauge::new(i64::from(leads));
        let help = "1 while this process leads, else 0";
        gauge.encode(encoder.encode_descriptor("leader", help, None, gauge.metric_type())?)
    }
}
