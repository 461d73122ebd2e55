//! Clocks that are set while a window is prepared, open or just over: each occurrence opens once all the
//! same, and nothing stays quiet.

use groundcrew::api::maintenance_window::Outcome;

use super::quiet::{COMPLETED, Ends, opened, over, played, prepares};
use crate::{
    scenarios::Scenario,
    script::{Edit, always, rule},
};

/// All of them; the window is open from 14:20 to 14:28, and each run begins at 14:13:20.
pub fn ending() -> Vec<(Scenario, Ends)> {
    vec![
        played(
            "clock-goes-back-while-it-prepares",
            || vec![rule(prepares, 60, Edit::ClockStep(-240))],
            COMPLETED,
        ),
        played(
            "clock-goes-back-over-the-start",
            || vec![rule(opened, 20, Edit::ClockStep(-90))],
            COMPLETED,
        ),
        played(
            "clock-goes-back-a-second-over-the-start",
            || vec![rule(opened, 0, Edit::ClockStep(-1))],
            COMPLETED,
        ),
        played(
            "clock-goes-forward-over-the-start",
            || vec![rule(prepares, 60, Edit::ClockStep(300))],
            COMPLETED,
        ),
        played(
            "clock-goes-forward-over-the-end",
            || vec![rule(opened, 60, Edit::ClockStep(600))],
            COMPLETED,
        ),
        played(
            "clock-goes-back-over-the-end",
            || vec![rule(over, 20, Edit::ClockStep(-240))],
            COMPLETED,
        ),
        played(
            "clock-goes-back-over-all-of-it",
            || vec![rule(over, 20, Edit::ClockStep(-600))],
            COMPLETED,
        ),
        played(
            "clock-goes-forward-over-all-of-it",
            || vec![rule(always, 30, Edit::ClockStep(1_200))],
            Some(&[Outcome::Missed]),
        ),
        played(
            "clock-goes-forward-over-the-end-and-back",
            || {
                vec![
                    rule(opened, 60, Edit::ClockStep(600)),
                    rule(always, 400, Edit::ClockStep(-600)),
                ]
            },
            COMPLETED,
        ),
    ]
}
