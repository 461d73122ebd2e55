//! Alarms that are switched off and on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::Calls;
use crate::{
    api::window_alarms::{AlarmMode, SwitchedAlarm},
    aws::{
        Error,
        hub::alarms_now,
        limits::Priority,
        port::Alarms as _,
        session::{CallContext, Session},
    },
    context::terms,
    facts::{alarms::FullAlarm, cloudwatch::AlarmState, windows::QuietFact},
    maintenance_window::{
        alarms::{Ledger, RegionFacts, Switch},
        decide::is_as_left,
    },
    names::Owner,
};

impl Calls<'_> {
    /// How these alarms are switched now, as far as they exist.
    pub(super) async fn switches(
        &self,
        session: &Arc<Session>,
        names: &BTreeSet<&String>,
    ) -> Result<BTreeMap<String, Switch>, Error> {
        let context = terms(Priority::Work, &self.namespace);
        let names: Vec<String> = names.iter().map(|name| (*name).clone()).collect();
        let found = alarms_now(session, &context, &names).await?;
        Ok(found.iter().map(|alarm| switch(alarm)).collect())
    }

    /// Adds what windows of this account hold in each region: read once, and after the alarms.
    pub(super) fn add_ledgers(&self, answers: &mut [RegionFacts], owner: &Owner) {
        let account = Some(self.own.account());
        let known = self.context.windows.quiet().unwrap_or_default();
        let here = known.iter().filter(|fact| {
            fact.account.as_deref() == account && fact.silenced.mode == AlarmMode::Toggle
        });
        let own = |fact: &QuietFact| fact.namespace == owner.namespace && fact.name == owner.name;
        for fact in here {
            for facts in answers.iter_mut() {
                facts.ledgers.push(Ledger::of(&fact.silenced, &facts.region, own(fact)));
            }
        }
    }

    /// Switches off those that act. Whether they do is looked at right before.
    pub(super) async fn switch_off(
        &self,
        session: &Arc<Session>,
        names: &[String],
        until: Timestamp,
    ) -> Result<(), Error> {
        let _turn = self.context.hub.switching(session).await;
        let found = self.switches(session, &names.iter().collect()).await?;
        let acts = |name: &&String| found.get(*name).is_some_and(|switch| switch.on);
        let names: Vec<String> = names.iter().filter(acts).cloned().collect();
        if names.is_empty() {
            return Ok(());
        }
        let context = terms(Priority::Advance, &self.namespace);
        let port = session.alarms(CallContext { not_after: Some(until), ..context });
        port.disable_alarm_actions(&names).await
    }

    /// Switches on those that are as they were left. Whether they are is looked at right before.
    pub(super) async fn switch_on(
        &self,
        session: &Arc<Session>,
        alarms: &[SwitchedAlarm],
    ) -> Result<(), Error> {
        let names = alarms.iter().map(|alarm| &alarm.name).collect();
        let found = self.switches(session, &names).await?;
        let as_left = |alarm: &&SwitchedAlarm| {
            found.get(&alarm.name).is_some_and(|switch| is_as_left(alarm, switch))
        };
        let names: Vec<String> =
            alarms.iter().filter(as_left).map(|alarm| alarm.name.clone()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let port = session.alarms(terms(Priority::Undo, &self.namespace));
        port.enable_alarm_actions(&names).await
    }
}

fn switch(alarm: &FullAlarm) -> (String, Switch) {
    // As precise as it is kept in the status.
    let whole = |at: Timestamp| Timestamp::from_microsecond(at.as_microsecond()).ok();
    let switch = Switch {
        on: alarm.actions_enabled,
        firing: alarm.state == AlarmState::Alarm,
        configured_at: alarm.configured_at.and_then(whole),
    };
    (alarm.name.clone(), switch)
}
