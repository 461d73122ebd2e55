//! Numbers before an opening and after it.

use crate::{
    api::{
        maintenance_window::{Outcome, Phase},
        shared::Mode,
        window_checks::WindowStage::{AfterClose, BeforeOpening},
        window_metrics::WindowMetricStatus,
    },
    facts::kubernetes::Deletion,
    maintenance_window::{
        metrics::Found,
        world::{Plant, WEEKLY, World},
    },
};

const METRICS: &str = "
metrics:
- name: p95
  metric: {namespace: AWS/ApiGateway, metricName: Latency, statistic: p95, period: 10m}
";

/// What happens to a window.
type Change = fn(&mut World);

/// Weekly with metrics and this, from the Saturday before on.
fn world(more: &str) -> World {
    let mut world = World::new(&format!("{WEEKLY}{METRICS}{more}"), "05T12:00");
    world.passes();
    world
}

fn denied() -> Found {
    Found::Unread("AccessDenied".into())
}

/// The only metric of the last opening: before, after, and why not.
fn last(world: &World) -> (Option<&str>, Option<&str>, Option<&str>) {
    only(&world.told().history[0].metrics)
}

fn only(metrics: &[WindowMetricStatus]) -> (Option<&str>, Option<&str>, Option<&str>) {
    let [metric] = metrics else { panic!("{metrics:?}") };
    assert_eq!(metric.name, "p95");
    (metric.before.as_deref(), metric.after.as_deref(), metric.message.as_deref())
}

#[test]
fn a_number_is_read_before_and_one_after_when_their_periods_are_whole() {
    let mut world = world("");
    world.until("06T01:04");
    assert!(world.gauge.reads.is_empty());
    assert_eq!(only(&world.told().current.as_ref().unwrap().metrics), (None, None, None));
    world.until("06T01:06");
    assert_eq!(world.gauge.reads, ["06T01:05 p95 before the opening, to 06T01:00"]);
    let known = (Some("06T01:00"), None, None);
    assert_eq!(only(&world.told().current.as_ref().unwrap().metrics), known);
    assert!(world.told().measuring.is_none());
    world.until("06T03:01");
    assert_eq!(last(&world), known);
    // It does not wait for the number as it would for a check.
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    let due = &world.told().measuring.as_ref().unwrap().left[0];
    assert_eq!(due.until.0, crate::maintenance_window::world::december("06T03:10"));
    world.until("06T03:14");
    assert_eq!(world.gauge.reads.len(), 1);
    world.until("06T09:00");
    assert_eq!(world.gauge.reads[1..], ["06T03:15 p95 after the close, to 06T03:10"]);
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T03:10"), None));
    assert!(world.told().measuring.is_none());
    assert_eq!(world.told().history[0].outcome, Outcome::Completed);
    assert_eq!(world.events, ["Opened", "Closed"]);
}

#[test]
fn the_second_number_is_the_last_of_the_time_that_is_watched() {
    let mut world = world("postCheckFor: 35m\n");
    world.until("06T05:00");
    assert_eq!(world.gauge.reads[1..], ["06T03:45 p95 after the close, to 06T03:40"]);
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
    // Neither period has anything of the opening in it.
    let mut world = self::world("");
    world.at("06T01:00");
    world.edit(|spec| spec.schedules = None);
    world.until("06T01:16");
    world.ask("close@weekly-20261206T0100Z");
    world.until("06T05:00");
    let reads = [
        "06T01:05 p95 before the opening, to 06T01:00",
        "06T01:35 p95 after the close, to 06T01:30",
    ];
    assert_eq!(world.gauge.reads, reads);
}

#[test]
fn of_a_late_opening_the_time_before_it_really_opened_counts() {
    let mut world = world("");
    world.at("06T01:47");
    world.until("06T02:00");
    assert_eq!(world.gauge.reads, ["06T01:52 p95 before the opening, to 06T01:40"]);
}

#[test]
fn without_data_there_is_no_number_and_the_history_says_so() {
    let mut world = world("");
    world.gauge.numbers.insert(("p95", BeforeOpening), Found::Nothing("no data".into()));
    world.until("06T09:00");
    let why = "before the opening: no data";
    assert_eq!(last(&world), (None, Some("06T03:10"), Some(why)));
    world.gauge.numbers.insert(("p95", AfterClose), Found::Nothing("no data".into()));
    world.until("13T09:00");
    let why = "before the opening: no data; after the close: no data";
    assert_eq!(last(&world), (None, None, Some(why)));
    assert_eq!(world.gauge.reads.len(), 4);
}

