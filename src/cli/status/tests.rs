mod hostile;

use std::collections::HashMap;

use jiff::Timestamp;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::{Guarded, Output, Row, Shown, details, follow::Lines, table};
use crate::{
    api::{canary_rollout::CanaryRollout, maintenance_window::MaintenanceWindow},
    cli::terminal::Terminal,
};

const PLAIN: Terminal = Terminal { colour: false, width: Some(90) };
pub(super) const WIDE: Terminal = Terminal { colour: false, width: None };

pub(super) fn now() -> Timestamp {
    "2026-12-05T10:30:00Z".parse().unwrap()
}

fn object(name: &str, status: Value) -> Value {
    json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
        "metadata": {"name": name, "namespace": "shop", "generation": 1,
                     "creationTimestamp": "2026-12-01T10:00:00Z"},
        "spec": {"function": {"name": "web", "alias": "live"}, "release": {"version": "2"},
                 "steps": [{"weight": 10}], "bake": "15m"},
        "status": status,
    })
}

fn rollout(name: &str, status: Value) -> CanaryRollout {
    serde_json::from_value(object(name, status)).unwrap()
}

fn flying() -> Value {
    json!({
        "observedGeneration": 1, "phase": "Progressing", "region": "eu-central-1",
        "accountId": "123456789012",
        "message": "10%: 212 of 300 invocations; holds until 10:45:00Z",
        "revision": "9f2c1a", "stable": {"version": "1"},
        "canary": {"version": "2", "weight": 10, "startedAt": "2026-12-05T10:14:00Z"},
        "step": {"index": 1, "count": 3, "display": "2/3", "enteredAt": "2026-12-05T10:15:00Z",
                 "holdUntil": "2026-12-05T10:45:00Z"},
        "steps": [
            {"approve": {"message": "ready?", "timeout": "1d"}},
            {"weight": 10, "hold": "30m", "minInvocations": 300},
            {"weight": 50, "hold": "1h", "maxWait": "2h"},
        ],
        "analysis": [
            {"name": "errors", "verdict": "Passing", "limit": "5%", "failures": 0,
             "canary": {"samples": 212, "value": "0.47%"},
             "stable": {"samples": 1904, "value": "0.42%"}, "through": "2026-12-05T10:27:00Z"},
            {"name": "p95", "verdict": "NoData", "limit": "180ms, 1.3 times stable", "failures": 1,
             "canary": {"samples": 0}},
        ],
        "ignoredAlarms": ["web-slow"],
        "lastAction": {"value": "promote@9f2c1a/0#n1", "by": "jane", "result": "Accepted",
                       "message": "step 0 approved", "at": "2026-12-05T10:15:00Z"},
        "history": [{"version": "1", "revision": "77ab01", "outcome": "Promoted",
                     "reason": "StepsCompleted", "startedAt": "2026-12-04T10:00:00Z",
                     "endedAt": "2026-12-04T11:00:00Z"}],
        "conditions": [
            condition("Ready", "False", "Progressing"),
            condition("Reconciling", "True", "Progressing"),
            condition("Progressing", "True", "Progressing"),
            condition("AliasInSync", "False", "Lagging"),
        ],
    })
}

pub(super) fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "in a sentence",
           "lastTransitionTime": "2026-12-05T10:15:00Z"})
}

fn back() -> Value {
    json!({
        "observedGeneration": 1, "phase": "RolledBack", "message": "version 2 was rolled back",
        "stable": {"version": "1"},
        "history": [{"version": "2", "revision": "9f2c1a", "outcome": "RolledBack",
                     "reason": "ErrorRate", "startedAt": "2026-12-05T08:00:00Z",
                     "endedAt": "2026-12-05T08:20:00Z"}],
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "RolledBack",
             "message": "version 2 was rolled back", "lastTransitionTime": "2026-12-05T08:20:00Z"},
        ],
    })
}

