//! One task: whether it begins, and what becomes of it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    At, Turn, check, deadline, ended,
    judge::{self, Judged, Trace},
    limit, refused,
};
use crate::{
    api::window_tasks::{TaskIntent, TaskState, TaskStatus},
    maintenance_window::tasks::{
        Failed, Failure, Mark, Seen, TaskFacts, TaskQuestion, TaskStep, Work,
    },
    time::moments,
};

/// What was written down is begun, or a trace of it found, within this time, or not at all: what AWS
/// lists may lag behind.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

const NOT_BEGUN: &str = "it could not be begun in time, and was not";

/// When a task may run.
enum Span {
    Until(Timestamp),
    From(Timestamp),
    Over,
}

fn span(at: &At<'_>) -> Span {
    let Some(schedules) = &at.task.schedules else { return Span::Until(at.current.closes_at) };
    let now = at.situation.now;
    let own = || at.current.parts.iter().filter(|part| schedules.contains(&part.schedule));
    let open = own().filter(|part| part.from <= now && now < part.until);
    match (open.map(|part| part.until).max(), own().map(|part| part.from).find(|from| *from > now))
    {
        (Some(until), _) => Span::Until(until),
        (None, Some(from)) => Span::From(from),
        (None, None) => Span::Over,
    }
}

pub(super) fn becomes(at: &At<'_>, state: TaskState, message: impl Into<String>) -> Turn {
    Turn::Becomes(Box::new(ended(at.situation, at.status, state, message.into())))
}

/// A task that has not begun.
pub(super) fn start(at: &At<'_>) -> Turn {
    let now = at.situation.now;
    let zone = at.current.window.calendar.zone();
    if let Some(why) = refused(&at.task.work, &at.situation.facts.documents) {
        return becomes(at, TaskState::Failed, why);
    }
    let until = match span(at) {
        Span::Until(until) => until,
        Span::From(from) => {
            return Turn::Wait(format!(
                "it waits until {}, when its schedule begins",
                zone.told(from)
            ));
        }
        Span::Over => return becomes(at, TaskState::Skipped, "the time of its schedule is over"),
    };
    let last = moments::before(at.current.closes_at, at.current.window.cutoff);
    if now >= last || moments::after(now, at.task.timeout) > until {
        let why = format!(
            "it did not fit: it may take {:#}, new work was taken until {}, and its time ends {}",
            at.task.timeout,
            zone.told(last),
            zone.told(until)
        );
        return becomes(at, TaskState::Skipped, why);
    }
    if matches!(at.task.work, Work::Check(_)) {
        return check::start(at);
    }
    // The mark of a command or an automation is known without asking.
    if matches!(at.task.work, Work::Command(_) | Work::Automation { .. }) {
        return intend(at, String::new());
    }
    match seen(at) {
        Err(turn) => turn,
        Ok(Err(Failed { failure: Failure::Refused | Failure::Gone, unread })) => {
            becomes(at, TaskState::Failed, unread.message.clone())
        }
        Ok(Err(Failed { unread, .. })) => Turn::Trouble(unread.clone()),
        Ok(Ok(seen)) => match judge::before(&at.task.work, seen) {
            judge::Before::Nothing(why) => becomes(at, TaskState::Succeeded, why),
            judge::Before::Wait(why) => Turn::Wait(why),
            judge::Before::Never(why) => becomes(at, TaskState::Failed, why),
            judge::Before::Ready(mark) => intend(at, mark),
        },
    }
}

/// Writes down that it is about to begin.
fn intend(at: &At<'_>, mark: String) -> Turn {
    let now = Time(moments::stamp(at.situation.now));
    let status = TaskStatus {
        state: TaskState::Running,
        started_at: at.status.started_at.clone().or(Some(now.clone())),
        message: format!("about to begin: {}", at.task.work),
        intent: Some(TaskIntent { at: now, mark }),
        id: None,
        ..at.status.clone()
    };
    let key = key(at, &status);
    Turn::Intend(Box::new(status), key)
}

/// Tells this intent from every other of the window.
fn key(at: &At<'_>, status: &TaskStatus) -> String {
    let intent = status.intent.as_ref();
    let (moment, mark) =
        intent.map(|intent| (intent.at.0, intent.mark.as_str())).unwrap_or_default();
    format!("{}/{}/{moment}/{mark}", at.current.id, at.task.name)
}

/// What is said of it, or what is done first.
pub(super) fn seen<'a>(at: &At<'a>) -> Result<&'a Result<Seen, Failed>, Turn> {
    at.situation.facts.task.as_ref().map(|facts| &facts.seen).ok_or_else(|| {
        Turn::Ask(Box::new(TaskQuestion {
            work: at.task.work.clone(),
            id: at.status.id.clone(),
            mark: mark(at),
            since: super::calls_since(at.current.opens_at),
        }))
    })
}

