//! Alarms that fire before the start.

use groundcrew::{
    api::analysis::AlreadyFiring,
    facts::cloudwatch::{Alarm, AlarmState},
};

use super::*;
use crate::evidence::with_alarm;

fn told(state: AlarmState) -> Event {
    Event::AlarmsRead(vec![Alarm { name: "red".into(), state }])
}

/// The object with a word on what an alarm means that fires already.
fn watched(mut object: CanaryRollout, already_firing: Option<AlreadyFiring>) -> CanaryRollout {
    let mut analysis = with_alarm();
    analysis.alarms.as_mut().unwrap().already_firing = already_firing;
    object.spec.analysis = Some(analysis);
    object
}

/// The release starts, and the status says that these alarms are ignored.
fn started(already_firing: Option<AlreadyFiring>, ignored: &[&str]) -> Event {
    let before = with(|status| status.step = None);
    let after = with(|status| {
        status.ignored_alarms = ignored.iter().map(|name| (*name).to_owned()).collect();
    });
    let bare = alias("42", None, "r0");
    applied(watched(before, already_firing), watched(after, already_firing), &bare)
}

/// It goes back because the alarm fires.
fn went_back() -> Event {
    let (reason, message) = ("AlarmFiring".to_owned(), String::new());
    let after = with(|status| {
        status.ending = Some(Ending { outcome: Outcome::RolledBack, reason, message });
    });
    let weighted = alias("42", Some(("43", 0.1)), "next");
    applied(watched(flying(), None), watched(after, None), &weighted)
}

#[test]
fn nothing_starts_while_an_alarm_fires_or_is_not_known() {
    let (fires, ok) = (told(AlarmState::Alarm), told(AlarmState::Ok));
    check(&[(0, started(None, &[]))], &["C8"]);
    check(&[(0, fires.clone()), (5, started(None, &[]))], &["C8", "C8"]);
    check(&[(0, fires.clone()), (5, started(None, &["red"]))], &["C8"]);
    check(&[(0, ok.clone()), (5, started(None, &[]))], &[]);
    check(&[(0, fires), (60, ok.clone()), (65, started(None, &[]))], &[]);
    check(&[(0, ok), (200, started(None, &[]))], &["C8"]);
}

#[test]
fn an_alarm_that_is_ignored_is_told_and_counts_again_once_it_was_ok() {
    let ignore = Some(AlreadyFiring::Ignore);
    let (fires, ok) = ((0, told(AlarmState::Alarm)), (60, told(AlarmState::Ok)));
    check(&[fires.clone(), (5, started(ignore, &[]))], &["C8"]);
    let begun = [fires.clone(), (5, started(ignore, &["red"]))];
    check(&begun, &[]);
    let again = (120, told(AlarmState::Alarm));
    let with = |more: &[(i64, Event)]| [&begun[..], more].concat();
    check(&with(&[again.clone(), (121, went_back())]), &["C8"]);
    check(&with(&[ok, again, (121, went_back())]), &[]);
}

#[test]
fn nothing_goes_back_for_an_alarm_that_does_not_fire() {
    let begun = [(0, told(AlarmState::Ok)), (5, started(None, &[]))];
    let with = |more: &[(i64, Event)]| [&begun[..], more].concat();
    check(&with(&[(60, went_back())]), &["C8"]);
    check(&with(&[(59, told(AlarmState::Alarm)), (60, went_back())]), &[]);
}

#[test]
fn an_alarm_is_told_to_fire_already_only_if_it_does() {
    let blocked = || {
        let object = with(|status| {
            status.step = None;
            let reason = "AlarmAlreadyFiring".to_owned();
            status.conditions = vec![Condition { status: "False".into(), reason, ..is_ready() }];
        });
        watched(object, None)
    };
    let before = || watched(with(|status| status.step = None), None);
    let told_so = || applied(before(), blocked(), &alias("42", None, "r0"));
    check(&[(0, told(AlarmState::Alarm)), (1, told_so())], &[]);
    check(&[(0, told(AlarmState::Ok)), (1, told_so())], &["C8"]);
}
