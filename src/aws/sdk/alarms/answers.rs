//! What CloudWatch answers about alarms and mute rules, as facts.

use aws_sdk_cloudwatch::{
    operation::{
        describe_alarms::DescribeAlarmsOutput, get_alarm_mute_rule::GetAlarmMuteRuleOutput,
    },
    primitives::DateTime,
    types::{AlarmMuteRuleStatus, AlarmMuteRuleSummary},
};

use super::super::cloudwatch::{state, timestamp};
use crate::facts::{
    alarms::{AlarmKind, FullAlarm},
    mute_rules::{MuteRule, MuteRuleSummary, MuteSchedule, MuteStatus},
};

/// Parts of a rule's ARN: `arn:aws:cloudwatch:<region>:<account>:alarm-mute-rule:<name>`.
const ARN_PARTS: usize = 7;

/// What the alarms of all kinds have in common, under the same names in three types of the SDK.
macro_rules! full {
    ($alarm:expr, $kind:expr, $rule:expr) => {{
        let name = $alarm.alarm_name().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| "AlarmName is missing".to_owned())?;
        let missing = |what: &str| format!("{what} of alarm {name} is missing");
        Ok::<_, String>(FullAlarm {
            name: name.to_owned(),
            arn: $alarm.alarm_arn().ok_or_else(|| missing("AlarmArn"))?.to_owned(),
            kind: $kind,
            state: state(name, $alarm.state_value())?,
            state_updated_at: $alarm.state_updated_timestamp().and_then(timestamp),
            // Neither true nor false would be a safe guess.
            actions_enabled: $alarm.actions_enabled().ok_or_else(|| missing("ActionsEnabled"))?,
            configured_at: $alarm.alarm_configuration_updated_timestamp().and_then(timestamp),
            rule: $rule,
        })
    }};
}

/// The alarms of a page; what is wrong with it where one of them makes no sense.
pub(super) fn full_alarms(answer: &DescribeAlarmsOutput) -> Result<Vec<FullAlarm>, String> {
    let metric = answer.metric_alarms().iter().map(|alarm| full!(alarm, AlarmKind::Metric, None));
    let composite = answer.composite_alarms().iter().map(|alarm| {
        let name = alarm.alarm_name().unwrap_or_default();
        // Without it nobody knows which alarms it looks at.
        let rule =
            alarm.alarm_rule().ok_or_else(|| format!("AlarmRule of alarm {name} is missing"));
        full!(alarm, AlarmKind::Composite, Some(rule?.to_owned()))
    });
    let log = answer.log_alarms().iter().map(|alarm| full!(alarm, AlarmKind::Log, None));
    metric.chain(composite).chain(log).collect()
}

pub(super) fn mute_rule(answer: &GetAlarmMuteRuleOutput) -> Result<MuteRule, String> {
    let name = answer.name().ok_or("Name is missing")?;
    let schedule = answer.rule().and_then(|rule| rule.schedule());
    let schedule = schedule.ok_or_else(|| format!("Schedule of mute rule {name} is missing"))?;
    let targets = answer.mute_targets().map(|targets| targets.alarm_names()).unwrap_or_default();
    let mut alarms = targets.to_vec();
    alarms.sort();
    alarms.dedup();
    Ok(MuteRule {
        name: name.to_owned(),
        description: answer.description().unwrap_or_default().to_owned(),
        alarms,
        schedule: MuteSchedule::read(
            schedule.expression().unwrap_or_default(),
            schedule.duration().unwrap_or_default(),
            schedule.timezone(),
        ),
        status: status(answer.status()),
        updated_at: updated(answer.last_updated_timestamp()),
    })
}

/// A rule of the list; none where it has no name that we could read, so that it is none of ours.
pub(super) fn summary(rule: &AlarmMuteRuleSummary) -> Option<MuteRuleSummary> {
    let name = rule.alarm_mute_rule_arn()?.splitn(ARN_PARTS, ':').nth(ARN_PARTS.saturating_sub(1));
    Some(MuteRuleSummary {
        name: name?.to_owned(),
        status: status(rule.status()),
        updated_at: updated(rule.last_updated_timestamp()),
    })
}

fn status(status: Option<&AlarmMuteRuleStatus>) -> MuteStatus {
    match status.map(AlarmMuteRuleStatus::as_str).unwrap_or_default() {
        "SCHEDULED" => MuteStatus::Scheduled,
        "ACTIVE" => MuteStatus::Active,
        "EXPIRED" => MuteStatus::Expired,
        other => MuteStatus::Other(other.to_owned()),
    }
}

fn updated(at: Option<&DateTime>) -> Option<jiff::Timestamp> {
    at.and_then(timestamp)
}
