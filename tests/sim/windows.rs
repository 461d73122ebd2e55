//! Scenarios of rollouts that obey windows.

use groundcrew::api::{
    canary_rollout::{CanaryRollout, GatePoint, OnClose, Phase, WindowGate},
    maintenance_window::{Blackout, Emergency, Extend, MaintenanceWindowSpec, Schedule},
    shared::Mode,
    windows::{WindowSelector, Windows},
};

use crate::{
    scenarios::{End, Scenario, rollout, scenario, weight},
    script::{Edit, Rule, View, always, first_step, healthy, rule},
    world::{State, windows::WindowEdit},
};

/// The window of most scenarios.
pub const WEEKLY: &str = "weekly";

/// A window that opens once, at this time of 21 September 2026 in UTC; each run begins at 14:13:20.
pub fn once(time: &str, minutes: u64) -> MaintenanceWindowSpec {
    let schedule = Schedule {
        name: "once".into(),
        once: Some(format!("2026-09-21T{time}")),
        duration: Some(groundcrew::api::duration::Duration::from_secs(60 * minutes)),
        ..Schedule::default()
    };
    MaintenanceWindowSpec {
        time_zone: "Etc/UTC".into(),
        schedules: Some(vec![schedule]),
        ..MaintenanceWindowSpec::default()
    }
}

/// These windows by name.
pub fn named(names: &[&str]) -> Windows {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Windows { names: Some(names), ..Windows::default() }
}

/// Two steps in the window of most scenarios.
fn gated(gate: WindowGate) -> CanaryRollout {
    let mut object = rollout("43", Some(vec![weight(10, 90), weight(50, 90)]), None);
    object.spec.windows = Some(named(&[WEEKLY]));
    object.spec.window_gate = Some(gate);
    object
}

fn waits(view: &View<'_>) -> bool {
    view.phase(Phase::WaitingWindow)
}

/// It is on its way, and stays where it is until a window opens.
fn holds(view: &View<'_>) -> bool {
    waits(view) && view.object.is_some_and(|object| !object.spec.suspend.unwrap_or(false))
}

const PROMOTED: End = End::At(Phase::Healthy, "43");

/// Open from 14:15 to 14:21, and from 14:35 to 14:50.
fn twice() -> MaintenanceWindowSpec {
    let mut spec = once("14:15", 6);
    let again = once("14:35", 15).schedules.into_iter().flatten();
    let again = again.map(|schedule| Schedule { name: "again".into(), ..schedule });
    spec.schedules.as_mut().expect("a schedule").extend(again);
    spec
}

/// A first step that takes longer than the first opening of [`twice`].
fn slow(gate: WindowGate) -> CanaryRollout {
    let mut object = gated(gate);
    object.spec.steps = Some(vec![weight(10, 600), weight(50, 60)]);
    object
}

fn gate(at: &[GatePoint], on_close: OnClose) -> WindowGate {
    WindowGate { at: Some(at.to_vec()), on_close: Some(on_close), require_fit: None }
}

fn with(spec: MaintenanceWindowSpec, object: CanaryRollout, state: &mut State) {
    state.create_window(WEEKLY, spec);
    state.create_object(object);
}

