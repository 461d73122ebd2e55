//! CanaryRollout: a Lambda alias moves to a new version step by step, or goes back.
//!
//! A pass observes, decides, acts and publishes; see the files of these names.

mod act;
mod checks;
mod claims;
mod criteria;
mod decide;
mod error;
mod evidence;
mod judge;
mod memory;
mod notifications;
mod observe;
pub mod preview;
mod rollout;
mod status;
mod tally;
mod walk;
#[cfg(test)]
mod world;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

pub use self::{claims::peer, observe::awaits_windows};

use self::{
    decide::{Left, Plan, Revisit, Unread, abandon, learn, not_pruned},
    error::Error,
    memory::Memory,
    notifications::{follow, recorded},
    rollout::Rollout,
    status::{Attempt, Failure},
    walk::decide_and_look_ahead,
};
use crate::{
    api::canary_rollout::{CanaryRollout, CanaryRolloutStatus},
    aws::limits::Place,
    context::Context,
    engine::{Class, Kind, Next, Pass},
    error::{Remedy, chain},
    facts::kubernetes::Deletion,
    kubernetes::{
        objects,
        port::{KindNames, ObjectId},
        publish,
    },
    metrics::RolloutSample,
    names::Owner,
    notify::post::{AGAIN, Sender},
    time::moments,
};

/// How soon a move forward that had to let undo go first is tried again.
const BEHIND_UNDO_POLL: SignedDuration = SignedDuration::from_secs(2);

/// The kind, for the engine.
pub struct CanaryRollouts;

#[async_trait]
impl Kind for CanaryRollouts {
    type Object = CanaryRollout;
    const NAMES: KindNames = KindNames {
        api_version: "groundcrew.dev/v1alpha1",
        kind: "CanaryRollout",
        plural: "canaryrollouts",
    };

    async fn prepare(object: &CanaryRollout, context: &Context) {
        observe::prepare(object, context).await;
    }

    async fn pass(object: &CanaryRollout, context: &Context, failures: u32) -> Pass<CanaryRollout> {
        pass(object, context, failures).await
    }

    fn class(object: &CanaryRollout) -> Class {
        observe::class(object)
    }

    fn place(object: &CanaryRollout) -> Option<Place> {
        observe::place(object)
    }

    fn subject(object: &CanaryRollout) -> u64 {
        subject(&object.spec.function.name, &object.spec.function.alias)
    }

    fn forget(context: &Context, namespace: &str, name: &str) {
        context.metrics.forget_rollout(namespace, name);
        context.checks.forget(Self::NAMES, namespace, name);
        context.post.recorded(&sender(namespace, name));
    }
}

/// The same for all rollouts that name this function and alias, its upper half for all that name this
/// function; see [`Kind::subject`].
#[must_use]
pub fn subject(function: &str, alias: &str) -> u64 {
    let half = |text: &str| {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        hasher.finish() & LOWER_HALF
    };
    (half(function) << 32) | half(alias)
}

const LOWER_HALF: u64 = 0xffff_ffff;

/// Whether two subjects may be of the same function.
#[must_use]
pub fn same_function(subject: u64, other: u64) -> bool {
    (subject ^ other) <= LOWER_HALF
}

/// Brings one rollout a step closer to its spec.
///
/// Safe to repeat, and to be cut off at any `.await`: each pass starts from what it observes.
#[tracing::instrument(
    skip_all,
    fields(namespace = object.namespace(), name = object.name_any(), failures)
)]
async fn pass(object: &CanaryRollout, context: &Context, failures: u32) -> Pass<CanaryRollout> {
    let now = context.clock.now(); // The only clock read that decides.
    let attempt = attempt(object, context, failures, now).await;

    // Publish before anything else: users look for failures in the status, not in our logs.
    let mut object_now = None;
    let told = tell(object, context, &attempt, now, &mut object_now).await;
    if let Err(error) = &told {
        tracing::warn!(error = %chain(error), "not published");
    }
    let again = told.as_ref().ok().copied().flatten();
    let told = told.is_ok();
    let next = match (&attempt.failure, &attempt.plan) {
        _ if !told => Next::failed(Remedy::Retry),
        (Some(failure), plan) => Next::Failed {
            remedy: failure.remedy,
            at_latest: plan.as_ref().and_then(|plan| at_latest(failure.remedy, plan, now)),
        },
        (None, Some(Plan { revisit: Revisit::At(then), .. })) => Next::At(*then),
        (None, Some(Plan { revisit: Revisit::Now, .. })) => Next::Now,
        (None, None) => Next::failed(Remedy::Retry),
    };
    let next = again.map_or(next, |again| next.no_later_than(again));
    Pass { object: object_now, unsure: !told, next }
}

