//! What AWS and Kubernetes say, read as what a task wants to know.

use crate::{
    facts::{
        ecs::{Deployment, Rollout, Service},
        jobs::{State, TaskJob},
        rds::PendingMaintenance,
        ssm::{Automation, Command, Progress},
    },
    maintenance_window::tasks::{Seen, Work},
};

const AVAILABLE: &str = "available";
const REBOOTING: &str = "rebooting";

/// What there is before a task begins.
pub(super) enum Before {
    /// There is nothing to be done.
    Nothing(String),
    /// Something else has to end first.
    Wait(String),
    /// It cannot begin.
    Never(String),
    /// It can; this tells the new from the old.
    Ready(String),
}

/// A trace of what may have been begun.
pub(super) enum Trace {
    /// It was, and this is its id.
    Is(String),
    /// It was, and is over.
    Done(String),
    /// There is none.
    None,
}

/// How far something is that was begun.
pub(super) enum Judged {
    /// It runs.
    Runs(String),
    /// It is done.
    Done(String),
    /// It failed.
    Failed(String),
    /// It is done, and this is the next part of it.
    Next(String),
    /// Nobody can say any more how it ended.
    Lost(String),
}

pub(super) fn before(work: &Work, seen: &Seen) -> Before {
    match (work, seen) {
        (Work::Reboot { instance }, Seen::Database { status, pending_reboot, .. }) => {
            match (pending_reboot, status == AVAILABLE) {
                (false, _) => Before::Nothing(format!("nothing of {instance} waits for a reboot")),
                (true, true) => Before::Ready(String::new()),
                (true, false) => Before::Wait(format!("{instance} is {status}")),
            }
        }
        (Work::Maintain { instance }, Seen::Database { status, maintenance, .. }) => {
            match (next(maintenance), status == AVAILABLE) {
                (None, _) => Before::Nothing(format!("no maintenance waits for {instance}")),
                (Some(action), true) => Before::Ready(action),
                (Some(_), false) => Before::Wait(format!("{instance} is {status}")),
            }
        }
        (Work::Deploy { .. }, Seen::Service(service)) if service.status != "ACTIVE" => {
            Before::Never(format!("the service is {}", service.status))
        }
        // One that is there already was begun for this task, and is found again.
        (Work::Job { .. }, Seen::Job(_)) => Before::Ready(String::new()),
        (Work::Deploy { .. }, Seen::Service(service)) => {
            Before::Ready(service.primary().map(|primary| primary.id.clone()).unwrap_or_default())
        }
        _ => Before::Never(MIXED_UP.to_owned()),
    }
}

/// What is answered is what was asked; else it is told.
pub(super) const MIXED_UP: &str =
    "an error of groundcrew: it asked for something else; please report it";

/// The maintenance action that is next: one that is told to be applied already goes first.
fn next(maintenance: &[PendingMaintenance]) -> Option<String> {
    let first = maintenance.iter().find(|pending| pending.immediate).or(maintenance.first());
    first.map(|pending| pending.action.clone())
}

/// Looks for something newer than the mark of the intent.
pub(super) fn trace(work: &Work, mark: &str, seen: &Seen) -> Trace {
    match (work, seen) {
        (Work::Reboot { instance }, Seen::Database { status, pending_reboot, .. }) => {
            if status == REBOOTING {
                Trace::Is(instance.clone())
            } else if !pending_reboot && status == AVAILABLE {
                Trace::Done(format!("nothing of {instance} waits for a reboot any more"))
            } else {
                Trace::None
            }
        }
        (Work::Maintain { .. }, Seen::Database { maintenance, .. }) => {
            let own = maintenance.iter().find(|pending| pending.action == mark);
            // What is gone from the list was applied, or is; how it ends is watched.
            match own {
                None => Trace::Is(mark.to_owned()),
                Some(pending) if pending.immediate => Trace::Is(mark.to_owned()),
                Some(_) => Trace::None,
            }
        }
        (Work::Deploy { .. }, Seen::Service(service)) => match service.primary() {
            Some(primary) if primary.id != mark => Trace::Is(primary.id.clone()),
            Some(_) | None => Trace::None,
        },
        (Work::Command(_), Seen::Command(Some(command))) => Trace::Is(command.id.clone()),
        (Work::Job { .. }, Seen::Job(Some(job))) => Trace::Is(job.id()),
        _ => Trace::None,
    }
}

