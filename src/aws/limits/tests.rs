//! Laws of the buckets, on paused time.

use std::{pin::pin, sync::LazyLock, task::Poll};

use futures::{FutureExt as _, poll};
use proptest::prelude::*;
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, advance, sleep, timeout},
};

use super::*;

static KEY: LazyLock<Key> = LazyLock::new(|| Key {
    account: "123456789012".to_owned(),
    region: "eu-central-1".to_owned(),
    family: Family::LambdaControl,
});

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

/// Takes the one whole token of the burst, so that whoever comes next has to wait: 36 ms at first,
/// then 72 ms.
async fn drain(limits: &Limits) {
    limits.token(&KEY, Priority::Work, "first").await.unwrap();
}

/// Queues callers in this order in an empty bucket and returns the order in which they are served.
async fn served(callers: &[(Priority, &'static str)]) -> Vec<(Priority, String)> {
    let limits = Arc::new(Limits::default());
    drain(&limits).await;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for (number, &(priority, namespace)) in callers.iter().enumerate() {
        let (limits, sender) = (Arc::clone(&limits), sender.clone());
        tokio::spawn(async move {
            limits.token(&KEY, priority, namespace).await.unwrap();
            sender.send((priority, format!("{namespace}{number}"))).unwrap();
        });
        yield_now().await;
    }
    drop(sender);
    let mut order = Vec::new();
    while let Some(next) = receiver.recv().await {
        order.push(next);
    }
    order
}

fn names(order: &[(Priority, String)]) -> Vec<&str> {
    order.iter().map(|(_, name)| name.as_str()).collect()
}

#[test]
fn undo_goes_first_and_drift_last_however_late_they_came() {
    use Priority::{Drift, Undo, Work};
    let order = run(served(&[(Drift, "a"), (Work, "a"), (Work, "b"), (Drift, "b"), (Undo, "z")]));
    assert_eq!(names(&order), ["z4", "a1", "b2", "a0", "b3"]);
}

#[test]
fn namespaces_take_turns_and_each_is_first_come_first_served() {
    use Priority::Work;
    let order = run(served(&[(Work, "big"), (Work, "big"), (Work, "big"), (Work, "small")]));
    assert_eq!(names(&order), ["big0", "small3", "big1", "big2"]);
}

#[test]
fn an_undo_that_comes_just_before_the_token_gets_it() {
    run(async {
        let limits = Limits::default();
        drain(&limits).await;
        let mut work = pin!(limits.token(&KEY, Priority::Work, "a"));
        assert!(poll!(&mut work).is_pending());
        sleep(Duration::from_millis(30)).await;
        let mut undo = pin!(limits.token(&KEY, Priority::Undo, "b"));
        timeout(Duration::from_millis(10), &mut undo).await.unwrap().unwrap();
        assert!(poll!(&mut work).is_pending());
        work.await.unwrap();
    });
}

#[test]
fn the_end_of_a_runtime_does_not_stop_the_bucket() {
    let limits = Limits::default();
    run(async {
        drain(&limits).await;
        let mut waiter = pin!(limits.token(&KEY, Priority::Work, "a"));
        assert!(poll!(&mut waiter).is_pending());
    });
    run(async {
        let token = limits.token(&KEY, Priority::Work, "a");
        timeout(Duration::from_secs(1), token).await.unwrap().unwrap();
    });
}

#[test]
fn a_dropped_waiter_neither_blocks_the_queue_nor_loses_the_token() {
    run(async {
        let limits = Limits::default();
        drain(&limits).await;
        let begun = Instant::now();
        let mut first = Box::pin(limits.token(&KEY, Priority::Work, "a"));
        assert!(poll!(&mut first).is_pending());
        let mut next = pin!(limits.token(&KEY, Priority::Work, "b"));
        assert!(poll!(&mut next).is_pending());
        drop(first);
        timeout(Duration::from_secs(1), &mut next).await.unwrap().unwrap();
        assert!(begun.elapsed() <= Duration::from_millis(73), "{:?}", begun.elapsed());

        // One is handed its token and leaves without having seen it.
        let mut unseen = Box::pin(limits.token(&KEY, Priority::Work, "a"));
        assert!(poll!(&mut unseen).is_pending());
        let mut heir = pin!(limits.token(&KEY, Priority::Drift, "b"));
        assert!(poll!(&mut heir).is_pending());
        advance(Duration::from_millis(72)).await;
        let mut probe = Box::pin(limits.token(&KEY, Priority::Drift, "c"));
        assert!(poll!(&mut probe).is_pending(), "hands the token to the first in line");
        drop((unseen, probe));
        assert_eq!(poll!(&mut heir), Poll::Ready(Ok(())));
    });
}

#[test]
fn a_full_queue_refuses_its_own_priority_only() {
    run(async {
        let limits = Limits::default();
        drain(&limits).await;
        let mut waiting = Vec::new();
        for _ in 0..WAITING_MAX {
            let mut caller = Box::pin(limits.token(&KEY, Priority::Drift, "a"));
            assert!(poll!(&mut caller).is_pending());
            waiting.push(caller);
        }
        assert_eq!(limits.token(&KEY, Priority::Drift, "a").await, Err(NoToken::TooManyWaiting));
        // None of those who wait is polled meanwhile: they hold nobody up.
        limits.token(&KEY, Priority::Undo, "a").await.unwrap();
        drop(waiting);
        limits.token(&KEY, Priority::Drift, "a").await.unwrap();
    });
}

#[test]
fn a_throttle_pauses_slows_down_and_is_forgotten_in_time() {
    run(async {
        let limits = Limits::default();
        let wait = async || {
            let begun = Instant::now();
            limits.token(&KEY, Priority::Work, "a").await.unwrap();
            begun.elapsed()
        };
        limits.throttled(&KEY, Some(Duration::from_secs(3)));
        // Answers of calls that were in flight together slow down once.
        limits.throttled(&KEY, None);
        let first = wait().await;
        assert!(first >= Duration::from_millis(3_140) && first <= Duration::from_millis(3_145));
        let second = wait().await;
        assert!(second >= Duration::from_millis(125), "half the rate at first: {second:?}");
        sleep(Duration::from_secs(31)).await;
        wait().await;
        let recovered = wait().await;
        assert!(recovered <= Duration::from_millis(73), "{recovered:?}");

        for _ in 0..100 {
            advance(THROTTLED_AGAIN).await;
            limits.throttled(&KEY, Some(Duration::from_secs(3_600)));
        }
        let longest = wait().await;
        assert!(longest >= Duration::from_secs(60), "{longest:?}");
        assert!(longest <= Duration::from_secs(62), "pause and floor are bounded: {longest:?}");
    });
}

/// Longer than what counts as one throttle.
const THROTTLED_AGAIN: Duration = Duration::from_millis(1_001);

#[test]
fn buckets_that_nobody_needs_are_forgotten() {
    run(async {
        let limits = Limits::default();
        for number in 0..BUCKETS_KEPT {
            let key = Key { account: number.to_string(), ..KEY.clone() };
            limits.token(&key, Priority::Work, "a").await.unwrap();
        }
        drain(&limits).await;
        assert_eq!(limits.buckets.lock().unwrap().len(), BUCKETS_KEPT + 1, "none is full again");
        advance(Duration::from_secs(1)).await;
        limits
            .token(&Key { account: "new".to_owned(), ..KEY.clone() }, Priority::Work, "a")
            .await
            .unwrap();
        assert_eq!(limits.buckets.lock().unwrap().len(), 1);
    });
}

/// One caller of the random histories.
#[derive(Clone, Debug)]
struct Caller {
    arrives: u64,
    priority: Priority,
    namespace: u8,
    /// Leaves after so many milliseconds when it was not served by then.
    patience: Option<u64>,
}

fn caller() -> impl Strategy<Value = Caller> {
    let priority = prop::sample::select(Priority::QUEUES.as_slice());
    (0_u64..3_000, priority, 0_u8..4, prop::option::of(0_u64..2_000)).prop_map(
        |(arrives, priority, namespace, patience)| Caller {
            arrives,
            priority,
            namespace,
            patience,
        },
    )
}

/// Runs a history; gives for each caller when it was served, if it was.
async fn history(callers: &[Caller], throttles: &[u64]) -> Vec<Option<Duration>> {
    let limits = Arc::new(Limits::default());
    let begun = Instant::now();
    for &at in throttles {
        let limits = Arc::clone(&limits);
        tokio::spawn(async move {
            sleep(Duration::from_millis(at)).await;
            limits.throttled(&KEY, Some(Duration::from_millis(at % 700)));
        });
    }
    let tasks: Vec<_> = callers
        .iter()
        .cloned()
        .map(|caller| {
            let limits = Arc::clone(&limits);
            tokio::spawn(async move {
                sleep(Duration::from_millis(caller.arrives)).await;
                let namespace = caller.namespace.to_string();
                let token = limits.token(&KEY, caller.priority, &namespace).boxed();
                let patience =
                    caller.patience.map_or(Duration::from_secs(600), Duration::from_millis);
                timeout(patience, token).await.ok().map(|token| token.unwrap())?;
                Some(begun.elapsed())
            })
        })
        .collect();
    let mut served = Vec::new();
    for task in tasks {
        served.push(task.await.unwrap());
    }
    served
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_holds_more_than_rate_and_burst_and_all_the_patient_are_served(
        callers in prop::collection::vec(caller(), 1..80),
        throttles in prop::collection::vec(0_u64..3_000, 0..4),
    ) {
        let served = run(history(&callers, &throttles));
        for (caller, served) in callers.iter().zip(&served) {
            prop_assert!(caller.patience.is_some() || served.is_some(), "{caller:?} is still waiting");
        }
        let mut times: Vec<Duration> = served.iter().flatten().copied().collect();
        times.sort();
        let family = Family::LambdaControl;
        for (first, from) in times.iter().enumerate() {
            for (count, until) in (1_u32..).zip(times.iter().skip(first)) {
                let allowed = until.saturating_sub(*from).as_secs_f64() * family.per_second() + family.burst();
                prop_assert!(f64::from(count) <= allowed + 1e-6, "{count} from {from:?} to {until:?}");
            }
        }
    }

    #[test]
    fn a_lower_priority_is_never_served_while_a_higher_one_waits(
        callers in prop::collection::vec(caller(), 1..80),
    ) {
        let served = run(history(&callers, &[]));
        for (low, at) in callers.iter().zip(&served) {
            let Some(at) = at else { continue };
            for (high, high_at) in callers.iter().zip(&served) {
                // Of two that are served in the same millisecond the clock cannot tell the order.
                let waited = high.arrives < at.as_millis() as u64 && high_at.is_some_and(|high_at| high_at > *at);
                prop_assert!(
                    !(high.priority < low.priority && waited),
                    "{low:?} at {at:?} before {high:?} at {high_at:?}",
                );
            }
        }
    }
}

fn here() -> Option<Place> {
    Some(Place { account: KEY.account.clone(), region: KEY.region.clone() })
}

#[test]
fn a_move_forward_waits_for_what_is_to_be_undone_there_or_anywhere() {
    run(async {
        let limits = Limits::default();
        let elsewhere = Place { account: "999999999999".into(), region: KEY.region.clone() };
        let other = limits.announce(Some(elsewhere));
        limits.token(&KEY, Priority::Advance, "a").await.unwrap();
        drop(other);
        for place in [here(), None] {
            let undo = limits.announce(place);
            let mut forward = pin!(limits.token(&KEY, Priority::Advance, "a"));
            assert!(timeout(Duration::from_millis(500), &mut forward).await.is_err());
            limits.token(&KEY, Priority::Work, "a").await.unwrap();
            limits.token(&KEY, Priority::Undo, "a").await.unwrap();
            undo.done();
            forward.await.unwrap();
        }
    });
}

#[test]
fn a_move_forward_that_has_its_token_gives_it_to_an_undo_announced_meanwhile() {
    run(async {
        let limits = Limits::default();
        drain(&limits).await;
        let mut forward = pin!(limits.token(&KEY, Priority::Advance, "a"));
        assert!(poll!(&mut forward).is_pending());
        // Announced before it asks for a token: it still learns what it is to undo.
        let undo = limits.announce(here());
        let waits = timeout(Duration::from_millis(900), &mut forward).await;
        assert!(waits.is_err(), "the tokens of all this time are left");
        let begun = Instant::now();
        limits.token(&KEY, Priority::Undo, "b").await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(undo);
        forward.await.unwrap();
    });
}

#[test]
fn an_undo_that_hangs_keeps_nobody_for_long_and_a_pass_not_even_so_long() {
    run(async {
        let limits = Limits::default();
        let _hangs = limits.announce(here());
        let begun = Instant::now();
        let mut tries = 0;
        while limits.token(&KEY, Priority::Advance, "a").await == Err(NoToken::UndoFirst) {
            tries += 1;
            assert_eq!(begun.elapsed(), Duration::from_secs(tries));
        }
        assert_eq!((tries, begun.elapsed()), (4, Duration::from_secs(5)));
        // One that is given up is no sign of life, one that came to its end is.
        drop(limits.announce(here()));
        limits.token(&KEY, Priority::Advance, "a").await.unwrap();
        limits.announce(here()).done();
        let held = limits.token(&KEY, Priority::Advance, "a").await;
        assert_eq!(held, Err(NoToken::UndoFirst));
    });
}