#[test]
fn rollouts_are_a_table_that_fits_the_terminal() {
    let (web, api) = (rollout("web", flying()), rollout("api", back()));
    let new = rollout("new", Value::Null);
    let unreadable = Row {
        namespace: "shop".into(),
        name: "odd".into(),
        object: Err("cannot be read: no spec".into()),
    };
    let rows = [Row::of(&web), Row::of(&api), Row::of(&new), unreadable];
    let text = table::render(&rows, true, now(), PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
    insta::assert_snapshot!(text, @r"
    NAMESPACE  NAME  PHASE        STEP  WEIGHT  STABLE  CANARY  SINCE  MESSAGE
    shop       web   Progressing  2/3   10%     1       2       15m    10%: 212 of 300
                                                                       invocations; holds
                                                                       until 10:45:00Z
    shop       api   RolledBack   -     -       1       -       2h     version 2 was rolled
                                                                       back
    shop       new   Pending      -     -       -       -       4d     not looked at yet
    shop       odd   -            -     -       -       -       -      cannot be read: no spec
    ");
}

#[test]
fn colours_and_widths_change_nothing_but_themselves() {
    let web = rollout("web", flying());
    let rows = [Row::of(&web)];
    let coloured = table::render(&rows, false, now(), Terminal { colour: true, width: None });
    let plain = table::render(&rows, false, now(), WIDE);
    assert!(coloured.contains("\u{1b}[36mProgressing\u{1b}[0m"), "{coloured:?}");
    let stripped = ["\u{1b}[36m", "\u{1b}[1m", "\u{1b}[0m"]
        .iter()
        .fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(stripped, plain);
    assert!(plain.lines().any(|line| line.ends_with("holds until 10:45:00Z")), "{plain}");
}

#[test]
fn one_rollout_is_shown_with_all_that_matters() {
    insta::assert_snapshot!(details::render(&rollout("web", flying()), now(), WIDE), @r"
    shop/web  Progressing
      10%: 212 of 300 invocations; holds until 10:45:00Z

      Function    web:live (eu-central-1, account 123456789012)
      Release     version 2
      Revision    9f2c1a
      Stable      version 1
      Canary      version 2 at 10%, started 2026-12-05T10:14:00Z (16m ago)
      Until       2026-12-05T10:45:00Z
      Ignored     alarms that fired before the start: web-slow
      Last action promote@9f2c1a/0#n1 by jane at 2026-12-05T10:15:00Z: Accepted: step 0 approved

    Steps
         1  approval: ready?, aborts after 1d  (done)
      →  2  10%, held for 30m, at least 300 invocations
         3  50%, held for 1h, at most 2h
         4  100%, watched for 15m

    Analysis, data until 2026-12-05T10:27:00Z
      METRIC  VERDICT  CANARY        STABLE         FAILED  LIMIT
      errors  Passing  0.47% in 212  0.42% in 1904  0       5%
      p95     NoData   no data in 0  -              1       180ms, 1.3 times stable

    History
      VERSION  REVISION  OUTCOME   STARTED               ENDED                 REASON
      1        77ab01    Promoted  2026-12-04T10:00:00Z  2026-12-04T11:00:00Z  StepsCompleted

    Not as it should be
      AliasInSync=False Lagging in a sentence
    ");
}

#[test]
fn one_that_went_back_says_so_once() {
    let mut object = rollout("api", back());
    object.metadata.generation = Some(2);
    insta::assert_snapshot!(details::render(&object, now(), WIDE), @r"
    shop/api  RolledBack
      version 2 was rolled back
      the spec was changed since; the operator has not looked at it yet

      Function    web:live
      Release     version 2
      Stable      version 1

    History
      VERSION  REVISION  OUTCOME     STARTED               ENDED                 REASON
      2        9f2c1a    RolledBack  2026-12-05T08:00:00Z  2026-12-05T08:20:00Z  ErrorRate

    Not as it should be
      Ready=False RolledBack
    ");
}

#[test]
fn what_speaks_against_a_release_is_listed() {
    let finding = |severity: &str, reason: &str| json!({"severity": severity, "reason": reason, "message": "because"});
    let status = json!({"preflight": [finding("Blocking", "RoleMismatch"), finding("Warning", "RuntimeDeprecated")]});
    let shown = details::render(&rollout("web", status), now(), PLAIN);
    let expected =
        "Preflight\n  blocking  RoleMismatch: because\n  warning   RuntimeDeprecated: because\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn what_audit_would_do_is_listed() {
    let plan = ["UpdateAlias web:live to version 1 with 2 at 10%", "10%: holds for 30m"];
    let shown = details::render(&rollout("web", json!({"plan": plan})), now(), PLAIN);
    let expected = "Would be done\n     1  UpdateAlias web:live to version 1 with 2 at 10%\n     2  10%: holds for 30m\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn one_that_nobody_looked_at_yet_is_shown_too() {
    let text = details::render(&rollout("new", Value::Null), now(), WIDE);
    assert!(text.starts_with("shop/new  Pending\n  not looked at yet\n\n"), "{text}");
}

#[test]
fn an_age_has_the_unit_that_matters() {
    let age = |seconds: i64| table::age(now() - jiff::SignedDuration::from_secs(seconds), now());
    let seen = [-5, 0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(age);
    assert_eq!(seen, ["0s", "0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
}

#[test]
fn changes_are_a_line_each_and_what_reads_as_before_is_none() {
    let guarded = |status| -> Guarded<CanaryRollout> {
        serde_json::from_value(object("web", status)).unwrap()
    };
    let mut lines = Lines { output: Output::Text, terminal: WIDE, last: HashMap::new() };
    let mut line = |event: Event<Guarded<CanaryRollout>>| lines.of(&event, now());
    let first = "10:30:00Z  shop/web  Progressing 2/3 10%  10%: 212 of 300 invocations; holds until 10:45:00Z\n";
    assert_eq!(line(Event::InitApply(guarded(flying()))).as_deref(), Some(first));
    let mut same = flying();
    same["analysis"] = json!([]);
    assert_eq!(line(Event::Apply(guarded(same))), None);
    let changed = line(Event::Apply(guarded(back())));
    let text = "10:30:00Z  shop/web  RolledBack  version 2 was rolled back\n";
    assert_eq!(changed.as_deref(), Some(text));
    let gone = line(Event::Delete(guarded(back())));
    assert_eq!(gone.as_deref(), Some("10:30:00Z  shop/web  deleted\n"));
}

#[test]
fn as_json_the_whole_status_is_there() {
    let web = rollout("web", flying());
    let json = Row::of(&web).json();
    assert_eq!(json["kind"], "CanaryRollout");
    assert_eq!(json["namespace"], "shop");
    assert_eq!(json["status"]["step"]["display"], "2/3");
}

pub(super) fn window(status: Value) -> MaintenanceWindow {
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "MaintenanceWindow",
        "metadata": {"name": "weekly", "namespace": "shop", "generation": 1},
        "spec": {"timeZone": "Europe/Berlin",
                 "schedules": [{"name": "weekly", "cron": "0 2 * * SUN", "duration": "2h"}]},
        "status": status,
    }))
    .unwrap()
}

pub(super) fn open() -> Value {
    let opening = |id: &str, at: &str, closes: &str, local: &str, note: &str| {
        json!({"id": id, "schedules": ["weekly"], "opensAt": at, "closesAt": closes,
               "local": local, "note": note})
    };
    let next = opening(
        "weekly-20261213T0100Z",
        "2026-12-13T01:00:00Z",
        "2026-12-13T03:00:00Z",
        "Sun 13 Dec 2026 02:00–04:00 CET",
        "",
    );
    let moved = opening(
        "weekly-20270328T0100Z",
        "2027-03-28T01:00:00Z",
        "2027-03-28T03:00:00Z",
        "Sun 28 Mar 2027 03:00–05:00 CEST",
        "02:00 does not exist on 28 Mar 2027: opens at 03:00 CEST",
    );
    json!({
        "observedGeneration": 1, "phase": "Open",
        "message": "open until Sun 6 Dec 2026 04:30 CET: weekly-20261206T0100Z",
        "gate": {"open": true, "until": "2026-12-06T03:00:00Z", "closes": "2026-12-06T03:30:00Z",
                 "reason": "Open", "message": "open",
                 "blackout": {"name": "year-end", "from": "2026-12-17T23:00:00Z",
                              "until": "2027-01-03T23:00:00Z"}},
        "next": next, "upcoming": [next, moved],
        "current": {
            "id": "weekly-20261206T0100Z", "parts": [], "opensAt": "2026-12-06T01:00:00Z",
            "closesAt": "2026-12-06T03:30:00Z", "closes": "Sun 6 Dec 2026 04:30 CET",
            "extendedBy": "30m", "openedAt": "2026-12-06T01:00:01Z",
            "spec": {"timeZone": "Europe/Berlin"},
            "checks": [{"name": "api", "stage": "BeforeOpening", "verdict": "Passed",
                        "message": "https://a.com/ answers 200", "at": "2026-12-06T00:45:00Z"}],
        },
        "skipped": [{"id": "weekly-20261220T0100Z", "until": "2026-12-20T03:00:00Z"}],
        "history": [
            {"id": "weekly-20261129T0100Z", "opensAt": "2026-11-29T01:00:00Z",
             "closesAt": "2026-11-29T03:00:00Z", "openedAt": "2026-11-29T01:00:00Z",
             "closedAt": "2026-11-29T03:00:00Z", "outcome": "Completed",
             "message": "its time is over"},
            {"id": "weekly-20261122T0100Z", "opensAt": "2026-11-22T01:00:00Z",
             "closesAt": "2026-11-22T03:00:00Z", "outcome": "Missed",
             "message": "the operator was away from its start to its end"},
        ],
        "lastAction": {"value": "extend=30m@weekly-20261206T0100Z#n1", "by": "jane",
                       "result": "Accepted", "message": "it closes Sun 6 Dec 2026 04:30 CET",
                       "at": "2026-12-06T01:30:00Z"},
        "conditions": [condition("Open", "True", "Open"), condition("Ready", "True", "Open")],
    })
}

#[test]
fn one_window_is_shown_with_all_that_matters() {
    insta::assert_snapshot!(window(open()).details(now(), WIDE), @r"
    shop/weekly  Open
      open until Sun 6 Dec 2026 04:30 CET: weekly-20261206T0100Z

      Zone        Europe/Berlin
      Gate        open for new work until Sun 6 Dec 2026 04:00 CET
      Blackout    year-end from Fri 18 Dec 2026 00:00 CET until Mon 4 Jan 2027 00:00 CET
      Current     weekly-20261206T0100Z, open since Sun 6 Dec 2026 02:00 CET, closes Sun 6 Dec 2026 04:30 CET, extended by 30m
      Skipped     weekly-20261220T0100Z
      Last action extend=30m@weekly-20261206T0100Z#n1 by jane at 2026-12-06T01:30:00Z: Accepted: it closes Sun 6 Dec 2026 04:30 CET

    Checks
      CHECK  RAN                 VERDICT  MESSAGE
      api    before the opening  Passed   https://a.com/ answers 200

    Next openings
      LOCAL TIME                        UTC                   SCHEDULES  ID                     NOTE
      Sun 13 Dec 2026 02:00–04:00 CET   2026-12-13T01:00:00Z  weekly     weekly-20261213T0100Z  -
      Sun 28 Mar 2027 03:00–05:00 CEST  2027-03-28T01:00:00Z  weekly     weekly-20270328T0100Z  02:00 does not exist on 28 Mar 2027: opens at 03:00 CEST

    History
      OPENING                OUTCOME    OPENED                CLOSED                MESSAGE
      weekly-20261129T0100Z  Completed  2026-11-29T01:00:00Z  2026-11-29T03:00:00Z  its time is over
      weekly-20261122T0100Z  Missed     -                     -                     the operator was away from its start to its end
    ");
}

#[test]
fn windows_are_a_table_of_their_own() {
    let (open, new) = (window(open()), window(Value::Null));
    let closed = window(json!({"phase": "Invalid", "message": "spec.timeZone: there is none"}));
    let rows = [Row::of(&open), Row::of(&closed), Row::of(&new)];
    insta::assert_snapshot!(table::render(&rows, true, now(), WIDE), @r"
    NAMESPACE  NAME    PHASE    NEXT                             CLOSES                    MESSAGE
    shop       weekly  Open     Sun 13 Dec 2026 02:00–04:00 CET  Sun 6 Dec 2026 04:30 CET  open until Sun 6 Dec 2026 04:30 CET: weekly-20261206T0100Z
    shop       weekly  Invalid  -                                -                         spec.timeZone: there is none
    shop       weekly  -        -                                -                         not looked at yet
    ");
}

#[test]
fn a_window_that_is_closed_is_as_it_should_be() {
    let status = json!({"observedGeneration": 1, "phase": "Scheduled", "message": "opens Sunday",
        "gate": {"open": false, "reason": "Closed", "message": "opens Sunday"},
        "conditions": [condition("Open", "False", "Closed"), condition("Ready", "True", "Scheduled")]});
    let shown = window(status).details(now(), WIDE);
    assert_eq!(
        shown,
        "shop/weekly  Scheduled\n  opens Sunday\n\n  Zone        Europe/Berlin\n  Gate        closed for new work (Closed)\n"
    );
}

#[test]
fn a_window_is_told_apart_from_a_rollout_of_the_same_name() {
    let mut lines = Lines { output: Output::Text, terminal: WIDE, last: HashMap::new() };
    let guarded: Guarded<MaintenanceWindow> =
        serde_json::from_value(serde_json::to_value(window(open())).unwrap()).unwrap();
    assert_eq!(
        lines.of(&Event::Apply(guarded), now()).as_deref(),
        Some(
            "10:30:00Z  mw/shop/weekly  Open  open until Sun 6 Dec 2026 04:30 CET: weekly-20261206T0100Z\n"
        )
    );
    assert_eq!(Row::of(&window(open())).json()["kind"], "MaintenanceWindow");
}
