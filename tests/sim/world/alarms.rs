//! Alarms in the world: what they look at, whether they act, and the mute rules over them.

mod ports;

use std::collections::{BTreeMap, BTreeSet};

use groundcrew::{
    api::maintenance_window::MaintenanceWindow,
    aws::port::{alarms::ACTION_NAMES_MAX, cloudwatch::ALARM_NAMES_MAX},
    facts::{
        alarms::{AlarmKind, FullAlarm},
        cloudwatch::{AlarmFilter, AlarmState},
        mute_rules::{MuteRule, MuteSchedule, MuteStatus, NewMuteRule},
    },
};
use jiff::Timestamp;

use super::{State, kubernetes::is_ours, lambda::ACCOUNT, shelf::Stored as _};
use crate::{
    harness::REGION,
    history::{AlarmsSwitched, Event, RulePut},
};

/// Most mute rules, unless a scenario says otherwise. AWS does not publish its quota.
const RULES_MAX: usize = 1_000;
/// A request that CloudWatch does not take, in its words.
const INVALID: &str = "ValidationError";

/// The alarms of the account and region, and what silences them.
#[derive(Default)]
pub struct Alarms {
    known: BTreeMap<String, Known>,
    rules: BTreeMap<String, Put>,
    /// Most mute rules.
    pub rules_max: Option<usize>,
    /// Whether an alarm counts as configured when it is switched. AWS does not say.
    pub switching_configures: bool,
    /// What became of each change of state, in order.
    pub actions: Vec<Action>,
    /// Mutes that ended before have been looked at.
    settled: Option<Timestamp>,
}

/// One alarm.
#[derive(Clone)]
struct Known {
    state: AlarmState,
    /// Of a composite alarm.
    rule: Option<String>,
    actions_enabled: bool,
    state_updated_at: Option<Timestamp>,
    configured_at: Option<Timestamp>,
}

/// One mute rule, and when it was put.
struct Put {
    rule: NewMuteRule,
    at: Timestamp,
}

/// What an action came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fired,
    Muted,
    Disabled,
}

/// What became of the actions of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub alarm: String,
    /// The state that it changed to.
    pub state: AlarmState,
    pub outcome: Outcome,
    /// Not because it changed, but because a mute ended.
    pub unmuted: bool,
}

impl Put {
    fn end(&self) -> Timestamp {
        self.rule.starts_at + self.rule.duration
    }

    fn status(&self, now: Timestamp) -> MuteStatus {
        match now {
            now if now < self.rule.starts_at => MuteStatus::Scheduled,
            now if now < self.end() => MuteStatus::Active,
            _ => MuteStatus::Expired,
        }
    }

    fn mutes(&self, alarm: &str, now: Timestamp) -> bool {
        self.status(now) == MuteStatus::Active && self.rule.alarms.iter().any(|one| one == alarm)
    }
}

impl Known {
    fn told(&self, name: &str) -> FullAlarm {
        let kind = if self.rule.is_some() { AlarmKind::Composite } else { AlarmKind::Metric };
        FullAlarm {
            name: name.to_owned(),
            arn: format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"),
            kind,
            state: self.state,
            state_updated_at: self.state_updated_at,
            actions_enabled: self.actions_enabled,
            configured_at: self.configured_at,
            rule: self.rule.clone(),
        }
    }
}

impl Alarms {
    /// There is this alarm from the beginning, or it has been in this state for long.
    pub fn insert(&mut self, name: &str, state: AlarmState) {
        let fresh = Known {
            state,
            rule: None,
            actions_enabled: true,
            state_updated_at: None,
            configured_at: None,
        };
        self.known.entry(name.to_owned()).or_insert(fresh).state = state;
    }

    /// There is this composite alarm from the beginning.
    pub fn insert_composite(&mut self, name: &str, rule: &str) {
        self.insert(name, AlarmState::Ok);
        if let Some(alarm) = self.known.get_mut(name) {
            alarm.rule = Some(rule.to_owned());
        }
    }

    /// There is no such alarm.
    pub fn remove(&mut self, name: &str) {
        self.known.remove(name);
    }

    /// Names and states.
    pub fn states(&self) -> impl Iterator<Item = (&str, AlarmState)> {
        self.known.iter().map(|(name, alarm)| (name.as_str(), alarm.state))
    }

    /// What an action of this alarm would come to; none where there is no such alarm.
    pub fn outcome(&self, name: &str, now: Timestamp) -> Option<Outcome> {
        let alarm = self.known.get(name)?;
        let muted = self.rules.values().any(|rule| rule.mutes(name, now));
        Some(match (alarm.actions_enabled, muted) {
            (false, _) => Outcome::Disabled,
            (true, true) => Outcome::Muted,
            (true, false) => Outcome::Fired,
        })
    }

