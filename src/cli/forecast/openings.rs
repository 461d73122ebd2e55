//! When windows will open, and what keeps them from it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::rows::{Name, Row, current, row, stopped, told, unplanned};
use crate::{
    api::maintenance_window::{MaintenanceWindow, MaintenanceWindowSpec},
    maintenance_window::window::Window,
    time::{
        Calendar, Held, Opening, SearchFailed, UPCOMING_MAX,
        lint::{Rule, lint, takes_no_work},
    },
};

/// Most openings of one window that are told: nearly three a day for two years.
const OPENINGS_MAX: usize = 2_000;

/// When windows will open.
#[derive(Debug)]
pub(super) struct Forecast {
    /// From when on.
    pub(super) from: Timestamp,
    /// Openings that begin later are not looked at.
    pub(super) until: Timestamp,
    /// The openings.
    pub(super) rows: Vec<Row>,
    /// Windows without schedules, in words.
    pub(super) always: Vec<String>,
    /// What is wrong, or hardly meant.
    pub(super) findings: Vec<Finding>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// It cannot be meant.
    Error,
    /// It is hardly meant.
    Warning,
    /// Good to know.
    Info,
}

/// Something about a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) window: Name,
    pub(super) message: String,
}

impl Forecast {
    /// For openings that begin before `until`; those under way at `from` are part of it.
    pub(super) fn new(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until, rows: Vec::new(), always: Vec::new(), findings: Vec::new() }
    }

    /// Puts everything into the order in which it is told.
    pub(super) fn sort(&mut self) {
        self.rows.sort();
        self.always.sort();
        self.findings.sort();
        self.findings.dedup();
    }

    /// The openings that take place.
    pub(super) fn happening(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.happens)
    }

    /// Adds an object that cannot be read.
    pub(super) fn add_unreadable(&mut self, meta: &ObjectMeta, why: &str) {
        self.found(&Name::of(meta), Severity::Error, format!("cannot be read: {why}"));
    }

    /// Adds a window.
    pub(super) fn add(&mut self, object: &MaintenanceWindow) {
        let name = Name::of(&object.metadata);
        let first = self.rows.len();
        let calendar = match Window::parse(&object.spec) {
            Ok(window) => Some(window.calendar),
            Err(invalid) => {
                self.found(&name, Severity::Error, invalid.to_string());
                None
            }
        };
        let added = match &calendar {
            Some(calendar) if calendar.is_always() => {
                self.add_always(&name, &object.spec, calendar);
                Ok(())
            }
            Some(calendar) => self
                .add_openings(object, calendar)
                .and_then(|()| self.add_findings(&name, &object.spec)),
            None => Ok(()),
        };
        if let Err(failed) = added {
            self.found(&name, Severity::Error, failed.to_string());
        }
        let open = current(object).filter(|open| {
            let own = self.rows.get(first..).unwrap_or_default();
            own.iter().all(|row| row.id != open.id)
        });
        self.rows.extend(open.map(|open| unplanned(object, open, calendar.as_ref(), self.from)));
    }

    fn found(&mut self, window: &Name, severity: Severity, message: String) {
        self.findings.push(Finding { severity, window: window.clone(), message });
    }

    fn add_always(&mut self, name: &Name, spec: &MaintenanceWindowSpec, calendar: &Calendar) {
        let told = |at| calendar.zone().told(at);
        let mut text = match stopped(spec) {
            Some(why) => format!("{why}, else always open"),
            None => "always open".to_owned(),
        };
        for (index, dark) in blackouts(calendar, self.from, self.until).iter().enumerate() {
            let word = if index == 0 { " but for" } else { "," };
            text.push_str(&format!(
                "{word} {} from {} until {}",
                dark.blackout,
                told(dark.from),
                told(dark.until)
            ));
        }
        let Name { namespace, name } = name;
        self.always.push(format!("{namespace}/{name}: {text}"));
    }

    fn add_openings(
        &mut self,
        object: &MaintenanceWindow,
        calendar: &Calendar,
    ) -> Result<(), SearchFailed> {
        let (from, until) = (self.from, self.until);
        let happening = all(calendar, from, until)?;
        let mut bare = match without_blackouts(&object.spec) {
            Some(bare) => all(&bare, from, until)?,
            None => Vec::new(),
        };
        if happening.len() >= OPENINGS_MAX || bare.len() >= OPENINGS_MAX {
            let message = format!("only the first {OPENINGS_MAX} openings are looked at");
            self.found(&Name::of(&object.metadata), Severity::Warning, message);
        }
        if let Some(last) = happening.get(OPENINGS_MAX.saturating_sub(1)) {
            // Of what comes later nobody looked whether it takes place.
            bare.retain(|planned| planned.opens_at <= last.opens_at);
        }
        // What is open stays so, whatever blackouts came later.
        bare.retain(|planned| current(object).is_none_or(|open| open.id != planned.id));
        let zone = calendar.zone();
        let overlap =
            |a: &Opening, b: &Opening| a.opens_at < b.closes_at && b.opens_at < a.closes_at;
        for planned in &bare {
            if !happening.iter().any(|opening| overlap(opening, planned)) {
                let why = format!("skipped: {}", dark(calendar, planned));
                self.rows.push(row(object, planned, zone, false, vec![why]));
            }
        }
        for opening in &happening {
            let mut notes = Vec::new();
            let same = |planned: &&Opening| {
                planned.opens_at == opening.opens_at && planned.closes_at == opening.closes_at
            };
            let planned = bare.iter().find(|planned| overlap(planned, opening));
            if let Some(planned) = planned.filter(|planned| !same(planned)) {
                let local = planned.local(zone);
                notes.push(format!("shortened by {}: planned {local}", dark(calendar, planned)));
            }
            self.rows.push(told(object, opening, zone, from, notes));
        }
        Ok(())
    }

    fn add_findings(
        &mut self,
        name: &Name,
        spec: &MaintenanceWindowSpec,
    ) -> Result<(), SearchFailed> {
        for schedule in spec.schedules.iter().flatten() {
            let alone =
                MaintenanceWindowSpec { schedules: Some(vec![schedule.clone()]), ..spec.clone() };
            // What parses together parses alone.
            let Ok(alone) = Window::parse(&alone) else { continue };
            let idle = takes_no_work(&alone.calendar, alone.cutoff, self.from)?;
            for finding in lint(&alone.calendar, self.from)?.into_iter().chain(idle) {
                self.found(name, severity(finding.rule), finding.message);
            }
        }
        Ok(())
    }
}

