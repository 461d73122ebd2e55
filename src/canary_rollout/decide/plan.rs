//! A plan: plain data that says what to write, what to tell, and when to look again.

use std::fmt;

use jiff::Timestamp;

use super::{situation::SETTLED_POLL, unread::Unread, window::WindowWord};
use crate::{
    api::{
        canary_rollout::{Phase, PreflightFinding},
        check::CheckStage,
    },
    canary_rollout::{memory::Memory, rollout::Smoke},
    facts::{
        lambda::{AliasChange, CodeChange, CodeSource, ConfigurationChange, Publication},
        surplus::Surplus,
    },
};

pub use crate::plan::{Note, Revisit};

/// What a pass does and says.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to remember; published before the next pass acts on it.
    pub memory: Memory,
    /// What to tell.
    pub report: Report,
    /// AWS writes, in order.
    pub actions: Vec<Action>,
    /// Writes that go forward are not sent after this: a window closes then.
    pub not_after: Option<Timestamp>,
    /// Whether deletion of the object must wait for us.
    pub finalizer: bool,
    /// Things to tell once, beyond changes of phase and step.
    pub notes: Vec<Note>,
    /// When to look again.
    pub revisit: Revisit,
    /// Checks on which it depends: they are to run, and then it is to be decided again.
    pub needs: Option<CheckStage>,
    /// Names of those of them that are not to run now.
    pub spared: Vec<String>,
    /// What speaks against the release that is to start; none when nothing is about to start.
    pub findings: Option<Vec<PreflightFinding>>,
    /// What a rule lacked: the pass fails for it, and what was told stays. None when nothing failed.
    pub unread: Option<Unread>,
    /// In Audit: what would be done, in order. Not chosen here: it takes many decisions.
    pub ahead: Vec<String>,
}

/// What the status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The phase.
    pub phase: Phase,
    /// Why, in CamelCase: the reason of the conditions.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
    /// Percentage that the canary has by the alias, if the alias could be read that way.
    pub weight: Option<i32>,
    /// Until when a hold or an approval lasts.
    pub hold_until: Option<Timestamp>,
    /// What is different about the alias; none when it is as it was left.
    pub difference: Option<String>,
    /// Revision id of the alias; none when there is no alias.
    pub alias_revision: Option<String>,
    /// What the windows say; none where nothing waits for them.
    pub window: Option<WindowWord>,
}

/// A write to AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make the alias, serving one version.
    CreateAlias {
        /// Function name.
        function: String,
        /// Alias name.
        alias: String,
        /// Version that it serves.
        version: String,
        /// Whom it is made for.
        description: String,
    },
    /// Move the alias.
    UpdateAlias {
        /// What it becomes.
        change: AliasChange,
        /// What for.
        purpose: Purpose,
    },
    /// Replace the code of `$LATEST`.
    UpdateFunctionCode(CodeChange),
    /// Change the settings of `$LATEST`.
    UpdateFunctionConfiguration(ConfigurationChange),
    /// Make a version of what `$LATEST` holds.
    PublishVersion(Publication),
    /// Delete an old version that was published for this rollout.
    DeleteVersion(Surplus),
    /// Invoke a version.
    Invoke {
        /// Function name.
        function: String,
        /// Version number.
        version: String,
        /// What is sent, and what is expected.
        smoke: Smoke,
    },
}

/// What a write is for: undo goes first where calls are scarce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Back to the stable version.
    Undo,
    /// A step forward.
    Advance,
    /// From `$LATEST` to the version that holds the same.
    Initialize,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateAlias { function, alias, version, .. } => {
                write!(f, "CreateAlias {function}:{alias} at version {version}")
            }
            Self::UpdateAlias { change, .. } => {
                write!(
                    f,
                    "UpdateAlias {}:{} to version {}",
                    change.function, change.alias, change.version
                )?;
                match &change.weight {
                    Some(extra) => {
                        write!(f, " with {} at {}", extra.version, percentage(extra.weight))
                    }
                    None => write!(f, " alone"),
                }
            }
            Self::UpdateFunctionCode(CodeChange { function, source, .. }) => match source {
                CodeSource::Image { uri } => {
                    write!(f, "UpdateFunctionCode {function} from image {uri}")
                }
                CodeSource::S3 { bucket, key, .. } => {
                    write!(f, "UpdateFunctionCode {function} from s3://{bucket}/{key}")
                }
            },
            Self::UpdateFunctionConfiguration(change) => {
                let ConfigurationChange { function, memory_mb, timeout_secs, runtime, .. } = change;
                write!(f, "UpdateFunctionConfiguration {function}")?;
                let memory = memory_mb.map(|mb| format!("memory {mb} MB"));
                let timeout = timeout_secs.map(|secs| format!("timeout {secs} s"));
                let runtime = runtime.as_ref().map(|runtime| format!("runtime {runtime}"));
                let all: Vec<String> = [memory, timeout, runtime].into_iter().flatten().collect();
                write!(f, " to {}", all.join(", "))
            }
            Self::PublishVersion(publication) => {
                write!(f, "PublishVersion {}", publication.function)
            }
            Self::DeleteVersion(surplus) => write!(f, "DeleteFunction {surplus}"),
            Self::Invoke { function, version, .. } => {
                write!(f, "Invoke {function} version {version}")
            }
        }
    }
}

/// A share of invocations for people, with up to four decimals: `10%`.
pub(super) fn percentage(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Plan {
    /// Whether the next look comes as late as at what is at rest.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        matches!(self.revisit, Revisit::At(then) if then.duration_since(now) >= SETTLED_POLL)
    }

    /// The same, with a look at `then` at the latest.
    pub(super) fn no_later_than(mut self, then: Timestamp) -> Self {
        self.revisit = self.revisit.no_later_than(then);
        self
    }

    /// A changed memory is acted on by the next pass, at once, after it was published: a crash
    /// between a write and its record would else leave an alias that nobody remembers to have moved.
    pub(super) fn with_changes_of(mut self, before: &Memory) -> Self {
        let Memory { flight, revision, publishing, .. } = &self.memory;
        let same = (flight, revision, publishing)
            == (&before.flight, &before.revision, &before.publishing);
        if !same {
            self.actions.clear();
            self.revisit = Revisit::Now;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::lambda::VersionWeight;

    #[test]
    fn a_weight_is_shown_without_rounding_errors() {
        let weight = |percent: i32| Action::UpdateAlias {
            change: AliasChange {
                function: "f".into(),
                alias: "live".into(),
                version: "1".into(),
                weight: Some(VersionWeight {
                    version: "2".into(),
                    weight: f64::from(percent) / 100.0,
                }),
                description: String::new(),
                revision_id: String::new(),
            },
            purpose: Purpose::Advance,
        };
        for percent in 1..100 {
            let expected = format!("UpdateAlias f:live to version 1 with 2 at {percent}%");
            assert_eq!(weight(percent).to_string(), expected);
        }
    }
}
