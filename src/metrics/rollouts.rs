//! The series of each rollout, kept as one record per rollout and written out at each scrape: a
//! change of phase cannot leave the old phase behind, and forgetting is one removal.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::label;

/// Most rollouts that are shown; further ones are left out until others are forgotten. Several
/// times what one operator is built for.
pub const ROLLOUTS_MAX: usize = 50_000;

/// Most verdicts that are shown of one rollout: twice the metrics that its spec may have.
pub const VERDICTS_MAX: usize = 32;

/// What is shown of one rollout now.
#[derive(Clone, Copy, Debug)]
pub struct RolloutSample<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The current phase, from a closed set. Empty for none yet.
    pub phase: &'static str,
    /// The canary's share of the traffic in percent, 0 to 100. `None` when it is not known.
    pub weight: Option<i64>,
    /// The verdict on each metric of the analysis: (metric, verdict), the latter from a closed
    /// set. At most [`VERDICTS_MAX`] are shown.
    pub verdicts: &'a [(&'a str, &'static str)],
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    namespace: String,
    name: String,
}

#[derive(Debug, Default)]
struct Record {
    phase: &'static str,
    weight: Option<i64>,
    verdicts: Vec<(String, &'static str)>,
    /// Few and each once, so that most rollouts take no more than they need.
    outcomes: Vec<(&'static str, u64)>,
}

/// All rollouts that are shown.
#[derive(Debug, Default)]
pub(super) struct Rollouts(Mutex<BTreeMap<Key, Record>>);

impl Rollouts {
    pub(super) fn set(&self, sample: &RolloutSample<'_>) {
        let RolloutSample { namespace, name, phase, weight, verdicts } = *sample;
        self.change(namespace, name, |record| {
            record.phase = phase;
            record.weight = weight;
            record.verdicts = verdicts
                .iter()
                .take(VERDICTS_MAX)
                .map(|(metric, verdict)| (label(metric), *verdict))
                .collect();
        });
    }

    pub(super) fn count_outcome(&self, namespace: &str, name: &str, outcome: &'static str) {
        self.change(namespace, name, |record| {
            match record.outcomes.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => {
                    record.outcomes.reserve_exact(1);
                    record.outcomes.push((outcome, 1));
                }
            }
        });
    }

    pub(super) fn forget(&self, namespace: &str, name: &str) {
        self.records().remove(&key(namespace, name));
    }

    fn change(&self, namespace: &str, name: &str, change: impl FnOnce(&mut Record)) {
        let mut records = self.records();
        let full = records.len() >= ROLLOUTS_MAX;
        let key = key(namespace, name);
        if full && !records.contains_key(&key) {
            return;
        }
        change(records.entry(key).or_default());
    }

    /// A panic elsewhere cannot leave a record half written, so a poisoned lock is still good.
    fn records(&self) -> MutexGuard<'_, BTreeMap<Key, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(namespace: &str, name: &str) -> Key {
    Key { namespace: label(namespace), name: label(name) }
}

impl Key {
    fn labels(&self) -> [(&'static str, &str); 2] {
        [("namespace", &self.namespace), ("name", &self.name)]
    }
}

impl Collector for Rollouts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let records = self.records();

        let help = "1 for the phase that the rollout is in";
        let mut family =
            encoder.encode_descriptor("rollout_phase", help, None, MetricType::Gauge)?;
        for (key, record) in records.iter().filter(|(_, record)| !record.phase.is_empty()) {
            let [namespace, name] = key.labels();
            let labels = [namespace, name, ("phase", record.phase)];
            ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
        }

        let help = "The canary's share of the traffic in percent";
        let mut family =
            encoder.encode_descriptor("rollout_weight", help, None, MetricType::Gauge)?;
        for (key, record) in records.iter() {
            let Some(weight) = record.weight else { continue };
            ConstGauge::new(weight).encode(family.encode_family(&key.labels())?)?;
        }

        let help = "1 for the current verdict on a metric of the analysis";
        let mut family =
            encoder.encode_descriptor("rollout_verdict", help, None, MetricType::Gauge)?;
        for (key, record) in records.iter() {
            let [namespace, name] = key.labels();
            for (metric, verdict) in &record.verdicts {
                let labels = [namespace, name, ("metric", metric), ("verdict", verdict)];
                ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
            }
        }

        let help = "Ends of rollouts by their outcome";
        let mut family =
            encoder.encode_descriptor("rollout_outcomes", help, None, MetricType::Counter)?;
        for (key, record) in records.iter() {
            let [namespace, name] = key.labels();
            for (outcome, count) in &record.outcomes {
                let labels = [namespace, name, ("outcome", outcome)];
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