fn severity(rule: Rule) -> Severity {
    match rule {
        Rule::NeverOpens | Rule::OnlyInBlackouts => Severity::Error,
        Rule::Over | Rule::NotEveryMonth | Rule::StartsAgain | Rule::TakesNoWork => {
            Severity::Warning
        }
        Rule::SummerTime => Severity::Info,
    }
}

/// The same without blackouts; none where there are none.
fn without_blackouts(spec: &MaintenanceWindowSpec) -> Option<Calendar> {
    spec.blackouts.as_ref()?;
    let bare = MaintenanceWindowSpec { blackouts: None, ..spec.clone() };
    Some(Window::parse(&bare).ok()?.calendar)
}

/// The openings from `from` to `until`, with the one that is under way.
fn all(
    calendar: &Calendar,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Opening>, SearchFailed> {
    let mut found: Vec<Opening> = calendar.open_at(from)?.into_iter().collect();
    let mut at = from;
    while found.len() < OPENINGS_MAX {
        let more = calendar.upcoming(at, UPCOMING_MAX)?;
        let last = more.last().map(|opening| opening.opens_at);
        found.extend(more.into_iter().filter(|opening| opening.opens_at <= until));
        match last {
            Some(last) if last <= until => at = last,
            Some(_) | None => break,
        }
    }
    found.truncate(OPENINGS_MAX);
    Ok(found)
}

/// The blackouts that hold at some time from `from` to `until`, in their order.
fn blackouts(calendar: &Calendar, from: Timestamp, until: Timestamp) -> Vec<Held<'_>> {
    let mut held: Vec<Held<'_>> = calendar.held(from, until).collect();
    held.sort_by_key(|held| (held.from, held.until));
    held
}

/// The blackouts that touch an opening, in words.
fn dark(calendar: &Calendar, opening: &Opening) -> String {
    let held = blackouts(calendar, opening.opens_at, opening.closes_at);
    held.iter().map(|held| held.blackout.to_string()).collect::<Vec<_>>().join(", ")
}
