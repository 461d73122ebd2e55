//! What a notice says of its window.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::course;
use crate::{
    api::{
        check::CheckVerdict, shared::ActionResult, window_alarms::Silenced,
        window_checks::WindowStage,
    },
    maintenance_window::{
        alarms::KIND,
        decide::{Facts, Plan, broken, tasks},
        memory::Memory,
        notices::Wishes,
    },
    notify::{
        due::Due,
        message::{About, Alarms, Message},
        post::Letter,
        stage::Stage,
    },
    verbs::windows::{Request, Verb},
};

/// Most alarms that are named.
const NAMES_MAX: usize = 50;

/// What a notice is made of.
pub(super) struct Words<'a> {
    pub(super) facts: &'a Facts,
    pub(super) plan: &'a Plan,
    pub(super) wishes: &'a Wishes,
}

impl Words<'_> {
    /// The notice, and where it goes.
    pub(super) fn letter(&self, due: &Due) -> Option<Letter> {
        let channel = self.wishes.channels.iter().find(|channel| channel.name == due.channel)?;
        Some(Letter { due: due.clone(), channel: channel.clone(), message: self.message(due) })
    }

    fn message(&self, due: &Due) -> Message {
        let owner = &self.facts.owner;
        let about = About {
            cluster: owner.cluster.clone(),
            kind: KIND,
            namespace: owner.namespace.clone(),
            name: owner.name.clone(),
        };
        let mut message = Message::new(about, due, self.zone());
        let moved = &self.plan.memory.book.moved;
        let moved = moved.iter().find(|moved| moved.occurrence == due.occurrence);
        message.replaces = moved.map(|moved| moved.replaces.clone());
        message.title.clone_from(&self.wishes.title);
        message.text.clone_from(&self.wishes.text);
        if due.stage.is_end() {
            self.ended(&mut message);
        } else {
            message.why = self.why(due);
            message.runs = self.runs(&due.occurrence);
            message.muted = self.muted(&due.occurrence);
        }
        message
    }

    fn zone(&self) -> TimeZone {
        let own = self.facts.window.as_ref().ok();
        let open = self.plan.memory.current.as_ref().map(|current| &current.window);
        let window = own.or(open);
        window.map_or(TimeZone::UTC, |window| window.calendar.zone().time_zone().clone())
    }

    fn ended(&self, message: &mut Message) {
        let Memory { book, history, .. } = &self.plan.memory;
        let ending = book.endings.iter().find(|ending| ending.occurrence == message.id);
        message.why = ending.map(|ending| ending.message.clone()).unwrap_or_default();
        if let Some(entry) = history.iter().find(|entry| entry.id == message.id)
            && message.stage == Stage::Closed
        {
            message.outcome = entry.outcome.as_str().into();
            let names = entry.still_in_alarm.clone();
            message.firing = Alarms { count: names.len(), names };
            let after = entry.checks.iter().filter(|check| check.stage == WindowStage::AfterClose);
            let broken = after.filter(|check| check.verdict != CheckVerdict::Passed);
            message
                .details
                .extend(broken.map(|check| format!("check {}: {}", check.name, check.message)));
            let failed = entry.tasks.iter().filter(|task| task.state.failed());
            message.details.extend(failed.map(|task| {
                format!("task {}: {}: {}", task.name, task.state.as_str(), task.message)
            }));
        }
        let next = course::ahead(self.facts, self.plan).first().zip(self.plan.zone.as_ref());
        message.details.extend(next.map(|(next, zone)| format!("next: {}", next.local(zone))));
    }

    fn why(&self, due: &Due) -> String {
        let Memory { current, before, .. } = &self.plan.memory;
        if due.stage == Stage::CheckFailed {
            return before.as_ref().and_then(|known| broken(&known.results)).unwrap_or_default();
        }
        let open = current.as_ref().filter(|current| current.id == due.occurrence);
        let emergency = open.map_or(&self.facts.spec.emergency, |open| &open.spec.emergency);
        match (emergency, self.extended_by(due)) {
            (_, Some(who)) => format!("{who} extended it"),
            (Some(emergency), _) => {
                format!("emergency: {}, asked for by {}", emergency.reason, emergency.requested_by)
            }
            (None, _) if due.stage == Stage::Changed => "its schedule was changed".into(),
            (None, _) => String::new(),
        }
    }

    /// Who extended it since the times that are told as its old ones; none where a task did. What
    /// was handled within the second in which those were told may be what was told.
    fn extended_by(&self, due: &Due) -> Option<&str> {
        let action = self.plan.memory.last_action.as_ref()?;
        let request = Request::parse(&action.value).ok()?;
        let extends = matches!(request.verb, Verb::Extend(_)) && request.opening == due.occurrence;
        let counts = due.stage == Stage::Extended
            && action.result == ActionResult::Accepted
            && action.at.0 > due.at;
        (extends && counts && !action.by.is_empty()).then_some(&action.by)
    }

    /// The tasks that are to be done in it, and have not ended.
    fn runs(&self, occurrence: &str) -> Vec<String> {
        let current = self.plan.memory.current.as_ref();
        if let Some(current) = current.filter(|current| current.id == occurrence) {
            let left = tasks::listed(current).into_iter().filter(|task| !task.state.ended());
            return left.map(|task| task.name).collect();
        }
        let window = self.facts.window.as_ref().ok();
        let opening = self.plan.upcoming.iter().find(|opening| opening.id == occurrence);
        let Some((window, opening)) = window.zip(opening) else { return Vec::new() };
        let schedules = || opening.parts.iter().map(|part| part.schedule.as_str());
        let own = window.tasks.iter().filter(|task| task.is_for(schedules()));
        own.map(|task| task.name.clone()).collect()
    }

    /// The alarms that are quiet for it.
    fn muted(&self, occurrence: &str) -> Alarms {
        let silenced = self.plan.memory.silenced.as_ref();
        let silenced = silenced.filter(|silenced| silenced.occurrence == occurrence);
        let alarms = silenced.map(Silenced::alarms).unwrap_or_default();
        // Alarms of several regions may have one name.
        let names: BTreeSet<&str> = alarms.iter().map(|(_, name)| *name).collect();
        let names = names.into_iter().take(NAMES_MAX).map(str::to_owned);
        Alarms { count: alarms.len(), names: names.collect() }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::{
        api::window_alarms::{AlarmMode, SilencedRegion, SilencedRule},
        maintenance_window::world::{World, spec},
    };

    #[test]
    fn alarms_of_one_name_in_two_regions_are_two() {
        let world = World::open();
        let rule = SilencedRule {
            name: "r".into(),
            from: Time(world.now),
            until: Time(world.now),
            alarms: vec!["db".into()],
        };
        let region = |region: &str| SilencedRegion {
            region: region.into(),
            rules: vec![rule.clone()],
            ..SilencedRegion::default()
        };
        let mut plan = world.plan();
        plan.memory.silenced = Some(Silenced {
            mode: AlarmMode::Mute,
            occurrence: "a".into(),
            ending: None,
            regions: vec![region("eu-central-1"), region("us-east-1")],
        });
        let notices = "{timeZone: X, notices: {channels: []}}";
        let wishes = Wishes::parse(&spec(notices).notices.unwrap()).unwrap();
        let words = Words { facts: &world.facts, plan: &plan, wishes: &wishes };
        let Alarms { count, names } = words.muted("a");
        assert_eq!((count, names), (2, vec!["db".to_owned()]));
        assert_eq!(words.muted("b").count, 0);
    }
}
