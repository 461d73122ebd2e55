//! Checks before an opening and after it.

mod watch;

use jiff::SignedDuration;

use crate::{
    api::{
        check::CheckVerdict::{Failed, Passed, Running, Unreadable},
        maintenance_window::{GateReason, Outcome, Phase},
        window_checks::WindowStage,
    },
    facts::kubernetes::Deletion,
    maintenance_window::world::{Cloud, WEEKLY, World},
};

const PRE: &str = "preChecks: [{name: api, http: {url: 'https://a.com/'}}]\n";
const POST: &str = "postChecks: [{name: api, http: {url: 'https://a.com/'}}]\n";
const DOWN: (crate::api::check::CheckVerdict, &str) = (Failed, "answers 503");

/// Weekly with this, from the Saturday before on.
fn world(more: &str) -> World {
    let mut world = World::new(&format!("{WEEKLY}{more}"), "05T12:00");
    world.passes();
    world
}

fn condition(world: &World, kind: &str) -> Option<(bool, String)> {
    let conditions = &world.told().conditions;
    let found = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((found.status == "True", found.reason.clone()))
}

#[test]
fn pre_checks_run_from_their_lead_and_it_opens_when_they_hold() {
    let mut world = world(PRE);
    world.until("06T00:44");
    assert!(world.rounds.is_empty());
    assert_eq!(condition(&world, "ChecksPassed"), None);
    world.until("06T00:45");
    assert_eq!(world.rounds, ["BeforeOpening api"]);
    assert_eq!(condition(&world, "ChecksPassed"), Some((true, "ChecksPassed".into())));
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
    let current = world.told().current.as_ref().unwrap();
    let [check] = &current.checks[..] else { panic!("{current:?}") };
    assert_eq!((check.name.as_str(), check.verdict), ("api", Passed));
    assert_eq!(check.stage, WindowStage::BeforeOpening);
    assert!(world.told().pre_checks.is_none());
    // Looked at now and then, and no more once it is open.
    assert!((3..=4).contains(&world.rounds.len()), "{:?}", world.rounds);
    let rounds = world.rounds.len();
    world.until("06T04:00");
    assert_eq!(world.rounds.len(), rounds);
    let entry = &world.told().history[0];
    assert_eq!((entry.outcome, entry.checks.len()), (Outcome::Completed, 1));
}

#[test]
fn a_failure_before_the_last_quarter_of_an_hour_is_only_told() {
    let mut world = world(&format!("{PRE}preCheckLead: 4h\n"));
    world.checks.insert("api", DOWN);
    world.until("05T21:00");
    assert_eq!(world.rounds.len(), 1);
    let status = world.told();
    assert_eq!(status.phase, Some(Phase::Scheduled));
    assert!(status.message.as_ref().unwrap().ends_with("do not hold: check api: answers 503"));
    let since = status.pre_checks.as_ref().unwrap().failed_since.clone();
    assert_eq!(condition(&world, "Ready"), Some((true, "Scheduled".into())));
    assert_eq!(condition(&world, "ChecksPassed"), Some((false, "ChecksFailed".into())));
    world.until("06T00:44");
    assert_eq!(world.told().pre_checks.as_ref().unwrap().failed_since, since);
    assert_eq!(world.rounds.len(), 8, "each half an hour");
    assert_eq!(world.events, ["ChecksFailed"]);
    world.until("06T00:46");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    world.checks.clear();
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn it_is_blocked_until_its_pre_checks_hold() {
    let mut world = world(PRE);
    world.checks.insert("api", DOWN);
    world.until("06T01:10");
    let expected = "its pre-checks do not hold: check api: answers 503; it opens \
                    Sun 6 Dec 2026 02:00–04:00 CET once they do, while enough of it is left";
    world.check(Phase::Blocked, false, expected);
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::PreChecks);
    assert_eq!(condition(&world, "Ready"), Some((false, "ChecksFailed".into())));
    assert_eq!(condition(&world, "Stalled"), Some((true, "ChecksFailed".into())));
    assert_eq!(world.events, ["ChecksFailed", "Blocked"]);
    world.checks.clear();
    world.until("06T01:12");
    assert_eq!(world.told().phase, Some(Phase::Open));
    // What cannot be looked at does not hold.
    let mut world = self::world(PRE);
    world.checks.insert("api", (Unreadable, "AccessDenied"));
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Blocked));
}

