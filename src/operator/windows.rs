//! The MaintenanceWindows that are watched, for the objects that obey them.

use futures::FutureExt as _;
use kube::ResourceExt as _;

use crate::{
    context::Windows,
    engine::{Packed, Reader},
    facts::windows::{GateFact, GateState, QuietFact, WindowFact},
    maintenance_window::{MaintenanceWindows, fact, quiet},
};

/// The MaintenanceWindows that are watched.
pub struct KnownWindows(pub Reader<MaintenanceWindows>);

impl Windows for KnownWindows {
    fn of(&self, namespace: &str) -> Option<Vec<WindowFact>> {
        self.0.wait_until_ready().now_or_never()?.ok()?;
        let theirs = self.0.state_filter(|window| window.namespace().as_deref() == Some(namespace));
        Some(theirs.iter().map(|packed| known(packed)).collect())
    }

    fn quiet(&self) -> Option<Vec<QuietFact>> {
        self.0.wait_until_ready().now_or_never()?.ok()?;
        let all = self.0.state();
        Some(all.iter().filter_map(|packed| quiet(&packed.unpack()?)).collect())
    }
}

/// What a window says; one that cannot be read is there, and says nothing that could be obeyed.
fn known(packed: &Packed<MaintenanceWindows>) -> WindowFact {
    let why = packed.unreadable().unwrap_or("it cannot be read");
    packed.unpack().map_or_else(
        || WindowFact {
            name: packed.name_any(),
            labels: packed.labels().clone(),
            gate: Some(GateFact {
                state: GateState::Invalid,
                message: crate::error::clean(why),
                ..GateFact::default()
            }),
            current: true,
            ..WindowFact::default()
        },
        |window| fact(&window),
    )
}
