//! What not every run has: the random ones together must have seen all of it.

use groundcrew::api::{
    canary_rollout::{CanaryRollout, Phase},
    maintenance_window::{GateReason, MaintenanceWindow, Outcome},
    window_alarms::SwitchState,
};

use super::{ALIAS, MAIN, NAMESPACE, State, kubernetes::key};

/// Something that a run may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    SmokePassed,
    SmokeFailed,
    /// Lambda moved provisioned concurrency while a rollout waited for it.
    ProvisionAwaited,
    /// It could not move.
    ProvisionFailed,
    /// Another rollout names the same alias and waits.
    AliasTaken,
    /// It moved the alias once the older one was gone.
    SameAliasMoved,
    /// Another rollout moved another alias of the function.
    OtherAliasMoved,
    /// Another rollout of another Namespace moved an alias.
    OtherNamespaceMoved,
    /// Two were in flight at once.
    FlownTogether,
    /// An old version was deleted for a rollout.
    Pruned,
    /// Somebody deleted a version.
    VersionTaken,
    /// There was no way back, because somebody deleted the version to go back to.
    NoWayBack,
    /// An alarm that fired already kept a release from starting.
    AlarmBlocked,
    /// An alarm that fired already was ignored.
    AlarmIgnored,
    /// An alarm took a release back.
    AlarmFired,
    /// The Namespace was deleted while a rollout in it was in flight.
    NamespaceEnded,
    /// Something that had to go back was sent.
    GoneBack,
    /// What a person did was answered.
    Answered,
    /// A release waited for a window.
    WindowAwaited,
    /// A rollout on its way waited for a window.
    WindowHeld,
    /// What was left did not fit before the close.
    WindowTooShort,
    /// A rollout went back because a window closed.
    WindowSentBack,
    /// Nothing could be asked of a window: there was none, or it was not looked at.
    WindowUnknown,
    WindowOpened,
    WindowCompleted,
    WindowMissed,
    WindowCancelled,
    WindowExtended,
    /// A window without schedules was open.
    WindowAlways,
    WindowDark,
    /// A change of the clocks was told of an opening.
    ClocksChanged,
    EmergencyOpened,
    /// All alarms of an open window were quiet.
    AlarmsSilenced,
    /// Alarms were to be quiet, and were not yet.
    AlarmsAwaited,
    /// An alarm that was quiet was in ALARM at the close.
    StillInAlarm,
    /// Alarms were off because of a window.
    AlarmsOff,
    /// A window left an alarm as a person had switched it.
    AlarmLeft,
    /// Two windows had the same alarm off.
    AlarmShared,
}

impl Sight {
    /// All of them, and in how many of a thousand random runs each must be at the least.
    pub const ALL: [(Self, usize); 38] = [
        (Self::SmokePassed, 60),
        (Self::SmokeFailed, 15),
        (Self::ProvisionAwaited, 30),
        (Self::ProvisionFailed, 15),
        (Self::AliasTaken, 100),
        (Self::SameAliasMoved, 4),
        (Self::OtherAliasMoved, 100),
        (Self::OtherNamespaceMoved, 60),
        (Self::FlownTogether, 80),
        (Self::Pruned, 80),
        (Self::VersionTaken, 30),
        (Self::NoWayBack, 10),
        (Self::AlarmBlocked, 30),
        (Self::AlarmIgnored, 30),
        (Self::AlarmFired, 3),
        (Self::NamespaceEnded, 12),
        (Self::GoneBack, 100),
        (Self::Answered, 500),
        (Self::WindowAwaited, 80),
        (Self::WindowHeld, 30),
        (Self::WindowTooShort, 4),
        (Self::WindowSentBack, 12),
        (Self::WindowUnknown, 60),
        (Self::WindowOpened, 130),
        (Self::WindowCompleted, 130),
        (Self::WindowMissed, 4),
        (Self::WindowCancelled, 16),
        (Self::WindowExtended, 3),
        (Self::WindowAlways, 30),
        (Self::WindowDark, 30),
        (Self::ClocksChanged, 12),
        (Self::EmergencyOpened, 35),
        (Self::AlarmsSilenced, 50),
        (Self::AlarmsAwaited, 15),
        (Self::StillInAlarm, 2),
        (Self::AlarmsOff, 30),
        (Self::AlarmLeft, 8),
        (Self::AlarmShared, 2),
    ];
}

impl State {
    /// Something happened that not every run has.
    pub fn saw(&mut self, sight: Sight) {
        self.sights.insert(sight);
    }

