//! MaintenanceWindow: when disruptive work may happen.
//!
//! A pass observes, decides and publishes; see the files of these names.

pub mod alarms;
mod attempt;
mod aws;
mod checks;
mod decide;
mod error;
mod memory;
mod metrics;
pub mod notices;
mod observe;
mod status;
mod tasks;
#[cfg(test)]
mod tests;
pub mod window;
#[cfg(test)]
mod world;

use async_trait::async_trait;
use jiff::Timestamp;
use kube::ResourceExt as _;

use self::{
    attempt::{Place as Found, attempt},
    decide::Plan,
};
use crate::{
    api::{
        maintenance_window::{GateReason, MaintenanceWindow, MaintenanceWindowStatus, Phase},
        window_checks::Purpose,
    },
    aws::limits::Place,
    context::Context,
    engine::{Class, Kind, Next, Pass},
    error::{Remedy, chain},
    facts::windows::{GateFact, GateState, QuietFact, WindowFact},
    kubernetes::{port::KindNames, publish},
    notify::post::{AGAIN, Sender},
    plan::{Revisit, Unread},
    time::moments,
};

/// The kind, for the engine.
pub struct MaintenanceWindows;

#[async_trait]
impl Kind for MaintenanceWindows {
    type Object = MaintenanceWindow;
    const NAMES: KindNames = KindNames {
        api_version: "groundcrew.dev/v1alpha1",
        kind: alarms::KIND,
        plural: "maintenancewindows",
    };

    async fn prepare(_: &MaintenanceWindow, _: &Context) {}

    async fn pass(
        object: &MaintenanceWindow,
        context: &Context,
        _: u32,
    ) -> Pass<MaintenanceWindow> {
        pass(object, context).await
    }

    /// There are few, and an opening is not to wait for its turn after a start.
    fn class(object: &MaintenanceWindow) -> Class {
        let status = object.status.as_ref();
        let quiet = status.is_some_and(|status| status.silenced.is_some());
        let current = status.and_then(|status| status.current.as_ref());
        let prepares = status.and_then(|status| status.phase) == Some(Phase::Preparing);
        let ends = current.map_or(!prepares, |current| current.closing.is_some())
            || object.metadata.deletion_timestamp.is_some();
        if quiet && ends { Class::Undo } else { Class::Urgent }
    }

    fn place(object: &MaintenanceWindow) -> Option<Place> {
        let status = object.status.as_ref()?;
        let (account, region) = status.account_id.clone().zip(status.region.clone())?;
        Some(Place { account, region })
    }

    fn subject(_: &MaintenanceWindow) -> u64 {
        0
    }

    fn forget(context: &Context, namespace: &str, name: &str) {
        context.sweeps.forget(namespace, name);
        context.tasks.intents.forget(namespace, name);
        context.checks.forget(Self::NAMES, namespace, name);
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        context.post.recorded(&Sender { kind: alarms::KIND, namespace, name });
    }
}