#[test]
fn one_that_is_blocked_to_its_end_is_missed_with_what_kept_it_closed() {
    let mut world = world(PRE);
    world.checks.insert("api", DOWN);
    world.until("06T03:30");
    let (id, outcome, message) = world.history()[0].clone();
    assert_eq!((id.as_str(), outcome), ("weekly-20261206T0100Z", "Missed"));
    assert_eq!(message, "its pre-checks did not hold: check api: answers 503");
    assert_eq!(world.told().history[0].checks.len(), 1);
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    let mut world = self::world(&format!("{PRE}lateOpen: {{minRemaining: 1h}}\n"));
    world.checks.insert("api", DOWN);
    world.until("06T02:10");
    let message = world.history()[0].2.clone();
    assert!(
        message.ends_with("; its pre-checks did not hold: check api: answers 503"),
        "{message}"
    );
}

#[test]
fn one_that_proceeds_opens_and_tells() {
    let mut world = world(&format!("{PRE}onPreCheckFailure: Proceed\n"));
    world.checks.insert("api", DOWN);
    world.until("06T01:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(condition(&world, "ChecksPassed"), Some((false, "ChecksFailed".into())));
    assert_eq!(world.events, ["ChecksFailed", "Opened"]);
    world.until("06T04:00");
    let entry = &world.told().history[0];
    assert_eq!((entry.outcome, entry.checks[0].verdict), (Outcome::Completed, Failed));
}

#[test]
fn checks_that_run_still_keep_it_closed_until_they_have_said_something() {
    let mut world = world(PRE);
    world.checks.insert("api", (Running, "it is being looked at"));
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert_eq!(condition(&world, "ChecksPassed"), Some((false, "ChecksPending".into())));
    world.checks.clear();
    world.later(10);
    assert_eq!(world.told().phase, Some(Phase::Open));
}

#[test]
fn the_pre_checks_of_an_emergency_inform_and_do_not_block() {
    let yaml = format!(
        "timeZone: Etc/UTC\nschedules: [{{name: fix, once: '2026-12-05T11:00', duration: 3h}}]\n\
         emergency: {{reason: r, requestedBy: jane, for: [weekly]}}\n{PRE}"
    );
    let mut world = World::new(&yaml, "05T12:00");
    world.checks.insert("api", (Running, "it is being looked at"));
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open));
    world.checks.insert("api", DOWN);
    world.later(10);
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(world.told().current.as_ref().unwrap().checks[0].verdict, Failed);
    assert!(world.told().pre_checks.is_none());
}

#[test]
fn alarms_are_made_quiet_only_when_the_pre_checks_hold() {
    let mut world = world(&format!("{PRE}alarms: {{names: [db]}}\n"));
    world.cloud = Cloud::of(&["db"]);
    world.checks.insert("api", DOWN);
    world.until("06T00:58");
    assert!(world.cloud.rules.is_empty());
    world.checks.clear();
    world.until("06T00:59");
    assert_eq!(world.cloud.rules.len(), 1);
    // What breaks before it opens takes them away again.
    world.checks.insert("api", DOWN);
    world.edit(|spec| spec.cutoff = Some("1m".parse().unwrap()));
    world.passes();
    assert!(world.cloud.rules.is_empty(), "{:?}", world.told().message);
    world.until("06T01:05");
    assert_eq!(world.told().phase, Some(Phase::Blocked));
    assert!(!world.cloud.is_quiet("db", world.now));
    world.checks.clear();
    world.until("06T01:10");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert!(world.cloud.is_quiet("db", world.now + SignedDuration::from_mins(2)));
}

#[test]
fn in_audit_checks_run_and_nothing_opens() {
    let mut world = world(&format!("{PRE}mode: Audit\n"));
    world.checks.insert("api", DOWN);
    world.until("06T01:05");
    assert_eq!(condition(&world, "ChecksPassed"), Some((false, "ChecksFailed".into())));
    assert_eq!(world.told().gate.as_ref().unwrap().reason, GateReason::Audit);
    assert!(world.told().current.is_none());
}

