//! What people are told of checks and tasks.

use jiff::SignedDuration;

use super::{ID, TOLD};
use crate::{
    api::{
        check::CheckVerdict::{Failed, Passed, Running},
        maintenance_window::Phase,
    },
    maintenance_window::world::{Cloud, WEEKLY, World, december},
};

const PRE: &str = "preCheckLead: 2h\npreChecks:\n- {name: api, http: {url: 'https://a.example'}}\n";
const POST: &str = "postChecks:\n- {name: api, http: {url: 'https://a.example'}}\n";

const EARLY: &str =
    "notices: {before: [166h], channels: [{name: ops, webhook: {url: 'https://a.example'}}]}";

fn world(more: &str) -> World {
    let mut world = World::new(&format!("{TOLD}{more}"), "01T00:00");
    world.passes();
    world
}

#[test]
fn a_failing_pre_check_is_told_once_and_that_it_kept_a_window_closed() {
    let mut world = world(PRE);
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("05T22:00");
    world.arrived();
    world.until("05T23:30");
    let told = [format!("ops: CheckFailed of {ID}"), format!("chat: CheckFailed of {ID}")];
    assert_eq!(world.arrived(), told);
    assert!(world.text().contains("Why:     check api: answers 503"), "{}", world.text());
    world.until("06T03:01");
    let told = world.arrived();
    assert!(told.contains(&format!("ops: Blocked of {ID}")), "{told:?}");
    assert!(told.contains(&format!("chat: Blocked of {ID}")), "{told:?}");
    let text = told.join(" ");
    assert!(!text.contains("CheckFailed") && !text.contains("Opened"), "{text}");
    assert!(world.text().contains("its pre-checks did not hold: check api"), "{}", world.text());
}

#[test]
fn a_pre_check_that_blocks_nothing_is_not_told_as_if_it_did() {
    let mut world = world(&format!("{PRE}onPreCheckFailure: Proceed\n"));
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T00:59");
    world.arrived();
    let at_all = |world: &World| {
        world.mail.all.iter().any(|letter| letter.due.stage.to_string() == "CheckFailed")
    };
    assert!(!at_all(&world));
    // The operator is away from its start to its end.
    world.at("06T03:30");
    assert_eq!(world.history()[0].1, "Missed");
    assert!(world.history()[0].2.contains("was away"), "{:?}", world.history());
    assert!(world.arrived().contains(&format!("ops: Missed of {ID}")));
}

#[test]
fn people_hear_that_it_is_verified_and_then_how_it_went() {
    // A public page alone shows that last checks run.
    let page = TOLD.replace("slack: {urlFrom:", "statuspage: {pageId: abc, tokenFrom:");
    let mut world = World::new(&format!("{page}{POST}postCheckFor: 48h\n"), "01T00:00");
    world.until("06T02:59");
    world.arrived();
    world.checks.insert("api", (Running, "runs"));
    world.until("06T03:01");
    assert_eq!(world.arrived(), [format!("chat: Verifying of {ID}")]);
    world.checks.insert("api", (Passed, "well"));
    world.until("08T02:50");
    assert!(!world.arrived().join(" ").contains(ID));
    world.until("08T03:10");
    let told = [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")];
    assert_eq!(world.arrived(), told);
    assert!(world.text().contains("Completed"), "{}", world.text());
    world.until("10T03:10");
    assert!(!world.arrived().join(" ").contains(ID));
}

#[test]
fn a_failing_post_check_is_told_at_once_although_it_is_watched_on() {
    let mut world = world(&format!("{POST}postCheckFor: 48h\n"));
    world.until("06T04:00");
    world.arrived();
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T04:10");
    let told = [format!("ops: Closed of {ID}"), format!("chat: Closed of {ID}")];
    assert_eq!(world.arrived(), told);
    let text = world.text();
    assert!(text.contains("Failed") && text.contains("- check api: answers 503"), "{text}");
    assert!(text.contains("its post-checks do not hold: check api: answers 503"), "{text}");
    world.until("08T04:10");
    assert!(!world.arrived().join(" ").contains(ID));
}

#[test]
fn tasks_that_are_to_run_and_those_that_did_not_succeed_are_told() {
    let task = |name: &str| {
        format!(
            "- {{name: {name}, ssm: {{command: {{document: AWS-RunPatchBaseline, targets: [{{key: 'tag:role', values: [gpu]}}]}}}}, timeout: 20m}}\n"
        )
    };
    let mut world = world(&format!("tasks:\n{}{}", task("first"), task("second")));
    world.plant.outcome = "Failed";
    world.until("06T00:30");
    assert!(world.text().contains("Runs:    first, second"), "{}", world.text());
    world.until("06T01:05");
    let opened = |world: &World| {
        let letters = &world.mail.all;
        letters.iter().find(|one| one.due.stage.to_string() == "Opened").unwrap().message.clone()
    };
    assert_eq!(opened(&world).runs, ["first", "second"]);
    world.until("06T03:10");
    let closed = world.mail.all.last().unwrap().message.clone();
    assert_eq!((closed.outcome.as_str(), closed.runs.len()), ("Failed", 0));
    assert!(closed.details[0].starts_with("task first: Failed: "), "{:?}", closed.details);
}

#[test]
fn alarms_are_switched_on_before_anything_else_is_told() {
    // Due right at the close: the lead of the next opening.
    let mut world =
        World::new(&format!("{WEEKLY}alarms: {{mode: Toggle, names: [db]}}\n{EARLY}"), "05T12:00");
    world.cloud = Cloud::of(&["db"]);
    world.cloud.switches.counts = true;
    world.until("06T02:59");
    assert!(!world.cloud.switches.off.is_empty());
    world.arrived();
    world.now = december("06T03:00");
    // The watch does not show at once that it ends.
    world.watch = Some(world.ledger(true));
    for second in 0..30 {
        if second == 10 {
            world.watch = None;
        }
        world.pass();
        let off = !world.cloud.switches.off.is_empty();
        assert!(!off || world.arrived().is_empty(), "a slow channel would keep them off");
        world.now += SignedDuration::from_secs(1);
    }
    assert!(world.cloud.switches.off.is_empty());
    assert!(world.arrived().contains(&"ops: 166h of weekly-20261213T0100Z".to_owned()));
}

#[test]
fn an_opening_is_announced_once_although_its_checks_fail_for_a_while() {
    let mut world = world(&PRE.replace("2h", "15m"));
    world.checks.insert("api", (Failed, "answers 503"));
    world.until("06T00:46");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    world.checks.clear();
    world.until("06T00:50");
    assert_eq!(world.told().phase, Some(Phase::Announced));
    world.until("06T01:01");
    assert_eq!(world.events.iter().filter(|event| **event == "Announced").count(), 1);
}
