//! What was read from AWS, shared by all passes.

mod alarms;
mod aliases;
mod deployments;
mod gather;
mod metrics;
mod mute_rules;
mod now;
mod readings;
mod refusals;
mod scaling;
mod switching;
#[cfg(test)]
mod tests;

use self::{
    alarms::{Full, Names, Prefixes, States},
    aliases::Aliases,
    deployments::Deployments,
    gather::Gather,
    metrics::{Maths, Metrics},
    mute_rules::Listed,
    refusals::Refusals,
    scaling::Targets,
    switching::Switching,
};

pub use self::{
    alarms::{ALARMS_FRESH, AlarmsFound, FullAlarmsFound},
    aliases::{AliasKey, Seen, Want},
    deployments::{DEPLOYMENTS_AGAIN, DEPLOYMENTS_SHARED, DEPLOYMENTS_SPAN},
    gather::GATHER,
    metrics::METRICS_KEPT,
    now::alarms_now,
    refusals::Refusal,
    scaling::TARGETS_SHARED,
};

/// Shared answers of AWS.
#[derive(Default)]
pub struct Hub {
    aliases: Aliases,
    metrics: Gather<Metrics>,
    maths: Gather<Maths>,
    alarm_names: Gather<Names<States>>,
    alarm_prefixes: Gather<Prefixes<States>>,
    deployments: Gather<Deployments>,
    full_names: Gather<Names<Full>>,
    full_prefixes: Gather<Prefixes<Full>>,
    mute_lists: Gather<Listed>,
    refusals: Refusals,
    targets: Gather<Targets>,
    switching: Switching,
}
