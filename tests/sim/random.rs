//! Many faults at random, beside whatever people might do; then quiet, and a look at what is left.

mod edits;
mod openings;
mod rest;

use std::time::Duration;

use groundcrew::{
    api::{
        analysis::{AlreadyFiring, Analysis},
        canary_rollout::{CanaryRollout, History, OnConflict, OnTimeout, Preset, Step},
    },
    facts::cloudwatch::AlarmState,
};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use self::openings::Openings;
pub use self::{edits::edit, rest::unrest};
use crate::{
    evidence::{error_rate, with_alarm},
    explore::{EPOCH_SECOND, Run, simulate_from},
    faults::{Faults, Random},
    releases::smoke,
    scenarios::{approval, minutes, rollout, weight},
    script::{Edit, Rule, baking, rule},
    world::{
        ALIAS, MAIN, NAMESPACE, Other, State,
        functions::{Functions, answered},
    },
};

/// How long faults and edits happen.
const WILD: Duration = minutes(20);
/// How long after that everything must have come to rest: all holds, time-outs and polls fit.
const QUIET: Duration = minutes(45);
/// Most edits of a run.
const EDITS: u64 = 8;
/// Versions that were published for the rollout before it starts.
const OLD: std::ops::RangeInclusive<u64> = 40..=45;
/// The other alias of the function, and the other Namespace.
const OTHER_ALIAS: &str = "staging";
const OTHER_NAMESPACE: &str = "freight";

/// Runs a seed. Returns what went wrong, and the run.
pub fn run(seed: u64) -> (Vec<String>, Run) {
    let mut random = Random::new(seed);
    let edits = u32::try_from(random.below(EDITS)).expect("small");
    let (rarity, edit_rarity) = (random.pick(&[3, 8, 15, 40]), random.pick(&[4, 12, 30]));
    let opening = Opening::draw(&mut random);
    let windows = opening.windows.is_some();
    let draw = move || {
        let until = Instant::now() + WILD;
        Faults::Drawn { random, until, rarity, edits, edit_rarity, windows }
    };
    let rules = opening.rules();
    let begins = opening.windows.as_ref().and_then(|windows| windows.begins);
    let begins = begins.unwrap_or(EPOCH_SECOND);
    let run = simulate_from(begins, move |state| opening.set(state), rules, draw, WILD + QUIET);
    let mut found = run.violations.clone();
    found.extend(run.unrest.clone());
    (found, run)
}

/// What is there before the operator starts.
struct Opening {
    release: Release,
    on_conflict: OnConflict,
    judged: Option<Judged>,
    provisioned: Option<Provisioned>,
    /// Old versions are deleted.
    pruned: bool,
    /// Smoke tests fail.
    broken: bool,
    /// While it is watched at 100, the version that it left is deleted, and a person takes it back.
    no_way_back: bool,
    other: Option<Neighbour>,
    windows: Option<Openings>,
}

/// How the new version gets there.
#[derive(Clone)]
enum Release {
    Preset(Preset),
    Steps(Vec<Step>),
    /// Two steps, and there is no alias yet.
    FirstUse,
    /// Two steps, and the mark has no room.
    Unmarked,
}

/// What it is judged by.
#[derive(Clone)]
struct Judged {
    /// The alarm at the start.
    alarm: AlarmState,
    already_firing: Option<AlreadyFiring>,
}

/// The alias has provisioned concurrency.
#[derive(Clone)]
struct Provisioned {
    late: bool,
    fails: bool,
}

/// Another rollout of the same function.
#[derive(Clone)]
struct Neighbour {
    alias: &'static str,
    namespace: &'static str,
    /// It goes to 100 at once, and is watched there.
    at_once: bool,
}

fn two_steps() -> Vec<Step> {
    vec![weight(10, 90), weight(50, 90)]
}

impl Release {
    fn draw(random: &mut Random) -> Self {
        let by = |steps: &[Step]| Self::Steps(steps.to_vec());
        match random.below(9) {
            0 => Self::Preset(Preset::Canary10Percent5Minutes),
            1 => Self::Preset(Preset::AllAtOnce),
            2 => by(&[weight(10, 30), approval(Some(240), OnTimeout::Abort), weight(50, 30)]),
            3 => Self::FirstUse,
            4 => Self::Unmarked,
            5 => by(&[smoke(), weight(10, 90), weight(50, 90)]),
            6 => by(&[weight(10, 60), smoke(), weight(50, 60)]),
            _ => by(&two_steps()),
        }
    }
}

