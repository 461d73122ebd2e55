//! The calls to AWS of a pass: what is asked of alarms and mute rules, and what is done about them.

mod course;
mod switches;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::join_all;
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::{
    alarms::{Choice, Question, RegionFacts},
    decide::Action,
    error::Error,
    tasks::calls::TaskCalls,
};
use crate::{
    api::{maintenance_window::MaintenanceWindow, shared::AwsLocation},
    aws::{Class, accounts::Pinned, limits::Priority, port::Alarms as _, session::Session},
    context::{Context, NoSession, terms},
    error::chain,
    facts::{
        cloudwatch::AlarmState,
        composites::firing_through,
        mute_rules::{MuteRule, OwnMuteRule},
    },
    names::Owner,
};

/// Calls on behalf of one window.
pub struct Calls<'a> {
    context: &'a Context,
    namespace: String,
    location: Option<AwsLocation>,
    /// In the window's own region.
    own: Arc<Session>,
    now: Timestamp,
}

impl<'a> Calls<'a> {
    /// Resolves the credentials of a window.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`]; nothing may be called then.
    pub async fn of(
        object: &MaintenanceWindow,
        context: &'a Context,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let namespace = object.namespace().unwrap_or_default();
        let pinned = pinned(object);
        let location = object.spec.aws.clone();
        let own = context.session(&namespace, location.as_ref(), &pinned).await?;
        Ok(Self { context, namespace, location, own, now })
    }

