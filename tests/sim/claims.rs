//! Scenarios of two rollouts of one function. On one alias the older acts, and the younger once that is
//! gone; on two aliases both do, and neither waits for the other.

use groundcrew::api::canary_rollout::{History, Phase, Preset};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    scenarios::{self, End, Scenario, rollout, weight},
    script::{Edit, Rule, healthy, rule, second_step},
    world::{ALIAS, MAIN, State, functions::Functions},
};

/// Name of the younger one; everything that people do, they do to the older.
const YOUNGER: &str = "younger";

/// Version 43 by the older, 44 by the younger one, which names this alias.
fn pair(alias: &str, state: &mut State) {
    let steps = || Some(vec![weight(10, 90), weight(50, 90)]);
    state.create_object(rollout("43", steps(), None));
    let mut younger = rollout("44", steps(), None);
    younger.metadata.name = Some(YOUNGER.into());
    younger.metadata.creation_timestamp = Some(Time(state.now() + SignedDuration::from_secs(1)));
    younger.spec.function.alias = alias.to_owned();
    state.create_object(younger);
}

fn two(state: &mut State) {
    pair(ALIAS, state);
}

/// The older one clears old versions away once it has released 45 at once; meanwhile the younger one
/// leaves version 41, and watches what it released in its place.
fn pruned_beside(state: &mut State) {
    state.lambda.functions = Functions::numbered(40..=45);
    state.lambda.functions.published_for(MAIN);
    state.lambda.add_alias("staging", 41);
    let mut object = rollout("45", None, Some(Preset::AllAtOnce));
    object.spec.history = Some(History { keep_versions: 1 });
    state.create_object(object);
    let mut younger = rollout("44", None, Some(Preset::AllAtOnce));
    younger.metadata.name = Some(YOUNGER.into());
    younger.spec.function.alias = "staging".into();
    younger.spec.bake = Some("10m".parse().expect("a duration"));
    state.create_object(younger);
}

/// The younger one starts from version 41, on an alias of its own.
fn apart(state: &mut State) {
    state.lambda.functions = Functions::numbered(41..=45);
    state.lambda.add_alias("staging", 41);
    pair("staging", state);
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
        scenarios::scenario(
            "beside-another-alias",
            apart,
            || vec![rule(second_step, 20, Edit::Verb("abort", 1))],
            End::At(Phase::Aborted, "42"),
        ),
        scenarios::scenario(
            "old-versions-go-beside-another-alias",
            pruned_beside,
            Vec::new,
            End::At(Phase::Healthy, "45"),
        ),
    ]
}
