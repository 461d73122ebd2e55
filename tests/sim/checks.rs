//! Scenarios with checks before the start, at 100 and after a rollback.

use std::time::Duration;

use groundcrew::api::{
    canary_rollout::Phase,
    check::{Check, RdsCheck},
    duration,
};

use crate::{
    scenarios::{End, Scenario, minutes, rollout, weight},
    script::{Edit, Rule, View},
    world::State,
};

fn database() -> Option<Vec<Check>> {
    let rds = RdsCheck { instance: Some("prod-db".into()), cluster: None };
    Some(vec![Check { name: "database".into(), rds: Some(rds), ..Check::default() }])
}

fn at_the_start(_: &View<'_>) -> bool {
    true
}

fn second_step(view: &View<'_>) -> bool {
    view.entered(1)
}

fn bakes(view: &View<'_>) -> bool {
    view.phase(Phase::Baking)
}

fn with_post_checks(bake_seconds: u64, state: &mut State) {
    let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
    object.spec.post_checks = database();
    object.spec.bake = Some(duration::Duration::from_secs(bake_seconds));
    state.create_object(object);
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let scenario = |name, prepare, rules, ends| Scenario {
        name,
        prepare,
        rules,
        lasts: minutes(40),
        ends,
        or_ends: None,
    };
    vec![
        scenario(
            "check-holds-at-last",
            |state| {
                let mut object = rollout("43", Some(vec![weight(10, 90)]), None);
                object.spec.checks = database();
                state.databases.instance = "stopped";
                state.create_object(object);
            },
            || database_becomes(at_the_start, 150, "available"),
            End::At(Phase::Healthy, "43"),
        ),
        scenario(
            "post-checks-hold",
            |state| with_post_checks(120, state),
            Vec::new,
            End::At(Phase::Healthy, "43"),
        ),
        scenario(
            "post-check-fails-at-100",
            |state| with_post_checks(0, state),
            || database_becomes(second_step, 20, "storage-full"),
            End::At(Phase::RolledBack, "42"),
        ),
        scenario(
            "post-check-fails-after-the-bake",
            |state| with_post_checks(300, state),
            || database_becomes(bakes, 200, "storage-full"),
            End::At(Phase::RolledBack, "42"),
        ),
    ]
}

fn database_becomes(when: fn(&View<'_>) -> bool, after: u64, status: &'static str) -> Vec<Rule> {
    vec![Rule { when, after: Duration::from_secs(after), edit: Edit::Database(status) }]
}
