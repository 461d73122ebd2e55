//! The spec, parsed once into types that cannot be wrong.

mod gate;
mod release;
#[cfg(test)]
mod tests;

pub use gate::Gate;
pub use release::{Release, Settings, Source, digest_of, held_revision};

use super::criteria::Criteria;
use crate::{
    api::{
        analysis::OnFailure,
        canary_rollout::{
            Approve, CanaryRolloutSpec, OnTimeout, Preset, STEPS_MAX, Smoke as RawSmoke,
            Step as RawStep,
        },
        check::Check as RawCheck,
        duration::Duration,
    },
    checks::Check,
    invocations,
};

/// Most bytes of all payloads of a rollout: they are frozen in the status with their steps. The API
/// server counts characters; this is for those of several bytes, too.
const PAYLOADS_MAX: usize = 4 * 65_536;
/// Longest that all holds of a rollout may take together.
pub const HOLDS_MAX: Duration = Duration::from_secs(168 * 3_600);

/// What a CanaryRollout asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// Function name.
    pub function: String,
    /// Alias name.
    pub alias: String,
    /// What shall be served.
    pub release: Release,
    /// How it gets there; 100 follows the last one.
    pub steps: Steps,
    /// How long the release is watched after 100.
    pub bake: Duration,
    /// What the new version is judged by.
    pub criteria: Criteria,
    /// What a failure leads to.
    pub on_failure: OnFailure,
    /// How many revisions ago a release may have been promoted that skips the steps; 0 for none.
    pub rollback_window: usize,
    /// The windows that it obeys; none: none.
    pub gate: Option<Gate>,
    /// How many older versions of ours are kept; none: all.
    pub keep_versions: Option<usize>,
    /// What must hold before the start.
    pub checks: Vec<Check>,
    /// What must hold at 100 and after the bake.
    pub post_checks: Vec<Check>,
}

/// At most 32 steps, with weights that rise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The canary gets this percentage, 1 to 99, for at least `hold`.
    Weight {
        /// Percentage, 1 to 99.
        percent: i32,
        /// Least time before the next step.
        hold: Duration,
        /// Invocations that it must have had before the next step.
        min_invocations: Option<i64>,
        /// Longest wait for data and invocations, from the start of the step.
        max_wait: Option<Duration>,
    },
    /// A person decides.
    Approve {
        /// What the person should look at; empty when nothing was said.
        message: String,
        /// How long to wait; none: without limit.
        timeout: Option<Duration>,
        /// What silence means.
        on_timeout: OnTimeout,
    },
    /// The new version is invoked directly.
    Smoke(Smoke),
}

/// What a smoke test sends, and what it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smoke {
    /// The event, in JSON.
    pub payload: String,
    /// The `statusCode` that the returned object must have; none: any object will do.
    pub expect_status: Option<i64>,
    /// The longest that the invocation may take.
    pub max_duration: Duration,
}

/// A spec that cannot work. The API server refuses these, too; this is for specs that it let in
/// under older rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.{field} must be {expected}")]
pub struct InvalidSpec {
    /// Path below spec.
    pub field: String,
    /// What it has to be.
    pub expected: &'static str,
}

pub(super) fn invalid(field: impl Into<String>, expected: &'static str) -> InvalidSpec {
    InvalidSpec { field: field.into(), expected }
}

/// How many revisions ago a release may have been promoted that skips the steps; 0 for none.
pub fn window(spec: &CanaryRolloutSpec) -> usize {
    let window = spec.rollback_window.as_ref();
    window.and_then(|window| usize::try_from(window.revisions).ok()).unwrap_or(0)
}

