//! Conditions in the form that `kubectl wait` and kstatus understand: Ready always; Reconciling and
//! Stalled only while they are true.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::fit::{MESSAGE_MAX, cut};

/// What a kind says of its readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// As the spec asks.
    Ready,
    /// On the way there, without anybody's help.
    Reconciling,
    /// Somebody has to do something first.
    Stalled,
}

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Type of the condition.
    pub kind: &'static str,
    /// True or False.
    pub holds: bool,
    /// Why, in CamelCase.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

/// Ready, and Reconciling or Stalled beside it while they are true.
#[must_use]
pub fn readiness(readiness: Readiness, reason: &str, message: &str) -> Vec<Statement> {
    let statement = |kind, holds| Statement {
        kind,
        holds,
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    let ready = statement("Ready", readiness == Readiness::Ready);
    match readiness {
        Readiness::Ready => vec![ready],
        Readiness::Reconciling => vec![ready, statement("Reconciling", true)],
        Readiness::Stalled => vec![ready, statement("Stalled", true)],
    }
}

/// Suspended keeps the last Ready and says so.
#[must_use]
pub fn suspended(old: &[Condition], message: &str) -> Vec<Statement> {
    let ready = old.iter().any(|old| old.type_ == "Ready" && old.status == "True");
    vec![Statement {
        kind: "Ready",
        holds: ready,
        reason: "Suspended".into(),
        message: message.to_owned(),
    }]
}

/// Turns statements into conditions. A condition whose status did not change keeps its transition
/// time; one that is no longer stated goes away. The API server takes messages of 32 KiB, people read
/// less: longer ones are cut.
#[must_use]
pub fn merge(
    old: &[Condition],
    statements: Vec<Statement>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let merged = statements.into_iter().map(|statement| {
        let mut message = statement.message;
        cut(&mut message, MESSAGE_MAX);
        let status = if statement.holds { "True" } else { "False" };
        let since = old
            .iter()
            .find(|old| old.type_ == statement.kind && old.status == status)
            .map_or(Time(now), |old| old.last_transition_time.clone());
        Condition {
            type_: statement.kind.to_owned(),
            status: status.to_owned(),
            reason: statement.reason,
            message,
            observed_generation: generation,
            last_transition_time: since,
        }
    });
    merged.collect()
}

/// Puts one condition in the place of what was said of it, or takes it away. `old` is what was
/// published, for the time of its transition.
pub fn restate(
    all: &mut Vec<Condition>,
    old: &[Condition],
    kind: &str,
    statement: Option<Statement>,
    generation: Option<i64>,
    now: Timestamp,
) {
    all.retain(|condition| condition.type_ != kind);
    all.extend(merge(old, statement.into_iter().collect(), generation, now));
    all.sort_by(|a, b| a.type_.cmp(&b.type_));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_condition_keeps_its_time_while_its_status_stays() {
        let first =
            merge(&[], readiness(Readiness::Reconciling, "Progressing", "10%"), Some(1), at(1));
        let second =
            merge(&first, readiness(Readiness::Reconciling, "Progressing", "50%"), Some(2), at(2));
        assert_eq!(second[0].last_transition_time, Time(at(1)));
        assert_eq!(second[0].message, "50%");
        assert_eq!(second[0].observed_generation, Some(2));
    }

    #[test]
    fn a_changed_status_gets_a_new_time_and_what_is_over_goes_away() {
        let first = merge(&[], readiness(Readiness::Stalled, "Conflict", "moved"), Some(1), at(1));
        let second = merge(&first, readiness(Readiness::Ready, "Promoted", "ok"), Some(1), at(9));
        let kinds: Vec<_> = second.iter().map(|c| (c.type_.as_str(), c.status.as_str())).collect();
        assert_eq!(kinds, [("Ready", "True")]);
        assert_eq!(second[0].last_transition_time, Time(at(9)));
    }
}