    /// The calls that tasks need.
    pub fn tasks(&self) -> TaskCalls<'_> {
        TaskCalls { session: &self.own, namespace: &self.namespace }
    }

    /// Region and account of the window.
    pub fn place(&self) -> (String, String) {
        (self.own.region().to_owned(), self.own.account().to_owned())
    }

    /// The session of a region, in the window's account; none: its own.
    ///
    /// # Errors
    ///
    /// [`NoSession`]; nothing may be called there then.
    pub async fn session_in(&self, region: Option<&str>) -> Result<Arc<Session>, NoSession> {
        self.session(region.unwrap_or_else(|| self.own.region())).await
    }

    /// The session of a region, in the window's account.
    async fn session(&self, region: &str) -> Result<Arc<Session>, NoSession> {
        if region == self.own.region() {
            return Ok(Arc::clone(&self.own));
        }
        let location = AwsLocation {
            region: Some(region.to_owned()),
            account_id: self.location.as_ref().and_then(|location| location.account_id.clone()),
        };
        let account_id = Some(self.own.account().to_owned());
        let pinned = Pinned { region: None, account_id };
        self.context.session(&self.namespace, Some(&location), &pinned).await
    }

    /// Asks what a decision needs to know; of all regions at once, so that one that does not answer
    /// keeps nobody waiting for the others.
    ///
    /// # Errors
    ///
    /// That of the first region that could not be read: half of the truth would look like all of it. Of
    /// a [`Question::apart`] none.
    pub async fn ask(&self, question: &Question, owner: &Owner) -> Result<Vec<RegionFacts>, Error> {
        let choice = question.choice.as_ref();
        let chosen: Vec<String> = match choice.map(|choice| choice.regions.as_slice()) {
            None | Some([]) => vec![self.own.region().to_owned()],
            Some(regions) => regions.to_vec(),
        };
        // What was made quiet comes back also where the spec names the region no more.
        let known = question.regions().cloned();
        let regions: BTreeSet<String> = chosen.iter().cloned().chain(known).collect();
        let asked = regions.iter().map(|region| {
            let choice = choice.filter(|_| chosen.contains(region));
            self.look(question, choice, region, owner)
        });
        let mut answers = Vec::new();
        for (answer, region) in join_all(asked).await.into_iter().zip(&regions) {
            answers.push(match answer {
                Ok(facts) => facts,
                Err(error) if question.apart => {
                    tracing::warn!(region, error = %chain(&error), "a region cannot be read");
                    let unread = Some(error.unread());
                    RegionFacts { region: region.clone(), unread, ..RegionFacts::default() }
                }
                Err(error) => return Err(error),
            });
        }
        if question.switched.is_some() {
            self.add_ledgers(&mut answers, owner);
        }
        Ok(answers)
    }

    /// What a question wants to know of one region; `choice` if its alarms are to be chosen there.
    async fn look(
        &self,
        question: &Question,
        choice: Option<&Choice>,
        region: &str,
        owner: &Owner,
    ) -> Result<RegionFacts, Error> {
        let session = self.session(region).await?;
        let mut facts = RegionFacts { region: region.to_owned(), ..RegionFacts::default() };
        let unread_alarms = |source| Error::ReadAlarms { region: region.to_owned(), source };
        let unread_rules = |source| Error::ReadRules { region: region.to_owned(), source };
        if let Some(choice) = choice {
            match self.choose(&session, choice, &mut facts).await {
                Err(error) if question.told_only => {
                    tracing::warn!(error = %chain(&error), "what fires still is not told");
                }
                chosen => chosen.map_err(unread_alarms)?,
            }
        }
        let rules = question.rules.get(region).map(Vec::as_slice).unwrap_or_default();
        facts.rules = self.rules(&session, rules).await.map_err(unread_rules)?;
        if let Some(switched) = &question.switched {
            let ours = switched.get(region).into_iter().flatten();
            let names: BTreeSet<&String> = ours.chain(&facts.chosen).collect();
            facts.switches = self.switches(&session, &names).await.map_err(unread_alarms)?;
            let firing = facts.switches.iter().filter(|(_, switch)| switch.firing);
            facts.firing = firing.map(|(name, _)| name.clone()).collect();
        }
        if question.strays {
            facts.strays = self.strays(&session, owner).await.map_err(unread_rules)?;
        }
        Ok(facts)
    }

    /// The alarms that are chosen, and the composite alarms that would fire through.
    async fn choose(
        &self,
        session: &Arc<Session>,
        choice: &Choice,
        facts: &mut RegionFacts,
    ) -> Result<(), crate::aws::Error> {
        if choice.names.is_empty() && choice.prefixes.is_empty() {
            return Ok(());
        }
        let hub = &self.context.hub;
        let (found, composites) = tokio::try_join!(
            hub.alarms_in_full(session, &choice.names, &choice.prefixes, self.now),
            hub.composites(session, self.now),
        )?;
        let excluded = |name: &str| {
            let named = choice.names.iter().any(|chosen| chosen == name);
            !named && choice.excluded.iter().any(|prefix| name.starts_with(prefix.as_str()))
        };
        let mut all: BTreeMap<String, AlarmState> = BTreeMap::new();
        let chosen = found.alarms.iter().filter(|alarm| !excluded(&alarm.name));
        all.extend(chosen.map(|alarm| (alarm.name.clone(), alarm.state)));
        let names: BTreeSet<String> = all.keys().cloned().collect();
        let rules = composites
            .iter()
            .filter_map(|composite| Some((composite.name.as_str(), composite.rule.as_deref()?)));
        let through = firing_through(&names, rules);
        let parents = composites
            .iter()
            .filter(|composite| through.contains(&composite.name) && !excluded(&composite.name));
        all.extend(parents.map(|composite| (composite.name.clone(), composite.state)));
        let firing = all.iter().filter(|(_, state)| **state == AlarmState::Alarm);
        facts.firing = firing.map(|(name, _)| name.clone()).collect();
        facts.chosen = all.into_keys().collect();
        facts.missing = found.missing;
        Ok(())
    }

    /// These rules as they are now.
    async fn rules(
        &self,
        session: &Arc<Session>,
        names: &[OwnMuteRule],
    ) -> Result<BTreeMap<OwnMuteRule, MuteRule>, crate::aws::Error> {
        let port = session.alarms(terms(Priority::Work, &self.namespace));
        let mut found = BTreeMap::new();
        for name in names {
            match port.get_alarm_mute_rule(name.as_str()).await {
                Ok(rule) => {
                    found.insert(name.clone(), rule);
                }
                Err(error) if error.class == Class::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Rules of this window, of whatever opening.
    async fn strays(
        &self,
        session: &Arc<Session>,
        owner: &Owner,
    ) -> Result<Vec<OwnMuteRule>, crate::aws::Error> {
        let listed = self.context.hub.mute_rules(session, self.now).await?;
        let own = listed.iter().filter_map(|rule| OwnMuteRule::found(&owner.cluster, &rule.name));
        Ok(own.filter(|rule| rule.is_of(owner)).collect())
    }

    /// Carries out writes, in order; see [`course::carry_out`].
    ///
    /// # Errors
    ///
    /// The first failure. All of them can be repeated.
    pub async fn act(&self, actions: &[Action]) -> Result<(), Error> {
        course::carry_out(actions, self.now, |action| self.write(action)).await
    }

    async fn write(&self, action: Action) -> Result<(), Error> {
        let session = self.session(action.region()).await?;
        let port = |priority| session.alarms(terms(priority, &self.namespace));
        let region = || action.region().to_owned();
        match &action {
            Action::PutMuteRule { rule, .. } => {
                let put = port(Priority::Advance).put_alarm_mute_rule(rule).await;
                put.map_err(|source| Error::Mute { region: region(), source })?;
            }
            Action::DeleteMuteRule { rule, .. } => {
                let deleted = port(Priority::Undo).delete_alarm_mute_rule(rule).await;
                deleted.map_err(|source| Error::Unmute { region: region(), source })?;
            }
            Action::SwitchOff { alarms, until, .. } => {
                let switched = self.switch_off(&session, alarms, *until).await;
                switched.map_err(|source| Error::SwitchOff { region: region(), source })?;
            }
            Action::SwitchOn { alarms, .. } => {
                let switched = self.switch_on(&session, alarms).await;
                switched.map_err(|source| Error::SwitchOn { region: region(), source })?;
            }
        }
        tracing::info!(action = %action, "carried out");
        Ok(())
    }
}

/// Region and account that the window was first found in.
fn pinned(object: &MaintenanceWindow) -> Pinned {
    object.status.as_ref().map_or_else(Pinned::default, |status| Pinned {
        region: status.region.clone(),
        account_id: status.account_id.clone(),
    })
}
