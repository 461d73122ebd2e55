use std::{cell::RefCell, future::ready};

use futures::FutureExt as _;

use super::*;
use crate::{
    api::window_alarms::{SwitchState, SwitchedAlarm},
    aws::{self, Class},
    facts::mute_rules::OwnMuteRule,
    names::Owner,
};

const NEAR: &str = "eu-central-1";
const FAR: &str = "us-east-1";

/// What there is to write to.
#[derive(Default)]
struct Cloud {
    /// Alarms that may not be switched on.
    denied: BTreeSet<String>,
    /// How all else fails in a region.
    fails: Option<(&'static str, Class)>,
    on: RefCell<BTreeSet<String>>,
    calls: RefCell<Vec<(String, usize)>>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + second).unwrap()
}

fn failed(operation: Operation, class: Class) -> aws::Error {
    aws::Error {
        operation,
        resource: "a".into(),
        class,
        code: String::new(),
        message: String::new(),
        request_id: None,
        retry_after: None,
    }
}

impl Cloud {
    async fn write(&self, action: Action) -> Result<(), Error> {
        let region = action.region().to_owned();
        let fails = self.fails.filter(|(place, _)| *place == region).map(|(_, class)| class);
        let note = |count| self.calls.borrow_mut().push((region.clone(), count));
        match action {
            Action::SwitchOn { alarms, .. } => {
                note(alarms.len());
                let names: Vec<String> = alarms.into_iter().map(|alarm| alarm.name).collect();
                let denied = names.iter().any(|name| self.denied.contains(name));
                if let Some(class) = fails.or(denied.then_some(Class::Denied)) {
                    let source = failed(Operation::CloudWatchEnableAlarmActions, class);
                    return Err(Error::SwitchOn { region, source });
                }
                self.on.borrow_mut().extend(names);
            }
            Action::DeleteMuteRule { .. }
            | Action::SwitchOff { .. }
            | Action::PutMuteRule { .. } => {
                note(1);
                if let Some(class) = fails {
                    let source = failed(Operation::CloudWatchDeleteAlarmMuteRule, class);
                    return Err(Error::Unmute { region, source });
                }
            }
        }
        Ok(())
    }

    /// How it fails, if it does.
    fn carry_out(&self, actions: &[Action], second: i64) -> Option<Class> {
        self.calls.borrow_mut().clear();
        let done = carry_out(actions, at(second), |action| self.write(action));
        match done.now_or_never().unwrap().err()? {
            Error::SwitchOn { source, .. } | Error::Unmute { source, .. } => Some(source.class),
            other => panic!("{other:?}"),
        }
    }

    fn calls(&self) -> usize {
        self.calls.borrow().len()
    }
}

/// Calls to switch on what of these is not on yet, a hundred each.
fn on(cloud: &Cloud, count: usize) -> Vec<Action> {
    let names = (0..count).map(|number| format!("web-{number:04}"));
    let left = names.filter(|name| !cloud.on.borrow().contains(name));
    let alarm = |name| SwitchedAlarm { name, state: SwitchState::Off, configured_at: None };
    let left: Vec<SwitchedAlarm> = left.map(alarm).collect();
    let part = |alarms: &[SwitchedAlarm]| Action::SwitchOn {
        region: NEAR.into(),
        alarms: alarms.to_vec(),
    };
    left.chunks(100).map(part).collect()
}

fn delete(region: &str, number: u16) -> Action {
    let owner = Owner { cluster: "c".into(), namespace: "n".into(), name: "w".into() };
    let rule = OwnMuteRule::of(&owner, "weekly-20261206T0100Z", number);
    Action::DeleteMuteRule { region: region.into(), rule }
}

fn off(region: &str) -> Action {
    let until = at(0);
    Action::SwitchOff { region: region.into(), alarms: vec!["a".into()], until }
}

#[test]
fn an_alarm_that_may_not_be_switched_on_keeps_no_other_one_off() {
    let denied = ["web-0042".to_owned()];
    let cloud = Cloud { denied: denied.clone().into(), ..Cloud::default() };
    assert_eq!(cloud.carry_out(&on(&cloud, 300), 7), Some(Class::Denied));
    assert_eq!(cloud.on.borrow().len(), 299);
    assert!(cloud.calls() <= 3 + 14, "{:?}", cloud.calls);
    // From then on it is the only one.
    assert_eq!(cloud.carry_out(&on(&cloud, 300), 8), Some(Class::Denied));
    assert_eq!(*cloud.calls.borrow(), [(NEAR.to_owned(), 1)]);
}

#[test]
fn many_that_may_not_be_switched_on_cost_few_calls_and_the_others_come_on_in_time() {
    let names = (0..500_u32).filter(|number| number % 10 == 3);
    let denied: BTreeSet<String> = names.map(|number| format!("web-{number:04}")).collect();
    let cloud = Cloud { denied, ..Cloud::default() };
    let mut passes = 0;
    while cloud.on.borrow().len() < 450 {
        passes += 1;
        assert!(passes < 100, "{} are on", cloud.on.borrow().len());
        assert_eq!(cloud.carry_out(&on(&cloud, 500), passes * 30), Some(Class::Denied));
        assert!(cloud.calls() <= 5 + 2 * (5 + REFUSALS_MAX), "{}", cloud.calls());
    }
}

#[test]
fn what_brings_alarms_back_goes_on_after_a_failure_and_tells_the_first() {
    let cloud = Cloud { fails: Some((NEAR, Class::Denied)), ..Cloud::default() };
    let actions = [delete(NEAR, 0), delete(FAR, 0), delete(NEAR, 1)];
    assert_eq!(cloud.carry_out(&actions, 0), Some(Class::Denied));
    assert_eq!(cloud.calls(), 3);
}

#[test]
fn where_nothing_answers_nothing_more_is_tried() {
    for class in [Class::Unknown, Class::Credentials, Class::Throttled] {
        let cloud = Cloud { fails: Some((NEAR, class)), ..Cloud::default() };
        let mut actions = on(&cloud, 300);
        actions.push(delete(FAR, 0));
        assert_eq!(cloud.carry_out(&actions, 0), Some(class));
        assert_eq!(*cloud.calls.borrow(), [(NEAR.to_owned(), 100), (FAR.to_owned(), 1)]);
    }
}

#[test]
fn what_makes_alarms_quiet_ends_with_its_first_failure() {
    let cloud = Cloud { fails: Some((NEAR, Class::Denied)), ..Cloud::default() };
    assert!(cloud.carry_out(&[off(FAR), off(NEAR), off(FAR)], 0).is_some());
    assert_eq!(cloud.calls(), 2);
    // And it does not begin where something is not brought back.
    assert!(cloud.carry_out(&[off(FAR), delete(NEAR, 0)], 0).is_some());
    assert_eq!(*cloud.calls.borrow(), [(NEAR.to_owned(), 1)]);
}

#[test]
fn a_look_that_is_refused_is_not_tried_in_parts() {
    let cloud = Cloud::default();
    let calls = RefCell::new(0);
    let source = failed(Operation::CloudWatchDescribeAlarms, Class::Denied);
    let write = |_| {
        *calls.borrow_mut() += 1;
        ready(Err(Error::SwitchOn { region: NEAR.into(), source: source.clone() }))
    };
    carry_out(&on(&cloud, 100), at(0), write).now_or_never().unwrap().unwrap_err();
    assert_eq!(*calls.borrow(), 1);
}
