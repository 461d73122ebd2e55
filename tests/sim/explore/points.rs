//! The fault points of the scenarios, as they are recorded.

use std::{collections::BTreeMap, fmt};

use super::run;
use crate::{faults::Faults, scenarios::Scenario};

/// The calls of a scenario at which faults are tried.
pub struct FaultPoints {
    pub name: &'static str,
    /// What is called, how often, and how many faults each time.
    calls: BTreeMap<String, (usize, usize)>,
}

impl FaultPoints {
    /// Those of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let golden = run(scenario, Faults::none());
        let mut calls = BTreeMap::<String, (usize, usize)>::new();
        for call in &golden.calls {
            let what = call.label.rsplit_once(" #").map_or("", |(what, _)| what);
            let (times, faults) = calls.entry(what.to_owned()).or_default();
            *times += 1;
            *faults = call.sort.faults().len();
        }
        Self { name: scenario.name, calls }
    }

    /// Number of faults, each tried in a run of its own; but for old answers where they would be true.
    pub fn count(&self) -> usize {
        self.calls.values().map(|(times, faults)| times * faults).sum()
    }
}

impl fmt::Display for FaultPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.count())?;
        for (what, (times, faults)) in &self.calls {
            writeln!(f, "  {what}: {times} x {faults}")?;
        }
        Ok(())
    }
}

/// The scenarios of a file of fault points, with their numbers.
pub fn counts(text: &str) -> Vec<(String, usize)> {
    let heads = text.lines().filter(|line| !line.starts_with(' '));
    let parsed = heads.filter_map(|line| {
        let (name, count) = line.split_once(": ")?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    parsed.collect()
}
