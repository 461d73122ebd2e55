//! Who is to be told what. Added to every plan, so that no rule can forget it.

mod course;
mod words;

use jiff::{SignedDuration, Timestamp};

use self::words::Words;
use super::{
    Facts,
    plan::{Note, Plan, Revisit},
};
use crate::{
    api::{
        duration::Duration,
        maintenance_window::Phase,
        window_notices::{Ending, EndingKind},
    },
    facts::kubernetes::Deletion,
    maintenance_window::{memory::Memory, notices::Wishes},
    notify::{
        due::{Dues, End, Occurrence, State, of_window},
        post::{AGAIN, Letter},
        stage::{Span, Stage},
    },
    time::{Opening, moments},
};

/// How long a deletion waits for channels to take what is left to be told.
const FAREWELL: SignedDuration = SignedDuration::from_secs(60);
/// What looks again this soon is in the middle of something, such as switching alarms on.
const STEP: SignedDuration = SignedDuration::from_secs(5);

/// Adds to a plan who is to be told what. `before` is what was published.
pub(super) fn tell(facts: &Facts, before: &Memory, mut plan: Plan, now: Timestamp) -> Plan {
    let nobody = facts.spec.notices.is_none() && before.book.is_empty();
    let frozen = before.current.as_ref().and_then(|current| current.window.notices.as_ref());
    if plan.asks.is_some() || nobody && frozen.is_none() {
        return plan;
    }
    // What is noted in this pass carries the next whole second, and is told now.
    let seen = moments::stamp(now);
    let goes_on = goes_on(&plan, now);
    course::follow(facts, before, &mut plan, seen);
    let groups = groups(facts, &plan, seen);
    let mut dues = Dues::default();
    let mut letters = Vec::new();
    for (occurrences, wishes) in &groups {
        let Wishes { timing, listeners, .. } = wishes;
        let of = of_window(occurrences, timing, listeners, &plan.memory.book.ledger, seen);
        let words = Words { facts, plan: &plan, wishes };
        letters.extend(of.now.iter().filter_map(|due| words.letter(due)));
        dues.now.extend(of.now);
        dues.next = dues.next.into_iter().chain(of.next).min();
    }
    course::forget(facts, &groups, &mut plan);
    announce(&mut plan);
    hold(facts, before, &mut plan, &dues, seen);
    let let_go = facts.deletion != Deletion::None && !plan.finalizer;
    post(&mut plan, if let_go || goes_on { Vec::new() } else { letters }, &dues, now);
    plan
}

/// The occurrences that are told of, each with those who are told of it.
fn groups(facts: &Facts, plan: &Plan, now: Timestamp) -> Vec<(Vec<Occurrence>, Wishes)> {
    let memory = &plan.memory;
    let book = &memory.book;
    let replaces = |id: &str| {
        let moved = book.moved.iter().find(|moved| moved.occurrence == id);
        moved.map(|moved| moved.replaces.clone())
    };
    let occurrence = |id: &str, span, state| Occurrence {
        id: id.to_owned(),
        replaces: replaces(id),
        span,
        state,
        check_failed: check_failed(facts, memory, id),
    };
    let over = |ending: &Ending| {
        let span = Span { opens: ending.opens_at.0, closes: ending.closes_at.0 };
        let ended_at = ending.ended_at.0;
        let state = match course::is_verified(memory, &ending.occurrence) {
            true => State::Verifying(ended_at),
            false => State::Over(ended_at, end(ending)),
        };
        occurrence(&ending.occurrence, span, state)
    };
    let mut groups = Vec::new();
    let own = facts.window.as_ref().ok().and_then(|window| window.notices.clone());
    if let Some(mut wishes) = own {
        let ahead = course::ahead(facts, plan);
        wishes.timing.before.extend(at_once(facts, ahead, now));
        let ahead = ahead.iter().map(|opening| {
            let Opening { id, opens_at, closes_at, .. } = opening;
            let span = Span { opens: *opens_at, closes: *closes_at };
            occurrence(id, span, State::Ahead)
        });
        groups.push((ahead.collect(), wishes));
    }
    let open = memory.current.as_ref().filter(|current| current.closing.is_none());
    groups.extend(open.and_then(|current| {
        let wishes = current.window.notices.clone()?;
        let span = Span { opens: current.opens_at, closes: current.closes_at };
        Some((vec![occurrence(&current.id, span, State::Open(current.opened_at))], wishes))
    }));
    groups.extend(book.endings.iter().filter_map(|ending| {
        let wishes = Wishes::parse(&ending.notices.0).ok()?;
        Some((vec![over(ending)], wishes))
    }));
    groups
}