#[test]
fn what_cannot_be_read_is_tried_again_and_holds_nothing_up() {
    let mut world = world("");
    world.gauge.numbers.insert(("p95", BeforeOpening), denied());
    world.until("06T01:30");
    let times: Vec<&str> = world.gauge.reads.iter().map(|read| &read[3..8]).collect();
    assert_eq!(times, ["01:05", "01:06", "01:07", "01:09", "01:13", "01:21"]);
    let measuring = world.told().measuring.clone().unwrap();
    assert_eq!(measuring.message.as_deref(), Some("p95 before the opening: AccessDenied"));
    world.check(Phase::Open, true, "open until Sun 6 Dec 2026 04:00 CET: weekly-20261206T0100Z");
    world.gauge.numbers.clear();
    world.until("06T01:40");
    assert_eq!(
        only(&world.told().current.as_ref().unwrap().metrics),
        (Some("06T01:00"), None, None)
    );
    assert!(world.told().measuring.is_none());
    world.until("06T09:00");
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T03:10"), None));
    assert_eq!(world.events, ["Opened", "Closed"]);
}

#[test]
fn after_an_hour_it_is_given_up_and_told() {
    let mut world = world("");
    world.gauge.numbers.insert(("p95", AfterClose), denied());
    world.until("06T04:14");
    assert_eq!(last(&world), (Some("06T01:00"), None, None));
    let tries = world.gauge.reads.len();
    assert!((8..=10).contains(&tries), "{:?}", world.gauge.reads);
    // The pass that gives up tells it, once.
    let mut told = Vec::new();
    for _ in 0..60 {
        world.now += jiff::SignedDuration::from_mins(1);
        told.extend(world.pass().notes);
    }
    let [note] = &told[..] else { panic!("{told:?}") };
    assert_eq!((note.warning, note.reason), (true, "MetricUnread"));
    let words = "weekly-20261206T0100Z: metric p95 after the close: AccessDenied";
    assert_eq!(note.message, words);
    let why = "after the close: it could not be read: AccessDenied";
    assert_eq!(last(&world), (Some("06T01:00"), None, Some(why)));
    assert_eq!(world.gauge.reads.len(), tries + 1);
    assert!(world.told().measuring.is_none());
    assert_eq!(world.told().phase, Some(Phase::Scheduled));
}

#[test]
fn the_next_opening_ends_it() {
    let mut world = world("postCheckFor: 7d\n");
    world.until("13T00:59");
    assert_eq!(last(&world), (Some("06T01:00"), None, None));
    world.until("13T01:01");
    let why = "after the close: not read: the next opening came first";
    assert_eq!(last(&world), (Some("06T01:00"), None, Some(why)));
    assert_eq!(world.told().measuring.as_ref().unwrap().occurrence, "weekly-20261213T0100Z");
}

#[test]
fn an_operator_that_was_away_reads_later() {
    let mut world = world("");
    world.until("06T01:01");
    world.at("06T08:00");
    assert_eq!(last(&world), (Some("06T01:00"), None, None));
    // It is closed only now.
    world.at("06T20:00");
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T08:10"), None));
    assert_eq!(world.gauge.reads.len(), 2);
    // What fails then has its hour all the same.
    let mut world = self::world("");
    world.until("06T03:01");
    world.gauge.numbers.insert(("p95", AfterClose), denied());
    world.at("06T20:00");
    assert_eq!(last(&world), (Some("06T01:00"), None, None));
    world.gauge.numbers.clear();
    world.at("06T20:05");
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T03:10"), None));
}

#[test]
fn an_opening_is_measured_as_its_spec_was() {
    let mut world = world("");
    world.until("06T01:01");
    world.edit(|spec| {
        let metric = &mut spec.metrics.as_mut().unwrap()[0];
        metric.name = "p50".into();
        metric.metric.period = "5m".parse().unwrap();
    });
    world.until("06T03:01");
    world.edit(|spec| spec.metrics = None);
    world.until("06T09:00");
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T03:10"), None));
    world.until("13T09:00");
    assert!(world.told().history[0].metrics.is_empty());
    assert_eq!(world.gauge.reads.len(), 2);
}

#[test]
fn a_round_is_measured_after_its_end() {
    let round = "purpose: Routine\npreChecks: [{name: api, http: {url: 'https://a.com/'}}]\n";
    let mut world = world(round);
    world.until("06T01:01");
    assert_eq!(world.history()[0].2, "its round is over");
    let due = world.told().measuring.as_ref().unwrap().left.len();
    assert_eq!((due, world.gauge.reads.len()), (2, 0));
    world.until("06T09:00");
    assert_eq!(last(&world), (Some("06T01:00"), Some("06T01:10"), None));
}

