//! The place of one scenario: a namespace with a rollout, and an AWS account.

use std::{collections::BTreeSet, pin::pin, time::Duration};

use futures::StreamExt as _;
use groundcrew::{
    api::{
        ABANDON_ANNOTATION, ACTION_ANNOTATION, ACTION_BY_ANNOTATION, ROLE_ANNOTATION,
        canary_rollout::{CanaryRollout, CanaryRolloutStatus, Phase},
    },
    aws::operations::Operation,
};
use k8s_openapi::{
    api::{coordination::v1::Lease, core::v1::Namespace, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Cluster, Operator, Outcome, PATIENCE,
    aws::{ALIAS, Account, Call, FUNCTION},
    cluster::SYSTEM,
    operator::SECRET,
};

/// Name of the rollout of every scenario.
pub const NAME: &str = "processor";
/// How often a person tries whether something works by now.
const IMPATIENCE: Duration = Duration::from_secs(1);

pub struct Scene<'a> {
    pub cluster: &'a Cluster,
    pub account: Account,
    pub namespace: String,
    rollouts: Api<CanaryRollout>,
}

/// The spec of a rollout of this version by these steps.
pub fn spec(version: &str, steps: Value) -> Value {
    json!({
        "function": {"name": FUNCTION, "alias": ALIAS},
        "release": {"version": version},
        "steps": steps,
    })
}

/// A condition, if the rollout has it.
pub fn condition<'o>(rollout: &'o CanaryRollout, kind: &str) -> Option<&'o Condition> {
    rollout.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == kind)
}

impl<'a> Scene<'a> {
    /// Makes the namespace, which names the role of a new account.
    pub async fn set(cluster: &'a Cluster, name: &str) -> Self {
        let account = cluster.stand_in.account().await;
        Self::of(cluster, name, account).await
    }

    /// Makes another namespace, which names the role of the same account.
    pub async fn beside(&self, name: &str) -> Self {
        Self::of(self.cluster, name, self.account.clone()).await
    }