    /// The alarms that rules keep quiet.
    pub fn muted(&self, now: Timestamp) -> Vec<String> {
        let muted = |name: &&String| self.rules.values().any(|rule| rule.mutes(name, now));
        self.known.keys().filter(muted).cloned().collect()
    }

    /// The rules that mute, or will, and until when.
    pub fn rules_until(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let ahead = self.rules.iter().filter(|(_, put)| now < put.end());
        ahead.map(|(name, put)| (name.clone(), put.end())).collect()
    }

    /// Mutes that ended since: what is still in ALARM acts then.
    pub fn settle(&mut self, now: Timestamp) {
        let since = self.settled.replace(now);
        let ended = |end: Timestamp| since.is_some_and(|since| since < end) && end <= now;
        let due = self.rules.values().filter(|rule| ended(rule.end()));
        let mut due: Vec<_> =
            due.map(|put| (put.end(), put.rule.name.clone(), put.rule.alarms.clone())).collect();
        due.sort();
        for (end, _, alarms) in due {
            self.unmute(&alarms, end);
        }
    }

    /// A mute of these alarms ended: those in ALARM that nothing else mutes act.
    fn unmute(&mut self, names: &[String], at: Timestamp) {
        for name in names {
            let fires = self.known.get(name).map(|alarm| alarm.state) == Some(AlarmState::Alarm);
            if fires && self.outcome(name, at) == Some(Outcome::Fired) {
                self.actions.push(Action {
                    alarm: name.clone(),
                    state: AlarmState::Alarm,
                    outcome: Outcome::Fired,
                    unmuted: true,
                });
            }
        }
    }

    fn put(&mut self, rule: NewMuteRule, now: Timestamp) -> Result<(), &'static str> {
        if rule.alarms.iter().any(|name| !self.known.contains_key(name)) {
            return Err(INVALID);
        }
        let name = rule.name.as_str().to_owned();
        let new = !self.rules.contains_key(&name);
        if new && self.rules.len() >= self.rules_max.unwrap_or(RULES_MAX) {
            return Err("LimitExceeded");
        }
        let put = Put { rule, at: now };
        let active = put.status(now) == MuteStatus::Active;
        let kept: BTreeSet<String> = put.rule.alarms.iter().cloned().collect();
        let old = self.rules.insert(name, put);
        if let Some(old) = old.filter(|old| old.status(now) == MuteStatus::Active) {
            let let_go = old.rule.alarms.into_iter().filter(|name| !active || !kept.contains(name));
            self.unmute(&let_go.collect::<Vec<_>>(), now);
        }
        Ok(())
    }

    fn get(&self, name: &str, now: Timestamp) -> Option<MuteRule> {
        let put = self.rules.get(name)?;
        let alarms: BTreeSet<String> = put.rule.alarms.iter().cloned().collect();
        let NewMuteRule { starts_at, duration, .. } = put.rule;
        Some(MuteRule {
            name: name.to_owned(),
            description: put.rule.description.clone(),
            alarms: alarms.into_iter().collect(),
            schedule: MuteSchedule::Once { starts_at, duration },
            status: put.status(now),
            updated_at: Some(put.at),
        })
    }

    fn delete(&mut self, name: &str, now: Timestamp) {
        if let Some(old) = self.rules.remove(name)
            && old.status(now) == MuteStatus::Active
        {
            self.unmute(&old.rule.alarms, now);
        }
    }

    fn switch(&mut self, names: &[String], on: bool, now: Timestamp) {
        for name in names {
            if let Some(alarm) = self.known.get_mut(name).filter(|one| one.actions_enabled != on) {
                alarm.actions_enabled = on;
                if self.switching_configures {
                    alarm.configured_at = Some(now);
                }
            }
        }
    }

    /// The alarms that do not act.
    pub fn switched_off(&self) -> Vec<String> {
        let off = self.known.iter().filter(|(_, alarm)| !alarm.actions_enabled);
        off.map(|(name, _)| name.clone()).collect()
    }
}

/// Whether a filter asks for this alarm.
pub fn wanted(filter: &AlarmFilter, name: &str) -> bool {
    match filter {
        AlarmFilter::Names(names) => names.iter().any(|wanted| wanted == name),
        AlarmFilter::Prefix(prefix) => name.starts_with(prefix.as_str()),
        AlarmFilter::All => true,
    }
}

/// Whether the port does not send this.
pub fn unfit(filter: &AlarmFilter) -> bool {
    match filter {
        AlarmFilter::Names(names) => !(1..=ALARM_NAMES_MAX).contains(&names.len()),
        AlarmFilter::Prefix(prefix) => prefix.is_empty(),
        AlarmFilter::All => false,
    }
}

