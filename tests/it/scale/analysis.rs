//! Rollouts in flight whose metrics are watched.

use std::time::Duration;

use groundcrew::api::{
    analysis::Verdict,
    canary_rollout::{CanaryRollout, CanaryRolloutStatus, Phase},
};
use serde_json::{Value, json};

use super::{
    RSS_MAX_MB, all_kept,
    fleet::{Fleet, Size, changed},
    in_full, keeps, last_call, nothing_written_for, tell, wall,
};
use crate::harness::{Operator, StandIn, play_apart};

/// How the names of the namespaces begin.
const NAMESPACES: &str = "analysis";
/// Calls in the worst minute: 1,000 rollouts with three series each, 500 series in a call.
const CALLS_MAX: f64 = 6.0;
/// Calls of each alias a minute, split between the versions: enough that none is without any, which
/// would end its release, and few, because the stand-in makes them up.
const TRAFFIC: u32 = 30;

/// How much is measured.
struct Plan {
    size: Size,
    /// `analysis.window`.
    window: &'static str,
    /// `analysis.settle` in seconds: so long after a minute's end all are evaluated.
    settle: u32,
    watched_minutes: u32,
    patience: Duration,
}

const SMALL: Plan = Plan {
    size: Size { namespaces: 1, each: 50 },
    window: "1m",
    // The stand-in writes a minute as soon as it is over.
    settle: 10,
    watched_minutes: 1,
    patience: Duration::from_secs(400),
};
const FULL: Plan = Plan {
    size: Size { namespaces: 2, each: 500 },
    window: "5m",
    settle: 120,
    watched_minutes: 5,
    patience: Duration::from_secs(900),
};

/// Three metrics, and three series: a rate needs the invocations, too.
fn spec(plan: &Plan) -> Value {
    json!({
        "release": {"version": "2"},
        "steps": [{"weight": 50, "hold": "24h"}],
        "analysis": {"window": plan.window, "settle": format!("{}s", plan.settle), "metrics": [
            {"name": "errors", "builtin": "ErrorRate", "max": "50%"},
            {"name": "throttles", "builtin": "Throttles", "max": "1000"},
            {"name": "traffic", "builtin": "Invocations", "min": "1"},
        ]},
    })
}

fn judged(_: &CanaryRollout, status: &CanaryRolloutStatus) -> bool {
    let passing = status.analysis.iter().filter(|entry| entry.verdict == Verdict::Passing);
    status.phase == Some(Phase::Progressing) && passing.count() == 3
}

#[test]
fn rollouts_in_analysis_share_their_calls_of_cloudwatch() {
    let plan = if in_full() { FULL } else { SMALL };
    play_apart("scale-analysis", async |scene, operators| {
        let aws = &scene.cluster.stand_in;
        let fleet = Fleet::set(scene.cluster, NAMESPACES, plan.size).await;
        for part in &fleet.scenes {
            for alias in &fleet.names {
                let behaviour = json!({"*": {"errorRate": 0.01}});
                part.account.traffic_on(alias, TRAFFIC, behaviour).await;
            }
        }
        let args = ["--no-leader-election"];
        operators.push(Operator::start(scene.cluster, "scale-c", &args).await);
        fleet.apply(&spec(&plan)).await;
        fleet.until_all("judged", plan.patience, judged).await;
        // What is watched begins half a minute after an evaluation, and half a minute before one.
        let next = (f64::from(plan.settle) + 30.0 - wall()).rem_euclid(60.0);
        nothing_written_for(aws, NAMESPACES, Duration::from_secs_f64(next)).await;
        watch(aws, &fleet, &operators[0], &plan).await;
        for part in &fleet.scenes {
            part.close(Ok(()), &[]).await;
        }
        all_kept();
    });
}

/// Counts what is asked of CloudWatch in so many minutes.
async fn watch(aws: &StandIn, fleet: &Fleet<'_>, operator: &Operator, plan: &Plan) {
    let who = format!("{} in analysis", plan.size.rollouts());
    let since = last_call(aws).await;
    let (begun, before, versions) = (wall(), operator.usage(), fleet.versions().await);
    // Each has one evaluation a minute, and all have it at the same time.
    nothing_written_for(aws, NAMESPACES, Duration::from_secs(60) * plan.watched_minutes).await;
    let (lasted, after) = (wall() - begun, operator.usage());
    let calls = aws.calls(NAMESPACES, &format!("since={since}")).await;
    let mut minutes = vec![0.0; usize::try_from(plan.watched_minutes).unwrap()];
    let last = minutes.len() - 1;
    for call in calls.iter().filter(|call| call.operation == "GetMetricData") {
        let minute = ((call.arrived() - begun) / 60.0) as usize;
        minutes[minute.min(last)] += 1.0;
    }
    println!("scale: {who}, GetMetricData by the minute: {minutes:?}");
    let most = minutes.iter().copied().fold(0.0, f64::max);
    keeps(&format!("{who}, GetMetricData in the worst minute"), most, CALLS_MAX, "calls");
    tell(&format!("{who}, calls of AWS"), calls.len() as f64 / lasted, "a second");
    let cpu = (after.cpu_secs - before.cpu_secs) / lasted * 100.0;
    tell(&format!("{who}, CPU"), cpu, "% of one processor");
    tell(&format!("{who}, peak RSS"), after.peak_mb, "MB");
    keeps(&format!("{who}, RSS"), after.rss_mb, RSS_MAX_MB, "MB");
    // This holds on any machine.
    assert!(minutes.iter().all(|count| *count > 0.0), "an evaluation every minute: {minutes:?}");
    assert!(most <= CALLS_MAX, "{most} calls in a minute, allowed are {CALLS_MAX}");
    let written = changed(&versions, &fleet.versions().await);
    assert_eq!(written, plan.size.rollouts(), "the evaluations are told in each status");
}
