//! The port over the alarms of the world.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, Class, operations::Operation, port, resource},
    facts::{
        alarms::{AlarmKind, AlarmKinds, FullAlarmPage},
        cloudwatch::AlarmFilter,
        mute_rules::{MuteRule, MuteRulePage, MuteRuleSummary, NewMuteRule, OwnMuteRule},
    },
};

use super::{
    super::{
        acting,
        lambda::{Aws, error, refusal},
    },
    unfit, wanted,
};
use crate::{faults::Sort, history::Event};

/// Alarms or rules of one page.
const PAGE: usize = 100;

/// One page, and where the next one starts.
fn page<T>(all: Vec<T>, next: Option<&str>) -> (Vec<T>, Option<String>) {
    let start = next.map_or(0, |next| next.parse::<usize>().expect("ours"));
    let more = all.len() > start + PAGE;
    let page = all.into_iter().skip(start).take(PAGE).collect();
    (page, more.then(|| (start + PAGE).to_string()))
}

impl Aws {
    async fn switch_actions(
        &self,
        operation: Operation,
        names: &[String],
        on: bool,
    ) -> Result<(), aws::Error> {
        let about = resource::alarm_names(names);
        let (names, by, switched) = (names.to_vec(), acting(), about.clone());
        self.call(
            Sort::AwsWrite,
            format!("{} {}", operation.entry().name, names.first().map_or("", String::as_str)),
            move |state| {
                let taken = state.switch_for(by, names, on);
                taken.then_some(()).ok_or_else(|| error(operation, &switched, Class::Invalid, ""))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}

#[async_trait]
impl port::Alarms for Aws {
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        kinds: AlarmKinds,
        next: Option<&str>,
    ) -> Result<FullAlarmPage, aws::Error> {
        let operation = Operation::CloudWatchDescribeAlarms;
        let about = resource::alarms(filter);
        if unfit(filter) {
            return Err(error(operation, &about, Class::Invalid, ""));
        }
        let (filter, next) = (filter.clone(), next.map(str::to_owned));
        self.call(
            Sort::AwsRead,
            "DescribeAlarms in full".into(),
            move |state| {
                let (alarms, _) = state.alarms_now();
                let asked = alarms.known.iter().filter(|(name, _)| wanted(&filter, name));
                let all = asked.map(|(name, alarm)| alarm.told(name));
                let all = all
                    .filter(|alarm| kinds == AlarmKinds::All || alarm.kind == AlarmKind::Composite);
                let (alarms, next) = page(all.collect(), next.as_deref());
                Ok(FullAlarmPage { alarms, next })
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn disable_alarm_actions(&self, names: &[String]) -> Result<(), aws::Error> {
        self.switch_actions(Operation::CloudWatchDisableAlarmActions, names, false).await
    }

    async fn enable_alarm_actions(&self, names: &[String]) -> Result<(), aws::Error> {
        self.switch_actions(Operation::CloudWatchEnableAlarmActions, names, true).await
    }

    async fn put_alarm_mute_rule(&self, rule: &NewMuteRule) -> Result<(), aws::Error> {
        let operation = Operation::CloudWatchPutAlarmMuteRule;
        let about = resource::mute_rule(rule.name.as_str());
        if rule.fault().is_some() {
            return Err(error(operation, &about, Class::Invalid, ""));
        }
        let (rule, put, by) = (rule.clone(), about.clone(), acting());
        self.call(
            Sort::AwsWrite,
            format!("PutAlarmMuteRule {}", rule.name.as_str()),
            move |state| {
                let (alarms, now) = state.alarms_now();
                let taken = alarms.put(rule.clone(), now);
                state.rule_was_put(by, rule, taken.is_ok());
                taken.map_err(|code| error(operation, &put, Class::Invalid, code))
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, aws::Error> {
        let operation = Operation::CloudWatchGetAlarmMuteRule;
        let (about, name) = (resource::mute_rule(name), name.to_owned());
        let missing = error(operation, &about, Class::NotFound, "ResourceNotFoundException");
        self.call(
            Sort::AwsRead,
            format!("GetAlarmMuteRule {name}"),
            move |state| {
                let (alarms, now) = state.alarms_now();
                alarms.get(&name, now).ok_or(missing)
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }

    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, aws::Error> {
        let operation = Operation::CloudWatchListAlarmMuteRules;
        let next = next.map(str::to_owned);
        self.call(
            Sort::AwsRead,
            "ListAlarmMuteRules".into(),
            move |state| {
                let (alarms, now) = state.alarms_now();
                let all = alarms.rules.iter().map(|(name, put)| MuteRuleSummary {
                    name: name.clone(),
                    status: put.status(now),
                    updated_at: Some(put.at),
                });
                let (rules, next) = page(all.collect(), next.as_deref());
                Ok(MuteRulePage { rules, next })
            },
            move |fault| refusal(operation, &resource::mute_rules(), fault),
        )
        .await
    }

    async fn delete_alarm_mute_rule(&self, name: &OwnMuteRule) -> Result<(), aws::Error> {
        let operation = Operation::CloudWatchDeleteAlarmMuteRule;
        let (about, name) = (resource::mute_rule(name.as_str()), name.as_str().to_owned());
        let by = acting();
        self.call(
            Sort::AwsWrite,
            format!("DeleteAlarmMuteRule {name}"),
            move |state| {
                let (alarms, now) = state.alarms_now();
                alarms.delete(&name, now);
                let (by, leads) = (by.unwrap_or_default(), state.leads());
                state.happened(&Event::RuleDeleted { by, name, leads });
                Ok(())
            },
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
