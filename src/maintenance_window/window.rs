//! The spec, parsed once into types that cannot be wrong.

use std::collections::BTreeSet;

use jiff::{SignedDuration, civil};

use crate::{
    api::maintenance_window::{
        Blackout as RawBlackout, Emergency, MaintenanceWindowSpec, OnOverlap,
        Schedule as RawSchedule,
    },
    api::window_alarms::AlarmMode,
    api::window_checks::{OnPreCheckFailure, Purpose},
    api::window_metrics::{METRICS_MAX, WindowMetric},
    checks::measure::Measure,
    maintenance_window::{
        alarms::Choice,
        checks::List,
        notices::Wishes,
        tasks::{self, Task},
    },
    time::{Blackout, Calendar, Cron, Length, Overlap, Schedule, Start, Times, Zone},
};

/// Default of `preCheckLead`.
const PRE_CHECK_LEAD: SignedDuration = SignedDuration::from_mins(15);

/// What a MaintenanceWindow asks for.
#[derive(Clone, Debug)]
pub struct Window {
    /// When it opens and closes.
    pub calendar: Calendar,
    /// No new work this close to the end.
    pub cutoff: SignedDuration,
    /// It opens late only while this much is left; none: while more than `cutoff` is.
    pub min_remaining: Option<SignedDuration>,
    /// All extensions of one opening together.
    pub extend_max: SignedDuration,
    /// The alarms that are quiet while it is open; none: none.
    pub alarms: Option<Choice>,
    /// Who is told of openings; none: nobody.
    pub notices: Option<Wishes>,
    /// What must hold before it opens.
    pub pre_checks: List,
    /// How long before the opening that is looked at.
    pub pre_check_lead: SignedDuration,
    /// It opens also where that does not hold.
    pub proceeds: bool,
    /// What must hold after it closed.
    pub post_checks: List,
    /// How long that is looked at.
    pub post_check_for: SignedDuration,
    /// It is a round of checks, and its gate never opens.
    pub routine: bool,
    /// What is done while it is open, in order.
    pub tasks: Vec<Task>,
    /// Why it opens outside of all plans; none for an ordinary window.
    pub emergency: Option<Emergency>,
}

/// A spec that cannot work. The API server refuses most of these; some only a calendar can see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.{field}: {why}")]
pub struct InvalidSpec {
    /// Path below spec.
    pub field: String,
    /// What is wrong, and what to write.
    pub why: String,
}

fn invalid(field: impl Into<String>, why: impl ToString) -> InvalidSpec {
    InvalidSpec { field: field.into(), why: why.to_string() }
}

impl Window {
    /// Whether mute rules are made for its openings, some time ahead.
    pub fn mutes(&self) -> bool {
        self.alarms.as_ref().is_some_and(|alarms| alarms.mode == AlarmMode::Mute)
    }

    /// Whether pre-checks that do not hold keep it closed.
    pub fn is_blocked_by_checks(&self) -> bool {
        self.emergency.is_none() && !self.proceeds && !self.pre_checks.is_empty()
    }

    /// Parses a spec.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first field that cannot work.
    pub fn parse(spec: &MaintenanceWindowSpec) -> Result<Self, InvalidSpec> {
        let zone = Zone::parse(&spec.time_zone).map_err(|why| invalid("timeZone", why))?;
        let times = match (&spec.schedules, spec.always) {
            (Some(schedules), None | Some(false)) => {
                let parsed = schedules
                    .iter()
                    .enumerate()
                    .map(|(index, raw)| schedule(raw, &format!("schedules[{index}]")));
                Times::Schedules(parsed.collect::<Result<_, _>>()?)
            }
            (None, Some(true)) => Times::Always,
            (Some(_), Some(true)) | (None, None | Some(false)) => {
                return Err(invalid("schedules", "give schedules or always: true, not both"));
            }
        };
        let blackouts = spec.blackouts.iter().flatten().enumerate();
        let blackouts = blackouts.map(|(index, raw)| blackout(raw, &format!("blackouts[{index}]")));
        let blackouts = blackouts.collect::<Result<Vec<_>, _>>()?;
        if spec.emergency.is_some() {
            let once = |schedule: &Schedule| matches!(schedule.start, Start::Once(_));
            let one =
                matches!(&times, Times::Schedules(all) if all.len() == 1 && all.iter().all(once));
            if !one || !blackouts.is_empty() {
                let why = "an emergency has exactly one schedule, with once, and no blackouts";
                return Err(invalid("emergency", why));
            }
        }
        check_metrics(spec)?;
        let routine = spec.purpose == Some(Purpose::Routine);
        let checks = |field: &str, list: &Option<Vec<_>>| {
            List::of(list.as_deref().unwrap_or_default()).map_err(|why| {
                let expected = format!("write {}", why.expected);
                invalid(format!("{field}{}", why.field), expected)
            })
        };
        Ok(Self {
            pre_checks: checks("preChecks", &spec.pre_checks)?,
            // A Routine looks when its time has come.
            pre_check_lead: match spec.pre_check_lead {
                _ if routine => SignedDuration::ZERO,
                Some(lead) => lead.signed(),
                None => PRE_CHECK_LEAD,
            },
            proceeds: spec.on_pre_check_failure == Some(OnPreCheckFailure::Proceed),
            post_checks: checks("postChecks", &spec.post_checks)?,
            post_check_for: spec.post_check_for.unwrap_or_default().signed(),
            routine,
            calendar: Calendar::new(zone, times, blackouts)
                .map_err(|why| invalid("schedules", why))?,
            cutoff: spec.cutoff.unwrap_or_default().signed(),
            min_remaining: spec.late_open.as_ref().map(|late| late.min_remaining.signed()),
            extend_max: spec.extend.as_ref().map(|extend| extend.max).unwrap_or_default().signed(),
            alarms: choice(spec)?,
            notices: wishes(spec)?,
            tasks: to_do(spec)?,
            emergency: spec.emergency.clone(),
        })
    }
}

