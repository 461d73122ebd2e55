//! What was read from AWS, shared by all passes.

mod alarms;
mod aliases;
mod deployments;
mod gather;
mod metrics;
mod readings;
mod refusals;
mod scaling;
#[cfg(test)]
mod tests;

use self::{
    alarms::{Names, Prefixes},
    aliases::Aliases,
    deployments::Deployments,
    gather::Gather,
    metrics::{Maths, Metrics},
    refusals::Refusals,
    scaling::Targets,
};

pub use self::{
    alarms::{ALARMS_FRESH, AlarmsFound},
    aliases::{AliasKey, Seen, Want},
    deployments::{DEPLOYMENTS_AGAIN, DEPLOYMENTS_SHARED, DEPLOYMENTS_SPAN},
    gather::GATHER,
    metrics::METRICS_KEPT,
    refusals::Refusal,
    scaling::TARGETS_SHARED,
};

/// Shared answers of AWS.
#[derive(Default)]
pub struct Hub {
    aliases: Aliases,
    metrics: Gather<Metrics>,
    maths: Gather<Maths>,
    alarm_names: Gather<Names>,
    alarm_prefixes: Gather<Prefixes>,
    deployments: Gather<Deployments>,
    refusals: Refusals,
    targets: Gather<Targets>,
}
