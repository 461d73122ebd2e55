//! Two rollouts of one alias.

use groundcrew::api::canary_rollout::Phase;
use serde_json::json;

use crate::harness::{condition, play, spec};

#[test]
fn of_two_rollouts_of_one_alias_the_older_acts_and_the_younger_waits_until_it_is_gone() {
    play("claims-a", async |older| {
        older.account.released(2).await;
        older.release(spec("2", json!([{"weight": 10, "hold": "24h"}]))).await;
        let younger = older.beside("claims-b").await;
        younger.release(spec("2", json!([{"weight": 20, "hold": "24h"}]))).await;

        let taken = younger.until_stalled("AliasTaken").await;
        let status = taken.status.as_ref().unwrap();
        assert_eq!(status.phase, Some(Phase::Held));
        let expected = "alias live of processor belongs to the older CanaryRollout claims-a/processor; delete one of the two";
        assert_eq!(status.message.as_deref(), Some(expected));
        older.until_weight(10).await;
        // Answers about an alias are shared; what is released each asks for itself.
        let looked = younger.account.calls(&younger.namespace, "operation=GetFunction").await;
        let since = format!("operation=GetFunction&since={}", looked.last().unwrap().n);
        younger.account.until_called(&younger.namespace, &since, 2).await;
        assert_eq!(younger.writes().await.len(), 0);
        assert_eq!(younger.get().await.metadata.finalizers, None);

        older.delete().await;
        older.until_gone().await;
        let (going, _) = younger.until_weight(20).await;
        assert_eq!(condition(&going, "Stalled"), None);
        assert_eq!(older.account.routes().await, ["1", "1 + 2:0.1", "1", "1 + 2:0.2"]);
    });
}
