//! What CloudWatch says about alarms in full, for windows that silence them.

use jiff::Timestamp;

use super::cloudwatch::AlarmState;

/// Most names of one DisableAlarmActions or EnableAlarmActions. Source: CloudWatch API reference.
pub const ACTION_NAMES_MAX: usize = 100;

/// What an alarm looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlarmKind {
    /// A metric, or an expression over metrics.
    Metric,
    /// Other alarms.
    Composite,
    /// Results of a scheduled query over logs.
    Log,
}

/// An alarm with what silencing it needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullAlarm {
    /// Its name, unique in its account and region.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it looks at.
    pub kind: AlarmKind,
    /// Its state.
    pub state: AlarmState,
    /// When its state was last updated; none where CloudWatch does not say.
    pub state_updated_at: Option<Timestamp>,
    /// Whether it acts when its state changes. A mute rule leaves it as it is.
    pub actions_enabled: bool,
    /// When its configuration was last changed; none where CloudWatch does not say. Later than what
    /// was seen before: somebody changed it, or deleted it and made it again.
    pub configured_at: Option<Timestamp>,
    /// Of a composite alarm: the AlarmRule, which names its children.
    pub rule: Option<String>,
}

/// Which kinds of alarms to describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlarmKinds {
    /// All of [`AlarmKind`].
    All,
    /// Composite alarms only.
    Composite,
}

/// One page of DescribeAlarms, in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullAlarmPage {
    /// The alarms.
    pub alarms: Vec<FullAlarm>,
    /// Where the next page starts.
    pub next: Option<String>,
}
