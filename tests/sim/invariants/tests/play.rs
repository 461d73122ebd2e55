//! Histories of the window of these tests.

use groundcrew::api::maintenance_window::{FrozenSpec, MaintenanceWindow, MaintenanceWindowStatus};

use super::{
    windows::{KEY, begun, scheduled, window},
    *,
};
use crate::{
    faults::{Fault, Sort},
    history::Made,
};

/// Something that happens, by seconds from the begin.
pub(super) enum Act {
    /// A person makes it so, and the process is told.
    Person(MaintenanceWindow),
    /// The process knows nothing of it yet.
    Untold(MaintenanceWindow),
    /// The operator tells this of the window as it is.
    Tells(MaintenanceWindowStatus),
    Happens(Event),
    /// The process has the rollout like this.
    Rollout(CanaryRollout),
    Fails(&'static str),
    /// A status that is written now reaches the API server, and its answer nobody.
    Unanswered,
    /// What this call asks for several windows is not answered.
    Unread(&'static str),
    /// This call for the window is not answered.
    Lost(&'static str),
    /// Another process leads.
    Leads,
    /// The process is told that a window of the name is gone.
    Forgets,
    Nothing,
}

#[track_caller]
pub(super) fn play(acts: Vec<(i64, Act)>, expected: &[&str]) {
    let mut invariants = Invariants::default();
    let mut stored = window();
    let mut frozen = None;
    invariants.process_leads(begun(0));
    let told = vec![(0, Act::Person(window())), (0, Act::Tells(scheduled()))];
    for (second, act) in told.into_iter().chain(acts) {
        let now = begun(second);
        invariants.overdue(now);
        match act {
            Act::Person(object) => {
                stored = MaintenanceWindow { status: stored.status.take(), ..object };
                invariants.observe(now, &Event::WindowEdited(Box::new(stored.clone())));
                invariants.windows.told(now, KEY, &stored);
            }
            Act::Untold(object) => {
                stored = MaintenanceWindow { status: stored.status.take(), ..object };
                invariants.observe(now, &Event::WindowEdited(Box::new(stored.clone())));
            }
            Act::Tells(mut status) => {
                // What opened goes by the spec that it had, unless a test says otherwise.
                let current = status.current.as_mut();
                if let Some(current) = current.filter(|one| one.spec.0.schedules.is_none()) {
                    let spec = || FrozenSpec(Box::new(stored.spec.clone()));
                    current.spec = frozen.get_or_insert_with(spec).clone();
                }
                let before = Box::new(stored.clone());
                stored.status = Some(status);
                let after = Box::new(stored.clone());
                invariants.observe(now, &Event::WindowTold { before, after });
            }
            Act::Happens(event) => drop(invariants.observe(now, &event)),
            Act::Rollout(object) => invariants.seen(now, MAIN, &object),
            Act::Fails(by) => {
                let made = Made { by: Some(by), what: "apply status", fault: Some(&Fault::Lost) };
                invariants.called(now, &made);
            }
            Act::Unanswered => {
                let by = format!("window {KEY}");
                let call = ("window apply status", Some(by.as_str()));
                invariants.unanswered(now, Sort::KubernetesWrite, call);
            }
            Act::Lost(what) => {
                let by = format!("window {KEY}");
                let made = Made { by: Some(&by), what, fault: Some(&Fault::Lost) };
                invariants.called(now, &made);
            }
            Act::Leads => invariants.process_leads(now),
            Act::Unread(what) => {
                let made = Made { by: None, what, fault: Some(&Fault::Lost) };
                invariants.called(now, &made);
            }
            Act::Forgets => invariants.windows.forgotten(now, KEY),
            Act::Nothing => {}
        }
    }
    let names: Vec<_> =
        invariants.violations.iter().filter_map(|found| Some(found.split_once(':')?.0)).collect();
    assert_eq!(names, expected, "{:?}", invariants.violations);
}
