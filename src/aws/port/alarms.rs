//! The operations of CloudWatch with which alarms are silenced.

use async_trait::async_trait;

use crate::{
    aws::Error,
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
    },
};

pub use crate::facts::alarms::ACTION_NAMES_MAX;

/// The alarms of CloudWatch in one account and region. Every method is one API call.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// DescribeAlarms in full, one page of 100; `next` as the page before gave it. Names of alarms
    /// that do not exist are left out.
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        kinds: AlarmKinds,
        next: Option<&str>,
    ) -> Result<FullAlarmPage, Error>;

    /// DisableAlarmActions of 1 to [`ACTION_NAMES_MAX`] alarms. One that is disabled already stays so;
    /// what becomes of a name that no alarm has, AWS does not say.
    async fn disable_alarm_actions(&self, names: &[String]) -> Result<(), Error>;

    /// EnableAlarmActions of 1 to [`ACTION_NAMES_MAX`] alarms. No action is made up for: the next change
    /// of the state is the first that acts.
    async fn enable_alarm_actions(&self, names: &[String]) -> Result<(), Error>;

    /// PutAlarmMuteRule: makes the rule, or puts it in place of the one of its name.
    async fn put_alarm_mute_rule(&self, rule: &NewMuteRule) -> Result<(), Error>;

    /// GetAlarmMuteRule. [`Class::NotFound`](crate::aws::Class::NotFound) where there is none.
    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error>;

    /// ListAlarmMuteRules of the account and region, of whoever, one page of 100; `next` as the page
    /// before gave it.
    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, Error>;

    /// DeleteAlarmMuteRule; one that is gone already is no error. What is in ALARM and was muted by
    /// this rule only acts at once.
    async fn delete_alarm_mute_rule(&self, name: &OwnMuteRule) -> Result<(), Error>;
}
