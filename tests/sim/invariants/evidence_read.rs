//! C2: a step that is judged by metrics is left only on evidence: an answer that is whole, of minutes
//! after the step began, with calls of the new version, as few errors as allowed, and as many calls
//! as `minInvocations` asks for.

use std::collections::BTreeMap;

use groundcrew::api::canary_rollout::{CanaryRollout, CanaryRolloutStatus, Outcome};
use jiff::Timestamp;

use crate::history::Evidence;

/// Share of errors that the scenarios allow.
const ERRORS_MAX: f64 = 0.05;

/// Calls and errors by the start of the minute.
type Minutes = BTreeMap<Timestamp, (f64, f64)>;

fn sums(minutes: &Minutes) -> (f64, f64) {
    let values = minutes.values();
    values.fold((0.0, 0.0), |(calls, errors), more| (calls + more.0, errors + more.1))
}

/// What was read of the new version.
#[derive(Debug, Default)]
pub struct EvidenceRead {
    answers: Vec<Evidence>,
}

impl EvidenceRead {
    /// CloudWatch gave an answer.
    pub fn read(&mut self, evidence: &Evidence) {
        self.answers.push(evidence.clone());
    }

    /// A status was written over that of `before`, and no person hurried: what is wrong with leaving
    /// the step that it stood at.
    pub fn left(
        &self,
        before: &CanaryRollout,
        after: &CanaryRolloutStatus,
    ) -> Option<(&'static str, String)> {
        let old = before.status.as_ref()?;
        let step = old.step.as_ref()?;
        let entered = step.entered_at.as_ref()?.0;
        let on = after.revision == old.revision
            && after.step.as_ref().is_some_and(|now| now.index > step.index);
        let promoted =
            after.ending.as_ref().is_some_and(|ending| ending.outcome == Outcome::Promoted);
        let judged = before.spec.analysis.as_ref().is_some_and(|it| it.metrics.is_some());
        let declared = old.steps.get(usize::try_from(step.index).ok()?)?;
        if !judged || old.ending.is_some() || !(on || promoted) || declared.weight.is_none() {
            return None;
        }
        let since: Vec<_> = self.answers.iter().filter(|it| it.span.until > entered).collect();
        let Some(last) = since.last() else {
            return Some(("C2", format!("step {} was left without any answer", step.index)));
        };
        // What was read of the minutes before says nothing of this step.
        let own = |it: &Evidence| it.minutes.range(entered..).map(|(at, it)| (*at, *it)).collect();
        let mut known = Minutes::new();
        since.iter().filter(|it| it.whole).for_each(|it| known.extend::<Minutes>(own(it)));
        let (calls, _) = sums(&known);
        let (invocations, errors) = sums(&own(last));
        let least = declared.min_invocations.map_or(1.0, f64::from);
        let wrong = if !last.whole {
            "on data that was not whole"
        } else if invocations == 0.0 {
            "on no data"
        } else if calls < least {
            "on too few calls"
        } else if errors > invocations * ERRORS_MAX {
            "on too many errors"
        } else {
            return None;
        };
        Some(("C2", format!("step {} was left {wrong}: {last:?}", step.index)))
    }
}
