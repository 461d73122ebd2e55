//! Statuses.

use super::*;

#[test]
fn a_status_write_leaves_the_spec_alone_and_changes_something() {
    let bare = alias("42", None, "r0");
    let other = rollout("44", None, None);
    let changed = CanaryRollout { spec: other.spec, ..with(|status| status.message = None) };
    let told = with(|status| status.message = Some("news".into()));
    check(&[(0, applied(told.clone(), changed, &bare))], &["G5"]);
    check(&[(0, applied(told.clone(), told.clone(), &bare))], &["G8"]);
    check(&[(0, applied(flying(), told, &bare))], &[]);
}

#[test]
fn a_step_counts_from_when_its_weight_was_there() {
    let entered =
        |second| with(|status| status.step.as_mut().unwrap().entered_at = Some(Time(at(second))));
    let weighted = alias("42", Some(("43", 0.1)), "next");
    let event = |second| applied(flying(), entered(second), &weighted);
    check(&[(10, first_weight()), (11, event(9))], &["C1"]);
    check(&[(10, first_weight()), (11, event(10))], &[]);
    check(&[(11, event(11))], &["C1"]);
}

#[test]
fn what_ended_has_no_weights() {
    for phase in [Phase::Healthy, Phase::RolledBack, Phase::Aborted] {
        let ended = with(|status| {
            status.phase = Some(phase);
            status.stable = Some(StableVersion { version: "43".into() });
            status.conditions = vec![is_ready()];
        });
        let weighted = alias("42", Some(("43", 0.1)), "next");
        let history = [(0, first_weight()), (5, applied(flying(), ended.clone(), &weighted))];
        let healthy = phase == Phase::Healthy;
        check(&history, if healthy { &["C3", "Healthy"] } else { &["C3"] });
    }
}

#[test]
fn healthy_means_that_the_release_is_served() {
    let healthy = with(|status| {
        status.phase = Some(Phase::Healthy);
        status.stable = Some(StableVersion { version: "43".into() });
        status.conditions = vec![is_ready()];
    });
    check(&[(0, applied(flying(), healthy.clone(), &alias("42", None, "r0")))], &["Healthy"]);
    check(&[(0, applied(flying(), healthy, &alias("43", None, "r0")))], &[]);
}

#[test]
fn ready_is_of_the_generation_that_was_looked_at() {
    let ready = |generation| {
        let observed_generation = Some(generation);
        with(|status| status.conditions = vec![Condition { observed_generation, ..is_ready() }])
    };
    let bare = alias("42", None, "r0");
    check(&[(0, applied(flying(), ready(2), &bare))], &["Ready"]);
    check(&[(0, applied(flying(), ready(0), &bare))], &["Ready"]);
    check(&[(0, applied(flying(), ready(1), &bare))], &[]);
}