/// Since when pre-checks of an opening fail that keep it closed.
fn check_failed(facts: &Facts, memory: &Memory, id: &str) -> Option<Timestamp> {
    facts.window.as_ref().ok().filter(|window| window.is_blocked_by_checks())?;
    let known = memory.before.as_ref().filter(|known| known.occurrence == id)?;
    known.failed_since.as_ref().map(|since| since.0)
}

fn end(ending: &Ending) -> End {
    match ending.end {
        EndingKind::Closed => End::Closed,
        EndingKind::Cancelled => End::Cancelled,
        EndingKind::Missed => End::Missed,
        EndingKind::Blocked => End::Blocked,
    }
}

/// An emergency is told of at once: as much ahead as it was made, in whole minutes.
fn at_once(facts: &Facts, ahead: &[Opening], now: Timestamp) -> Option<Duration> {
    facts.spec.emergency.as_ref()?;
    let made = facts.created_at.unwrap_or(now);
    let ahead = ahead.first()?.opens_at.duration_since(made).as_secs();
    let minutes = u64::try_from(ahead).ok().filter(|ahead| *ahead > 0)?.div_ceil(60);
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

/// What waits for an opening that people were told of is Announced.
fn announce(plan: &mut Plan) {
    let Some(next) = plan.upcoming.first() else { return };
    let sent = plan.memory.book.ledger.sent.iter();
    let sent = sent.filter(|sent| sent.occurrence == next.id && sent.revoked_at.is_none());
    let mut channels: Vec<&str> = sent.map(|sent| sent.channel.as_str()).collect();
    channels.sort_unstable();
    channels.dedup();
    if plan.report.reason == "Scheduled" && !channels.is_empty() {
        let message = format!("{}; announced to {}", plan.report.message, channels.join(", "));
        plan.report = super::plan::Report { phase: Phase::Announced, reason: "Announced", message };
    }
}

/// Who was told of something hears of its end: deletion waits for that, but not for long.
fn hold(facts: &Facts, before: &Memory, plan: &mut Plan, dues: &Dues, now: Timestamp) {
    let book = &plan.memory.book;
    let ends = |stage: &str| stage.parse().is_ok_and(Stage::is_end);
    let is_over = |id: &str| book.endings.iter().any(|ending| ending.occurrence == id);
    let mut sent = book.ledger.sent.iter();
    let told = sent.any(|sent| !ends(&sent.stage) && !is_over(&sent.occurrence));
    let owes = !dues.now.is_empty() || !book.ledger.failing.is_empty();
    if facts.deletion == Deletion::None {
        plan.finalizer |= told || owes;
        return;
    }
    // Something else may hold it anyway.
    if plan.finalizer && facts.deletion == Deletion::Undo || !told && !owes {
        return;
    }
    let failing = &before.book.ledger.failing;
    let until = facts.deleted_at.map_or(now, |deleted| moments::after(deleted, FAREWELL));
    let closes = told && plan.memory.current.is_some();
    let untried = !dues.now.is_empty() && failing.is_empty();
    let waits = closes || untried || owes && now < until;
    if waits && facts.deletion == Deletion::Undo {
        plan.finalizer = true;
        plan.report.message = "telling people that it is deleted".into();
        let soon = moments::after(now, AGAIN);
        plan.revisit = plan.revisit.no_later_than(until.max(soon));
        return;
    }
    let channels: Vec<&str> = failing.iter().map(|failing| failing.channel.as_str()).collect();
    let who = if channels.is_empty() { "people".into() } else { channels.join(", ") };
    plan.notes.push(Note {
        warning: true,
        reason: "NotTold",
        message: format!("let go, and {who} could not be told that it is deleted"),
    });
}

/// Whether an opening or a close is half done: a slow peer must not hold up the rest of it.
fn goes_on(plan: &Plan, now: Timestamp) -> bool {
    let soon = moments::after(now, STEP);
    plan.trouble.is_none() && matches!(plan.revisit, Revisit::At(then) if then <= soon)
}

/// Hands the letters over, unless something is about to change: that goes first.
fn post(plan: &mut Plan, letters: Vec<Letter>, dues: &Dues, now: Timestamp) {
    if let Some(next) = dues.next {
        plan.revisit = plan.revisit.no_later_than(next);
    }
    match plan.change_ahead(now) {
        // What was decided comes at once, and is told then.
        _ if plan.revisit == Revisit::Now => {}
        Some(change) if !letters.is_empty() => plan.revisit = plan.revisit.no_later_than(change),
        Some(_) | None => plan.letters = letters,
    }
}
