//! What every kind's status has in common. Pure.

pub mod conditions;
