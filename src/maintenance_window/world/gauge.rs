//! What metrics say.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    api::window_checks::WindowStage,
    maintenance_window::metrics::{Found, Reading, Wanted},
};

/// Numbers by metric, and what was asked for.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    /// What is not here is the minute at which its period ends.
    pub numbers: BTreeMap<(&'static str, WindowStage), Found>,
    /// What was read, and when: `01:05 p95 before the opening to 01:00`.
    pub reads: Vec<String>,
}

impl Gauge {
    pub fn read(&mut self, wanted: &[Wanted], now: Timestamp) -> Vec<Reading> {
        let minute = |at: Timestamp| at.strftime("%dT%H:%M").to_string();
        let read = wanted.iter().map(|Wanted { metric, stage, until }| {
            let until = minute(*until);
            let (now, told) = (minute(now), stage.told());
            self.reads.push(format!("{now} {} {told}, to {until}", metric.name));
            let said = self.numbers.get(&(metric.name.as_str(), *stage)).cloned();
            let found = said.unwrap_or(Found::Number(until));
            Reading { name: metric.name.clone(), stage: *stage, found }
        });
        read.collect()
    }
}
