//! MaintenanceWindow: when disruptive work may happen.
//!
//! A pass observes, decides and publishes; see the files of these names.

mod decide;
mod memory;
mod status;
pub mod window;
#[cfg(test)]
mod world;

use async_trait::async_trait;
use jiff::Timestamp;
use kube::ResourceExt as _;

use self::{
    decide::{Facts, Plan, decide},
    memory::Memory,
    window::Window,
};
use crate::{
    api::maintenance_window::{GateReason, MaintenanceWindow},
    aws::limits::Place,
    context::Context,
    engine::{Class, Kind, Next, Pass},
    error::{Remedy, chain},
    facts::windows::{GateFact, GateState, WindowFact},
    kubernetes::{
        objects,
        port::{Event, KindNames},
        publish,
    },
    plan::Revisit,
};

/// The kind, for the engine.
pub struct MaintenanceWindows;

#[async_trait]
impl Kind for MaintenanceWindows {
    type Object = MaintenanceWindow;
    const NAMES: KindNames = KindNames {
        api_version: "groundcrew.dev/v1alpha1",
        kind: "MaintenanceWindow",
        plural: "maintenancewindows",
    };

    async fn prepare(_: &MaintenanceWindow, _: &Context) {}

    async fn pass(
        object: &MaintenanceWindow,
        context: &Context,
        _failures: u32,
    ) -> Pass<MaintenanceWindow> {
        pass(object, context).await
    }

    /// There are few, and an opening is not to wait for its turn after a start.
    fn class(_: &MaintenanceWindow) -> Class {
        Class::Urgent
    }

    fn place(_: &MaintenanceWindow) -> Option<Place> {
        None
    }

    fn subject(_: &MaintenanceWindow) -> u64 {
        0
    }

    fn forget(_: &Context, _: &str, _: &str) {}
}

/// Brings one window to where it should be at this moment.
///
/// Safe to repeat, and to be cut off at any `.await`.
#[tracing::instrument(skip_all, fields(namespace = object.namespace(), name = object.name_any()))]
async fn pass(object: &MaintenanceWindow, context: &Context) -> Pass<MaintenanceWindow> {
    let now = context.clock.now(); // The only clock read of the pass.
    let plan = decide(&observe(object), &Memory::recall(object.status.as_ref()), now);
    let mut object_now = None;
    let told = tell(object, context, &plan, now, &mut object_now).await;
    if let Err(error) = &told {
        tracing::warn!(error = %chain(error), "not published");
        return Pass { object: object_now, unsure: true, next: Next::failed(Remedy::Retry) };
    }
    let next = match plan.revisit {
        Revisit::Now => Next::Now,
        Revisit::At(then) => Next::At(then),
    };
    Pass { object: object_now, unsure: false, next }
}

/// What the object says.
fn observe(object: &MaintenanceWindow) -> Facts {
    let observed = object.status.as_ref().and_then(|status| status.observed_generation);
    Facts {
        spec: object.spec.clone(),
        window: Window::parse(&object.spec),
        edited: observed != object.metadata.generation,
        deletion: objects::deletion(object),
        request: objects::action_request(object),
    }
}

/// Publishes status and Events. The object as it is after the last write that was answered is left in
/// `published`.
async fn tell(
    object: &MaintenanceWindow,
    context: &Context,
    plan: &Plan,
    now: Timestamp,
    published: &mut Option<MaintenanceWindow>,
) -> Result<(), crate::kubernetes::port::Error> {
    let port = &*context.kubernetes;
    let id = publish::id(MaintenanceWindows::NAMES, object);
    let old = object.status.as_ref();
    let new = status::summarize(old, object.metadata.generation, plan, now);
    *published = publish::status(port, &id, old, &new).await?;
    let events: Vec<Event> = status::notes(old, &new)
        .into_iter()
        .map(|note| Event { warning: note.warning, reason: note.reason.into(), note: note.message })
        .collect();
    publish::events(port, &id, &events).await;
    Ok(())
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
            GateReason::Open | GateReason::Closed | GateReason::Blackout | GateReason::Audit => {
                GateState::Closed
            }
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
    WindowFact {
        name: object.name_any(),
        labels: object.labels().clone(),
        emergency_for: object
            .spec
            .emergency
            .as_ref()
            .map(|emergency| emergency.stands_for.clone())
            .unwrap_or_default(),
        gate,
        current: observed == object.metadata.generation
            && object.metadata.deletion_timestamp.is_none(),
        next: status.and_then(|status| status.next.as_ref()).map(|next| next.local.clone()),
    }
}