fn mark(at: &At<'_>) -> Mark {
    Mark::of(&at.situation.facts.owner, &at.current.id, &at.task.name)
}

/// A task that was begun, or was about to be. `closing` says why the window closes.
pub(super) fn watch(at: &At<'_>, closing: Option<&str>) -> Turn {
    if matches!(at.task.work, Work::Check(_)) {
        return check::watch(at, closing);
    }
    let facts = match seen(at) {
        Ok(seen) => (seen, done(at)),
        Err(turn) => return turn,
    };
    match (&at.status.id, facts) {
        (None, (_, Some(Ok(id)))) => begun(at, id),
        (None, (_, Some(Err(failed)))) => not_begun(at, failed),
        (None, (seen, None)) => traced(at, seen, closing),
        (Some(id), (Err(failed), Some(told))) => lost(at, id, failed, Some(told)),
        (Some(_), (_, Some(cancelled))) => cancelled_as(at, cancelled, closing),
        (Some(id), (Err(failed), None)) => unseen(at, id, failed, closing),
        (Some(id), (Ok(seen), None)) => judged(at, id, seen, closing),
    }
}

fn done<'a>(at: &At<'a>) -> Option<&'a Result<String, Failed>> {
    at.situation.facts.task.as_ref().and_then(|TaskFacts { done, .. }| done.as_ref())
}

fn begun(at: &At<'_>, id: &str) -> Turn {
    let status = TaskStatus {
        id: Some(id.to_owned()),
        message: format!("begun: {}", at.task.work),
        ..at.status.clone()
    };
    Turn::Becomes(Box::new(status))
}

/// It could not be begun, or nobody knows.
fn not_begun(at: &At<'_>, failed: &Failed) -> Turn {
    match failed.failure {
        Failure::Refused | Failure::Gone => {
            becomes(at, TaskState::Failed, failed.unread.message.clone())
        }
        Failure::NotDone | Failure::Unsure => Turn::Trouble(failed.unread.clone()),
    }
}

/// What was written down: has it been begun?
fn traced(at: &At<'_>, seen: &Result<Seen, Failed>, closing: Option<&str>) -> Turn {
    let Some(intent) = &at.status.intent else {
        return becomes(at, TaskState::Unknown, "nothing says what was begun");
    };
    let now = at.situation.now;
    let since = now.duration_since(intent.at.0);
    let ours = at.situation.facts.intents.contains(&key(at, at.status));
    let seen = match seen {
        Ok(seen) => seen,
        Err(failed) if closing.is_none() && since < WITHIN => {
            return Turn::Trouble(failed.unread.clone());
        }
        Err(_) if ours => return becomes(at, TaskState::Failed, NOT_BEGUN),
        Err(failed) => {
            let why = format!(
                "it was about to begin at {}, and {} cannot be asked whether it did: {}",
                intent.at.0,
                at.task.work.done_by(),
                failed.unread.message
            );
            return becomes(at, TaskState::Unknown, why);
        }
    };
    match judge::trace(&at.task.work, &intent.mark, seen) {
        Trace::Is(id) => return begun(at, &id),
        Trace::Done(why) => return becomes(at, TaskState::Succeeded, why),
        Trace::None => {}
    }
    let once = !at.task.work.is_repeatable();
    match closing {
        None if (ours || !once) && since < WITHIN => begin(at, seen, intent, once),
        _ if ours => becomes(at, TaskState::Failed, NOT_BEGUN),
        None if since < WITHIN => {
            Turn::Wait(format!("it was about to begin at {}; looking whether it did", intent.at.0))
        }
        _ => becomes(
            at,
            TaskState::Unknown,
            format!(
                "it was about to begin at {}, and {} shows no trace of it: look whether it did; it is not begun again",
                intent.at.0,
                at.task.work.done_by()
            ),
        ),
    }
}

fn begin(at: &At<'_>, seen: &Seen, intent: &TaskIntent, once: bool) -> Turn {
    if !at.situation.facts.finalizer {
        // Deletion has to wait for us before there is anything to stop.
        return Turn::Wait(at.status.message.clone());
    }
    let arn = match seen {
        Seen::Database { arn, .. } => arn.clone(),
        Seen::Job(_)
        | Seen::Check(_)
        | Seen::Service(_)
        | Seen::Command(_)
        | Seen::Automation(_) => String::new(),
    };
    Turn::Step(Box::new(TaskStep::Begin {
        key: key(at, at.status),
        once,
        work: at.task.work.clone(),
        arn,
        action: intent.mark.clone(),
        mark: mark(at),
        timeout: at.task.timeout,
        at_most: at.task.timeout.saturating_add(at.current.window.extend_max),
        not_after: at.current.closes_at.min(moments::after(intent.at.0, WITHIN)),
    }))
}

