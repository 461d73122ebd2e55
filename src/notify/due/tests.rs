//! Who is told what and when, in cases and in laws.

mod laws;

use super::*;
use crate::api::channel::{Channel, StatuspageChannel};

const OPENS: &str = "2026-12-06T01:00:00Z";

fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap();
    format!("2026-12-{day:0>2}T{time}:00Z").parse().unwrap()
}

fn weekly(state: State) -> Occurrence {
    let opens: Timestamp = OPENS.parse().unwrap();
    let span = Span { opens, closes: opens + SignedDuration::from_hours(2) };
    Occurrence { id: "weekly-1".into(), replaces: None, span, state, check_failed: None }
}

fn timing() -> Timing {
    let before = ["7d", "24h", "1h"].map(|lead| lead.parse().unwrap()).to_vec();
    Timing { before, every: Some("30m".parse().unwrap()) }
}

fn ops() -> Listener {
    Listener::all(&Channel { name: "ops".into(), ..Channel::default() })
}

fn some(stages: &[&str]) -> Listener {
    let stages: Vec<String> = stages.iter().map(|stage| (*stage).to_owned()).collect();
    let channel = Channel { name: "some".into(), ..Channel::default() };
    Listener::of(&channel, Some(&stages)).unwrap()
}

fn look(occurrence: &Occurrence, listener: &Listener, ledger: &Ledger, now: Timestamp) -> Dues {
    let (all, listeners) = ([occurrence.clone()], [listener.clone()]);
    of_window(&all, &timing(), &listeners, ledger, now)
}

/// Looks, sends what is due, and returns it: `24h`, `24h instead of 7d`, nothing.
fn tell(occurrence: &Occurrence, to: &Listener, ledger: &mut Ledger, now: &str) -> String {
    let dues = look(occurrence, to, ledger, at(now));
    let Some(due) = dues.now.first() else { return String::new() };
    ledger.record_sent(due, at(now));
    let mut said = due.stage.to_string();
    if !due.collapsed.is_empty() {
        let collapsed: Vec<String> = due.collapsed.iter().map(ToString::to_string).collect();
        said = format!("{said} instead of {}", collapsed.join(", "));
    }
    if let Some(was) = due.was {
        said = format!("{said}, was {}", was.closes);
    }
    said
}

#[test]
fn each_stage_is_told_once_from_the_first_lead_to_the_close() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let ahead = weekly(State::Ahead);
    for (now, said) in [
        ("04 00:00", "7d"),
        ("04 00:01", ""),
        ("05 00:59", ""),
        ("05 01:00", "24h"),
        ("06 00:00", "1h"),
        ("06 00:59", ""),
    ] {
        assert_eq!(tell(&ahead, &ops, &mut ledger, now), said, "{now}");
    }
    let open = weekly(State::Open(at("06 01:00")));
    for (now, said) in [
        ("06 01:00", "Opened"),
        ("06 01:29", ""),
        ("06 01:30", "Progress"),
        ("06 01:31", ""),
        ("06 02:40", "Progress"),
        ("06 02:59", ""),
    ] {
        assert_eq!(tell(&open, &ops, &mut ledger, now), said, "{now}");
    }
    let over = weekly(State::Over(at("06 03:00"), End::Closed));
    assert_eq!(tell(&over, &ops, &mut ledger, "06 03:00"), "Closed");
    assert_eq!(tell(&over, &ops, &mut ledger, "06 03:01"), "");
    assert_eq!(ledger.sent.len(), 1, "an end stands for all that went before");
}

#[test]
fn what_was_missed_collapses_into_the_latest() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let ahead = weekly(State::Ahead);
    assert_eq!(tell(&ahead, &ops, &mut ledger, "06 00:10"), "1h instead of 7d, 24h");
    assert_eq!(tell(&ahead, &ops, &mut ledger, "06 00:11"), "");
    let mut ledger = Ledger::default();
    let open = weekly(State::Open(at("06 01:00")));
    assert_eq!(tell(&open, &ops, &mut ledger, "06 02:35"), "Opened instead of 7d, 24h, 1h");
    assert_eq!(tell(&open, &ops, &mut ledger, "06 02:36"), "");
    let over = weekly(State::Over(at("06 03:00"), End::Closed));
    let said = tell(&over, &ops, &mut Ledger::default(), "06 04:00");
    assert_eq!(said, "Closed instead of 7d, 24h, 1h, Opened");
}

#[test]
fn an_end_that_is_a_day_old_is_told_to_nobody() {
    let over = weekly(State::Over(at("06 03:00"), End::Missed));
    assert_eq!(tell(&over, &ops(), &mut Ledger::default(), "07 03:00").get(..6), Some("Missed"));
    assert_eq!(look(&over, &ops(), &Ledger::default(), at("07 03:01")), Dues::default());
}

