//! What a window says of checks and rounds that contradicts itself, and what is right.

use serde_json::{Value, json};

use super::{always, emergency, opened, refused, tasks, with};

/// A round that has no checks.
pub(super) fn round_of_tasks() -> Value {
    let mut spec = with(|| opened("0 2 * * SUN"), "purpose", json!("Routine"));
    let mut tasks = tasks::all();
    for task in tasks.as_array_mut().unwrap() {
        task.as_object_mut().unwrap().remove("schedules");
    }
    spec["tasks"] = tasks;
    spec
}

#[test]
fn checks_that_contradict_themselves_are_refused_with_the_fix() {
    let list = || json!([{"name": "db", "rds": {"instance": "prod-db"}}]);
    let one = |field: &str, value: Value| with(|| opened("0 2 * * SUN"), field, value);
    let checked = |field: &str, value: Value| {
        let mut spec = one("preChecks", list());
        spec["postChecks"] = list();
        spec[field] = value;
        spec
    };
    let routine = |field: &str, value: Value| {
        let mut spec = checked(field, value);
        spec["purpose"] = json!("Routine");
        spec
    };
    let no_checks = "a window that is always open has no checks";
    let belongs = "preCheckLead and onPreCheckFailure belong to preChecks";
    let lead = "preCheckLead must be 1m to 7d";
    let round = "the gate of a Routine never opens, and it mutes nothing";
    let mut urgent = with(emergency, "preChecks", list());
    urgent["onPreCheckFailure"] = json!("Block");
    let mut round_of_emergency = with(emergency, "preChecks", list());
    round_of_emergency["purpose"] = json!("Routine");
    let mut round_without_end = with(always, "preChecks", list());
    round_without_end["purpose"] = json!("Routine");
    refused([
        (with(always, "preChecks", list()), no_checks),
        (with(always, "postChecks", list()), no_checks),
        (one("preCheckLead", json!("1h")), belongs),
        (one("onPreCheckFailure", json!("Proceed")), belongs),
        (one("postCheckFor", json!("1h")), "postCheckFor belongs to postChecks and metrics"),
        (checked("preCheckLead", json!("59s")), lead),
        (checked("preCheckLead", json!("7d1s")), lead),
        (checked("postCheckFor", json!("7d1s")), "postCheckFor must be at most 7d"),
        (urgent, "the checks of an emergency inform and never block"),
        (
            one("purpose", json!("Routine")),
            "a Routine is a round of checks and tasks: give preChecks",
        ),
        (routine("alarms", json!({"names": ["a"]})), round),
        (routine("cutoff", json!("1m")), round),
        (routine("preCheckLead", json!("1h")), round),
        (round_of_emergency, round),
        (round_without_end, round),
    ]);
}