/// It runs, and nobody says how far it is.
fn unseen(at: &At<'_>, id: &str, failed: &Failed, closing: Option<&str>) -> Turn {
    let now = at.situation.now;
    let begun = at.status.intent.as_ref().map_or(Timestamp::MIN, |intent| intent.at.0);
    // An automation that was just begun may not be found yet.
    let young =
        matches!(at.task.work, Work::Automation { .. }) && now.duration_since(begun) < WITHIN;
    let gone = failed.failure == Failure::Gone && !young;
    if closing.is_none() && now < limit(at.current, at.task, at.status) && !gone {
        return Turn::Trouble(failed.unread.clone());
    }
    // It may go on, so it is told to stop all the same.
    let stop = if gone { None } else { stop(at, id) };
    stop.unwrap_or_else(|| lost(at, id, failed, None))
}

/// It was begun, and nobody says how it ended. `stopped`: what came of telling it to stop.
fn lost(at: &At<'_>, id: &str, failed: &Failed, stopped: Option<&Result<String, Failed>>) -> Turn {
    let done_by = at.task.work.done_by();
    let why = &failed.unread.message;
    let stopped = match stopped {
        None => String::new(),
        Some(Ok(_)) => "; it was told to stop".to_owned(),
        Some(Err(not)) => {
            format!("; nor could it be cancelled: {}; it may go on", not.unread.message)
        }
    };
    let words =
        format!("{id} was begun, and {done_by} cannot be asked how it ended: {why}{stopped}");
    becomes(at, TaskState::Unknown, words)
}

/// Tells it to stop; none where that is not possible.
fn stop(at: &At<'_>, id: &str) -> Option<Turn> {
    match at.task.work {
        Work::Job { .. } | Work::Command(_) | Work::Automation { .. } => {
            Some(Turn::Step(Box::new(TaskStep::Cancel {
                work: at.task.work.clone(),
                id: id.to_owned(),
                mark: mark(at),
            })))
        }
        Work::Check(_) | Work::Reboot { .. } | Work::Maintain { .. } | Work::Deploy { .. } => None,
    }
}

/// It runs, and it is known how far it is.
fn judged(at: &At<'_>, id: &str, seen: &Seen, closing: Option<&str>) -> Turn {
    let mark = at.status.intent.as_ref().map_or("", |intent| intent.mark.as_str());
    match judge::judge(&at.task.work, id, mark, seen) {
        Judged::Done(why) => becomes(at, TaskState::Succeeded, why),
        Judged::Failed(why) => becomes(at, TaskState::Failed, why),
        Judged::Lost(why) => becomes(at, TaskState::Unknown, why),
        Judged::Next(_) if closing.is_some() => {
            becomes(at, TaskState::Failed, "the window closed before all of it was applied")
        }
        Judged::Next(_) if at.situation.now >= deadline(at.task, at.status) => becomes(
            at,
            TaskState::Failed,
            format!("not all of it was applied within {:#}", at.task.timeout),
        ),
        Judged::Next(mark) => intend(at, mark),
        Judged::Runs(how) => runs_on(at, id, how, closing),
    }
}

/// It is not over yet.
fn runs_on(at: &At<'_>, id: &str, how: String, closing: Option<&str>) -> Turn {
    let now = at.situation.now;
    let zone = at.current.window.calendar.zone();
    let (due, limit) = (deadline(at.task, at.status), limit(at.current, at.task, at.status));
    if closing.is_none() && now < due {
        return Turn::Wait(format!("{how}; it may take until {}", zone.told(due)));
    }
    if closing.is_none() && now < limit {
        let until = zone.told(limit);
        return Turn::Wait(format!(
            "{how}; it takes longer than {:#}, and is given up {until}",
            at.task.timeout
        ));
    }
    stop(at, id).unwrap_or_else(|| {
        let words = format!("{}: {how}; AWS goes on with it", too_long(at, closing));
        becomes(at, TaskState::Failed, words)
    })
}

fn too_long(at: &At<'_>, closing: Option<&str>) -> String {
    match closing {
        Some(why) => format!("it had not ended when the window closed ({why})"),
        None => format!("it did not end within {:#}", at.task.timeout),
    }
}

/// It was told to stop.
fn cancelled_as(at: &At<'_>, done: &Result<String, Failed>, closing: Option<&str>) -> Turn {
    let long = too_long(at, closing);
    match done {
        Ok(told) if matches!(at.task.work, Work::Job { .. }) => becomes(
            at,
            TaskState::Cancelled,
            format!("{long}, and its Job was deleted; its pods are told to end{told}"),
        ),
        Ok(_) => becomes(
            at,
            TaskState::Cancelled,
            format!(
                "{long}, and was cancelled; what runs already may go on, AWS does not promise that it stops"
            ),
        ),
        Err(failed) => becomes(
            at,
            TaskState::Failed,
            format!(
                "{long}, and could not be cancelled: {}; it goes on in {}",
                failed.unread.message,
                at.task.work.done_by()
            ),
        ),
    }
}