/// The alarms that a spec names; none where it names none.
fn choice(spec: &MaintenanceWindowSpec) -> Result<Option<Choice>, InvalidSpec> {
    let Some(alarms) = &spec.alarms else { return Ok(None) };
    if alarms.mode == Some(AlarmMode::None) {
        return Ok(None);
    }
    if spec.always == Some(true) {
        return Err(invalid("alarms", "a window that is always open cannot keep alarms quiet"));
    }
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let choice = Choice {
        mode: alarms.mode.unwrap_or_default(),
        names: list(&alarms.names),
        prefixes: list(&alarms.name_prefixes),
        excluded: list(&alarms.exclude_prefixes),
        regions: list(&alarms.regions),
    };
    if choice.names.is_empty() && choice.prefixes.is_empty() {
        return Err(invalid("alarms", "give names or namePrefixes"));
    }
    Ok(Some(choice))
}

/// Who is told of openings.
fn wishes(spec: &MaintenanceWindowSpec) -> Result<Option<Wishes>, InvalidSpec> {
    let Some(notices) = &spec.notices else { return Ok(None) };
    if spec.always == Some(true) {
        return Err(invalid("notices", "a window that is always open has no openings to tell of"));
    }
    let wishes = Wishes::parse(notices);
    wishes.map(Some).map_err(|(field, why)| invalid(format!("notices.{field}"), why))
}

/// The tasks of a spec.
fn to_do(spec: &MaintenanceWindowSpec) -> Result<Vec<Task>, InvalidSpec> {
    let raw = spec.tasks.as_deref().unwrap_or_default();
    if spec.always == Some(true) && !raw.is_empty() {
        return Err(invalid(
            "tasks",
            "a window that is always open has no openings to do tasks in",
        ));
    }
    let schedules = spec.schedules.iter().flatten().map(|schedule| schedule.name.clone());
    tasks::parse(raw, &schedules.collect::<Vec<_>>())
}

/// Whether the metrics of a spec can be measured.
fn check_metrics(spec: &MaintenanceWindowSpec) -> Result<(), InvalidSpec> {
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    if spec.always == Some(true) && !metrics.is_empty() {
        let why = "a window that is always open has no openings to measure around";
        return Err(invalid("metrics", why));
    }
    if metrics.len() > METRICS_MAX {
        return Err(invalid("metrics", format!("write at most {METRICS_MAX} metrics")));
    }
    let mut names = BTreeSet::new();
    for (index, WindowMetric { name, metric, .. }) in metrics.iter().enumerate() {
        if !names.insert(name) {
            let why = "write another name: this one is taken";
            return Err(invalid(format!("metrics[{index}].name"), why));
        }
        Measure::parse(metric).map_err(|(field, expected)| {
            invalid(format!("metrics[{index}].metric.{field}"), format!("write {expected}"))
        })?;
    }
    Ok(())
}

fn schedule(raw: &RawSchedule, field: &str) -> Result<Schedule, InvalidSpec> {
    let start = match (&raw.cron, &raw.once) {
        (Some(cron), None) => Start::Cron {
            cron: Cron::parse(cron).map_err(|why| invalid(format!("{field}.cron"), why))?,
            plus_days: raw.plus_days.unwrap_or(0),
        },
        (None, Some(once)) => Start::Once(local(once, &format!("{field}.once"))?),
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid(field, "a schedule has exactly one of cron and once"));
        }
    };
    let length =
        match (raw.duration, &raw.until) {
            (Some(duration), None) => Length::For(duration.signed()),
            (None, Some(until)) => Length::Until(until.parse::<civil::Time>().map_err(|_| {
                invalid(format!("{field}.until"), "write a time of day such as 04:00")
            })?),
            (Some(_), Some(_)) | (None, None) => {
                return Err(invalid(field, "a schedule has exactly one of duration and until"));
            }
        };
    Ok(Schedule { name: raw.name.clone(), start, length })
}

fn blackout(raw: &RawBlackout, field: &str) -> Result<Blackout, InvalidSpec> {
    Ok(Blackout {
        name: raw.name.clone(),
        from: local(&raw.from, &format!("{field}.from"))?,
        until: local(&raw.until, &format!("{field}.until"))?,
        yearly: raw.yearly.unwrap_or(false),
        reason: raw.reason.clone().unwrap_or_default(),
        on_overlap: match raw.on_overlap.unwrap_or_default() {
            OnOverlap::Skip => Overlap::Skip,
            OnOverlap::Truncate => Overlap::Truncate,
        },
    })
}

/// A date, or a date and time, on the wall clock.
fn local(text: &str, field: &str) -> Result<civil::DateTime, InvalidSpec> {
    text.parse().map_err(|_| {
        invalid(field, "there is no such date and time: write one like 2026-12-05T23:00")
    })
}

#[cfg(test)]
mod tests;
