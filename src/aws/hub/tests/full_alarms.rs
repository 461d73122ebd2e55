//! Alarms in full, and composites.

use super::*;
use crate::{
    aws::limits::Priority,
    context::terms,
    facts::{
        alarms::{AlarmKind, AlarmKinds, FullAlarm, FullAlarmPage},
        mute_rules::{MuteRule, MuteRulePage, NewMuteRule, OwnMuteRule},
    },
};

/// Alarms in full, by name, in pages; the calls that were made.
#[derive(Default)]
struct Known {
    alarms: BTreeMap<String, FullAlarm>,
    page: usize,
    calls: Mutex<Vec<(AlarmFilter, AlarmKinds)>>,
}

impl Known {
    fn with(alarms: impl IntoIterator<Item = FullAlarm>) -> Self {
        let alarms = alarms.into_iter().map(|alarm| (alarm.name.clone(), alarm)).collect();
        Self { alarms, page: 100, calls: Mutex::default() }
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

#[async_trait]
impl port::Alarms for Known {
    async fn describe_alarms_in_full(
        &self,
        filter: &AlarmFilter,
        kinds: AlarmKinds,
        next: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        self.calls.lock().unwrap().push((filter.clone(), kinds));
        sleep(CALL).await;
        let start = next.map_or(0, |next| next.parse::<usize>().unwrap());
        let asked = self.alarms.values().filter(|alarm| match filter {
            AlarmFilter::Names(names) => names.contains(&alarm.name),
            AlarmFilter::Prefix(prefix) => alarm.name.starts_with(prefix),
            AlarmFilter::All => true,
        });
        let all: Vec<&FullAlarm> = asked
            .filter(|alarm| kinds == AlarmKinds::All || alarm.kind == AlarmKind::Composite)
            .collect();
        let end = start + self.page;
        let alarms = all.iter().skip(start).take(self.page).map(|&alarm| alarm.clone()).collect();
        Ok(FullAlarmPage { alarms, next: (end < all.len()).then(|| end.to_string()) })
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
    async fn list_alarm_mute_rules(&self, _: Option<&str>) -> Result<MuteRulePage, Error> {
        panic!("not asked")
    }
    async fn delete_alarm_mute_rule(&self, _: &OwnMuteRule) -> Result<(), Error> {
        panic!("not asked")
    }
}

fn metric(name: &str) -> FullAlarm {
    FullAlarm {
        name: name.to_owned(),
        arn: format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"),
        kind: AlarmKind::Metric,
        state: AlarmState::Ok,
        state_updated_at: None,
        actions_enabled: true,
        configured_at: None,
        rule: None,
    }
}

fn composite(name: &str, rule: &str) -> FullAlarm {
    FullAlarm { kind: AlarmKind::Composite, rule: Some(rule.to_owned()), ..metric(name) }
}

fn known(alarms: Known) -> (Arc<Known>, Arc<Session>) {
    let known = Arc::new(alarms);
    let alarms: Arc<dyn port::Alarms> = Arc::<Known>::clone(&known);
    (known, session_at(Ports { alarms, ..unasked() }))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn told(found: &FullAlarmsFound) -> Vec<&str> {
    found.alarms.iter().map(|alarm| alarm.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn windows_share_calls_and_answers_for_half_a_minute() {
    let hub = Hub::default();
    let all = [metric("api-a"), metric("api-b"), composite("top", "ALARM(api-a)"), metric("db")];
    let (fake, session) = known(Known::with(all));
    let asked = names(&["db", "gone", "api-a"]);
    let prefixes = names(&["api-", "none-"]);
    let others = names(&["db", "top"]);
    let both = tokio::join!(
        hub.alarms_in_full(&session, &asked, &prefixes, at(0)),
        hub.alarms_in_full(&session, &others, &prefixes, at(10))
    );
    let (one, other) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(told(&one), ["api-a", "api-b", "db"]);
    assert_eq!(one.missing, names(&["gone", "none-"]));
    assert_eq!(told(&other), ["api-a", "api-b", "db", "top"]);
    assert_eq!(other.alarms[3].rule.as_deref(), Some("ALARM(api-a)"));
    assert_eq!(fake.calls(), 3);
    hub.alarms_in_full(&session, &asked, &prefixes, at(29)).await.unwrap();
    assert_eq!(fake.calls(), 3);
    hub.alarms_in_full(&session, &asked, &prefixes, at(30)).await.unwrap();
    assert_eq!(fake.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn all_composites_of_a_region_are_one_reading() {
    let hub = Hub::default();
    let many = (0..250).map(|number| composite(&format!("c{number:03}"), "ALARM(a)"));
    let (fake, session) = known(Known::with(many.chain([metric("a")])));
    let asked = join_all((0..5).map(|_| hub.composites(&session, at(0)))).await;
    for found in asked {
        let found = found.unwrap();
        assert_eq!(found.len(), 250);
        assert!(found.iter().all(|alarm| alarm.kind == AlarmKind::Composite));
    }
    // What is told of all kinds is another reading.
    let all = hub.alarms_in_full(&session, &[], &[String::new()], at(0)).await.unwrap();
    assert_eq!(all.alarms.len(), 251);
    let calls = fake.calls.lock().unwrap().clone();
    let of = |kinds| calls.iter().filter(|call| **call == (AlarmFilter::All, kinds)).count();
    assert_eq!((of(AlarmKinds::Composite), of(AlarmKinds::All), calls.len()), (3, 3, 6));
    let (_, none) = known(Known::with([metric("a")]));
    assert!(hub.composites(&none, at(0)).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn pages_are_never_followed_for_ever_and_long_rules_weigh_more() {
    let hub = Hub::default();
    let many = (0..51).map(|number| composite(&format!("c{number}"), "TRUE"));
    let (fake, endless) = known(Known { page: 1, ..Known::with(many) });
    let error = hub.composites(&endless, at(0)).await.unwrap_err();
    assert!(error.to_string().contains("all alarms failed: there are more than 50"), "{error}");
    assert_eq!(fake.calls(), 50);
    let (_, session) = known(Known::with([composite("c", &"x".repeat(5_120)), metric("a")]));
    hub.composites(&session, at(0)).await.unwrap();
    // The reading, its alarm, and ten times 512 bytes of its rule.
    assert_eq!(hub.full_prefixes.kept(), (1, 12));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_now_is_no_older_answer_and_half_of_it_is_an_error() {
    let now = terms(Priority::Work, "flightdata");
    let many: Vec<FullAlarm> = (0..150).map(|number| metric(&format!("a{number:03}"))).collect();
    let asked: Vec<String> = many.iter().map(|alarm| alarm.name.clone()).collect();
    let (fake, session) = known(Known::with(many.clone()));
    for calls in [2, 4] {
        assert_eq!(alarms_now(&session, &now, &asked).await.unwrap().len(), 150);
        assert_eq!(fake.calls(), calls);
    }
    let (_, endless) = known(Known { page: 1, ..Known::with(many) });
    let error = alarms_now(&endless, &now, &asked).await.unwrap_err();
    assert!(error.to_string().contains("100 alarms failed: there are more than 50"), "{error}");
}
