//! Scenarios with checks before the start, at 100 and after a rollback.

use groundcrew::api::{
    canary_rollout::Phase,
    check::{Check, RdsCheck},
    duration,
};

use crate::{
    scenarios::{End, Scenario, rollout, scenario, weight},
    script::{Edit, Rule, View, always, baking, rule, second_step},
    world::State,
};

pub fn database() -> Option<Vec<Check>> {
    let rds = RdsCheck { instance: Some("prod-db".into()), cluster: None };
    Some(vec![Check { name: "database".into(), rds: Some(rds), ..Check::default() }])
}

fn with_post_checks(bake_seconds: u64, state: &mut State) {
    let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
    object.spec.post_checks = database();
    object.spec.bake = Some(duration::Duration::from_secs(bake_seconds));
    state.create_object(object);
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    vec![
        scenario(
            "check-holds-at-last",
            |state| {
                let mut object = rollout("43", Some(vec![weight(10, 90)]), None);
                object.spec.checks = database();
                state.databases.instance = "stopped";
                state.create_object(object);
            },
            || database_becomes(always, 150, "available"),
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
            || database_becomes(baking, 200, "storage-full"),
            End::At(Phase::RolledBack, "42"),
        ),
    ]
}

fn database_becomes(when: fn(&View<'_>) -> bool, after: u64, status: &'static str) -> Vec<Rule> {
    vec![rule(when, after, Edit::Database(status))]
}
