//! What people and other tools do while the operator works.

use std::time::Duration;

use groundcrew::{
    api::{
        ACTION_ANNOTATION, FINALIZER,
        canary_rollout::{
            CanaryRollout, CanaryRolloutStatus, OnTimeout, Phase, Preset, Release, Step,
        },
        shared::Mode,
    },
    facts::{
        cloudwatch::AlarmState,
        codedeploy::Stage,
        lambda::{Alias, VersionWeight},
    },
};
use kube::ResourceExt as _;

use crate::{
    faults::Random,
    releases::archive,
    scenarios::{approval, weight},
    world::{NAME, State},
};

/// One thing that somebody does.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Asks for another version.
    Release(&'static str),
    /// Asks for an archive in S3.
    ReleaseArchive(&'static str),
    /// Asks for what `$LATEST` holds.
    ReleaseLatest,
    /// Another tool updates the code of `$LATEST`.
    ForeignCode(&'static str),
    /// Changes the steps to a preset.
    Preset(Preset),
    /// Changes the steps.
    Steps(Vec<Step>),
    /// Sets or clears `spec.suspend`.
    Suspend(bool),
    /// Sets `spec.mode`.
    Mode(Mode),
    /// Gives a verb for the current revision, with a nonce: `abort`.
    Verb(&'static str, u32),
    /// Gives a verb for the current revision and step, with a nonce: `promote`.
    StepVerb(&'static str, u32),
    /// Gives a verb with a target of its own.
    RawVerb(&'static str),
    /// Sets the annotation that lets go without undoing.
    Abandon,
    /// Deletes the object.
    Delete,
    /// Takes our finalizer away.
    DropFinalizer,
    /// Empties the status.
    WipeStatus,
    /// A person deletes a version.
    DeleteVersion(&'static str),
    /// Another tool points the alias at one version.
    ForeignVersion(&'static str),
    /// Another tool gives a version a share of the alias.
    ForeignWeight(&'static str, f64),
    /// Another tool puts the alias as it was before the last foreign change.
    PutBack,
    /// From now on AWS denies the calls whose names begin so.
    Deny(&'static str),
    /// The node of the operator dies.
    Kill,
    /// A version gets this many invocations and errors a minute from now on.
    Traffic(&'static str, f64, f64),
    /// The database changes its status.
    Database(&'static str),
    /// A deployment of CodeDeploy gets on.
    Deployment(Stage),
    /// An alarm changes its state.
    Alarm(&'static str, AlarmState),
}

impl Edit {
    /// Something that somebody might do at any time.
    pub fn draw(random: &mut Random) -> Self {
        let nonce = u32::try_from(random.below(1_000)).expect("small");
        let version = random.pick(&["42", "43", "44", "45"]);
        match random.below(33) {
            0..=2 => Self::Release(version),
            3 => Self::Preset(random.pick(&[Preset::AllAtOnce, Preset::Canary10Percent5Minutes])),
            4 => Self::Steps(vec![weight(5, 60), approval(Some(90), OnTimeout::Promote)]),
            5 => Self::Suspend(true),
            6 | 7 => Self::Suspend(false),
            8 => Self::Verb("pause", nonce),
            9 | 10 => Self::Verb("resume", nonce),
            11 => Self::Verb("promote-full", nonce),
            12 | 13 => Self::Verb("abort", nonce),
            14 | 15 => Self::Verb("retry", nonce),
            16 => Self::StepVerb("promote", nonce),
            17 => Self::StepVerb("skip-step", nonce),
            18 => Self::RawVerb("promote-full@000000000000"),
            19 => random.pick(&[Self::Delete, Self::DropFinalizer, Self::Abandon]),
            20 => Self::WipeStatus,
            21 => Self::ForeignVersion(version),
            22 => Self::ForeignWeight(version, 0.25),
            23 => Self::ReleaseArchive(random.pick(&["a.zip", "b.zip"])),
            24 => Self::ReleaseLatest,
            25 => Self::ForeignCode(random.pick(&["sha-of-x", "sha-of-y"])),
            28 => Self::Traffic(version, 100.0, random.pick(&[0.0, 40.0])),
            29 => Self::Traffic(version, 0.0, 0.0),
            30 => Self::Alarm("red", AlarmState::Alarm),
            31 => Self::Alarm("red", AlarmState::Ok),
            26 | 27 => Self::Mode(random.pick(&[Mode::Audit, Mode::Enforce])),
            _ => random.pick(&[Self::PutBack, Self::Kill]),
        }
    }
}

/// When something is done: `after` it is so.
pub struct Rule {
    /// What must be so.
    pub when: fn(&View<'_>) -> bool,
    /// How long after that.
    pub after: Duration,
    /// What is done then.
    pub edit: Edit,
}

/// `after_seconds` it is so, this is done.
pub fn rule(when: fn(&View<'_>) -> bool, after_seconds: u64, edit: Edit) -> Rule {
    Rule { when, after: Duration::from_secs(after_seconds), edit }
}

/// At once.
pub fn always(_: &View<'_>) -> bool {
    true
}

/// The first step was entered.
pub fn first_step(view: &View<'_>) -> bool {
    view.entered(0)
}

/// The second step was entered.
pub fn second_step(view: &View<'_>) -> bool {
    view.entered(1)
}

/// The alias is at 100, and watched.
pub fn baking(view: &View<'_>) -> bool {
    view.phase(Phase::Baking)
}

/// The alias serves the release.
pub fn healthy(view: &View<'_>) -> bool {
    view.phase(Phase::Healthy)
}

/// A person ended it.
pub fn aborted(view: &View<'_>) -> bool {
    view.phase(Phase::Aborted)
}

/// What conditions are asked of.
pub struct View<'a> {
    /// The object, as the API server has it.
    pub object: Option<&'a CanaryRollout>,
    /// The alias, as Lambda has it.
    pub alias: Option<&'a Alias>,
}

impl View<'_> {
    fn status(&self) -> Option<&CanaryRolloutStatus> {
        self.object?.status.as_ref()
    }

    /// The phase is this one.
    pub fn phase(&self, phase: Phase) -> bool {
        self.status().and_then(|status| status.phase) == Some(phase)
    }

    /// This step was entered.
    pub fn entered(&self, index: i32) -> bool {
        let step = self.status().and_then(|status| status.step.as_ref());
        step.is_some_and(|step| step.index == index && step.entered_at.is_some())
    }

    /// The condition Ready has this reason.
    pub fn ready_reason(&self, reason: &str) -> bool {
        let conditions = self.status().map(|status| &status.conditions);
        let mut ready = conditions.into_iter().flatten().filter(|one| one.type_ == "Ready");
        ready.any(|one| one.reason == reason)
    }

    /// A person paused the rollout.
    pub fn paused(&self) -> bool {
        self.status().is_some_and(|status| status.paused_at.is_some())
    }

    /// The alias is at this version.
    pub fn serves(&self, version: &str) -> bool {
        self.alias.is_some_and(|alias| alias.version == version)
    }
}

impl State {
    /// Carries an edit out. What makes no sense any more (the object is gone) does nothing.
    pub fn edit(&mut self, edit: &Edit) {
        self.note(format!("      somebody: {edit:?}"));
        match edit {
            Edit::Release(version) => self.edit_object(|object| {
                let version = Some((*version).to_owned());
                object.spec.release = Release { version, ..Release::default() };
            }),
            Edit::ReleaseArchive(key) => self.edit_object(|object| {
                object.spec.release = archive(key);
            }),
            Edit::ReleaseLatest => self.edit_object(|object| {
                object.spec.release = Release { latest: Some(true), ..Release::default() };
            }),
            Edit::ForeignCode(code) => self.lambda.functions.somebody_updates(code),
            Edit::Preset(preset) => self.edit_object(|object| {
                object.spec.steps = None;
                object.spec.preset = Some(*preset);
            }),
            Edit::Steps(steps) => self.edit_object(|object| {
                object.spec.steps = Some(steps.clone());
                object.spec.preset = None;
            }),
            Edit::Suspend(suspend) => {
                self.edit_object(|object| object.spec.suspend = Some(*suspend));
            }
            Edit::Mode(mode) => self.edit_object(|object| object.spec.mode = Some(*mode)),
            Edit::Verb(verb, nonce) => self.annotate_verb(verb, false, *nonce),
            Edit::StepVerb(verb, nonce) => self.annotate_verb(verb, true, *nonce),
            Edit::RawVerb(value) => self.edit_object(|object| {
                object.annotations_mut().insert(ACTION_ANNOTATION.into(), (*value).into());
            }),
            Edit::Abandon => self.abandon(),
            Edit::Delete => self.delete_object(),
            Edit::DropFinalizer => {
                self.edit_object(|object| object.finalizers_mut().retain(|one| one != FINALIZER));
                self.person_took_finalizer();
            }
            Edit::WipeStatus => self.empty_status(),
            Edit::DeleteVersion(version) => self.somebody_deletes(version),
            Edit::ForeignVersion(version) => self.foreign(|alias| {
                alias.version = (*version).to_owned();
                alias.weights.clear();
            }),
            Edit::ForeignWeight(version, weight) => self.foreign(|alias| {
                alias.weights =
                    vec![VersionWeight { version: (*version).to_owned(), weight: *weight }];
            }),
            Edit::PutBack => self.put_back(),
            Edit::Deny(calls) => self.denied.push(calls),
            Edit::Kill => self.crash(),
            Edit::Traffic(version, invocations, errors) => {
                self.cloudwatch.traffic.insert(version, (*invocations, *errors));
            }
            Edit::Database(status) => self.databases.instance = status,
            Edit::Deployment(stage) => self.codedeploy.deployment = Some(*stage),
            Edit::Alarm(name, state) => {
                self.cloudwatch.alarms.insert(name, *state);
            }
        }
    }

    fn annotate_verb(&mut self, verb: &str, with_step: bool, nonce: u32) {
        let Some(status) = self.object(NAME).and_then(|object| object.status.as_ref()) else {
            return;
        };
        let revision = status.revision.clone().unwrap_or_default();
        let step = status.step.as_ref().map_or(0, |step| step.index);
        let target = if with_step { format!("{revision}/{step}") } else { revision };
        let value = format!("{verb}@{target}#{nonce}");
        self.edit_object(|object| {
            object.annotations_mut().insert(ACTION_ANNOTATION.into(), value);
        });
    }
}
