//! Two replicas and one Lease.

use groundcrew::{
    api::canary_rollout::Phase,
    kubernetes::leader::{LEASE_DURATION, STOP_GRACE},
};
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Operator, play_alone, spec};

#[test]
fn a_leader_that_was_stopped_for_a_while_writes_nothing_when_it_goes_on() {
    play_alone("frozen", async |scene, operators| {
        scene.account.released(2).await;
        scene.free_lease().await;
        operators.push(Operator::start(scene.cluster, "frozen-a", &[]).await);
        scene.until_leader("frozen-a").await;
        operators.push(Operator::start(scene.cluster, "frozen-b", &[]).await);
        let steps = json!([{"weight": 10, "hold": "5m"}, {"weight": 50, "hold": "5m"}]);
        scene.release(spec("2", steps)).await;
        scene.until_weight(10).await;

        operators[0].signal("STOP").await;
        scene.until_leader("frozen-b").await;
        operators[0].signal("CONT").await;
        // Lost leases end the process, so that nothing it had started goes on.
        assert_eq!(operators[0].ended().await.code(), Some(3));
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;

        let writes = scene.writes().await;
        let sessions: Vec<&str> = writes.iter().map(|call| call.access_key.as_str()).collect();
        let [first, second, third] = sessions[..] else { panic!("{writes:?}") };
        assert!(first != second && second == third, "{writes:?}");
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "1 + 2:0.5", "2"]);
    });
}

#[test]
fn a_clean_stop_hands_over_at_once_and_an_upgrade_of_the_chart_leaves_the_lease_alone() {
    play_alone("handover", async |scene, operators| {
        scene.account.released(2).await;
        scene.free_lease().await;
        operators.push(Operator::start(scene.cluster, "handover-a", &[]).await);
        let before = scene.until_leader("handover-a").await.spec.unwrap();
        operators.push(Operator::start(scene.cluster, "handover-b", &[]).await);
        scene.release(spec("2", json!([{"weight": 10, "hold": "10m"}]))).await;
        scene.until_weight(10).await;

        scene.cluster.upgrade().await;
        let after = scene.until_leader("handover-a").await.spec.unwrap();
        assert_eq!(after.acquire_time, before.acquire_time);
        assert_eq!(after.lease_transitions, before.lease_transitions);

        let told = Instant::now();
        operators[0].signal("TERM").await;
        assert_eq!(operators[0].ended().await.code(), Some(0));
        scene.until_leader("handover-b").await;
        let took = told.elapsed();
        assert!(took < LEASE_DURATION / 2, "the handover took {took:?}");
        scene.until_phase(Phase::Healthy).await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
    });
}

#[test]
fn a_stop_lets_a_write_that_is_on_its_way_end() {
    play_alone("stopped-in-a-write", async |scene, operators| {
        scene.account.released(2).await;
        scene.free_lease().await;
        operators.push(Operator::start(scene.cluster, "stopped-in-a-write-a", &[]).await);
        // Shorter than the operator waits for an answer.
        let slow = scene.account.fault("UpdateAlias", json!({"delay": {"seconds": 3}}), 1).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        scene.account.until_hit(slow).await;
        operators[0].signal("TERM").await;
        assert_eq!(scene.account.routes().await, ["1"], "the write is still on its way");
        scene.account.heal(slow).await;
        assert_eq!(operators[0].ended().await.code(), Some(0));
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1"]);

        operators.push(Operator::start(scene.cluster, "stopped-in-a-write-b", &[]).await);
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}

#[test]
fn a_stop_waits_for_no_answer_longer_than_its_grace_and_the_next_one_reads_it_back() {
    play_alone("stopped-without-answer", async |scene, operators| {
        scene.account.released(2).await;
        scene.free_lease().await;
        operators.push(Operator::start(scene.cluster, "stopped-without-answer-a", &[]).await);
        scene.account.fault("UpdateAlias", json!({"lost": {"hang": true}}), 1).await;
        scene.release(spec("2", json!([{"weight": 10, "hold": "5m"}]))).await;
        scene.account.until_called(&scene.namespace, "operation=UpdateAlias", 1).await;
        let told = Instant::now();
        operators[0].signal("TERM").await;
        assert_eq!(operators[0].ended().await.code(), Some(0));
        assert!(told.elapsed() < STOP_GRACE, "{:?}", told.elapsed());

        operators.push(Operator::start(scene.cluster, "stopped-without-answer-b", &[]).await);
        scene.until_phase(Phase::Healthy).await;
        scene.let_it_look().await;
        assert_eq!(scene.operations_written().await, ["UpdateAlias"; 2]);
        assert_eq!(scene.account.routes().await, ["1", "1 + 2:0.1", "2"]);
    });
}
