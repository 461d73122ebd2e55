//! What happens in a run, as far as anything is checked by it.

use std::{collections::BTreeMap, fmt};

use groundcrew::{
    api::{
        canary_rollout::{CanaryRollout, CanaryRolloutSpec},
        maintenance_window::MaintenanceWindow,
    },
    facts::{
        cloudwatch::{Alarm, Span},
        lambda::{Alias, AliasChange, Publication},
        mute_rules::NewMuteRule,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::faults::Fault;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The operator sent UpdateAlias for the object `by`.
    AliasUpdated {
        by: String,
        before: Option<Alias>,
        change: AliasChange,
        /// None when it was refused.
        after: Option<Alias>,
        /// The object, as the API server had it then.
        object: Option<Box<CanaryRollout>>,
        /// The spec that its status speaks of.
        spec: Option<Box<CanaryRolloutSpec>>,
        leads: bool,
        /// It was sent long before.
        late: bool,
        /// Lambda may keep weights of its own there for a while.
        provisioned: bool,
    },
    /// The operator moved or made the alias for the object `by`; `oldest` is the oldest that names it.
    Acted { by: String, oldest: Option<String> },
    /// The operator made the alias of this name for the object `by`.
    AliasCreated { by: String, alias: String, after: Alias, leads: bool },
    /// The operator read the alias of this name.
    AliasRead { alias: String, answer: Option<Alias> },
    /// CloudWatch answered the operator about the new version.
    MetricsRead(Evidence),
    /// CloudWatch told the operator the states of alarms.
    AlarmsRead(Vec<Alarm>),
    /// RDS told the operator the status of the database.
    DatabaseRead(String),
    /// Another tool changed the alias of this name.
    ForeignAlias { alias: String, after: Alias },
    /// The operator applied a status.
    StatusApplied {
        before: Box<CanaryRollout>,
        after: Box<CanaryRollout>,
        /// What the observed generation asks for.
        asked: Option<Asked>,
        /// The spec of that generation.
        spec: Option<Box<CanaryRolloutSpec>>,
        /// The alias at that time.
        alias: Option<Alias>,
    },
    /// A version was published.
    Published {
        publication: Publication,
        /// The object, as the API server had it then.
        object: Option<Box<CanaryRollout>>,
        leads: bool,
    },
    /// The operator deleted a version for the object `by`.
    VersionDeleted {
        by: String,
        version: u64,
        /// What it had, if it was there.
        description: Option<String>,
        /// The objects that it was the stable or the new version of.
        users: Vec<String>,
        leads: bool,
    },
    /// A person deleted a version.
    VersionTaken { version: String },
    /// The operator added its finalizer.
    FinalizerAdded,
    /// The operator took its finalizer away.
    FinalizerRemoved { object: Box<CanaryRollout>, alias: Option<Alias> },
    /// A person changed the object.
    PersonEdited,
    /// A person made or changed a window, which is like this now.
    WindowEdited(Box<MaintenanceWindow>),
    /// The operator applied the status of a window.
    WindowTold { before: Box<MaintenanceWindow>, after: Box<MaintenanceWindow> },
    /// The operator took its finalizer from a window, which was like this.
    WindowLetGo(Box<MaintenanceWindow>),
    /// The operator sent PutAlarmMuteRule.
    RulePut(Box<RulePut>),
    /// The operator deleted a mute rule, there or not, for the window `by`.
    RuleDeleted { by: String, name: String, leads: bool },
    /// There is a new alarm, with its rule where it is composite.
    AlarmMade { name: String, rule: Option<String> },
    /// A person deleted an alarm.
    AlarmTaken(String),
    /// A person switched an alarm, or put it again like this.
    AlarmPut {
        name: String,
        on: bool,
        /// CloudWatch tells when.
        told: bool,
    },
    /// The operator began a task of a window.
    TaskBegun(Box<TaskBegun>),
    /// The operator sent EnableAlarmActions or DisableAlarmActions.
    AlarmsSwitched(Box<AlarmsSwitched>),
}

/// A task that the operator began.
#[derive(Clone, Debug)]
pub struct TaskBegun {
    /// For whom: `window namespace/name`.
    pub by: String,
    /// The call, and the comment of a command.
    pub what: String,
    /// The window, as the API server had it then.
    pub window: Option<MaintenanceWindow>,
    /// How long it takes.
    pub takes: SignedDuration,
    /// Whether it fails.
    pub fails: bool,
    /// Whether it had its finalizer.
    pub finalized: bool,
    pub leads: bool,
    /// It was sent long before.
    pub late: bool,
}

/// Alarms that the operator switched.
#[derive(Clone, Debug)]
pub struct AlarmsSwitched {
    /// For whom: `window namespace/name`.
    pub by: String,
    pub alarms: Vec<String>,
    pub on: bool,
    /// Whether the window had its finalizer then.
    pub finalized: bool,
    /// Whether CloudWatch took it.
    pub taken: bool,
    pub leads: bool,
    /// It was sent long before.
    pub late: bool,
}

/// A mute rule that was put.
#[derive(Clone, Debug)]
pub struct RulePut {
    /// For whom: `window namespace/name`.
    pub by: String,
    pub rule: NewMuteRule,
    /// The window, as the API server had it then.
    pub window: Option<MaintenanceWindow>,
    /// Whether CloudWatch took it.
    pub taken: bool,
    pub leads: bool,
    /// It was sent long before.
    pub late: bool,
}

/// A call as it is sent.
pub struct Made<'a> {
    /// On whose behalf; none where calls of several are made together.
    pub by: Option<&'a str>,
    pub what: &'a str,
    pub fault: Option<&'a Fault>,
}

/// What a spec asks to be served, and what of it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Number of the version, where the spec says it.
    pub version: Option<String>,
    /// CodeSha256 of the release, where the spec says it by where it lies.
    pub code_sha256: Option<String>,
    /// CodeSha256 of the version that the alias serves.
    pub served_code: Option<String>,
}

/// What CloudWatch gave in one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The minutes that were asked for.
    pub span: Span,
    /// Whether every series was given whole, with nothing that is still to come.
    pub whole: bool,
    /// Calls and errors of the new version by the start of the minute.
    pub minutes: BTreeMap<Timestamp, (f64, f64)>,
}

/// A write to the alias, as runs are compared by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The object that it was for.
    pub by: String,
    pub version: String,
    /// Canary and its percentage.
    pub weight: Option<(String, i32)>,
    pub description: String,
    pub applied: bool,
    /// It was refused because there is no such version.
    pub versionless: bool,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by: _, version, weight, description, applied, versionless: _ } = self;
        let done = if *applied { "applied" } else { "refused" };
        write!(f, "{done}: version {version}, weight {weight:?}, {description:?}")
    }
}
