use std::collections::HashMap;

use kube::runtime::watcher::Event;

use super::*;
use crate::cli::status::{
    Guarded, Output,
    follow::Lines,
    tests::{WIDE, condition, now, open, window},
};

const COLOURED: Terminal = Terminal { colour: true, width: None };

#[test]
fn tasks_have_colours_and_stay_in_their_columns() {
    let task = |name: &str, state: &str, message: &str| {
        json!({"name": name, "state": state, "startedAt": "2026-12-06T01:00:10Z",
               "message": message})
    };
    let mut status = open();
    status["current"]["tasks"] = json!([
        task("patch", "Succeeded", "it is available"),
        task("reboot-of-all", "Running", "it reboots"),
        task("clean", "Pending", ""),
    ]);
    let shown = window(status.clone()).details(now(), WIDE);
    let tasks = "
Tasks of weekly-20261206T0100Z
  TASK           STATE      STARTED               ENDED  MESSAGE
  patch          Succeeded  2026-12-06T01:00:10Z  -      it is available
  reboot-of-all  Running    2026-12-06T01:00:10Z  -      it reboots
  clean          Pending    2026-12-06T01:00:10Z  -      -
";
    assert!(shown.contains(tasks), "{shown}");
    let coloured = window(status.clone()).details(now(), COLOURED);
    for painted in ["\u{1b}[32mSucceeded\u{1b}[0m  2", "\u{1b}[36mRunning\u{1b}[0m    2"] {
        assert!(coloured.contains(painted), "{coloured:?}");
    }
    let bare = ["0", "1", "2", "31", "32", "36"]
        .iter()
        .fold(coloured, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
    assert_eq!(bare, shown);
    // A message that is wrapped below itself moves nothing either.
    let narrow = |colour| Terminal { colour, width: Some(70) };
    status["current"]["tasks"][0]["message"] = json!("it is available again since one o'clock");
    let narrow = [false, true].map(|colour| window(status.clone()).details(now(), narrow(colour)));
    let [plain, coloured] = narrow.map(|text| text.lines().count());
    assert_eq!(plain, coloured);
}

#[test]
fn what_is_on_its_way_is_not_wrong() {
    let status = |message: &str, reason: &str, ready: Value| {
        json!({"observedGeneration": 1, "phase": "Preparing", "message": message, "conditions": [
            condition("AlarmsSilenced", "False", reason), condition("Open", "False", "Closed"),
            condition("Reconciling", "True", "Silencing"), ready]})
    };
    let waits = condition("Ready", "False", "Silencing");
    let shown = window(status("opens soon", "NotActive", waits.clone())).details(now(), WIDE);
    assert!(
        shown.ends_with("\n\nOn its way\n  AlarmsSilenced=False NotActive in a sentence\n"),
        "{shown}"
    );
    // What stands on top is not said again.
    let shown = window(status("in a sentence", "Silencing", waits.clone())).details(now(), WIDE);
    assert!(!shown.contains("AlarmsSilenced"), "{shown}");
    for (reason, ready) in
        [("AccessDenied", waits), ("NotActive", condition("Stalled", "True", "Restoring"))]
    {
        let shown = window(status("opens soon", reason, ready)).details(now(), WIDE);
        assert!(shown.contains("\nNot as it should be\n  "), "{shown}");
    }
}

#[test]
fn of_many_alarms_the_first_ten_are_named() {
    let told = |count: usize| {
        let alarm = |number: usize| json!({"name": format!("a{number}"), "state": "Off"});
        let alarms: Vec<Value> = (1..=count).map(alarm).collect();
        let mut status = open();
        status["silenced"] = json!({"occurrence": "weekly-20261206T0100Z", "mode": "Toggle",
            "regions": [{"region": "eu-central-1", "rules": [], "alarms": alarms}]});
        let shown = window(status).details(now(), WIDE);
        shown.lines().find(|line| line.contains("Alarms ")).unwrap().trim().to_owned()
    };
    assert_eq!(told(2), "Alarms      switched off (2): a1, a2");
    let ten = "a1, a2, a3, a4, a5, a6, a7, a8, a9, a10";
    assert_eq!(told(10), format!("Alarms      switched off (10): {ten}"));
    assert_eq!(told(2_000), format!("Alarms      switched off (2000): {ten} and 1990 more"));
}

#[test]
fn a_window_that_nobody_looked_at_has_no_phase() {
    let new = window(Value::Null);
    let shown = new.details(now(), WIDE);
    assert!(shown.starts_with("shop/weekly  -\n  not looked at yet\n\n"), "{shown}");
    let guarded: Guarded<MaintenanceWindow> =
        serde_json::from_value(serde_json::to_value(new).unwrap()).unwrap();
    let mut lines = Lines { output: Output::Text, terminal: WIDE, last: HashMap::new() };
    let line = lines.of(&Event::Apply(guarded), now()).unwrap();
    assert!(line.ends_with("  mw/shop/weekly  -  not looked at yet\n"), "{line}");
}

#[test]
fn a_round_is_told_from_a_window_for_work() {
    let mut round = window(Value::Null);
    round.spec.purpose = Some(Purpose::Routine);
    let shown = round.details(now(), WIDE);
    assert!(shown.contains("\n  Purpose     Routine: a round of checks and tasks;"), "{shown}");
    assert!(!window(Value::Null).details(now(), WIDE).contains("Purpose"));
}
