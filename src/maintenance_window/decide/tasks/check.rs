//! A task that waits for a check to hold. Nothing is begun: it is only looked at, again and again.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    At, Turn, deadline, judge,
    run::{becomes, seen},
};
use crate::{
    api::{
        check::CheckVerdict,
        window_tasks::{TaskState, TaskStatus},
    },
    error::without_request,
    maintenance_window::tasks::Seen,
    time::moments,
};

/// What parts the words of a check from what is said of the time that it has.
const HOLDS_BY: &str = "; it has to hold by ";

/// It fits, and is looked at from now on.
pub(super) fn start(at: &At<'_>) -> Turn {
    let started = TaskStatus {
        state: TaskState::Running,
        started_at: Some(Time(moments::stamp(at.situation.now))),
        ..at.status.clone()
    };
    let message = in_time(at, &started, &at.task.work.to_string());
    Turn::Becomes(Box::new(TaskStatus { message, ..started }))
}

/// It is looked at once more. `closing` says why the window closes.
pub(super) fn watch(at: &At<'_>, closing: Option<&str>) -> Turn {
    let (verdict, said) = match seen(at) {
        Err(turn) => return turn,
        Ok(Ok(Seen::Check(said))) => (said.verdict, said.message.as_str()),
        Ok(Ok(_)) => (CheckVerdict::Unreadable, judge::MIXED_UP),
        Ok(Err(failed)) => (CheckVerdict::Unreadable, failed.unread.message.as_str()),
    };
    let said = match verdict {
        CheckVerdict::Passed => return becomes(at, TaskState::Succeeded, said),
        CheckVerdict::Failed | CheckVerdict::Unreadable => without_request(said),
        // What it said before counts until it has answered.
        CheckVerdict::Running => before(at.status),
    };
    if at.situation.now >= deadline(at.task, at.status) {
        let timeout = at.task.timeout;
        becomes(at, TaskState::Failed, format!("it did not hold within {timeout:#}: {said}"))
    } else if let Some(why) = closing {
        let message = format!("it did not hold before the window closed ({why}): {said}");
        becomes(at, TaskState::Cancelled, message)
    } else {
        Turn::Wait(in_time(at, at.status, said))
    }
}

/// What the check said last.
fn before(status: &TaskStatus) -> &str {
    status.message.rsplit_once(HOLDS_BY).map_or(status.message.as_str(), |(said, _)| said)
}

fn in_time(at: &At<'_>, status: &TaskStatus, said: &str) -> String {
    let zone = at.current.window.calendar.zone();
    format!("{said}{HOLDS_BY}{}", zone.told(deadline(at.task, status)))
}