/// When to look again after a failure, if its remedy would take longer. What is in flight is watched
/// although something could not be read: its alarms and metrics are not to wait for a person. What is
/// to move forward comes again while others go back.
fn at_latest(remedy: Remedy, plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    if remedy == Remedy::NextTurn && !plan.actions.is_empty() {
        return now.checked_add(BEHIND_UNDO_POLL).ok();
    }
    let watched = plan.unread.is_some() && plan.memory.flight.is_some();
    watched.then_some(match plan.revisit {
        Revisit::At(then) => then,
        Revisit::Now => now,
    })
}

async fn attempt(
    object: &CanaryRollout,
    context: &Context,
    failures: u32,
    now: Timestamp,
) -> Attempt {
    let mut attempt = Attempt { plan: None, failure: None, place: None };
    let passed = try_pass(object, context, now, &mut attempt).await;
    let lacked = attempt.plan.as_ref().and_then(|plan| plan.unread.clone());
    if let Some(failed) = passed.err().as_ref().map(Unread::from).or(lacked) {
        let Unread { remedy, reason, message } = failed;
        match remedy {
            Remedy::NextTurn => tracing::debug!(error = message, "the pass lets others go first"),
            Remedy::AwaitEdit | Remedy::Retry | Remedy::Later => {
                tracing::warn!(error = message, "the pass stopped");
            }
        }
        let in_a_row = failures.saturating_add(1);
        attempt.failure = Some(Failure { remedy, reason, message, in_a_row });
    }
    attempt
}

/// Observe, decide, act. What is known when it stops is left in `attempt`.
async fn try_pass(
    object: &CanaryRollout,
    context: &Context,
    now: Timestamp,
    attempt: &mut Attempt,
) -> Result<(), Error> {
    let namespace = object.namespace().unwrap_or_default();
    let memory = Memory::recall(object.status.as_ref());
    if objects::deletion(object) == Deletion::Abandon {
        attempt.plan = Some(abandon(&memory, left(object), now));
        return Ok(());
    }
    let session = observe::session(object, context).await?;
    attempt.place = Some((session.region().to_owned(), session.account().to_owned()));
    let key = observe::alias_key(object, &session);
    let looked_at = observe::Place { context, session: &session, key: &key, now };
    let mut facts = observe::observe(object, &memory, &looked_at).await?;
    let rollout = Rollout::parse(&object.spec).ok();
    let mut plan = decide_and_look_ahead(&facts, rollout.as_ref(), &memory, now);
    if let Some(stage) = plan.needs {
        facts.checks = Some(checks::run(object, stage, &plan.spared, &looked_at).await);
        plan = decide_and_look_ahead(&facts, rollout.as_ref(), &memory, now);
    }
    let plan = attempt.plan.insert(plan);
    let acted_on = act::Place {
        session: &session,
        hub: &context.hub,
        key: &key,
        namespace: &namespace,
        now,
        not_after: plan.not_after,
    };
    let mut answers = Vec::new();
    let acted = act::act(&plan.actions, &acted_on, &mut answers).await;
    // What was answered is remembered also when a later write failed.
    answers.iter().for_each(|answer| learn(plan, answer));
    if plan.rests(now) && plan.finalizer == facts.finalizer {
        // Read anew when its time comes; until then there may be ten thousand.
        context.hub.rests(&key);
    }
    match acted {
        Err(error @ Error::Prune { .. }) => {
            tracing::warn!(error = %chain(&error), "an old version stays");
            observe::surplus::refused(&error, &looked_at);
            not_pruned(plan, &facts, &Unread::from(&error), now);
            Ok(())
        }
        acted => acted,
    }
}

