//! What the answers about alarms tell.

use groundcrew::{
    aws::{Error, accounts::Ports},
    facts::{
        alarms::FullAlarm,
        mute_rules::{MuteRule, MuteRuleSummary, NewMuteRule, OwnMuteRule},
    },
    names::Owner,
};
use jiff::{SignedDuration, Timestamp};

use super::super::calls::alarms::{AlarmCall, PutMute};
use crate::harness::epoch;

/// Makes the call, and says what the answer tells.
pub async fn told(ports: &Ports, call: &AlarmCall, now: Timestamp) -> Result<String, Error> {
    let port = &ports.alarms;
    match call {
        AlarmCall::DescribeInFull(filter, kinds) => {
            let page = port.describe_alarms_in_full(filter, *kinds, None).await?;
            let mut alarms: Vec<String> = page.alarms.iter().map(alarm).collect();
            alarms.sort();
            Ok(format!("{alarms:?}, more: {}", page.next.is_some()))
        }
        AlarmCall::Disable(names) => port.disable_alarm_actions(names).await.map(done),
        AlarmCall::Enable(names) => port.enable_alarm_actions(names).await.map(done),
        AlarmCall::PutMute(put) => port.put_alarm_mute_rule(&rule(put, now)).await.map(done),
        AlarmCall::GetMute(batch) => {
            let found = port.get_alarm_mute_rule(name(*batch).as_str()).await?;
            let MuteRule { name, description, alarms, schedule, status, updated_at } = found;
            let put = since(updated_at);
            Ok(format!("{name} {description:?} {alarms:?} {schedule:?} {status:?}, put {put}"))
        }
        AlarmCall::ListMutes => {
            let page = port.list_alarm_mute_rules(None).await?;
            let rules: Vec<String> = page.rules.iter().map(summary).collect();
            Ok(format!("listed {rules:?}, more: {}", page.next.is_some()))
        }
        AlarmCall::DeleteMute(batch) => port.delete_alarm_mute_rule(&name(*batch)).await.map(done),
    }
}

fn done((): ()) -> String {
    "done".to_owned()
}

fn name(batch: u16) -> OwnMuteRule {
    let owner = Owner { cluster: "sim".into(), namespace: "flights".into(), name: "weekly".into() };
    OwnMuteRule::of(&owner, "20261120T2100Z", batch)
}

fn rule(put: &PutMute, now: Timestamp) -> NewMuteRule {
    let minute = SignedDuration::from_secs(now.as_second().rem_euclid(60));
    let minute = Timestamp::from_second(now.as_second()).expect("a time") - minute;
    NewMuteRule {
        name: name(put.batch),
        description: put.description.to_owned(),
        alarms: put.alarms.clone(),
        starts_at: minute + SignedDuration::from_secs(put.starts_in),
        duration: SignedDuration::from_secs(put.lasts),
        tags: vec![("groundcrew.dev/cluster".into(), "sim".into())],
    }
}

fn summary(rule: &MuteRuleSummary) -> String {
    let MuteRuleSummary { name, status, updated_at } = rule;
    format!("{name} {status:?}, put {}", since(*updated_at))
}

/// The account is another one in each world.
fn alarm(alarm: &FullAlarm) -> String {
    let FullAlarm {
        name,
        arn,
        kind,
        state,
        state_updated_at,
        actions_enabled,
        configured_at,
        rule,
    } = alarm;
    assert!(arn.ends_with(&format!(":alarm:{name}")), "{arn}");
    let acts = if *actions_enabled { "acts" } else { "quiet" };
    let (updated, configured) = (since(*state_updated_at), since(*configured_at));
    format!("{name} {kind:?} {state:?} {acts} {rule:?}, updated {updated}, set {configured}")
}

/// Hundredths of a second since the beginning, for what happened later.
fn since(at: Option<Timestamp>) -> String {
    let after = at.map(|at| at.duration_since(epoch()).as_millis());
    let after = after.filter(|after| *after > 0);
    after.map_or("before".to_owned(), |after| format!("at {}", (after + 5) / 10))
}
