//! The alarms of CloudWatch of a session.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CallContext, Session};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
    },
};

/// Alarms behind token, gate, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedAlarms {
    pub(in crate::aws::session) session: Arc<Session>,
    pub(in crate::aws::session) context: CallContext,
}

#[async_trait]
impl port::Alarms for GuardedAlarms {
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        kinds: AlarmKinds,
        next: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alarms(filter);
        caller
            .call(Operation::CloudWatchDescribeAlarms, &about, &self.context, || {
                ports.alarms.describe_alarms_in_full(filter, kinds, next)
            })
            .await
    }

    async fn disable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alarm_names(names);
        caller
            .call(Operation::CloudWatchDisableAlarmActions, &about, &self.context, || {
                ports.alarms.disable_alarm_actions(names)
            })
            .await
    }

    async fn enable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alarm_names(names);
        caller
            .call(Operation::CloudWatchEnableAlarmActions, &about, &self.context, || {
                ports.alarms.enable_alarm_actions(names)
            })
            .await
    }

    async fn put_alarm_mute_rule(&self, rule: &NewMuteRule) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::mute_rule(rule.name.as_str());
        caller
            .call(Operation::CloudWatchPutAlarmMuteRule, &about, &self.context, || {
                ports.alarms.put_alarm_mute_rule(rule)
            })
            .await
    }

    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::mute_rule(name);
        caller
            .call(Operation::CloudWatchGetAlarmMuteRule, &about, &self.context, || {
                ports.alarms.get_alarm_mute_rule(name)
            })
            .await
    }

    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::mute_rules();
        caller
            .call(Operation::CloudWatchListAlarmMuteRules, &about, &self.context, || {
                ports.alarms.list_alarm_mute_rules(next)
            })
            .await
    }

    async fn delete_alarm_mute_rule(&self, name: &OwnMuteRule) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::mute_rule(name.as_str());
        caller
            .call(Operation::CloudWatchDeleteAlarmMuteRule, &about, &self.context, || {
                ports.alarms.delete_alarm_mute_rule(name)
            })
            .await
    }
}
