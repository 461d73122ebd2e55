//! Task: what a window does is begun at most once in an opening, while its gate is open, after it was
//! written down; and what is told of it is so.

use std::collections::BTreeMap;

use groundcrew::api::{
    maintenance_window::{CurrentOpening, MaintenanceWindow, MaintenanceWindowStatus},
    window_tasks::{Task, TaskState, TaskStatus},
};
use jiff::{SignedDuration, Timestamp};

use super::{Found, lease};
use crate::{
    history::{Made, TaskBegun},
    world::{kubernetes::key, shelf::Stored as _},
};

/// Calls about what tasks do.
const CALLS: [&str; 5] =
    ["SendCommand", "ListCommands", "CancelCommand", "UpdateService", "DescribeServices"];
/// How long before its opening a fault may still be on its way to a task.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// What windows began.
#[derive(Debug, Default)]
pub struct Tasks {
    /// By window, opening and task.
    begun: BTreeMap<(String, String, String), Work>,
    /// When a call about a task of a window last went wrong.
    troubles: BTreeMap<String, Timestamp>,
    /// When a process last began to lead: what the one before it knew is lost.
    led: Option<Timestamp>,
}

/// What was begun, the last time, and how often.
#[derive(Clone, Copy, Debug)]
struct Work {
    times: u32,
    ends: Timestamp,
    fails: bool,
}

/// One task, as a window tells of it.
struct Told<'a> {
    occurrence: &'a str,
    opens: Timestamp,
    task: &'a TaskStatus,
    /// The opening is over.
    over: bool,
}

impl Tasks {
    /// A process leads.
    pub fn process_leads(&mut self, now: Timestamp) {
        self.led = Some(now);
    }

    /// A call is sent.
    pub fn called(&mut self, now: Timestamp, made: &Made<'_>) {
        let fails = made.fault.is_some_and(|fault| !fault.is_answered());
        let window = made.by.and_then(|by| by.strip_prefix(MaintenanceWindow::CALLS));
        if let Some(window) = window
            && fails
            && CALLS.iter().any(|call| made.what.starts_with(call))
        {
            self.troubles.insert(window.to_owned(), now);
        }
    }

    /// The operator began something.
    pub fn begun(&mut self, now: Timestamp, begun: &TaskBegun) -> Found {
        let TaskBegun { by, what, window, .. } = begun;
        let mut found = lease(begun.leads);
        let mut wrong = |why: &str| found.push(("Task", format!("{what} for {by}: {why}")));
        let status = window.as_ref().and_then(|window| window.status.as_ref());
        let current = status.and_then(|status| status.current.as_ref());
        let task = current.and_then(|current| named(current, what));
        // What was sent before it closed may still arrive.
        if !begun.late {
            let gate = status.and_then(|status| status.gate.as_ref());
            let open = gate.is_some_and(|gate| {
                gate.open && gate.closes.as_ref().is_none_or(|closes| now < closes.0)
            });
            if !open {
                wrong("its gate is not open");
            }
            let intended = |one: &TaskStatus| {
                Some(one.name.as_str()) == task
                    && one.state == TaskState::Running
                    && one.intent.is_some()
                    && one.id.is_none()
            };
            if !current.is_some_and(|current| current.tasks.iter().any(intended)) {
                wrong("nothing tells that it is about to begin");
            }
        }
        if let Some(current) = current {
            let by = by.strip_prefix(MaintenanceWindow::CALLS).unwrap_or_default().to_owned();
            let place = (by, current.id.clone(), task.unwrap_or_default().to_owned());
            let times = self.begun.get(&place).map_or(1, |work| work.times + 1);
            let work = Work { times, ends: now + begun.takes, fails: begun.fails };
            self.begun.insert(place, work);
            if times > 1 {
                wrong("it was begun before");
            }
        }
        if !begun.finalized && !begun.late {
            found.push(("G1", format!("{what} is begun for {by} without a finalizer")));
        }
        found
    }

    /// Whether the status of a window may tell how far a task is.
    pub fn has_news(&self, before: &MaintenanceWindow) -> bool {
        let current = before.status.as_ref().and_then(|status| status.current.as_ref());
        current.is_some_and(|current| current.tasks.iter().any(|task| !task.state.ended()))
    }

    /// The operator applied the status of a window.
    pub fn applied(
        &self,
        now: Timestamp,
        before: &MaintenanceWindow,
        after: &MaintenanceWindow,
    ) -> Found {
        let Some(status) = &after.status else { return Found::new() };
        let key = key(after);
        let mut found = Found::new();
        for told in tasks(status) {
            let old = before.status.as_ref();
            let mut known = old.into_iter().flat_map(tasks);
            if known.any(|old| old.says_the_same(&told)) {
                continue;
            }
            let Told { occurrence, task, .. } = told;
            let place = (key.clone(), occurrence.to_owned(), task.name.clone());
            let begun = self.begun.get(&place);
            if !self.is_so(now, &key, &told, begun) {
                found.push(("Task", format!("{occurrence} tells {task:?}, it was {begun:?}")));
            }
        }
        found
    }

    /// Whether what is told of a task is so, as far as anybody can know.
    fn is_so(&self, now: Timestamp, key: &str, told: &Told<'_>, begun: Option<&Work>) -> bool {
        let trouble = self.troubles.get(key).max(self.led.as_ref());
        let unknown = trouble.is_some_and(|at| told.opens - SLACK <= *at);
        let over = begun.is_some_and(|work| work.ends <= now);
        match told.task.state {
            TaskState::Succeeded => over && begun.is_some_and(|work| !work.fails),
            TaskState::Skipped => begun.is_none(),
            TaskState::Pending | TaskState::Running => !told.over,
            // It failed, or takes too long.
            TaskState::Failed => unknown || begun.is_some_and(|work| work.fails || !over),
            TaskState::Cancelled => unknown || begun.is_some() && !over,
            TaskState::Unknown => unknown,
        }
    }
}

impl Told<'_> {
    fn says_the_same(&self, other: &Self) -> bool {
        let said = |one: &Self| (one.task.state, one.over);
        let place = |one: &Self| (one.occurrence.to_owned(), one.task.name.clone());
        said(self) == said(other) && place(self) == place(other)
    }
}

/// The task that a call begins. The comment of a command ends with the name of its task.
fn named<'a>(current: &'a CurrentOpening, what: &str) -> Option<&'a str> {
    let is_it = |task: &&Task| match what {
        "UpdateService" => task.ecs.is_some(),
        command => command.ends_with(&format!(" {}", task.name)),
    };
    current.spec.0.tasks.iter().flatten().find(is_it).map(|task| task.name.as_str())
}

/// The tasks of openings.
fn tasks(status: &MaintenanceWindowStatus) -> impl Iterator<Item = Told<'_>> {
    let current = status.current.iter().flat_map(|current| {
        let CurrentOpening { id, opens_at, tasks, .. } = current;
        let told = |task| Told { occurrence: id, opens: opens_at.0, task, over: false };
        tasks.iter().map(told)
    });
    let over = status.history.iter().flat_map(|entry| {
        let told = |task| Told { occurrence: &entry.id, opens: entry.opens_at.0, task, over: true };
        entry.tasks.iter().map(told)
    });
    current.chain(over)
}
