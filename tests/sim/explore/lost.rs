//! Tasks that a fault may lose: what may have been begun is not begun again, so it may end as Unknown or
//! Failed where it would have ended otherwise, and what follows it is skipped.

use std::collections::BTreeMap;

use serde_json::Value;

/// Forgives one lost task in each window: what is told of it, and of the window because of it, becomes
/// what was told without the fault. All else is left to be compared.
pub(super) fn forgive(is: &mut BTreeMap<String, Value>, was: &BTreeMap<String, Value>) {
    for (key, is) in is {
        let Some(was) = was.get(key) else { continue };
        if is_lost(is, was) {
            is.clone_from(was);
        }
    }
}

/// Whether nothing but one task was lost.
fn is_lost(is: &Value, was: &Value) -> bool {
    let entries = |status: &Value| status["history"].as_array().cloned().unwrap_or_default();
    let (told, expected) = (entries(is), entries(was));
    let one = told.len() == 1 && expected.len() == 1;
    let (Some(told), Some(expected)) = (told.first(), expected.first()) else { return false };
    let same = |field: &str| told[field] == expected[field];
    let over = is["current"].is_null() && is["silenced"].is_null() && is["phase"] == was["phase"];
    one && over
        && same("id")
        && told["outcome"] == "Failed"
        && loses_one(&states(told), &states(expected))
}

fn states(entry: &Value) -> Vec<&str> {
    let tasks = entry["tasks"].as_array().into_iter().flatten();
    tasks.map(|task| task["state"].as_str().unwrap_or_default()).collect()
}

/// One task was lost, and none after it was begun.
fn loses_one(is: &[&str], was: &[&str]) -> bool {
    // It may fail otherwise than it would have.
    let lost = |(is, was): (&&str, &&str)| is != was || *is != "Succeeded";
    let Some(at) = is.iter().zip(was).position(lost) else { return false };
    is.len() == was.len()
        && ["Unknown", "Failed"].contains(&is[at])
        && is[at + 1..].iter().all(|state| *state == "Skipped")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn window(outcome: &str, states: &[&str]) -> Value {
        let tasks: Vec<_> = states.iter().map(|state| json!({"state": state})).collect();
        json!({"phase": "Scheduled", "history": [{"id": "one", "outcome": outcome, "tasks": tasks}]})
    }

    #[test]
    fn one_task_may_be_lost_and_what_follows_is_skipped() {
        let was = window("Completed", &["Succeeded", "Succeeded"]);
        let lost = |outcome: &str, states: &[&str]| is_lost(&window(outcome, states), &was);
        assert!(lost("Failed", &["Unknown", "Skipped"]));
        assert!(lost("Failed", &["Succeeded", "Failed"]));
        assert!(!lost("Completed", &["Unknown", "Skipped"]));
        assert!(!lost("Failed", &["Succeeded", "Succeeded"]));
        assert!(!lost("Failed", &["Unknown", "Succeeded"]));
        assert!(!lost("Failed", &["Running", "Pending"]));
        assert!(!lost("Failed", &["Skipped", "Skipped"]));
        let fails = window("Failed", &["Failed", "Skipped"]);
        assert!(is_lost(&fails, &fails));
        assert!(!is_lost(&window("Failed", &["Cancelled", "Skipped"]), &fails));
        let mut open = window("Failed", &["Unknown", "Skipped"]);
        open["current"] = json!({"id": "two"});
        assert!(!is_lost(&open, &was));
    }
}
