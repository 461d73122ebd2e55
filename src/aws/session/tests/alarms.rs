//! Every call about alarms passes what every call passes, under its own name.

use super::*;
use crate::{
    aws::port::Alarms,
    facts::{
        alarms::{AlarmKinds, FullAlarmPage},
        mute_rules::{MuteRule, MuteRulePage, MuteSchedule, MuteStatus, NewMuteRule, OwnMuteRule},
    },
    names::Owner,
};

#[async_trait]
impl Alarms for Scripted {
    async fn describe_alarms_in_full(
        &self,
        _: &AlarmFilter,
        _: AlarmKinds,
        _: Option<&str>,
    ) -> Result<FullAlarmPage, Error> {
        self.answer(Operation::CloudWatchDescribeAlarms).await.map(|_| FullAlarmPage::default())
    }
    async fn disable_alarm_actions(&self, _: &[String]) -> Result<(), Error> {
        self.answer(Operation::CloudWatchDisableAlarmActions).await.map(|_| ())
    }
    async fn enable_alarm_actions(&self, _: &[String]) -> Result<(), Error> {
        self.answer(Operation::CloudWatchEnableAlarmActions).await.map(|_| ())
    }
    async fn put_alarm_mute_rule(&self, _: &NewMuteRule) -> Result<(), Error> {
        self.answer(Operation::CloudWatchPutAlarmMuteRule).await.map(|_| ())
    }
    async fn get_alarm_mute_rule(&self, name: &str) -> Result<MuteRule, Error> {
        self.answer(Operation::CloudWatchGetAlarmMuteRule).await.map(|_| MuteRule {
            name: name.to_owned(),
            description: String::new(),
            alarms: vec![],
            schedule: MuteSchedule::read("", "", None),
            status: MuteStatus::Active,
            updated_at: None,
        })
    }
    async fn list_alarm_mute_rules(&self, _: Option<&str>) -> Result<MuteRulePage, Error> {
        self.answer(Operation::CloudWatchListAlarmMuteRules).await.map(|_| MuteRulePage::default())
    }
    async fn delete_alarm_mute_rule(&self, _: &OwnMuteRule) -> Result<(), Error> {
        self.answer(Operation::CloudWatchDeleteAlarmMuteRule).await.map(|_| ())
    }
}

fn name() -> OwnMuteRule {
    let owner = Owner { cluster: "c".into(), namespace: "n".into(), name: "w".into() };
    OwnMuteRule::of(&owner, "o", 1)
}

fn rule() -> NewMuteRule {
    NewMuteRule {
        name: name(),
        description: String::new(),
        alarms: vec!["a".to_owned()],
        starts_at: Timestamp::UNIX_EPOCH,
        duration: SignedDuration::from_mins(1),
        tags: vec![],
    }
}

/// What became of each call, in their order.
async fn all(alarms: &GuardedAlarms) -> Vec<Result<(), Error>> {
    let (filter, names) = (AlarmFilter::All, ["a".to_owned(), "b".to_owned()]);
    let described = alarms.describe_alarms_in_full(&filter, AlarmKinds::All, None).await;
    vec![
        described.map(|_| ()),
        alarms.get_alarm_mute_rule(name().as_str()).await.map(|_| ()),
        alarms.list_alarm_mute_rules(None).await.map(|_| ()),
        alarms.disable_alarm_actions(&names).await,
        alarms.enable_alarm_actions(&names).await,
        alarms.put_alarm_mute_rule(&rule()).await,
        alarms.delete_alarm_mute_rule(&name()).await,
    ]
}

const OPERATIONS: [Operation; 7] = [
    Operation::CloudWatchDescribeAlarms,
    Operation::CloudWatchGetAlarmMuteRule,
    Operation::CloudWatchListAlarmMuteRules,
    Operation::CloudWatchDisableAlarmActions,
    Operation::CloudWatchEnableAlarmActions,
    Operation::CloudWatchPutAlarmMuteRule,
    Operation::CloudWatchDeleteAlarmMuteRule,
];

#[tokio::test(start_paused = true)]
async fn calls_about_alarms_are_counted_under_the_name_of_what_is_sent() {
    let bench = Bench::new(Leadership::always(), &[]);
    for done in all(&bench.session.alarms(context(None, PASS))).await {
        done.unwrap();
    }
    let sent: Vec<Operation> = bench.script.sent.lock().unwrap().iter().map(|one| one.0).collect();
    assert_eq!(sent, OPERATIONS);
    let shown = bench.metrics.render();
    for operation in OPERATIONS {
        let name = operation.entry().name;
        let line =
            format!(r#"aws_calls_total{{service="cloudwatch",operation="{name}",result="ok"}} 1"#);
        assert!(shown.contains(&line), "{line} is not in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_lease_alarms_are_read_and_neither_silenced_nor_let_act() {
    let bench = Bench::new(Leadership::none(), &[]);
    let done = all(&bench.session.alarms(context(None, PASS))).await;
    let (reads, writes) = done.split_at(3);
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    let rule = format!("mute rule {}", name().as_str());
    let about = ["2 alarms", "2 alarms", &rule, &rule];
    assert_eq!(writes.len(), about.len());
    for ((write, operation), about) in writes.iter().zip(&OPERATIONS[3..]).zip(about) {
        let error = write.as_ref().unwrap_err();
        assert_eq!((error.class, error.operation), (Class::Refused, *operation));
        assert_eq!(error.resource, about);
    }
    assert_eq!(bench.sent(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_silences_alarms_goes_no_faster_than_three_times_a_second() {
    let bench = Bench::new(Leadership::always(), &[]);
    let alarms = bench.session.alarms(context(None, PASS));
    let begun = Instant::now();
    for _ in 0..10 {
        alarms.disable_alarm_actions(&["a".to_owned()]).await.unwrap();
        alarms.enable_alarm_actions(&["a".to_owned()]).await.unwrap();
    }
    // 20 calls of one family: the first is at once.
    assert!(begun.elapsed() >= Duration::from_secs_f64(18.0 / 2.5), "{:?}", begun.elapsed());
}
