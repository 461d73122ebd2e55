//! What not every run has: the random ones together must have seen all of it.

use groundcrew::api::canary_rollout::CanaryRollout;

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
}

impl Sight {
    /// All of them, and in how many of a thousand random runs each must be at the least.
    pub const ALL: [(Self, usize); 18] = [
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
            _ => {}
        }
        if status.ending.as_ref().is_some_and(|ending| ending.reason == "AlarmFiring") {
            self.saw(Sight::AlarmFired);
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