#[test]
fn only_what_was_announced_is_cancelled_and_only_to_those_who_heard() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let cancelled = weekly(State::Over(at("05 12:00"), End::Cancelled));
    assert_eq!(tell(&cancelled, &ops, &mut ledger, "05 12:00"), "");
    assert_eq!(tell(&weekly(State::Ahead), &ops, &mut ledger, "05 11:00"), "24h instead of 7d");
    assert_eq!(tell(&cancelled, &ops, &mut ledger, "05 12:00"), "Cancelled");
    assert_eq!(tell(&cancelled, &ops, &mut ledger, "05 12:01"), "");
    // What did not open although it should have is told to everybody.
    let blocked = weekly(State::Over(at("06 01:00"), End::Blocked));
    let said = tell(&blocked, &ops, &mut Ledger::default(), "06 01:00");
    assert_eq!(said, "Blocked instead of 7d, 24h, 1h");
}

#[test]
fn what_was_announced_otherwise_is_announced_as_changed() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let mut moved = weekly(State::Ahead);
    moved.span.opens = at("06 02:00");
    assert_eq!(tell(&moved, &ops, &mut ledger, "01 00:00").get(..2), Some("7d"));
    moved.span.opens = at("06 01:00");
    assert_eq!(
        tell(&moved, &ops, &mut ledger, "05 01:30"),
        "Changed instead of 24h, was 2026-12-06T03:00:00Z"
    );
    // It said all that the lead would have said.
    assert_eq!(tell(&moved, &ops, &mut ledger, "05 01:31"), "");
    assert_eq!(tell(&moved, &ops, &mut ledger, "06 00:00"), "1h");
}

#[test]
fn an_occurrence_in_place_of_an_announced_one_is_a_change_of_it() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    assert_eq!(tell(&weekly(State::Ahead), &ops, &mut ledger, "04 00:00"), "7d");
    let mut other = weekly(State::Ahead);
    other.id = "weekly-2".into();
    other.replaces = Some("weekly-1".into());
    other.span.closes = at("06 05:00");
    let said = tell(&other, &ops, &mut ledger, "05 00:00");
    assert_eq!(said, "Changed instead of 7d, was 2026-12-06T03:00:00Z");
    ledger.keep(&["weekly-2"], &["ops"]);
    assert_eq!(tell(&other, &ops, &mut ledger, "05 00:01"), "");
    assert_eq!(tell(&other, &ops, &mut ledger, "05 01:00"), "24h");
}

#[test]
fn a_later_close_is_told_as_extended_and_an_earlier_one_as_changed() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let mut open = weekly(State::Open(at("06 01:00")));
    assert!(tell(&open, &ops, &mut ledger, "06 01:00").starts_with("Opened"));
    open.span.closes = at("06 04:00");
    let due = look(&open, &ops, &ledger, at("06 01:10")).now.remove(0);
    let later = look(&open, &ops, &ledger, at("06 01:20")).now.remove(0);
    assert_eq!(due, later, "each attempt has the same identity");
    assert_eq!(tell(&open, &ops, &mut ledger, "06 01:10"), "Extended, was 2026-12-06T03:00:00Z");
    assert_eq!(tell(&open, &ops, &mut ledger, "06 01:11"), "");
    open.span.closes = at("06 03:30");
    assert_eq!(tell(&open, &ops, &mut ledger, "06 01:12"), "Changed, was 2026-12-06T04:00:00Z");
    // Who hears of no extensions is not told of them later.
    let mut ledger = Ledger::default();
    let some = some(&["Opened", "Closed"]);
    assert_eq!(tell(&open, &some, &mut ledger, "06 01:00"), "Opened");
    open.span.closes = at("06 04:00");
    assert_eq!(tell(&open, &some, &mut ledger, "06 01:30"), "");
}

#[test]
fn a_check_that_fails_ahead_is_told_once_beside_the_leads() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let mut ahead = weekly(State::Ahead);
    ahead.check_failed = Some(at("05 00:50"));
    assert_eq!(tell(&ahead, &ops, &mut ledger, "05 01:00"), "24h instead of 7d");
    assert_eq!(tell(&ahead, &ops, &mut ledger, "05 01:01"), "CheckFailed");
    assert_eq!(tell(&ahead, &ops, &mut ledger, "05 01:02"), "");
    ahead.check_failed = Some(at("05 03:00"));
    assert_eq!(tell(&ahead, &ops, &mut ledger, "05 04:00"), "");
    assert_eq!(tell(&ahead, &ops, &mut ledger, "06 00:00"), "1h");
}

#[test]
fn only_a_public_page_is_told_that_the_last_checks_run() {
    let page = Channel { statuspage: Some(StatuspageChannel::default()), ..Channel::default() };
    let verifying = weekly(State::Verifying(at("06 03:00")));
    let said = tell(&verifying, &Listener::all(&page), &mut Ledger::default(), "06 03:00");
    assert!(said.starts_with("Verifying"), "{said}");
    assert_eq!(tell(&verifying, &ops(), &mut Ledger::default(), "06 03:00"), "");
}

