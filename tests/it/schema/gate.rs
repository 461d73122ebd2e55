//! What a rollout says of the windows that it obeys.

use serde_json::{Value, json};

use super::{Case, ROLLOUT, full, written::with};
use crate::harness::run;

#[test]
fn what_contradicts_itself_about_windows_is_refused_with_the_fix() {
    let one = "windows has exactly one of names and selector";
    let once = "at names each point once";
    let labels = |labels: Value| json!({"selector": {"matchLabels": labels}});
    let mut alone = full();
    alone.as_object_mut().unwrap().remove("windows");
    let mut cases = vec![(alone, "windowGate says how windows are obeyed: it needs windows")];
    for (windows, told) in [
        (json!({}), one),
        (json!({"schedules": ["monthly"]}), one),
        (json!({"names": ["weekly"], "selector": {"matchLabels": {"env": "prod"}}}), one),
        (json!({"names": []}), "spec.windows.names"),
        (json!({"names": [""]}), "spec.windows.names[0]"),
        (json!({"names": ["n".repeat(53)]}), "spec.windows.names[0]"),
        (json!({"names": vec!["n"; 17]}), "spec.windows.names"),
        (json!({"names": ["weekly"], "schedules": []}), "spec.windows.schedules"),
        (json!({"names": ["weekly"], "schedules": vec!["s"; 17]}), "spec.windows.schedules"),
        (json!({"selector": {}}), "spec.windows.selector.matchLabels"),
        (labels(json!({})), "spec.windows.selector.matchLabels"),
        (labels(json!({"": "prod"})), "keys of labels have 1 to 317 characters"),
        (labels(json!({ "k".repeat(318): "prod" })), "keys of labels have 1 to 317 characters"),
        (labels(json!({"env": "v".repeat(64)})), "spec.windows.selector.matchLabels.env"),
        (
            json!({"selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}),
            "spec.windows.selector.matchExpressions",
        ),
    ] {
        cases.push((with("/windows", windows), told));
    }
    for (gate, told) in [
        (json!({"at": []}), "spec.windowGate.at"),
        (json!({"at": ["Start", "Start"]}), once),
        (json!({"at": ["Promote", "Advance", "Promote"]}), once),
        (json!({"at": ["Bake"]}), "spec.windowGate.at[0]"),
        (json!({"onClose": "Abort"}), "spec.windowGate.onClose"),
    ] {
        cases.push((with("/windowGate", gate), told));
    }
    run(ROLLOUT.refuses(cases.into_iter().map(|(spec, told)| Case::of(spec, told)).collect()));
}

#[test]
fn what_is_right_about_windows_is_accepted_up_to_its_bounds() {
    let names: Vec<String> = (10..26).map(|number| format!("window-{number}")).collect();
    let labels: Value = (10..26).map(|number| (format!("label-{number}"), json!("a"))).collect();
    run(async {
        for (pointer, value) in [
            ("/windows", json!({ "names": names })),
            ("/windows", json!({"names": ["n".repeat(52)]})),
            ("/windows", json!({"selector": {"matchLabels": labels}})),
            ("/windows", json!({"selector": {"matchLabels": {"k".repeat(317): ""}}})),
            ("/windows", json!({"names": ["weekly"], "schedules": names})),
            ("/windowGate", json!({})),
            ("/windowGate", json!({"at": ["Promote"], "onClose": "Continue"})),
            ("/windowGate", json!({"onClose": "Rollback", "requireFit": false})),
        ] {
            let judged = ROLLOUT.judge("good", &with(pointer, value)).await;
            assert_eq!(judged, Ok(()), "{pointer}");
        }
        let mut plain = full();
        plain.as_object_mut().unwrap().remove("windowGate");
        assert_eq!(ROLLOUT.judge("good", &plain).await, Ok(()));
    });
}
