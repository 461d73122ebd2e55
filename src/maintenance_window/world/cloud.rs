//! The alarms of a region, and the mute rules that silence them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::switches::Switches;
use crate::{
    error::Remedy,
    facts::mute_rules::{MuteRule, MuteSchedule, MuteStatus, NewMuteRule, OwnMuteRule},
    maintenance_window::{
        alarms::{Choice, Question, RegionFacts},
        decide::Action,
    },
    names::Owner,
    plan::Unread,
};

pub const REGION: &str = "eu-central-1";

/// What CloudWatch has.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// Names of the alarms, and whether they are in ALARM.
    pub alarms: BTreeMap<String, bool>,
    pub rules: BTreeMap<OwnMuteRule, NewMuteRule>,
    /// Whether alarms act.
    pub switches: Switches,
    /// How many writes are still made before the process dies; none: it lives.
    pub dies_after: Option<usize>,
    /// Whether everything is refused.
    pub denied: bool,
    /// Whether reads are refused.
    pub unreadable: bool,
    /// Writes that are refused.
    pub refuses: Option<fn(&Action) -> bool>,
    /// The other regions.
    pub elsewhere: BTreeMap<&'static str, Cloud>,
    /// Rules that were changed while they muted: what they do then, AWS does not say.
    pub changed: Vec<String>,
    pub writes: usize,
}

impl Cloud {
    pub fn of(names: &[&str]) -> Self {
        let alarms = names.iter().map(|name| ((*name).to_owned(), false)).collect();
        Self { alarms, ..Self::default() }
    }

    /// Whether a rule mutes an alarm at this moment.
    pub fn is_quiet(&self, alarm: &str, at: Timestamp) -> bool {
        self.rules.values().any(|rule| {
            let end = rule.starts_at + rule.duration;
            rule.starts_at <= at && at < end && rule.alarms.iter().any(|name| name == alarm)
        })
    }

    /// What is in a region.
    pub fn of_region(&self, region: &str) -> &Self {
        if region == REGION { self } else { &self.elsewhere[region] }
    }

    pub fn answer(
        &self,
        question: &Question,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Vec<RegionFacts>, Unread> {
        let choice = question.choice.as_ref();
        let chosen = choice.map(|choice| choice.regions.clone()).unwrap_or_default();
        let chosen = if chosen.is_empty() { vec![REGION.to_owned()] } else { chosen };
        let known = question.regions().cloned();
        let regions: BTreeSet<String> = chosen.iter().cloned().chain(known).collect();
        let asked = regions.iter().map(|region| {
            let choice = choice.filter(|_| chosen.contains(region)).cloned().unwrap_or_default();
            let cloud = self.of_region(region);
            if !cloud.denied && !cloud.unreadable {
                return Ok(cloud.look(question, &choice, region, owner, now));
            }
            if !question.apart {
                return Err(denied());
            }
            // The watch is no part of CloudWatch.
            let (unread, ledgers) = (Some(denied()), cloud.switches.ledgers.clone());
            Ok(RegionFacts { region: region.clone(), unread, ledgers, ..RegionFacts::default() })
        });
        asked.collect()
    }

    fn look(
        &self,
        question: &Question,
        choice: &Choice,
        region: &str,
        owner: &Owner,
        now: Timestamp,
    ) -> RegionFacts {
        let named = |name: &&String| {
            choice.names.contains(name)
                || choice.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
                    && !choice.excluded.iter().any(|prefix| name.starts_with(prefix.as_str()))
        };
        let chosen: BTreeSet<String> = self.alarms.keys().filter(named).cloned().collect();
        let firing = chosen.iter().filter(|name| self.alarms[*name]).cloned().collect();
        let named = choice.names.iter().filter(|name| !self.alarms.contains_key(*name));
        let prefixes = choice
            .prefixes
            .iter()
            .filter(|prefix| !self.alarms.keys().any(|name| name.starts_with(prefix.as_str())));
        let missing = named.chain(prefixes).cloned().collect();
        let (switches, switched_firing) =
            self.switches.answer(question, region, &chosen, &self.alarms);
        let asked: BTreeSet<&OwnMuteRule> =
            question.rules.get(region).into_iter().flatten().collect();
        let found = self.rules.iter().filter(|(name, _)| asked.contains(name));
        let strays = self.rules.keys().filter(|name| question.strays && name.is_of(owner));
        RegionFacts {
            region: region.to_owned(),
            unread: None,
            chosen: chosen.into_iter().collect(),
            firing: switched_firing.unwrap_or(firing),
            missing,
            switches,
            ledgers: self.switches.ledgers.clone(),
            rules: found.map(|(name, rule)| (name.clone(), shown(rule, now))).collect(),
            strays: strays.cloned().collect(),
        }
    }

    /// Carries out writes as a pass does: what brings alarms back goes on after one that failed.
    pub fn act(&mut self, actions: &[Action], now: Timestamp) -> Result<(), Unread> {
        let mut first = None;
        for action in actions {
            let refused = self.of_region(action.region()).denied
                || self.refuses.is_some_and(|refuses| refuses(action));
            if refused && !action.brings_back() {
                return Err(denied());
            }
            if refused {
                first.get_or_insert_with(denied);
                continue;
            }
            match &mut self.dies_after {
                Some(0) => return Ok(()),
                Some(left) => *left -= 1,
                None => {}
            }
            self.writes += 1;
            match action.region() {
                REGION => self.write(action, now),
                region => self.elsewhere.get_mut(region).unwrap().write(action, now),
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn write(&mut self, action: &Action, now: Timestamp) {
        match action {
            Action::PutMuteRule { rule, .. } => {
                assert_eq!(rule.fault(), None, "CloudWatch refuses {rule:?}");
                assert!(rule.starts_at > now, "put too late: {rule:?} at {now}");
                assert!(rule.alarms.iter().all(|name| self.alarms.contains_key(name)));
                let old = self.rules.insert(rule.name.clone(), rule.clone());
                if old.is_some_and(|old| old.starts_at <= now) {
                    self.changed.push(rule.name.as_str().to_owned());
                }
            }
            Action::DeleteMuteRule { rule, .. } => {
                self.rules.remove(rule);
            }
            Action::SwitchOff { alarms, until, .. } => {
                assert!(now < *until, "switched off too late");
                self.switches.switch_off(alarms, &self.alarms);
            }
            Action::SwitchOn { alarms, .. } => self.switches.switch_on(alarms),
        }
    }
}

fn shown(rule: &NewMuteRule, now: Timestamp) -> MuteRule {
    let mut alarms = rule.alarms.clone();
    alarms.sort();
    let end = rule.starts_at + rule.duration;
    let status = if now < rule.starts_at {
        MuteStatus::Scheduled
    } else if now < end {
        MuteStatus::Active
    } else {
        MuteStatus::Expired
    };
    MuteRule {
        name: rule.name.as_str().to_owned(),
        description: rule.description.clone(),
        alarms,
        schedule: MuteSchedule::Once { starts_at: rule.starts_at, duration: rule.duration },
        status,
        updated_at: None,
    }
}

fn denied() -> Unread {
    Unread { remedy: Remedy::AwaitEdit, reason: "AccessDenied", message: "no permission".into() }
}
