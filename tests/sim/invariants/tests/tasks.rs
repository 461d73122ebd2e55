//! Windows with tasks.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
    window_tasks::{
        EcsTask, SsmTask, Task, TaskIntent,
        TaskState::{self, Pending, Running, Skipped, Succeeded},
        TaskStatus,
    },
};

use super::{
    windows::{Act, CLOSES, Ended, OPENS, begun, ended, open, play, window},
    *,
};
use crate::history::TaskBegun;

fn patch(state: TaskState, intended: bool) -> TaskStatus {
    let intent = intended.then(|| TaskIntent { at: Time(begun(OPENS)), mark: String::new() });
    let (started_at, ended_at, message, id) = (None, None, String::new(), None);
    TaskStatus { name: "patch".into(), state, started_at, ended_at, message, intent, id }
}

fn tells(task: TaskStatus) -> MaintenanceWindowStatus {
    let mut status = open(CLOSES);
    let current = status.current.as_mut().unwrap();
    current.tasks = vec![task];
    let ssm = Some(SsmTask::default());
    let ecs = Some(EcsTask::default());
    let patch = Task { name: "patch".into(), ssm, ..Task::default() };
    let redeploy = Task { name: "redeploy".into(), ecs, ..Task::default() };
    current.spec.0.tasks = Some(vec![patch, redeploy]);
    status
}

fn intends() -> MaintenanceWindowStatus {
    tells(patch(Running, true))
}

fn over(state: TaskState) -> Act {
    let mut status = ended(Ended::Completed);
    status.history[0].tasks = vec![patch(state, false)];
    Act::Tells(status)
}

/// The window is like this when its task is begun.
fn sent(status: MaintenanceWindowStatus) -> TaskBegun {
    let window = MaintenanceWindow { status: Some(status), ..window() };
    TaskBegun {
        by: "window flights/weekly".into(),
        what: "SendCommand groundcrew 1 flights/weekly patch".into(),
        window: Some(window),
        finalized: true,
        leads: true,
        late: false,
    }
}

fn happens(begun: TaskBegun) -> Act {
    Act::Happens(Event::TaskBegun(Box::new(begun)))
}

fn begins() -> Act {
    happens(sent(intends()))
}

/// It is open and tells that the task is about to begin; then these things happen.
#[track_caller]
fn follow(acts: Vec<(i64, Act)>, expected: &[&str]) {
    let begin = [(OPENS, Act::Tells(tells(patch(Pending, false)))), (OPENS, Act::Tells(intends()))];
    play(begin.into_iter().chain(acts).collect(), expected);
}

#[test]
fn a_task_is_begun_once_in_an_opening() {
    follow(vec![(OPENS, begins())], &[]);
    follow(vec![(OPENS, begins()), (OPENS + 60, begins())], &["Task"]);
    let late = || happens(TaskBegun { late: true, ..sent(intends()) });
    follow(vec![(OPENS, begins()), (OPENS + 7, late())], &["Task"]);
    // Another task.
    let other = TaskBegun { what: "UpdateService".into(), ..sent(intends()) };
    follow(vec![(OPENS, begins()), (OPENS + 60, happens(other))], &[]);
}

#[test]
fn a_task_is_begun_while_the_gate_is_open_and_once_that_is_told() {
    let mut closed = intends();
    closed.gate = None;
    follow(vec![(OPENS, happens(sent(closed)))], &["Task"]);
    follow(vec![(CLOSES, begins())], &["Task"]);
    follow(vec![(OPENS, happens(sent(tells(patch(Pending, false)))))], &["Task"]);
    follow(vec![(OPENS, happens(sent(tells(patch(Running, false)))))], &["Task"]);
    let bare = TaskBegun { finalized: false, ..sent(intends()) };
    follow(vec![(OPENS, happens(bare))], &["G1"]);
    let alone = TaskBegun { leads: false, ..sent(intends()) };
    follow(vec![(OPENS, happens(alone))], &["G7"]);
    let late = TaskBegun { late: true, ..sent(ended(Ended::Completed)) };
    follow(vec![(CLOSES + 1, happens(late))], &[]);
}

#[test]
fn what_is_told_of_a_task_is_so() {
    for (state, was, was_not) in [
        (Succeeded, [].as_slice(), ["Task"].as_slice()),
        (Skipped, &["Task"], &[]),
        (Running, &["Task"], &["Task"]),
        (TaskState::Unknown, &[], &[]),
    ] {
        follow(vec![(OPENS, begins()), (CLOSES, over(state))], was);
        follow(vec![(CLOSES, over(state))], was_not);
    }
}
