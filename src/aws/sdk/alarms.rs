//! The alarms of CloudWatch, and what silences them, through the SDK.

mod answers;

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    Client,
    operation::RequestId as _,
    types::{AlarmType, MuteTargets, Rule, Schedule, Tag},
};

use self::answers::{full_alarms, mute_rule, summary};
use super::error::{Call, Identity};
use crate::{
    aws::{
        Error,
        operations::Operation,
        port::{self, alarms::ACTION_NAMES_MAX, cloudwatch::ALARM_NAMES_MAX},
        resource,
    },
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
    },
};

/// Most alarms or rules of one page. Source: CloudWatch API reference, MaxRecords.
const PER_PAGE: i32 = 100;

/// Alarms with one identity in one region.
pub(super) struct SdkAlarms {
    client: Client,
    identity: Identity,
}

impl SdkAlarms {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }

    fn call(&self, operation: Operation, resource: String) -> Call<'_> {
        Call { operation, resource, identity: &self.identity }
    }
}

#[async_trait]
impl port::Alarms for SdkAlarms {
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        kinds: AlarmKinds,
        next: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        let call = self.call(Operation::CloudWatchDescribeAlarms, resource::alarms(filter));
        let types = match kinds {
            // Without it only metric alarms are told.
            AlarmKinds::All => {
                vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm]
            }
            AlarmKinds::Composite => vec![AlarmType::CompositeAlarm],
        };
        let request = self
            .client
            .describe_alarms()
            .set_alarm_types(Some(types))
            .max_records(PER_PAGE)
            .set_next_token(next.map(str::to_owned));
        // An empty list or prefix would describe every alarm of the account.
        let request = match filter {
            AlarmFilter::Names(names) => {
                named(&call, names, ALARM_NAMES_MAX)?;
                request.set_alarm_names(Some(names.clone()))
            }
            AlarmFilter::Prefix(prefix) if prefix.is_empty() => {
                return Err(call.invalid("the prefix of the alarms' names is empty".to_owned()));
            }
            AlarmFilter::Prefix(prefix) => request.alarm_name_prefix(prefix),
            AlarmFilter::All => request,
        };
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let alarms = full_alarms(&answer);
        let alarms = alarms.map_err(|what| call.unreadable(&what, answer.request_id()))?;
        Ok(FullAlarmPage { alarms, next: token(answer.next_token()) })
    }

    async fn disable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        let about = resource::alarm_names(names);
        let call = self.call(Operation::CloudWatchDisableAlarmActions, about);
        named(&call, names, ACTION_NAMES_MAX)?;
        let request = self.client.disable_alarm_actions().set_alarm_names(Some(names.to_vec()));
        request.send().await.map(|_| ()).map_err(|error| call.failed(&error))
    }

    async fn enable_alarm_actions(&self, names: &[String]) -> Result<(), Error> {
        let about = resource::alarm_names(names);
        let call = self.call(Operation::CloudWatchEnableAlarmActions, about);
        named(&call, names, ACTION_NAMES_MAX)?;
        let request = self.client.enable_alarm_actions().set_alarm_names(Some(names.to_vec()));
        request.send().await.map(|_| ()).map_err(|error| call.failed(&error))
    }

    async fn put_alarm_mute_rule(&self, rule: &NewMuteRule) -> Result<(), Error> {
        let about = resource::mute_rule(rule.name.as_str());
        let call = self.call(Operation::CloudWatchPutAlarmMuteRule, about);
        if let Some(fault) = rule.fault() {
            return Err(call.invalid(fault));
        }
        let (expression, duration) = rule.schedule();
        // The default, but a rule should not depend on one.
        let schedule =
            Schedule::builder().expression(expression).duration(duration).timezone("UTC");
        let tags =
            rule.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let targets = MuteTargets::builder().set_alarm_names(Some(rule.alarms.clone()));
        let request = self
            .client
            .put_alarm_mute_rule()
            .name(rule.name.as_str())
            .description(&rule.description)
            .rule(Rule::builder().schedule(schedule.build()).build())
            .mute_targets(targets.build())
            .set_tags(Some(tags.collect()));
        request.send().await.map(|_| ()).map_err(|error| call.failed(&error))
    }

    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error> {
        let call = self.call(Operation::CloudWatchGetAlarmMuteRule, resource::mute_rule(name));
        let request = self.client.get_alarm_mute_rule().alarm_mute_rule_name(name);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        mute_rule(&answer).map_err(|what| call.unreadable(&what, answer.request_id()))
    }

    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, Error> {
        let call = self.call(Operation::CloudWatchListAlarmMuteRules, resource::mute_rules());
        let request = self
            .client
            .list_alarm_mute_rules()
            .max_records(PER_PAGE)
            .set_next_token(next.map(str::to_owned));
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let rules = answer.alarm_mute_rule_summaries().iter().filter_map(summary).collect();
        Ok(MuteRulePage { rules, next: token(answer.next_token()) })
    }

    async fn delete_alarm_mute_rule(&self, name: &OwnMuteRule) -> Result<(), Error> {
        let about = resource::mute_rule(name.as_str());
        let call = self.call(Operation::CloudWatchDeleteAlarmMuteRule, about);
        let request = self.client.delete_alarm_mute_rule().alarm_mute_rule_name(name.as_str());
        request.send().await.map(|_| ()).map_err(|error| call.failed(&error))
    }
}

/// Whether a call takes so many names.
fn named(call: &Call<'_>, names: &[String], most: usize) -> Result<(), Error> {
    if (1..=most).contains(&names.len()) {
        return Ok(());
    }
    Err(call.invalid(format!("it takes 1 to {most} names, not {}", names.len())))
}

fn token(next: Option<&str>) -> Option<String> {
    next.filter(|next| !next.is_empty()).map(str::to_owned)
}
