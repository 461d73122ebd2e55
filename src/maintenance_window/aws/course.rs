//! What is written after a write that failed.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    aws::operations::Operation,
    maintenance_window::{decide::Action, error::Error},
};

/// Most refusals of parts in one pass. One alarm among a hundred is found by seven. At 2.5 calls/s a
/// pass comes to its end also where no call is taken.
const REFUSALS_MAX: usize = 16;

/// Carries out writes: first what brings alarms back, each in order.
///
/// One that makes alarms quiet and fails is the last one. What brings them back goes on: no alarm is to
/// stay quiet because of another rule, alarm or region. Where several alarms were refused
/// together, each half of them is tried, down to the one that AWS refuses; as many as a pass may take,
/// and in each pass from another alarm on.
///
/// # Errors
///
/// The first failure.
pub async fn carry_out<F>(
    actions: &[Action],
    now: Timestamp,
    write: impl Fn(Action) -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let mut failed = Failed::default();
    for action in actions.iter().filter(|action| action.brings_back()) {
        if !failed.in_vain(action)
            && let Err(error) = write(action.clone()).await
        {
            failed.note(action.clone(), error);
        }
    }
    let mut parts = failed.parts(turn(now));
    let mut left = REFUSALS_MAX;
    while let Some(part) = parts.pop().filter(|_| left > 0) {
        if !failed.in_vain(&part)
            && let Err(error) = write(part.clone()).await
        {
            left = left.saturating_sub(1);
            failed.note(part, error);
            parts.extend(failed.parts(0));
        }
    }
    if let Some(first) = failed.first {
        return Err(first);
    }
    for action in actions.iter().filter(|action| !action.brings_back()) {
        write(action.clone()).await?;
    }
    Ok(())
}

/// What failed of what brings alarms back.
#[derive(Default)]
struct Failed {
    first: Option<Error>,
    /// Regions where a call failed that was not refused: nothing answers there, or takes us.
    regions: BTreeSet<String>,
    /// Refused, but for some of their alarms perhaps.
    refused: Vec<Action>,
}

impl Failed {
    /// Whether nothing more is tried where this is.
    fn in_vain(&self, action: &Action) -> bool {
        self.regions.contains(action.region())
    }

    fn note(&mut self, action: Action, error: Error) {
        if !error.is_refusal() {
            self.regions.insert(action.region().to_owned());
        } else if is_of_alarms(&error) {
            self.refused.push(action);
        }
        self.first.get_or_insert(error);
    }

    /// The halves of what was refused since this was asked last.
    fn parts(&mut self, turn: usize) -> Vec<Action> {
        let mut refused = std::mem::take(&mut self.refused);
        let first = turn.checked_rem(refused.len()).unwrap_or_default();
        refused.rotate_left(first);
        refused.into_iter().flat_map(|action| halves(action, turn)).collect()
    }
}

/// Whether it is the switching that was refused, and not the look before.
fn is_of_alarms(error: &Error) -> bool {
    match error {
        Error::SwitchOn { source, .. } => {
            source.operation == Operation::CloudWatchEnableAlarmActions
        }
        Error::NoSession(_)
        | Error::ReadAlarms { .. }
        | Error::ReadRules { .. }
        | Error::Mute { .. }
        | Error::SwitchOff { .. }
        | Error::Unmute { .. } => false,
    }
}

/// The two halves of what switches several alarms on, from another alarm on in each turn.
fn halves(action: Action, turn: usize) -> Vec<Action> {
    let Action::SwitchOn { region, mut alarms } = action else { return Vec::new() };
    if alarms.len() < 2 {
        return Vec::new();
    }
    let first = turn.checked_rem(alarms.len()).unwrap_or_default();
    alarms.rotate_left(first);
    let half = alarms.len().div_ceil(2);
    let part = |alarms: &[_]| Action::SwitchOn { region: region.clone(), alarms: alarms.to_vec() };
    alarms.chunks(half).map(part).collect()
}

/// Another number in each pass, however regularly they come.
fn turn(now: Timestamp) -> usize {
    let mixed = now.as_second().unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    usize::try_from(mixed).unwrap_or_default()
}
