//! Mute rules: who reads what how often.

use super::*;
use crate::{
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        mute_rules::{
            MuteRule, MuteRulePage, MuteRuleSummary, MuteSchedule, MuteStatus, NewMuteRule,
            OwnMuteRule,
        },
    },
    names::Owner,
};

/// Rules by name, and the calls that were made.
#[derive(Default)]
struct Muted {
    rules: Mutex<BTreeMap<String, MuteRule>>,
    endless: bool,
    lists: Mutex<usize>,
    gets: Mutex<Vec<String>>,
    trouble: Mutex<Option<Class>>,
    /// Is listed, and gone when it is asked for.
    gone: Mutex<Option<String>>,
}

impl Muted {
    fn put(&self, name: &OwnMuteRule, alarms: &[&str], updated: i64) {
        let rule = MuteRule {
            name: name.as_str().to_owned(),
            description: String::new(),
            alarms: alarms.iter().map(|&alarm| alarm.to_owned()).collect(),
            schedule: MuteSchedule::read("at(2026-12-06T01:00)", "PT1H", None),
            status: MuteStatus::Active,
            updated_at: Some(at(updated)),
        };
        self.rules.lock().unwrap().insert(rule.name.clone(), rule);
    }

    /// Lists and single rules that were asked for since.
    fn calls(&self) -> (usize, usize) {
        let lists = std::mem::take(&mut *self.lists.lock().unwrap());
        (lists, self.gets.lock().unwrap().drain(..).count())
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
    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error> {
        self.gets.lock().unwrap().push(name.to_owned());
        sleep(CALL).await;
        let rule = self.rules.lock().unwrap().get(name).cloned();
        let gone = self.gone.lock().unwrap().as_deref() == Some(name);
        let refused = || refusal(Operation::CloudWatchGetAlarmMuteRule, Class::NotFound);
        rule.filter(|_| !gone).ok_or_else(refused)
    }
    async fn list_alarm_mute_rules(&self, next: Option<&str>) -> Result<MuteRulePage, Error> {
        *self.lists.lock().unwrap() += 1;
        sleep(CALL).await;
        if let Some(class) = self.trouble.lock().unwrap().take() {
            return Err(refusal(Operation::CloudWatchListAlarmMuteRules, class));
        }
        let rules = self.rules.lock().unwrap();
        let all: Vec<MuteRuleSummary> = rules
            .values()
            .map(|rule| MuteRuleSummary {
                name: rule.name.clone(),
                status: rule.status.clone(),
                updated_at: rule.updated_at,
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
async fn windows_share_a_list_and_read_a_rule_once_until_it_is_put_again() {
    let hub = Hub::default();
    let (fake, session) = muted(Muted::default());
    let batches: BTreeSet<OwnMuteRule> = (1..=20).map(|batch| rule("weekly", batch)).collect();
    batches.iter().for_each(|name| fake.put(name, &["a", "b"], 0));
    fake.put(&rule("daily", 1), &["c"], 0);
    let one = BTreeSet::from([rule("daily", 1), rule("daily", 2)]);
    let both = tokio::join!(
        hub.mute_rules_in_full(&session, &batches, at(200)),
        hub.mute_rules_in_full(&session, &one, at(200))
    );
    let (weekly, daily) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(weekly.keys().collect::<BTreeSet<_>>(), batches.iter().collect());
    assert_eq!(daily.keys().collect::<Vec<_>>(), [&rule("daily", 1)]);
    let found = daily.get(&rule("daily", 1)).unwrap();
    assert_eq!((&found.status, &*found.rule.alarms), (&MuteStatus::Active, &["c".to_owned()][..]));
    // Two pages, and each rule once.
    assert_eq!(fake.calls(), (2, 21));
    hub.mute_rules_in_full(&session, &batches, at(229)).await.unwrap();
    assert_eq!(fake.calls(), (0, 0));
    // The list is read again, and tells that nothing was put.
    hub.mute_rules_in_full(&session, &batches, at(230)).await.unwrap();
    assert_eq!(fake.calls(), (2, 0));
    fake.put(&rule("weekly", 3), &["a"], 240);
    let found = hub.mute_rules_in_full(&session, &batches, at(260)).await.unwrap();
    assert_eq!(found.get(&rule("weekly", 3)).unwrap().rule.alarms, ["a"]);
    assert_eq!(fake.calls(), (2, 1));
    // It was put just before it was read, so it is read again; then it is settled.
    hub.mute_rules_in_full(&session, &batches, at(300)).await.unwrap();
    assert_eq!(fake.calls(), (2, 1));
    hub.mute_rules_in_full(&session, &batches, at(360)).await.unwrap();
    assert_eq!(fake.calls(), (2, 1));
    hub.mute_rules_in_full(&session, &batches, at(400)).await.unwrap();
    assert_eq!(fake.calls(), (2, 0));
    // Ten minutes after the first reading all are read again but the one that is younger.
    hub.mute_rules_in_full(&session, &batches, at(800)).await.unwrap();
    assert_eq!(fake.calls(), (2, 19));
}

#[tokio::test(start_paused = true)]
async fn the_status_is_that_of_the_list() {
    let hub = Hub::default();
    let (fake, session) = muted(Muted::default());
    let name = rule("weekly", 1);
    fake.put(&name, &["a"], 0);
    let names = BTreeSet::from([name.clone()]);
    let status = async |now| {
        let found = hub.mute_rules_in_full(&session, &names, at(now)).await.unwrap();
        found.get(&name).map(|found| found.status.clone())
    };
    assert_eq!(status(200).await, Some(MuteStatus::Active));
    fake.rules.lock().unwrap().get_mut(name.as_str()).unwrap().status = MuteStatus::Expired;
    assert_eq!(status(230).await, Some(MuteStatus::Expired));
    assert_eq!(fake.calls(), (4, 1));
    // Deleted between the list and the look at it.
    *fake.gone.lock().unwrap() = Some(name.as_str().to_owned());
    assert_eq!(status(900).await, None);
    fake.rules.lock().unwrap().clear();
    assert_eq!(status(1_000).await, None);
}

#[tokio::test(start_paused = true)]
async fn foreign_rules_are_passed_over_and_failures_are_not_kept() {
    let hub = Hub::default();
    let (fake, session) = muted(Muted::default());
    fake.put(&rule("weekly", 1), &["a"], 0);
    let mut foreign = fake.rules.lock().unwrap().first_entry().unwrap().get().clone();
    "people-at-night".clone_into(&mut foreign.name);
    fake.rules.lock().unwrap().insert(foreign.name.clone(), foreign);
    *fake.trouble.lock().unwrap() = Some(Class::Denied);
    let denied = hub.mute_rules(&session, at(0)).await.unwrap_err();
    assert_eq!(denied.class, Class::Denied);
    let rules = hub.mute_rules(&session, at(0)).await.unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, [rule("weekly", 1).as_str()]);
    let (fake, endless) = muted(Muted { endless: true, ..Muted::default() });
    let error = hub.mute_rules(&endless, at(0)).await.unwrap_err();
    assert!(error.to_string().contains("more than 50 pages of mute rules"), "{error}");
    assert_eq!(fake.calls(), (50, 0));
}
