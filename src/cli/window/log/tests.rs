use serde_json::{Value, json};

use super::*;

fn window(status: Value) -> MaintenanceWindow {
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "MaintenanceWindow",
        "metadata": {"name": "weekly", "namespace": "shop"},
        "spec": {"timeZone": "Europe/Berlin",
                 "schedules": [{"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"}]},
        "status": status,
    }))
    .unwrap()
}

fn past() -> Value {
    json!([
        {"id": "weekly-20261206T0100Z", "opensAt": "2026-12-06T01:00:00Z",
         "closesAt": "2026-12-06T03:30:00Z", "openedAt": "2026-12-06T01:00:04Z",
         "closedAt": "2026-12-06T03:30:07Z", "extendedBy": "30m", "outcome": "Completed",
         "message": "its time is over", "alarms": 42,
         "stillInAlarm": ["shop-5xx", "odd`name"]},
        {"id": "weekly-20261129T0100Z", "opensAt": "2026-11-29T01:00:00Z",
         "closesAt": "2026-11-29T03:00:00Z", "outcome": "Missed",
         "message": "the operator was away\nfrom its start | to *its* end"},
    ])
}

#[test]
fn each_opening_is_told_with_its_times_in_the_zone_and_in_utc_newest_first() {
    insta::assert_snapshot!(Log::of(&window(json!({"history": past()}))).render(), @r"
    # Maintenance log of shop/weekly

    ## weekly-20261206T0100Z: Completed

    Why: its time is over.

    | | Europe/Berlin | UTC |
    |---|---|---|
    | To open | Sun 6 Dec 2026 02:00 CET | 2026-12-06 01:00:00 UTC |
    | Opened | Sun 6 Dec 2026 02:00 CET | 2026-12-06 01:00:04 UTC |
    | To close, extended by 30m | Sun 6 Dec 2026 04:30 CET | 2026-12-06 03:30:00 UTC |
    | Closed | Sun 6 Dec 2026 04:30 CET | 2026-12-06 03:30:07 UTC |

    - Open for 2h30m3s
    - Alarms that were quiet: 42
    - Still in ALARM at the close: `shop-5xx`, `` odd`name ``

    ## weekly-20261129T0100Z: Missed

    Why: the operator was away from its start \| to \*its\* end.

    | | Europe/Berlin | UTC |
    |---|---|---|
    | To open | Sun 29 Nov 2026 02:00 CET | 2026-11-29 01:00:00 UTC |
    | To close | Sun 29 Nov 2026 04:00 CET | 2026-11-29 03:00:00 UTC |
    ");
}

#[test]
fn what_is_open_is_told_as_it_is_now() {
    let current = json!({
        "id": "weekly-20261213T0100Z", "parts": [], "opensAt": "2026-12-13T01:00:00Z",
        "closesAt": "2026-12-13T03:00:00Z", "closes": "", "openedAt": "2026-12-13T01:00:02Z",
        "alarms": 3, "spec": {"timeZone": "Europe/Berlin", "always": true},
    });
    let status = json!({"history": past(), "current": current});
    let mut log = Log::of(&window(status));
    log.openings.truncate(1);
    insta::assert_snapshot!(log.render(), @r"
    # Maintenance log of shop/weekly

    ## weekly-20261213T0100Z: open

    | | Europe/Berlin | UTC |
    |---|---|---|
    | To open | Sun 13 Dec 2026 02:00 CET | 2026-12-13 01:00:00 UTC |
    | Opened | Sun 13 Dec 2026 02:00 CET | 2026-12-13 01:00:02 UTC |
    | To close | Sun 13 Dec 2026 04:00 CET | 2026-12-13 03:00:00 UTC |

    - Alarms that are quiet: 3
    ");
}

#[test]
fn an_opening_is_picked_by_its_id_and_an_unknown_one_is_answered_with_those_that_there_are() {
    let mut log = Log::of(&window(json!({"history": past()})));
    let known = ["weekly-20261206T0100Z", "weekly-20261129T0100Z"].map(str::to_owned).to_vec();
    assert_eq!(log.keep("weekly-1"), Err(known));
    assert_eq!(log.openings.len(), 2);
    assert_eq!(log.keep("weekly-20261129T0100Z"), Ok(()));
    let text = log.render();
    assert!(
        text.contains("weekly-20261129T0100Z: Missed") && !text.contains("Completed"),
        "{text}"
    );
}

#[test]
fn checks_are_told_in_a_table() {
    let mut history = past();
    history[0]["outcome"] = json!("Failed");
    history[0]["message"] = json!("its post-checks do not hold: check api: answers 503");
    let check = |name: &str, stage: &str, verdict: &str, message: &str| {
        json!({"name": name, "stage": stage, "verdict": verdict, "message": message,
               "at": "2026-12-06T03:31:00Z"})
    };
    history[0]["checks"] = json!([
        check("database", "BeforeOpening", "Passed", "prod-db is available"),
        check("api", "AfterClose", "Failed", "answers 503 | not *200*"),
    ]);
    let text = Log::of(&window(json!({"history": history}))).render();
    assert!(
        text.contains("## weekly-20261206T0100Z: Failed\n\nWhy: its post-checks do not"),
        "{text}"
    );
    let table = "- Still in ALARM at the close: `shop-5xx`, `` odd`name ``

| Check | Ran | Verdict | Message |
|---|---|---|---|
| database | before the opening | Passed | prod-db is available |
| api | after the close | Failed | answers 503 \\| not \\*200\\* |

## weekly-20261129T0100Z: Missed
";
    assert!(text.contains(table), "{text}");
}

#[test]
fn tasks_are_told_in_a_table() {
    let mut history = past();
    history[0]["outcome"] = json!("Failed");
    history[0]["tasks"] = json!([
        {"name": "reboot", "state": "Succeeded", "startedAt": "2026-12-06T01:00:10Z",
         "endedAt": "2026-12-06T01:09:00Z", "message": "it is available"},
        {"name": "patch", "state": "Skipped", "endedAt": "2026-12-06T01:09:00Z",
         "message": "it did | not fit"},
    ]);
    let text = Log::of(&window(json!({"history": history}))).render();
    let table = "
| Task | State | Began | Ended | Message |
|---|---|---|---|---|
| reboot | Succeeded | Sun 6 Dec 2026 02:00 CET | Sun 6 Dec 2026 02:09 CET | it is available |
| patch | Skipped |  | Sun 6 Dec 2026 02:09 CET | it did \\| not fit |

## weekly-20261129T0100Z: Missed
";
    assert!(text.contains(table), "{text}");
}

#[test]
fn metrics_are_told_before_and_after_in_a_table() {
    let mut history = past();
    history[0]["metrics"] = json!([
        {"name": "p95", "before": "141ms", "after": "152ms"},
        {"name": "errors", "before": "0.88%",
         "message": "after the close: it could not be read: AccessDenied | no *permission*"},
        {"name": "calls", "before": "113"},
    ]);
    history[1]["metrics"] = json!([{"name": "calls", "before": "7"}]);
    let left = json!([{"name": "calls", "stage": "AfterClose", "until": "2026-12-06T03:50:00Z",
                       "dueAt": "2026-12-06T03:55:00Z"}]);
    let measuring = json!({"occurrence": "weekly-20261206T0100Z", "left": left, "metrics": []});
    let status = json!({"history": history, "measuring": measuring});
    let text = Log::of(&window(status)).render();
    let table = "
| Metric | Before | After | Message |
|---|---|---|---|
| p95 | 141ms | 152ms |  |
| errors | 0.88% | – | after the close: it could not be read: AccessDenied \\| no \\*permission\\* |
| calls | 113 | read Sun 6 Dec 2026 04:55 CET |  |

## weekly-20261129T0100Z: Missed
";
    assert!(text.contains(table), "{text}");
    assert!(text.ends_with("| calls | 7 | – |  |\n"), "{text}");
}

#[test]
fn a_window_in_utc_has_its_times_once() {
    let mut window = window(json!({"history": past()}));
    window.spec.time_zone = "Etc/UTC".into();
    let text = Log::of(&window).render();
    assert!(
        text.contains("\n| | UTC |\n|---|---|\n| To open | 2026-12-06 01:00:00 UTC |\n"),
        "{text}"
    );
}

#[test]
fn a_window_that_never_opened_says_so() {
    let text = Log::of(&window(json!({}))).render();
    assert!(text.ends_with("\nIt has not opened yet.\n"), "{text}");
}

#[test]
fn a_window_that_is_always_open_has_no_openings() {
    let mut window = window(json!({}));
    (window.spec.schedules, window.spec.always) = (None, Some(true));
    let text = Log::of(&window).render();
    assert!(
        text.ends_with(
            "\nWithout schedules it is open at all times but in blackouts: there are no openings.\n"
        ),
        "{text}"
    );
}

#[test]
fn the_log_of_a_round_says_that_its_gate_never_opens() {
    let mut window = window(json!({"history": past()}));
    window.spec.purpose = Some(Purpose::Routine);
    let text = Log::of(&window).render();
    let said = "\n\nIt is a round of checks and tasks: its gate never opens.\n\n## weekly-2026";
    assert!(text.contains(said), "{text}");
}

#[test]
fn no_text_forges_a_line_of_the_log() {
    let mut history = past();
    history[0]["checks"] = json!([{"name": "api", "stage": "AfterClose", "verdict": "Failed",
                                   "message": "503", "at": "2026-12-06T03:31:00Z"}]);
    history[0]["tasks"] = json!([{"name": "patch", "state": "Failed", "message": "no"}]);
    history[0]["metrics"] = json!([{"name": "p95", "before": "1", "after": "2", "message": "m"}]);
    let mut object = serde_json::to_value(window(json!({"history": history}))).unwrap();
    object["spec"]["emergency"] = json!({"reason": "full", "requestedBy": "jane", "for": ["a"]});
    let shown = crate::cli::hostile::printed(&object, |window| Log::of(window).render());
    assert!(shown > 14, "{shown}");
}
