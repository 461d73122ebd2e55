//! Binding a verb of a window to an opening: what is open, or what is next.

use super::{Request, Verb};
use crate::api::maintenance_window::MaintenanceWindowStatus;

/// Why a verb of a window cannot be bound. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// The status has no opening that the verb could be for.
    #[error("{what}, so there is no opening to {verb}: {state}")]
    NoOpening {
        /// What is missing.
        what: &'static str,
        /// The word of the verb.
        verb: &'static str,
        /// Phase and message of the window.
        state: String,
    },
    /// The composed annotation would be refused.
    #[error("{0}")]
    Malformed(String),
}

/// The opening that a verb is for: `opening` if that is given, else what the status says is open, or
/// next for [`Verb::Skip`].
///
/// # Errors
///
/// [`Unbound`] when there is none.
pub fn bind(
    verb: Verb,
    status: Option<&MaintenanceWindowStatus>,
    opening: Option<&str>,
) -> Result<String, Unbound> {
    if let Some(opening) = opening {
        return Ok(opening.to_owned());
    }
    let (what, found) = match verb {
        Verb::Close | Verb::Extend(_) => {
            let current = status.and_then(|status| status.current.as_ref());
            ("nothing is open", current.map(|current| &current.id))
        }
        Verb::Skip => {
            let next = status.and_then(|status| status.next.as_ref());
            ("nothing is to come", next.map(|next| &next.id))
        }
    };
    found.cloned().ok_or_else(|| Unbound::NoOpening {
        what,
        verb: verb.as_str(),
        state: state(status),
    })
}

fn state(status: Option<&MaintenanceWindowStatus>) -> String {
    let phase = status.and_then(|status| status.phase);
    let Some((status, phase)) = status.zip(phase) else {
        return "the operator has not looked at the window yet".to_owned();
    };
    let message = status.message.as_deref().unwrap_or_default();
    if message.is_empty() {
        format!("the window is {}", phase.as_str())
    } else {
        format!("the window is {} ({message})", phase.as_str())
    }
}

/// The value of the annotation; the nonce makes the same words a new request.
///
/// # Errors
///
/// [`Unbound::Malformed`] when the operator would not understand it.
pub fn compose(verb: Verb, opening: &str, nonce: &str) -> Result<String, Unbound> {
    let value = format!("{verb}@{opening}#{nonce}");
    let parsed = Request::parse(&value).map_err(Unbound::Malformed)?;
    if parsed == (Request { verb, opening }) {
        Ok(value)
    } else {
        Err(Unbound::Malformed(format!("{opening:?} is no id of an opening")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::duration::Duration;

    /// Open, with another opening to come.
    fn open() -> MaintenanceWindowStatus {
        serde_json::from_value(json!({
            "phase": "Open", "message": "open until Sun 6 Dec 2026 04:00 CET",
            "current": {
                "id": "weekly-20261206T0100Z", "parts": [], "opensAt": "2026-12-06T01:00:00Z",
                "closesAt": "2026-12-06T03:00:00Z", "closes": "Sun 6 Dec 2026 04:00 CET",
                "openedAt": "2026-12-06T01:00:00Z", "spec": {"timeZone": "Europe/Berlin"},
            },
            "next": {
                "id": "weekly-20261213T0100Z", "schedules": ["weekly"],
                "opensAt": "2026-12-13T01:00:00Z", "closesAt": "2026-12-13T03:00:00Z",
                "local": "Sun 13 Dec 2026 02:00–04:00 CET",
            },
        }))
        .unwrap()
    }

    fn closed() -> MaintenanceWindowStatus {
        let status = json!({"phase": "Suspended", "message": "suspended"});
        serde_json::from_value(status).unwrap()
    }

    #[track_caller]
    fn check(
        verb: Verb,
        status: Option<&MaintenanceWindowStatus>,
        opening: Option<&str>,
        expected: Result<&str, &str>,
    ) {
        let bound = bind(verb, status, opening).and_then(|opening| compose(verb, &opening, "n1"));
        let seen = bound.map_err(|error| error.to_string());
        assert_eq!(seen.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_verb_is_bound_to_what_is_open_and_skip_to_what_is_next() {
        let extend = Verb::Extend(Duration::from_secs(5_400));
        check(Verb::Close, Some(&open()), None, Ok("close@weekly-20261206T0100Z#n1"));
        check(extend, Some(&open()), None, Ok("extend=1h30m@weekly-20261206T0100Z#n1"));
        check(Verb::Skip, Some(&open()), None, Ok("skip@weekly-20261213T0100Z#n1"));
    }

    #[test]
    fn an_opening_that_is_named_takes_its_place() {
        check(Verb::Close, Some(&open()), Some("a-1"), Ok("close@a-1#n1"));
        check(Verb::Skip, None, Some("a-1"), Ok("skip@a-1#n1"));
    }

    #[test]
    fn a_verb_for_nothing_says_what_the_window_does() {
        check(
            Verb::Close,
            Some(&closed()),
            None,
            Err(
                "nothing is open, so there is no opening to close: the window is Suspended (suspended)",
            ),
        );
        check(
            Verb::Skip,
            Some(&closed()),
            None,
            Err(
                "nothing is to come, so there is no opening to skip: the window is Suspended (suspended)",
            ),
        );
        check(
            Verb::Extend(Duration::from_secs(60)),
            None,
            None,
            Err(
                "nothing is open, so there is no opening to extend: the operator has not looked at \
                 the window yet",
            ),
        );
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        for opening in ["", "a#b", &"x".repeat(300)] {
            assert!(compose(Verb::Close, opening, "n").is_err(), "{opening}");
        }
        assert!(compose(Verb::Extend(Duration::ZERO), "a", "n").is_err());
    }
}
