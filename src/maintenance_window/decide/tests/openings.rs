//! When a window opens and closes, and what is told of those that do not.

use crate::{
    api::{
        maintenance_window::{GateReason, Phase},
        shared::Mode,
    },
    facts::kubernetes::Deletion,
    maintenance_window::world::{WEEKLY, World, december},
    plan::Revisit,
};

const SUNDAY: &str = "weekly-20261206T0100Z";

#[test]
fn a_window_opens_at_its_start_and_closes_at_its_end() {
    let mut world = World::weekly();
    world.check(Phase::Scheduled, false, "opens Sun 6 Dec 2026 02:00–04:00 CET");
    world.until("06T00:59");
    world.check(Phase::Scheduled, false, "opens Sun 6 Dec 2026 02:00–04:00 CET");
    world.at("06T01:00");
    world.check(Phase::Open, true, &format!("open until Sun 6 Dec 2026 04:00 CET: {SUNDAY}"));
    let gate = world.told().gate.clone().unwrap();
    assert_eq!(gate.until.unwrap().0, december("06T03:00"));
    assert_eq!(gate.closes.unwrap().0, december("06T03:00"));
    world.until("06T02:59");
    assert_eq!(world.told().phase, Some(Phase::Open));
    world.at("06T03:00");
    world.check(Phase::Scheduled, false, "opens Sun 13 Dec 2026 02:00–04:00 CET");
    assert_eq!(world.history(), [(SUNDAY.into(), "Completed", "its time is over".into())]);
    assert_eq!(world.events, ["Opened", "Closed"]);
}

#[test]
fn what_was_decided_before_the_end_is_not_told_after_it() {
    let mut world = World::new(&format!("{WEEKLY}cutoff: 30m"), "05T12:00");
    world.now = december("06T02:29");
    let open = world.plan();
    assert!(open.gate.open && !open.is_outdated(december("06T02:29")));
    // It takes no new work from then on.
    assert!(open.is_outdated(december("06T02:30")));
    world.now = december("06T02:30");
    let closed = world.plan();
    assert!(!closed.gate.open && !closed.is_outdated(december("06T03:00")));
}

#[test]
fn it_is_looked_at_when_something_changes_and_no_moment_later() {
    let mut world = World::weekly();
    world.now = december("06T00:58");
    assert_eq!(world.passes().revisit, Revisit::At(december("06T01:00")));
    assert_eq!(world.at("06T01:00").revisit, Revisit::At(december("06T01:05")));
    world.at("06T02:58");
    assert_eq!(world.passes().revisit, Revisit::At(december("06T03:00")));
}

#[test]
fn what_does_not_open_is_looked_at_when_it_is_over() {
    for not_opening in [
        |world: &mut World| world.edit(|spec| spec.suspend = Some(true)),
        |world: &mut World| world.edit(|spec| spec.mode = Some(Mode::Audit)),
        |world: &mut World| assert!(world.ask(&format!("skip@{SUNDAY}")).starts_with("Accepted")),
    ] {
        let mut world = World::weekly();
        not_opening(&mut world);
        world.at("06T02:58");
        assert_eq!(world.passes().revisit, Revisit::At(december("06T03:00")));
    }
}

#[test]
fn no_new_work_is_taken_close_to_the_end() {
    let mut world = World::new(&format!("{WEEKLY}cutoff: 30m"), "05T12:00");
    world.passes();
    let open = |work: &str| format!("open until Sun 6 Dec 2026 04:00 CET{work}: {SUNDAY}");
    world.at("06T01:00");
    world.check(Phase::Open, true, &open(", takes new work until Sun 6 Dec 2026 03:30 CET"));
    world.at("06T02:29");
    assert_eq!(world.passes().revisit, Revisit::At(december("06T02:30")));
    world.at("06T02:30");
    world.check(Phase::Open, false, &open(", takes no new work any more"));
    let gate = world.told().gate.clone().unwrap();
    assert_eq!((gate.reason, gate.closes.unwrap().0), (GateReason::Closed, december("06T03:00")));
}

#[test]
fn an_opening_keeps_the_spec_that_it_opened_with() {
    let mut world = World::open();
    world.edit(|spec| spec.schedules.as_mut().unwrap()[0].duration = "1h".parse().ok());
    world.at("06T02:30");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(world.told().observed_generation, Some(2));
    assert_eq!(world.told().next.as_ref().unwrap().closes_at.0, december("13T02:00"));
    world.edit(|spec| spec.time_zone = "Mars/Olympus".into());
    world.at("06T02:31");
    assert_eq!(world.told().phase, Some(Phase::Open), "what is wrong now opened nothing");
    world.at("06T03:00");
    assert_eq!(world.told().phase, Some(Phase::Invalid));
    assert_eq!(world.history()[0].1, "Completed");
}

