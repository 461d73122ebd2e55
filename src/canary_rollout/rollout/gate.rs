//! The windows that a rollout obeys.

use super::{InvalidSpec, invalid};
use crate::{
    api::canary_rollout::{CanaryRolloutSpec, GatePoint, OnClose, WindowGate},
    window_gate::{By, Selection},
};

/// The windows that a rollout obeys, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Which windows.
    pub windows: Selection,
    /// Whether the first step waits for one.
    pub start: bool,
    /// Whether each further weight does.
    pub advance: bool,
    /// Whether 100 does.
    pub promote: bool,
    /// What becomes of a rollout before 100 when they close.
    pub on_close: OnClose,
    /// Whether the holds and smoke tests that are left must fit before the close.
    pub require_fit: bool,
}

impl Gate {
    /// Parses what a spec says of windows; none when it names none.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the field that cannot work.
    pub fn parse(spec: &CanaryRolloutSpec) -> Result<Option<Self>, InvalidSpec> {
        let Some(windows) = &spec.windows else {
            return match spec.window_gate {
                Some(_) => Err(invalid("windowGate", "left out, or given beside windows")),
                None => Ok(None),
            };
        };
        let by = match (&windows.names, &windows.selector) {
            (Some(names), None) if !names.is_empty() => By::Names(names.clone()),
            (None, Some(selector)) if !selector.match_labels.is_empty() => {
                By::Labels(selector.match_labels.clone())
            }
            (_, _) => return Err(invalid("windows", "exactly one of names and selector")),
        };
        let windows = Selection { by, schedules: windows.schedules.clone().unwrap_or_default() };
        let WindowGate { at, on_close, require_fit } = spec.window_gate.clone().unwrap_or_default();
        let at = at.unwrap_or_else(|| vec![GatePoint::Start]);
        Ok(Some(Self {
            windows,
            start: at.contains(&GatePoint::Start),
            advance: at.contains(&GatePoint::Advance),
            promote: at.contains(&GatePoint::Promote),
            on_close: on_close.unwrap_or_default(),
            require_fit: require_fit.unwrap_or(false),
        }))
    }
}
