//! Scenarios of two rollouts on one alias: the older acts, and the younger once that is gone.

use groundcrew::api::canary_rollout::Phase;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    scenarios::{End, Scenario, minutes, rollout, weight},
    script::{Edit, Rule, View},
    world::State,
};

/// Name of the younger one; everything that people do, they do to the older.
const YOUNGER: &str = "younger";

/// Version 43 by the older, 44 by the younger one.
pub fn two(state: &mut State) {
    let steps = || Some(vec![weight(10, 90), weight(50, 90)]);
    state.create_object(rollout("43", steps(), None));
    let mut younger = rollout("44", steps(), None);
    younger.metadata.name = Some(YOUNGER.into());
    younger.metadata.creation_timestamp = Some(Time(state.now() + SignedDuration::from_secs(1)));
    state.create_object(younger);
}

fn scenario(name: &'static str, rules: fn() -> Vec<Rule>, ends: End) -> Scenario {
    Scenario { name, prepare: two, rules, lasts: minutes(40), ends, or_ends: None }
}

fn deleted(when: fn(&View<'_>) -> bool, seconds: u64) -> Rule {
    Rule { when, after: std::time::Duration::from_secs(seconds), edit: Edit::Delete }
}

pub fn all() -> Vec<Scenario> {
    vec![
        scenario("two-on-one-alias", Vec::new, End::At(Phase::Healthy, "43")),
        scenario(
            "older-deleted-in-flight",
            || vec![deleted(|view| view.entered(1), 20)],
            End::Gone("44"),
        ),
        scenario(
            "older-deleted-when-healthy",
            || vec![deleted(|view| view.phase(Phase::Healthy), 100)],
            End::Gone("44"),
        ),
    ]
}
