//! Rollouts with nothing to do, and what happens after a restart.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use groundcrew::api::canary_rollout::Phase;
use kube::{Api, api::PostParams};
use serde_json::json;
use tokio::time::Instant;

use super::{
    RSS_MAX_MB, all_kept,
    fleet::{Fleet, Size, changed, rollout},
    in_full, keeps, last_call, nothing_written_for, tell,
};
use crate::harness::{Call, FUNCTION, Operator, Scene, StandIn, play_apart, until};

const ALONE: [&str; 1] = ["--no-leader-election"];
/// How the names of the namespaces begin.
const NAMESPACES: &str = "healthy";
/// Share of one processor that 10,000 rollouts at rest may take, in percent.
const CPU_MAX_PERCENT: f64 = 5.0;
/// After a start, those at rest wait so long; then those in flight were looked at.
const FLYING_MAX_SECS: f64 = 15.0;

/// How much is measured.
struct Plan {
    healthy: Size,
    flying: usize,
    /// How long nothing may be written.
    watched: Duration,
    /// How long it may take until all are healthy.
    patience: Duration,
}

const SMALL: Plan = Plan {
    healthy: Size { namespaces: 3, each: 100 },
    flying: 10,
    watched: Duration::from_secs(20),
    patience: Duration::from_secs(120),
};
const FULL: Plan = Plan {
    healthy: Size { namespaces: 20, each: 500 },
    flying: 100,
    watched: Duration::from_secs(300),
    patience: Duration::from_secs(1_200),
};

#[test]
fn rollouts_at_rest_cost_little_and_after_a_restart_those_in_flight_go_first() {
    let plan = if in_full() { FULL } else { SMALL };
    play_apart("scale-healthy", async |scene, operators| {
        let aws = &scene.cluster.stand_in;
        let fleet = Fleet::set(scene.cluster, NAMESPACES, plan.healthy).await;
        operators.push(Operator::start(scene.cluster, "scale-a", &ALONE).await);
        let begun = Instant::now();
        fleet.apply(&json!({"release": {"version": "1"}, "preset": "AllAtOnce"})).await;
        fleet
            .until_all("Healthy", plan.patience, |rollout, status| {
                status.phase == Some(Phase::Healthy) && rollout.metadata.finalizers.is_none()
            })
            .await;
        let count = plan.healthy.rollouts();
        tell(
            &format!("{count} rollouts from apply to Healthy"),
            begun.elapsed().as_secs_f64(),
            "s",
        );
        let before = fleet.versions().await;
        assert_eq!(before.len(), count);
        rest(aws, &operators[0], &format!("{count} healthy"), plan.watched).await;
        assert_eq!(changed(&before, &fleet.versions().await), 0, "nothing was written to them");

        let flying = fly(scene, plan.flying).await;
        operators[0].kill().await;
        let since = last_call(aws).await;
        let restarted = Instant::now();
        operators.push(Operator::start(scene.cluster, "scale-b", &ALONE).await);
        in_flight_first(&flying, scene, since).await;
        let took = restarted.elapsed().as_secs_f64();
        let what = format!("{} in flight looked at after a start", flying.len());
        keeps(&what, took, FLYING_MAX_SECS, "s");
        let before = fleet.versions().await;
        rest(aws, &operators[1], &format!("{count} healthy after a restart"), plan.watched).await;
        assert_eq!(changed(&before, &fleet.versions().await), 0, "nothing was written to them");
        for part in &fleet.scenes {
            part.close(Ok(()), &[]).await;
        }
        all_kept();
    });
}

/// Lets time pass in which nothing is written, and tells what the operator used.
async fn rest(aws: &StandIn, operator: &Operator, who: &str, time: Duration) {
    let (begun, before) = (Instant::now(), operator.usage());
    let since = last_call(aws).await;
    nothing_written_for(aws, NAMESPACES, time).await;
    let (lasted, after) = (begun.elapsed().as_secs_f64(), operator.usage());
    let calls = aws.calls(NAMESPACES, &format!("since={since}")).await.len();
    tell(&format!("{who}, reads of AWS"), calls as f64 / lasted, "a second");
    let cpu = (after.cpu_secs - before.cpu_secs) / lasted * 100.0;
    keeps(&format!("{who}, CPU"), cpu, CPU_MAX_PERCENT, "% of one processor");
    tell(&format!("{who}, peak RSS"), after.peak_mb, "MB");
    keeps(&format!("{who}, RSS"), after.rss_mb, RSS_MAX_MB, "MB");
}

/// Starts rollouts that stay in flight; returns their names.
async fn fly(scene: &Scene<'_>, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("f{number:03}")).collect();
    scene.account.function(2).await;
    scene.account.aliases(&names).await;
    let api = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    let spec = json!({"release": {"version": "2"}, "steps": [{"weight": 10, "hold": "24h"}]});
    let create = async |name: &String| {
        api.create(&PostParams::default(), &rollout(name, &spec)).await.unwrap();
    };
    stream::iter(&names).for_each_concurrent(8, create).await;
    for name in &names {
        until(&api, name, "a step that was entered", |rollout| {
            let status = rollout.and_then(|rollout| rollout.status.as_ref());
            let step = status.and_then(|status| status.step.as_ref());
            step.is_some_and(|step| step.entered_at.is_some())
        })
        .await;
    }
    names
}

/// Waits until those in flight were looked at; no other rollout was before.
async fn in_flight_first(flying: &[String], scene: &Scene<'_>, since: u64) {
    let query = format!("operation=GetAlias&since={since}");
    let theirs = scene.account.until_called(&scene.namespace, &query, flying.len()).await;
    let looked_at = |name: &String| {
        let resource = format!("{FUNCTION}:{name}");
        theirs.iter().any(|call| call.resource == resource)
    };
    let missing: Vec<_> = flying.iter().filter(|name| !looked_at(name)).collect();
    assert!(missing.is_empty(), "{missing:?} were not looked at before others were twice");
    let last = theirs.last().unwrap().n;
    let others = scene.cluster.stand_in.calls(NAMESPACES, &query).await;
    let others: Vec<&Call> = others.iter().filter(|call| call.n < last).collect();
    assert!(others.is_empty(), "looked at before those in flight: {others:?}");
}
