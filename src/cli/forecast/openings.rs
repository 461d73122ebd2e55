//! When windows will open, and what keeps them from it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    api::{
        maintenance_window::{MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus},
        shared::Mode,
    },
    maintenance_window::window::Window,
    time::{
        Blackout, Calendar, Held, Opening, SearchFailed, UPCOMING_MAX,
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

/// One opening.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) opens_at: Timestamp,
    pub(super) window: Name,
    pub(super) closes_at: Timestamp,
    pub(super) id: String,
    pub(super) schedules: Vec<String>,
    /// By the clocks of the window's time zone.
    pub(super) local: String,
    /// Whether it takes place.
    pub(super) happens: bool,
    /// What there is to say of it.
    pub(super) notes: Vec<String>,
}

/// Which window.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
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

impl Name {
    fn of(meta: &ObjectMeta) -> Self {
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
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

    /// Adds an object that cannot be read.
    pub(super) fn add_unreadable(&mut self, meta: &ObjectMeta, why: &str) {
        self.found(&Name::of(meta), Severity::Error, format!("cannot be read: {why}"));
    }

    /// Adds a window.
    pub(super) fn add(&mut self, object: &MaintenanceWindow) {
        let name = Name::of(&object.metadata);
        let window = match Window::parse(&object.spec) {
            Ok(window) => window,
            Err(invalid) => return self.found(&name, Severity::Error, invalid.to_string()),
        };
        if window.calendar.is_always() {
            return self.add_always(&name, &object.spec, &window.calendar);
        }
        let added = self
            .add_openings(&name, object, &window.calendar)
            .and_then(|()| self.add_findings(&name, &object.spec, &window.calendar));
        if let Err(failed) = added {
            self.found(&name, Severity::Error, failed.to_string());
        }
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
                words(dark.blackout),
                told(dark.from),
                told(dark.until)
            ));
        }
        let Name { namespace, name } = name;
        self.always.push(format!("{namespace}/{name}: {text}"));
    }

    fn add_openings(
        &mut self,
        name: &Name,
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
            self.found(name, Severity::Warning, message);
        }
        if let Some(last) = happening.get(OPENINGS_MAX.saturating_sub(1)) {
            // Of what comes later nobody looked whether it takes place.
            bare.retain(|planned| planned.opens_at <= last.opens_at);
        }
        let zone = calendar.zone();
        let overlap =
            |a: &Opening, b: &Opening| a.opens_at < b.closes_at && b.opens_at < a.closes_at;
        for planned in &bare {
            if !happening.iter().any(|opening| overlap(opening, planned)) {
                let why = format!("skipped: {}", dark(calendar, planned));
                self.rows.push(row(name, planned, planned.local(zone), false, vec![why]));
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
            self.rows.push(self.told(name, object, opening, calendar, notes));
        }
        Ok(())
    }

    /// An opening with what spec and status say of it.
    fn told(
        &self,
        name: &Name,
        object: &MaintenanceWindow,
        opening: &Opening,
        calendar: &Calendar,
        mut notes: Vec<String>,
    ) -> Row {
        let mut opening = opening.clone();
        let default = MaintenanceWindowStatus::default();
        let status = object.status.as_ref().unwrap_or(&default);
        let current = status.current.as_ref().filter(|current| current.id == opening.id);
        if let Some(current) = current {
            opening.closes_at = current.closes_at.0;
            notes.extend(current.extended_by.map(|by| format!("extended by {by}")));
        }
        let past = status.history.iter().find(|entry| entry.id == opening.id);
        let stopped = stopped(&object.spec).or_else(|| {
            let skipped = status.skipped.iter().any(|skipped| skipped.id == opening.id);
            let past = past.map(|entry| format!("{}: {}", entry.outcome.as_str(), entry.message));
            if skipped { Some("skipped by a person".to_owned()) } else { past }
        });
        let happens = current.is_some() || stopped.is_none();
        if happens && current.is_none() && opening.opens_at <= self.from {
            notes.push("has begun".to_owned());
        }
        notes.extend(stopped.filter(|_| current.is_none()));
        if let Some(emergency) = &object.spec.emergency {
            let windows = emergency.stands_for.join(", ");
            notes.push(format!("emergency for {windows}: {}", emergency.reason));
        }
        notes.extend(Some(opening.note.clone()).filter(|note| !note.is_empty()));
        let local = opening.local(calendar.zone());
        row(name, &opening, local, happens, notes)
    }

    fn add_findings(
        &mut self,
        name: &Name,
        spec: &MaintenanceWindowSpec,
        calendar: &Calendar,
    ) -> Result<(), SearchFailed> {
        let comes = calendar.open_at(self.from)?.is_some() || calendar.next(self.from)?.is_some();
        for schedule in spec.schedules.iter().flatten() {
            let alone =
                MaintenanceWindowSpec { schedules: Some(vec![schedule.clone()]), ..spec.clone() };
            // What parses together parses alone.
            let Ok(alone) = Window::parse(&alone) else { continue };
            let is_over = schedule.once.is_some() && (comes || spec.emergency.is_some());
            let idle = takes_no_work(&alone.calendar, alone.cutoff, self.from)?;
            for finding in lint(&alone.calendar, self.from)?.into_iter().chain(idle) {
                self.found(name, severity(finding.rule, is_over), finding.message);
            }
        }
        Ok(())
    }
}

/// `is_over`: the schedule had its one opening, and others are to come.
fn severity(rule: Rule, is_over: bool) -> Severity {
    match rule {
        Rule::NeverOpens if is_over => Severity::Warning,
        Rule::NeverOpens | Rule::OnlyInBlackouts => Severity::Error,
        Rule::NotEveryMonth | Rule::StartsAgain | Rule::TakesNoWork => Severity::Warning,
        Rule::SummerTime => Severity::Info,
    }
}

/// What of the spec keeps a window from opening at all.
fn stopped(spec: &MaintenanceWindowSpec) -> Option<String> {
    if spec.suspend == Some(true) {
        Some("the window is suspended".to_owned())
    } else if spec.mode == Some(Mode::Audit) {
        Some("the window is in Audit: its gate stays closed".to_owned())
    } else {
        None
    }
}

fn row(name: &Name, opening: &Opening, local: String, happens: bool, notes: Vec<String>) -> Row {
    Row {
        opens_at: opening.opens_at,
        window: name.clone(),
        closes_at: opening.closes_at,
        id: opening.id.clone(),
        schedules: opening.schedules().into_iter().map(str::to_owned).collect(),
        local,
        happens,
        notes,
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

/// The blackouts that hold at some time from `from` to `until`.
fn blackouts(calendar: &Calendar, from: Timestamp, until: Timestamp) -> Vec<Held<'_>> {
    let mut held: Vec<Held<'_>> = calendar.blackout_at(from).into_iter().collect();
    let mut at = from;
    while let Some(next) = calendar.next_blackout(at).filter(|next| next.from < until) {
        at = next.from;
        held.push(next);
    }
    held
}

/// The blackouts that touch an opening, in words.
fn dark(calendar: &Calendar, opening: &Opening) -> String {
    let held = blackouts(calendar, opening.opens_at, opening.closes_at);
    held.iter().map(|held| words(held.blackout)).collect::<Vec<_>>().join(", ")
}

fn words(blackout: &Blackout) -> String {
    let Blackout { name, reason, .. } = blackout;
    if reason.is_empty() {
        format!("blackout {name}")
    } else {
        format!("blackout {name} ({reason})")
    }
}
