//! Mute rules: who reads what how often.

use super::*;
use crate::{
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        mute_rules::{
            MuteRule, MuteRulePage, MuteRuleSummary, MuteStatus, NewMuteRule, OwnMuteRule,
        },
    },
    names::Owner,
};

/// Names of rules, and how often their list was asked for.
#[derive(Default)]
struct Muted {
    rules: Mutex<BTreeSet<String>>,
    endless: bool,
    lists: Mutex<usize>,
    trouble: Mutex<Option<Class>>,
}

impl Muted {
    fn put(&self, name: &str) {
        self.rules.lock().unwrap().insert(name.to_owned());
    }

    /// Pages that were asked for since.
    fn calls(&self) -> usize {
        std::mem::take(&mut *self.lists.lock().unwrap())
    }
}

#[async_trait]
impl port::Alarms for Muted {
    async fn describe_alarms_in_full(
        &self,
        _: &AlarmFilter,
        _: AlarmKinds,
        _: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        panic!("not asked")
    }
    async fn disable_alarm_actions(&self, _: &[String]) -> Result<(), Error> {
        panic!("not asked")
    }
    async fn enable_alarm_actions(&self, _: &[String]) -> Result<(), Error> {
        panic!("not asked")
    }
    async fn put_alarm_mute_rule(&self, _: &NewMuteRule) -> Result<(), Error> {
        panic!("not asked")
    }
    async fn get_alarm_mute_rule(&self, _: &str) -> Result<MuteRule, Error> {
        panic!("not asked")
    }
    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, Error> {
        *self.lists.lock().unwrap() += 1;
        sleep(CALL).await;
        if let Some(class) = self.trouble.lock().unwrap().take() {
            return Err(refusal(Operation::CloudWatchListAlarmMuteRules, class));
        }
        let rules = self.rules.lock().unwrap();
        let all: Vec<MuteRuleSummary> = rules
            .iter()
            .map(|name| MuteRuleSummary {
                name: name.clone(),
                status: MuteStatus::Active,
                updated_at: Some(at(0)),
            })
            .collect();
        // The second page holds the last rule.
        let split = all.len().saturating_sub(1);
        let (one, other) = all.split_at(split);
        Ok(match next {
            None => MuteRulePage { rules: one.to_vec(), next: Some("2".to_owned()) },
            Some(_) => {
                MuteRulePage { rules: other.to_vec(), next: self.endless.then(|| "2".to_owned()) }
            }
        })
    }
    async fn delete_alarm_mute_rule(&self, _: &OwnMuteRule) -> Result<(), Error> {
        panic!("not asked")
    }
}

fn rule(window: &str, batch: u16) -> OwnMuteRule {
    let owner =
        Owner { cluster: "prod".into(), namespace: "flights".into(), name: window.to_owned() };
    OwnMuteRule::of(&owner, "20261206T0200Z", batch)
}

fn muted(muted: Muted) -> (Arc<Muted>, Arc<Session>) {
    let muted = Arc::new(muted);
    let alarms: Arc<dyn port::Alarms> = Arc::<Muted>::clone(&muted);
    (muted, session_at(Ports { alarms, ..unasked() }))
}

#[tokio::test(start_paused = true)]
async fn windows_share_a_list_of_rules() {
    let hub = Hub::default();
    let (fake, session) = muted(Muted::default());
    let known = [rule("daily", 1), rule("weekly", 1), rule("weekly", 2)];
    known.iter().for_each(|rule| fake.put(rule.as_str()));
    let both = tokio::join!(hub.mute_rules(&session, at(200)), hub.mute_rules(&session, at(200)));
    let (one, other) = (both.0.unwrap(), both.1.unwrap());
    let names: Vec<&str> = one.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, known.each_ref().map(OwnMuteRule::as_str));
    assert_eq!(one, other);
    // Two pages.
    assert_eq!(fake.calls(), 2);
    hub.mute_rules(&session, at(229)).await.unwrap();
    assert_eq!(fake.calls(), 0);
    fake.put(rule("weekly", 3).as_str());
    assert_eq!(hub.mute_rules(&session, at(230)).await.unwrap().len(), 4);
    assert_eq!(fake.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn foreign_rules_are_passed_over_and_failures_are_not_kept() {
    let hub = Hub::default();
    let (fake, session) = muted(Muted::default());
    fake.put(rule("weekly", 1).as_str());
    fake.put("people-at-night");
    *fake.trouble.lock().unwrap() = Some(Class::Denied);
    let denied = hub.mute_rules(&session, at(0)).await.unwrap_err();
    assert_eq!(denied.class, Class::Denied);
    let rules = hub.mute_rules(&session, at(0)).await.unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, [rule("weekly", 1).as_str()]);
    let (fake, endless) = muted(Muted { endless: true, ..Muted::default() });
    let error = hub.mute_rules(&endless, at(0)).await.unwrap_err();
    assert!(error.to_string().contains("more than 50 pages of mute rules"), "{error}");
    assert_eq!(fake.calls(), 50);
}
