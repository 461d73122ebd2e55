//! Replicas against a Lease API in memory, on paused time: an hour takes milliseconds.

mod api;
mod contents;
mod turns;

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use self::api::{Link, Server, now};
use super::{lease::Trouble, *};
use crate::health::Liveness;

const SECOND: Duration = Duration::from_secs(1);
/// What a few answers of the API in memory take.
const ANSWERS: Duration = Duration::from_millis(50);

fn elector(link: &Link, identity: &str) -> Elector<fn() -> Timestamp> {
    let settings = LeaseSettings::new("groundcrew", identity, LeaseTimes::default()).unwrap();
    Elector::new(link.api(), settings, now, Liveness::new().supervise("lease", TURN_BOUND))
}

/// Counts who works, and keeps the handles of all leaders there ever were.
#[derive(Clone, Default)]
struct Ledger {
    working: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    starts: Arc<Mutex<Vec<(String, Instant, Leadership)>>>,
}

struct Working(Arc<AtomicUsize>);
impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Ledger {
    /// Notes that `identity` starts to work. No former leader may have time left to write.
    fn start(&self, identity: &str, leadership: Leadership) -> Working {
        let mut starts = self.starts.lock().unwrap();
        for (former, _, handle) in starts.iter() {
            assert_eq!(handle.time_left(), Duration::ZERO, "{former} may write beside {identity}");
        }
        starts.push((identity.to_owned(), Instant::now(), leadership));
        let working = self.working.fetch_add(1, SeqCst).saturating_add(1);
        self.most.fetch_max(working, SeqCst);
        Working(self.working.clone())
    }

    fn last(&self) -> (String, Instant) {
        let starts = self.starts.lock().unwrap();
        starts.last().map(|(identity, at, _)| (identity.clone(), *at)).unwrap()
    }

    fn count(&self) -> usize {
        self.starts.lock().unwrap().len()
    }

    /// One replica that works until it is stopped.
    fn spawn(&self, link: &Link, identity: &str) -> Replica {
        let elector = elector(link, identity);
        let leadership = elector.leadership();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ledger, identity) = (self.clone(), identity.to_owned());
        let task = tokio::spawn(elector.run(
            move |leadership, signal| async move {
                let _working = ledger.start(&identity, leadership);
                signal.given().await;
            },
            async move {
                if stopped.await.is_err() {
                    pending::<()>().await;
                }
            },
        ));
        Replica { leadership, stop, task }
    }
}

struct Replica {
    leadership: Leadership,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Ended>,
}

impl Replica {
    /// Waits for its end without ever stopping it.
    async fn run_on(self) -> Ended {
        let Self { stop: _stop, task, .. } = self;
        task.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn never_two_leaders_and_always_failover_under_partitions() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let links: Vec<Link> = (0..3).map(|_| server.link()).collect();
    for (index, link) in links.iter().cloned().enumerate() {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            loop {
                let ended = ledger.spawn(&link, &format!("pod-{index}")).run_on().await;
                assert_eq!(ended, Ended::Lost);
            }
        });
    }
    sleep(SECOND).await;
    assert_eq!(ledger.count(), 1, "an empty Lease is taken at once");
    for round in 0..10 {
        sleep(30 * SECOND + Duration::from_millis(137 * round)).await;
        let (leader, _) = ledger.last();
        let index: usize = leader.strip_prefix("pod-").unwrap().parse().unwrap();
        links[index].cut(true);
        let cut = Instant::now();
        sleep(LEASE_DURATION + RETRY_PERIOD + ANSWERS).await;
        let (next, at) = ledger.last();
        assert_ne!(next, leader, "round {round}");
        assert!(at > cut);
        assert_eq!(ledger.working.load(SeqCst), 1, "round {round}");
        links[index].cut(false);
    }
    assert_eq!(ledger.count(), 11, "only a partition changes the leader");
    assert_eq!(ledger.most.load(SeqCst), 1, "two worked at once");
}

#[tokio::test(start_paused = true)]
async fn a_clean_stop_hands_over_within_a_retry_period() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let first = ledger.spawn(&server.link(), "a");
    sleep(SECOND).await;
    let second = ledger.spawn(&server.link(), "b");
    sleep(30 * SECOND).await;
    assert_eq!(second.leadership.holder().as_deref(), Some("a"));
    assert!(first.leadership.is_leader() && !second.leadership.is_leader());

    first.stop.send(()).unwrap();
    let stopped = Instant::now();
    assert_eq!(first.task.await.unwrap(), Ended::Stopped);
    assert_eq!(server.holder().as_deref(), Some(""));
    assert_eq!(server.spec()["leaseDurationSeconds"], 1);
    sleep(RETRY_PERIOD + ANSWERS).await;
    let (leader, at) = ledger.last();
    assert_eq!(leader, "b");
    assert!(at - stopped < RETRY_PERIOD + SECOND, "{:?}", at - stopped);
    assert_eq!(second.leadership.holder().as_deref(), Some("b"));
    assert_eq!(server.spec()["leaseTransitions"], 2);
}

