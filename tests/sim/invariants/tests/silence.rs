//! Windows that keep alarms quiet.

use groundcrew::{
    api::{
        maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
        window_alarms::{AlarmMode, Alarms, Silenced, SilencedRegion, SilencedRule},
    },
    facts::mute_rules::{NewMuteRule, OwnMuteRule},
    names::Owner,
};
use jiff::SignedDuration;

use super::{
    windows::{Act, CLOSES, ID, OPENS, begun, open, play, scheduled, window},
    *,
};
use crate::{harness::REGION, history::RulePut, world::CLUSTER};

/// The window of these tests keeps this alarm quiet, and those whose names start so.
const RED: &str = "red";
const PREFIX: &str = "db-";

fn choosing() -> Alarms {
    Alarms {
        names: Some(vec![RED.into()]),
        name_prefixes: Some(vec![PREFIX.into()]),
        ..Alarms::default()
    }
}

fn quiet() -> MaintenanceWindow {
    let mut window = window();
    window.spec.alarms = Some(choosing());
    window.metadata.finalizers = Some(vec![FINALIZER.into()]);
    window
}

fn name(window: &str, batch: u16) -> OwnMuteRule {
    let (cluster, namespace, name) = (CLUSTER.into(), NAMESPACE.into(), window.into());
    OwnMuteRule::of(&Owner { cluster, namespace, name }, ID, batch)
}

/// A rule of some seconds, by seconds from the begin.
fn rule(batch: u16, alarms: &[&str], from: i64, until: i64) -> NewMuteRule {
    NewMuteRule {
        name: name("weekly", batch),
        description: String::new(),
        alarms: alarms.iter().map(|alarm| (*alarm).to_owned()).collect(),
        starts_at: begun(from),
        duration: SignedDuration::from_secs(until - from),
        tags: Vec::new(),
    }
}

/// The status with these rules in it.
fn telling(status: MaintenanceWindowStatus, rules: &[NewMuteRule]) -> MaintenanceWindowStatus {
    let rules = rules.iter().map(|rule| SilencedRule {
        name: rule.name.as_str().to_owned(),
        from: Time(rule.starts_at),
        until: Time(rule.starts_at + rule.duration),
        alarms: rule.alarms.clone(),
    });
    let region = SilencedRegion {
        region: REGION.into(),
        rules: rules.collect(),
        ..SilencedRegion::default()
    };
    let (mode, occurrence) = (AlarmMode::Mute, ID.to_owned());
    let silenced = Some(Silenced { mode, occurrence, ending: None, regions: vec![region] });
    MaintenanceWindowStatus { silenced, ..status }
}

fn silenced(mut status: MaintenanceWindowStatus) -> MaintenanceWindowStatus {
    let condition = Condition { type_: "AlarmsSilenced".into(), ..is_ready() };
    status.conditions.push(condition);
    status
}

fn put(rule: NewMuteRule, window: MaintenanceWindow) -> RulePut {
    let by = "window flights/weekly".to_owned();
    RulePut { by, rule, window: Some(window), taken: true, leads: true, late: false }
}

fn happens(put: RulePut) -> Act {
    Act::Happens(Event::RulePut(Box::new(put)))
}

/// The rule is told, and put.
fn told(rule: NewMuteRule) -> RulePut {
    let mut window = quiet();
    window.status = Some(telling(scheduled(), std::slice::from_ref(&rule)));
    put(rule, window)
}

fn made(name: &str) -> Act {
    Act::Happens(Event::AlarmMade { name: name.into(), rule: None })
}

fn deletes(by: &str, name: &OwnMuteRule) -> Act {
    let (by, name) = (by.to_owned(), name.as_str().to_owned());
    Act::Happens(Event::RuleDeleted { by, name, leads: true })
}

fn gone() -> Act {
    deletes("window flights/weekly", &name("weekly", 0))
}

/// The opening as it should be: whole minutes from its start to its end.
fn whole() -> NewMuteRule {
    rule(0, &[RED], OPENS, CLOSES)
}

/// Seconds before the start at which rules are put.
const PUT: i64 = OPENS - 60;

/// A history of the window with its alarm, after which these things happen.
#[track_caller]
fn follow(acts: Vec<(i64, Act)>, expected: &[&str]) {
    let begin = vec![(0, Act::Person(quiet())), (0, made(RED))];
    play(begin.into_iter().chain(acts).collect(), expected);
}