    async fn of(cluster: &'a Cluster, name: &str, account: Account) -> Self {
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {
            "name": name,
            "annotations": {ROLE_ANNOTATION: account.role()},
        }}))
        .unwrap();
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        namespaces.create(&PostParams::default(), &namespace).await.unwrap();
        let rollouts = Api::namespaced(cluster.client.clone(), name);
        Self { cluster, account, namespace: name.to_owned(), rollouts }
    }

    /// Sets or removes the role that the namespace names.
    pub async fn annotate_namespace(&self, role: Option<&str>) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {ROLE_ANNOTATION: role}}}));
        let namespaces: Api<Namespace> = Api::all(self.cluster.client.clone());
        namespaces.patch(&self.namespace, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Applies the rollout.
    pub async fn release(&self, spec: Value) {
        let object = serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1",
            "kind": "CanaryRollout",
            "metadata": {"name": NAME},
            "spec": spec,
        }));
        self.rollouts.create(&PostParams::default(), &object.unwrap()).await.unwrap();
    }

    /// Changes the rollout by a merge patch.
    pub async fn patch(&self, patch: Value) -> CanaryRollout {
        let patch = Patch::Merge(patch);
        self.rollouts.patch(NAME, &PatchParams::default(), &patch).await.unwrap()
    }

    /// Writes a verb, as `by`.
    pub async fn verb(&self, value: &str, by: &str) {
        let annotations = json!({ACTION_ANNOTATION: value, ACTION_BY_ANNOTATION: by});
        self.patch(json!({"metadata": {"annotations": annotations}})).await;
    }

    /// Writes a verb, and waits for its acknowledgement.
    pub async fn answer(&self, value: &str) -> CanaryRollout {
        self.verb(value, "it").await;
        self.until(&format!("an answer to {value}"), |_, status| {
            status.last_action.as_ref().is_some_and(|last| last.value == value)
        })
        .await
    }

    /// Changes nothing that matters, so that the operator looks.
    async fn poke(&self) {
        let Call { n, .. } = self.last_call().await;
        let annotations = json!({"it/poke": n.to_string()});
        self.patch(json!({"metadata": {"annotations": annotations}})).await;
    }

    pub async fn delete(&self) {
        self.rollouts.delete(NAME, &DeleteParams::default()).await.unwrap();
    }

    pub async fn abandon(&self) {
        self.patch(json!({"metadata": {"annotations": {ABANDON_ANNOTATION: "true"}}})).await;
        self.delete().await;
    }

    pub async fn get(&self) -> CanaryRollout {
        self.rollouts.get(NAME).await.unwrap()
    }

    /// Waits until the rollout is as wanted.
    pub async fn until(
        &self,
        what: &str,
        holds: impl Fn(&CanaryRollout, &CanaryRolloutStatus) -> bool,
    ) -> CanaryRollout {
        let found = until(&self.rollouts, NAME, what, |rollout| {
            rollout.is_some_and(|it| it.status.as_ref().is_some_and(|status| holds(it, status)))
        });
        found.await.unwrap()
    }

    pub async fn until_phase(&self, phase: Phase) -> CanaryRollout {
        let what = format!("phase {phase:?}");
        self.until(&what, |_, status| status.phase == Some(phase)).await
    }

    /// Waits until a step with this weight was entered, and returns the revision with it.
    pub async fn until_weight(&self, weight: i32) -> (CanaryRollout, String) {
        let rollout = self
            .until(&format!("a step at {weight}%"), |_, status| {
                let entered = status.step.as_ref().is_some_and(|step| step.entered_at.is_some());
                let at = status.canary.as_ref().map(|canary| canary.weight);
                status.phase == Some(Phase::Progressing) && entered && at == Some(weight)
            })
            .await;
        let revision = rollout.status.as_ref().unwrap().revision.clone().unwrap();
        (rollout, revision)
    }

    /// Waits until the condition Stalled holds for this reason.
    pub async fn until_stalled(&self, reason: &str) -> CanaryRollout {
        self.until(&format!("Stalled for {reason}"), |rollout, _| {
            condition(rollout, "Stalled").is_some_and(|stalled| stalled.reason == reason)
        })
        .await
    }

    /// The same as [`Self::until`], by a person who tries again and again.
    pub async fn until_poked(
        &self,
        what: &str,
        holds: impl Fn(&CanaryRollout, &CanaryRolloutStatus) -> bool,
    ) -> CanaryRollout {
        let mut tries = tokio::time::interval(IMPATIENCE);
        let mut count = 0;
        let trying = async {
            loop {
                tries.tick().await;
                count += 1;
                let annotations = json!({"it/try": count.to_string()});
                self.patch(json!({"metadata": {"annotations": annotations}})).await;
            }
        };
        tokio::select! {
            rollout = self.until(what, holds) => rollout,
            () = trying => unreachable!("a person who never gives up"),
        }
    }

    /// Waits until the rollout is gone.
    pub async fn until_gone(&self) {
        until(&self.rollouts, NAME, "the end", |rollout| rollout.is_none()).await;
    }

    /// Waits until the operator has looked at the alias once more and is done with what it saw:
    /// passes of one object follow each other, so the second look ends the first one.
    pub async fn let_it_look(&self) {
        for _ in 0..2 {
            let since = self.last_call().await.n;
            self.poke().await;
            let query = format!("operation=GetAlias&since={since}");
            self.account.until_called(&self.namespace, &query, 1).await;
        }
    }

    async fn last_call(&self) -> Call {
        let calls = self.account.calls(&self.namespace, "").await;
        calls.last().expect("the operator has made calls").clone()
    }

    /// What the operator wrote to AWS.
    pub async fn writes(&self) -> Vec<Call> {
        self.account.calls(&self.namespace, "write=true").await
    }

    /// The operations of [`Self::writes`], all of which were applied.
    pub async fn operations_written(&self) -> Vec<String> {
        let writes = self.writes().await;
        assert!(writes.iter().all(|call| call.applied), "{writes:?}");
        writes.into_iter().map(|call| call.operation).collect()
    }

    /// How many writes Lambda refused or never got, and how many it applied.
    pub async fn lost_and_applied(&self) -> (usize, usize) {
        let writes = self.writes().await;
        let applied = writes.iter().filter(|call| call.applied).count();
        (writes.len() - applied, applied)
    }

    /// Waits until there are Events with these reasons beside the object of this name.
    pub async fn until_events(&self, name: &str, reasons: &[&str]) {
        let events: Api<Event> = Api::namespaced(self.cluster.client.clone(), &self.namespace);
        let mut missing: BTreeSet<&str> = reasons.iter().copied().collect();
        let all = async {
            let config = watcher::Config::default();
            let mut stream = pin!(watcher(events, config).default_backoff().applied_objects());
            while let Some(event) = stream.next().await {
                let Ok(event) = event else { continue };
                if event.regarding.and_then(|object| object.name).as_deref() == Some(name) {
                    missing.remove(event.reason.unwrap_or_default().as_str());
                }
                if missing.is_empty() {
                    return;
                }
            }
        };
        let ended = timeout(PATIENCE, all).await;
        assert!(ended.is_ok(), "there are no Events {missing:?} for {name}");
    }

    /// Waits until the Lease has this holder.
    pub async fn until_leader(&self, holder: &str) -> Lease {
        let leases: Api<Lease> = Api::namespaced(self.cluster.client.clone(), SYSTEM);
        let what = format!("leader {holder}");
        let held = until(&leases, "groundcrew", &what, |lease| {
            let spec = lease.and_then(|lease| lease.spec.as_ref());
            spec.and_then(|spec| spec.holder_identity.as_deref()) == Some(holder)
        });
        held.await.unwrap()
    }

    /// Empties the Lease that a killed operator left behind.
    pub async fn free_lease(&self) {
        let leases: Api<Lease> = Api::namespaced(self.cluster.client.clone(), SYSTEM);
        let patch = Patch::Merge(json!({"spec": {"holderIdentity": ""}}));
        leases.patch("groundcrew", &PatchParams::default(), &patch).await.unwrap();
    }

    /// Judges what every scenario must keep to, or shows why it failed.
    pub async fn close(&self, ended: Outcome, operators: &[&Operator]) {
        if let Err(panic) = ended {
            for operator in operators {
                eprintln!("{}", operator.tail());
            }
            std::panic::resume_unwind(panic);
        }
        for call in self.account.calls(&self.namespace, "").await {
            let known = Operation::ALL.iter().map(|operation| operation.entry());
            let known = known
                .into_iter()
                .any(|known| known.service == call.service && known.name == call.operation);
            assert!(known, "not in the table of operations: {call:?}");
        }
        // An API server that starts refuses what it has not read the permissions for yet.
        let denials_count = !self.cluster.was_restarted();
        for operator in operators {
            let log = operator.log();
            // A Namespace that is deleted takes no Event any more, whoever may write one.
            let denied = log.lines().find(|line| {
                line.contains("is forbidden") && !line.contains("it is being terminated")
            });
            assert!(
                denied.is_none() || !denials_count,
                "the permissions do not suffice: {denied:?}"
            );
            let panicked = log.lines().find(|line| line.contains("panicked"));
            assert_eq!(panicked, None);
            assert!(!log.contains(SECRET), "a log holds the secret key");
        }
    }
}

/// Waits until an object, which may not exist, is as wanted.
///
/// # Panics
///
/// After [`PATIENCE`], with what was seen last.
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    what: &str,
    holds: impl Fn(Option<&K>) -> bool,
) -> Option<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + serde::Serialize + 'static,
{
    let mut last = None;
    let seen = async {
        let mut stream = pin!(watcher::watch_object(api.clone(), name).default_backoff());
        while let Some(event) = stream.next().await {
            let Ok(found) = event else { continue };
            last = found;
            if holds(last.as_ref()) {
                return;
            }
        }
    };
    let ended = timeout(PATIENCE, seen).await;
    let seen = || serde_saphyr::to_string(&last).unwrap_or_default();
    assert!(ended.is_ok(), "waited {PATIENCE:?} for {what}; last seen:\n{}", seen());
    last
}
