//! Scenarios of windows with tasks. What a single fault may do to these: what may have been begun is
//! not begun again, so it may end as Unknown or Failed; the invariants hold all the same.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindowSpec, Outcome},
    window_tasks::{EcsAction, EcsTask, SsmCommand, SsmTarget, SsmTask, Task, TaskState},
};
use jiff::SignedDuration;

use super::{
    WEEKLY, once,
    quiet::{COMPLETED, Ends, scenario},
    weekly,
};
use crate::{
    scenarios::{Scenario, minutes},
    script::{Edit, Rule, View, rule},
    world::{
        State,
        tasks::{DOCUMENT, SERVICE},
        windows::WindowEdit,
    },
};

/// How a scenario ends: its window, and its tasks.
pub type Done = (Scenario, Ends, &'static [&'static str]);

const FAILED: Ends = Some(&[Outcome::Failed]);

/// A command on some nodes.
fn command() -> Task {
    let target = SsmTarget { key: "tag:role".into(), values: vec!["gpu".into()] };
    let command =
        SsmCommand { document: DOCUMENT.into(), targets: vec![target], ..SsmCommand::default() };
    let ssm = Some(SsmTask { command: Some(command), automation: None });
    task("patch", Task { ssm, ..Task::default() })
}

/// Another deployment of the service.
fn deployment() -> Task {
    let (cluster, service) = SERVICE;
    let (cluster, service) = (cluster.to_owned(), service.to_owned());
    let ecs = Some(EcsTask { cluster, service, action: EcsAction::ForceNewDeployment });
    task("redeploy", Task { ecs, ..Task::default() })
}

fn task(name: &str, task: Task) -> Task {
    let timeout = "1m".parse().expect("a duration");
    Task { name: name.into(), timeout, ..task }
}

/// Open from 14:15 to 14:19 for both tasks; each run begins at 14:13:20.
fn usual(state: &mut State) {
    let tasks = Some(vec![command(), deployment()]);
    state.create_window(WEEKLY, MaintenanceWindowSpec { tasks, ..once("14:15", 4) });
}

fn slow(state: &mut State) {
    state.works.takes = SignedDuration::from_mins(10);
    usual(state);
}

fn short(
    name: &'static str,
    prepare: fn(&mut State),
    rules: fn() -> Vec<Rule>,
    ends: Ends,
    tasks: &'static [&'static str],
) -> Done {
    let (scenario, ends) = scenario(name, prepare, rules, ends);
    (Scenario { lasts: minutes(13), tasks: true, ..scenario }, ends, tasks)
}

/// The first task was begun.
fn begun(view: &View<'_>) -> bool {
    let current = view.window().and_then(|status| status.current.as_ref());
    current.is_some_and(|current| {
        current.tasks.iter().any(|task| task.state == TaskState::Running && task.id.is_some())
    })
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    ending().into_iter().map(|(scenario, ..)| scenario).collect()
}

/// All of them, with how they end.
pub fn ending() -> Vec<Done> {
    vec![
        short("tasks-of-a-window", usual, Vec::new, COMPLETED, &["Succeeded", "Succeeded"]),
        short(
            "away-while-a-task-runs",
            usual,
            || vec![rule(begun, 10, Edit::Away(60))],
            COMPLETED,
            &["Succeeded", "Succeeded"],
        ),
        short(
            "task-fails-and-stops-what-follows",
            |state| {
                state.works.fails = true;
                usual(state);
            },
            Vec::new,
            FAILED,
            &["Failed", "Skipped"],
        ),
        short("task-takes-too-long", slow, Vec::new, FAILED, &["Cancelled", "Skipped"]),
        short(
            "window-closed-while-a-task-runs",
            slow,
            || vec![weekly(begun, 15, WindowEdit::Close(1))],
            FAILED,
            &["Cancelled", "Skipped"],
        ),
    ]
}
