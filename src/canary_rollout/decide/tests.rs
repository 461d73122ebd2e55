//! One case per rule; `laws` hold for each of them and for generated ones.

mod audit;
mod checks;
mod conflict;
mod deletion;
mod drafts;
mod ending;
mod flight;
mod gone;
mod idle;
mod laws;
mod lost;
mod preflight;
mod provision;
mod prune;
mod publish;
mod release;
mod smoke;
mod unread;
mod verbs;
mod window;
mod worlds;

use super::{Plan, Revisit};
use crate::canary_rollout::world::{World, time};

/// Decides, and compares the plan with `expected`: phase, reason and message; what is written; when
/// the next look comes, and `!` when the finalizer shall be there. The laws hold, too.
#[track_caller]
fn check(world: &World, expected: &[&str]) -> Plan {
    let plan = world.plan();
    assert_eq!(told(&plan), expected);
    laws::hold(world, &plan);
    plan
}

fn told(plan: &Plan) -> Vec<String> {
    let report = &plan.report;
    let mut lines = vec![format!("{:?} {}: {}", report.phase, report.reason, report.message)];
    lines.extend(plan.actions.iter().map(ToString::to_string));
    let mark = if plan.finalizer { " !" } else { "" };
    lines.push(match plan.revisit {
        Revisit::Now => format!("now{mark}"),
        Revisit::At(then) => format!("{}{mark}", then.strftime("%H:%M:%S")),
    });
    lines
}

/// Passes until one waits; compares what each of them tells, writes left out.
#[track_caller]
fn check_passes(world: &mut World, expected: &[&str]) {
    let plans = world.settle();
    let told: Vec<_> =
        plans.iter().map(|p| format!("{:?}: {}", p.report.phase, p.report.message)).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_release_goes_from_start_to_healthy() {
    let mut world = World::new();
    check_passes(
        &mut world,
        &[
            "Pending: releasing version 43 in place of 42",
            "Progressing: setting version 43 to 10%",
            "Progressing: 10%: holds until 02:14:00Z",
            "Progressing: 10%: holds until 02:14:00Z",
        ],
    );
    world.now = time("02:14:00");
    let approval = "10%: waits for approval (look at p99): verb promote@9f2c1a/1; aborts at 2026-12-07T02:14:00Z";
    let waits = format!("WaitingApproval: {approval}");
    check_passes(&mut world, &[&waits, &waits]);
    world = world.asked("promote@9f2c1a/1").at("02:20:00");
    check_passes(
        &mut world,
        &[
            "Progressing: setting version 43 to 50%",
            "Progressing: setting version 43 to 50%",
            "Progressing: 50%: holds until 02:50:00Z",
            "Progressing: 50%: holds until 02:50:00Z",
        ],
    );
    world.now = time("02:50:00");
    check_passes(
        &mut world,
        &[
            "Promoting: setting the alias to version 43 alone",
            "Promoting: setting the alias to version 43 alone",
            "Healthy: alias production serves version 43",
            "Healthy: alias production serves version 43",
        ],
    );
    assert!(!world.facts.finalizer, "nothing is left to undo");
}
