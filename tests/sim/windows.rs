//! Scenarios of rollouts that obey windows.

pub mod checked;
pub mod clocks;
pub mod open;
mod people;
pub mod quiet;
pub mod tasks;
pub mod toggle;

use groundcrew::api::{
    canary_rollout::{CanaryRollout, GatePoint, OnClose, Phase, WindowGate},
    channel::{Channel, SnsChannel, StagedChannel},
    maintenance_window::{Blackout, Emergency, MaintenanceWindowSpec, Schedule},
    window_notices::Notices,
    windows::{WindowSelector, Windows},
};

use crate::{
    scenarios::{End, Scenario, minutes, rollout, scenario, weight},
    script::{Edit, Rule, View, healthy, rule},
    world::{State, windows::WindowEdit},
};

/// The window of most scenarios.
pub const WEEKLY: &str = "weekly";

/// The other window.
pub const SECOND: &str = "second";

/// Where people are told.
pub const CHANNELS: [&str; 2] = ["ops", "users"];

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

/// People who are told by two channels, so many minutes before each opening.
pub fn notices(before: &[u64]) -> Notices {
    let channel = |name: &str| StagedChannel {
        channel: Channel {
            name: name.into(),
            sns: Some(SnsChannel {
                topic_arn: format!("arn:aws:sns:eu-central-1:123456789012:{name}"),
            }),
            ..Channel::default()
        },
        stages: None,
    };
    let lead = |minutes: &u64| groundcrew::api::duration::Duration::from_secs(60 * minutes);
    Notices {
        before: Some(before.iter().map(lead).collect()),
        channels: CHANNELS.map(channel).to_vec(),
        ..Notices::default()
    }
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
    all.extend(clocks());
    all.extend(people::all());
    all.push(emergency());
    all.extend(checked::all());
    all.extend(quiet::all());
    all.extend(tasks::all());
    all.extend(toggle::all());
    all.extend(open::muting().into_iter().map(|(scenario, _)| scenario));
    all.extend(open::switching().into_iter().map(|(scenario, ..)| scenario));
    all
}

/// How the second window of a scenario ends, where there is one.
pub fn second(scenario: &str) -> quiet::Ends {
    match scenario {
        "quiet-windows-share-alarms"
        | "toggle-windows-share-alarms"
        | "toggle-window-begins-as-another-ends"
        | "toggle-and-mute-share-alarms"
        | "round-of-checks" => quiet::COMPLETED,
        "round-of-checks-fails" => checked::MISSED,
        _ => None,
    }
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
            "window-schedule-begins-in-an-open-window",
            |state| {
                let mut spec = once("14:15", 20);
                let late = once("14:20", 12).schedules.into_iter().flatten();
                let late = late.map(|schedule| Schedule { name: "late".into(), ..schedule });
                spec.schedules.as_mut().expect("a schedule").extend(late);
                let mut object = gated(WindowGate::default());
                object.spec.windows =
                    Some(Windows { schedules: Some(vec!["late".into()]), ..named(&[WEEKLY]) });
                with(spec, object, state);
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
    ]
}

fn emergency() -> Scenario {
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
    )
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
        Scenario {
            lasts: minutes(60),
            ..promoted(
                "window-too-short",
                |state| {
                    let fit = WindowGate { require_fit: Some(true), ..WindowGate::default() };
                    with(twice(), slow(fit), state);
                },
                Vec::new,
            )
        },
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

/// In Berlin each day from 01:50 for so long.
fn nightly(minutes: u64) -> MaintenanceWindowSpec {
    let mut spec = once("14:15", minutes);
    spec.time_zone = "Europe/Berlin".into();
    for schedule in spec.schedules.iter_mut().flatten() {
        (schedule.name, schedule.once) = ("night".into(), None);
        schedule.cron = Some("50 1 * * *".into());
    }
    spec
}

/// Fifteen minutes before the clocks change, and five before the window opens.
const CLOCKS_GO_FORWARD: i64 = 1_806_195_600 - 900;
/// The same; it opens at 02:50, a time that comes twice.
const CLOCKS_GO_BACK: i64 = 1_792_890_000 - 900;

fn clocks() -> Vec<Scenario> {
    vec![
        Scenario {
            begins: CLOCKS_GO_FORWARD,
            ..promoted(
                "clocks-go-forward-in-the-window",
                |state| with(nightly(30), slow(WindowGate::default()), state),
                Vec::new,
            )
        },
        Scenario {
            begins: CLOCKS_GO_BACK,
            lasts: minutes(80),
            ..scenario(
                "clocks-go-back-after-the-window",
                |state| {
                    let mut spec = nightly(6);
                    let schedules = spec.schedules.iter_mut().flatten();
                    schedules.for_each(|schedule| schedule.cron = Some("50 2 * * *".into()));
                    let fit = WindowGate { require_fit: Some(true), ..WindowGate::default() };
                    with(spec, slow(fit), state);
                },
                Vec::new,
                End::At(Phase::WaitingWindow, "42"),
            )
        },
    ]
}
