//! Two hundred rollouts in one account, under the limit of 15 calls a second.

use futures::{StreamExt as _, stream};
use groundcrew::api::{
    ACTION_ANNOTATION,
    canary_rollout::{CanaryRollout, Outcome},
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
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

/// What AWS says to a call too many.
const REFUSED: &str = "result=TooManyRequestsException";
/// Calls that Lambda refuses at first, and later while half of the rollouts end.
const REFUSED_AT_FIRST: usize = 3;
const REFUSED_LATER: usize = 12;

impl Storm<'_> {
    /// The next moves of aliases are refused, each for a second.
    async fn refuse(&self, calls: usize) {
        let throttle = json!({"throttle": {"retryAfter": 1}});
        self.scene.account.fault("UpdateAlias", throttle, calls).await;
    }

    /// Whatever was refused beyond what was asked for would be a mistake of ours.
    async fn only_refused(&self, calls: usize) {
        let refused = self.scene.account.calls(&self.scene.namespace, REFUSED).await;
        assert_eq!(refused.len(), calls);
    }

    /// One step of all: as fast as Lambda lets it.
    async fn step(&self, promote: Value, since: u64) -> u64 {
        self.annotate(&self.names, promote).await;
        self.until_step(&self.names, 1).await;
        let (moves, last) = self.moves(since).await;
        assert_eq!(sorted(aliases(&moves)), self.names);
        let took = moves[moves.len() - 1].wall - moves[0].wall;
        keeps("one step of 200 rollouts, first to last", took, STEP_MAX_SECS, "s");
        last
    }

    /// Each of these aliases was moved once since a call, and none but `back` before all of `back` were.
    async fn back_first(&self, back: &[String], on: &[String], since: u64) -> u64 {
        let (moves, last) = self.moves(since).await;
        let moved = aliases(&moves);
        let goes_back = |alias: &&str| back.iter().any(|name| name == alias);
        let last_back = moved.iter().rposition(goes_back).unwrap();
        let ahead = moved[..last_back].iter().filter(|alias| !goes_back(alias)).count();
        println!("scale: {ahead} of {} went on before the last one was back", on.len());
        assert_eq!(ahead, 0, "{moved:?}");
        assert_eq!(sorted(moved), sorted(back.iter().chain(on).map(String::as_str).collect()));
        last
    }

    async fn until_ended(&self, names: &[String], outcome: Outcome) {
        for name in names {
            until(&self.api, name, &format!("{name} {outcome:?}"), |rollout| {
                let status = rollout.and_then(|rollout| rollout.status.as_ref());
                let ended = status.and_then(|status| status.history.first());
                ended.is_some_and(|ended| ended.outcome == outcome)
            })
            .await;
        }
    }
}

#[test]
fn two_hundred_rollouts_share_the_rate_limit_and_those_that_go_back_go_first() {
    play_apart("storm", async |scene, operators| {
        let storm = Storm::new(scene);
        scene.account.function(2).await;
        scene.account.aliases(&storm.names).await;
        storm.refuse(REFUSED_AT_FIRST).await;
        let args = ["--no-leader-election"];
        operators.push(Operator::start(scene.cluster, "storm-a", &args).await);
        storm.release().await;
        storm.until_step(&storm.names, 0).await;
        let (moves, started) = storm.moves(0).await;
        assert_eq!(sorted(aliases(&moves)), storm.names);

        let rollout = storm.api.get(&storm.names[0]).await.unwrap();
        let revision = rollout.status.unwrap().revision.unwrap();
        let promote = |step: i32| json!({ACTION_ANNOTATION: format!("promote@{revision}/{step}")});
        let abort = json!({ACTION_ANNOTATION: format!("abort@{revision}")});
        let stepped = storm.step(promote(0), started).await;

        // Half of them go back. Who is asked after them to go on does so when all are back, however
        // long it takes until the last of them has read what it is to undo.
        let (failed, others) = storm.names.split_at(ROLLOUTS / 2);
        storm.annotate(failed, abort.clone()).await;
        storm.annotate(others, promote(1)).await;
        storm.until_step(others, 2).await;
        let parted = storm.back_first(failed, others, stepped).await;
        storm.until_ended(failed, Outcome::Aborted).await;
        storm.only_refused(REFUSED_AT_FIRST).await;

        // The same once more, while Lambda refuses call after call, and the operator dies of it.
        let (back, on) = others.split_at(ROLLOUTS / 4);
        storm.refuse(REFUSED_LATER).await;
        storm.annotate(back, abort).await;
        storm.annotate(on, promote(2)).await;
        let half = REFUSED_AT_FIRST + REFUSED_LATER / 2;
        scene.account.until_called(&scene.namespace, REFUSED, half).await;
        operators[0].kill().await;
        operators.push(Operator::start(scene.cluster, "storm-b", &args).await);
        storm.until_ended(back, Outcome::Aborted).await;
        storm.until_ended(on, Outcome::Promoted).await;
        storm.back_first(back, on, parted).await;
        storm.only_refused(REFUSED_AT_FIRST + REFUSED_LATER).await;
        all_kept();
    });
}
