//! Provisioned concurrency of the alias: Lambda keeps everybody at the version that has environments
//! until another one has its own.

use std::time::Duration;

use groundcrew::facts::lambda::{
    Alias, AliasChange, Provisioned, ProvisionedStatus, VersionWeight,
};
use tokio::time::Instant;

use super::functions::{INVALID, LATEST, Refusal};

/// How long provisioned concurrency takes to move.
const MOVE: Duration = Duration::from_secs(90);
/// How long Lambda may take until it begins to move, and how long such a move takes: longer than any
/// single fault hides it.
const LATE: Duration = Duration::from_secs(20);
const LATE_MOVE: Duration = Duration::from_secs(270);
/// Execution environments that were asked for.
const REQUESTED: i64 = 10;

/// Provisioned concurrency of the alias.
#[derive(Clone, Debug)]
pub struct Provision {
    /// Whether environments of another version fail to start.
    pub fails: bool,
    /// Whether moves begin only some time after the alias was set.
    late: bool,
    /// The version that has environments.
    serving: String,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Ready,
    Waiting { to: String, begins_at: Instant },
    Moving { to: String, ends_at: Instant },
    Failed,
}

impl Provision {
    /// This version has all environments.
    pub fn of(serving: &str, fails: bool) -> Self {
        Self { fails, late: false, serving: serving.to_owned(), stage: Stage::Ready }
    }

    /// The same, and moves begin late.
    pub fn late(serving: &str, fails: bool) -> Self {
        Self { late: true, ..Self::of(serving, fails) }
    }

    /// A move that is due begins; the weights that the alias has from now on.
    pub fn begins(&mut self) -> Option<Vec<VersionWeight>> {
        let Stage::Waiting { to, begins_at } = &self.stage else { return None };
        if *begins_at > Instant::now() {
            return None;
        }
        self.stage = Stage::Moving { to: to.clone(), ends_at: *begins_at + LATE_MOVE };
        Some(self.held())
    }

    /// Everybody stays at the version that has environments.
    fn held(&self) -> Vec<VersionWeight> {
        vec![VersionWeight { version: self.serving.clone(), weight: 1.0 }]
    }

    /// A move that is due ends; whether it ended well just now.
    pub fn ends(&mut self) -> bool {
        let Stage::Moving { to, ends_at } = &self.stage else { return false };
        if *ends_at > Instant::now() {
            return false;
        }
        if self.fails {
            self.stage = Stage::Failed;
            return false;
        }
        self.serving = to.clone();
        self.stage = Stage::Ready;
        true
    }

    /// The weights that a change of the alias ends with.
    pub fn follow(
        &mut self,
        alias: &Alias,
        change: &AliasChange,
    ) -> Result<Vec<VersionWeight>, Refusal> {
        let asked: Vec<_> = change.weight.clone().into_iter().collect();
        if change.version == alias.version {
            return match self.stage {
                Stage::Moving { .. } if asked.is_empty() || asked == alias.weights => {
                    Ok(alias.weights.clone())
                }
                Stage::Moving { .. } => Err(INVALID),
                Stage::Ready | Stage::Waiting { .. } | Stage::Failed => Ok(asked),
            };
        }
        if !asked.is_empty() || change.version == LATEST {
            return Err(INVALID);
        }
        // Back to the version that has environments still: over at once.
        if change.version == self.serving {
            self.stage = Stage::Ready;
            return Ok(Vec::new());
        }
        let (to, now) = (change.version.clone(), Instant::now());
        if self.late {
            self.stage = Stage::Waiting { to, begins_at: now + LATE };
            return Ok(Vec::new());
        }
        self.stage = Stage::Moving { to, ends_at: now + MOVE };
        Ok(self.held())
    }

    /// Whether a move came to nothing.
    pub fn failed(&self) -> bool {
        self.stage == Stage::Failed
    }

    /// GetProvisionedConcurrencyConfig.
    pub fn described(&self) -> Provisioned {
        let (status, reason) = match self.stage {
            Stage::Ready | Stage::Waiting { .. } => (ProvisionedStatus::Ready, ""),
            Stage::Moving { .. } => (ProvisionedStatus::InProgress, ""),
            Stage::Failed => (ProvisionedStatus::Failed, "FUNCTION_ERROR_INIT_FAILURE"),
        };
        let allocated = if status == ProvisionedStatus::Ready { REQUESTED } else { 0 };
        Provisioned { status, reason: reason.to_owned(), requested: REQUESTED, allocated }
    }
}
