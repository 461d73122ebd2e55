//! Scenarios of two rollouts on one alias: the older acts, and the younger once that is gone.

use groundcrew::api::canary_rollout::Phase;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    scenarios::{self, End, Scenario, rollout, weight},
    script::{Edit, Rule, healthy, rule, second_step},
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
    scenarios::scenario(name, two, rules, ends)
}

pub fn all() -> Vec<Scenario> {
    vec![
        scenario("two-on-one-alias", Vec::new, End::At(Phase::Healthy, "43")),
        scenario(
            "older-deleted-in-flight",
            || vec![rule(second_step, 20, Edit::Delete)],
            End::Gone("44"),
        ),
        scenario(
            "older-deleted-when-healthy",
            || vec![rule(healthy, 100, Edit::Delete)],
            End::Gone("44"),
        ),
    ]
}
