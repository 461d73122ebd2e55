//! What became of the openings that people were told of.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{
        maintenance_window::{Outcome, WindowHistoryEntry},
        window_notices::{Ending, EndingKind, FrozenNotices, Moved},
    },
    facts::kubernetes::Deletion,
    maintenance_window::{
        decide::{Facts, Plan, broken},
        memory::Memory,
        notices::Wishes,
        window::Window,
    },
    notify::{
        due::{LATE_MAX, Occurrence},
        stage::{Span, Stage},
    },
    time::{Opening, moments},
};

/// The openings to come, as far as nothing but the time keeps them from opening.
pub(super) fn ahead<'p>(facts: &Facts, plan: &'p Plan) -> &'p [Opening] {
    if facts.may_open() { &plan.upcoming } else { &[] }
}

/// Notes what ended, what was moved, and what is not to come any more.
pub(super) fn follow(facts: &Facts, before: &Memory, plan: &mut Plan, now: Timestamp) {
    verify(before, plan, now);
    let known = |id: &str| before.history.iter().any(|entry| entry.id == id);
    let ended: Vec<_> = plan.memory.history.iter().filter(|entry| !known(&entry.id)).collect();
    let ended: Vec<Ending> =
        ended.into_iter().rev().filter_map(|entry| of_history(facts, before, entry, now)).collect();
    ended.into_iter().for_each(|ending| end(plan, ending));
    let to_come: Vec<Opening> = ahead(facts, plan).to_vec();
    let current = plan.memory.current.as_ref().map(|current| current.id.clone());
    let lives =
        |id: &str| to_come.iter().any(|opening| opening.id == id) || current.as_deref() == Some(id);
    if facts.window.is_ok() {
        come_back(plan, lives, now);
    }
    let vanished = vanished(plan, lives, now);
    if vanished.is_empty() {
        return;
    }
    let invalid = unusable(facts, now);
    for (id, span) in vanished {
        match (&invalid, replacement(facts, before, plan, &to_come, &id, span, now)) {
            // What nobody can tell may come yet, until its time has come.
            (Some(_), _) if span.opens > now => {
                plan.revisit = plan.revisit.no_later_than(span.opens);
            }
            (Some(why), _) => {
                cancel(facts, plan, id, span, format!("its spec cannot work: {why}"), now)
            }
            (None, Some(by)) => {
                plan.memory.book.moved.insert(0, Moved { occurrence: by, replaces: id });
            }
            (None, None) => cancel(facts, plan, id, span, given_up(facts).into(), now),
        }
    }
}

/// Why nobody can tell which openings are to come; none where the calendar does, or none is.
fn unusable(facts: &Facts, now: Timestamp) -> Option<String> {
    match &facts.window {
        Err(_) | Ok(_) if !facts.may_open() => None,
        Err(invalid) => Some(invalid.to_string()),
        Ok(window) => window.calendar.next(now).err().map(|failed| failed.to_string()),
    }
}

/// Whether post-checks of what has closed may still say how it went.
pub(super) fn is_verified(memory: &Memory, id: &str) -> bool {
    let watched = memory.after.as_ref().is_some_and(|watch| watch.occurrence == id);
    let ended = memory.history.iter().find(|entry| entry.id == id);
    watched && ended.is_some_and(|entry| entry.outcome != Outcome::Failed)
}

/// What was verified ends now; ends that everybody knows are forgotten.
fn verify(before: &Memory, plan: &mut Plan, now: Timestamp) {
    let Memory { book, after, history, .. } = &mut plan.memory;
    let memory = Memory { after: after.clone(), history: history.clone(), ..Memory::default() };
    book.endings.retain_mut(|ending| {
        let id = &ending.occurrence;
        if is_verified(&memory, id) {
            return true;
        }
        if is_verified(before, id) {
            ending.ended_at = Time(now);
            let entry = history.iter().find(|entry| entry.id == *id);
            ending.message = entry.map(|entry| entry.message.clone()).unwrap_or_default();
        }
        now.duration_since(ending.ended_at.0) <= LATE_MAX
    });
}