#[test]
fn a_rule_is_put_once_it_is_told_and_the_finalizer_is_there() {
    follow(vec![(PUT, happens(told(whole())))], &[]);
    let mut bare = told(whole());
    bare.window.as_mut().unwrap().metadata.finalizers = None;
    follow(vec![(PUT, happens(bare))], &["G1"]);
    follow(vec![(PUT, happens(put(whole(), quiet())))], &["Ledger"]);
    let mut other = told(whole());
    other.rule.alarms = vec!["other".into()];
    follow(vec![(PUT, happens(other))], &["Ledger"]);
    let mut alone = told(whole());
    alone.leads = false;
    follow(vec![(PUT, happens(alone))], &["G7"]);
    // What was sent before may arrive when nothing tells of it any more.
    follow(vec![(PUT, happens(RulePut { late: true, ..put(whole(), quiet()) }))], &[]);
}

#[test]
fn rules_of_others_are_left_alone() {
    let other = name("nightly", 0);
    follow(vec![(PUT, deletes("window flights/weekly", &other))], &["G4"]);
    follow(vec![(PUT, deletes("window flights/nightly", &other))], &[]);
    let theirs = RulePut { by: "window flights/nightly".into(), ..told(whole()) };
    follow(vec![(PUT, happens(theirs))], &["G4", "M4"]);
}

#[test]
fn alarms_are_quiet_for_nothing_but_an_opening() {
    for (from, until) in [(OPENS - 40, CLOSES), (OPENS, CLOSES + 60)] {
        follow(vec![(PUT, happens(told(rule(0, &[RED], from, until))))], &["M4"]);
    }
    follow(vec![(OPENS + 5, happens(told(rule(0, &[RED], OPENS + 20, CLOSES))))], &[]);
    // It begins before it is put.
    follow(vec![(OPENS + 5, happens(told(whole())))], &["M4"]);
}

#[test]
fn alarms_are_quiet_as_long_as_the_spec_says_that_it_opened_with() {
    let mut longer = quiet();
    longer.metadata.generation = Some(2);
    longer.spec.schedules = crate::windows::once("14:15", 16).schedules;
    let first = || (PUT, happens(told(whole())));
    let opens = || (OPENS + 1, Act::Tells(telling(open(CLOSES), &[whole()])));
    let until = |closes| (OPENS + 60, happens(told(rule(1, &["db-1"], OPENS + 120, closes))));
    let raised = || (OPENS + 9, Act::Person(longer.clone()));
    follow(vec![first(), opens(), raised(), until(CLOSES)], &[]);
    follow(vec![first(), opens(), raised(), until(CLOSES + 600)], &["M4"]);
    // Nothing is told to be open yet.
    follow(vec![first(), raised(), until(CLOSES + 600)], &[]);
}

#[test]
fn a_rule_that_mutes_is_never_changed() {
    let again = |second: i64, until: i64| {
        let new = rule(0, &[RED], OPENS, until);
        (second, happens(RulePut { late: true, ..told(new) }))
    };
    let first = || (PUT, happens(told(whole())));
    follow(vec![first(), again(OPENS - 20, CLOSES - 60)], &[]);
    follow(vec![first(), again(OPENS + 20, CLOSES)], &[]);
    follow(vec![first(), again(OPENS + 20, CLOSES - 60)], &["M5"]);
}

#[test]
fn a_rule_goes_once_nobody_wants_it() {
    let first = || (PUT, happens(told(whole())));
    let stops = || {
        let mut stopped = quiet();
        stopped.metadata.generation = Some(2);
        stopped.spec.suspend = Some(true);
        (OPENS - 30, Act::Person(stopped))
    };
    let looks = |second| (second, Act::Nothing);
    follow(vec![first(), stops(), looks(OPENS - 29), looks(OPENS - 16)], &[]);
    follow(vec![first(), stops(), looks(OPENS - 29), looks(OPENS - 10)], &["M1"]);
    follow(vec![first(), stops(), looks(OPENS - 29), (OPENS - 20, gone()), looks(OPENS)], &[]);
    let fails = (OPENS - 29, Act::Fails("window flights/weekly"));
    follow(vec![first(), stops(), fails, looks(OPENS - 10)], &[]);
    // It ended by itself.
    follow(vec![first(), looks(CLOSES + 1), looks(CLOSES + 60)], &[]);
}

