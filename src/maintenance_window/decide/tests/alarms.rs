//! Alarms that are quiet while a window is open.

mod left;

use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    api::maintenance_window::{Outcome, Phase},
    facts::kubernetes::Deletion,
    maintenance_window::world::{Cloud, WEEKLY, World, december},
    plan::Revisit,
};

const SUNDAY: &str = "weekly-20261206T0100Z";
const ALARMS: &str =
    "alarms: {namePrefixes: [web-], excludePrefixes: [web-security-], names: [db]}";

/// Weekly, with three alarms to silence, one that is excluded and one that nobody named.
pub(super) fn quiet(more: &str) -> World {
    let mut world = World::new(&format!("{WEEKLY}{ALARMS}\n{more}"), "05T12:00");
    world.cloud = Cloud::of(&["web-a", "web-b", "db", "web-security-x", "other"]);
    world.passes();
    world
}

pub(super) fn names(world: &World, time: &str) -> Vec<String> {
    let at = december(time);
    let all = world.cloud.alarms.keys();
    all.filter(|name| world.cloud.is_quiet(name, at)).cloned().collect()
}

pub(super) fn silenced(world: &World) -> Option<(String, String)> {
    let all = &world.told().conditions;
    let found = all.iter().find(|condition| condition.type_ == "AlarmsSilenced")?;
    Some((found.status.clone(), found.message.clone()))
}

#[test]
fn rules_are_put_before_the_opening_mute_to_its_end_and_are_taken_away() {
    let mut world = quiet("");
    world.until("06T00:54");
    assert!(world.cloud.rules.is_empty() && !world.facts.finalizer);
    world.until("06T00:55");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert!(world.facts.finalizer);
    assert_eq!(names(&world, "06T00:59"), [""; 0]);
    assert_eq!(names(&world, "06T01:00"), ["db", "web-a", "web-b"]);
    assert_eq!(names(&world, "06T02:59"), ["db", "web-a", "web-b"]);
    assert_eq!(names(&world, "06T03:00"), [""; 0]);
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Open));
    let told = silenced(&world).unwrap();
    let words = "3 alarms quiet until 2026-12-06T03:00:00Z at the latest";
    assert_eq!(told, ("True".into(), words.into()));
    world.cloud.alarms.insert("web-b".into(), true);
    world.until("06T03:00");
    assert!(world.cloud.rules.is_empty() && !world.facts.finalizer);
    let entry = world.told().history[0].clone();
    assert_eq!((entry.outcome, entry.still_in_alarm), (Outcome::Completed, vec!["web-b".into()]));
    assert_eq!(silenced(&world), None);
    assert_eq!(world.cloud.writes, 2, "one rule, put and taken away");
}

#[test]
fn the_intent_and_the_finalizer_are_there_before_any_rule() {
    let mut world = quiet("");
    world.now = december("06T00:55");
    let first = world.pass();
    assert!(first.actions.is_empty() && first.memory.silenced.is_some());
    assert!(world.cloud.rules.is_empty() && world.facts.finalizer);
    let second = world.pass();
    assert_eq!(second.actions.len(), 1);
    // Without the finalizer nothing is put.
    let mut world = quiet("");
    world.now = december("06T00:55");
    world.pass();
    world.facts.finalizer = false;
    assert_eq!(world.pass().actions, []);
}

#[test]
fn what_chooses_no_alarm_is_told() {
    let mut world = quiet("");
    world.cloud.alarms.remove("db");
    world.until("06T01:00");
    let words = "2 alarms quiet until 2026-12-06T03:00:00Z at the latest; there is no alarm of the name or prefix db";
    assert_eq!(silenced(&world).unwrap(), ("True".into(), words.into()));
    let mut nothing = quiet("");
    nothing.cloud.alarms.clear();
    nothing.until("06T01:00");
    assert_eq!(nothing.told().phase, Some(Phase::Open));
    let words = "there is nothing to be quiet; there is no alarm of the name or prefix db, web-";
    assert_eq!(silenced(&nothing).unwrap(), ("False".into(), words.into()));
    nothing.until("06T03:00");
    assert!(!nothing.facts.finalizer);
}