fn end(plan: &mut Plan, ending: Ending) {
    let endings = &mut plan.memory.book.endings;
    if !endings.iter().any(|known| known.occurrence == ending.occurrence) {
        endings.insert(0, ending);
    }
}

/// The end of an opening that was just written into the history.
fn of_history(
    facts: &Facts,
    before: &Memory,
    entry: &WindowHistoryEntry,
    now: Timestamp,
) -> Option<Ending> {
    let WindowHistoryEntry { id, opens_at, closes_at, opened_at, outcome, message, .. } = entry;
    let opened = before.current.as_ref().filter(|current| current.id == *id);
    let spec = opened.map_or(&facts.spec, |current| &current.spec);
    let end = match outcome {
        _ if opened_at.is_some() => EndingKind::Closed,
        Outcome::Missed if !kept_closed(facts, before, entry) => EndingKind::Missed,
        Outcome::Missed | Outcome::Failed => EndingKind::Blocked,
        Outcome::Completed | Outcome::Cancelled => EndingKind::Cancelled,
    };
    Some(Ending {
        occurrence: id.clone(),
        opens_at: opens_at.clone(),
        closes_at: closes_at.clone(),
        ended_at: Time(moments::stamp(now)),
        end,
        message: message.clone(),
        notices: FrozenNotices(Box::new(spec.notices.clone()?)),
    })
}

/// Whether its pre-checks kept it from opening: they did not hold, or never ended.
fn kept_closed(facts: &Facts, before: &Memory, entry: &WindowHistoryEntry) -> bool {
    let blocks = facts.window.as_ref().is_ok_and(Window::is_blocked_by_checks);
    let known = before.before.as_ref().filter(|known| known.occurrence == entry.id);
    let endless = known.is_some_and(|known| known.at.is_none());
    blocks && (endless || broken(&entry.checks).is_some())
}

/// What was given up and is to come after all is told anew.
fn come_back(plan: &mut Plan, lives: impl Fn(&str) -> bool, now: Timestamp) {
    let book = &mut plan.memory.book;
    let (back, over) = std::mem::take(&mut book.endings)
        .into_iter()
        .partition::<Vec<_>, _>(|ending| lives(&ending.occurrence));
    book.endings = over;
    back.iter().for_each(|ending| book.ledger.reopen(&ending.occurrence, now));
    let ends = &book.endings;
    let is_over = |id: &str| ends.iter().any(|ending| ending.occurrence == id);
    book.moved.retain(|moved| lives(&moved.occurrence) || is_over(&moved.occurrence));
}

/// The openings that people were told of, and that nobody knows any more: with the times as told.
/// What is over for long is told to nobody.
fn vanished(plan: &Plan, lives: impl Fn(&str) -> bool, now: Timestamp) -> Vec<(String, Span)> {
    let Memory { book, history, .. } = &plan.memory;
    let known = |id: &str| {
        lives(id)
            || history.iter().any(|entry| entry.id == id)
            || book.endings.iter().any(|ending| ending.occurrence == id)
            || book.moved.iter().any(|moved| moved.replaces == id)
    };
    let mut found: Vec<(String, Span)> = Vec::new();
    for sent in book.ledger.sent.iter().rev().filter(|sent| !known(&sent.occurrence)) {
        let is_end = sent.stage.parse().is_ok_and(Stage::is_end);
        let span = sent.opens_at.as_ref().zip(sent.closes_at.as_ref());
        let is_new = !found.iter().any(|(id, _)| *id == sent.occurrence);
        if let Some((opens, closes)) = span.filter(|_| is_new && !is_end) {
            let span = Span { opens: opens.0, closes: closes.0 };
            found.push((sent.occurrence.clone(), span));
        }
    }
    found.retain(|(_, span)| now.duration_since(span.closes) <= LATE_MAX);
    found
}

