//! The tasks of what is open: one after the other, each begun once. A check is only waited for.
//!
//! A task that is begun is written down first, with what tells the new from the old; the next pass
//! looks for something newer, and begins it only if there is nothing and this very process wrote it
//! down. Nobody else begins it: what has no trace is `Unknown`.

mod check;
mod judge;
mod run;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    plan::{Ask, Plan, Revisit},
    situation::Situation,
};
use crate::{
    api::{
        maintenance_window::{Outcome, Phase},
        window_tasks::{TaskState, TaskStatus},
    },
    maintenance_window::{
        memory::Current,
        tasks::{Task, TaskQuestion, Work, calls_since, refused},
    },
    plan::Unread,
    time::moments,
};

/// How soon a task that runs is looked at again.
const WATCH: SignedDuration = SignedDuration::from_secs(15);
/// How much of an overrun is given at once.
const STEP: SignedDuration = SignedDuration::from_mins(15);
/// How long before the close it is pushed for a task that overruns: alarms must be kept quiet in time.
const PUSH_LEAD: SignedDuration = SignedDuration::from_mins(3);

/// A task, with what is known of it, in what is open.
pub(super) struct At<'a> {
    situation: &'a Situation<'a>,
    current: &'a Current,
    task: &'a Task,
    status: &'a TaskStatus,
}

/// What is to be done about a task.
enum Turn {
    /// This is asked first.
    Ask(Box<TaskQuestion>),
    /// It is as it was, but for what it says; looked at again after a while.
    Wait(String),
    /// It is this now.
    Becomes(Box<TaskStatus>),
    /// It is this now, and has to be published before it is begun: its key among the intents.
    Intend(Box<TaskStatus>, String),
    /// This is done.
    Step(Box<crate::maintenance_window::tasks::TaskStep>),
    /// It has to wait for something to mend.
    Trouble(Unread),
}

/// Lets tasks go on while the window stays open. `plan` is what is done and told beside.
pub(super) fn advance(situation: &Situation<'_>, mut plan: Plan) -> Plan {
    let Some(current) = plan.memory.current.clone() else { return plan };
    let Some((task, status)) = next(&current) else { return plan };
    if let Some(by) = pushed(situation, &current, task, &status)
        && let Some(current) = &mut plan.memory.current
    {
        current.push(by);
        plan.revisit = Revisit::Now;
        return plan;
    }
    let at = At { situation, current: &current, task, status: &status };
    let turn =
        if status.state == TaskState::Pending { run::start(&at) } else { run::watch(&at, None) };
    taken(situation, plan, &current, (task, status.clone()), turn)
}

/// Brings tasks to their end before the window closes; none when nothing is left to do.
pub(super) fn wind_up(situation: &Situation<'_>, phase: Phase) -> Option<Plan> {
    let current = situation.memory.current.as_ref()?;
    let (task, status) = next(current)?;
    let why = current.closing.as_ref().map(|closing| closing.message.clone()).unwrap_or_default();
    let message = format!("closing {}: task {} ends first", current.id, task.name);
    let mut plan = situation.plan(phase, "Closing", message);
    let turn = if status.state == TaskState::Pending {
        let why = format!("the window closed: {why}");
        Turn::Becomes(Box::new(ended(situation, &status, TaskState::Skipped, why)))
    } else {
        run::watch(&At { situation, current, task, status: &status }, Some(&why))
    };
    plan.revisit = Revisit::Now;
    Some(taken(situation, plan, current, (task, status), turn))
}

/// The task that it is at: the first that has not ended, and how far it is.
fn next(current: &Current) -> Option<(&Task, TaskStatus)> {
    let mut all = own(current).zip(listed(current));
    all.find(|(_, status)| !status.state.ended())
}

/// What comes of a turn.
fn taken(
    situation: &Situation<'_>,
    mut plan: Plan,
    current: &Current,
    (task, status): (&Task, TaskStatus),
    turn: Turn,
) -> Plan {
    let before = plan.revisit;
    let soon = plan.revisit.no_later_than(moments::after(situation.now, WATCH));
    let status = match turn {
        Turn::Ask(question) => {
            plan.asks = Some(Ask::Task(question));
            return plan;
        }
        Turn::Wait(message) => {
            plan.revisit = soon;
            TaskStatus { message, ..status }
        }
        Turn::Becomes(status) => {
            // What has changed is published, and decided upon once more.
            plan.revisit = Revisit::Now;
            *status
        }
        Turn::Intend(status, key) => {
            plan.intends = Some(key);
            plan.revisit = Revisit::Now;
            *status
        }
        Turn::Step(step) => {
            plan.task = Some(*step);
            plan.revisit = Revisit::Now;
            return plan;
        }
        Turn::Trouble(unread) => {
            plan.revisit = match before {
                // A close is not kept waiting at once again.
                Revisit::Now => Revisit::At(moments::after(situation.now, WATCH)),
                Revisit::At(_) => soon,
            };
            let message = format!("it cannot go on: {}", unread.message);
            plan.trouble = Some(unread);
            TaskStatus { message, ..status }
        }
    };
    let mut tasks = listed(current);
    if let Some(known) = tasks.iter_mut().find(|known| known.name == task.name) {
        *known = status;
    }
    skip_rest(situation, task, &mut tasks);
    if let Some(current) = &mut plan.memory.current {
        current.tasks = tasks;
    }
    plan
}