fn weekly(when: fn(&View<'_>) -> bool, after: u64, edit: WindowEdit) -> Rule {
    rule(when, after, Edit::Window(WEEKLY, edit))
}

fn apply(spec: MaintenanceWindowSpec) -> WindowEdit {
    WindowEdit::Apply(Box::new(spec))
}

/// The release is promoted at last.
fn promoted(name: &'static str, prepare: fn(&mut State), rules: fn() -> Vec<Rule>) -> Scenario {
    scenario(name, prepare, rules, PROMOTED)
}

/// A release that waits for a window that opens once in winter.
pub fn far_away(state: &mut State) {
    let mut spec = once("14:15", 6);
    let schedules = spec.schedules.iter_mut().flatten();
    schedules.for_each(|schedule| schedule.once = Some("2026-12-05T23:00".into()));
    with(spec, gated(WindowGate::default()), state);
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = awaited();
    all.extend(closed());
    all.extend(points());
    all.extend(edited());
    all.extend(away());
    all.extend(verbs());
    all
}

fn awaited() -> Vec<Scenario> {
    vec![
        promoted(
            "window-awaited",
            |state| with(once("14:20", 30), gated(WindowGate::default()), state),
            Vec::new,
        ),
        promoted(
            "window-by-label-and-schedule",
            |state| {
                let mut object = gated(WindowGate::default());
                let labels = [("window".to_owned(), WEEKLY.to_owned())].into();
                object.spec.windows = Some(Windows {
                    selector: Some(WindowSelector { match_labels: labels }),
                    schedules: Some(vec!["again".into()]),
                    names: None,
                });
                with(twice(), object, state);
            },
            Vec::new,
        ),
        promoted(
            "window-made-later",
            |state| state.create_object(gated(WindowGate::default())),
            || vec![weekly(waits, 100, apply(once("14:20", 30)))],
        ),
        promoted(
            "window-mended",
            |state| with(once("25:61", 30), gated(WindowGate::default()), state),
            || vec![weekly(waits, 100, apply(once("14:20", 30)))],
        ),
        scenario(
            "window-for-the-second-release",
            |state| with(twice(), gated(WindowGate::default()), state),
            || vec![rule(healthy, 300, Edit::Release("44"))],
            End::At(Phase::Healthy, "44"),
        ),
        promoted(
            "emergency-over-a-blackout",
            |state| {
                let blackout = Blackout {
                    name: "freeze".into(),
                    from: "2026-09-01".into(),
                    until: "2026-10-01".into(),
                    ..Blackout::default()
                };
                let mut spec = once("14:16", 30);
                spec.blackouts = Some(vec![blackout]);
                with(spec, gated(WindowGate::default()), state);
            },
            || {
                let emergency = Emergency {
                    reason: "it is broken".into(),
                    requested_by: "ops".into(),
                    stands_for: vec![WEEKLY.into()],
                };
                let mut spec = once("14:22", 20);
                spec.emergency = Some(emergency);
                vec![rule(waits, 200, Edit::Window("emergency", apply(spec)))]
            },
        ),
    ]
}

fn closed() -> Vec<Scenario> {
    vec![
        promoted(
            "window-closes-and-opens",
            |state| with(twice(), slow(WindowGate::default()), state),
            Vec::new,
        ),
        scenario(
            "window-closes-and-it-goes-back",
            |state| with(twice(), slow(gate(&[GatePoint::Start], OnClose::Rollback)), state),
            Vec::new,
            End::At(Phase::RolledBack, "42"),
        ),
        promoted(
            "window-closes-and-it-goes-on",
            |state| {
                with(once("14:15", 6), slow(gate(&[GatePoint::Start], OnClose::Continue)), state)
            },
            Vec::new,
        ),
    ]
}

fn points() -> Vec<Scenario> {
    vec![
        promoted(
            "window-before-each-weight",
            |state| {
                let at = [GatePoint::Start, GatePoint::Advance];
                with(twice(), slow(gate(&at, OnClose::Continue)), state);
            },
            Vec::new,
        ),
        promoted(
            "window-before-the-promotion",
            |state| {
                with(
                    once("14:30", 15),
                    gated(gate(&[GatePoint::Promote], OnClose::Continue)),
                    state,
                );
            },
            Vec::new,
        ),
        promoted(
            "window-too-short",
            |state| {
                let fit = WindowGate { require_fit: Some(true), ..WindowGate::default() };
                with(twice(), slow(fit), state);
            },
            Vec::new,
        ),
        promoted(
            "window-takes-no-new-work",
            |state| {
                let mut spec = twice();
                spec.cutoff = Some(groundcrew::api::duration::Duration::from_secs(300));
                with(spec, gated(WindowGate::default()), state);
                state.edit(&Edit::Release("42"));
            },
            || vec![rule(healthy, 220, Edit::Release("43"))],
        ),
    ]
}

fn edited() -> Vec<Scenario> {
    vec![
        promoted(
            "window-deleted-in-flight",
            |state| with(once("14:15", 30), slow(WindowGate::default()), state),
            || {
                vec![
                    weekly(first_step, 20, WindowEdit::Delete),
                    weekly(waits, 300, apply(once("14:30", 20))),
                ]
            },
        ),
        promoted(
            "window-kept-by-another-tool",
            |state| {
                with(once("14:15", 30), slow(WindowGate::default()), state);
                state.edit_window(WEEKLY, &WindowEdit::Kept(true));
            },
            || {
                vec![
                    weekly(first_step, 20, WindowEdit::Delete),
                    weekly(waits, 300, WindowEdit::Kept(false)),
                    weekly(always, 60, apply(once("14:30", 20))),
                ]
            },
        ),
        promoted(
            "window-suspended-in-flight",
            |state| with(twice(), slow(WindowGate::default()), state),
            || {
                vec![
                    weekly(first_step, 20, WindowEdit::Suspend(true)),
                    weekly(holds, 200, WindowEdit::Suspend(false)),
                ]
            },
        ),
        promoted(
            "window-in-audit-in-flight",
            |state| with(twice(), slow(WindowGate::default()), state),
            || {
                vec![
                    weekly(first_step, 20, WindowEdit::Mode(Mode::Audit)),
                    weekly(holds, 200, WindowEdit::Mode(Mode::Enforce)),
                ]
            },
        ),
        promoted(
            "window-edited-in-flight",
            |state| with(once("14:15", 30), slow(WindowGate::default()), state),
            || vec![weekly(first_step, 20, apply(once("18:00", 30)))],
        ),
        promoted(
            "window-made-invalid-in-flight",
            |state| with(once("14:15", 30), slow(WindowGate::default()), state),
            || vec![weekly(first_step, 20, apply(once("25:61", 30)))],
        ),
        promoted(
            "window-no-more-obeyed",
            |state| with(once("18:00", 30), gated(WindowGate::default()), state),
            || vec![rule(waits, 100, Edit::Windows(None))],
        ),
    ]
}

fn away() -> Vec<Scenario> {
    vec![
        promoted(
            "away-over-the-start",
            |state| with(once("14:16", 30), gated(WindowGate::default()), state),
            || vec![rule(always, 75, Edit::Away(300))],
        ),
        promoted(
            "away-over-the-end",
            |state| with(twice(), slow(WindowGate::default()), state),
            || vec![rule(first_step, 60, Edit::Away(420))],
        ),
        promoted(
            "away-over-the-window",
            |state| with(twice(), gated(WindowGate::default()), state),
            || vec![rule(always, 75, Edit::Away(600))],
        ),
    ]
}

fn verbs() -> Vec<Scenario> {
    vec![
        promoted(
            "window-closed-by-a-person",
            |state| with(twice(), slow(WindowGate::default()), state),
            || vec![weekly(first_step, 60, WindowEdit::Close(1))],
        ),
        promoted(
            "window-extended",
            |state| {
                let mut spec = once("14:15", 8);
                spec.extend = Some(Extend { max: "30m".parse().expect("a duration") });
                with(spec, slow(WindowGate::default()), state);
            },
            || vec![weekly(first_step, 60, WindowEdit::Extend("20m", 1))],
        ),
        promoted(
            "window-skipped",
            |state| with(twice(), gated(WindowGate::default()), state),
            || vec![weekly(always, 60, WindowEdit::Skip(1))],
        ),
    ]
}
