//! In Audit: each step of the next opening, in order, in the words that it has when it is taken.

use jiff::Timestamp;

use super::{silence::MUTE_LEAD, situation::Situation};
use crate::{
    api::{maintenance_window::MaintenanceWindowSpec, window_alarms::AlarmMode},
    maintenance_window::{alarms::Choice, checks::List, notices::Wishes, window::Window},
    notify::stage::Stage,
    time::{Opening, moments},
};

/// What would be done in the next opening; in none, where none is to come.
pub(super) fn told(situation: &Situation<'_>, window: &Window) -> Vec<String> {
    match situation.coming() {
        Some(opening) => {
            let spec = &situation.facts.spec;
            Ahead { window, spec, opening }.all()
        }
        None if window.calendar.is_always() => vec!["Open without end".to_owned()],
        None => Vec::new(),
    }
}

struct Ahead<'a> {
    window: &'a Window,
    spec: &'a MaintenanceWindowSpec,
    opening: Opening,
}

impl Ahead<'_> {
    fn all(&self) -> Vec<String> {
        let Opening { id, opens_at, closes_at, parts, .. } = &self.opening;
        let mut all = self.before();
        all.push(format!("Open {id} at {}", self.local(*opens_at)));
        all.extend(self.notice(Stage::Opened, "at the opening"));
        let own = self.window.tasks.iter().filter(|task| {
            let schedules = parts.iter().map(|part| part.schedule.as_str());
            task.is_for(schedules)
        });
        all.extend(own.map(|task| format!("Task {}: {}", task.name, task.work)));
        let wishes = self.window.notices.as_ref();
        if let Some(every) = wishes.and_then(|wishes| wishes.timing.every) {
            all.extend(self.notice(Stage::Progress, &format!("each {every}")));
        }
        all.push(format!("Close {id} at {}", self.local(*closes_at)));
        all.extend(self.window.alarms.as_ref().map(|alarms| match alarms.mode {
            AlarmMode::Toggle => format!("EnableAlarmActions{}", of(alarms)),
            AlarmMode::Mute | AlarmMode::None => format!("DeleteAlarmMuteRule{}", of(alarms)),
        }));
        all.extend(self.after());
        all
    }

    fn local(&self, moment: Timestamp) -> String {
        self.window.calendar.zone().told(moment)
    }

    /// What comes before it opens, in the order of its time.
    fn before(&self) -> Vec<String> {
        let Opening { opens_at, closes_at, .. } = self.opening;
        let mut all: Vec<(Timestamp, String)> = Vec::new();
        let leads = self.window.notices.iter().flat_map(|wishes| &wishes.timing.before);
        for lead in leads {
            let at = moments::before(opens_at, lead.signed());
            let told = self.notice(Stage::Lead(*lead), &format!("at {}", self.local(at)));
            all.extend(told.map(|told| (at, told)));
        }
        let begins = moments::before(opens_at, self.window.pre_check_lead);
        let begin = format!("from {} on", self.local(begins));
        let checks = checks(&self.window.pre_checks, &begin);
        all.extend(checks.into_iter().map(|check| (begins, check)));
        all.extend(self.window.alarms.as_ref().map(|alarms| match alarms.mode {
            AlarmMode::Toggle => (opens_at, format!("DisableAlarmActions{}", of(alarms))),
            AlarmMode::Mute | AlarmMode::None => {
                let length = closes_at.duration_since(opens_at);
                let from = self.local(opens_at);
                let rule = format!("PutAlarmMuteRule{}, {from} for {length:#}", of(alarms));
                (moments::before(opens_at, MUTE_LEAD), rule)
            }
        }));
        // In their order, where they are due at once.
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, told)| told).collect()
    }

    /// What comes after the close.
    fn after(&self) -> Vec<String> {
        let until = moments::after(self.opening.closes_at, self.window.post_check_for);
        let verified = !self.window.post_checks.is_empty();
        let (pace, end) = if until > self.opening.closes_at {
            let until = self.local(until);
            (format!("until {until}"), format!("by {until}"))
        } else {
            ("once".to_owned(), "once they ran".to_owned())
        };
        let mut all = Vec::new();
        if verified {
            all.extend(self.notice(Stage::Verifying, "at the close"));
        }
        all.extend(checks(&self.window.post_checks, &format!("after the close, {pace}")));
        all.extend(self.notice(Stage::Closed, if verified { &end } else { "at the close" }));
        let metrics = self.spec.metrics.iter().flatten();
        all.extend(metrics.map(|metric| {
            format!("GetMetricData {}: before the opening, and after the close", metric.name)
        }));
        all
    }

    /// Who is told of a stage; none where nobody wants to be.
    fn notice(&self, stage: Stage, when: &str) -> Option<String> {
        let Wishes { listeners, .. } = self.window.notices.as_ref()?;
        let takers = listeners.iter().filter(|listener| listener.takes(stage));
        let takers: Vec<&str> = takers.map(|listener| listener.channel.as_str()).collect();
        (!takers.is_empty()).then(|| format!("Notice {stage} to {} {when}", takers.join(", ")))
    }
}

/// What has to hold, check by check.
fn checks(list: &List, when: &str) -> Vec<String> {
    list.iter().map(|check| format!("Check {check}, {when}")).collect()
}

/// The alarms that are chosen, as the end of the words for what is done to them.
fn of(choice: &Choice) -> String {
    let Choice { mode: _, names, prefixes, excluded, regions } = choice;
    let started = |names: &[String]| {
        let all: Vec<String> = names.iter().map(|name| format!("{name}*")).collect();
        all.join(", ")
    };
    let mut all = names.clone();
    all.extend(Some(started(prefixes)).filter(|prefixes| !prefixes.is_empty()));
    let but = match excluded.as_slice() {
        [] => String::new(),
        excluded => format!(" but {}", started(excluded)),
    };
    let regions = match regions.as_slice() {
        [] => String::new(),
        regions => format!(" in {}", regions.join(", ")),
    };
    format!("{regions}: alarms {}{but}", all.join(", "))
}