#[tokio::test(start_paused = true)]
async fn the_work_may_write_until_it_has_ended_and_the_lease_is_released_after() {
    let server = Server::with_lease();
    let link = server.link();
    let elector = elector(&link, "a");
    let handle = elector.leadership();
    let observer = server.clone();
    let work = |leadership: Leadership, signal: StopSignal| async move {
        assert!(!signal.is_given());
        signal.clone().given().await;
        assert!(signal.is_given());
        // Longer than the renew deadline: the lease is renewed on while the work finishes.
        for _ in 0..15 {
            sleep(SECOND).await;
            assert!(leadership.time_left() > 5 * SECOND);
            assert_eq!(observer.holder().as_deref(), Some("a"));
        }
    };
    assert_eq!(elector.run(work, sleep(SECOND)).await, Ended::Stopped);
    assert_eq!(handle.time_left(), Duration::ZERO);
    assert_eq!(server.holder().as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_end_is_dropped_and_its_lease_runs_out() {
    let server = Server::with_lease();
    let elector = elector(&server.link(), "a");
    let handle = elector.leadership();
    let ledger = Ledger::default();
    let counted = ledger.clone();
    let work = |leadership, _| async move {
        let _working = counted.start("a", leadership);
        pending::<()>().await;
    };
    let begun = Instant::now();
    assert_eq!(elector.run(work, sleep(SECOND)).await, Ended::Stopped);
    assert!(begun.elapsed() <= SECOND + STOP_GRACE + ANSWERS);
    assert_eq!(ledger.working.load(SeqCst), 0);
    assert_eq!(handle.time_left(), Duration::ZERO);
    assert_eq!(server.holder().as_deref(), Some("a"), "a call may be in flight");
    let dropped = Instant::now();
    let _second = ledger.spawn(&server.link(), "b");
    sleep(LEASE_DURATION + ANSWERS).await;
    let (leader, at) = ledger.last();
    assert_eq!(leader, "b");
    assert!(at - dropped >= LEASE_DURATION);
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_by_itself_releases_the_lease() {
    let server = Server::with_lease();
    let elector = elector(&server.link(), "a");
    assert_eq!(elector.run(|_, _| sleep(SECOND), pending()).await, Ended::WorkFinished);
    assert_eq!(server.holder().as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_never_answers_costs_leadership_at_the_deadline() {
    let server = Server::with_lease();
    let link = server.link();
    let elector = elector(&link, "a");
    let handle = elector.leadership();
    let run = tokio::spawn(elector.run(|_, _| pending::<()>(), pending()));
    sleep(30 * SECOND).await;
    link.cut(true);
    let mut least = handle.time_left();
    let ends = Instant::now() + least;
    while !run.is_finished() {
        assert!(Instant::now() <= ends, "not later");
        assert!(handle.time_left() <= least, "it only shrinks");
        least = handle.time_left();
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(run.await.unwrap(), Ended::Lost);
    assert!(Instant::now() >= ends && Instant::now() - ends <= Duration::from_millis(2));
    assert_eq!(handle.time_left(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_before_the_request() {
    let server = Server::with_lease();
    let link = server.link();
    link.slow(SECOND); // A read and a write take 2 s together.
    let replica = Ledger::default().spawn(&link, "a");
    let most = RENEW_DEADLINE - 2 * SECOND;
    let mut seen = Duration::ZERO;
    for _ in 0..600 {
        sleep(Duration::from_millis(50)).await;
        seen = seen.max(replica.leadership.time_left());
        assert!(seen <= most, "{seen:?}");
    }
    assert!(seen > most - SECOND && replica.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_and_a_few_conflicts_cost_nothing() {
    let server = Server::with_lease();
    let link = server.link();
    let ledger = Ledger::default();
    let replica = ledger.spawn(&link, "a");
    sleep(10 * SECOND).await;
    link.cut(true);
    sleep(4 * SECOND).await;
    link.cut(false);
    sleep(10 * SECOND).await;
    link.refuse(2); // Somebody else edits the Lease at the same time.
    sleep(60 * SECOND).await;
    assert!(replica.leadership.is_leader() && !replica.task.is_finished());
    assert_eq!(ledger.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_process_may_not_write_when_it_wakes_up() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let turns = Arc::new(AtomicUsize::new(0));
    let elector = elector(&server.link(), "zombie");
    let (counted, noted) = (turns.clone(), ledger.clone());
    let mut zombie = Box::pin(elector.run(
        |leadership, _| async move {
            let _working = noted.start("zombie", leadership);
            loop {
                counted.fetch_add(1, SeqCst);
                sleep(SECOND).await;
            }
        },
        pending(),
    ));
    assert!(timeout(5 * SECOND, &mut zombie).await.is_err());
    let before = turns.load(SeqCst);

    // Nobody polls it now, as under SIGSTOP. `Ledger::start` checks its handle at the takeover.
    let other = ledger.spawn(&server.link(), "other");
    sleep(40 * SECOND).await;
    assert!(other.leadership.is_leader());

    assert_eq!(zombie.await, Ended::Lost);
    assert_eq!(turns.load(SeqCst), before, "the work got a turn after the deadline");
    sleep(40 * SECOND).await;
    assert!(other.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_waiting_for_the_lease_returns_at_once_and_changes_nothing() {
    let server = Server::held_by("somebody", Some(15));
    let before = server.spec();
    let link = server.link();
    let never = |_, _| async { panic!("it must not work") };
    let begun = Instant::now();
    let ended = elector(&link, "a").run(never, sleep(3 * SECOND)).await;
    assert_eq!(ended, Ended::Stopped);
    assert_eq!(begun.elapsed(), 3 * SECOND);
    link.cut(true);
    let begun = Instant::now();
    assert_eq!(elector(&link, "a").run(never, sleep(3 * SECOND)).await, Ended::Stopped);
    assert_eq!(begun.elapsed(), 3 * SECOND);
    assert_eq!(server.spec(), before);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_acquiring_gives_the_lease_back() {
    let server = Server::with_lease();
    let link = server.link();
    link.lose_answers(1);
    let never = |_, _| async { panic!("it must not work") };
    assert_eq!(elector(&link, "a").run(never, sleep(SECOND)).await, Ended::Stopped);
    assert_eq!(server.holder().as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_election_takes_the_leadership_back() {
    let server = Server::with_lease();
    let elector = elector(&server.link(), "a");
    let handle = elector.leadership();
    let run = elector.run(|_, _| pending::<()>(), pending());
    assert!(timeout(SECOND, run).await.is_err());
    assert_eq!(handle.time_left(), Duration::ZERO);
    assert!(!handle.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_retried_until_it_ends() {
    let server = Server::with_lease();
    let link = server.link();
    link.forbid(true);
    let replica = Ledger::default().spawn(&link, "a");
    sleep(60 * SECOND).await;
    assert!(!replica.leadership.is_leader());
    link.forbid(false);
    sleep(RETRY_PERIOD + ANSWERS).await;
    assert!(replica.leadership.is_leader());
}

#[test]
fn a_failure_is_new_once_until_it_changes_or_ends() {
    let mut trouble = Trouble::default();
    assert!(!trouble.end());
    assert!(trouble.is_new("forbidden") && !trouble.is_new("forbidden"));
    assert!(trouble.is_new("no answer") && trouble.is_new("forbidden"));
    assert!(trouble.end() && !trouble.end());
    assert!(trouble.is_new("forbidden"));
}

#[test]
fn handles_without_an_election() {
    assert_eq!(Leadership::always().time_left(), Duration::MAX);
    assert!(Leadership::always().is_leader());
    assert_eq!(Leadership::none().time_left(), Duration::ZERO);
    assert!(!Leadership::none().is_leader());
}

#[test]
fn settings_that_could_make_two_leaders_are_refused() {
    let times = |retry: u64, renew: u64, lease: u64| LeaseTimes {
        retry_period: Duration::from_secs(retry),
        renew_deadline: Duration::from_secs(renew),
        lease_duration: Duration::from_secs(lease),
        ..LeaseTimes::default()
    };
    let new = |times| LeaseSettings::new("groundcrew", "pod", times);
    assert!(new(LeaseTimes::default()).is_ok());
    for broken in [times(0, 10, 15), times(10, 10, 15), times(2, 15, 15), times(2, 20, 15)] {
        assert!(matches!(new(broken), Err(InvalidLease::Order { .. })), "{broken:?}");
    }
    let half = LeaseTimes { lease_duration: Duration::from_millis(15_500), ..times(2, 10, 15) };
    for broken in [times(2, 10, 0), times(2, 10, 61), half] {
        assert!(matches!(new(broken), Err(InvalidLease::Duration(_))), "{broken:?}");
    }
    for (name, identity) in [("", "pod"), ("groundcrew", "")] {
        let refused = LeaseSettings::new(name, identity, LeaseTimes::default());
        assert!(matches!(refused, Err(InvalidLease::Empty(_))));
    }
}