    /// What a status tells.
    pub(super) fn look_at_status(&mut self, object: &CanaryRollout) {
        let Some(status) = &object.status else { return };
        let mut conditions = status.conditions.iter();
        let ready = conditions.find(|one| one.type_ == "Ready");
        match ready.map_or("", |ready| ready.reason.as_str()) {
            "AliasTaken" => self.saw(Sight::AliasTaken),
            "AlarmAlreadyFiring" => self.saw(Sight::AlarmBlocked),
            "ProvisionedConcurrencyPending" => self.saw(Sight::ProvisionAwaited),
            "ProvisionedConcurrencyFailed" => self.saw(Sight::ProvisionFailed),
            "StableVersionGone" => self.saw(Sight::NoWayBack),
            "WindowTooShort" => self.saw(Sight::WindowTooShort),
            "WindowMissing" | "WindowUnusable" => self.saw(Sight::WindowUnknown),
            _ => {}
        }
        match status.ending.as_ref().map_or("", |ending| ending.reason.as_str()) {
            "AlarmFiring" => self.saw(Sight::AlarmFired),
            "WindowClosed" => self.saw(Sight::WindowSentBack),
            _ => {}
        }
        if status.phase == Some(Phase::WaitingWindow) {
            let flies = status.step.is_some();
            self.saw(if flies { Sight::WindowHeld } else { Sight::WindowAwaited });
        }
        if let Some(step) = &status.step {
            if let Some(smoke) = &step.smoke {
                self.saw(if smoke.passed { Sight::SmokePassed } else { Sight::SmokeFailed });
            }
            if !status.ignored_alarms.is_empty() {
                self.saw(Sight::AlarmIgnored);
            }
        }
        let flies =
            |one: &CanaryRollout| one.status.as_ref().is_some_and(|status| status.step.is_some());
        let other = self.objects().any(|one| key(one) != key(object) && flies(one));
        if status.step.is_some() && other {
            self.saw(Sight::FlownTogether);
        }
    }

    /// What the status of a window tells.
    pub(super) fn look_at_window(&mut self, window: &MaintenanceWindow) {
        let Some(status) = &window.status else { return };
        let open = status.gate.as_ref().is_some_and(|gate| gate.open);
        let dark = status.gate.as_ref().is_some_and(|gate| gate.reason == GateReason::Blackout);
        let current = status.current.as_ref();
        let extended = current.is_some_and(|current| current.extended_by.is_some());
        let moved = status.upcoming.iter().any(|opening| !opening.note.is_empty());
        let mut conditions = status.conditions.iter();
        let silenced = conditions.find(|one| one.type_ == "AlarmsSilenced");
        let silenced = silenced.map(|one| one.status.as_str());
        let has = |one: &MaintenanceWindow, state: SwitchState, name: Option<&str>| {
            let status = one.status.as_ref();
            let silenced = status.and_then(|status| status.silenced.as_ref()).into_iter();
            let regions = silenced.flat_map(|silenced| &silenced.regions);
            let mut alarms = regions.flat_map(|region| &region.alarms);
            alarms.any(|alarm| alarm.state == state && name.is_none_or(|name| name == alarm.name))
        };
        let off = |one: &MaintenanceWindow, name| has(one, SwitchState::Off, name);
        let others = || self.windows().filter(|one| key(*one) != key(window));
        let red = Some("red");
        let shared = off(window, red) && others().any(|other| off(other, red));
        let loud = status.history.iter().any(|entry| !entry.still_in_alarm.is_empty());
        let sights = [
            (Sight::WindowOpened, open && current.is_some()),
            (Sight::WindowAlways, open && current.is_none()),
            (Sight::WindowDark, dark),
            (Sight::WindowExtended, extended),
            (Sight::ClocksChanged, moved),
            (Sight::EmergencyOpened, open && window.spec.emergency.is_some()),
            (Sight::AlarmsSilenced, open && silenced == Some("True")),
            (Sight::AlarmsAwaited, open && silenced == Some("False")),
            (Sight::StillInAlarm, loud),
            (Sight::AlarmsOff, off(window, None)),
            (Sight::AlarmLeft, has(window, SwitchState::Left, None)),
            (Sight::AlarmShared, shared),
        ];
        let outcomes = status.history.iter().filter_map(|entry| match entry.outcome {
            Outcome::Completed => Some(Sight::WindowCompleted),
            Outcome::Missed => Some(Sight::WindowMissed),
            Outcome::Cancelled => Some(Sight::WindowCancelled),
            // No scenario has to have checks or tasks.
            Outcome::Failed => None,
        });
        let seen = sights.into_iter().filter_map(|(sight, seen)| seen.then_some(sight));
        self.sights.extend(seen.chain(outcomes));
    }

    /// An alias was moved on behalf of an object.
    pub(super) fn look_at_move(&mut self, by: &str, alias: &str) {
        if by == MAIN {
            return;
        }
        let same = alias == ALIAS;
        self.saw(if same { Sight::SameAliasMoved } else { Sight::OtherAliasMoved });
        if !by.starts_with(&format!("{NAMESPACE}/")) {
            self.saw(Sight::OtherNamespaceMoved);
        }
    }

    /// What is counted to the end of a run.
    pub fn look_at_end(&mut self) {
        let (gone_back, answered) =
            (self.invariants.prompt.gone_back, self.invariants.prompt.answered);
        if gone_back > 0 {
            self.saw(Sight::GoneBack);
        }
        if answered > 0 {
            self.saw(Sight::Answered);
        }
    }
}
