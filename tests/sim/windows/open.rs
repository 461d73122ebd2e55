//! What people do while alarms are quiet, for windows that mute them and for those that switch them off:
//! what is open goes by the spec that it opened with, and ends with its Namespace.

use groundcrew::api::maintenance_window::{Extend, MaintenanceWindowSpec};

use super::{
    apply,
    quiet::{self, COMPLETED, Ends, opened, quiet},
    toggle::{self, BEFORE, Left, short, toggling},
    weekly,
};
use crate::{
    scenarios::Scenario,
    script::{Edit, always, rule},
    world::windows::WindowEdit,
};

fn extensible(max: &str, spec: MaintenanceWindowSpec) -> MaintenanceWindowSpec {
    let extend = Some(Extend { max: max.parse().expect("a duration") });
    MaintenanceWindowSpec { extend, ..spec }
}

/// Windows that mute alarms from 14:20 to 14:28; each run begins at 14:13:20.
pub fn muting() -> Vec<(Scenario, Ends)> {
    vec![
        quiet::played(
            "quiet-window-lasts-longer-from-now-on",
            || vec![weekly(opened, 60, apply(quiet("14:20", 18)))],
            COMPLETED,
        ),
        quiet::scenario(
            "quiet-window-extended-by-more-than-it-opened-with",
            |state| quiet::with(extensible("3m", quiet("14:20", 8)), state),
            || {
                vec![
                    weekly(opened, 60, apply(extensible("30m", quiet("14:20", 8)))),
                    weekly(always, 60, WindowEdit::Extend("10m", 1)),
                ]
            },
            COMPLETED,
        ),
        quiet::played(
            "quiet-window-goes-with-its-namespace",
            || vec![rule(opened, 60, Edit::DeleteNamespace)],
            None,
        ),
    ]
}

/// Windows that switch alarms off from 14:15 on.
pub fn switching() -> Vec<Left> {
    vec![
        short(
            "toggle-window-lasts-longer-from-now-on",
            |state| toggle::with(toggling("14:15", 4), state),
            || vec![weekly(opened, 60, apply(toggling("14:15", 10)))],
            COMPLETED,
            BEFORE,
        ),
        short(
            "toggle-window-extended-by-more-than-it-opened-with",
            |state| toggle::with(extensible("1m", toggling("14:15", 4)), state),
            || {
                vec![
                    weekly(opened, 60, apply(extensible("30m", toggling("14:15", 4)))),
                    weekly(always, 60, WindowEdit::Extend("5m", 1)),
                ]
            },
            COMPLETED,
            BEFORE,
        ),
        short(
            "toggle-window-goes-with-its-namespace",
            |state| toggle::with(toggling("14:15", 6), state),
            || vec![rule(opened, 60, Edit::DeleteNamespace)],
            None,
            BEFORE,
        ),
    ]
}
