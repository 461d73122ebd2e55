//! One opening, with what calendar, spec and status say of it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    api::{
        maintenance_window::{
            CurrentOpening, MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus,
            OpeningPart,
        },
        shared::Mode,
        window_checks::Purpose,
    },
    time::{Calendar, Opening, Part, Zone},
};

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
    /// Whether it is a round, whose gate never opens.
    pub(super) routine: bool,
    /// The uid of the window's object; none of a manifest.
    pub(super) object: Option<String>,
    /// What there is to say of it.
    pub(super) notes: Vec<String>,
}

/// Which window.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Name {
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

/// What is open.
pub(super) fn current(object: &MaintenanceWindow) -> Option<&CurrentOpening> {
    object.status.as_ref()?.current.as_ref()
}

/// What is open where the calendar does not have it: it was extended, or the spec is another one.
pub(super) fn unplanned(
    object: &MaintenanceWindow,
    open: &CurrentOpening,
    calendar: Option<&Calendar>,
    now: Timestamp,
) -> Row {
    let part = |part: &OpeningPart| Part {
        from: part.from.0,
        schedule: part.schedule.clone(),
        until: part.until.0,
    };
    let opening = Opening {
        id: open.id.clone(),
        parts: open.parts.iter().map(part).collect(),
        opens_at: open.opens_at.0,
        closes_at: open.closes_at.0,
        note: String::new(),
    };
    let planned = calendar.and_then(|calendar| calendar.open_at(opening.opens_at).ok()?);
    let mut notes = Vec::new();
    if planned.is_none_or(|planned| planned.id != opening.id) {
        notes.push("opened before the spec was changed".to_owned());
    }
    // One that no time zone fits is Invalid, and has no times of its own.
    let zone = Zone::parse(&object.spec.time_zone).unwrap_or_else(|_| Zone::utc());
    told(object, &opening, &zone, now, notes)
}

/// An opening with what spec and status say of it.
pub(super) fn told(
    object: &MaintenanceWindow,
    opening: &Opening,
    zone: &Zone,
    now: Timestamp,
    mut notes: Vec<String>,
) -> Row {
    let mut opening = opening.clone();
    let default = MaintenanceWindowStatus::default();
    let status = object.status.as_ref().unwrap_or(&default);
    let current = current(object).filter(|current| current.id == opening.id);
    if let Some(current) = current {
        if opening.closes_at != current.closes_at.0 {
            // What clocks do to the end was said of another one.
            opening.note.clear();
        }
        opening.closes_at = current.closes_at.0;
        notes.extend(current.extended_by.map(|by| format!("extended by {by}")));
        notes.extend(current.closing.as_ref().map(|end| format!("closing: {}", end.message)));
    }
    let past = status.history.iter().find(|entry| entry.id == opening.id);
    let stopped = stopped(&object.spec).or_else(|| {
        let skipped = status.skipped.iter().any(|skipped| skipped.id == opening.id);
        let past = past.map(|entry| format!("{}: {}", entry.outcome.as_str(), entry.message));
        if skipped { Some("skipped by a person".to_owned()) } else { past }
    });
    let happens = current.is_some() || stopped.is_none();
    if happens && current.is_none() && opening.opens_at <= now {
        notes.push("has begun".to_owned());
    }
    notes.extend(stopped.filter(|_| current.is_none()));
    if happens && is_routine(&object.spec) {
        notes.push("a round: its gate never opens".to_owned());
    }
    if let Some(emergency) = &object.spec.emergency {
        let windows = emergency.stands_for.join(", ");
        notes.push(format!("emergency for {windows}: {}", emergency.reason));
    }
    notes.extend(Some(opening.note.clone()).filter(|note| !note.is_empty()));
    row(object, &opening, zone, happens, notes)
}

fn is_routine(spec: &MaintenanceWindowSpec) -> bool {
    spec.purpose == Some(Purpose::Routine)
}

/// An opening as the calendar has it.
pub(super) fn row(
    object: &MaintenanceWindow,
    opening: &Opening,
    zone: &Zone,
    happens: bool,
    notes: Vec<String>,
) -> Row {
    Row {
        opens_at: opening.opens_at,
        window: Name::of(&object.metadata),
        closes_at: opening.closes_at,
        id: opening.id.clone(),
        schedules: opening.schedules().into_iter().map(str::to_owned).collect(),
        local: opening.local(zone),
        happens,
        routine: is_routine(&object.spec),
        object: object.metadata.uid.clone(),
        notes,
    }
}

/// What of the spec keeps a window from opening at all.
pub(super) fn stopped(spec: &MaintenanceWindowSpec) -> Option<String> {
    if spec.suspend == Some(true) {
        Some("the window is suspended".to_owned())
    } else if spec.mode == Some(Mode::Audit) {
        Some("the window is in Audit: its gate stays closed".to_owned())
    } else {
        None
    }
}
