//! Two hundred rollouts in one account, under the limit of 15 calls a second.

use futures::{StreamExt as _, stream};
use groundcrew::api::{
    ACTION_ANNOTATION,
    canary_rollout::{CanaryRollout, Outcome},
};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    harness::{Call, FUNCTION, Operator, Scene, play_apart, until},
    scale::{all_kept, keeps},
};

const ROLLOUTS: usize = 200;
/// Writes to the API server at once.
const WRITES: usize = 20;
/// From the first move of one step to the last: 200 calls at Lambda's 15 a second take 13.3 s.
const STEP_MAX_SECS: f64 = 1.15 * 200.0 / 15.0;

/// All rollouts, each with an alias of its own that has its name.
struct Storm<'s> {
    scene: &'s Scene<'s>,
    api: Api<CanaryRollout>,
    names: Vec<String>,
}

impl<'s> Storm<'s> {
    fn new(scene: &'s Scene<'s>) -> Self {
        let api = Api::namespaced(scene.cluster.client.clone(), &scene.namespace);
        let names = (0..ROLLOUTS).map(|number| format!("r{number:03}")).collect();
        Self { scene, api, names }
    }

    /// Applies all of them.
    async fn release(&self) {
        let steps = [10, 20, 30].map(|weight| json!({"weight": weight, "hold": "24h"}));
        let create = async |name: &String| {
            let object = serde_json::from_value(json!({
                "apiVersion": "groundcrew.dev/v1alpha1",
                "kind": "CanaryRollout",
                "metadata": {"name": name},
                "spec": {
                    "function": {"name": FUNCTION, "alias": name},
                    "release": {"version": "2"},
                    "steps": steps,
                },
            }));
            self.api.create(&PostParams::default(), &object.unwrap()).await.unwrap();
        };
        stream::iter(&self.names).for_each_concurrent(WRITES, create).await;
    }

    async fn annotate(&self, names: &[String], annotations: Value) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        let annotate = async |name: &String| {
            self.api.patch(name, &PatchParams::default(), &patch).await.unwrap();
        };
        stream::iter(names).for_each_concurrent(WRITES, annotate).await;
    }

    /// Waits until each of these has entered the step with this index.
    async fn until_step(&self, names: &[String], index: i32) {
        for name in names {
            let what = format!("step {index} of {name}");
            until(&self.api, name, &what, |rollout| {
                let status = rollout.and_then(|rollout| rollout.status.as_ref());
                let step = status.and_then(|status| status.step.as_ref());
                step.is_some_and(|step| step.index == index && step.entered_at.is_some())
            })
            .await;
        }
    }

    /// Moves of aliases since the call with this number that Lambda carried out, and that number now.
    async fn moves(&self, since: u64) -> (Vec<Call>, u64) {
        let query = format!("operation=UpdateAlias&since={since}");
        let calls = self.scene.account.calls(&self.scene.namespace, &query).await;
        let last = calls.last().map_or(since, |call| call.n);
        (calls.into_iter().filter(|call| call.applied).collect(), last)
    }
}

fn aliases(moves: &[Call]) -> Vec<&str> {
    moves.iter().map(|call| call.resource.split(':').next_back().unwrap()).collect()
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[test]
fn two_hundred_rollouts_share_the_rate_limit_and_those_that_go_back_go_first() {
    play_apart("storm", async |scene, operators| {
        let storm = Storm::new(scene);
        scene.account.function(2).await;
        scene.account.aliases(&storm.names).await;
        // Whatever else is refused for too many calls would be a mistake of ours.
        scene.account.fault("UpdateAlias", json!({"throttle": {"retryAfter": 1}}), 3).await;
        let args = ["--no-leader-election"];
        operators.push(Operator::start(scene.cluster, "storm", &args).await);
        storm.release().await;
        storm.until_step(&storm.names, 0).await;
        let (moves, started) = storm.moves(0).await;
        assert_eq!(sorted(aliases(&moves)), storm.names);

        // One step of all: as fast as Lambda lets it.
        let rollout = storm.api.get(&storm.names[0]).await.unwrap();
        let revision = rollout.status.unwrap().revision.unwrap();
        let promote = |step: i32| json!({ACTION_ANNOTATION: format!("promote@{revision}/{step}")});
        storm.annotate(&storm.names, promote(0)).await;
        storm.until_step(&storm.names, 1).await;
        let (moves, stepped) = storm.moves(started).await;
        assert_eq!(sorted(aliases(&moves)), storm.names);
        let took = moves[moves.len() - 1].wall - moves[0].wall;
        keeps("one step of 200 rollouts, first to last", took, STEP_MAX_SECS, "s");

        // Half of them go back. Who is asked after them to go on does so when all are back, however
        // long it takes until the last of them has read what it is to undo.
        let (failed, others) = storm.names.split_at(ROLLOUTS / 2);
        let abort = json!({ACTION_ANNOTATION: format!("abort@{revision}")});
        storm.annotate(failed, abort).await;
        storm.annotate(others, promote(1)).await;
        storm.until_step(others, 2).await;
        let (moves, _) = storm.moves(stepped).await;
        let moved = aliases(&moves);
        let goes_back = |alias: &&str| failed.iter().any(|name| name == alias);
        let last_back = moved.iter().rposition(goes_back).unwrap();
        let ahead = moved[..last_back].iter().filter(|alias| !goes_back(alias)).count();
        println!("scale: {ahead} of {} went on before the last one was back", others.len());
        assert_eq!(ahead, 0, "{moved:?}");
        assert_eq!(sorted(moved), storm.names);

        for rollout in storm.api.list(&ListParams::default()).await.unwrap() {
            let ended = rollout.status.as_ref().and_then(|status| status.history.first());
            let outcome = ended.map(|ended| ended.outcome);
            let expected = failed.contains(&rollout.name_any()).then_some(Outcome::Aborted);
            assert_eq!(outcome, expected, "{}", rollout.name_any());
        }
        let query = "result=TooManyRequestsException";
        assert_eq!(scene.account.calls(&scene.namespace, query).await.len(), 3);
        all_kept();
    });
}