#[test]
fn nothing_is_checked_for_what_is_suspended_or_deleted() {
    let mut suspended = world(&format!("{PRE}suspend: true\n"));
    suspended.until("06T02:00");
    assert!(suspended.rounds.is_empty());
    let mut world = world(PRE);
    world.facts.deletion = Deletion::Undo;
    world.at("06T00:50");
    assert!(world.rounds.is_empty());
}

#[test]
fn an_edit_asks_for_a_new_look() {
    let mut world = world(PRE);
    world.until("06T00:46");
    assert_eq!(world.rounds.len(), 1);
    world.edit(|spec| spec.pre_checks.as_mut().unwrap()[0].name = "web".into());
    world.passes();
    assert_eq!(world.rounds, ["BeforeOpening api", "BeforeOpening web"]);
}

#[test]
fn jobs_run_once_before_an_opening_while_they_succeed() {
    let mut world = world("preChecks: [{name: smoke, job: {fromCronJob: smoke}}]\n");
    world.until("06T01:01");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(world.rounds, ["BeforeOpening smoke"]);
}

#[test]
fn post_checks_run_once_after_the_close() {
    let mut world = world(POST);
    world.until("06T03:05");
    assert_eq!(world.rounds, ["AfterClose api"]);
    let status = world.told();
    assert_eq!(status.phase, Some(Phase::Scheduled));
    assert!(status.post_checks.is_none());
    let entry = &status.history[0];
    assert_eq!(
        (entry.outcome, entry.checks[0].stage),
        (Outcome::Completed, WindowStage::AfterClose)
    );
    assert_eq!(condition(&world, "ChecksPassed"), Some((true, "ChecksPassed".into())));
}

#[test]
fn post_checks_are_watched_and_one_failure_is_enough() {
    let mut world = world(&format!("{POST}postCheckFor: 30m\n"));
    world.until("06T03:10");
    let expected = "weekly-20261206T0100Z is over; 1 check hold, watched until \
                    Sun 6 Dec 2026 04:30 CET; opens Sun 13 Dec 2026 02:00–04:00 CET";
    world.check(Phase::Verifying, false, expected);
    assert_eq!(condition(&world, "Ready"), Some((true, "Verifying".into())));
    world.checks.insert("api", DOWN);
    world.until("06T03:16");
    world.checks.clear();
    world.until("06T03:25");
    let entry = &world.told().history[0];
    assert_eq!(entry.outcome, Outcome::Failed);
    assert_eq!(entry.message, "its post-checks do not hold: check api: answers 503");
    // What it said last.
    assert_eq!(entry.checks[0].verdict, Passed);
    world.until("06T03:31");
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    assert_eq!(world.events, ["Opened", "Closed", "ChecksFailed"]);
    assert_eq!(condition(&world, "Ready"), Some((true, "Scheduled".into())));
}

#[test]
fn what_cannot_be_looked_at_to_the_end_is_a_failure() {
    let mut world = world(&format!("{POST}postCheckFor: 10m\n"));
    world.checks.insert("api", (Unreadable, "AccessDenied"));
    world.until("06T03:09");
    assert_eq!(world.told().history[0].outcome, Outcome::Completed);
    world.until("06T03:11");
    assert_eq!(world.told().history[0].outcome, Outcome::Failed);
}

#[test]
fn the_next_opening_ends_the_watch() {
    let mut world = world(&format!("{POST}postCheckFor: 7d\n"));
    world.until("13T00:59");
    assert_eq!(world.told().phase, Some(Phase::Verifying));
    world.until("13T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert!(world.told().post_checks.is_none());
}

#[test]
fn what_a_suspension_cuts_off_is_not_verified() {
    let mut world = world(POST);
    world.until("06T01:30");
    world.edit(|spec| spec.suspend = Some(true));
    world.passes();
    world.later(60);
    assert!(world.rounds.is_empty());
    assert_eq!(world.told().history[0].outcome, Outcome::Cancelled);
}
