//! Checked: a window opens only while its pre-checks hold, by what the operator was last told.

use std::collections::BTreeMap;

use groundcrew::{
    api::{
        check::{AlarmsCheck, Check},
        maintenance_window::{MaintenanceWindow, MaintenanceWindowSpec},
        window_checks::{OnPreCheckFailure, Purpose},
    },
    facts::cloudwatch::{Alarm, AlarmState},
};
use jiff::{SignedDuration, Timestamp};

use super::{Found, ledgers::open};
use crate::history::Made;

/// How long an answer counts, and what a round takes.
const FRESH: SignedDuration = SignedDuration::from_mins(21);
/// How long what was read may have been on its way to a decision.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// How soon a window tells what was read for it.
const TOLD: SignedDuration = SignedDuration::from_secs(25);

/// What the operator was told of things that checks look at; none where it was told nothing.
#[derive(Debug, Default)]
pub struct Checked {
    database: Option<(Timestamp, bool)>,
    alarms: Option<(Timestamp, BTreeMap<String, AlarmState>)>,
}

impl Checked {
    /// RDS told the status of the database.
    pub fn database(&mut self, now: Timestamp, status: &str) -> Found {
        self.database = Some((now, status == "available"));
        Found::new()
    }

    /// CloudWatch told states of alarms.
    pub fn alarms(&mut self, now: Timestamp, alarms: &[Alarm]) {
        let (at, known) = self.alarms.get_or_insert_with(|| (now, BTreeMap::new()));
        *at = now;
        known.extend(alarms.iter().map(|alarm| (alarm.name.clone(), alarm.state)));
    }

    /// A call that is sent: what is not answered says nothing any more.
    pub fn called(&mut self, now: Timestamp, made: &Made<'_>) {
        if made.fault.is_none_or(crate::faults::Fault::is_answered) {
            return;
        }
        if made.what.starts_with("DescribeDBInstances") {
            self.database = Some((now, false));
        } else if made.what == "DescribeAlarms" {
            self.alarms = Some((now, BTreeMap::new()));
        }
    }

    /// Whether the status of a window may tell what its checks say.
    pub fn has_news(&self, now: Timestamp, spec: &MaintenanceWindowSpec) -> bool {
        let checks = spec.pre_checks.iter().chain(&spec.post_checks).flatten();
        let mut told = checks.filter_map(|check| self.told(check));
        told.any(|(at, _)| at <= now && now < at + TOLD)
    }

    /// When it was last told of what a check looks at, and whether that holds.
    fn told(&self, check: &Check) -> Option<(Timestamp, bool)> {
        if check.rds.is_some() {
            return self.database;
        }
        let AlarmsCheck { names, max_in_alarm, .. } = check.alarms.as_ref()?;
        let (at, known) = self.alarms.as_ref()?;
        let mut states = names.iter().flatten().map(|name| known.get(name));
        let missing = states.clone().any(|state| state.is_none());
        let firing = states.by_ref().filter(|state| *state == Some(&AlarmState::Alarm)).count();
        let most = max_in_alarm.and_then(|most| usize::try_from(most).ok()).unwrap_or(0);
        Some((*at, !missing && firing <= most))
    }

    /// The operator applied the status of a window.
    pub fn applied(
        &self,
        now: Timestamp,
        (before, after): (&MaintenanceWindow, &MaintenanceWindow),
        slack: SignedDuration,
    ) -> Found {
        let mut found = Found::new();
        let Some(status) = &after.status else { return found };
        let gate = status.gate.as_ref().is_some_and(|gate| gate.open);
        if gate && after.spec.purpose == Some(Purpose::Routine) {
            found.push(("Checked", "the gate of a round is open".into()));
        }
        let old = before.status.as_ref().and_then(|status| status.current.as_ref());
        let Some(current) = open(status).filter(|one| old.is_none_or(|old| old.id != one.id))
        else {
            return found;
        };
        let spec = &current.spec.0;
        if spec.on_pre_check_failure == Some(OnPreCheckFailure::Proceed) || spec.emergency.is_some()
        {
            return found;
        }
        for check in spec.pre_checks.iter().flatten() {
            let told = self.told(check);
            // A round that began meanwhile is not over yet.
            let holds = |(at, holds): (Timestamp, bool)| {
                now - FRESH <= at && (holds || now <= at + slack.max(SLACK))
            };
            if !told.is_some_and(holds) {
                let name = &check.name;
                found.push(("Checked", format!("{} opens, {name} was {told:?}", current.id)));
            }
        }
        found
    }
}