#[test]
fn an_opening_that_was_dealt_with_never_opens_again() {
    let mut world = World::open();
    world.ask(&format!("close@{SUNDAY}"));
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    world.until("06T02:59");
    assert_eq!(world.events, ["Opened", "ActionAnswered", "Closed"]);
    // The clock was set back.
    world.at("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    assert_eq!(world.history().len(), 1);
}

#[test]
fn an_operator_that_was_away_at_the_start_opens_late_while_enough_is_left() {
    let mut world = World::weekly();
    world.at("06T02:59");
    assert_eq!(world.told().phase, Some(Phase::Open));
    for (late, opens) in [("06T01:01", true), ("06T02:30", true), ("06T02:31", false)] {
        let mut world = World::new(&format!("{WEEKLY}lateOpen: {{minRemaining: 30m}}"), "05T12:00");
        world.passes();
        world.at(late);
        assert_eq!(world.told().phase == Some(Phase::Open), opens, "{late}");
        if !opens {
            let why = "only 29m were left when it could open, and lateOpen.minRemaining is 30m";
            assert_eq!(world.history(), [(SUNDAY.into(), "Missed", why.into())]);
            assert_eq!(world.events, ["Missed"]);
        }
    }
}

#[test]
fn with_a_cutoff_it_opens_late_only_for_work() {
    for (late, opens) in [("06T02:29", true), ("06T02:30", false)] {
        let mut world = World::new(&format!("{WEEKLY}cutoff: 30m"), "05T12:00");
        world.passes();
        world.at(late);
        assert_eq!(world.told().phase == Some(Phase::Open), opens, "{late}");
    }
}

#[test]
fn lateness_is_no_question_at_the_start() {
    let mut world = World::new(&format!("{WEEKLY}lateOpen: {{minRemaining: 2h}}"), "05T12:00");
    world.passes();
    world.at("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn each_opening_that_passed_without_the_operator_is_told() {
    let mut world = World::weekly();
    world.at("20T12:00");
    let away = "the operator was away from its start to its end";
    let missed = ["weekly-20261220T0100Z", "weekly-20261213T0100Z", SUNDAY];
    assert_eq!(world.history(), missed.map(|id| (id.into(), "Missed", away.into())));
    assert_eq!(world.events, ["Missed"; 3]);
    world.check(Phase::Scheduled, false, "opens Sun 27 Dec 2026 02:00–04:00 CET");
}

#[test]
fn nobody_waited_for_what_a_new_or_edited_window_would_have_done() {
    let mut world = World::new(WEEKLY, "06T12:00");
    world.passes();
    assert_eq!(world.history(), []);
    let cron = |world: &mut World, cron: &str| {
        world.edit(|spec| spec.schedules.as_mut().unwrap()[0].cron = Some(cron.into()));
    };
    cron(&mut world, "30 2 * * *");
    world.at("13T12:00");
    assert_eq!(world.history(), [], "none of these was told");
    cron(&mut world, "30 2 14,20 * *");
    world.at("20T12:00");
    assert_eq!(world.history().len(), 1, "what was told counts although the spec was edited");
    assert_eq!(world.history()[0].0, "weekly-20261214T0130Z");
}

#[test]
fn a_new_window_whose_time_has_come_opens_at_once() {
    let mut world = World::new(WEEKLY, "06T02:10");
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn a_suspended_window_opens_nothing_and_what_is_open_closes() {
    let mut world = World::open();
    world.edit(|spec| spec.suspend = Some(true));
    world.pass();
    assert!(world.told().current.is_some(), "it closes");
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Suspended);
    world.passes();
    world.check(
        Phase::Suspended,
        false,
        "suspended: set spec.suspend to false to let it open; opens Sun 13 Dec 2026 02:00–04:00 CET",
    );
    assert_eq!(world.history(), [(SUNDAY.into(), "Cancelled", "the window is suspended".into())]);
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Suspended);
    world.until("13T01:30");
    assert_eq!(world.history().len(), 1, "it may still open late");
    world.until("13T03:00");
    let second = ("weekly-20261213T0100Z".into(), "Cancelled", "the window was suspended".into());
    assert_eq!(world.history()[0], second);
    world.until("20T01:30");
    world.edit(|spec| spec.suspend = None);
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open), "its time is not over");
}

#[test]
fn a_window_that_is_deleted_closes_first() {
    let mut world = World::open();
    world.facts.deletion = Deletion::Undo;
    world.passes();
    assert!(world.told().current.is_none());
    assert!(!world.told().gate.as_ref().unwrap().open);
    assert_eq!(world.history(), [(SUNDAY.into(), "Cancelled", "the window is deleted".into())]);
}

#[test]
fn a_spec_that_cannot_work_opens_nothing_and_says_why() {
    let mut world = World::new(WEEKLY, "06T01:30");
    world.edit(|spec| spec.schedules.as_mut().unwrap()[0].cron = Some("0 2 31 2 *".into()));
    world.passes();
    world.check(Phase::Scheduled, false, "no opening is to come");
    world.edit(|spec| spec.schedules.as_mut().unwrap()[0].cron = Some("0 2 * * FRI-MON".into()));
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Invalid));
    let message = world.told().message.clone().unwrap();
    assert!(message.starts_with("spec.schedules[0].cron: "), "{message}");
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Invalid);
    assert_eq!(world.events, ["Invalid"]);
}

const FREEZE: &str = "
blackouts:
- {name: year-end, from: '2026-12-12', until: '2026-12-14', reason: change freeze}
";