impl Rollout {
    /// Parses a spec.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first field that cannot work.
    pub fn parse(spec: &CanaryRolloutSpec) -> Result<Self, InvalidSpec> {
        let release = Release::parse(spec)?;
        let steps = match (&spec.steps, spec.preset) {
            (Some(steps), None) => Steps::parse(steps, "steps")?,
            (None, Some(preset)) => Steps::parse(&expand(preset), "preset")?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(invalid("steps", "given, or spec.preset, but not both"));
            }
        };
        let criteria = Criteria::parse(spec.analysis.as_ref())?;
        criteria.are_awaited_by(&steps)?;
        let rollout = Self {
            function: spec.function.name.clone(),
            alias: spec.function.alias.clone(),
            release,
            steps,
            bake: spec.bake.unwrap_or_default(),
            criteria,
            on_failure: spec.on_failure.unwrap_or_default(),
            rollback_window: window(spec),
            gate: Gate::parse(spec)?,
            keep_versions: match &spec.history {
                Some(history) => match usize::try_from(history.keep_versions) {
                    Ok(keep @ 1..) => Some(keep),
                    Ok(0) | Err(_) => return Err(invalid("history.keepVersions", "1 to 100")),
                },
                None => None,
            },
            checks: parse_checks(spec.checks.as_deref(), "checks")?,
            post_checks: parse_checks(spec.post_checks.as_deref(), "postChecks")?,
        };
        if rollout.judges_nothing() {
            return Err(invalid(
                "analysis.metrics",
                "given together with a step with a weight, a bake or postChecks: else it judges nothing",
            ));
        }
        Ok(rollout)
    }

    /// Whether there are metrics, but no time at which anybody is served and they are looked at.
    fn judges_nothing(&self) -> bool {
        !self.criteria.metrics.is_empty()
            && !self.steps.mix()
            && self.bake == Duration::ZERO
            && self.post_checks.is_empty()
    }
}

impl Steps {
    /// Parses steps; `field` is where they stand below spec.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first step that cannot work.
    pub fn parse(raw: &[RawStep], field: &str) -> Result<Self, InvalidSpec> {
        if raw.len() > STEPS_MAX {
            return Err(invalid(field, "at most 32 steps"));
        }
        let mut steps = Vec::with_capacity(raw.len());
        let (mut last, mut holds) = (0, 0_u64);
        for (index, raw) in raw.iter().enumerate() {
            let step = parse_step(raw, &format!("{field}[{index}]"))?;
            if let Step::Weight { percent, hold, .. } = &step {
                if *percent <= last {
                    let at = format!("{field}[{index}].weight");
                    return Err(invalid(at, "more than the weight before it"));
                }
                last = *percent;
                holds = holds.saturating_add(hold.as_secs());
            }
            steps.push(step);
        }
        let payload = |step: &Step| match step {
            Step::Smoke(smoke) => smoke.payload.len(),
            Step::Weight { .. } | Step::Approve { .. } => 0,
        };
        if steps.iter().map(payload).fold(0, usize::saturating_add) > PAYLOADS_MAX {
            return Err(invalid(
                field,
                "steps whose smoke payloads are at most 65536 characters together",
            ));
        }
        if holds > HOLDS_MAX.as_secs() {
            return Err(invalid(field, "steps whose holds are at most 168h together"));
        }
        Ok(Self(steps))
    }

    /// The steps in the API's form, to be frozen in the status.
    #[must_use]
    pub fn to_api(&self) -> Vec<RawStep> {
        self.0.iter().map(Step::to_api).collect()
    }

    /// Number of steps before 100.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the release goes straight to 100.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether two versions share the alias on the way.
    #[must_use]
    pub fn mix(&self) -> bool {
        self.weight_at(self.len()) > 0
    }

    /// The step at `index`; none once the alias is at 100.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Step> {
        self.0.get(index)
    }

    /// Weight that the canary has once step `index` is entered: that of the last weight up to it.
    #[must_use]
    pub fn weight_at(&self, index: usize) -> i32 {
        self.0
            .iter()
            .take(index.saturating_add(1))
            .filter_map(Step::percent)
            .next_back()
            .unwrap_or(0)
    }

    /// Weight that the canary has before step `index` is entered.
    #[must_use]
    pub fn weight_before(&self, index: usize) -> i32 {
        index.checked_sub(1).map_or(0, |previous| self.weight_at(previous))
    }
}

impl Step {
    /// The weight that this step sets, if it sets one.
    #[must_use]
    pub fn percent(&self) -> Option<i32> {
        match self {
            Self::Weight { percent, .. } => Some(*percent),
            Self::Approve { .. } | Self::Smoke(_) => None,
        }
    }