/// The tasks that are for an opening.
fn own(current: &Current) -> impl Iterator<Item = &Task> {
    let schedules = || current.parts.iter().map(|part| part.schedule.as_str());
    current.window.tasks.iter().filter(move |task| task.is_for(schedules()))
}

/// The tasks of an opening, each with its status.
pub(super) fn listed(current: &Current) -> Vec<TaskStatus> {
    let status = |task: &Task| {
        let known = current.tasks.iter().find(|known| known.name == task.name).cloned();
        known.unwrap_or_else(|| TaskStatus { name: task.name.clone(), ..TaskStatus::default() })
    };
    own(current).map(status).collect()
}

/// Leaves out what comes after a task that did not succeed and stops the rest.
fn skip_rest(situation: &Situation<'_>, task: &Task, tasks: &mut [TaskStatus]) {
    let Some(at) = tasks.iter().position(|status| status.name == task.name) else { return };
    let (done, rest) = tasks.split_at_mut(at.saturating_add(1));
    let Some(last) = done.last() else { return };
    if !task.stops || !(last.state.failed() || last.state == TaskState::Skipped) {
        return;
    }
    let message =
        format!("task {} came before it, was {:?}, and stops the rest", last.name, last.state);
    for status in rest {
        *status = ended(situation, status, TaskState::Skipped, message.clone());
    }
}

fn ended(
    situation: &Situation<'_>,
    status: &TaskStatus,
    state: TaskState,
    message: String,
) -> TaskStatus {
    let ended_at = Some(Time(moments::stamp(situation.now)));
    TaskStatus { state, ended_at, message, ..status.clone() }
}

/// Whether something was begun, or is about to be, that would have to be told to stop.
pub(super) fn runs(current: Option<&Current>) -> bool {
    let Some(current) = current else { return false };
    let mut all = own(current).zip(listed(current));
    all.any(|(task, status)| status.state == TaskState::Running && !is_check(task))
}

/// How far the close is pushed for the task that runs; none when it is not.
fn pushed(
    situation: &Situation<'_>,
    current: &Current,
    task: &Task,
    status: &TaskStatus,
) -> Option<SignedDuration> {
    let soon = situation.now >= moments::before(current.closes_at, PUSH_LEAD);
    if status.state != TaskState::Running || !soon {
        return None;
    }
    // Alarms are kept quiet by whole minutes.
    let limit = moments::whole_minute(limit(current, task, status));
    let by = STEP.min(current.room()).min(limit.duration_since(current.closes_at));
    (by > SignedDuration::ZERO).then_some(by)
}

/// When a task should be over.
fn deadline(task: &Task, status: &TaskStatus) -> Timestamp {
    let started = status.started_at.as_ref().map_or(Timestamp::MIN, |started| started.0);
    moments::after(started, task.timeout)
}

/// When a task is given up: `extend.max` after it should have been over. A check that is waited for is
/// no work under way, and gets no extension.
fn limit(current: &Current, task: &Task, status: &TaskStatus) -> Timestamp {
    let due = deadline(task, status);
    if is_check(task) { due } else { moments::after(due, current.window.extend_max) }
}

fn is_check(task: &Task) -> bool {
    matches!(task.work, Work::Check(_))
}

/// Whether a task has not ended.
pub(super) fn are_left(current: &Current) -> bool {
    next(current).is_some()
}

/// What is said of tasks beside the window that is open.
pub(super) fn told(current: &Current) -> Option<String> {
    let (task, status) = next(current)?;
    let words = match (status.state, status.message.as_str()) {
        (TaskState::Pending, "") => return None,
        (_, "") => "is about to begin".to_owned(),
        (_, words) => words.to_owned(),
    };
    Some(format!("task {}: {words}", task.name))
}

/// When tasks have to be looked at again beside what they wait for.
pub(super) fn wakes(current: &Current, now: Timestamp) -> Option<Timestamp> {
    let (task, status) = next(current)?;
    let push = moments::before(current.closes_at, PUSH_LEAD);
    let all = if status.state == TaskState::Running {
        vec![deadline(task, &status), limit(current, task, &status), push]
    } else {
        current.parts.iter().map(|part| part.from).collect()
    };
    all.into_iter().filter(|moment| *moment > now).min()
}

/// How an opening ended, by its tasks.
pub(super) fn outcome(current: &Current, outcome: Outcome, message: String) -> (Outcome, String) {
    let tasks = listed(current);
    let named = |pick: fn(&TaskStatus) -> bool| {
        let names = tasks.iter().filter(|task| pick(task)).map(|task| task.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let failed = named(|task| task.state.failed());
    let skipped = named(|task| task.state == TaskState::Skipped);
    let mut words = message;
    if !failed.is_empty() {
        words = format!("{words}; tasks that did not succeed: {failed}");
    }
    if !skipped.is_empty() {
        words = format!("{words}; tasks that were left out: {skipped}");
    }
    let fails = outcome == Outcome::Completed && !failed.is_empty();
    (if fails { Outcome::Failed } else { outcome }, words)
}