impl Neighbour {
    fn draw(random: &mut Random) -> Option<Self> {
        let (alias, namespace) = match random.below(8) {
            0 => (ALIAS, NAMESPACE),
            1 => (ALIAS, OTHER_NAMESPACE),
            2 => (OTHER_ALIAS, NAMESPACE),
            3 => (OTHER_ALIAS, OTHER_NAMESPACE),
            _ => return None,
        };
        Some(Self { alias, namespace, at_once: random.one_in(2) })
    }

    /// It was made after the other one, and starts from a version that only its alias names.
    fn set(&self, state: &mut State) {
        let (steps, preset) = match self.at_once {
            true => (None, Some(Preset::AllAtOnce)),
            false => (Some(two_steps()), None),
        };
        let mut object = rollout("44", steps, preset);
        let later = state.now() + SignedDuration::from_secs(1);
        object.metadata.name = Some("neighbour".into());
        object.metadata.namespace = Some(self.namespace.into());
        object.metadata.creation_timestamp = Some(Time(later));
        object.spec.function.alias = self.alias.into();
        object.spec.bake = self.at_once.then(|| "5m".parse().expect("a duration"));
        if self.alias != ALIAS {
            state.lambda.add_alias(self.alias, *OLD.start() + 1);
        }
        state.other =
            Some(Other { key: format!("{}/neighbour", self.namespace), alias: self.alias });
        state.create_object(object);
    }
}

impl Opening {
    fn draw(random: &mut Random) -> Self {
        let fires = |random: &mut Random| Judged {
            alarm: random.pick(&[AlarmState::Ok, AlarmState::Ok, AlarmState::Alarm]),
            already_firing: random.pick(&[None, Some(AlreadyFiring::Ignore)]),
        };
        let moves =
            |random: &mut Random| Provisioned { late: random.one_in(2), fails: random.one_in(3) };
        Self {
            release: Release::draw(random),
            on_conflict: random.pick(&[OnConflict::Hold, OnConflict::Adopt, OnConflict::Enforce]),
            judged: random.one_in(2).then(|| fires(random)),
            provisioned: random.one_in(6).then(|| moves(random)),
            pruned: random.one_in(3),
            broken: random.one_in(4),
            no_way_back: random.one_in(8),
            other: Neighbour::draw(random),
            windows: random.one_in(3).then(|| Openings::draw(random, EPOCH_SECOND)),
        }
    }

    fn rules(&self) -> Vec<Rule> {
        if !self.no_way_back {
            return Vec::new();
        }
        vec![rule(baking, 30, Edit::DeleteStable), rule(baking, 5, Edit::Verb("abort", 1))]
    }

    fn set(&self, state: &mut State) {
        state.lambda.functions = Functions::numbered(OLD);
        if let Some(Provisioned { late, fails }) = self.provisioned {
            if late { state.lambda.provision_late(fails) } else { state.lambda.provision(fails) }
        }
        let mut object = self.object(state);
        if self.pruned {
            state.lambda.functions.published_for(MAIN);
            object.spec.history = Some(History { keep_versions: 1 });
        }
        if self.broken {
            state.lambda.functions.invocation = answered(500);
        }
        object.spec.on_conflict = Some(self.on_conflict);
        if let Some(Judged { alarm, already_firing }) = &self.judged {
            state.cloudwatch.ordinary = Some((100.0, 1.0));
            state.cloudwatch.alarms.insert("red", *alarm);
            let mut analysis = Analysis { alarms: with_alarm().alarms, ..error_rate() };
            analysis.alarms.as_mut().expect("alarms").already_firing = *already_firing;
            object.spec.analysis = Some(analysis);
            object.spec.bake = Some("5m".parse().expect("a duration"));
        }
        if let Some(windows) = &self.windows {
            windows.set(state, &mut object);
        }
        state.create_object(object);
        if let Some(other) = &self.other {
            other.set(state);
        }
    }

    fn object(&self, state: &mut State) -> CanaryRollout {
        match &self.release {
            Release::Preset(preset) => rollout("43", None, Some(*preset)),
            Release::Steps(steps) => rollout("43", Some(steps.clone()), None),
            Release::FirstUse => {
                state.lambda.without_alias();
                rollout("43", Some(two_steps()), None)
            }
            Release::Unmarked => {
                state.lambda.describe(&"x".repeat(250));
                rollout("43", Some(two_steps()), None)
            }
        }
    }
}
