use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn alarm(name: &str, state: AlarmState) -> Alarm {
    Alarm { name: name.to_owned(), state }
}

#[tokio::test(start_paused = true)]
async fn callers_share_calls_of_a_hundred_names_and_one_call_per_prefix() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let wanted = |number: usize| {
        let own = [format!("own-{number}-a"), format!("own-{number}-b")];
        own.into_iter().chain(["shared".to_owned()]).collect::<Vec<_>>()
    };
    fake.set("shared", AlarmState::Ok);
    for number in 0..150 {
        wanted(number).iter().for_each(|name| fake.set(name, AlarmState::Alarm));
    }
    fake.set("shared", AlarmState::Ok);
    let (wanted, prefix) = ((0..150).map(wanted).collect::<Vec<_>>(), names(&["sha"]));
    let asked = wanted.iter().map(|wanted| hub.alarms(&session, wanted, &prefix, at(0)));
    for (wanted, found) in wanted.iter().zip(join_all(asked).await) {
        let state = |name: &String| match &**name {
            "shared" => alarm(name, AlarmState::Ok),
            _ => alarm(name, AlarmState::Alarm),
        };
        let alarms = wanted.iter().map(state).collect();
        assert_eq!(found.unwrap(), AlarmsFound { alarms, missing: vec![] });
    }
    let mut sizes: Vec<_> = fake.alarm_calls().iter().map(size).collect();
    sizes.sort_unstable();
    // 300 names of their own, one that all share, and the prefix.
    assert_eq!(sizes, [0, 1, 100, 100, 100]);
}

/// How many names; none for a prefix.
fn size(filter: &AlarmFilter) -> usize {
    match filter {
        AlarmFilter::Names(names) => names.len(),
        AlarmFilter::Prefix(_) | AlarmFilter::All => 0,
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_missing_and_nothing_is_told_twice() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.set("api-errors", AlarmState::Alarm);
    fake.set("api-latency", AlarmState::InsufficientData);
    fake.set("db", AlarmState::Ok);
    let asked = names(&["db", "gone", "api-latency", "db", "api-"]);
    let prefixes = names(&["none-", "api-", "api-", "db"]);
    let found = hub.alarms(&session, &asked, &prefixes, at(0)).await.unwrap();
    let alarms = vec![
        alarm("api-errors", AlarmState::Alarm),
        alarm("api-latency", AlarmState::InsufficientData),
        alarm("db", AlarmState::Ok),
    ];
    assert_eq!(found, AlarmsFound { alarms, missing: names(&["api-", "gone", "none-"]) });
    let found = hub.alarms(&session, &[], &[], at(0)).await.unwrap();
    assert_eq!(found, AlarmsFound::default());
    assert_eq!(fake.alarm_calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn states_are_described_again_after_half_a_minute_of_the_passes_clock() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let (asked, prefix) = (names(&["a"]), names(&["a"]));
    let state = async |now: i64| {
        let found = hub.alarms(&session, &asked, &prefix, at(now)).await.unwrap();
        found.alarms.first().map(|alarm| alarm.state)
    };
    assert_eq!(state(100).await, None);
    fake.set("a", AlarmState::Alarm);
    assert_eq!(state(129).await, None);
    assert_eq!(fake.alarm_calls().len(), 2);
    assert_eq!(state(130).await, Some(AlarmState::Alarm));
    assert_eq!(fake.alarm_calls().len(), 4);
    // A pass that began before is answered by what was read after it.
    assert_eq!(state(101).await, Some(AlarmState::Alarm));
    assert_eq!(fake.alarm_calls().len(), 4);
    assert_eq!(hub.alarm_names.kept().0, 1);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_fires_in_one_of_two_answers_fires() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    let (asked, prefix) = (names(&["a"]), names(&["a"]));
    for (first, then) in [(AlarmState::Ok, AlarmState::Alarm), (AlarmState::Alarm, AlarmState::Ok)]
    {
        let now = if first == AlarmState::Ok { at(0) } else { at(60) };
        fake.set("a", first);
        hub.alarms(&session, &asked, &[], now).await.unwrap();
        fake.set("a", then);
        let found = hub.alarms(&session, &asked, &prefix, now).await.unwrap();
        assert_eq!(found.alarms, [alarm("a", AlarmState::Alarm)]);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_alarms_are_put_together_and_never_followed_for_ever() {
    let hub = Hub::default();
    let (fake, one) = session(Fake { pages: 3, ..Fake::default() });
    for number in 0..7 {
        fake.set(&format!("a{number}"), AlarmState::Ok);
    }
    let prefix = names(&["a"]);
    let found = hub.alarms(&one, &[], &prefix, at(0)).await.unwrap();
    assert_eq!(found.alarms.len(), 7);
    assert_eq!(fake.alarm_calls().len(), 3);
    let (fake, endless) = session(Fake { pages: 1_000, ..Fake::default() });
    let error = hub.alarms(&endless, &[], &prefix, at(0)).await.unwrap_err();
    assert!(error.to_string().contains("alarms a* failed: there are more than 50"), "{error}");
    assert_eq!(fake.alarm_calls().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_all_who_asked_and_one_role_only() {
    let hub = Hub::default();
    let (denied, one) = session(Fake::default());
    let (fake, other) = session(Fake::default());
    fake.set("a", AlarmState::Ok);
    denied.trouble(Trouble::Fail(Class::Denied));
    let asked = names(&["a"]);
    let answers = tokio::join!(
        hub.alarms(&one, &asked, &[], at(0)),
        hub.alarms(&one, &asked, &[], at(0)),
        hub.alarms(&other, &asked, &[], at(0))
    );
    assert_eq!(answers.0.unwrap_err().class, Class::Denied);
    assert_eq!(answers.1.unwrap_err().class, Class::Denied);
    assert_eq!(answers.2.unwrap().alarms, [alarm("a", AlarmState::Ok)]);
    let again = hub.alarms(&one, &asked, &[], at(0)).await.unwrap();
    assert_eq!(again.missing, asked);
    assert_eq!(denied.alarm_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_empty_prefix_asks_for_all_alarms_once() {
    let hub = Hub::default();
    let (fake, session) = session(Fake::default());
    fake.set("a", AlarmState::Ok);
    fake.set("b", AlarmState::Alarm);
    let all = [String::new()];
    let found = join_all((0..3).map(|_| hub.alarms(&session, &[], &all, at(0)))).await;
    for found in found {
        assert_eq!(found.unwrap().alarms.len(), 2);
    }
    assert_eq!(fake.alarm_calls(), [AlarmFilter::All]);
}
