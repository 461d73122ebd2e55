//! A plan: plain data that says what to tell, and when to look again.

use crate::{
    api::maintenance_window::{Gate, Phase},
    maintenance_window::memory::Memory,
    time::{Opening, Zone},
};

pub use crate::plan::Revisit;

/// What a pass does and says.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to remember.
    pub memory: Memory,
    /// What to tell.
    pub report: Report,
    /// What the objects that obey are told.
    pub gate: Gate,
    /// The openings to come, the next one first.
    pub upcoming: Vec<Opening>,
    /// The time zone of the spec; none when it has none that works.
    pub zone: Option<Zone>,
    /// In Audit: what would happen, in order.
    pub ahead: Vec<String>,
    /// When to look again.
    pub revisit: Revisit,
}

/// What the status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The phase.
    pub phase: Phase,
    /// Why, in CamelCase: the reason of the conditions.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}