impl State {
    /// An alarm changes its state.
    pub fn set_alarm(&mut self, name: &str, state: AlarmState) {
        let now = self.now();
        let alarms = &mut self.cloudwatch.alarms;
        alarms.settle(now);
        let outcome = alarms.outcome(name, now);
        let before = alarms.known.get(name).map(|alarm| alarm.state);
        alarms.insert(name, state);
        if let Some(alarm) = alarms.known.get_mut(name) {
            alarm.state_updated_at = Some(now);
        }
        if before != Some(state)
            && let Some(outcome) = outcome
        {
            let alarm = name.to_owned();
            alarms.actions.push(Action { alarm, state, outcome, unmuted: false });
        }
        if before.is_none() {
            self.happened(&Event::AlarmMade { name: name.to_owned(), rule: None });
        }
    }

    /// Somebody makes an alarm, or puts it again with other settings, so that it acts or not.
    pub fn configure_alarm(&mut self, name: &str, on: bool) {
        let now = self.now();
        let alarms = &mut self.cloudwatch.alarms;
        alarms.settle(now);
        let known = alarms.known.contains_key(name);
        if !alarms.known.contains_key(name) {
            alarms.insert(name, AlarmState::InsufficientData);
            if let Some(alarm) = alarms.known.get_mut(name) {
                alarm.state_updated_at = Some(now);
            }
        }
        if let Some(alarm) = alarms.known.get_mut(name) {
            (alarm.actions_enabled, alarm.configured_at) = (on, Some(now));
        }
        let name = name.to_owned();
        if !known {
            self.happened(&Event::AlarmMade { name: name.clone(), rule: None });
        }
        if known || !on {
            self.happened(&Event::AlarmPut { name, on, told: true });
        }
    }

    /// There are these alarms from the beginning.
    pub fn has_alarms(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.cloudwatch.alarms.insert(&name, AlarmState::Ok);
            self.happened(&Event::AlarmMade { name, rule: None });
        }
    }

    /// There is this composite alarm from the beginning.
    pub fn has_composite(&mut self, name: &str, rule: &str) {
        self.cloudwatch.alarms.insert_composite(name, rule);
        let (name, rule) = (name.to_owned(), Some(rule.to_owned()));
        self.happened(&Event::AlarmMade { name, rule });
    }

    /// Somebody lets an alarm act, or not.
    pub fn switch_alarm(&mut self, name: &str, on: bool) {
        let (alarms, now) = self.alarms_now();
        let changes = alarms.known.get(name).is_some_and(|alarm| alarm.actions_enabled != on);
        let told = alarms.switching_configures;
        let name = name.to_owned();
        alarms.switch(std::slice::from_ref(&name), on, now);
        if changes {
            self.happened(&Event::AlarmPut { name, on, told });
        }
    }

    /// Somebody deletes an alarm; rules that name it stay.
    pub fn delete_alarm(&mut self, name: &str) {
        let now = self.now();
        self.cloudwatch.alarms.settle(now);
        self.cloudwatch.alarms.remove(name);
        self.happened(&Event::AlarmTaken(name.to_owned()));
    }

    /// The operator put a rule, and CloudWatch took it or not.
    fn rule_was_put(&mut self, by: Option<String>, rule: NewMuteRule, taken: bool) {
        let by = by.unwrap_or_default();
        let key = by.strip_prefix(MaintenanceWindow::CALLS).unwrap_or_default();
        let window = self.kubernetes.windows.objects.get(key).cloned();
        let (leads, late) = (self.leads(), self.is_late());
        let put = RulePut { by, rule, window, taken, leads, late };
        self.happened(&Event::RulePut(Box::new(put)));
    }

    /// The operator switches alarms; whether CloudWatch takes that.
    fn switch_for(&mut self, by: Option<String>, alarms: Vec<String>, on: bool) -> bool {
        let by = by.unwrap_or_default();
        let key = by.strip_prefix(MaintenanceWindow::CALLS).unwrap_or_default();
        let window = self.kubernetes.windows.objects.get(key);
        let finalized = window.is_some_and(is_ours);
        let taken = (1..=ACTION_NAMES_MAX).contains(&alarms.len());
        if taken {
            let (all, now) = self.alarms_now();
            all.switch(&alarms, on, now);
        }
        let (leads, late) = (self.leads(), self.is_late());
        let act = AlarmsSwitched { by, alarms, on, finalized, taken, leads, late };
        self.happened(&Event::AlarmsSwitched(Box::new(act)));
        taken
    }

    /// The alarms, as they are now.
    fn alarms_now(&mut self) -> (&mut Alarms, Timestamp) {
        let now = self.now();
        self.cloudwatch.alarms.settle(now);
        (&mut self.cloudwatch.alarms, now)
    }
}
