//! What people do to windows, and to the operator, while a rollout obeys them.

use groundcrew::api::{canary_rollout::WindowGate, maintenance_window::Extend, shared::Mode};

use super::{WEEKLY, apply, gated, holds, once, promoted, slow, twice, waits, weekly, with};
use crate::{
    scenarios::Scenario,
    script::{Edit, always, first_step, rule},
    world::windows::WindowEdit,
};

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = edited();
    all.extend(away());
    all.extend(verbs());
    all
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