#[test]
fn a_rule_holds_a_hundred_alarms() {
    let mut world = quiet("");
    let all: Vec<String> = (0..250).map(|number| format!("web-{number:03}")).collect();
    world.cloud = Cloud::of(&all.iter().map(String::as_str).collect::<Vec<_>>());
    world.until("06T01:00");
    let counts: Vec<usize> = world.cloud.rules.values().map(|rule| rule.alarms.len()).collect();
    assert_eq!(counts, [100, 100, 50]);
    world.until("06T03:00");
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn more_alarms_than_two_thousand_keep_the_window_closed() {
    let mut world = quiet("");
    let all: Vec<String> = (0..2_001).map(|number| format!("web-{number}")).collect();
    world.cloud = Cloud::of(&all.iter().map(String::as_str).collect::<Vec<_>>());
    world.until("06T01:00");
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert_eq!(silenced(&world).unwrap().0, "False");
    assert!(world.told().message.as_ref().unwrap().contains("chooses 2001 alarms, at most 2000"));
}

#[test]
fn it_opens_once_its_alarms_can_be_quiet_or_is_missed() {
    let mut world = quiet("lateOpen: {minRemaining: 30m}");
    world.cloud.denied = true;
    world.until("06T02:00");
    let message = world.told().message.clone().unwrap();
    assert_eq!(world.told().phase, Some(Phase::Preparing));
    assert!(
        message.starts_with("its alarms cannot be made quiet: no permission; it opens Sun"),
        "{message}"
    );
    assert!(!world.told().gate.as_ref().unwrap().open);
    let mut mended = world.clone();
    mended.cloud.denied = false;
    mended.until("06T02:02");
    assert_eq!(mended.told().phase, Some(Phase::Open));
    assert_eq!(names(&mended, "06T02:03"), ["db", "web-a", "web-b"]);
    world.until("06T02:45");
    assert_eq!(world.history()[0].1, "Missed");
    assert_eq!(world.events, ["Missed"]);
}

#[test]
fn alarms_that_are_made_while_it_is_open_are_quiet_too() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.cloud.alarms.insert("web-new".into(), false);
    world.cloud.alarms.remove("web-a");
    world.until("06T01:40");
    assert!(world.cloud.is_quiet("web-new", december("06T01:41")));
    assert!(world.cloud.is_quiet("web-b", december("06T01:41")));
    assert_eq!(world.cloud.changed, [""; 0], "rules that mute are left alone");
    world.until("06T03:00");
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn an_extension_keeps_alarms_quiet_without_a_pause() {
    let mut world = quiet("extend: {max: 1h}");
    world.until("06T02:00");
    world.ask(&format!("extend=30m@{SUNDAY}"));
    for minute in ["06T02:00", "06T02:59", "06T03:00", "06T03:29"] {
        assert_eq!(names(&world, minute), ["db", "web-a", "web-b"], "{minute}");
    }
    assert_eq!(names(&world, "06T03:30"), [""; 0]);
    assert_eq!(world.cloud.changed, [""; 0]);
    world.until("06T03:30");
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn an_early_close_a_suspension_and_a_deletion_bring_alarms_back() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 3] = [
        ("close", |world| drop(world.ask(&format!("close@{SUNDAY}")))),
        ("suspend", |world| world.edit(|spec| spec.suspend = Some(true))),
        ("delete", |world| world.facts.deletion = Deletion::Undo),
    ];
    for (what, change) in changes {
        let mut world = quiet("");
        world.until("06T01:30");
        assert_eq!(world.cloud.rules.len(), 1);
        change(&mut world);
        world.passes();
        assert!(world.cloud.rules.is_empty() && !world.facts.finalizer, "{what}");
        assert!(!world.told().gate.as_ref().unwrap().open, "{what}");
    }
}

#[test]
fn what_was_prepared_goes_away_when_the_opening_does_not_come() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 4] = [
        ("skip", |world| drop(world.ask(&format!("skip@{SUNDAY}")))),
        ("suspend", |world| world.edit(|spec| spec.suspend = Some(true))),
        ("delete", |world| world.facts.deletion = Deletion::Undo),
        ("edit", |world| {
            world
                .edit(|spec| spec.schedules.as_mut().unwrap()[0].cron = Some("0 9 * * SUN".into()));
        }),
    ];
    for (what, change) in changes {
        let mut world = quiet("");
        world.until("06T00:58");
        assert_eq!(world.cloud.rules.len(), 1);
        change(&mut world);
        world.passes();
        assert!(world.cloud.rules.is_empty() && !world.facts.finalizer, "{what}");
    }
}

#[test]
fn an_operator_that_was_away_over_the_end_takes_the_rules_away_later() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.at("06T12:00");
    assert!(world.cloud.rules.is_empty() && !world.facts.finalizer);
    assert_eq!(world.history()[0].1, "Completed");
}

#[test]
fn an_emergency_opens_at_once_and_its_alarms_follow_within_two_minutes() {
    let emergency = format!(
        "
timeZone: Etc/UTC
schedules: [{{name: now, once: '2026-12-05T12:30', duration: 2h}}]
emergency: {{reason: r, requestedBy: a, for: [weekly]}}
{ALARMS}
"
    );
    let mut world = World::new(&emergency, "05T13:00");
    world.cloud = Cloud::of(&["db"]);
    world.cloud.denied = true;
    world.now += SignedDuration::from_secs(10);
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open), "whatever CloudWatch says");
    assert!(world.told().gate.as_ref().unwrap().open);
    world.cloud.denied = false;
    world.until("05T13:02");
    assert!(world.cloud.is_quiet("db", december("05T13:02")));
    assert_eq!(silenced(&world).unwrap().0, "True");
}