/// The opening that an edit put in the place of one that was announced: a new one of the same
/// schedule, the nearest. One that only came into sight is none, and what is over is not moved.
fn replacement(
    facts: &Facts,
    before: &Memory,
    plan: &Plan,
    to_come: &[Opening],
    id: &str,
    was: Span,
    now: Timestamp,
) -> Option<String> {
    if !facts.edited || was.closes <= now {
        return None;
    }
    let schedule = |id: &str| id.rsplit_once('-').map(|(schedule, _)| schedule.to_owned());
    let own = schedule(id)?;
    let foreseen = &before.book.foreseen;
    let foreseen = foreseen.iter().filter(|(id, _)| schedule(id).as_ref() == Some(&own));
    let foreseen: Vec<_> = foreseen.collect();
    let was_known = |id: &str| foreseen.iter().any(|(known, _)| known == id);
    let stays = to_come.iter().any(|opening| was_known(&opening.id));
    let sight = foreseen.iter().map(|(_, opens)| *opens).max().filter(|_| stays);
    let taken = |id: &str| plan.memory.book.moved.iter().any(|moved| moved.occurrence == id);
    let fits = |opening: &&Opening| {
        schedule(&opening.id).as_ref() == Some(&own)
            && !was_known(&opening.id)
            && !taken(&opening.id)
            && sight.is_none_or(|sight| opening.opens_at <= sight)
    };
    let nearest = |opening: &&Opening| opening.opens_at.duration_since(was.opens).abs();
    to_come.iter().filter(fits).min_by_key(nearest).map(|opening| opening.id.clone())
}

/// Why an announced opening is not to come any more.
fn given_up(facts: &Facts) -> &'static str {
    match facts.deletion {
        Deletion::Undo | Deletion::Abandon => "the window is deleted",
        Deletion::None if facts.suspended() => "the window is suspended",
        Deletion::None if facts.audits() => "the window is in Audit",
        Deletion::None => "the window does not have it any more",
    }
}

/// What was announced and is not to come is told as cancelled, since its close at the latest.
fn cancel(facts: &Facts, plan: &mut Plan, id: String, span: Span, message: String, now: Timestamp) {
    let notices = facts.spec.notices.clone();
    // Channels that cannot be read are told once they can be.
    let Some(notices) = notices.filter(|notices| Wishes::parse(notices).is_ok()) else { return };
    end(
        plan,
        Ending {
            occurrence: id,
            opens_at: Time(span.opens),
            closes_at: Time(span.closes),
            ended_at: Time(moments::stamp(now).min(span.closes)),
            end: EndingKind::Cancelled,
            message,
            notices: FrozenNotices(Box::new(notices)),
        },
    );
}

/// Forgets what is of no use any more.
pub(super) fn forget(facts: &Facts, groups: &[(Vec<Occurrence>, Wishes)], plan: &mut Plan) {
    // What an invalid spec had in mind, nobody knows.
    if facts.window.is_err() {
        return;
    }
    let Memory { current, book, .. } = &mut plan.memory;
    let mut ids: Vec<&str> = Vec::new();
    ids.extend(groups.iter().flat_map(|(all, _)| all).map(|occurrence| occurrence.id.as_str()));
    ids.extend(current.as_ref().map(|current| current.id.as_str()));
    ids.extend(book.moved.iter().map(|moved| moved.replaces.as_str()));
    let open = current.as_ref().and_then(|current| current.window.notices.as_ref());
    let wishes = groups.iter().map(|(_, wishes)| wishes).chain(open);
    let channels = wishes.flat_map(|wishes| &wishes.channels);
    let channels: Vec<&str> = channels.map(|channel| channel.name.as_str()).collect();
    book.ledger.keep(&ids, &channels);
}
