//! Task: what a window does is begun at most once in an opening, while its gate is open, after it was
//! written down; and what is told of it is so.

use std::collections::BTreeMap;

use groundcrew::api::{
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
    window_tasks::{Task, TaskState, TaskStatus},
};
use jiff::Timestamp;

use super::{Found, lease};
use crate::{history::TaskBegun, world::kubernetes::key};

/// What was begun: how often, by window, opening and task.
#[derive(Debug, Default)]
pub struct Tasks(BTreeMap<(String, String, String), u32>);

impl Tasks {
    /// The operator began something.
    pub fn begun(&mut self, now: Timestamp, begun: &TaskBegun) -> Found {
        let TaskBegun { by, what, window, .. } = begun;
        let mut found = lease(begun.leads);
        let mut wrong = |why: &str| found.push(("Task", format!("{what} for {by}: {why}")));
        let status = window.as_ref().and_then(|window| window.status.as_ref());
        let current = status.and_then(|status| status.current.as_ref());
        let intended = current.and_then(|current| {
            let one = |task: &&TaskStatus| {
                task.state == TaskState::Running && task.intent.is_some() && task.id.is_none()
            };
            current.tasks.iter().find(one)
        });
        // What was sent before it closed may still arrive.
        if !begun.late {
            let gate = status.and_then(|status| status.gate.as_ref());
            let open = gate.is_some_and(|gate| {
                gate.open && gate.closes.as_ref().is_none_or(|closes| now < closes.0)
            });
            if !open {
                wrong("its gate is not open");
            }
            if intended.is_none() {
                wrong("nothing tells that it is about to begin");
            }
        }
        if let Some(current) = current {
            let tasks = current.spec.0.tasks.iter().flatten();
            let is_it = |task: &&Task| match what.as_str() {
                "UpdateService" => task.ecs.is_some(),
                // The comment of a command ends with the name of its task.
                command => command.ends_with(&format!(" {}", task.name)),
            };
            let task = tasks.into_iter().find(is_it).map_or("", |task| &task.name).to_owned();
            let by = by.strip_prefix("window ").unwrap_or_default().to_owned();
            let times = self.0.entry((by, current.id.clone(), task)).or_default();
            *times += 1;
            if *times > 1 {
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
    pub fn applied(&self, before: &MaintenanceWindow, after: &MaintenanceWindow) -> Found {
        let Some(status) = &after.status else { return Found::new() };
        let key = key(after);
        let mut found = Found::new();
        for (id, task, over) in tasks(status) {
            let old = before.status.as_ref();
            let mut known = old.into_iter().flat_map(tasks);
            if known.any(|(of, one, was)| {
                (of, &one.name, one.state, was) == (id, &task.name, task.state, over)
            }) {
                continue;
            }
            let begun = self.0.get(&(key.clone(), id.to_owned(), task.name.clone()));
            let told = match task.state {
                TaskState::Succeeded => begun.is_some(),
                TaskState::Skipped => begun.is_none(),
                TaskState::Pending | TaskState::Running => !over,
                TaskState::Failed | TaskState::Cancelled | TaskState::Unknown => true,
            };
            if !told {
                found.push(("Task", format!("{id} tells {task:?}, it was begun {begun:?}")));
            }
        }
        found
    }
}

/// The tasks of openings, and whether these are over.
fn tasks(status: &MaintenanceWindowStatus) -> impl Iterator<Item = (&str, &TaskStatus, bool)> {
    let current = status
        .current
        .iter()
        .flat_map(|current| current.tasks.iter().map(|task| (current.id.as_str(), task, false)));
    let over = status
        .history
        .iter()
        .flat_map(|entry| entry.tasks.iter().map(|task| (entry.id.as_str(), task, true)));
    current.chain(over)
}
