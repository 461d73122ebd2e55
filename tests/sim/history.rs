//! What happens in a run, as far as anything is checked by it.

use std::fmt;

use groundcrew::{
    api::canary_rollout::CanaryRollout,
    facts::lambda::{Alias, AliasChange},
};

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The operator sent UpdateAlias.
    AliasUpdated {
        before: Option<Alias>,
        change: AliasChange,
        /// None when it was refused.
        after: Option<Alias>,
        /// The object, as the API server had it then.
        object: Option<Box<CanaryRollout>>,
        leads: bool,
    },
    /// The operator made the alias.
    AliasCreated { after: Alias, leads: bool },
    /// The operator read the alias.
    AliasRead { answer: Option<Alias> },
    /// Another tool changed the alias.
    ForeignAlias { after: Alias },
    /// The operator applied a status.
    StatusApplied {
        before: Box<CanaryRollout>,
        after: Box<CanaryRollout>,
        /// Version that the observed generation asks for.
        asked: Option<String>,
        /// The alias at that time.
        alias: Option<Alias>,
    },
    /// The operator added its finalizer.
    FinalizerAdded,
    /// The operator took its finalizer away.
    FinalizerRemoved { object: Box<CanaryRollout>, alias: Option<Alias> },
    /// A person changed the object.
    PersonEdited,
}

/// A write to the alias, as runs are compared by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub version: String,
    /// Canary and its percentage.
    pub weight: Option<(String, i32)>,
    pub description: String,
    pub applied: bool,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, weight, description, applied } = self;
        let done = if *applied { "applied" } else { "refused" };
        write!(f, "{done}: version {version}, weight {weight:?}, {description:?}")
    }
}
