//! What stands in the Lease, and who makes what of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_put_back_by_its_holder() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let replica = ledger.spawn(&server.link(), "a");
    sleep(10 * SECOND).await;
    server.delete();
    sleep(RETRY_PERIOD + ANSWERS).await;
    assert_eq!(server.holder().as_deref(), Some("a"));
    sleep(60 * SECOND).await;
    assert!(replica.leadership.is_leader());
    assert_eq!(ledger.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_never_makes_two_leaders() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let link = server.link();
    let old = ledger.spawn(&link, "old");
    sleep(10 * SECOND).await;
    link.cut(true);
    server.delete();
    // This one never saw who held the Lease. `Ledger::start` fails if it starts too early.
    let _new = ledger.spawn(&server.link(), "new");
    let deleted = Instant::now();
    sleep(LEASE_DURATION - SECOND).await;
    assert_eq!(ledger.count(), 1);
    assert_eq!(old.task.await.unwrap(), Ended::Lost);
    sleep(RETRY_PERIOD + SECOND + ANSWERS).await;
    let (leader, at) = ledger.last();
    assert_eq!(leader, "new");
    assert!(at - deleted >= LEASE_DURATION);
}

#[tokio::test(start_paused = true)]
async fn the_first_leader_of_a_missing_lease_waits_one_lease_duration() {
    let server = Server::empty();
    let ledger = Ledger::default();
    let begun = Instant::now();
    let (a, b) = (ledger.spawn(&server.link(), "a"), ledger.spawn(&server.link(), "b"));
    sleep(60 * SECOND).await;
    assert_eq!(ledger.count(), 1);
    let (_, at) = ledger.last();
    assert!(at - begun >= LEASE_DURATION && at - begun <= LEASE_DURATION + RETRY_PERIOD + ANSWERS);
    assert!(a.leadership.is_leader() != b.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_huge_foreign_lease_is_respected_up_to_a_bound() {
    let server = Server::held_by("somebody", Some(i32::MAX));
    let ledger = Ledger::default();
    let begun = Instant::now();
    let replica = ledger.spawn(&server.link(), "a");
    sleep(SECOND).await;
    assert_eq!(replica.leadership.holder().as_deref(), Some("somebody"));
    sleep(LEASE_DURATION_MAX + RETRY_PERIOD).await;
    let waited = ledger.last().1 - begun;
    assert!(waited >= LEASE_DURATION_MAX && waited <= LEASE_DURATION_MAX + ANSWERS, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_a_sensible_duration_still_holds() {
    for seconds in [None, Some(0), Some(-5)] {
        let server = Server::held_by("somebody", seconds);
        let ledger = Ledger::default();
        let begun = Instant::now();
        let _replica = ledger.spawn(&server.link(), "a");
        sleep(LEASE_DURATION + RETRY_PERIOD).await;
        assert!(ledger.last().1 - begun >= LEASE_DURATION, "{seconds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_with_the_same_identity_do_not_lead_at_once() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let first = ledger.spawn(&server.link(), "pod");
    sleep(SECOND).await;
    let second = ledger.spawn(&server.link(), "pod");
    sleep(60 * SECOND).await;
    assert_eq!((ledger.count(), ledger.most.load(SeqCst)), (1, 1));
    assert!(first.leadership.is_leader() && !second.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_recognised_as_ours() {
    let server = Server::with_lease();
    let link = server.link();
    let ledger = Ledger::default();
    link.lose_answers(1); // Of writes: applied, never answered.
    let begun = Instant::now();
    let _replica = ledger.spawn(&link, "a");
    sleep(LEASE_DURATION).await;
    assert_eq!(server.holder().as_deref(), Some("a"));
    // One attempt's time limit and a retry period, not a whole lease.
    assert!(ledger.last().1 - begun <= RENEW_DEADLINE / 2 + RETRY_PERIOD + ANSWERS);
}

#[tokio::test(start_paused = true)]
async fn a_release_survives_a_conflict() {
    let server = Server::with_lease();
    let link = server.link();
    let refusing = link.clone();
    let work = |_, _| async move {
        sleep(SECOND).await;
        refusing.refuse(2);
    };
    assert_eq!(elector(&link, "a").run(work, pending()).await, Ended::WorkFinished);
    assert_eq!(server.holder().as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_stands_still_does_not_look_dead() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    // `now` of these tests never moves; only the elector makes each renewal differ.
    let _replicas = [ledger.spawn(&server.link(), "a"), ledger.spawn(&server.link(), "b")];
    sleep(120 * SECOND).await;
    assert_eq!(ledger.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_replicas_that_start_together_one_wins_and_the_others_see_a_conflict() {
    let server = Server::with_lease();
    let ledger = Ledger::default();
    let replicas: Vec<Replica> =
        (0..5).map(|index| ledger.spawn(&server.link(), &format!("pod-{index}"))).collect();
    sleep(60 * SECOND).await;
    assert!(server.conflicts() >= 4, "they raced: {}", server.conflicts());
    assert_eq!(ledger.count(), 1);
    assert_eq!(replicas.iter().filter(|replica| replica.leadership.is_leader()).count(), 1);
}