#[test]
fn the_next_time_is_when_something_is_due_or_tried_again() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let next = |state, ledger: &Ledger, now| look(&weekly(state), &ops, ledger, at(now)).next;
    assert_eq!(next(State::Ahead, &ledger, "04 00:00"), Some(at("05 01:00")));
    assert_eq!(next(State::Ahead, &ledger, "06 00:30"), None);
    let open = State::Open(at("06 01:00"));
    tell(&weekly(open), &ops, &mut ledger, "06 01:00");
    assert_eq!(next(open, &ledger, "06 01:00"), Some(at("06 01:30")));
    assert_eq!(next(open, &ledger, "06 02:59"), None);
    let over = weekly(State::Over(at("06 03:00"), End::Closed));
    let due = look(&over, &ops, &ledger, at("06 03:00")).now.remove(0);
    let wait = Some(std::time::Duration::from_secs(120));
    ledger.record_failed(&due, at("06 03:00"), "refused", wait);
    assert_eq!(look(&over, &ops, &ledger, at("06 03:01")).next, Some(at("06 03:02")));
    assert_eq!(look(&over, &ops, &ledger, at("06 03:02")).now, [due]);
}

#[test]
fn a_channel_that_fails_is_tried_again_ever_more_rarely_and_at_once_for_what_is_new() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let ahead = weekly(State::Ahead);
    let mut now = at("06 00:10");
    let mut waits = Vec::new();
    for attempt in 1..=8 {
        let due = look(&ahead, &ops, &ledger, now).now.remove(0);
        ledger.record_failed(&due, now, "refused", None);
        assert_eq!(ledger.failing[0].attempts, attempt);
        let next = look(&ahead, &ops, &ledger, now).next.unwrap();
        waits.push(next.duration_since(now).as_secs());
        now = next;
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900]);
    let open = weekly(State::Open(at("06 01:00")));
    assert_eq!(look(&open, &ops, &ledger, at("06 01:00")).now[0].stage, Stage::Opened);
    assert!(tell(&open, &ops, &mut ledger, "06 01:00").starts_with("Opened"));
    assert_eq!(ledger.failing, []);
}

#[test]
fn of_a_release_the_last_event_counts_and_each_is_told_once() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let events = [
        (Stage::Started, at("06 01:00")),
        (Stage::Held, at("06 01:10")),
        (Stage::Held, at("06 01:40")),
    ];
    let look = |events: &[(Stage, Timestamp)], ledger: &Ledger| {
        of_events("9f2c1a", events, std::slice::from_ref(&ops), ledger, at("06 02:00")).now
    };
    let first = look(&events[..1], &ledger).remove(0);
    assert_eq!((first.stage, first.at), (Stage::Started, at("06 01:00")));
    ledger.record_sent(&first, at("06 01:00"));
    assert_eq!(look(&events[..1], &ledger), []);
    let held = look(&events, &ledger).remove(0);
    assert_eq!((held.stage, held.at), (Stage::Held, at("06 01:40")));
    assert_eq!(held.collapsed, [Stage::Held]);
    ledger.record_sent(&held, at("06 01:41"));
    assert_eq!(look(&events, &ledger), []);
    assert_eq!(ledger.sent.len(), 1);
}

#[test]
fn a_notice_is_the_first_until_the_channel_was_told_and_again_once_that_was_taken_back() {
    let (mut ledger, ops) = (Ledger::default(), ops());
    let mut tell = |occurrence: &Occurrence, now: &str, reopened: bool| {
        if reopened {
            ledger.reopen(&occurrence.id, at(now));
        }
        let due = look(occurrence, &ops, &ledger, at(now)).now.remove(0);
        ledger.record_sent(&due, at(now));
        (due.stage.to_string(), due.is_first)
    };
    let ahead = weekly(State::Ahead);
    assert_eq!(tell(&ahead, "05 01:00", false), ("24h".into(), true));
    assert_eq!(tell(&ahead, "06 00:00", false), ("1h".into(), false));
    let moved = Occurrence {
        id: "weekly-2".into(),
        replaces: Some("weekly-1".into()),
        span: Span { opens: at("06 02:00"), closes: at("06 03:00") },
        ..ahead
    };
    assert_eq!(tell(&moved, "06 00:10", false), ("Changed".into(), false));
    let moved = Occurrence { replaces: None, ..moved };
    let off = Occurrence { state: State::Over(at("06 00:20"), End::Cancelled), ..moved.clone() };
    assert_eq!(tell(&off, "06 00:20", false), ("Cancelled".into(), false));
    assert_eq!(tell(&moved, "06 01:10", true), ("1h".into(), true));
    let open = Occurrence { state: State::Open(at("06 02:00")), ..moved };
    assert_eq!(tell(&open, "06 02:00", false), ("Opened".into(), false));
}
