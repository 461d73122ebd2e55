//! Which checks run when, on paused time.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use super::*;
use crate::{
    api::check::{
        self as raw,
        CheckVerdict::{Failed, Passed, Running, Unreadable},
    },
    checks::http::{Answer, Unanswered, Url},
    jobs::NoCluster,
};

const KIND: KindNames =
    KindNames { api_version: "groundcrew.dev/v1alpha1", kind: "Kind", plural: "kinds" };

/// Answers after this long; with 503 the first `bad` times.
#[derive(Default)]
struct Peer {
    takes: Duration,
    bad: usize,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[async_trait]
impl Fetch for Peer {
    async fn get(&self, _: &Url, _: bool) -> Result<Answer, Unanswered> {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        sleep(self.takes).await;
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        Ok(Answer { status: if before < self.bad { 503 } else { 200 }, body: vec![] })
    }
}

struct Bench {
    peer: Arc<Peer>,
    checks: Checks,
}

impl Bench {
    fn new(peer: Peer) -> Self {
        let peer = Arc::new(peer);
        let clock = Clock::simulated(Timestamp::UNIX_EPOCH);
        let fetch = Arc::clone(&peer) as Arc<dyn Fetch>;
        let jobs = Arc::new(NoCluster);
        Self { peer, checks: Checks::new(fetch, jobs, Arc::default(), clock) }
    }

    async fn ask(&self, name: &str, about: &str, list: &[raw::Check]) -> Vec<CheckResult> {
        let checks = Check::parse_all(list).unwrap();
        let none = || Err("no credentials".to_owned());
        let owner = owner(name);
        let asked = Asked {
            owner: &owner,
            list: "checks",
            about,
            checks: checks.into_iter().map(|check| (check, none())).collect(),
        };
        self.checks.results(asked).await
    }

    fn asked(&self) -> usize {
        self.peer.asked.load(Ordering::Relaxed)
    }
}

fn owner(name: &str) -> ObjectId {
    ObjectId { kind: KIND, namespace: "flights".into(), name: name.into(), uid: "u-1".into() }
}

fn http(name: &str, retries: i32, timeout: &str) -> raw::Check {
    raw::Check {
        name: name.into(),
        timeout: Some(timeout.parse().unwrap()),
        retries: Some(retries),
        http: Some(raw::HttpCheck { url: "https://a.com/".into(), ..raw::HttpCheck::default() }),
        ..raw::Check::default()
    }
}

fn verdicts(results: &[CheckResult]) -> Vec<CheckVerdict> {
    results.iter().map(|result| result.verdict).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_quick_is_answered_at_once_and_in_order() {
    let bench = Bench::new(Peer { bad: 1, ..Peer::default() });
    let results = bench.ask("a", "1", &[http("x", 0, "1m"), http("y", 0, "1m")]).await;
    assert_eq!(verdicts(&results), [Failed, Passed]);
    assert_eq!((results[0].name.as_str(), results[1].name.as_str()), ("x", "y"));
    // Handed out once: to ask again is to look again.
    bench.ask("a", "1", &[http("x", 0, "1m")]).await;
    assert_eq!(bench.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_goes_on_and_is_handed_out_later() {
    let bench = Bench::new(Peer { takes: Duration::from_secs(12), ..Peer::default() });
    let list = [http("x", 0, "1m")];
    let begun = Instant::now();
    assert_eq!(verdicts(&bench.ask("a", "1", &list).await), [Running]);
    assert_eq!(begun.elapsed(), RUN_WAIT);
    assert_eq!(verdicts(&bench.ask("a", "1", &list).await), [Running]);
    assert_eq!(verdicts(&bench.ask("a", "1", &list).await), [Passed]);
    assert_eq!(begun.elapsed(), Duration::from_secs(12));
    assert_eq!(bench.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_pass_is_tried_again_as_often_as_it_may() {
    for (bad, retries, asked, verdict) in [(2, 3, 3, Passed), (2, 2, 3, Passed), (2, 1, 2, Failed)]
    {
        let bench = Bench::new(Peer { bad, ..Peer::default() });
        let list = [http("x", retries, "1m")];
        let begun = Instant::now();
        let mut results = bench.ask("a", "1", &list).await;
        while results[0].verdict == Running {
            results = bench.ask("a", "1", &list).await;
        }
        assert_eq!((results[0].verdict, bench.asked()), (verdict, asked));
        let pauses = u32::try_from(asked - 1).unwrap();
        assert_eq!(begun.elapsed(), RETRY_PAUSE * pauses);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_timeout() {
    let bench = Bench::new(Peer { takes: Duration::from_secs(600), ..Peer::default() });
    let results = bench.ask("a", "1", &[http("x", 0, "2s")]).await;
    assert_eq!(verdicts(&results), [Failed]);
    assert_eq!(results[0].message, "no answer within 2 s");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_has_only_so_many_at_once_and_each_has_its_whole_time() {
    let bench = Bench::new(Peer { takes: Duration::from_secs(2), ..Peer::default() });
    let list: Vec<_> = (0..16).map(|n| http(&format!("x{n}"), 0, "3s")).collect();
    let results = bench.ask("a", "1", &list).await;
    assert_eq!(verdicts(&results), [Passed; 16]);
    assert_eq!(bench.peer.most_at_once.load(Ordering::Relaxed), AT_ONCE_PER_NAMESPACE);
}

#[tokio::test(start_paused = true)]
async fn results_for_something_else_are_not_used_and_no_longer_awaited() {
    let bench = Bench::new(Peer { takes: Duration::from_secs(6), ..Peer::default() });
    let list = [http("x", 0, "1m")];
    assert_eq!(verdicts(&bench.ask("a", "1", &list).await), [Running]);
    assert_eq!(verdicts(&bench.ask("a", "2", &list).await), [Running]);
    let other = [http("y", 0, "1m")];
    assert_eq!(verdicts(&bench.ask("a", "2", &other).await), [Running]);
    assert_eq!(bench.asked(), 3);
    let results = bench.ask("a", "2", &other).await;
    assert_eq!((results[0].name.as_str(), results[0].verdict), ("y", Passed));
    assert_eq!(bench.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_runs_for_an_object_that_is_gone_ends() {
    let bench = Bench::new(Peer { takes: Duration::from_secs(6), ..Peer::default() });
    let list = [http("x", 3, "1m")];
    bench.ask("a", "1", &list).await;
    bench.checks.forget(KIND, "flights", "a");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.asked(), 1);
    assert_eq!(verdicts(&bench.ask("a", "1", &list).await), [Running]);
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_of_aws_is_read_but_the_web_is_asked() {
    let bench = Bench::new(Peer::default());
    let table = raw::Check {
        name: "table".into(),
        dynamodb: Some(raw::DynamoDbCheck { table: "topology".into() }),
        ..raw::Check::default()
    };
    let results = bench.ask("a", "1", &[table, http("x", 0, "1m")]).await;
    assert_eq!(verdicts(&results), [Unreadable, Passed]);
    assert_eq!(results[0].message, "no credentials");
}