/// Brings one window to where it should be at this moment.
///
/// Safe to repeat, and to be cut off at any `.await`.
#[tracing::instrument(skip_all, fields(namespace = object.namespace(), name = object.name_any()))]
async fn pass(object: &MaintenanceWindow, context: &Context) -> Pass<MaintenanceWindow> {
    let now = context.clock.now(); // The only clock read that decides what is done.
    let mut place = None;
    let Some(mut plan) = attempt(object, context, now, &mut place).await else {
        return Pass { object: None, unsure: false, next: Next::Now };
    };
    let mut object_now = None;
    if let Some(key) = &plan.intends {
        // Before it is published: an answer that is lost must not pass for a task that was begun.
        let namespace = object.namespace().unwrap_or_default();
        context.tasks.intents.note(&namespace, &object.name_any(), key);
    }
    let told = match tell(object, context, &plan, place, now, &mut object_now).await {
        Ok(status) => post(object, context, &mut plan, &status, &mut object_now).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &told {
        tracing::warn!(error = %chain(error), "not published");
        return Pass { object: object_now, unsure: true, next: Next::failed(Remedy::Retry) };
    }
    let next = match (&plan.trouble, plan.revisit) {
        (_, Revisit::Now) => Next::Now,
        (None, Revisit::At(then)) => Next::At(then),
        (Some(Unread { remedy, .. }), Revisit::At(then)) => {
            Next::Failed { remedy: *remedy, at_latest: Some(then) }
        }
    };
    Pass { object: object_now, unsure: false, next }
}

/// Sends the notices of a plan that was published, and writes down at once what became of them.
async fn post(
    object: &MaintenanceWindow,
    context: &Context,
    plan: &mut Plan,
    status: &MaintenanceWindowStatus,
    published: &mut Option<MaintenanceWindow>,
) -> Result<(), crate::kubernetes::port::Error> {
    let sender = sender(object);
    context.post.recorded(&sender);
    if plan.letters.is_empty() {
        return Ok(());
    }
    let sent = context.post.send(context, &sender, &plan.letters).await;
    let now = context.clock.now();
    plan.revisit = plan.revisit.no_later_than(if sent { now } else { moments::after(now, AGAIN) });
    let mut ledger = plan.memory.book.ledger.clone();
    ledger.record(&context.post.unrecorded(&sender));
    let told = status::recorded(status, ledger, now);
    let id = publish::id(MaintenanceWindows::NAMES, object);
    let written = publish::status(&*context.kubernetes, &id, Some(status), &told).await?;
    publish::notes(&*context.kubernetes, &id, status::notes(Some(status), &told)).await;
    context.post.recorded(&sender);
    *published = written.or_else(|| published.take());
    Ok(())
}

/// Who sends.
fn sender(object: &MaintenanceWindow) -> Sender {
    Sender {
        kind: alarms::KIND,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

/// Publishes status and Events. The object as it is after the last write that was answered is left in
/// `published`.
async fn tell(
    object: &MaintenanceWindow,
    context: &Context,
    plan: &Plan,
    place: Option<Found>,
    now: Timestamp,
    published: &mut Option<MaintenanceWindow>,
) -> Result<MaintenanceWindowStatus, crate::kubernetes::port::Error> {
    let port = &*context.kubernetes;
    let id = publish::id(MaintenanceWindows::NAMES, object);
    let old = object.status.as_ref();
    let mut new = status::summarize(old, object.metadata.generation, plan, now);
    if let Some((region, account)) = place {
        new.region = Some(region);
        new.account_id = Some(account);
    }
    *published = publish::status(port, &id, old, &new).await?;
    let notes = status::notes(old, &new).into_iter().chain(plan.notes.clone());
    publish::notes(port, &id, notes).await;
    let current = published.as_ref().unwrap_or(object);
    if let Some(finalized) = publish::finalizer(port, &id, current, plan.finalizer).await? {
        *published = Some(finalized);
    }
    Ok(new)
}

/// What a window says to the objects that obey it.
#[must_use]
pub fn fact(object: &MaintenanceWindow) -> WindowFact {
    let status = object.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    let gate = status.and_then(|status| status.gate.as_ref()).map(|gate| GateFact {
        state: match gate.reason {
            GateReason::Suspended => GateState::Suspended,
            GateReason::Invalid => GateState::Invalid,
            GateReason::Open if gate.open => GateState::Open,
            GateReason::Open
            | GateReason::Closed
            | GateReason::Blackout
            | GateReason::Audit
            | GateReason::PreChecks => GateState::Closed,
        },
        message: gate.message.clone(),
        until: gate.until.as_ref().map(|time| time.0),
        closes: gate.closes.as_ref().map(|time| time.0),
        schedules: gate
            .schedules
            .iter()
            .map(|part| (part.name.clone(), part.from.0, part.until.0))
            .collect(),
        blackout: gate.blackout.as_ref().map(|dark| (dark.name.clone(), dark.from.0, dark.until.0)),
    });
    let deleting = object.metadata.deletion_timestamp.is_some();
    WindowFact {
        name: object.name_any(),
        routine: object.spec.purpose == Some(Purpose::Routine),
        labels: object.labels().clone(),
        emergency_for: object
            .spec
            .emergency
            .as_ref()
            .map(|emergency| emergency.stands_for.clone())
            .unwrap_or_default(),
        gate,
        current: observed == object.metadata.generation && !deleting,
        deleting,
        next: status.and_then(|status| status.next.as_ref()).map(|next| next.local.clone()),
    }
}

/// The alarms that a window makes quiet; none where there are none.
#[must_use]
pub fn quiet(object: &MaintenanceWindow) -> Option<QuietFact> {
    let status = object.status.as_ref()?;
    Some(QuietFact {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        account: status.account_id.clone(),
        silenced: status.silenced.clone()?,
    })
}
