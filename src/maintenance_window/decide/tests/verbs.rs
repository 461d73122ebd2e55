//! What people ask of a window.

use crate::{
    api::maintenance_window::Phase,
    maintenance_window::world::{WEEKLY, World, december},
};

const SUNDAY: &str = "weekly-20261206T0100Z";
const NEXT: &str = "weekly-20261213T0100Z";

fn extendable() -> World {
    let mut world = World::new(&format!("{WEEKLY}extend: {{max: 1h}}"), "05T12:00");
    world.passes();
    world.at("06T01:00");
    world
}

#[test]
fn close_ends_what_is_open_before_its_time() {
    let mut world = World::open();
    assert_eq!(world.ask(&format!("close@{SUNDAY}")), format!("Accepted: {SUNDAY} is closing"));
    let why = "alice closed it before its time".to_owned();
    assert_eq!(world.history(), [(SUNDAY.into(), "Completed", why)]);
    world.check(Phase::Scheduled, false, "opens Sun 13 Dec 2026 02:00–04:00 CET");
}

#[test]
fn a_verb_for_something_else_than_what_is_open_is_refused() {
    let mut world = World::open();
    let answer = world.ask(&format!("close@{NEXT}"));
    assert_eq!(answer, format!("Refused: close is for {NEXT}; {SUNDAY} is open"));
    assert_eq!(world.told().phase, Some(Phase::Open));
    let mut world = World::weekly();
    let answer = world.ask(&format!("close@{SUNDAY}"));
    assert_eq!(answer, format!("Refused: {SUNDAY} is not open; nothing is"));
    let answer = world.ask("explode@x");
    assert_eq!(answer, "Refused: there is no verb \"explode\"; there are close, extend, skip");
}

#[test]
fn extend_pushes_the_close_as_far_as_the_spec_allows_in_all() {
    let mut world = extendable();
    let answer = world.ask(&format!("extend=40m@{SUNDAY}"));
    assert_eq!(answer, format!("Accepted: {SUNDAY} closes Sun 6 Dec 2026 04:40 CET"));
    let answer = world.ask(&format!("extend=30m@{SUNDAY}"));
    let told = format!("Refused: {SUNDAY} was extended by 40m and may be extended by 1h in all");
    assert_eq!(answer, told);
    world.ask(&format!("extend=20m@{SUNDAY}#2"));
    let current = world.told().current.clone().unwrap();
    assert_eq!(current.closes_at.0, december("06T04:00"));
    assert_eq!(current.extended_by.unwrap().to_string(), "1h");
    assert_eq!(current.parts[0].until.0, december("06T04:00"));
    assert_eq!(world.told().gate.clone().unwrap().until.unwrap().0, december("06T04:00"));
    world.until("06T03:59");
    assert_eq!(world.told().phase, Some(Phase::Open));
    world.at("06T04:00");
    assert_eq!(world.history()[0].1, "Completed");
}

#[test]
fn a_verb_is_acted_on_once() {
    let mut world = extendable();
    world.ask(&format!("extend=20m@{SUNDAY}"));
    world.later(60);
    world.later(60);
    assert_eq!(world.told().current.clone().unwrap().closes_at.0, december("06T03:20"));
    world.ask(&format!("extend=10m@{SUNDAY}"));
    let again = world.ask(&format!("extend=20m@{SUNDAY}"));
    assert!(again.starts_with("Refused: extend=20m@weekly-20261206T0100Z was answered before"));
    assert_eq!(world.told().current.clone().unwrap().closes_at.0, december("06T03:30"));
}

#[test]
fn without_extend_in_the_spec_it_opened_with_nothing_is_extended() {
    let mut world = World::open();
    world.edit(|spec| {
        spec.extend = Some(crate::api::maintenance_window::Extend { max: "1h".parse().unwrap() });
    });
    let answer = world.ask(&format!("extend=20m@{SUNDAY}"));
    let told =
        format!("Refused: {SUNDAY} opened with a spec without extend: it cannot be extended");
    assert_eq!(answer, told);
}

#[test]
fn what_is_over_or_closing_is_not_extended() {
    let mut world = extendable();
    world.now = december("06T03:00");
    let answer = world.ask(&format!("extend=20m@{SUNDAY}"));
    assert_eq!(answer, format!("Refused: the time of {SUNDAY} is over"));
    assert_eq!(world.history()[0].1, "Completed");
}

#[test]
fn skip_leaves_out_an_opening_that_is_to_come() {
    let mut world = World::weekly();
    assert_eq!(world.ask(&format!("skip@{SUNDAY}")), format!("Accepted: {SUNDAY} will not open"));
    world.check(Phase::Scheduled, false, "opens Sun 13 Dec 2026 02:00–04:00 CET");
    assert_eq!(world.history(), [(SUNDAY.into(), "Cancelled", "alice skipped it".into())]);
    world.until("06T12:00");
    assert_eq!(world.history().len(), 1);
    assert_eq!(world.told().skipped, [], "what has passed is forgotten");
    world.until("13T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn skip_names_what_could_be_skipped() {
    let mut world = World::open();
    let answer = world.ask(&format!("skip@{SUNDAY}"));
    let told = format!("Refused: {SUNDAY} is open: close it with the verb close@{SUNDAY}");
    assert_eq!(answer, told);
    let answer = world.ask("skip@weekly-x");
    let told = format!(
        "Refused: weekly-x is not among the next openings: {NEXT}, weekly-20261220T0100Z, weekly-20261227T0100Z, weekly-20270103T0100Z, weekly-20270110T0100Z"
    );
    assert_eq!(answer, told);
    assert_eq!(world.ask(&format!("skip@{NEXT}")), format!("Accepted: {NEXT} will not open"));
    let again = world.ask(&format!("skip@{NEXT}#2"));
    assert_eq!(again, format!("Accepted: {NEXT} was skipped before"));
}

#[test]
fn what_was_not_opened_for_a_while_can_be_skipped_while_it_is_due() {
    let mut world = World::weekly();
    world.edit(|spec| spec.suspend = Some(true));
    world.at("06T01:30");
    assert_eq!(world.told().next.as_ref().unwrap().id, SUNDAY);
    assert_eq!(world.ask(&format!("skip@{SUNDAY}")), format!("Accepted: {SUNDAY} will not open"));
    world.edit(|spec| spec.suspend = None);
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
}

#[test]
fn what_was_closed_stays_closed_whatever_is_skipped_meanwhile() {
    let yaml = "
timeZone: Etc/UTC
schedules:
- {name: long, once: '2026-12-05T12:00', duration: 12h}
- {name: daily, cron: '0 2 * * *', duration: 1h}
";
    let mut world = World::new(yaml, "05T12:00");
    world.passes();
    world.ask("close@long-20261205T1200Z");
    for day in 6..20 {
        let answer = world.ask(&format!("skip@daily-202612{day:02}T0200Z"));
        assert!(answer.starts_with("Accepted"), "{answer}");
        assert_eq!(world.told().phase, Some(Phase::Scheduled), "day {day}");
    }
    let history = world.history();
    assert_eq!(history.len(), 10);
    assert!(history.iter().any(|(id, ..)| id == "long-20261205T1200Z"), "{history:?}");
    assert_eq!(history[0].0, "daily-20261219T0200Z");
    world.until("05T23:59");
    assert!(!world.events[1..].contains(&"Opened"), "{:?}", world.events);
}