#[test]
fn a_lost_status_while_it_is_open_leaves_no_alarm_quiet_in_the_end() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.status = None;
    world.passes();
    assert_eq!(world.told().phase, Some(Phase::Open));
    assert_eq!(names(&world, "06T01:31"), ["db", "web-a", "web-b"]);
    world.until("06T03:00");
    assert!(world.cloud.rules.is_empty());
}

#[test]
fn what_is_let_go_says_which_rules_stay_and_until_when() {
    let mut world = quiet("");
    world.until("06T01:30");
    world.facts.deletion = Deletion::Abandon;
    let plan = world.pass();
    assert!(!world.facts.finalizer);
    let told = &plan.notes[0];
    assert_eq!(told.reason, "Abandoned");
    assert!(told.message.contains("until 2026-12-06T03:00:00Z"), "{}", told.message);
}

#[test]
fn without_alarms_aws_is_never_asked() {
    let mut world = World::weekly();
    world.cloud.denied = true;
    world.until("06T03:00");
    assert_eq!(world.history()[0].1, "Completed");
}

/// What happens to a window and its alarms.
#[derive(Clone, Debug)]
enum Turn {
    Minutes(i64),
    Due,
    Denied(bool),
    Verb(&'static str),
    Suspend(bool),
    Alarm(&'static str, bool),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => (1_i64..60).prop_map(Turn::Minutes),
        8 => Just(Turn::Due),
        1 => any::<bool>().prop_map(Turn::Denied),
        2 => select(vec!["close", "extend=10m", "skip"]).prop_map(Turn::Verb),
        1 => any::<bool>().prop_map(Turn::Suspend),
        2 => (select(vec!["web-a", "web-b", "web-c", "db"]), any::<bool>())
            .prop_map(|(name, there)| Turn::Alarm(name, there)),
    ]
}

/// What is open, or opens next: from when to when.
fn openings(world: &World) -> Vec<(Timestamp, Timestamp)> {
    let status = world.told();
    let current = status.current.iter().map(|current| (current.opens_at.0, current.closes_at.0));
    current.chain(status.next.iter().map(|next| (next.opens_at.0, next.closes_at.0))).collect()
}

/// When the rules mute, or will, that have not ended by themselves.
fn lasting(world: &World) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let spans =
        world.cloud.rules.values().map(|rule| (rule.starts_at, rule.starts_at + rule.duration));
    spans.filter(|(_, end)| *end > world.now)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens: while CloudWatch answers, alarms are or will be quiet for what is open or opens
    /// next, and for nothing else; rules that mute are never changed; and once nothing is open and
    /// CloudWatch answers, no rule is left.
    #[test]
    fn no_alarm_stays_quiet(turns in vec(turn(), 1..40)) {
        let mut world = World::new(
            &format!("timeZone: Etc/UTC\nextend: {{max: 1h}}\nschedules: [{{name: a, cron: '0 */3 * * *', duration: 1h}}]\n{ALARMS}"),
            "05T12:10",
        );
        world.cloud = Cloud::of(&["web-a", "web-b", "db"]);
        world.passes();
        for (number, turn) in turns.iter().enumerate() {
            match turn {
                Turn::Minutes(minutes) => world.now += SignedDuration::from_mins(*minutes),
                Turn::Due => {
                    if let Revisit::At(then) = world.clone().passes().revisit {
                        world.now = then.max(world.now);
                    }
                }
                Turn::Denied(on) => world.cloud.denied = *on,
                Turn::Suspend(on) => world.edit(|spec| spec.suspend = Some(*on)),
                Turn::Alarm(name, there) => {
                    world.cloud.alarms.remove(*name);
                    if *there {
                        world.cloud.alarms.insert((*name).to_owned(), true);
                    }
                }
                Turn::Verb(verb) => {
                    let status = world.told();
                    let id = match (verb, &status.current, &status.next) {
                        (&"skip", _, Some(next)) => next.id.clone(),
                        (_, Some(current), _) => current.id.clone(),
                        _ => "none".into(),
                    };
                    world.ask(&format!("{verb}@{id}#{number}"));
                }
            }
            world.passes();
            prop_assert!(world.cloud.changed.is_empty());
            let quiet = world.told().silenced.is_some();
            prop_assert!(quiet || lasting(&world).next().is_none(), "{:?}", world.cloud.rules);
            prop_assert_eq!(world.facts.finalizer, quiet);
            if !world.cloud.denied {
                let openings = openings(&world);
                for (from, until) in lasting(&world) {
                    let within = openings.iter().any(|(opens, closes)| *opens <= from && until <= *closes);
                    prop_assert!(within, "quiet from {from} to {until}, and open {openings:?}");
                }
            }
        }
        world.facts.sweeps = true;
        world.cloud.denied = false;
        world.edit(|spec| spec.suspend = Some(true));
        for _ in 0..5 {
            world.later(31);
        }
        prop_assert!(world.cloud.rules.is_empty(), "{:?}", world.cloud.rules);
        prop_assert!(!world.facts.finalizer);
    }
}
