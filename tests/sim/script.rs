//! What people and other tools do while the operator works.

use std::time::Duration;

use groundcrew::{
    api::{
        ACTION_ANNOTATION, FINALIZER,
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Phase, Preset, Release, Step},
        maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
        shared::Mode,
        windows::Windows,
    },
    facts::{
        cloudwatch::AlarmState,
        codedeploy::Stage,
        lambda::{Alias, Invocation, VersionWeight},
    },
};
use kube::ResourceExt as _;

use crate::{
    releases::archive,
    world::{ALIAS, MAIN, State, functions::answered, windows::WindowEdit},
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
    /// A person deletes the Namespace.
    DeleteNamespace,
    /// A person deletes a version.
    DeleteVersion(&'static str),
    /// A person deletes the stable version, once no alias names it.
    DeleteStable,
    /// The new version answers smoke tests with this status, or, without one, not at all.
    Smoke(Option<u16>),
    /// Another tool points the alias at one version.
    ForeignVersion(&'static str),
    /// Another tool gives a version a share of the alias.
    ForeignWeight(&'static str, f64),
    /// Another tool puts the alias as it was before the last foreign change.
    PutBack,
    /// From now on AWS denies the calls whose names begin so.
    Deny(&'static str),
    /// From now on AWS throttles the calls whose names begin so.
    Throttle(&'static str),
    /// AWS answers these calls again.
    Allow(&'static str),
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
    /// Somebody makes an alarm, or puts it again.
    AlarmMade(&'static str),
    /// The same, and it does not act.
    AlarmMadeOff(&'static str),
    /// Somebody lets an alarm act, or not.
    AlarmSwitched(&'static str, bool),
    /// Somebody deletes an alarm.
    AlarmDeleted(&'static str),
    /// CloudWatch takes so many mute rules.
    RulesMax(usize),
    /// The same is done to the other object.
    Other(Box<Edit>),
    /// Somebody does something to the window of this name.
    Window(&'static str, WindowEdit),
    /// Changes which windows the object obeys.
    Windows(Option<Windows>),
    /// The node of the operator dies, and no other process follows for so many seconds.
    Away(u64),
    /// All clocks are set by so many seconds.
    ClockStep(i64),
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
    /// The window of most scenarios, as the API server has it.
    pub window: Option<&'a MaintenanceWindow>,
}

impl View<'_> {
    fn status(&self) -> Option<&CanaryRolloutStatus> {
        self.object?.status.as_ref()
    }

    /// What the window tells.
    pub fn window(&self) -> Option<&MaintenanceWindowStatus> {
        self.window?.status.as_ref()
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
        self.edit_at(MAIN, edit);
    }

    fn edit_at(&mut self, key: &str, edit: &Edit) {
        match edit {
            Edit::Release(version) => self.release(key, |release| {
                release.version = Some((*version).to_owned());
            }),
            Edit::ReleaseArchive(name) => self.release(key, |release| *release = archive(name)),
            Edit::ReleaseLatest => self.release(key, |release| release.latest = Some(true)),
            Edit::ForeignCode(code) => self.lambda.functions.somebody_updates(code),
            Edit::Preset(preset) => self.edit_object(key, |object| {
                object.spec.steps = None;
                object.spec.preset = Some(*preset);
            }),
            Edit::Steps(steps) => self.edit_object(key, |object| {
                object.spec.steps = Some(steps.clone());
                object.spec.preset = None;
            }),
            Edit::Suspend(suspend) => {
                self.edit_object(key, |object| object.spec.suspend = Some(*suspend));
            }
            Edit::Mode(mode) => self.edit_object(key, |object| object.spec.mode = Some(*mode)),
            Edit::Verb(verb, nonce) => self.annotate_verb(key, verb, false, *nonce),
            Edit::StepVerb(verb, nonce) => self.annotate_verb(key, verb, true, *nonce),
            Edit::RawVerb(value) => self.annotate(key, value),
            Edit::Abandon => self.abandon(key),
            Edit::Delete => self.delete_object(key),
            Edit::DeleteNamespace => self.delete_namespace(key),
            Edit::DropFinalizer => {
                let drop = |object: &mut CanaryRollout| {
                    object.finalizers_mut().retain(|one| one != FINALIZER);
                };
                self.edit_object(key, drop);
                self.person_took_finalizer(key);
            }
            Edit::WipeStatus => self.empty_status(key),
            Edit::DeleteVersion(version) => self.somebody_deletes(version),
            Edit::DeleteStable => self.somebody_deletes_stable(key),
            Edit::ForeignVersion(to) => self.foreign(&self.alias_of(key), Some(*to), None),
            Edit::ForeignWeight(version, weight) => {
                let share = VersionWeight { version: (*version).to_owned(), weight: *weight };
                self.foreign(&self.alias_of(key), None, Some(share));
            }
            Edit::PutBack => self.put_back(&self.alias_of(key)),
            Edit::Other(edit) => {
                let other = self.other.as_ref().map_or(key, |other| &other.key).to_owned();
                self.edit_at(&other, edit);
            }
            Edit::Smoke(status) => {
                self.lambda.functions.invocation = status.map_or(Invocation::Unanswered, answered);
            }
            Edit::Deny(calls) => self.denied.push(calls),
            Edit::Throttle(calls) => self.throttled.push(calls),
            Edit::Allow(calls) => self.allow(calls),
            Edit::Kill | Edit::Away(_) | Edit::ClockStep(_) => self.edit_node(edit),
            Edit::Window(name, edit) => self.edit_window(name, edit),
            Edit::Windows(windows) => self.obey(key, windows.as_ref()),
            Edit::Traffic(version, invocations, errors) => {
                self.cloudwatch.traffic.insert(version, (*invocations, *errors));
            }
            Edit::Database(status) => self.databases.instance = status,
            Edit::Deployment(stage) => self.codedeploy.deployment = Some(*stage),
            Edit::AlarmMade(name) => self.configure_alarm(name, true),
            Edit::AlarmMadeOff(name) => self.configure_alarm(name, false),
            Edit::AlarmSwitched(name, on) => self.switch_alarm(name, *on),
            Edit::AlarmDeleted(name) => self.delete_alarm(name),
            Edit::RulesMax(most) => self.cloudwatch.alarms.rules_max = Some(*most),
            Edit::Alarm(name, state) => self.set_alarm(name, *state),
        }
    }

    fn allow(&mut self, calls: &str) {
        self.denied.retain(|one| *one != calls);
        self.throttled.retain(|one| *one != calls);
    }

    /// What happens to the node of the operator.
    fn edit_node(&mut self, edit: &Edit) {
        if let Edit::ClockStep(seconds) = edit {
            return self.step_clocks(*seconds);
        }
        if let Edit::Away(seconds) = edit {
            self.away = Duration::from_secs(*seconds);
        }
        self.crash();
    }

    fn obey(&mut self, key: &str, windows: Option<&Windows>) {
        self.edit_object(key, |object| {
            object.spec.windows = windows.cloned();
            object.spec.window_gate.take_if(|_| windows.is_none());
        });
    }

    /// The alias that an object names.
    fn alias_of(&self, key: &str) -> String {
        let other = self.other.as_ref().filter(|other| other.key == key);
        other.map_or(ALIAS, |other| other.alias).to_owned()
    }

    fn release(&mut self, key: &str, change: impl FnOnce(&mut Release)) {
        self.edit_object(key, |object| {
            object.spec.release = Release::default();
            change(&mut object.spec.release);
        });
    }

    fn somebody_deletes_stable(&mut self, key: &str) {
        let status = self.object(key).and_then(|object| object.status.as_ref());
        let stable = status.and_then(|status| status.stable.as_ref());
        if let Some(version) = stable.map(|stable| stable.version.clone()) {
            self.somebody_deletes(&version);
        }
    }

    fn annotate(&mut self, key: &str, value: &str) {
        self.edit_object(key, |object| {
            object.annotations_mut().insert(ACTION_ANNOTATION.into(), value.into());
        });
    }

    fn annotate_verb(&mut self, key: &str, verb: &str, with_step: bool, nonce: u32) {
        let Some(status) = self.object(key).and_then(|object| object.status.as_ref()) else {
            return;
        };
        let revision = status.revision.clone().unwrap_or_default();
        let step = status.step.as_ref().map_or(0, |step| step.index);
        let target = if with_step { format!("{revision}/{step}") } else { revision };
        self.annotate(key, &format!("{verb}@{target}#{nonce}"));
    }
}
