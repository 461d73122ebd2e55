//! Windows with tasks.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
    window_tasks::{
        EcsTask, SsmTask, Task, TaskIntent,
        TaskState::{self, Pending, Running, Skipped, Succeeded},
        TaskStatus,
    },
};

use jiff::SignedDuration;

use super::{
    windows::{Act, CLOSES, Ended, OPENS, begun, ended, open, play, window},
    *,
};
use crate::history::TaskBegun;

/// How long what is begun takes.
const TAKES: i64 = 40;

fn task(name: &str, state: TaskState, intended: bool) -> TaskStatus {
    let intent = intended.then(|| TaskIntent { at: Time(begun(OPENS)), mark: String::new() });
    let (started_at, ended_at, message, id) = (None, None, String::new(), None);
    TaskStatus { name: name.into(), state, started_at, ended_at, message, intent, id }
}

fn patch(state: TaskState, intended: bool) -> TaskStatus {
    task("patch", state, intended)
}

/// The window with two tasks.
fn working() -> MaintenanceWindow {
    let mut window = window();
    let ssm = Some(SsmTask::default());
    let ecs = Some(EcsTask::default());
    let patch = Task { name: "patch".into(), ssm, ..Task::default() };
    let redeploy = Task { name: "redeploy".into(), ecs, ..Task::default() };
    window.spec.tasks = Some(vec![patch, redeploy]);
    window
}

fn tells(task: TaskStatus) -> MaintenanceWindowStatus {
    let mut status = open(CLOSES);
    let current = status.current.as_mut().unwrap();
    current.tasks = vec![task];
    *current.spec.0 = working().spec;
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
    let window = MaintenanceWindow { status: Some(status), ..working() };
    TaskBegun {
        by: "window flights/weekly".into(),
        what: "SendCommand groundcrew 1 flights/weekly patch".into(),
        window: Some(window),
        takes: SignedDuration::from_secs(TAKES),
        fails: false,
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
    let begin = [
        (0, Act::Person(working())),
        (OPENS, Act::Tells(tells(patch(Pending, false)))),
        (OPENS, Act::Tells(intends())),
    ];
    play(begin.into_iter().chain(acts).collect(), expected);
}

#[test]
fn a_task_is_begun_once_in_an_opening() {
    follow(vec![(OPENS, begins())], &[]);
    follow(vec![(OPENS, begins()), (OPENS + 60, begins())], &["Task"]);
    let late = || happens(TaskBegun { late: true, ..sent(intends()) });
    follow(vec![(OPENS, begins()), (OPENS + 7, late())], &["Task"]);
    // Another task.
    let other = |status| TaskBegun { what: "UpdateService".into(), ..sent(status) };
    let redeploys = || tells(task("redeploy", Running, true));
    follow(vec![(OPENS, begins()), (OPENS + 60, happens(other(redeploys())))], &[]);
}

#[test]
fn a_task_is_begun_while_the_gate_is_open_and_once_that_is_told() {
    let mut closed = intends();
    closed.gate = None;
    follow(vec![(OPENS, happens(sent(closed)))], &["Task"]);
    follow(vec![(CLOSES, begins())], &["Task"]);
    follow(vec![(OPENS, happens(sent(tells(patch(Pending, false)))))], &["Task"]);
    follow(vec![(OPENS, happens(sent(tells(patch(Running, false)))))], &["Task"]);
    // Another one is about to begin.
    let other = tells(task("redeploy", Running, true));
    follow(vec![(OPENS, happens(sent(other)))], &["Task"]);
    let bare = TaskBegun { finalized: false, ..sent(intends()) };
    follow(vec![(OPENS, happens(bare))], &["G1"]);
    let alone = TaskBegun { leads: false, ..sent(intends()) };
    follow(vec![(OPENS, happens(alone))], &["G7"]);
    let late = TaskBegun { late: true, ..sent(ended(Ended::Completed)) };
    follow(vec![(CLOSES + 1, happens(late))], &[]);
}

/// What is told of a task after so many seconds, where it was begun like this.
#[track_caller]
fn then_told(begun: Option<TaskBegun>, after: i64, state: TaskState, expected: &[&str]) {
    let begun = begun.map(|begun| (OPENS, happens(begun)));
    let told = (OPENS + after, Act::Tells(tells(patch(state, false))));
    follow(begun.into_iter().chain([told]).collect(), expected);
}

#[test]
fn what_is_told_of_a_task_is_so() {
    let wrong = ["Task"].as_slice();
    for (state, was, was_not) in
        [(Succeeded, [].as_slice(), wrong), (Skipped, wrong, &[]), (Running, wrong, wrong)]
    {
        follow(vec![(OPENS, begins()), (CLOSES, over(state))], was);
        follow(vec![(CLOSES, over(state))], was_not);
    }
    let begins = || Some(sent(intends()));
    let fails = || Some(TaskBegun { fails: true, ..sent(intends()) });
    for (state, runs, done, failed, never) in [
        (Succeeded, wrong, [].as_slice(), wrong, wrong),
        (TaskState::Failed, &[], wrong, &[], wrong),
        (TaskState::Cancelled, &[], wrong, wrong, wrong),
        (TaskState::Unknown, wrong, wrong, wrong, wrong),
    ] {
        then_told(begins(), TAKES - 1, state, runs);
        then_told(begins(), TAKES, state, done);
        then_told(fails(), TAKES, state, failed);
        then_told(None, TAKES, state, never);
    }
}

#[test]
fn nobody_can_know_what_became_of_a_task_that_could_not_be_looked_at() {
    let told = |state| (OPENS + TAKES, Act::Tells(tells(patch(state, false))));
    for state in [TaskState::Failed, TaskState::Cancelled, TaskState::Unknown] {
        for what in ["SendCommand", "ListCommands", "CancelCommand command-0"] {
            follow(vec![(OPENS + 1, Act::Lost(what)), told(state)], &[]);
        }
        follow(vec![(OPENS + 1, Act::Leads), told(state)], &[]);
        follow(vec![(OPENS + 1, Act::Lost("DescribeAlarms")), told(state)], &["Task"]);
    }
    follow(vec![(OPENS + 1, Act::Lost("SendCommand")), told(Succeeded)], &["Task"]);
}