    fn to_api(&self) -> RawStep {
        match self {
            Self::Weight { percent, hold, min_invocations, max_wait } => RawStep {
                weight: Some(*percent),
                hold: Some(*hold),
                min_invocations: min_invocations.and_then(|least| least.try_into().ok()),
                max_wait: *max_wait,
                ..RawStep::default()
            },
            Self::Smoke(Smoke { payload, expect_status, max_duration }) => RawStep {
                smoke: Some(RawSmoke {
                    payload: Some(payload.clone()),
                    expect_status: expect_status.and_then(|status| status.try_into().ok()),
                    max_duration: Some(*max_duration),
                }),
                ..RawStep::default()
            },
            Self::Approve { message, timeout, on_timeout } => RawStep {
                approve: Some(Approve {
                    message: Some(message.clone()).filter(|text| !text.is_empty()),
                    timeout: *timeout,
                    on_timeout: Some(*on_timeout),
                }),
                ..RawStep::default()
            },
        }
    }
}

fn parse_checks(raw: Option<&[RawCheck]>, field: &str) -> Result<Vec<Check>, InvalidSpec> {
    Check::parse_all(raw.unwrap_or_default())
        .map_err(|wrong| invalid(format!("{field}{}", wrong.field), wrong.expected))
}

fn parse_step(raw: &RawStep, field: &str) -> Result<Step, InvalidSpec> {
    match raw {
        RawStep {
            weight: Some(percent),
            hold,
            min_invocations,
            max_wait,
            approve: None,
            smoke: None,
        } => {
            if !(1..=99).contains(percent) {
                return Err(invalid(format!("{field}.weight"), "1 to 99; 100 is implied"));
            }
            let hold = hold.unwrap_or_default();
            if max_wait.is_some_and(|max_wait| max_wait < hold) {
                return Err(invalid(format!("{field}.maxWait"), "at least as long as hold"));
            }
            Ok(Step::Weight {
                percent: *percent,
                hold,
                min_invocations: min_invocations.map(i64::from),
                max_wait: *max_wait,
            })
        }
        RawStep {
            weight: None,
            hold: None,
            min_invocations: None,
            max_wait: None,
            approve: Some(approve),
            smoke: None,
        } => Ok(Step::Approve {
            message: approve.message.clone().unwrap_or_default(),
            timeout: approve.timeout,
            on_timeout: approve.on_timeout.unwrap_or_default(),
        }),
        RawStep {
            weight: None,
            hold: None,
            min_invocations: None,
            max_wait: None,
            approve: None,
            smoke: Some(smoke),
        } => parse_smoke(smoke, field),
        RawStep { .. } => {
            Err(invalid(field, "a weight with its hold, or an approve, or a smoke test"))
        }
    }
}

fn parse_smoke(raw: &RawSmoke, field: &str) -> Result<Step, InvalidSpec> {
    let payload = invocations::payload(raw.payload.as_deref())
        .ok_or_else(|| invalid(format!("{field}.smoke.payload"), "JSON"))?;
    let max_duration = invocations::max_duration(raw.max_duration)
        .ok_or_else(|| invalid(format!("{field}.smoke.maxDuration"), "1s to 60s"))?;
    let expect_status = raw.expect_status.map(i64::from);
    Ok(Step::Smoke(Smoke { payload, expect_status, max_duration }))
}

/// A preset as steps. Source: AWS SAM developer guide, DeploymentPreference.
fn expand(preset: Preset) -> Vec<RawStep> {
    let weights = |percents: &[i32], minutes: u64| {
        let hold = Some(Duration::from_secs(minutes.saturating_mul(60)));
        let step = |weight: &i32| RawStep { weight: Some(*weight), hold, ..RawStep::default() };
        percents.iter().map(step).collect::<Vec<_>>()
    };
    let linear = |minutes| weights(&[10, 20, 30, 40, 50, 60, 70, 80, 90], minutes);
    match preset {
        Preset::Canary10Percent5Minutes => weights(&[10], 5),
        Preset::Canary10Percent10Minutes => weights(&[10], 10),
        Preset::Canary10Percent15Minutes => weights(&[10], 15),
        Preset::Canary10Percent30Minutes => weights(&[10], 30),
        Preset::Linear10PercentEvery1Minute => linear(1),
        Preset::Linear10PercentEvery2Minutes => linear(2),
        Preset::Linear10PercentEvery3Minutes => linear(3),
        Preset::Linear10PercentEvery10Minutes => linear(10),
        Preset::AllAtOnce => Vec::new(),
    }
}