/// What the object itself tells of its alias.
fn left(object: &CanaryRollout) -> Left<'_> {
    let status = object.status.as_ref();
    Left {
        function: &object.spec.function.name,
        alias: &object.spec.function.alias,
        weight: status.and_then(|status| status.canary.as_ref()).map(|canary| canary.weight),
        revision_id: status
            .and_then(|status| status.alias.as_ref())
            .map(|alias| alias.revision_id.clone()),
        finalizer: objects::has_finalizer(object),
    }
}

/// Publishes status, Events and finalizer, and tells people. The object as it is after the last write
/// that was answered is left in `published`, also when a later one fails. Says when somebody is to be
/// told something again.
async fn tell(
    object: &CanaryRollout,
    context: &Context,
    attempt: &Attempt,
    now: Timestamp,
    published: &mut Option<CanaryRollout>,
) -> Result<Option<Timestamp>, crate::kubernetes::port::Error> {
    let port = &*context.kubernetes;
    let id: ObjectId = publish::id(CanaryRollouts::NAMES, object);
    let old = object.status.as_ref();
    let mut new = status::summarize(old, object.metadata.generation, attempt, now);
    let sender = sender(&id.namespace, &id.name);
    let owner = Owner {
        cluster: context.settings.cluster_name().to_owned(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
    };
    let posted = context.post.unrecorded(&sender);
    let notifications = object.spec.notifications.as_ref();
    let outgoing = follow(notifications, &owner, old, &mut new, &posted, now);
    *published = publish::status(port, &id, old, &new).await?;
    context.post.recorded(&sender);

    let mut notes = status::notes(old, &new);
    notes.extend(attempt.plan.iter().flat_map(|plan| plan.notes.clone()));
    publish::notes(port, &id, notes).await;
    count(context, &id, old, &new);

    let mut again = outgoing.next;
    // What goes back goes back first.
    if !outgoing.letters.is_empty() && new.ending.is_none() {
        let sent = context.post.send(context, &sender, &outgoing.letters).await;
        let at = context.clock.now();
        again = Some(if sent { at } else { moments::after(at, AGAIN) });
        let recorded = recorded(&new, &context.post.unrecorded(&sender), at);
        let written = publish::status(port, &id, Some(&new), &recorded).await?;
        publish::notes(port, &id, status::notes(Some(&new), &recorded)).await;
        context.post.recorded(&sender);
        *published = written.or_else(|| published.take());
    }
    let Some(plan) = &attempt.plan else { return Ok(again) };
    let current = published.as_ref().unwrap_or(object);
    if let Some(finalized) = publish::finalizer(port, &id, current, plan.finalizer).await? {
        *published = Some(finalized);
    }
    Ok(again)
}

/// Who sends.
fn sender(namespace: &str, name: &str) -> Sender {
    let kind = CanaryRollouts::NAMES.kind;
    Sender { kind, namespace: namespace.to_owned(), name: name.to_owned() }
}

/// Shows the rollout in the metrics.
fn count(
    context: &Context,
    id: &ObjectId,
    old: Option<&CanaryRolloutStatus>,
    new: &CanaryRolloutStatus,
) {
    let verdicts: Vec<_> =
        new.analysis.iter().map(|entry| (entry.name.as_str(), entry.verdict.as_str())).collect();
    context.metrics.rollout(&RolloutSample {
        namespace: &id.namespace,
        name: &id.name,
        phase: new.phase.unwrap_or_default().as_str(),
        weight: new.canary.as_ref().map(|canary| canary.weight.into()),
        verdicts: &verdicts,
    });
    let newest = |status: &CanaryRolloutStatus| status.history.first().cloned();
    let ended = newest(new).filter(|entry| old.and_then(newest).as_ref() != Some(entry));
    if let Some(entry) = ended {
        context.metrics.rollout_ended(&id.namespace, &id.name, entry.outcome.as_str());
    }
}