/// `mark` is that of the intent: what was there before.
pub(super) fn judge(work: &Work, id: &str, mark: &str, seen: &Seen) -> Judged {
    match (work, seen) {
        (Work::Reboot { instance }, Seen::Database { status, pending_reboot, .. }) => {
            if status != AVAILABLE {
                Judged::Runs(format!("{instance} is {status}"))
            } else if *pending_reboot {
                Judged::Runs(format!("{instance} is available, and still waits for its reboot"))
            } else {
                Judged::Done(format!("{instance} was rebooted, and is available"))
            }
        }
        (Work::Maintain { instance }, Seen::Database { status, maintenance, .. }) => {
            if maintenance.iter().any(|pending| pending.action == id) || status != AVAILABLE {
                return Judged::Runs(format!("{id} of {instance}: it is {status}"));
            }
            next(maintenance).map_or_else(
                || Judged::Done(format!("all maintenance of {instance} was applied")),
                Judged::Next,
            )
        }
        (Work::Deploy { .. }, Seen::Service(service)) => deployed(service, id, mark),
        (Work::Job { .. }, Seen::Job(job)) => ran(job.as_ref(), id),
        (Work::Command(_), Seen::Command(command)) => commanded(command.as_ref(), id),
        (Work::Automation { .. }, Seen::Automation(Some(automation))) => automated(automation, id),
        _ => Judged::Failed(MIXED_UP.to_owned()),
    }
}

fn ran(job: Option<&TaskJob>, id: &str) -> Judged {
    let Some(TaskJob { name, state, told, .. }) = job.filter(|job| job.id() == id) else {
        return Judged::Lost(format!(
            "Job {id} was deleted before its end was seen: look what it did; it is not run again"
        ));
    };
    match state {
        State::Runs => Judged::Runs(format!("Job {name} runs{told}")),
        State::Succeeded => Judged::Done(format!("Job {name} succeeded{told}")),
        State::Failed(why) => Judged::Failed(format!("Job {name} failed, {why}{told}")),
    }
}

fn deployed(service: &Service, id: &str, mark: &str) -> Judged {
    let primary = service.primary();
    // What was just begun may not be shown yet: ECS is consistent only after a while.
    if primary.map_or("", |primary| primary.id.as_str()) == mark {
        return Judged::Runs(format!("{id} is not listed yet"));
    }
    let own = primary.filter(|primary| primary.id == id);
    let Some(Deployment { rollout, reason, desired, running, .. }) = own else {
        let by = primary.map_or_else(String::new, |primary| format!(": {}", primary.id));
        return Judged::Failed(format!("another deployment took the place of {id}{by}"));
    };
    let counts = format!("{running} of {desired} tasks run");
    match rollout {
        Some(Rollout::Completed) => Judged::Done(format!("{id} is completed, {counts}")),
        Some(Rollout::Failed) => Judged::Failed(format!("{id} failed: {reason}")),
        Some(Rollout::InProgress) => Judged::Runs(format!("{id}: {counts}")),
        // Behind a Classic Load Balancer ECS does not say: steady is what has its tasks and no other.
        None if service.deployments.len() == 1 && running == desired => {
            Judged::Done(format!("{id} is the only deployment, {counts}"))
        }
        None => Judged::Runs(format!("{id}: {counts}")),
    }
}

fn commanded(command: Option<&Command>, id: &str) -> Judged {
    let Some(command) = command else {
        return Judged::Runs(format!("command {id} is not listed yet"));
    };
    let Command { status, details, targets, completed, errors, .. } = command;
    let counts = format!("{completed} of {targets} nodes, {errors} with errors");
    match command.progress() {
        // A document that ran nowhere did nothing.
        Progress::Succeeded if *targets == 0 => {
            Judged::Failed(format!("command {id} found no node: {details}"))
        }
        Progress::Succeeded => Judged::Done(format!("command {id} succeeded: {counts}")),
        Progress::Failed => {
            Judged::Failed(format!("command {id} is {status} ({details}): {counts}"))
        }
        Progress::Runs => Judged::Runs(format!("command {id} is {status}: {counts}")),
    }
}

fn automated(automation: &Automation, id: &str) -> Judged {
    let Automation { status, failure } = automation;
    let why = if failure.is_empty() { String::new() } else { format!(": {failure}") };
    match automation.progress() {
        Progress::Succeeded => Judged::Done(format!("automation {id} succeeded")),
        Progress::Failed => Judged::Failed(format!("automation {id} is {status}{why}")),
        Progress::Runs => Judged::Runs(format!("automation {id} is {status}")),
    }
}

#[cfg(test)]
mod tests;
