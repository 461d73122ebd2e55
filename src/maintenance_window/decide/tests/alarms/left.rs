//! Mute rules that are left over, or cannot be taken away.

use super::{SUNDAY, names, quiet};
use crate::{
    api::maintenance_window::Phase,
    facts::kubernetes::Deletion,
    maintenance_window::{
        decide::Action,
        world::{World, december},
    },
};

fn is_deletion(action: &Action) -> bool {
    matches!(action, Action::DeleteMuteRule { .. })
}

fn ready(world: &World) -> (&str, &str) {
    let ready = world.told().conditions.iter().find(|told| told.type_ == "Ready").unwrap();
    (&ready.status, &ready.reason)
}

/// For which opening something is quiet, or was.
fn kept(world: &World) -> Option<&str> {
    world.told().silenced.as_ref().map(|silenced| silenced.occurrence.as_str())
}

#[test]
fn rules_that_cannot_be_taken_away_hold_the_object_and_not_the_next_opening() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.cloud.refuses = Some(is_deletion);
    world.ask(&format!("close@{SUNDAY}"));
    assert_eq!(world.history(), [], "not over before it was read back");
    let message = world.told().message.clone().unwrap();
    assert!(message.contains("bringing back 3 alarms that were quiet"), "{message}");
    assert!(message.contains("cannot be done: no permission"), "{message}");
    assert_eq!(ready(&world), ("False", "Restoring"));
    world.until("06T03:01");
    assert_eq!(world.history()[0].1, "Completed", "by now they have ended by themselves");
    assert_eq!((kept(&world), world.facts.finalizer), (Some(SUNDAY), true));
    assert_eq!(ready(&world), ("False", "Restoring"), "told as long as it is tried");
    let mut mended = world.clone();
    mended.cloud.refuses = None;
    mended.until("06T03:03");
    assert!(mended.cloud.rules.is_empty() && !mended.facts.finalizer);
    assert_eq!(ready(&mended).0, "True");
    let mut deleted = world.clone();
    deleted.facts.deletion = Deletion::Undo;
    deleted.later(31);
    assert!(deleted.facts.finalizer);
    // The next opening comes, and alarms are quiet for it.
    world.now = december("13T00:54");
    world.until("13T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!((kept(&world), ready(&world).0), (Some("weekly-20261213T0100Z"), "True"));
    assert_eq!(names(&world, "13T01:30"), ["db", "web-a", "web-b"]);
    world.until("13T03:01");
    assert_eq!(world.history()[0].1, "Completed");
    world.cloud.refuses = None;
    world.until("13T03:03");
    assert!(world.told().silenced.is_none() && !world.facts.finalizer);
    assert_eq!(world.cloud.rules.len(), 1, "that of the opening before");
    world.facts.sweeps = true;
    world.passes();
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn rules_that_could_not_be_taken_away_hold_up_no_opening_that_switches_off() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.cloud.refuses = Some(is_deletion);
    world.until("06T03:01");
    world.edit(|spec| {
        spec.alarms.as_mut().unwrap().mode = Some(crate::api::window_alarms::AlarmMode::Toggle);
    });
    world.now = december("13T00:54");
    world.until("13T01:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert!(world.cloud.switches.off.contains("db"));
}

#[test]
fn rules_that_mute_are_never_forgotten_for_another_opening() {
    // Closed early, and by now the next one opens before its rules end.
    let mut world = quiet("");
    world.until("06T01:30");
    world.cloud.refuses = Some(is_deletion);
    world.ask(&format!("close@{SUNDAY}"));
    world.edit(|spec| {
        spec.schedules.as_mut().unwrap()[0].cron = Some("45 2 * * SUN".into());
    });
    world.until("06T02:59");
    assert_eq!(kept(&world), Some(SUNDAY));
    assert_eq!(world.told().current.as_ref().unwrap().id, SUNDAY, "it closes still");
    world.until("06T03:01");
    assert_eq!(kept(&world), Some("weekly-20261206T0145Z"));
    assert!(world.told().gate.as_ref().unwrap().open);
}

#[test]
fn rules_are_taken_away_although_nobody_may_read_them() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.cloud.unreadable = true;
    world.ask(&format!("close@{SUNDAY}"));
    assert!(world.cloud.rules.is_empty());
    assert_eq!(world.history(), [], "gone is what was read to be gone");
    assert!(world.facts.finalizer);
    world.cloud.unreadable = false;
    world.later(31);
    assert_eq!(world.history()[0].1, "Completed");
    assert!(!world.facts.finalizer);
}

/// Weekly with this, and a rule in CloudWatch that its status does not know.
fn stray(more: &str) -> World {
    let mut known = quiet("");
    known.until("06T01:30");
    let mut world = quiet(more);
    world.cloud.rules = known.cloud.rules;
    assert_eq!(world.cloud.rules.len(), 1);
    world
}

#[test]
fn rules_that_nobody_knows_of_go_away() {
    let mut world = stray("");
    world.now = december("07T12:00");
    world.passes();
    assert_eq!(world.cloud.rules.len(), 1, "not due");
    world.facts.sweeps = true;
    world.passes();
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn rules_that_nobody_knows_of_go_away_whatever_else_is_told() {
    const DOWN: (crate::api::check::CheckVerdict, &str) =
        (crate::api::check::CheckVerdict::Failed, "answers 503");
    let check = "[{name: api, http: {url: 'https://a.com/'}}]";
    let all = [
        (String::from("suspend: true"), Phase::Suspended, "Suspended"),
        ("mode: Audit".into(), Phase::Scheduled, "Audit"),
        (format!("preChecks: {check}"), Phase::Blocked, "ChecksFailed"),
        (format!("postChecks: {check}\npostCheckFor: 6d"), Phase::Verifying, "Verifying"),
    ];
    for (more, phase, reason) in all {
        let mut world = stray(&more);
        if phase == Phase::Verifying {
            world.until("06T03:01");
        } else {
            world.checks.insert("api", DOWN);
            world.until("06T01:05");
        }
        world.cloud.rules = stray("").cloud.rules;
        assert_eq!((world.told().phase, ready(&world).1), (Some(phase), reason));
        world.facts.sweeps = true;
        world.pass();
        assert!(world.cloud.rules.is_empty(), "{more}");
        assert_eq!((world.told().phase, ready(&world).1), (Some(phase), reason));
    }
}

#[test]
fn nothing_is_looked_for_while_alarms_are_quiet_or_are_about_to_be() {
    for time in ["06T00:56", "06T01:30"] {
        let mut world = quiet("");
        world.facts.sweeps = true;
        world.until(time);
        assert_eq!(names(&world, "06T01:31"), ["db", "web-a", "web-b"], "{time}");
    }
}
