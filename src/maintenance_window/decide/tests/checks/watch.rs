//! The watch of post-checks: whose they are, and what ends it.

use super::{DOWN, POST, world};
use crate::{
    api::{
        check::CheckVerdict::{Passed, Running, Unreadable},
        maintenance_window::{Outcome, Phase},
        shared::Mode,
    },
    maintenance_window::world::{TWO, WEEKLY, World, december},
    plan::Revisit,
};

/// Watched for half an hour, and ten minutes of it are over.
fn watched() -> World {
    let mut world = world(&format!("{POST}postCheckFor: 30m\n"));
    world.until("06T03:10");
    assert_eq!(world.told().phase, Some(Phase::Verifying));
    world
}

#[test]
fn an_opening_is_verified_by_the_post_checks_that_it_opened_with() {
    let mut world = world(&format!("{POST}postCheckFor: 30m\n"));
    world.until("06T02:00");
    world.edit(|spec| {
        spec.post_checks = None;
        spec.post_check_for = None;
    });
    world.until("06T03:10");
    assert_eq!(world.told().phase, Some(Phase::Verifying));
    let rounds = world.rounds.len();
    let mut others = World::new(&format!("{WEEKLY}{POST}").replace("api", "web"), "05T12:00");
    world.edit(|spec| spec.post_checks = others.facts.spec.post_checks.take());
    world.passes();
    assert_eq!(world.rounds.len(), rounds, "what it said counts");
    world.checks.insert("api", DOWN);
    world.until("06T03:40");
    assert!(world.rounds.iter().all(|round| round == "AfterClose api"), "{:?}", world.rounds);
    assert_eq!(world.told().history[0].outcome, Outcome::Failed);
    // The next opening has those of its time.
    world.until("13T03:10");
    assert_eq!(world.rounds.last().map(String::as_str), Some("AfterClose web"));
}

#[test]
fn a_spec_that_cannot_work_and_audit_do_not_end_a_watch() {
    for change in [
        |world: &mut World| world.edit(|spec| spec.time_zone = "Mars/Olympus".into()),
        |world: &mut World| world.edit(|spec| spec.mode = Some(Mode::Audit)),
    ] {
        let mut world = watched();
        let rounds = world.rounds.len();
        change(&mut world);
        world.until("06T03:16");
        assert!(world.rounds.len() > rounds, "it goes on");
        world.checks.insert("api", DOWN);
        world.until("06T03:40");
        assert_eq!(world.told().history[0].outcome, Outcome::Failed);
        assert!(world.told().post_checks.is_none());
    }
}

#[test]
fn a_watch_rests_while_the_window_is_suspended_and_goes_on_then() {
    for resumed in ["06T03:12", "06T09:00"] {
        let mut world = watched();
        world.edit(|spec| spec.suspend = Some(true));
        let rounds = world.rounds.len();
        world.passes();
        let told = world.told().message.clone().unwrap();
        assert!(told.ends_with("; the post-checks of weekly-20261206T0100Z go on then"), "{told}");
        world.checks.insert("api", DOWN);
        world.until(resumed);
        assert_eq!(world.rounds.len(), rounds);
        assert_eq!(world.told().history[0].outcome, Outcome::Completed);
        world.edit(|spec| spec.suspend = None);
        world.later(5 * 60);
        assert!(world.rounds.len() > rounds);
        assert_eq!(world.told().history[0].outcome, Outcome::Failed);
    }
}

#[test]
fn a_watch_that_rests_is_not_looked_at_again_and_again() {
    let mut world = watched();
    world.edit(|spec| spec.suspend = Some(true));
    world.now = december("06T03:28");
    let then = december("06T03:33");
    assert_eq!(world.passes().revisit, Revisit::At(then));
}

#[test]
fn what_was_not_seen_to_hold_when_the_next_opening_comes_has_failed() {
    for (said, why) in [
        (
            (Unreadable, "AccessDenied"),
            Some("its post-checks do not hold: check api: AccessDenied"),
        ),
        ((Running, "runs"), Some("its post-checks did not end before the next opening")),
        ((Passed, "well"), None),
    ] {
        let mut world = World::new(&format!("{TWO}{POST}postCheckFor: 7d\n"), "05T12:00");
        world.checks.insert("api", said);
        world.until("06T03:29");
        assert_eq!(world.told().history[0].outcome, Outcome::Completed);
        world.until("06T03:30");
        assert_eq!(world.told().phase, Some(Phase::Open));
        let entry = &world.told().history[0];
        let failed = if why.is_some() { Outcome::Failed } else { Outcome::Completed };
        assert_eq!(
            (entry.outcome, entry.message.as_str()),
            (failed, why.unwrap_or("its time is over"))
        );
    }
}

#[test]
fn checks_that_older_rules_let_in_are_told_to_have_failed() {
    let mut world = watched();
    let watch = world.status.as_mut().unwrap().post_checks.as_mut().unwrap();
    watch.checks.as_mut().unwrap().0[0].http.as_mut().unwrap().url = "gopher://a.com/".into();
    world.passes();
    let entry = &world.told().history[0];
    assert_eq!(entry.outcome, Outcome::Failed);
    let why = "its post-checks cannot be run any more: postChecks[0].http.url must be ";
    assert!(entry.message.starts_with(why), "{}", entry.message);
}
