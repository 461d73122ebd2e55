//! How long a failed object waits. Spread by its name, so that objects that failed together do not
//! come back together, and the same way each time.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::error::Remedy;

/// First wait when the same pass may work soon.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// Longest wait when the same pass may work soon: at 2 in the morning nobody wants to wait longer
/// after AWS is back.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Wait when AWS asked for patience.
const LATER: Duration = Duration::from_secs(15);
/// Wait when others went first: a look at what is at rest is of no hurry.
const NEXT_TURN: Duration = Duration::from_secs(60);
/// Wait when somebody has to change something that we do not see.
const AWAIT_EDIT: Duration = Duration::from_secs(120);

/// The wait after `failures` passes in a row that failed: up to a quarter longer than its base.
pub(super) fn after(remedy: Remedy, failures: u32, namespace: &str, name: &str) -> Duration {
    let base = match remedy {
        Remedy::Retry => {
            let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
            RETRY_FIRST.saturating_mul(doubled).min(RETRY_MAX)
        }
        Remedy::Later => LATER,
        Remedy::NextTurn => NEXT_TURN,
        Remedy::AwaitEdit => AWAIT_EDIT,
    };
    let quarter = u64::try_from(base.as_millis()).unwrap_or(u64::MAX) >> 2;
    base.saturating_add(Duration::from_millis(hash(namespace, name, quarter)))
}

/// A number of seconds below `most`, always the same for the same object.
pub(super) fn spread(namespace: &str, name: &str, most: u64) -> i64 {
    i64::try_from(hash(namespace, name, most)).unwrap_or(0)
}

fn hash(namespace: &str, name: &str, below: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, name).hash(&mut hasher);
    hasher.finish().checked_rem(below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_a_quarter() {
        let wait = |failures| after(Remedy::Retry, failures, "ns", "name");
        assert!(wait(1) >= RETRY_FIRST && wait(1) < RETRY_FIRST * 2);
        assert!(wait(3) >= RETRY_FIRST * 4);
        assert!(wait(1_000) <= RETRY_MAX + RETRY_MAX / 4);
    }

    #[test]
    fn objects_that_failed_together_come_back_apart() {
        let waits: std::collections::HashSet<_> =
            (0..100).map(|n| after(Remedy::Later, 1, "ns", &n.to_string())).collect();
        assert!(waits.len() > 90);
    }
}