#[test]
fn an_end_is_told_and_the_finalizer_leaves_once_the_rules_are_gone() {
    let first = || (PUT, happens(told(whole())));
    let opens = || (OPENS + 1, Act::Tells(telling(open(CLOSES), &[whole()])));
    let ended = || {
        let mut status = super::windows::ended(super::windows::Ended::Completed);
        status.history[0].opened_at = Some(Time(begun(OPENS)));
        status
    };
    let ends = |second| (second, Act::Tells(ended()));
    follow(vec![first(), opens(), ends(CLOSES)], &[]);
    follow(vec![first(), opens(), ends(OPENS + 2)], &["M1"]);
    follow(vec![first(), opens(), (OPENS + 2, gone()), ends(OPENS + 2)], &[]);
    let leaves = |second, window| (second, Act::Happens(Event::WindowLetGo(Box::new(window))));
    follow(vec![first(), leaves(OPENS, quiet())], &["G3"]);
    follow(vec![first(), (PUT + 1, gone()), leaves(OPENS, quiet())], &[]);
    let mut abandoned = quiet();
    let annotation = (groundcrew::api::ABANDON_ANNOTATION.to_owned(), "true".to_owned());
    abandoned.metadata.annotations = Some([annotation].into());
    follow(vec![first(), leaves(OPENS, abandoned)], &[]);
}

#[test]
fn a_window_opens_once_its_alarms_have_rules() {
    let first = || (PUT, happens(told(whole())));
    let opens = || (OPENS + 1, Act::Tells(telling(open(CLOSES), &[whole()])));
    follow(vec![first(), opens()], &[]);
    follow(vec![opens()], &["Loud"]);
    follow(vec![first(), (OPENS - 20, made("db-1")), opens()], &[]);
    follow(vec![first(), (1, made("db-1")), opens()], &["Loud"]);
    follow(vec![first(), (1, made("other")), opens()], &[]);
    let composite = Event::AlarmMade { name: "all".into(), rule: Some("ALARM(red)".into()) };
    follow(vec![first(), (1, Act::Happens(composite)), opens()], &["Loud"]);
    // It is told to be quiet for less than it is open.
    let short = rule(0, &[RED], OPENS, CLOSES - 60);
    follow(vec![(PUT, happens(told(short))), opens()], &["Loud"]);
    let urgent = || {
        let mut status = open(CLOSES);
        let emergency = Some(groundcrew::api::maintenance_window::Emergency::default());
        let mut window = quiet();
        window.spec.emergency = emergency;
        *status.current.as_mut().unwrap().spec.0 = window.spec.clone();
        vec![(1, Act::Person(window)), (OPENS + 1, Act::Tells(status))]
    };
    follow(urgent(), &[]);
}

#[test]
fn what_is_told_to_be_quiet_is() {
    let first = || (PUT, happens(told(whole())));
    let tells = |second| (second, Act::Tells(silenced(telling(open(CLOSES), &[whole()]))));
    follow(vec![first(), tells(OPENS + 1)], &[]);
    let early = silenced(telling(scheduled(), &[whole()]));
    follow(vec![(PUT, happens(told(whole()))), (PUT, Act::Tells(early))], &["Told"]);
    let looks = |second| (second, Act::Nothing);
    follow(vec![first(), tells(OPENS + 1), (OPENS + 9, gone()), looks(OPENS + 10)], &["Loud"]);
    // Where another window keeps it quiet, it is.
    let mut second = told(rule(1, &[RED], OPENS, CLOSES));
    second.window.as_mut().unwrap().status =
        Some(telling(scheduled(), std::slice::from_ref(&second.rule)));
    let both = vec![first(), (PUT, happens(second)), tells(OPENS + 1), (OPENS + 9, gone())];
    follow(both.into_iter().chain([looks(OPENS + 10)]).collect(), &[]);
}

#[test]
fn a_new_alarm_is_quiet_soon() {
    // It is open for an hour, and nobody is told that all are quiet.
    let hour = OPENS + 3_600;
    let long = || {
        let mut window = quiet();
        window.metadata.generation = Some(2);
        window.spec.schedules = crate::windows::once("14:15", 60).schedules;
        window
    };
    let opens = || {
        let status = telling(open(hour), &[rule(0, &[RED], OPENS, hour)]);
        let status = MaintenanceWindowStatus { observed_generation: Some(2), ..status };
        (OPENS + 1, Act::Tells(status))
    };
    let begin = || {
        vec![(1, Act::Person(long())), (PUT, happens(told(rule(0, &[RED], OPENS, hour)))), opens()]
    };
    let new = || (OPENS + 60, made("db-1"));
    let looks = |second| (OPENS + second, Act::Nothing);
    let after = |acts: Vec<(i64, Act)>| begin().into_iter().chain(acts).collect();
    follow(after(vec![new(), looks(60 + 419)]), &[]);
    follow(after(vec![new(), looks(60 + 421), looks(60 + 430)]), &["Loud"]);
    let muted = (OPENS + 330, happens(told(rule(1, &["db-1"], OPENS + 360, hour))));
    follow(after(vec![new(), muted, looks(60 + 421)]), &[]);
}