#[test]
fn an_emergency_is_measured_from_where_it_opened() {
    let yaml = format!(
        "timeZone: Etc/UTC\nschedules: [{{name: fix, once: '2026-12-05T11:00', duration: 3h}}]\n\
         emergency: {{reason: r, requestedBy: jane, for: [weekly]}}\n{METRICS}"
    );
    let mut world = World::new(&yaml, "05T12:07");
    world.until("05T20:00");
    assert_eq!(last(&world), (Some("05T12:00"), Some("05T14:10"), None));
}

#[test]
fn nothing_is_read_for_what_is_suspended_deleted_or_in_audit() {
    let changes: [(Change, &str); 3] = [
        (|world| world.edit(|spec| spec.suspend = Some(true)), "the window is suspended"),
        (|world| world.edit(|spec| spec.mode = Some(Mode::Audit)), "the window is in Audit"),
        (|world| world.facts.deletion = Deletion::Undo, "the window is deleted"),
    ];
    for (change, why) in changes {
        let mut open = world("");
        open.until("06T01:01");
        change(&mut open);
        open.until("06T09:00");
        let why = format!(
            "before the opening: not read: {why}; after the close: not read: it was cancelled"
        );
        assert_eq!(last(&open), (None, None, Some(why.as_str())));
        assert!(open.gauge.reads.is_empty());
    }
    let mut closed = world("");
    closed.until("06T03:01");
    closed.edit(|spec| spec.suspend = Some(true));
    closed.until("06T09:00");
    let why = "after the close: not read: the window is suspended";
    assert_eq!(last(&closed), (Some("06T01:00"), None, Some(why)));
    let mut audit = world("mode: Audit\n");
    audit.until("06T09:00");
    assert!(audit.gauge.reads.is_empty() && audit.told().measuring.is_none());
}

#[test]
fn what_never_opened_has_no_numbers() {
    let mut world = world("");
    world.ask("skip@weekly-20261206T0100Z");
    world.at("13T04:00");
    let entries = &world.told().history;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.metrics.is_empty()), "{entries:?}");
    assert!(world.gauge.reads.is_empty());
}

#[test]
fn in_the_half_minute_before_a_close_nothing_is_read() {
    let mut world = World::new(
        &format!(
            "timeZone: Etc/UTC\nschedules: [{{name: a, once: '2026-12-05T13:00', duration: 5m}}]\n{METRICS}"
        ),
        "05T12:00",
    );
    world.until("05T13:01");
    // A second before the close, and it is due: an operator that has just come back.
    let due = crate::maintenance_window::world::december("05T13:04");
    world.status.as_mut().unwrap().measuring.as_mut().unwrap().left[0].due_at.0 = due;
    world.now = due + jiff::SignedDuration::from_secs(45);
    world.passes();
    assert!(world.gauge.reads.is_empty());
    world.until("05T13:06");
    assert_eq!(world.gauge.reads.len(), 1);
    assert_eq!(last(&world), (Some("05T13:00"), None, None));
}

#[test]
fn what_is_read_changes_no_moment_of_an_opening() {
    let all = "postChecks: [{name: api, http: {url: 'https://a.com/'}}]\npostCheckFor: 30m\n\
               extend: {max: 1h}\nalarms: {names: [db]}\n\
               tasks: [{name: reboot, rds: {instance: prod-db, action: RebootIfPending}, timeout: 20m}]\n";
    let times = |metrics: &str, found: Option<Found>| {
        let mut world = World::new(&format!("{WEEKLY}{all}{metrics}"), "05T12:00");
        world.cloud = crate::maintenance_window::world::Cloud::of(&["db"]);
        world.plant = Plant { pending_reboot: true, ..Plant::default() };
        for stage in [BeforeOpening, AfterClose] {
            world.gauge.numbers.extend(found.clone().map(|found| (("p95", stage), found)));
        }
        world.passes();
        world.until("06T05:00");
        let entries = world.told().history.iter();
        let times = entries.map(|entry| {
            let tasks = entry.tasks.iter().map(|task| (task.state, task.ended_at.clone()));
            let times = (entry.opened_at.clone(), entry.closed_at.clone(), entry.outcome);
            (times, tasks.collect::<Vec<_>>())
        });
        times.collect::<Vec<_>>()
    };
    let without = times("", None);
    assert_eq!(without.len(), 1);
    for found in [None, Some(denied()), Some(Found::Nothing("no data".into()))] {
        assert_eq!(times(METRICS, found), without);
    }
}
