//! How long it takes from an apply to the first call of AWS.

use groundcrew::api::canary_rollout::{CanaryRollout, Phase};
use kube::{Api, api::PostParams};
use serde_json::json;

use super::{
    all_kept,
    fleet::{Fleet, Size, rollout},
    keeps, quantile, tell, wall,
};
use crate::harness::{FUNCTION, Operator, Scene, play_apart, until};

const SIZE: Size = Size { namespaces: 10, each: 31 };
const P50_MAX_MS: f64 = 15.0;
const P99_MAX_MS: f64 = 50.0;

#[test]
#[ignore = "of use only on a machine with nothing else to do: make scale"]
fn an_apply_reaches_aws_at_once() {
    play_apart("scale-latency", async |scene, operators| {
        // Each account has calls to spare when its turn comes: nothing waits for a rate limit.
        let fleet = Fleet::set(scene.cluster, "latency", SIZE).await;
        let args = ["--no-leader-election"];
        operators.push(Operator::start(scene.cluster, "scale-d", &args).await);
        let mut samples = Vec::new();
        for name in &fleet.names {
            for part in &fleet.scenes {
                samples.push(apply(part, name).await);
            }
        }
        let (cold, warm) = samples.split_at(fleet.scenes.len());
        let of = |samples: &[Sample], which: fn(&Sample) -> f64| -> Vec<f64> {
            samples.iter().map(which).collect()
        };
        // The first one of a namespace assumes its role; those after it find everything warm.
        let first = of(cold, |sample| sample.sent_to_aws);
        tell("first apply of a namespace, request to AWS, p50", quantile(&first, 0.5), "ms");
        let told = |what: &str, which| {
            let spread = [0.01, 0.5, 0.9, 0.99, 1.0].map(|share| quantile(&of(warm, which), share));
            println!("scale: {what}, p1 p50 p90 p99 max: {spread:.1?} ms");
        };
        told("apply, request to AWS", |sample| sample.sent_to_aws);
        told("apply, answer to AWS", |sample| sample.answered_to_aws);
        told("apply, request to Healthy", |sample| sample.sent_to_healthy);
        let measured = of(warm, |sample| sample.sent_to_aws);
        keeps("apply to AWS, p50", quantile(&measured, 0.5), P50_MAX_MS, "ms");
        keeps("apply to AWS, p99", quantile(&measured, 0.99), P99_MAX_MS, "ms");
        all_kept();
    });
}

/// Milliseconds of one apply.
struct Sample {
    sent_to_aws: f64,
    /// May be below 0: the watch can be faster than the answer.
    answered_to_aws: f64,
    sent_to_healthy: f64,
}

/// Applies one rollout that finds its alias as it should be.
async fn apply(scene: &Scene<'_>, name: &str) -> Sample {
    let api: Api<CanaryRollout> = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
    let spec = json!({"release": {"version": "1"}, "preset": "AllAtOnce"});
    let object = rollout(name, &spec);
    let prompt = Api::namespaced(scene.cluster.prompt.clone(), &scene.namespace);
    let sent = wall();
    prompt.create(&PostParams::default(), &object).await.unwrap();
    let answered = wall();
    until(&api, name, "Healthy", |rollout| {
        let status = rollout.and_then(|rollout| rollout.status.as_ref());
        status.is_some_and(|status| status.phase == Some(Phase::Healthy))
    })
    .await;
    let healthy = wall();
    let query = format!("resource={FUNCTION}:{name}$&operation=GetAlias");
    let arrived = scene.account.until_called(&scene.namespace, &query, 1).await[0].arrived();
    Sample {
        sent_to_aws: (arrived - sent) * 1e3,
        answered_to_aws: (arrived - answered) * 1e3,
        sent_to_healthy: (healthy - sent) * 1e3,
    }
}