#[test]
fn a_blackout_skips_what_it_touches_and_is_told_before_and_while_it_holds() {
    let mut world = World::new(&format!("{WEEKLY}{FREEZE}"), "06T12:00");
    world.passes();
    world.check(Phase::Scheduled, false, "opens Sun 20 Dec 2026 02:00–04:00 CET");
    let told = world.told().gate.clone().unwrap().blackout.unwrap();
    let expected = ("year-end".into(), december("11T23:00"), december("13T23:00"));
    assert_eq!((told.name, told.from.0, told.until.0), expected);
    world.until("12T12:00");
    let message = "blackout year-end (change freeze) holds until Mon 14 Dec 2026 00:00 CET; opens Sun 20 Dec 2026 02:00–04:00 CET";
    world.check(Phase::Scheduled, false, message);
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Blackout);
    world.until("14T12:00");
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Closed);
    assert_eq!(world.history(), []);
}

#[test]
fn a_window_without_schedules_is_open_but_for_blackouts() {
    let mut world =
        World::new(&format!("timeZone: Europe/Berlin\nalways: true{FREEZE}"), "06T12:00");
    world.passes();
    let until = "Sat 12 Dec 2026 00:00 CET";
    let message = format!("always open until blackout year-end (change freeze) begins, {until}");
    world.check(Phase::Open, true, &message);
    assert_eq!(world.told().gate.clone().unwrap().until.unwrap().0, december("11T23:00"));
    world.until("11T23:00");
    let message = "closed by blackout year-end (change freeze), opens Mon 14 Dec 2026 00:00 CET";
    world.check(Phase::Scheduled, false, message);
    world.until("13T23:00");
    world.check(Phase::Open, true, "always open");
    assert!(world.told().current.is_none() && world.history().is_empty());
}

#[test]
fn openings_that_overlap_are_one_and_each_schedule_has_its_part() {
    let mut world = World::new(
        "
timeZone: Europe/Berlin
schedules:
- {name: weekly, cron: '0 2 * * SUN', duration: 2h}
- {name: monthly, cron: '0 1 * * SUN#1', duration: 2h}
",
        "05T12:00",
    );
    world.passes();
    world.at("06T00:00");
    let gate = world.told().gate.clone().unwrap();
    let parts: Vec<_> =
        gate.schedules.iter().map(|part| (part.name.as_str(), part.from.0, part.until.0)).collect();
    let monthly = ("monthly", december("06T00:00"), december("06T02:00"));
    assert_eq!(parts, [monthly, ("weekly", december("06T01:00"), december("06T03:00"))]);
    world.until("06T03:00");
    assert_eq!(world.history().len(), 1);
    assert_eq!(world.history()[0].0, "monthly-20261206T0000Z");
}

const EMERGENCY: &str = "
timeZone: Europe/Berlin
schedules:
- {name: now, once: '2026-12-05T12:30', duration: 2h}
emergency: {reason: CVE-2026-1, requestedBy: alice, for: [weekly]}
";

#[test]
fn an_emergency_that_has_begun_opens_at_once_for_what_is_left() {
    let mut world = World::new(EMERGENCY, "05T12:00");
    world.passes();
    let message = "open for an emergency (CVE-2026-1, asked for by alice) until Sat 5 Dec 2026 14:30 CET: now-20261205T1130Z";
    world.check(Phase::Open, true, message);
    world.until("05T13:30");
    world.check(Phase::Scheduled, false, "no opening is to come");
}

#[test]
fn in_audit_the_gate_stays_closed_and_it_is_told_what_would_happen() {
    let mut world = World::weekly();
    world.edit(|spec| spec.mode = Some(Mode::Audit));
    world.until("06T01:30");
    let message = "in Audit: the gate stays closed; opens Sun 6 Dec 2026 02:00–04:00 CET";
    world.check(Phase::Scheduled, false, message);
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Audit);
    let plan = [
        format!("Open {SUNDAY} at Sun 6 Dec 2026 02:00 CET"),
        format!("Close {SUNDAY} at Sun 6 Dec 2026 04:00 CET"),
    ];
    assert_eq!(world.told().plan, plan);
    world.until("13T00:00");
    assert_eq!(world.history(), []);
}

#[test]
fn what_is_open_closes_when_it_is_put_into_audit() {
    let mut world = World::open();
    world.edit(|spec| spec.mode = Some(Mode::Audit));
    world.passes();
    assert_eq!(world.history(), [(SUNDAY.into(), "Cancelled", "the window is in Audit".into())]);
}

#[test]
fn an_opening_that_a_clock_change_moved_says_so() {
    let mut world = World::new(
        "
timeZone: Europe/Berlin
schedules:
- {name: spring, once: '2027-03-28T02:30', duration: 1h}
",
        "05T12:00",
    );
    world.passes();
    let next = world.told().next.clone().unwrap();
    assert_eq!(next.local, "Sun 28 Mar 2027 03:00–04:00 CEST");
    assert!(next.note.contains("does not exist"), "{}", next.note);
    assert!(world.told().message.as_ref().unwrap().contains(&next.note));
}
